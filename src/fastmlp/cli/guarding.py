"""What the library raises of a table, a model file or a parameter, as one line of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastmlp.cli.errors import CommandError, RefusedError, TableError
from fastmlp.cli.tables.opening import holds_model, holds_table, named
from fastmlp.training.divergence import DivergenceError
from fastmlp.validation.wording import brief, did_you_mean, one_line

__all__ = ["check_metric", "loaded", "naming_table"]

#: The longest line of what was raised.
LONGEST = 500

#: How a text begins that is about a metric which fits the task, but not these classes or numbers.
_OF_METRIC = "metric="


@contextmanager
def naming_table(name: str) -> Iterator[None]:
    """Raise TableError, naming the file, for what the library has to say of a table."""
    try:
        yield
    except DivergenceError as error:
        raise CommandError(one_line(str(error), LONGEST)) from error
    except (ValueError, TypeError) as error:
        text = one_line(str(error), LONGEST)
        if text.startswith(_OF_METRIC):
            raise RefusedError(f"--{text}") from error
        text = text.removeprefix("X, ").removeprefix("X has ").removesuffix(".")
        raise TableError(f"{name}: {text}") from error


def check_metric(metric: str | None, task: str) -> None:
    """Raise RefusedError for a metric that there is not, or not for the task."""
    from fastmlp.tabular.metrics import CLASS_METRICS, REAL_METRICS
    from fastmlp.validation import check_table_metric

    own, others, example = CLASS_METRICS, REAL_METRICS, "balanced_accuracy"
    if task == "regression":
        own, others, example = REAL_METRICS, CLASS_METRICS, "r2"
    try:
        if metric is not None:
            check_table_metric(metric, tuple(own))
    except ValueError:
        from sklearn.metrics import get_scorer_names

        guess = did_you_mean(str(metric), [*own, *get_scorer_names()])
        raise RefusedError(
            f"--metric: {brief(metric)} is not a metric for {task}: give {', '.join(own)} or the "
            f"name of a scorer of scikit-learn, such as {example}."
            f"{'' if metric in others else guess}"
        ) from None


def loaded(path: str, command: str, data: str = "") -> Any:
    """Return the model of tables in a file; a ``command`` has been given it, and perhaps data.

    Raises
    ------
    RefusedError
        The model and the table have changed places.
    TableError
        There is no model, it is damaged, or not of tables.
    """
    import fastmlp
    from fastmlp.tabular.base import BaseTabular

    try:
        model = fastmlp.load(path)
    except OSError as error:
        raise TableError(one_line(error.strerror or str(error), LONGEST)) from error
    except (ValueError, TypeError, ImportError) as error:
        _check_is_no_table(path, command, data)
        raise TableError(one_line(str(error), LONGEST)) from error
    if not isinstance(model, BaseTabular):
        raise TableError(
            f"{path} holds an {type(model).__name__}: the command line takes models of tables, "
            "which fastmlp train makes, or TabularClassifier and TabularRegressor in Python"
        )
    return model


def _check_is_no_table(path: str, command: str, data: str) -> None:
    """Raise if a file that should hold a model holds a table."""
    if holds_model(path) or not holds_table(path):
        return
    if data and holds_model(data):
        raise RefusedError(
            f"{named(path)} is a table and {named(data)} is a model; the model comes first: "
            f"fastmlp {command} {named(data)} {named(path)}"
        )
    raise TableError(
        f"{named(path)} is a table or another text, not a model: MODEL is a file that fastmlp "
        "train has written"
    )

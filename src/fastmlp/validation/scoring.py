"""Checks of ``scoring``: the metric that judges the held-out rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np

from fastmlp.names import Names
from fastmlp.validation.arrays import naming
from fastmlp.validation.shapes import UNREADABLE
from fastmlp.validation.wording import LONGEST_NAME, brief, one_line

__all__ = [
    "check_score",
    "check_scorer_can_ask",
    "check_scoring",
    "check_table_metric",
    "judging_by",
    "score_diverged",
]

_WANTED = "a name of sklearn.metrics.get_scorer_names(), or a callable(estimator, X, y)"


class _Anything:
    """What scikit-learn takes for an estimator, so that it looks at the scorer only."""

    def fit(self, X: Any, y: Any) -> None:
        """Never called."""


def check_scoring(name: str, value: Any) -> Any:
    """Return None, "loss", a scorer's name or a scorer; raise unless ``value`` is one of them."""
    if value is None:
        return None
    return _check_scorer(name, value, ("loss",), "None, 'loss'")


def check_table_metric(value: Any, own: Sequence[str]) -> Any:
    """Return one of our ``own`` metrics' names, or a scorer or its name; raise for all else."""
    return _check_scorer("metric", value, own, ", ".join(map(repr, own)))


def _check_scorer(name: str, value: Any, own: Sequence[str], listed: str) -> Any:
    """Return one of our ``own`` names, a scorer's name or a scorer; raise unless it is one."""
    if isinstance(value, str) and value in own:
        return value
    if callable(value) and not isinstance(value, type):
        from sklearn.metrics import check_scoring as check_scorer  # noqa: PLC0415 - slow to import

        try:
            with naming(name):  # finds metrics, which are no scorers
                check_scorer(_Anything(), scoring=value)
        except ValueError as error:
            if "metric function" not in str(error):
                raise
            raise ValueError(_of_metric(name, value.__name__)) from None
        return value
    text = f"{name} must be {listed}, {_WANTED}; got {brief(value, LONGEST_NAME)}."
    if not isinstance(value, str):
        raise TypeError(text)
    from sklearn.metrics import get_scorer_names  # noqa: PLC0415 - slow to import

    names = Names((each, each, ()) for each in [*own, *get_scorer_names()])
    if value in names:
        return names.name_of(value)
    closest = _scorer_of(value, names) or names.closest(value)
    raise ValueError(text if closest is None else f"{text} Did you mean {brief(closest)}?")


#: Short names of metrics, and scikit-learn's names for their scorers.
_SHORT = Names(
    [
        ("mse", "neg_mean_squared_error", ()),
        ("mae", "neg_mean_absolute_error", ()),
        ("rmse", "neg_root_mean_squared_error", ()),
        ("mape", "neg_mean_absolute_percentage_error", ()),
        ("cross_entropy", "neg_log_loss", ()),
        ("brier_score_loss", "neg_brier_score", ()),
        ("auc", "roc_auc", ()),
    ]
)


def _scorer_of(metric: str, names: Names) -> str | None:
    """Return the name of the scorer that uses a metric; None if there is none."""
    known = [_SHORT.get(metric, ""), f"neg_{metric}", metric.removesuffix("_score")]
    return next((names.name_of(each) for each in known if each in names), None)


def _of_metric(name: str, metric: str) -> str:
    """Return the error text for a metric function, which is no scorer."""
    is_loss = metric.endswith(("_error", "_loss", "_deviance"))
    more = ", greater_is_better=False" if is_loss else ""
    return (
        f"{name} looks like it is a metric function, which is not a scorer: write "
        f"make_scorer({metric}{more})."
    )


def check_scorer_can_ask(model: Any, scoring: Any, methods: Any, loss: object) -> None:
    """Raise ValueError if the model has none of the ``methods`` that a scorer calls."""
    wanted = [methods] if isinstance(methods, str) else list(methods)
    if not any(hasattr(model, method) for method in wanted):
        raise ValueError(
            f"scoring={brief(scoring)} needs {' or '.join(wanted)}, which {type(model).__name__} "
            f"with loss={brief(loss)} does not have: choose another metric or another loss."
        )


@contextmanager
def judging_by(scoring: Any, name: str = "scoring") -> Iterator[None]:
    """Make what a named scorer raises say that it can't judge; a callable's own errors pass."""
    try:
        yield
    except UNREADABLE as error:
        if not isinstance(scoring, str):
            raise
        text = one_line(str(error))
        remedy = _of_scorer(scoring, text)
        raise ValueError(
            f"{name}={brief(scoring)} can't judge the held-out rows: {remedy or text}"
        ) from None


def _of_scorer(scoring: str, text: str) -> str | None:
    """Return what is wrong with a scorer by the ``text`` that it raised, and another to take."""
    if "pos_label=" in text:
        return (
            "the labels are not 0 and 1, so it does not know which one is positive: use "
            f"{_macro(scoring)}make_scorer({scoring}_score, pos_label=…)."
        )
    if "multi_class must be in" in text:
        return "it works for two classes only: use 'roc_auc_ovr'."
    if "average='binary'" in text:
        return f"it works for two classes only: use '{scoring}_macro'."
    if "could not convert string" in text:
        return "it is for numbers, but y holds labels: use one for classes, such as 'f1_macro'."
    if "continuous" in text or "Got a regressor" in text:  # the latter by scikit-learn 1.6
        return "it compares labels, but y holds numbers: use a metric for numbers, such as 'r2'."
    return None


def _macro(scoring: str) -> str:
    """Return the scorer that takes the mean over the classes, if there is one."""
    from sklearn.metrics import get_scorer_names  # noqa: PLC0415 - slow to import

    macro = f"{scoring}_macro"
    return f"'{macro}', or " if macro in get_scorer_names() else ""


def check_score(scoring: Any, score: Any, name: str = "scoring") -> float:
    """Return what a scorer gave as a float; raise TypeError unless it is a number."""
    if isinstance(score, np.ndarray) and score.ndim == 0:
        score = score[()]
    if not isinstance(score, Real):
        raise TypeError(f"{name}={brief(scoring)} must give a number; got {brief(score)}.")
    return float(score)


def score_diverged(scoring: Any, score: float, epoch: int) -> str:
    """Return what to say when a scorer gives no finite number for outputs that are finite."""
    return (
        f"scoring={brief(scoring)} gave {score} for the held-out rows in epoch {epoch}, though the "
        "network's outputs are finite: choose another metric, or hold out rows for which it is "
        "defined."
    )

"""What the library raises of a table, a model file or a parameter, as one line of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastmlp.cli.errors import CommandError, TableError
from fastmlp.training.divergence import DivergenceError
from fastmlp.validation.wording import one_line

__all__ = ["loaded", "naming_table"]

#: The longest line of what was raised.
LONGEST = 500


@contextmanager
def naming_table(name: str) -> Iterator[None]:
    """Raise TableError, naming the file, for what the library has to say of a table."""
    try:
        yield
    except DivergenceError as error:
        raise CommandError(one_line(str(error), LONGEST)) from error
    except (ValueError, TypeError) as error:
        text = one_line(str(error), LONGEST)
        text = text.removeprefix("X, ").removeprefix("X has ").removesuffix(".")
        raise TableError(f"{name}: {text}") from error


def loaded(path: str) -> Any:
    """Return the model of tables in a file.

    Raises
    ------
    TableError
        There is none, it is damaged, or not of tables.
    """
    import fastmlp
    from fastmlp.tabular.base import BaseTabular

    try:
        model = fastmlp.load(path)
    except OSError as error:
        raise TableError(one_line(error.strerror or str(error), LONGEST)) from error
    except (ValueError, TypeError, ImportError) as error:
        raise TableError(one_line(str(error), LONGEST)) from error
    if not isinstance(model, BaseTabular):
        raise TableError(
            f"{path} holds an {type(model).__name__}: the command line takes models of tables, "
            "which fastmlp train makes, or TabularClassifier and TabularRegressor in Python"
        )
    return model

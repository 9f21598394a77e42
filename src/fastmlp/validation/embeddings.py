"""Checks of embeddings, and of the columns that they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastmlp.embeddings import COUNTS, EMBEDDINGS, Categories, NumericEmbedding
from fastmlp.optimizers import Optimizer
from fastmlp.plan.front import MOST_LEVELS
from fastmlp.plan.inputs import Inputs, SparseRows
from fastmlp.validation.rules import Number, flag
from fastmlp.validation.wording import brief, unknown_name

__all__ = [
    "category_embedding",
    "category_features",
    "check_embeddings",
    "check_levels",
    "check_same_embeddings",
    "chosen_columns",
    "numeric_embedding",
]

_POSITIVE = Number(0, closed="neither")


def _checked(name: str, value: Any) -> Any:
    """Return an object whose options are right, as Python's own numbers; raise unless they are."""
    options = {}
    for option, given in vars(value).items():
        label = f"{name}.{option}"
        if option in COUNTS:
            also = (None,) if option == "width" and hasattr(value, "n_bins") else ()
            options[option] = Number(*COUNTS[option], closed="both", integral=True, also=also)(
                label, given
            )
        else:
            options[option] = (flag if option == "rectified" else _POSITIVE)(label, given)
    return type(value)(**options)


def numeric_embedding(name: str, value: Any) -> NumericEmbedding | None:
    """Return an embedding of numbers, None for none; raise unless ``value`` stands for one."""
    if value is None:
        return None
    if type(value) in EMBEDDINGS.values():
        own: NumericEmbedding = _checked(name, value)
        return own
    if value not in EMBEDDINGS:
        raise unknown_name(name, value, EMBEDDINGS, ", None, or an object of fastmlp.embeddings")
    return EMBEDDINGS[value]()


def category_embedding(name: str, value: Any) -> Categories | None:
    """Return an embedding of categories, or None; raise unless ``value`` is one."""
    if value is None:
        return None
    if type(value) is not Categories:
        raise TypeError(
            f"{name} must be an object of fastmlp.embeddings.Categories, or None; got "
            f"{brief(value)}."
        )
    own: Categories = _checked(name, value)
    return own


def category_features(name: str, value: Any) -> tuple[int | str | bool, ...] | None:
    """Return columns by number, by name, or a flag for each column; None for none of them."""
    if value is None:
        return None
    given = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(given, (str, bytes)) or not isinstance(given, (list, tuple, range)):
        raise TypeError(
            f"{name} must be a list of columns, by number or by name, or None; got {brief(value)}."
        )
    columns = tuple(each.item() if isinstance(each, np.generic) else each for each in given)
    kinds = {type(each) for each in columns}
    if not kinds <= {int} and not kinds <= {str} and not kinds <= {bool}:
        raise TypeError(
            f"{name} must name all columns by number, or all by name, or have a bool for each; got "
            f"{brief(value)}."
        )
    return columns


def chosen_columns(
    wanted: tuple[int | str | bool, ...] | None, n_columns: int, names: np.ndarray | None
) -> list[int]:
    """Return the numbers of the columns that ``categorical_features`` asks for, ascending."""
    if wanted is None:
        return []
    if all(isinstance(each, bool) for each in wanted):
        if len(wanted) not in (0, n_columns):
            raise ValueError(
                f"categorical_features has {len(wanted)} bools, but X has {n_columns} columns."
            )
        return [i for i, chosen in enumerate(wanted) if chosen]
    known = {} if names is None else {str(name): i for i, name in enumerate(names)}
    found = set()
    for each in wanted:
        number = known.get(each) if isinstance(each, str) else int(each)
        if number is None or not -n_columns <= number < n_columns:
            raise ValueError(
                f"categorical_features names {brief(each)}, which is not a column of X."
            )
        found.add(number % n_columns)
    return sorted(found)


def check_levels(X: np.ndarray, columns: list[int], names: np.ndarray | None) -> list[int]:
    """Return how many levels each of the ``columns`` of X (N, I) has; raise if one has none."""
    counts = []
    for i in columns:
        values = X[:, i]
        wrong = values[(values < 0) | (values != np.floor(values)) | (values >= MOST_LEVELS)]
        if len(wrong):
            label = i if names is None else repr(str(names[i]))
            raise ValueError(
                f"Column {label} of X is one of categorical_features, which must hold whole "
                f"numbers from 0 to {MOST_LEVELS - 1}; got {brief(wrong[0].item())}: number the "
                "levels with sklearn.preprocessing.OrdinalEncoder."
            )
        counts.append(int(values.max()) + 1)
    return counts


def check_embeddings(parameters: Mapping[str, Any], X: Inputs) -> None:
    """Raise ValueError for what can't be had together with embeddings of X (N, I)."""
    numeric, categorical = parameters["numeric_embedding"], parameters["categorical_features"]
    if isinstance(X, SparseRows) and (numeric is not None or categorical):
        name = "categorical_features" if numeric is None else "numeric_embedding"
        raise ValueError(f"{name} needs a dense X: pass X.toarray().")
    if not categorical:
        return
    if parameters["input_noise"]:
        raise ValueError(
            "input_noise would change the levels of categorical_features: set input_noise=0."
        )
    solver = parameters["solver"]
    if solver == "lamb" or (isinstance(solver, Optimizer) and solver.has_trust_ratio):
        raise ValueError(
            f"solver={brief(solver)} needs the norm of all levels of categorical_features in each "
            "update: choose another solver."
        )


#: Parameters that a fit which goes on from an earlier one can't change.
_OF_COLUMNS = ("numeric_embedding", "category_embedding", "categorical_features")


def check_same_embeddings(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise ValueError if a fit that goes on asks for other embeddings than it has."""
    for name in _OF_COLUMNS:
        if wanted[name] != present[name]:
            raise ValueError(
                f"{name} is now {brief(wanted[name])}, but the network that warm_start or "
                f"partial_fit continues has {brief(present[name])}."
            )

"""The parts of the class docstrings that classifier and regressor share, written once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from textwrap import indent
from typing import TypeVar

from fastmlp.validation.parameter_table import PARAMETERS

__all__ = ["fill_gaps", "with_shared_parts"]

_Class = TypeVar("_Class", bound=type)

ATTRIBUTES = """\
coefs_ : list of ndarray of shape (fan_in, fan_out)
    Weights of each layer, as views of one vector. You can write into an array, or assign to an
    item of the list or to the whole list; predictions and further training then use the new
    numbers. Shapes must agree. The same holds for the next six lists. Of layers that each member
    of the network has for itself, arrays are (n_members, fan_in, fan_out).
intercepts_ : list of ndarray of shape (fan_out,)
    Biases of each layer, as views of the same vector; (n_members, fan_out) likewise.
norm_gains_, norm_shifts_ : list of ndarray of shape (fan_out,) or None
    γ and β of each hidden layer; None for a layer without normalisation.
scales_ : ndarray of shape (fan_in,) or (n_members, fan_in), or None
    Factors of the inputs of the first layer, for all members of the network or for each, as a view
    of the same vector; None without any.
activation_shares_ : list of ndarray of shape (fan_out,) or None
    α of each hidden layer, how much of each unit is its activation; None for a layer whose
    activation is not parametric.
running_means_, running_variances_ : list of ndarray of shape (fan_out,) or None
    The statistics that batch norm uses in prediction; None for a hidden layer without it.
loss_ : float
    Cost plus penalties, as ``objective`` gives it, in the last epoch: the mean over its batches.
    NaN if that epoch diverged and early stopping kept an earlier network.
loss_curve_ : list of float
    The same number for each epoch. Under ``warm_start`` and ``partial_fit`` it includes the epochs
    of earlier fits. Of consecutive partial fits, the latest 1000 are kept.
best_loss_ : float or None
    The smallest of these numbers in the last fit, or in all consecutive partial fits that had the
    same loss. None with early stopping.
cost_curve_ : list of float
    The same as ``loss_curve_``, without penalties.
history_ : dict of str to list
    Numbers of the same epochs, a list by name, as :class:`pandas.DataFrame` takes them: ``epoch``,
    counted from the first one of the network's life; ``loss`` and ``cost``; ``validation_loss``,
    the cost of the held-out rows, and ``validation_score``; ``learning_rate``, that of the epoch's
    last update; ``seconds`` since the training of that fit began; and each metric that a callback
    has added. NaN where there is none.
validation_scores_ : list of float or None
    With early stopping or ``X_val``, the score on the held-out rows after each epoch; NaN for
    epochs of earlier fits without these, and for one that diverged. It is what ``scoring`` asks
    for. By default it is the accuracy for a classifier, ``class_weight`` included. For a regressor
    it is a measure of its own loss: R² for "squared_error", as in scikit-learn; D², the share of
    the pinball loss that is explained, for "pinball" and "absolute_error"; minus the cost for all
    others, and for every loss where the held-out rows have one target only.
best_validation_score_ : float or None
    The largest of them in the last fit.
stop_reason_ : str
    Why the last fit ended, in a sentence.
n_iter_ : int
    Number of epochs of the last fit.
t_ : int
    Number of training samples seen so far.
n_layers_ : int
    Number of layers of units, including input and output.
n_outputs_ : int
    Number of output units.
out_activation_ : str
    "softmax", "logistic", "identity", "exp" (for deviances), "gaussian" (means, then variances) or
    "quantiles" (ascending).
n_features_in_ : int
    Number of columns of X.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the columns; only if all columns of X had names that are strings."""


def with_shared_parts(cls: _Class) -> _Class:
    """Fill the gaps in a class's docstring: ``{parameters}``, those of both classes,
    ``{own_parameters}`` and ``{attributes}``.
    """  # noqa: D205
    task = cls._task  # type: ignore[attr-defined]
    own, shared = _entries(task), _entries(None)
    fill_gaps(cls, {"parameters": shared, "own_parameters": own, "attributes": ATTRIBUTES})
    return cls


def fill_gaps(cls: type, parts: Mapping[str, str]) -> None:
    """Put a text in the place of each ``{name}`` of a class's docstring, as far in as that stands.

    From Python 3.13 on, the compiler takes the indentation of docstrings away. Under
    ``python -OO`` there are none.
    """
    if cls.__doc__:
        cls.__doc__ = re.sub(
            r"^( *)\{(\w+)\}$",
            lambda gap: indent(parts[gap[2]].rstrip(), gap[1]),
            cls.__doc__,
            flags=re.MULTILINE,
        )


def _entries(task: str | None) -> str:
    """Return the documentation of the parameters that only ``task``, or None: both, have."""
    return "\n".join(row.documentation for row in PARAMETERS if row.task == task)

"""The parts of the class docstrings that classifier and regressor share, written once."""

from __future__ import annotations

from textwrap import indent
from typing import TypeVar

from fastmlp.validation.parameter_table import PARAMETERS

__all__ = ["with_shared_parts"]

_Class = TypeVar("_Class", bound=type)

ATTRIBUTES = """\
coefs_ : list of ndarray of shape (fan_in, fan_out)
    Weights of each layer; views of one vector. What is written into an array, or assigned to an
    item of the list or to the whole of it, counts from then on; shapes must agree. This holds for
    the next five lists, too.
intercepts_ : list of ndarray of shape (fan_out,)
    Biases of each layer; views of the same vector.
norm_gains_, norm_shifts_ : list of ndarray of shape (fan_out,) or None
    γ and β of each hidden layer; None where it has no normalisation.
running_means_, running_variances_ : list of ndarray of shape (fan_out,) or None
    What batch norm predicts with; None for a hidden layer without it.
loss_ : float
    Cost plus penalties, as ``objective`` gives it, of the last epoch: the mean over its batches.
    NaN if early stopping kept an earlier network when that epoch diverged.
loss_curve_ : list of float
    The same of each epoch, those of earlier fits included under ``warm_start`` and ``partial_fit``.
    Of partial fits in a row the latest 1000 are kept.
best_loss_ : float or None
    The least of them in the last fit, or of all partial fits in a row that had the same loss; None
    with early stopping.
cost_curve_ : list of float
    As ``loss_curve_``, without penalties.
history_ : dict of str to list
    Numbers of each epoch, a list by name, ready for ``pandas.DataFrame``: "epoch", "loss", "cost",
    "validation_score", "learning_rate", "seconds" and whatever a callback adds; NaN where an epoch
    has none. Kept as ``loss_curve_`` is.
validation_scores_ : list of float or None
    With early stopping, the score on the held-out rows after each epoch; NaN for epochs of earlier
    fits without it, and for one that diverged. For a classifier it is the accuracy. For a regressor
    it is a measure of its own loss: R² for "squared_error", as in scikit-learn; D², the share of
    the pinball loss that is explained, for "pinball" and "absolute_error"; minus the cost for all
    others, and for every loss where the held-out rows have one target only.
best_validation_score_ : float or None
    The largest of them in the last fit.
stop_reason_ : str
    Why the last fit ended, in a sentence.
n_iter_ : int
    Epochs of the last fit.
t_ : int
    Training samples seen so far.
n_layers_ : int
    Layers of units, input and output included.
n_outputs_ : int
    Output units.
out_activation_ : str
    "softmax", "logistic", "identity", "exp" (for deviances), "gaussian" (means, then variances) or
    "quantiles" (ascending).
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the columns; only when X had names that are all strings."""


def with_shared_parts(cls: _Class) -> _Class:
    """Fill the gaps in a class's docstring: ``{parameters}``, those of both classes,
    ``{own_parameters}`` and ``{attributes}``.
    """  # noqa: D205
    if cls.__doc__:  # absent under ``python -OO``
        task = cls._task  # type: ignore[attr-defined]
        gaps = {
            "parameters": _entries(None),
            "own_parameters": _entries(task),
            "attributes": ATTRIBUTES,
        }
        for name, text in gaps.items():
            cls.__doc__ = cls.__doc__.replace(f"    {{{name}}}", indent(text, "    "), 1)
    return cls


def _entries(task: str | None) -> str:
    """Return the documentation of the parameters that only ``task``, or None: both, have."""
    return "\n".join(row.documentation for row in PARAMETERS if row.task == task)

"""Activations and losses that the user writes in Python, to run inside the core's loop."""

from __future__ import annotations

from collections.abc import Callable

from fastmlp.plan.user_functions import CustomActivation, CustomLoss, plain_function
from fastmlp.validation.user_functions import (
    check_activation_slope,
    check_loss_slope,
    check_name,
    check_safe,
    check_scalar_function,
)

__all__ = ["custom_activation", "custom_loss"]


def custom_activation(
    f: Callable[[float], float], df: Callable[[float], float], name: str | None = None
) -> CustomActivation:
    """Make an activation from two Python functions of one number.

    Numba compiles them, for float32 and float64, into loops over whole arrays, which all threads of
    the core call without the GIL. ``math.exp`` and ``math.tanh`` (and NumPy's) work on vectors
    there. Other functions of ``math`` work too, but are called once for each number. Floating-point
    constants, ``math.pi`` and defaults of arguments count as numbers of the network's type. Write
    whole numbers as ``2.0 * z``, not ``2 * z``, unless they are exponents: an integer beside a
    float32 makes Numba compute in double precision, which is right but may be slower.
    ``backend="numpy"`` calls the functions as they are.

    Parameters
    ----------
    f : callable
        z ↦ h = f(z), for one real z. Numba's nopython mode must be able to compile it, and it may
        use only numbers and tuples of numbers. Compiled code checks no index, so arrays are
        refused, also in functions that f calls, and so are elements of tuples at computed indices:
        take elements by constant indices or in a loop. f must not raise an exception, which the
        core would not notice, and must not call itself. Where it has no value, return
        ``math.nan``. Every loop in it must end: Ctrl-C does nothing while compiled code runs.
    df : callable
        z ↦ f'(z). At a kink of f it should be one of the two slopes beside it, or between them.
    name : str, optional
        Name of the activation, which errors and files mention; by default that of ``f``.

    Returns
    -------
    CustomActivation
        Pass it as ``activation=``, alone or in a sequence. It is pickled as ``f`` and ``df``, so
        these must be functions that can be imported (or pickled by cloudpickle).

    Raises
    ------
    TypeError
        If an argument is not of the kind above.
    ValueError
        If Numba can't compile a function, if it can raise an exception or read beyond an array, or
        if ``df`` is not the derivative of ``f``: it is compared with differences of ``f`` at points
        near and far.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastmlp import MLPClassifier, custom_activation
    >>> def bent(z):
    ...     return 0.5 * (z + (z * z + 1.0) ** 0.5)
    >>> def bent_slope(z):
    ...     return 0.5 * (1.0 + z / (z * z + 1.0) ** 0.5)
    >>> bend = custom_activation(bent, bent_slope)
    >>> bend
    custom_activation(bent, bent_slope)
    >>> X, y = load_iris(return_X_y=True)
    >>> layers = {"hidden_layer_sizes": (8, 8), "activation": [bend, "tanh"]}
    >>> model = MLPClassifier(**layers, solver="lbfgs", max_iter=1000, random_state=0)
    >>> model.fit(X, y).score(X, y) > 0.95
    True
    """
    f, df = plain_function(f), plain_function(df)
    for role, function in (("f", f), ("df", df)):
        check_scalar_function("custom_activation", role, function, n_arguments=1)
    check_safe("custom_activation", {"f": f, "df": df})
    own = CustomActivation(f, df, check_name(name, f))  # type: ignore[arg-type]
    check_activation_slope(own)
    return own


def custom_loss(
    value: Callable[[float, float], float],
    grad: Callable[[float, float], float],
    name: str | None = None,
) -> CustomLoss:
    """Make a loss for regression from two Python functions of two numbers.

    A sample's loss is Σ_j value(prediction_j, target_j) over the outputs j. The functions are
    compiled like those of :func:`custom_activation`, and the same is required of them: they use
    only numbers and tuples of numbers, never raise an exception, and come to an end, because Ctrl-C
    does nothing while they run.

    Parameters
    ----------
    value : callable
        (prediction, target) ↦ the loss of one output of one sample.
    grad : callable
        (prediction, target) ↦ its derivative by the prediction.
    name : str, optional
        Name of the loss, which errors and files mention; by default that of ``value``.

    Returns
    -------
    CustomLoss
        Pass it as ``loss=`` to :class:`MLPRegressor`. It is pickled as its two functions.

    Raises
    ------
    TypeError
        If an argument is not of the kind above.
    ValueError
        If Numba can't compile a function, if it can raise an exception or read beyond an array, or
        if ``grad`` is not the derivative of ``value``: it is compared with differences at several
        predictions and targets.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import MLPRegressor, custom_loss
    >>> def quartic(prediction, target):
    ...     return (prediction - target) ** 4
    >>> def quartic_slope(prediction, target):
    ...     return 4.0 * (prediction - target) ** 3
    >>> X = np.linspace(-2, 2, 100).reshape(-1, 1)
    >>> model = MLPRegressor(custom_loss(quartic, quartic_slope), (10,), solver="lbfgs",
    ...                      max_iter=1000, random_state=0)
    >>> model.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2) > 0.99
    True
    """
    value, grad = plain_function(value), plain_function(grad)
    for role, function in (("value", value), ("grad", grad)):
        check_scalar_function("custom_loss", role, function, n_arguments=2)
    check_safe("custom_loss", {"value": value, "grad": grad})
    own = CustomLoss(value, grad, check_name(name, value))  # type: ignore[arg-type]
    check_loss_slope(own)
    return own

"""The pieces of a network as functions: activations, first weights, dropout.

Each function computes what training computes, by the kernels of the compiled core and with the
draws of the estimators. Arrays of float32 give float32, all others float64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from fastmlp.backends import get_backend
from fastmlp.plan.initializers import initialize
from fastmlp.plan.layout import dropout_threshold, make_plan
from fastmlp.plan.parameters import readable, weight_views
from fastmlp.plan.user_functions import CustomActivation
from fastmlp.registry import ACTIVATIONS
from fastmlp.validation.memory import blaming
from fastmlp.validation.pieces import check_activation_input, check_dropout, check_first_weights

__all__ = ["activation", "activation_derivative", "dropout", "initial_weights"]


def activation(activation: str | CustomActivation, z: npt.ArrayLike) -> np.ndarray:
    """Apply an activation, h = f(z), to each element.

    Parameters
    ----------
    activation : str or CustomActivation
        One of the names that the estimators' ``activation`` takes, or what
        :func:`custom_activation` made.
    z : array-like of float, any shape
        Weighted sums of inputs.

    Returns
    -------
    ndarray of float, shaped like ``z``
        h. A scalar gives a scalar.

    Raises
    ------
    TypeError, ValueError
        If there is no such activation, or z does not hold real numbers.

    See Also
    --------
    activation_derivative : The slope of the same function.

    Notes
    -----
    :class:`MLPClassifier` has the formulas beside its parameter ``activation``.

    Examples
    --------
    >>> from fastmlp import activation
    >>> activation("relu", [-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    >>> float(activation("logistic", 0))
    0.5
    """
    return _value_and_slope(activation, z)[0]


def activation_derivative(activation: str | CustomActivation, z: npt.ArrayLike) -> np.ndarray:
    """Return the slope of an activation, f'(z), at each element.

    Back-propagation multiplies by it: ∂L/∂z = ∂L/∂h ⊙ f'(z) (Rumelhart, Hinton and Williams
    1986).

    Parameters
    ----------
    activation : str or CustomActivation
        One of the names that the estimators' ``activation`` takes, or what
        :func:`custom_activation` made.
    z : array-like of float, any shape
        Arguments of f (not values of f) at which the slope is wanted.

    Returns
    -------
    ndarray of float, shaped like ``z``
        f'(z). A scalar gives a scalar. At a kink it is the slope that training uses: 0 for ReLU
        at 0.

    Raises
    ------
    TypeError, ValueError
        If there is no such activation, or z does not hold real numbers.

    See Also
    --------
    activation : The function itself.

    Notes
    -----
    With h = f(z): 1 for "identity", h (1 − h) for "logistic", 1 − h² for "tanh", 1 for z > 0 and
    else 0 for "relu". The others' follow from their formulas beside the parameter ``activation``
    of :class:`MLPClassifier`.

    Examples
    --------
    >>> from fastmlp import activation_derivative
    >>> activation_derivative("relu", [-1.0, 0.0, 2.0])
    array([0., 0., 1.])
    >>> float(activation_derivative("logistic", 0))
    0.25
    """
    return _value_and_slope(activation, z)[1]


def _value_and_slope(
    activation: str | CustomActivation, z: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    z = check_activation_input(activation, z)
    row = readable(z).reshape(1, -1)
    h, slope = np.empty_like(row), np.empty_like(row)
    if isinstance(activation, CustomActivation):
        from fastmlp.backends.numba_jit.binding import evaluate_activation  # noqa: PLC0415

        h[0], slope[0] = evaluate_activation(activation, row[0])
    elif row.size:
        get_backend("compiled").activate(ACTIVATIONS[activation].code, row, h, slope)
    return h.reshape(z.shape)[()], slope.reshape(z.shape)[()]


def dropout(
    x: npt.ArrayLike,
    rate: float = 0.5,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Drop elements at random and scale the others up, as training does.

    Each element becomes 0 with probability p = ``rate``, and x / (1 − p) otherwise. So its
    expectation is still x, and prediction needs no scaling. This is called *inverted* dropout. The
    original dropout (Srivastava et al. 2014, section 10) does not scale in training, and multiplies
    by 1 − p in prediction.

    Parameters
    ----------
    x : array-like of float, any shape
        Activations of units.
    rate : float in [0, 1), default=0.5
        Probability of dropping an element. It is rounded to a multiple of 1/65536.
    random_state : int, RandomState or None, default=None
        Source of the key of the random bits.

    Returns
    -------
    ndarray of float, shaped like ``x``
        A scalar for a scalar.

    Raises
    ------
    TypeError, ValueError
        If x does not hold real numbers, or rate or random_state are not as above.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import dropout
    >>> kept = dropout(np.ones((1000, 8)), rate=0.2, random_state=0)
    >>> np.unique(kept).round(2)
    array([0.  , 1.25])
    >>> float(kept.mean().round(1))
    1.0
    """
    x, rate = check_dropout(x, rate, random_state)
    key = check_random_state(random_state).randint(0, 2**64, dtype=np.uint64)
    n_columns = x.shape[-1] if x.ndim else 1
    factors = np.empty((x.size // max(n_columns, 1), n_columns), x.dtype)
    if x.size:
        get_backend("compiled").dropout_factors(dropout_threshold(rate), int(key), 0, 0, factors)
    with np.errstate(invalid="ignore"):  # 0 · ∞ is NaN, and stays visible
        return np.asarray(x * factors.reshape(x.shape))[()]


def initial_weights(
    fan_in: int,
    fan_out: int,
    init: str = "auto",
    *,
    activation: str | CustomActivation = "relu",
    init_std: float = 0.01,
    init_range: float = 0.05,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Draw the first weights of one layer.

    =================  ======================================================  ============
    ``init``           weights                                                 source
    =================  ======================================================  ============
    "auto"             as "glorot_uniform", for logistic units by √3 narrower  scikit-learn
    "zeros"            0, so all units of a layer stay alike
    "normal"           N(0, s²) with s = ``init_std``
    "uniform"          U(−a, a) with a = ``init_range``
    "glorot_normal"    N(0, 2 / (fan_in + fan_out)), also called Xavier        [1]_
    "glorot_uniform"   U(−a, a), a = √(6 / (fan_in + fan_out))                 [1]_
    "kaiming_normal"   N(0, 2 / fan_in), also called He                        [2]_
    "kaiming_uniform"  U(−a, a), a = √(6 / fan_in)                             [2]_
    "lecun_normal"     N(0, 1 / fan_in)                                        [3]_
    "lecun_uniform"    U(−a, a), a = √(3 / fan_in)                             [3]_
    "orthogonal"       orthonormal columns, or rows where fan_in < fan_out     [4]_
    =================  ======================================================  ============

    Parameters
    ----------
    fan_in, fan_out : int
        Inputs and units of the layer.
    init : str, default="auto"
        One of the names above.
    activation : str or CustomActivation, default="relu"
        Activation of the layer, on which ``"auto"`` depends.
    init_std : float, default=0.01
        Standard deviation for ``"normal"``.
    init_range : float, default=0.05
        Largest absolute value for ``"uniform"``.
    random_state : int, RandomState or None, default=None
        Source of the draws. An estimator with the same ``random_state`` starts with these weights
        in its first layer, rounded to its ``dtype``. To get those of all layers, pass one
        RandomState for one layer after the other.

    Returns
    -------
    ndarray of float64, shape (fan_in, fan_out)
        The weights. Biases begin at 0, except under ``"auto"``, which draws them after the weights
        and in the same way.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as above.

    References
    ----------
    .. [1] Glorot and Bengio (2010), "Understanding the difficulty of training deep
       feedforward neural networks", equations 12 and 16.
    .. [2] He et al. (2015), "Delving deep into rectifiers", equation 10.
    .. [3] LeCun et al. (1998), "Efficient BackProp", equation 16.
    .. [4] Saxe et al. (2014), "Exact solutions to the nonlinear dynamics of learning in deep
       linear neural networks", section 3.

    Examples
    --------
    >>> from fastmlp import initial_weights
    >>> weights = initial_weights(100, 50, "kaiming_normal", random_state=0)
    >>> weights.shape, round(float(weights.std() / (2 / 100) ** 0.5), 1)
    ((100, 50), 1.0)
    """
    fan_in, fan_out, given = check_first_weights(
        fan_in,
        fan_out,
        init,
        activation,
        init_std=init_std,
        init_range=init_range,
        random_state=random_state,
    )
    plan = make_plan([fan_in, fan_out], [], "squared_error")
    rng = check_random_state(random_state)
    with blaming(f"fan_in={fan_in} and fan_out={fan_out} make {fan_in * fan_out:.3g} weights"):
        vector = np.empty(plan.n_parameters)
        initialize(plan, vector, init, rng, [activation], given["init_std"], given["init_range"])
    return weight_views(plan, vector)[0]

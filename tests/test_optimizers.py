"""Optimisers as objects; their steps beside formulas from papers and PyTorch's documentation."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from helpers import all_weights, make_recipe
from helpers_tolerances import eps
from sklearn.base import clone

from fastmlp import MLPClassifier, MLPRegressor, optimizers
from fastmlp.backends.protocol import Backend
from fastmlp.estimators.stream import Stream
from fastmlp.optimizers import (
    CLASSES,
    LAMB,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Lion,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
)
from fastmlp.plan.records import default_groups, prefix_slots
from fastmlp.registry import OPTIMIZERS
from fastmlp.training.updates import UpdateRule

RATE, N, N_STEPS = 0.05, 37, 25
ALL_WEIGHTS = all_weights(N)
RNG = np.random.default_rng(11)
START, GRADIENTS = RNG.normal(size=N), RNG.normal(size=(N_STEPS, N))

#: Yields what each gradient takes off w, the decay left out.
Rule = Iterator[np.ndarray]


def sgd(o: SGD) -> Rule:
    v = np.zeros(N)
    for g in GRADIENTS:
        v = o.momentum * v + g
        yield RATE * (g + o.momentum * v if o.nesterov else v)


def means(betas: tuple[float, float]) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    m, v = np.zeros(N), np.zeros(N)
    for t, g in enumerate(GRADIENTS, 1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        yield t, g, m, v


def adam(o: Adam) -> Rule:
    """As in scikit-learn: ε is added to √v before the correction."""
    for t, _, m, v in means(o.betas):
        correction = np.sqrt(1 - o.betas[1] ** t) / (1 - o.betas[0] ** t)
        yield RATE * correction * m / (np.sqrt(v) + o.eps)


def rmsprop(o: RMSprop) -> Rule:
    v, a, b = np.zeros(N), np.zeros(N), np.zeros(N)
    for g in GRADIENTS:
        v = o.alpha * v + (1 - o.alpha) * g**2
        a = o.alpha * a + (1 - o.alpha) * g
        size = np.sqrt(v - a**2 if o.centered else v) + o.eps
        b = o.momentum * b + g / size
        yield RATE * b


def adagrad(o: Adagrad) -> Rule:
    s = np.full(N, o.initial_accumulator_value)
    for t, g in enumerate(GRADIENTS, 1):
        s = s + g**2
        yield RATE / (1 + (t - 1) * o.lr_decay) * g / (np.sqrt(s) + o.eps)


def adadelta(o: Adadelta) -> Rule:
    v, u = np.zeros(N), np.zeros(N)
    for g in GRADIENTS:
        v = o.rho * v + (1 - o.rho) * g**2
        step = np.sqrt(u + o.eps) / np.sqrt(v + o.eps) * g
        u = o.rho * u + (1 - o.rho) * step**2
        yield RATE * step


def nadam(o: NAdam) -> Rule:
    product = 1.0
    for t, g, m, v in means(o.betas):
        mu, after = (
            o.betas[0] * (1 - 0.5 * 0.96 ** (each * o.momentum_decay)) for each in (t, t + 1)
        )
        product *= mu
        m_hat = after * m / (1 - product * after) + (1 - mu) * g / (1 - product)
        yield RATE * m_hat / (np.sqrt(v / (1 - o.betas[1] ** t)) + o.eps)


def radam(o: RAdam) -> Rule:
    longest = 2 / (1 - o.betas[1]) - 1
    for t, _, m, v in means(o.betas):
        m_hat = m / (1 - o.betas[0] ** t)
        length = longest - 2 * t * o.betas[1] ** t / (1 - o.betas[1] ** t)
        if length <= 5:
            yield RATE * m_hat
            continue
        r = np.sqrt(
            (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        )
        yield RATE * m_hat * r * np.sqrt(1 - o.betas[1] ** t) / (np.sqrt(v) + o.eps)


def lion(o: Lion) -> Rule:
    m = np.zeros(N)
    for g in GRADIENTS:
        yield RATE * np.sign(o.betas[0] * m + (1 - o.betas[0]) * g)
        m = o.betas[1] * m + (1 - o.betas[1]) * g


def lamb(o: LAMB) -> Rule:
    """Algorithm 2 of You et al. 2020, with the decay, over one array."""
    w = START.copy()
    for t, _, m, v in means(o.betas):
        r = m / (1 - o.betas[0] ** t) / (np.sqrt(v / (1 - o.betas[1] ** t)) + o.eps)
        u = r + o.weight_decay * w
        taken = RATE * np.linalg.norm(w) / np.linalg.norm(u) * u
        w = w - taken
        yield taken


RULES: dict[str, Callable[..., Rule]] = {
    "sgd": sgd,
    "adam": adam,
    "adamw": adam,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "nadam": nadam,
    "radam": radam,
    "lion": lion,
    "lamb": lamb,
}
OBJECTS: list[Optimizer] = [
    *(cls() for cls in CLASSES.values()),
    SGD(momentum=0.8, nesterov=True, weight_decay=0.1),
    SGD(momentum=0.8, weight_decay=0.1),
    Adam(betas=(0.5, 0.9), eps=0.1, weight_decay=0.1),
    RMSprop(alpha=0.8, eps=0.1, momentum=0.9, centered=True, weight_decay=0.1),
    RMSprop(momentum=0.5),
    Adagrad(lr_decay=0.1, initial_accumulator_value=0.5, weight_decay=0.1),
    Adadelta(rho=0.5, eps=0.1, weight_decay=0.1),
    NAdam(betas=(0.5, 0.9), momentum_decay=0.1, weight_decay=0.1),
    RAdam(betas=(0.9, 0.7), weight_decay=0.1),
    RAdam(betas=(0.5, 0.5)),
    Lion(betas=(0.5, 0.75), weight_decay=0.1),
    LAMB(betas=(0.5, 0.9), eps=0.1, weight_decay=0.1),
]


def test_every_row_has_a_class_and_a_formula():
    assert list(CLASSES) == list(RULES) == OPTIMIZERS.names
    for name, cls in CLASSES.items():
        assert OPTIMIZERS[name].moments == cls.moments
        assert cls.__name__ in optimizers.__all__


def descent(backend: Backend, optimizer: Optimizer, dtype: np.dtype) -> np.ndarray:
    """Return w (N,) after all steps."""
    updates = UpdateRule(optimizer).numbers(0, N_STEPS, RATE)
    w, settings = START.astype(dtype), make_recipe(optimizer.name).settings
    moments = np.zeros((len(optimizer.moments), N), dtype)
    for update, gradient in zip(updates, GRADIENTS, strict=True):
        backend.optimizer_update(
            settings, update, w, gradient.astype(dtype), moments, *ALL_WEIGHTS, 1.0
        )
    return w


@pytest.mark.parametrize("optimizer", OBJECTS, ids=repr)
def test_steps_are_the_formulas(backend: Backend, dtype, optimizer):
    w = START.copy()
    decay = 0 if optimizer.has_trust_ratio else optimizer.weight_decay
    for step in RULES[optimizer.name](optimizer):
        w = w * (1 - RATE * decay) - step
    # Steps near a gradient of 0 depend on the quotient of two small numbers: ε is what bounds them.
    np.testing.assert_allclose(descent(backend, optimizer, dtype), w, rtol=0, atol=800 * eps(dtype))


@pytest.mark.parametrize("optimizer", OBJECTS, ids=repr)
def test_numbers_do_not_depend_on_the_calls(optimizer):
    rule = UpdateRule(optimizer, 0.3, 0.55)
    together = rule.numbers(1000, 100, RATE)
    apart = [rule.numbers(1000 + first, n, RATE) for first, n in [(0, 1), (1, 29), (30, 70)]]
    assert together.tobytes() == np.concatenate(apart).tobytes()
    assert all(np.isfinite(together[name]).all() for name in together.dtype.names)


@pytest.mark.parametrize("beta", [0.0, 0.9, 0.9999])
def test_products_of_nadams_momenta(beta):
    o = NAdam(betas=(beta, 0.999), momentum_decay=0.01)
    steps = np.arange(1, 5001)
    products = np.cumprod(beta * (1 - 0.5 * 0.96 ** (steps * 0.01)))
    found = [o._product(int(t)) for t in (4000, 1, 1024, 1025, 5000)]
    np.testing.assert_allclose(found, products[[3999, 0, 1023, 1024, 4999]], rtol=1e-9, atol=1e-20)


@pytest.mark.parametrize("optimizer", OBJECTS, ids=repr)
def test_objects_are_values(optimizer):
    assert eval(repr(optimizer), vars(optimizers)) == optimizer
    assert pickle.loads(pickle.dumps(optimizer)) == optimizer
    assert hash(optimizer) == hash(pickle.loads(pickle.dumps(optimizer)))
    model = clone(MLPClassifier(solver=optimizer))
    assert model.solver == optimizer
    assert model.solver is not None
    with pytest.raises(AttributeError):
        optimizer.weight_decay = 1.0  # type: ignore[misc]


X = np.random.default_rng(0).normal(size=(60, 4))
Y = X[:, 0] - X[:, 1] ** 2


def fitted(solver, **parameters):
    model = MLPRegressor(
        hidden_layer_sizes=(6,), solver=solver, max_iter=3, random_state=0, dtype="float64"
    )
    with pytest.warns(UserWarning, match="not converged"):
        return model.set_params(**parameters).fit(X, Y)


@pytest.mark.parametrize("name", OPTIMIZERS.names)
def test_a_name_stands_for_the_object(name):
    by_name = fitted(name, momentum=0.7, nesterovs_momentum=False, beta_1=0.8, epsilon=1e-4)
    options = {"momentum": 0.7, "nesterov": False, "betas": (0.8, 0.999), "eps": 1e-4}
    cls = CLASSES[name]
    optimizer = cls(**{k: v for k, v in options.items() if k in cls.of_estimators})
    for ours, theirs in zip(by_name.coefs_, fitted(optimizer).coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    # A fit's steps are those of the object: with other options it would be elsewhere.
    other = fitted(SGD(momentum=0.31, nesterov=True))
    assert not np.array_equal(by_name.coefs_[0], other.coefs_[0])


@pytest.mark.parametrize("name", OPTIMIZERS.names)
def test_every_optimizer_learns(name):
    rate = {"adadelta": 1.0, "adagrad": 0.1}.get(name, 0.01)
    model = MLPRegressor(
        hidden_layer_sizes=(20,), solver=name, learning_rate_init=rate, max_iter=150, random_state=0
    )
    model.set_params(tol=0, n_iter_no_change=np.inf, batch_size=20)
    with pytest.warns(UserWarning, match="not converged"):
        model.fit(X, Y)
    assert model.loss_ < 0.25 * model.loss_curve_[0]


def test_memory_goes_on_only_where_it_means_the_same():
    model = MLPRegressor(hidden_layer_sizes=(6,), solver="adam", random_state=0, dtype="float64")
    for solver, n_steps in [("adam", 1), (AdamW(), 2), ("adadelta", 1), ("radam", 1), (NAdam(), 2)]:
        model.set_params(solver=solver).partial_fit(X[:20], Y[:20])
        assert model._published.network.step == n_steps, solver


@pytest.mark.parametrize("solver", [RAdam(), NAdam(), Adagrad(lr_decay=0.5), Lion()], ids=repr)
def test_a_stream_of_single_rows_follows_the_object(solver, monkeypatch):
    def teach(model, between=lambda model: model):
        for i in range(9):
            model = between(model).partial_fit(X[i : i + 1], Y[i : i + 1])
        return model.coefs_[0]

    model = MLPRegressor(hidden_layer_sizes=(6,), solver=solver, random_state=0)
    rows = teach(clone(model))
    np.testing.assert_array_equal(
        rows, teach(clone(model), lambda model: pickle.loads(pickle.dumps(model)))
    )
    monkeypatch.setattr(Stream, "after", lambda *_: None)  # each by the long way
    np.testing.assert_array_equal(rows, teach(clone(model)))


def in_torch(torch, o: Optimizer):
    """Return PyTorch's class and options for an object."""
    options = vars(o).copy()
    if o.name in ("sgd", "adagrad", "adadelta", "rmsprop"):
        options.pop("weight_decay")
    elif o.name in ("nadam", "radam"):
        options["decoupled_weight_decay"] = True
    if o.name == "adam":
        options.pop("weight_decay")
    return getattr(torch.optim, type(o).__name__), options


#: PyTorch has neither Lion nor LAMB, and its Adam adds ε to √v after the correction: alike where
#: ε is small.
IN_TORCH = [
    o
    for o in OBJECTS
    if o.name not in ("lion", "lamb")
    and (o.name not in ("adam", "adamw") or getattr(o, "eps", 1) < 1e-6)
]


@pytest.mark.parametrize("optimizer", IN_TORCH, ids=repr)
def test_steps_are_pytorchs(backend: Backend, optimizer):
    torch = pytest.importorskip("torch")  # the formulas above are always there

    cls, options = in_torch(torch, optimizer)
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    theirs = cls([w], lr=RATE, **options)
    decays = "weight_decay" in options
    for g in GRADIENTS:
        w.grad = torch.tensor(g)
        if not decays:
            w.data *= 1 - RATE * optimizer.weight_decay
        theirs.step()
    # PyTorch's NAdam keeps its product of momenta in float32.
    atol = {"adam": 1e-5, "adamw": 1e-5, "nadam": 1e-6}.get(optimizer.name, 1e-12)
    found = descent(backend, optimizer, np.dtype(np.float64))
    np.testing.assert_allclose(found, w.detach().numpy(), rtol=0, atol=atol)


#: ``optax.lamb(0.05)`` of Optax 0.2.8 after five steps in float64: weights (3, 4), which alone
#: decay, and biases (4,) that begin at 0.
IN_OPTAX = [
    (
        LAMB(),
        """
        0.945752167591 0.993692429425 -0.00423051102844 -0.86360090275
        -1.04731396017 -0.132914624029 0.766550102674 1.08101543713
        0.308484086451 -0.656747049611 -1.09446525793 -0.571698486017
        0.0560103795696 0.0524647297663 0.0463696750053 -0.0569944633174
        """,
    ),
    (
        LAMB(betas=(0.5, 0.9), eps=0.1, weight_decay=0.1),
        """
        0.869804456346 0.93611718412 0.11961207615 -0.787871292371
        -0.983956874652 -0.264296798839 0.691048948111 1.01315325148
        0.410092424412 -0.58101528477 -1.02322594744 -0.563362605298
        0.0440708283991 0.0452150296021 0.0361890368587 -0.0432171036569
        """,
    ),
]


@pytest.mark.parametrize(("optimizer", "expected"), IN_OPTAX, ids=["default", "decay"])
def test_lamb_is_that_of_optax_slot_by_slot(backend: Backend, optimizer, expected):
    k = np.arange(16.0)
    w, moments = np.where(k < 12, np.sin(k + 1), 0), np.zeros((2, 16))
    updates, slots = UpdateRule(optimizer).numbers(0, 5, RATE), prefix_slots(12, 16)
    settings = make_recipe("lamb").settings
    for t, update in enumerate(updates, 1):
        gradient = np.cos(3 * t + k)
        backend.optimizer_update(
            settings, update, w, gradient, moments, slots, default_groups(), 1.0
        )
    np.testing.assert_allclose(w, np.array(expected.split(), float), rtol=1e-10, atol=1e-12)


def test_a_slot_without_norm_gets_a_plain_step(backend: Backend, dtype):
    """Where w = 0 the ratio is 1, so |step| = lr · 1/(1 + ε); where u = 0 nothing moves."""
    update, settings = UpdateRule(LAMB(eps=1.0)).numbers(0, 1, 0.5)[0], make_recipe("lamb").settings
    w, gradient = np.array([0, 0, 3, 4], dtype), np.array([2, -2, 0, 0], dtype)
    slots, moments = prefix_slots(2, 4), np.zeros((2, 4), dtype)
    backend.optimizer_update(settings, update, w, gradient, moments, slots, default_groups(), 1.0)
    # m̂ = g and v̂ = g², so u = ±2/(2 + 1).
    np.testing.assert_allclose(w, [-1 / 3, 1 / 3, 3, 4], rtol=8 * eps(dtype))

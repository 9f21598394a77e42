"""Facts 1 to 3: gates by hand, the perceptron and its line, and why XOR needs a hidden layer."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from fastmlp import McCullochPittsNeuron, MLPClassifier, RosenblattPerceptron
from fastmlp.backends import BACKENDS

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR = np.array([0, 1, 1, 0])

every_backend = pytest.mark.parametrize("backend", BACKENDS)


def separable(n_rows: int, n_features: int, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Return X (N, I), labels (N,), and by how much a plane parts the rows (x, 1)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    normal = rng.normal(size=n_features + 1)
    normal /= np.linalg.norm(normal)
    distances = X @ normal[:-1] + normal[-1]
    keep = np.abs(distances) > 0.1
    return X[keep], (distances[keep] > 0).astype(int), np.abs(distances[keep]).min()


@pytest.mark.parametrize("n_inputs", [1, 2, 3, 6])
def test_fact_01_gates_by_hand_set_weights_and_threshold(n_inputs):
    rows = np.array(list(product([0, 1], repeat=n_inputs)))
    every, any_of_them = rows.all(axis=1), rows.any(axis=1)
    for gate, expected in (
        (McCullochPittsNeuron.and_gate, every),
        (McCullochPittsNeuron.or_gate, any_of_them),
        (McCullochPittsNeuron.nand_gate, ~every),
        (McCullochPittsNeuron.nor_gate, ~any_of_them),
    ):
        np.testing.assert_array_equal(gate(n_inputs).predict(rows), expected)
    inverter = McCullochPittsNeuron.not_gate()
    np.testing.assert_array_equal(inverter.predict([[0], [1]]), [1, 0])


def test_fact_01_a_sum_equal_to_the_threshold_fires():
    neuron = McCullochPittsNeuron(weights=[0.5, -0.25], threshold=0.75)
    np.testing.assert_array_equal(neuron.predict([[1, -1], [1, 0], [2, 1], [0, -4]]), [1, 0, 1, 1])


@every_backend
@pytest.mark.parametrize("n_features", [1, 2, 5, 20])
def test_fact_02_the_perceptron_converges_on_separable_data(backend, n_features):
    for seed in range(5):
        X, y, margin = separable(200, n_features, seed)
        model = RosenblattPerceptron(random_state=seed, backend=backend).fit(X, y)
        assert model.converged_
        assert model.score(X, y) == 1
        assert model.mistakes_curve_[-1] == 0 < min(model.mistakes_curve_[:-1])
        # Novikoff's bound on the mistakes, for rows (x, 1).
        radius = np.sqrt((X**2).sum(axis=1).max() + 1)
        assert sum(model.mistakes_curve_) <= (radius / margin) ** 2


@every_backend
def test_fact_02_its_boundary_is_the_line(backend):
    X, y, _ = separable(200, 2, seed=3)
    model = RosenblattPerceptron(random_state=0, backend=backend).fit(X, y)
    (w0, w1), b = model.coef_[0], model.intercept_[0]
    line = model.decision_line()
    assert line == (-w0 / w1, -b / w1)
    x0 = np.linspace(-3, 3, 7)
    on_the_line = np.column_stack([x0, line.slope * x0 + line.intercept])
    np.testing.assert_allclose(model.decision_function(on_the_line), 0, atol=1e-12)
    # Above it lies one class, below it the other.
    above = on_the_line + np.array([0, 1e-6])
    np.testing.assert_array_equal(model.predict(above), int(w1 > 0))
    np.testing.assert_array_equal(model.predict(on_the_line - np.array([0, 1e-6])), int(w1 < 0))


@every_backend
def test_fact_02_a_separable_pair_of_irises(backend):
    X, y = load_iris(return_X_y=True)
    keep = y < 2
    model = RosenblattPerceptron(random_state=0, backend=backend).fit(X[keep], y[keep])
    assert model.converged_
    assert model.score(X[keep], y[keep]) == 1


def test_fact_03_no_neuron_gets_more_than_three_points_of_xor_right():
    """Every way in which a line can part the four points occurs among these."""
    scores = [
        McCullochPittsNeuron([w0, w1], threshold).score(INPUTS, XOR)
        for w0, w1, threshold in product(np.arange(-3, 4), np.arange(-3, 4), np.arange(-7, 8) / 2)
    ]
    assert max(scores) == 3 / 4


@every_backend
def test_fact_03_the_perceptron_never_settles_on_xor(backend):
    for seed in range(10):
        model = RosenblattPerceptron(max_iter=50, random_state=seed, backend=backend)
        with pytest.warns(ConvergenceWarning, match="not linearly separable"):
            model.fit(INPUTS, XOR)
        assert not model.converged_
        assert model.n_iter_ == 50
        assert min(model.mistakes_curve_) >= 1
        assert model.score(INPUTS, XOR) <= 3 / 4


@every_backend
def test_fact_03_one_hidden_layer_solves_xor(backend):
    model = MLPClassifier((4,), "tanh", solver="lbfgs", random_state=0, backend=backend)
    assert model.fit(INPUTS, XOR).score(INPUTS, XOR) == 1


def test_fact_03_three_gates_solve_xor():
    """A hidden layer by hand: (x₀ or x₁) and not (x₀ and x₁)."""
    hidden = [McCullochPittsNeuron.or_gate(), McCullochPittsNeuron.nand_gate()]
    outputs = np.column_stack([gate.predict(INPUTS) for gate in hidden])
    np.testing.assert_array_equal(McCullochPittsNeuron.and_gate().predict(outputs), XOR)

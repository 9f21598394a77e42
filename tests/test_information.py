"""Information in nats: identities, zeros, shapes, hand values."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy

from fastmlp import information
from fastmlp.information import cross_entropy, entropy, kl_divergence, self_information


@pytest.fixture
def distributions() -> tuple[np.ndarray, np.ndarray]:
    """Return random p and q, (3, 20, 6) each; every second p has zeros."""
    p, q = np.random.default_rng(0).dirichlet(np.full(6, 0.7), size=(2, 3, 20))
    p[:, ::2, 1:3] = 0
    return p / p.sum(axis=-1, keepdims=True), q


def test_cross_entropy_is_entropy_plus_divergence(distributions):
    p, q = distributions
    np.testing.assert_allclose(cross_entropy(p, q), entropy(p) + kl_divergence(p, q), rtol=1e-12)


def test_over_the_last_axis_as_scipy(distributions):
    p, q = distributions
    np.testing.assert_allclose(entropy(p), scipy_entropy(p, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(kl_divergence(p, q), scipy_entropy(p, q, axis=-1), rtol=1e-12)
    assert entropy(p).shape == cross_entropy(p, q).shape == (3, 20)


def test_entropy_is_the_mean_self_information(distributions):
    _, q = distributions
    np.testing.assert_allclose(entropy(q), (q * self_information(q)).sum(axis=-1), rtol=1e-12)


def test_divergence_is_positive_and_zero_for_equals(distributions):
    p, q = distributions
    assert np.all(kl_divergence(p, q) > 0)
    np.testing.assert_array_equal(kl_divergence(p, p), 0)
    np.testing.assert_allclose(cross_entropy(p, p), entropy(p), rtol=1e-12)


def test_arguments_broadcast():
    uniform = np.full(4, 0.25)
    points = np.eye(4)
    np.testing.assert_allclose(cross_entropy(points, uniform), np.full(4, np.log(4)))


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (self_information(1), 0),
        (self_information(0), np.inf),
        (self_information(1 / 8), 3 * np.log(2)),
        (self_information(1e-300), 300 * np.log(10)),
        (entropy([1, 0, 0]), 0),
        (entropy([0.5, 0.25, 0.25]), 1.5 * np.log(2)),
        (entropy(np.full(10, 0.1)), np.log(10)),
        (cross_entropy([0, 1], [1, 0]), np.inf),
        (cross_entropy([0, 1], [0, 1]), 0),
        (cross_entropy([0.5, 0.5], [0.25, 0.75]), np.log(4) - np.log(3) / 2),
        (kl_divergence([1, 0], [0, 1]), np.inf),
        (kl_divergence([1, 0], [0.5, 0.5]), np.log(2)),
    ],
)
def test_by_hand(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-14)
    assert actual.shape == ()


def test_a_certain_event_has_a_positive_zero():
    assert not np.signbit(self_information(1.0))


def test_nan_stays_nan():
    nan = [np.nan, 0.5]
    for value in (entropy(nan), cross_entropy(nan, [0.5, 0.5]), kl_divergence([0.5, 0.5], nan)):
        assert np.isnan(value)
    np.testing.assert_array_equal(np.isnan(self_information(nan)), [True, False])


def test_the_examples_run():
    outcome = doctest.testmod(information)
    assert outcome.attempted >= 4
    assert outcome.failed == 0

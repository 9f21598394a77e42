"""Information in nats: identities, zeros, shapes, hand values."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from scipy.stats import entropy as scipy_entropy

from fastmlp import (
    cross_entropy,
    entropy,
    kl_divergence,
    log_softmax,
    self_information,
    softmax,
)


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


AXES = [0, 1, 2, -1, -3, (0, 1), (2, 0), (1, 0, 2), None]


@pytest.mark.parametrize("axis", AXES)
def test_softmax_along_any_axis_as_scipy(axis):
    z = np.random.default_rng(0).normal(scale=9, size=(3, 4, 5))
    np.testing.assert_allclose(softmax(z, axis), scipy.special.softmax(z, axis), rtol=1e-14)
    # SciPy rounds 1 + u before it takes the logarithm: exact to an eps of 1, no more.
    expected = scipy.special.log_softmax(z, axis)
    np.testing.assert_allclose(log_softmax(z, axis), expected, rtol=1e-13, atol=4e-16)


@pytest.mark.parametrize("axis", AXES)
def test_sums_along_any_axis_as_scipy(axis):
    p, q = np.random.default_rng(0).uniform(size=(2, 3, 4, 5))
    expected = scipy.special.entr(p).sum(axis)
    np.testing.assert_allclose(entropy(p, axis=axis), expected, rtol=1e-13)
    divergence = scipy.special.rel_entr(p, q).sum(axis)
    np.testing.assert_allclose(kl_divergence(p, q, axis=axis), divergence, rtol=1e-12)
    np.testing.assert_allclose(cross_entropy(p, q, axis), expected + divergence, rtol=1e-12)


def test_strided_and_read_only_arrays(distributions):
    p, q = (array.transpose(2, 0, 1)[:, ::-1, ::2] for array in distributions)
    p.flags.writeable = False
    assert not p.flags.c_contiguous
    expected = scipy.special.rel_entr(p, q).sum(axis=0)
    np.testing.assert_allclose(kl_divergence(p, q, axis=0), expected, rtol=1e-12)
    np.testing.assert_allclose(self_information(q), -np.log(q), rtol=1e-14)


def values(dtype):
    """Return every function's value for arguments of this type."""
    p = np.array([[0, 1], [1, 0]]).astype(dtype)
    one = [f(p) for f in (self_information, entropy, softmax, log_softmax)]
    return [*one, cross_entropy(p, p), kl_divergence(p, p)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("f4", "f4"),
        ("f8", "f8"),
        (">f4", "f4"),
        ("f2", "f8"),
        ("i1", "f8"),
        ("?", "f8"),
        ("O", "f8"),
    ],
)
def test_real_types(given, expected):
    assert {value.dtype for value in values(given)} == {np.dtype(expected)}


def test_mixed_real_types_take_the_wider():
    p = np.array([0.5, 0.5])
    assert cross_entropy(p.astype(np.float32), p).dtype == np.float64
    assert kl_divergence(p, p.astype(np.float32)).dtype == np.float64


def test_nothing():
    assert entropy([]) == cross_entropy([], []) == kl_divergence([], []) == 0
    assert softmax([]).shape == log_softmax([]).shape == self_information([]).shape == (0,)
    assert entropy(np.zeros((0, 3))).shape == (0,)
    np.testing.assert_array_equal(entropy(np.zeros((3, 0))), np.zeros(3))
    assert softmax(np.zeros((2, 0, 3)), axis=0).shape == (2, 0, 3)


def test_softmax_of_extremes():
    np.testing.assert_array_equal(softmax([1e4, -1e4]), [1, 0])
    np.testing.assert_array_equal(log_softmax([1e4, -1e4]), [0, -2e4])
    np.testing.assert_allclose(softmax([-1e4] * 4), 0.25)
    assert log_softmax(np.array([0, -60.0]))[0] == -np.exp(-60.0)


def test_rounding_above_one_is_no_mistake():
    assert self_information(np.nextafter(np.float32(1), np.float32(2))) < 0
    assert entropy([1 + 1e-15]) == pytest.approx(-1e-15, rel=0.2)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: self_information([0.5, -0.1]), ValueError, "p must not be negative; got -0.1"),
        (lambda: entropy([np.nan, -1e-300]), ValueError, "p must not be negative; got -1e-300"),
        (lambda: cross_entropy([1.0], [-0.5]), ValueError, "q must not be negative; got -0.5"),
        (lambda: entropy([3, 5]), ValueError, "p must hold probabilities, at most 1; got 5"),
        (lambda: kl_divergence([1.0], [np.inf]), ValueError, "q must hold .* got inf"),
        (lambda: entropy([0.5j]), TypeError, "p must hold real numbers; got dtype complex128"),
        (lambda: softmax(["a"]), TypeError, "z must hold real numbers"),
        (lambda: softmax([None, "a"]), (TypeError, ValueError), "z"),
        (
            lambda: entropy([[0.1], [0.2, 0.3]]),
            ValueError,
            "p must be .* rows have the same length",
        ),
        (lambda: cross_entropy([1, 0], [1, 0, 0]), ValueError, r"shapes \(2,\) and \(3,\)"),
        (lambda: entropy(0.5), ValueError, "axis -1 is out of bounds for an array of 0 dim"),
        (lambda: softmax([1.0], axis=1), ValueError, "axis 1 is out of bounds"),
        (lambda: softmax([[1.0]], axis=(0, -2)), ValueError, "axis names a dimension twice"),
        (lambda: softmax([1.0], axis=0.0), TypeError, "axis must be an integer"),
        (lambda: softmax([1.0], axis="0"), TypeError, "axis must be an integer"),
        (lambda: softmax([1.0], axis=np.timedelta64(0, "s")), TypeError, "axis must be an integer"),
        (lambda: softmax([1.0], axis=10**5000), ValueError, r"axis int\(…\) is out of bounds"),
    ],
)
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()

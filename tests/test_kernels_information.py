"""Every measure of information in the registry: sizes, zeros, NaN, and its error in ulp.

``BOUNDS`` is what we promise, in ulp of the true value; for the divergence, whose terms have both
signs, of the sum of their magnitudes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from helpers import SIZES, offset_array, size_pairs
from helpers_accuracy import (
    DIGITS,
    Rows,
    Truth,
    evaluate,
    logit_rows,
    magnitudes,
    shifted_rows,
    ulp_distance,
)
from helpers_looped import looped
from helpers_tolerances import MEASURE, assert_within, eps, tiny
from scipy.special import entr, log_softmax, rel_entr, softmax

from fastmlp.backends.protocol import Backend
from fastmlp.registry import MEASURES, Measure

#: The largest errors found at these points, over v2, v3, v4 and Numba, stand beside.
BOUNDS = {
    "self_information": {np.float32: 2.5, np.float64: 2.5},  # 2.29, 1.96
    "entropy": {np.float32: 2.5, np.float64: 2.5},  #          2.21, 1.81
    "cross_entropy": {np.float32: 3.25, np.float64: 3.25},  #  2.92, 2.76
    "kl_divergence": {np.float32: 4, np.float64: 4},  #        3.47, 3.16
    "log_softmax": {np.float32: 4, np.float64: 3},  #          3.54, 2.32
}
#: Shorter and longer than any vector register.
ROW_LENGTHS = (5, 37)

every_measure = pytest.mark.parametrize("measure", MEASURES, ids=MEASURES.names)


def run(backend: Backend, measure: Measure, p: np.ndarray, q: np.ndarray | None) -> np.ndarray:
    shape = p.shape if measure.per_outcome else p.shape[:1]
    out = offset_array(np.full(shape, np.nan, p.dtype))
    backend.measure_information(measure.code, p, q if measure.two else None, out)
    return out


def by_scipy(name: str, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the measure of rows p and q (B, K), float64."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "self_information": lambda: -np.log(p),
            "entropy": lambda: entr(p).sum(axis=1),
            "cross_entropy": lambda: (entr(p) + rel_entr(p, q)).sum(axis=1),
            "kl_divergence": lambda: rel_entr(p, q).sum(axis=1),
            "softmax": lambda: softmax(p, axis=1),
            "log_softmax": lambda: log_softmax(p, axis=1),
        }[name]()


def draw(measure: Measure, shape: tuple[int, int], dtype: np.dtype) -> tuple[np.ndarray, ...]:
    """Return rows p and q; some outcomes of distributions have probability 0 in p, or in both."""
    rng = np.random.default_rng(0)
    if measure.of_logits:
        return rng.normal(scale=5, size=shape).astype(dtype), np.empty(0, dtype)
    p, q = rng.dirichlet(np.full(shape[1], 0.5), size=(2, shape[0]))
    p[rng.random(shape) < 0.2] = 0
    q[(p == 0) & (rng.random(shape) < 0.5)] = 0
    return offset_array(p.astype(dtype)), offset_array(q.astype(dtype))


@every_measure
@looped("shape", [*size_pairs(), (3, 1030)])
def test_awkward_sizes(backend: Backend, dtype, measure, shape):
    p, q = draw(measure, shape, dtype)
    actual = run(backend, measure, p, q)
    expected = by_scipy(measure.name, p.astype(np.float64), q.astype(np.float64))
    # The reference adds up rows in plain NumPy: its error grows with their logarithm.
    size = np.where(np.isfinite(expected), np.abs(expected), 0) + np.abs(p).max()
    assert_within(actual, expected, MEASURE[measure.name] * eps(dtype) * size + tiny(dtype))


@every_measure
@looped("place", [0, 4, 16])
def test_nan_stays_nan(backend: Backend, dtype, measure, place):
    for spoilt in range(1 + measure.two):
        pair = [np.full((3, 17), 1 / 17, dtype) for _ in range(2)]
        pair[0][1, place] = 0  # NaN in q counts though p is 0 there
        pair[spoilt][1, place] = np.nan
        nan = np.isnan(run(backend, measure, *pair))
        expected = np.zeros(nan.shape, bool)
        expected[(1, place) if measure.name == "self_information" else 1] = True
        np.testing.assert_array_equal(nan, expected)


@looped("length", SIZES)
def test_impossible_outcomes(backend: Backend, dtype, length):
    certain, other = np.zeros((1, length + 1), dtype), np.zeros((1, length + 1), dtype)
    certain[0, 0], other[0, length] = 1, 1
    values = {m.name: run(backend, m, certain, other) for m in MEASURES if not m.of_logits}
    assert values["entropy"] == 0
    assert values["cross_entropy"] == values["kl_divergence"] == np.inf
    np.testing.assert_array_equal(values["self_information"], [[0, *[np.inf] * length]])
    if backend.name != "numba":  # compiled with `nsz`, which gives the sign of 0 up
        assert not np.signbit([values["entropy"][0], values["self_information"][0, 0]]).any()
    itself = [
        run(backend, MEASURES[m], certain, certain) for m in ("cross_entropy", "kl_divergence")
    ]
    np.testing.assert_array_equal(itself, 0)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_infinite_logits(backend: Backend, dtype, name):
    z = np.array([[-np.inf, 0, 0], [1e4, -1e4, 1e4], [-np.inf] * 3], dtype)
    expected = by_scipy(name, z.astype(np.float64), z)
    np.testing.assert_allclose(run(backend, MEASURES[name], z, None), expected, rtol=2 * eps(dtype))
    assert np.isnan(run(backend, MEASURES[name], np.array([[np.inf, 0, 0]], dtype), None)).all()


def test_the_largest_of_logits_far_apart_keeps_its_digits(backend: Backend):
    """Log(1 + u) is u, not 0, where 1 + u rounds to 1; z - log(sum exp z) would say 0."""
    actual = run(backend, MEASURES["log_softmax"], np.array([[0.0, -40.0, -50.0]]), None)
    np.testing.assert_allclose(actual[0, 0], -(np.exp(-40.0) + np.exp(-50.0)), rtol=1e-15)


@pytest.mark.parametrize("n", [2**20, 2**20 + 5])
def test_long_sums_keep_their_digits(backend: Backend, n):
    if backend.name == "numpy":
        n //= 1024  # the specification adds as NumPy does
    p = np.full((1, n), 1 / 3, np.float32)
    actual = run(backend, MEASURES["entropy"], p, None)
    expected = n * entr(np.float64(p[0, 0]))
    np.testing.assert_allclose(actual, expected, rtol=3 * eps(np.float32))


# -- ulp ------------------------------------------------------------------------------------------


@cache
def probabilities(dtype: np.dtype) -> np.ndarray:
    """Return numbers (n,) in (0, 1]: of every size, evenly spread, and close to 1."""
    line = magnitudes(dtype)
    below_one = 1 - np.arange(400, dtype=dtype) * dtype.type(eps(dtype) / 2)
    even = np.random.default_rng(0).uniform(0.25, 1, len(line) // 4).astype(dtype)
    near = (1 - np.geomspace(eps(dtype), 0.1, 400)).astype(dtype)
    return np.concatenate([line[line <= 1], below_one, even, near])


@cache
def distributions(dtype: np.dtype, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows p and q (n, length): even and uneven ones, q unlike p, like it, very like it."""
    rng = np.random.default_rng(1)
    n = {4: 6000, 8: 150}[dtype.itemsize]
    p, q = (
        np.concatenate([rng.dirichlet(np.full(length, a), size=n) for a in (0.05, 1, 100)])
        for _ in range(2)
    )
    for distance in (0.1, 1e-3, 1e-6):
        p = np.concatenate([p, p[:n]])
        q = np.concatenate([q, p[:n] * (1 + distance * rng.normal(size=(n, length)).clip(-3, 3))])
    smallest = np.finfo(dtype).smallest_subnormal
    return p.astype(dtype), np.maximum(q, smallest).astype(dtype)


def log(x: Any) -> Any:
    return np.log(x) if isinstance(x, np.ndarray) else mpmath.log(x)


@cache
def truth_of_distributions(name: str, dtype: np.dtype, length: int) -> tuple[Truth, np.ndarray]:
    """Return what ``truth_of_rows`` does for the rows of ``distributions``."""
    return truth_of_rows(name, *distributions(dtype, length))


def truth_of_rows(name: str, p: np.ndarray, q: np.ndarray) -> tuple[Truth, np.ndarray]:
    """Return the true sums (n,) and the sums of the terms' magnitudes (n,)."""

    def term(p: Any, q: Any) -> Any:
        other = {"entropy": 1 / p, "cross_entropy": 1 / q, "kl_divergence": p / q}[name]
        return p * log(other)

    keep = p > 0
    terms = evaluate(
        term, np.where(keep, p, 1).astype(p.dtype), np.where(keep, q, 1).astype(p.dtype)
    )
    high, low = np.where(keep, terms.high, 0), np.where(keep, terms.low, 0)
    if p.dtype == np.float32:
        return Truth(high.sum(axis=1), np.zeros(len(p))), np.abs(high).sum(axis=1)
    with mpmath.workdps(DIGITS):
        sums = [
            mpmath.fsum([*map(mpmath.mpf, large), *map(mpmath.mpf, small)])
            for large, small in zip(high.tolist(), low.tolist(), strict=True)
        ]
        rounded = [float(value) for value in sums]
        rest = [float(value - part) for value, part in zip(sums, rounded, strict=True)]
    return Truth(np.array(rounded), np.array(rest)), np.abs(high).sum(axis=1)


@cache
def true_log_softmax(rows_of: Rows, dtype: np.dtype, length: int) -> Truth:
    """Return (n, length), the largest logit's logarithm with all digits: −log1p of the others."""
    rows = rows_of(dtype, length)
    first = rows.argmax(axis=1)
    if dtype == np.float32:
        shifts = rows - rows.max(axis=1, keepdims=True).astype(np.float64)
        others = np.exp(shifts)
        others[np.arange(len(rows)), first] = 0
        high = shifts - np.log1p(others.sum(axis=1, keepdims=True))
        return Truth(high, np.zeros_like(high))
    with mpmath.workdps(DIGITS):
        exact = []
        for row, largest in zip(rows.tolist(), first, strict=True):
            shifts = [mpmath.mpf(z) - row[largest] for z in row]
            others = (mpmath.exp(s) for j, s in enumerate(shifts) if j != largest)
            log_sum = mpmath.log1p(mpmath.fsum(others))
            exact += [s - log_sum for s in shifts]
        high = np.array([float(value) for value in exact])
        low = np.array([float(value - part) for value, part in zip(exact, high, strict=True)])
    return Truth(high.reshape(rows.shape), low.reshape(rows.shape))


def test_every_measure_has_a_bound():
    # Softmax is the link of the cross-entropy, whose error test_accuracy.py states.
    assert sorted([*BOUNDS, "softmax"]) == sorted(MEASURES.names)


@cache
def true_logarithm(dtype: np.dtype) -> Truth:
    """Return the logarithms (n,) of ``probabilities``."""
    return evaluate(log, probabilities(dtype))


def test_error_of_self_information(threaded_backend: Backend, dtype):
    p = probabilities(dtype)
    actual = run(threaded_backend, MEASURES["self_information"], p[np.newaxis], None)[0]
    distance = ulp_distance(actual, -true_logarithm(dtype))
    assert distance.max() <= BOUNDS["self_information"][dtype.type]


@pytest.mark.parametrize("name", ["entropy", "cross_entropy", "kl_divergence"])
@pytest.mark.parametrize("length", ROW_LENGTHS)
def test_error_of_sums(threaded_backend: Backend, dtype, name, length):
    p, q = distributions(dtype, length)
    truth, magnitude = truth_of_distributions(name, dtype, length)
    distance = ulp_distance(run(threaded_backend, MEASURES[name], p, q), truth, magnitude)
    assert distance.max() <= BOUNDS[name][dtype.type]


@cache
def pairs_with_truth(dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, Truth, np.ndarray]:
    """Return p and q (n, 1), alike and unlike, their true divergence and its magnitude (n,)."""
    p = np.resize(probabilities(dtype)[::7], 5000)
    p = p[p > np.finfo(dtype).tiny / eps(dtype)]
    factors = np.random.default_rng(2).choice(
        [1 + 4 * eps(dtype), 1.4, 1.5, 1.9, 2.2, 3, 40], len(p)
    )
    q = np.minimum(p * factors, 1).astype(dtype)
    p, q = p[:, np.newaxis], q[:, np.newaxis]
    return p, q, *truth_of_rows("kl_divergence", p, q)


def test_error_of_one_term_of_the_divergence(threaded_backend: Backend, dtype):
    """Small numbers too: log p - log q would lose digits where p and q are alike."""
    p, q, truth, magnitude = pairs_with_truth(dtype)
    actual = run(threaded_backend, MEASURES["kl_divergence"], p, q)
    assert ulp_distance(actual, truth, magnitude).max() <= BOUNDS["kl_divergence"][dtype.type]


@pytest.mark.parametrize("rows_of", [logit_rows, shifted_rows])
@pytest.mark.parametrize("length", ROW_LENGTHS)
def test_error_of_log_softmax(threaded_backend: Backend, dtype, rows_of: Rows, length):
    rows, truth = rows_of(dtype, length), true_log_softmax(rows_of, dtype, length)
    wide = rows.astype(np.float64)
    shifts = wide.max(axis=1, keepdims=True) - wide
    # Rounding z - max z costs half an ulp of it, or as much relative to each other exponential.
    extra = 0 if rows_of is logit_rows else 1 + shifts.max(axis=1, keepdims=True)
    distance = ulp_distance(run(threaded_backend, MEASURES["log_softmax"], rows, None), truth)
    assert np.all(distance <= BOUNDS["log_softmax"][dtype.type] + extra)

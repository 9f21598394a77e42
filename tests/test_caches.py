"""The level-2 cache that products are cut for: who says its size, and that no bit changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from helpers import make_problem
from helpers_process import run_python
from test_determinism import assert_same_bits, everything

from fastmlp.backends import _core
from fastmlp.backends.compiled import CompiledBackend, available_isas

SIZES = {"256K": 256 << 10, "512K": 512 << 10, "1M": 1 << 20, "2M": 2 << 20}

#: Its weights are more than the smallest size, and batches deeper than a block of it.
NETWORK = {"layer_sizes": (30, 260, 420, 5), "batch_size": 560, "n_rows": 600}


@pytest.fixture(autouse=True)
def what_the_machine_says() -> Iterator[None]:
    before = _core.l2_bytes()
    yield
    _core.set_l2_bytes(before)


@pytest.mark.parametrize("isa", available_isas())
def test_no_bit_of_a_network_changes(isa, dtype):
    backend = CompiledBackend(isa, measures_pace=False)
    expected = None
    for n_bytes in SIZES.values():
        _core.set_l2_bytes(n_bytes)
        for n_threads in (1, 2, 3):
            values = everything(backend, make_problem(dtype=dtype, **NETWORK), n_threads)
            expected = expected or values
            assert_same_bits(values, expected)


@pytest.mark.parametrize("isa", available_isas())
def test_no_bit_of_a_lone_product_changes(isa, dtype):
    rng = np.random.default_rng(0)
    shapes = ((530, 700), (700, 310), (310,), (530, 310))
    x, w, b, dz = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    results = {}
    for size, n_bytes in SIZES.items():
        _core.set_l2_bytes(n_bytes)
        out, dx, dw, db = (np.empty_like(array) for array in (dz, x, w, b))
        backend = CompiledBackend(isa)
        backend.dense_forward(x, w, b, out)
        backend.dense_backward_input(dz, w, dx)
        backend.dense_backward_weights(x, dz, dw, db)
        results[size] = [out, dx, dw, db]
    for values in results.values():
        assert_same_bits(values, results["1M"])


@pytest.mark.parametrize("isa", available_isas())
def test_each_size_has_blocks_of_its_own(isa, dtype):
    """Else the tests above would compare one way of blocking with itself."""
    blocks = set()
    for n_bytes in SIZES.values():
        _core.set_l2_bytes(n_bytes)
        rows, depth = CompiledBackend(isa).kernels(np.dtype(dtype)).block_size(10_000, 10_000)
        assert rows * depth * np.dtype(dtype).itemsize <= n_bytes * 3 / 4
        blocks.add((rows, depth))
    assert len(blocks) == len(SIZES)


def test_a_wide_network_takes_more_rows_at_once_where_they_fit(dtype):
    plan = make_problem(dtype=dtype, **NETWORK | {"layer_sizes": (700, 1200, 5)}).plan
    network = CompiledBackend()._network(plan, np.dtype(dtype))
    rows = []
    for n_bytes in SIZES.values():
        _core.set_l2_bytes(n_bytes)
        rows.append(network.rows_at_once(560))
    assert rows == sorted(rows)
    assert rows[0] < rows[-1]


def test_the_variable_takes_the_machines_place():
    code = "import fastmlp; fastmlp.show_config()"
    facts = [line.split("  ") for line in run_python(code, FASTMLP_L2="512K").splitlines()]
    values = {name: value.strip() for name, *_, value in facts}
    assert values["level-2 cache"] == values["FASTMLP_L2"] == "512K"


@pytest.mark.parametrize("size", ["3M", "0", "1m", "lots", "1048576"])
def test_other_sizes_are_refused_by_the_variables_name(monkeypatch, size):
    monkeypatch.setenv("FASTMLP_L2", size)
    expected = f"FASTMLP_L2 must be 256K or 512K or 1M or 2M; got '{size}'"
    with pytest.raises(ValueError, match=expected):
        CompiledBackend()


def test_the_machine_says_one_of_the_sizes():
    _core.set_l2_bytes(0)
    assert _core.l2_bytes() in SIZES.values()

"""What travels between threads: the choice by counted bytes, and the same bits by each way."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import make_problem, objective_and_gradient, train

from fastmlp.backends.compiled import WAYS_OF_EXCHANGE, CompiledBackend, Exchange
from fastmlp.plan.layout import make_plan
from fastmlp.plan.records import make_settings

ACTIVATIONS, GRADIENTS, REPLICAS = WAYS_OF_EXCHANGE


def exchange(layer_sizes, n_rows, n_threads=2, optimizer="adam", dtype=np.float32, **options):
    plan = make_plan(layer_sizes, ["relu"] * (len(layer_sizes) - 2), "squared_error", **options)
    executor = CompiledBackend().bind(plan, make_settings(optimizer), dtype, n_rows, n_threads)
    return executor.exchange(n_rows)


def test_bytes_by_hand():
    """Of 3-5-2, which has 32 parameters, 10 of them in two packed forms; batches of 64 rows."""
    activations, parameters, packed = 64 * (3 + 5 + 5 + 2) * 4, 32 * 4, 42 * 4
    expected = {
        ACTIVATIONS: activations // 4 + packed // 2,
        GRADIENTS: parameters // 2 + packed // 2,
        REPLICAS: parameters,
    }
    assert exchange((3, 5, 2), 64) == Exchange(2, REPLICAS, expected)
    activations, parameters, packed = 2 * activations, 2 * parameters, 2 * packed
    by_four = exchange((3, 5, 2), 64, 4, dtype=np.float64).n_bytes
    assert by_four == {
        ACTIVATIONS: activations * 3 // 16 + packed * 3 // 4,
        GRADIENTS: parameters * 3 // 4 + packed * 3 // 4,
        REPLICAS: parameters * 3,
    }


@pytest.mark.parametrize(
    ("layer_sizes", "n_rows", "optimizer", "n_groups"),
    [
        ((13, 37, 53, 3), 63, "adam", 1),  # too few rows for two groups
        ((13, 37, 53, 3), 96, "adam", 2),
        ((13, 37, 53, 3), 512, "adam", 8),
        ((90, 128, 128, 128, 128, 1), 512, "sgd", 4),  # 243 KB, but activations are far more
        ((90, 128, 128, 128, 128, 1), 64, "sgd", 1),
        ((784, 100, 10), 200, "adam", 1),
        ((512, 1536, 1536, 20), 512, "sgd", 1),
        ((512, 1536, 1536, 20), 100_000, "sgd", 1),  # gradients of groups would be many megabytes
    ],
)
def test_groups_follow_from_shapes(layer_sizes, n_rows, optimizer, n_groups):
    for n_threads in (1, 2, 8):
        assert exchange(layer_sizes, n_rows, n_threads, optimizer).n_groups == n_groups


def test_members_share_their_rows_as_activations():
    assert exchange((13, 37, 53, 3), 512, n_members=4).n_groups == 1


@pytest.mark.parametrize(
    ("layer_sizes", "n_rows", "ways"),
    [
        # 2 groups of a small network: more than two threads share rows and parameters.
        ((13, 37, 53, 3), 96, {1: ACTIVATIONS, 2: REPLICAS, 3: ACTIVATIONS, 8: ACTIVATIONS}),
        # 8 groups: 3 + 3 + 2 are even enough for three threads, 2 + 2 + 1 + 1 + 1 + 1 are not.
        ((13, 37, 53, 3), 512, {2: REPLICAS, 3: REPLICAS, 6: ACTIVATIONS, 8: GRADIENTS}),
        ((7, 9, 3), 512, {2: REPLICAS, 4: REPLICAS, 8: REPLICAS}),
        # 4 groups: of four threads, each would read three gradients for its replica.
        ((90, 128, 128, 128, 1), 512, {1: ACTIVATIONS, 2: REPLICAS, 4: GRADIENTS, 6: ACTIVATIONS}),
        ((784, 100, 10), 200, {2: ACTIVATIONS, 4: ACTIVATIONS}),
    ],
)
def test_ways_of_teams(layer_sizes, n_rows, ways):
    assert {n: exchange(layer_sizes, n_rows, n).way for n in ways} == ways


COMMON = {"optimizer": "adam", "learning_rate": 0.01, "l2": 0.1, "n_epochs": 1, "batch_size": 512}
NETWORKS = {
    "small": {"layer_sizes": (9, 20, 36, 4), "n_rows": 700},
    "deep": {"layer_sizes": (20, 96, 96, 96, 5), "n_rows": 600, "dropouts": (0, 0.2, 0, 0)},
    "bounded": {"layer_sizes": (20, 96, 96, 96, 5), "n_rows": 600, "clip_norm": 0.5, "l1": 0.01},
    "norms": {
        "layer_sizes": (20, 96, 96, 96, 5),
        "n_rows": 600,
        "normalizations": ["batch", "layer", "batch"],
        "weighted": True,
        "max_norm": 0.9,
    },
    "lamb": {"layer_sizes": (9, 20, 36, 4), "n_rows": 700, "optimizer": "lamb", "clip_norm": 0.5},
    "wide layer": {"layer_sizes": (3, 700, 2), "n_rows": 900, "parametric": True},
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_every_way_gives_the_same_bits(compiled_backend, network):
    """Whole batches by all three ways, and a last one with fewer groups."""
    problem = make_problem(**{**COMMON, **network})
    expected, ways = train(compiled_backend, problem), set()
    totals, gradient = objective_and_gradient(compiled_backend, problem)
    for n_threads in range(2, 9):
        settings = problem.recipe.settings
        executor = compiled_backend.bind(problem.plan, settings, np.float32, 512, n_threads)
        ways.add(executor.exchange(512).way)
        trained = train(compiled_backend, problem, n_threads)
        np.testing.assert_array_equal(trained.parameters, expected.parameters)
        np.testing.assert_array_equal(trained.moments, expected.moments)
        np.testing.assert_array_equal(trained.totals, expected.totals)
        totals_of_team, sums = objective_and_gradient(compiled_backend, problem, n_threads)
        assert totals_of_team == totals
        np.testing.assert_array_equal(sums, gradient)
    assert ways == set(WAYS_OF_EXCHANGE)

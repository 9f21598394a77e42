"""Every row of the registry works in every backend, and every backend keeps the contract."""

from __future__ import annotations

import inspect
from itertools import product

import numpy as np
import pytest
from helpers import REFERENCE, make_problem, predict, train
from helpers_tolerances import (
    ACTIVATION,
    DERIVATIVE,
    LINK,
    LOSS,
    LOSS_GRADIENT,
    MEASURE,
    NORMALIZATION,
    NORMALIZATION_GRADIENT,
    OPTIMIZER,
)

from fastmlp.backends import BACKENDS, Backend, Executor, get_backend
from fastmlp.backends.compiled import operation_codes
from fastmlp.backends.reference.activations import ACTIVATION_FUNCTIONS
from fastmlp.backends.reference.information import MEASURE_FUNCTIONS
from fastmlp.backends.reference.losses import LINK_FUNCTIONS, LOSS_FUNCTIONS
from fastmlp.backends.reference.optimizers import UPDATE_RULES
from fastmlp.registry import (
    ACTIVATIONS,
    LOSSES,
    MEASURES,
    NORMALIZATIONS,
    OPTIMIZERS,
    Activation,
    Table,
)


def methods_of(contract: type) -> list[str]:
    members = inspect.getmembers(contract, inspect.isfunction)
    return [name for name, _ in members if not name.startswith("_")]


METHODS = methods_of(Backend)


def shape_of(method) -> list[tuple[str, object, object]]:
    """Return names, kinds and defaults of a method's parameters."""
    return [(p.name, p.kind, p.default) for p in inspect.signature(method).parameters.values()]


def test_the_contract_has_methods():
    assert {"bind", "predict", "activate", "optimizer_update"} <= set(METHODS)
    assert methods_of(Executor) == ["gradient", "train"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", BACKENDS)
def test_signatures_are_the_contract(name, method):
    assert shape_of(getattr(type(get_backend(name)), method)) == shape_of(getattr(Backend, method))


@pytest.mark.parametrize("method", methods_of(Executor))
@pytest.mark.parametrize("name", BACKENDS)
def test_signatures_of_executors_are_the_contract(name, method):
    problem = make_problem()
    executor = get_backend(name).bind(problem.plan, problem.settings, problem.dtype, 4, 1)
    assert shape_of(getattr(type(executor), method)) == shape_of(getattr(Executor, method))


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_knows_its_name(name):
    assert get_backend(name).name == name
    assert get_backend(name) is get_backend(name)


def test_codes_are_those_of_the_c_header():
    tables = {
        "activations": ACTIVATIONS,
        "losses": LOSSES,
        "measures": MEASURES,
        "normalizations": NORMALIZATIONS,
        "optimizers": OPTIMIZERS,
    }
    expected = {kind: {row.name: row.code for row in rows} for kind, rows in tables.items()}
    assert operation_codes() == expected


def test_the_core_remembers_as_many_vectors_as_the_registry_says(dtype):
    kernels = get_backend("compiled").kernels(dtype)
    for row in OPTIMIZERS:
        assert kernels.optimizer_moments(row.code) == row.n_moments, row.name


@pytest.mark.parametrize(
    ("table", "functions"),
    [
        (ACTIVATIONS.names, [ACTIVATION_FUNCTIONS, ACTIVATION, DERIVATIVE]),
        (LOSSES.names, [LOSS_FUNCTIONS, LOSS, LOSS_GRADIENT]),
        (MEASURES.names, [MEASURE_FUNCTIONS, MEASURE]),
        (
            [name for name in NORMALIZATIONS.names if name != "none"],
            [NORMALIZATION, NORMALIZATION_GRADIENT],
        ),
        (OPTIMIZERS.names, [UPDATE_RULES, OPTIMIZER]),
        (sorted({loss.link for loss in LOSSES}), [LINK_FUNCTIONS, LINK]),
    ],
    ids=["activations", "losses", "measures", "normalizations", "optimizers", "links"],
)
def test_the_reference_and_the_tolerances_name_every_row(table, functions):
    for rows in functions:
        assert sorted(rows) == sorted(table)


@pytest.mark.parametrize(
    ("activation", "loss", "optimizer"),
    [
        *((name, "squared_error", "sgd") for name in ACTIVATIONS.names),
        *(("tanh", name, "adam") for name in LOSSES.names),
        *product(["relu", "tanh"], ["softmax_cross_entropy", "squared_error"], OPTIMIZERS.names),
    ],
)
def test_every_combination_trains(backend, activation, loss, optimizer):
    problem = make_problem(
        activations=activation, loss=loss, optimizer=optimizer, n_epochs=1, learning_rate=0.05
    )
    trained, expected = train(backend, problem), train(REFERENCE, problem)
    # Some units of relu's are never on, and Lion's steps, all of one length, may cancel.
    moved = expected.parameters != problem.parameters
    assert moved.all() or activation == "relu" or optimizer == "lion"
    assert moved.mean() > 0.25
    np.testing.assert_allclose(trained.parameters, expected.parameters, rtol=0, atol=1e-10)
    np.testing.assert_allclose(trained.totals, expected.totals, rtol=1e-12)
    predicted, expected_prediction = predict(backend, problem), predict(REFERENCE, problem)
    np.testing.assert_allclose(predicted, expected_prediction, rtol=0, atol=1e-13)


def test_a_table_refuses_a_name_or_code_that_stands_twice():
    row = Activation("sine", 9, "sin z", "cos z")
    for twin in (Activation("sine", 10, "", ""), Activation("cosine", 9, "", "")):
        with pytest.raises(ValueError, match="stands twice"):
            Table(row, twin)

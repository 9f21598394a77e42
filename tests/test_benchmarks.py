"""The benchmarks run and refuse wrong results; what they measure is nobody's business here."""

import importlib
import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fastmlp.cli.epochs import CELLS, EXTRA, GRID, GridCell
from fastmlp.cli.measure import Measurement
from fastmlp.cli.report import draw_epochs
from fastmlp.cli.timing import Timing, WrongResultError

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks, which is no package."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


def test_peers_compares_training_and_prediction(tmp_path):
    options = "--cell digits --rows 3 --rounds 1 --seconds 0.01 --json p.json --output p.png"
    peers = ["--peer", "fastmlp", "--peer", "fastmlp Predictor", "--peer", "scikit-learn"]
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "peers.py", *options.split(), *peers],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    training, prediction = json.loads((tmp_path / "p.json").read_text())["rows"]
    assert training["ratios"].keys() == {"fastmlp", "scikit-learn"}
    assert prediction["ratios"].keys() == {"fastmlp", "fastmlp Predictor", "scikit-learn"}
    assert training["ratios"]["fastmlp"] == 1
    assert training["best_rival"] == prediction["best_rival"] == "scikit-learn"
    assert (tmp_path / "p.png").stat().st_size > 0


def test_a_peer_that_is_not_installed_is_skipped_with_a_word(module, monkeypatch):
    candidates = module("candidates")
    registered = module("candidates.registered")
    absent = registered.Registration("none", "no:Class", "", needs=("no_such_library",))
    monkeypatch.setitem(candidates.PEERS, "none", absent)
    said = []
    with candidates.open_peers(["none"], 1, said.append) as processes:
        assert processes == {}
    assert said == ["[bold]none[/]: skipped, no_such_library not installed"]


@pytest.mark.parametrize("loss", [1.01, 0.99, np.nan])
def test_fit_refuses_a_peer_with_another_loss(module, loss):
    check_losses = module("fit").check_losses
    check_losses("digits", {"a": 1.0, "b": 1.0, "c": 1.001})
    with pytest.raises(WrongResultError, match="c ends its first epoch"):
        check_losses("digits", {"a": 1.0, "b": 1.0, "c": loss})


def test_fit_runs_shapes_beyond_the_grid(module, monkeypatch):
    """tanh, float64 and several targets start alike on ours and scikit-learn; dropout is ours."""
    fit, candidates = module("fit"), module("candidates")
    peers = {name: candidates.PEERS[name] for name in ("fastmlp", "scikit-learn")}
    processes = {name: InThisProcess(module, peer) for name, peer in peers.items()}
    for name in ("tanh", "float64", "targets64", "dropout"):
        cell = replace(EXTRA[name], n_samples=300)
        monkeypatch.setitem(CELLS, name, cell)
        row = fit.measure(name, processes, n_threads=1, n_rounds=1, seconds=0.01)
        expected = ["fastmlp"] if name == "dropout" else ["fastmlp", "scikit-learn"]
        assert list(row.timings) == expected
        assert row.best_rival() == (None if name == "dropout" else "scikit-learn")


class InThisProcess:
    """A PeerProcess without a process."""

    def __init__(self, module, registration):
        self.fit = partial(module("candidates.processes")._fit, registration.name)


def test_a_picture_leaves_gaps_where_a_candidate_was_not_run(tmp_path):
    both = {"a": Timing((1.0,)), "b": Timing((2.0,))}
    row = Measurement("first", "", 1, 10**9, 0, 1, 100.0, both)
    without = replace(row, name="second", timings={"a": Timing((1.0,))})
    draw_epochs([without, row], "both", tmp_path / "both.png")
    assert (tmp_path / "both.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("shapes", "cells", "expected"),
    [("grid", (), list(GRID)), ("extra", (), list(EXTRA)), ("all", ("tanh",), ["tanh"])],
)
def test_networks_are_chosen_by_group_or_by_name(module, shapes, cells, expected):
    assert module("options").chosen_cells(shapes, cells) == expected


def test_all_peers_start_where_scikit_learn_does(module):
    """One epoch by hand from ``shared_start`` is scikit-learn's first epoch: the same batches."""
    cell = GridCell("small", 50, (3, 4, 1), 16, "sgd")
    X, y = cell.data(np.dtype(np.float32))
    layers, rng = module("candidates.base").shared_start(cell)
    order = np.arange(cell.n_samples)
    rng.shuffle(order)
    peer = module("candidates.registered").PEERS["scikit-learn"].load()
    model = peer.model(cell, n_epochs=1)
    model.set_params(learning_rate_init=1e-12)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        model.fit(X, y)
    for (weights, biases), coefs, intercepts in zip(
        layers, model.coefs_, model.intercepts_, strict=True
    ):
        np.testing.assert_allclose(weights, coefs, atol=1e-7)
        np.testing.assert_allclose(biases, intercepts, atol=1e-7)
    again = model._random_state.permutation(cell.n_samples)
    assert np.array_equal(again, rng.permutation(cell.n_samples))


def test_the_fastest_setting_is_chosen_and_its_compilation_not_counted(module, monkeypatch):
    choice = module("candidates.choice")
    clock = iter([0.0, 5.0, 0.0, 4.0])  # two first calls, of 5 and 4 seconds
    monkeypatch.setattr(choice, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(
        choice,
        "interleave",
        lambda calls, **_: {"slow": Timing((2.0, 3.0)), "fast": Timing((9.0, 1.0))},
    )
    chosen = choice.fastest({"slow": lambda: None, "fast": lambda: None})
    assert chosen == choice.Choice("fast", compile_seconds=(5.0 - 2.0) + (4.0 - 1.0))


def test_every_registered_peer_can_be_asked_for_something(module):
    registered = module("candidates.registered")
    assert all(peer.trains or peer.predicts for peer in registered.PEERS.values())
    assert {"fastmlp", "scikit-learn", "PyTorch", "PyTorch compiled", "JAX"} <= set(
        registered.TRAINERS
    )
    assert "ONNX Runtime" in set(registered.PREDICTORS) - set(registered.TRAINERS)

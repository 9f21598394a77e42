"""The benchmarks run and refuse wrong results; what they measure is nobody's business here."""

import importlib
import json
import shlex
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from helpers_process import cpu_ticks
from rich.console import Console

from fastmlp.backends.compiled import Exchange, barrier_seconds
from fastmlp.cli.data import DATA_VARIABLE
from fastmlp.cli.epochs import CELLS, EXTRA, GRID, WIDE, GridCell
from fastmlp.cli.timing import Timing, WrongResultError

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def constants():
    """Return the numbers and texts in capitals of all modules of the package that are loaded."""
    modules = {name: vars(each) for name, each in sys.modules.items() if "fastmlp" in name}
    return {
        (module, name): value
        for module, names in modules.items()
        for name, value in list(names.items())
        if name.isupper() and isinstance(value, int | float | str | tuple)
    }


@pytest.fixture(autouse=True)
def _leaves_the_package_as_it_is():
    """A benchmark that changed a rule of the package would change the tests that come later."""
    importlib.import_module("fastmlp.tabular")
    before = constants()
    yield
    after = constants()
    assert {key: after[key] for key in before} == before


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
    rows = json.loads((tmp_path / "p.json").read_text())["rows"]
    assert [(row["name"], *row["ratios"]) for row in rows] == [
        ("digits, 3 rows", "fastmlp Predictor", "fastmlp"),
        ("digits", "fastmlp", "scikit-learn"),
        ("digits, 3 rows", "fastmlp Predictor", "scikit-learn"),
    ]
    training, prediction = (tmp_path / "p.md").read_text().splitlines()[2:]
    assert training.startswith("| digits |  | 1 | ")
    assert prediction.startswith("| digits, 3 rows | 1 | ")
    assert (tmp_path / "p.png").stat().st_size > 0


COMMANDS = {
    "ablation": "--table wine --part dropout --seeds 2 --max-iter 3",
    "calls": "--stream 3 --rounds 1",
    "busy": "--cell digits --rounds 1 --seconds 0.001 --threads 2",
    "custom": "--cell digits --rounds 1",
    "lbfgs": "--cell classes --iterations 3 --rounds 1",
    "mapped": "--rows 50 --hidden 3 --rounds 1 --threads 2",
    "members": "--cell classes --members 2 --rounds 1",
    "dropout": "--cell digits --rounds 1",
    "fit": "--cell digits --peer fastmlp --rounds 1 --seconds 0.01",
    "gemm": "--size 5 --rounds 1 --dtype float32",
    "kernels": "--size L1 --quick",
    "normalization": "--cell digits --rounds 1",
    "predict": "--rows 3 --peer fastmlp --rounds 1",
    "roofline": "--cell digits --rounds 1 --threads 2",
    "shuffle": "--samples 2000 --rounds 1",
    "small": "--cell tiny --rounds 1 --threads 2",
    "tabular": "--table wine --model 'fastmlp fast' --model 'sklearn HistGB' --seeds 1 --resume",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_writes_its_figures_and_a_picture(tmp_path, name):
    done = subprocess.run(
        [sys.executable, BENCHMARKS / f"{name}.py", *shlex.split(COMMANDS[name])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / f"bench-{name}.json").read_text())
    assert document["config"]
    assert document["rows"]
    assert (tmp_path / f"bench-{name}.png").stat().st_size > 0


def test_precision_fits_every_precision_that_runs_here_once(module, tmp_path):
    file = tmp_path / "p.json"
    command = ["--case", "digits", "--seeds", "1", "--resume", "--json", str(file)]
    for _ in range(2):
        done = CliRunner().invoke(module("precision").main, command)
        assert done.exit_code == 0, done.output
    rows = json.loads(file.read_text())["rows"]
    assert [row["precision"] for row in rows] == module("precision").running()
    assert all(row["score"] > 0.9 for row in rows)


def test_a_peer_that_is_not_installed_is_skipped_with_a_word(module, monkeypatch, capsys):
    candidates = module("candidates")
    absent = candidates.Registration("none", "no:Class", "", needs=("no_such_library",))
    monkeypatch.setitem(candidates.PEERS, "none", absent)
    names = module("pairs").that_can_run(["none", "scikit-learn", "fastmlp"], Console())
    assert names == ["fastmlp", "scikit-learn"]
    assert capsys.readouterr().out == "none: skipped, no_such_library not installed\n"


@pytest.mark.parametrize("loss", [1.01, 0.99, np.nan])
def test_fit_refuses_a_peer_with_another_loss(module, loss):
    check_losses = module("fit").check_losses
    check_losses("digits", {"fastmlp": 1.0, "JAX": 1.001})
    with pytest.raises(WrongResultError, match="JAX ends its first epoch"):
        check_losses("digits", {"fastmlp": 1.0, "JAX": loss})


@pytest.mark.parametrize("loss", [1.01, 0.99, np.nan])
def test_reduced_precision_may_round_but_not_be_wrong(module, loss):
    check_losses = module("fit").check_losses
    check_losses("digits", {"fastmlp": 1.0, "PyTorch bf16": 1.004})
    with pytest.raises(WrongResultError, match="PyTorch bf16 ends its first epoch"):
        check_losses("digits", {"fastmlp": 1.0, "PyTorch bf16": loss})


def test_outputs_are_compared_with_the_first_peers(module):
    check_outputs, right = module("predict").check_outputs, np.full((2, 10), 0.1)
    check_outputs("digits", {"fastmlp": right, "JAX": right + 5e-4, "OpenVINO bf16": right + 0.02})
    for peer, off in (("JAX", 2e-3), ("OpenVINO bf16", 0.04), ("OpenVINO bf16", np.nan)):
        with pytest.raises(WrongResultError, match=f"the outputs of {peer} differ"):
            check_outputs("digits", {"fastmlp": right, peer: right + off})


def test_fit_runs_shapes_beyond_the_grid(module, monkeypatch):
    """tanh, float64 and several targets start alike on ours and scikit-learn; dropout is ours."""
    fit, candidates = module("fit"), module("candidates")
    peers = {name: candidates.PEERS[name] for name in ("fastmlp", "scikit-learn")}
    for name in ("tanh", "float64", "targets64", "dropout"):
        cell = replace(EXTRA[name], n_samples=300)
        monkeypatch.setitem(CELLS, name, cell)
        task = fit.FitTask(name, seconds=0.01)
        able = {n: InThisProcess(module, p) for n, p in peers.items() if task.can_be_done_by(p)}
        assert list(able) == ["fastmlp"] if name == "dropout" else ["fastmlp", "scikit-learn"]
        row = task.measure(able, n_threads=1, n_rounds=1)
        assert row.key == (name, list(able)[-1])
        assert row.best_rival() == (None if name == "dropout" else "scikit-learn")


class InThisProcess:
    """A PeerProcess without a process."""

    def __init__(self, module, registration):
        self.fit = partial(module("candidates.processes")._fit, registration.name)


@pytest.fixture
def measured(module):
    """Return a measurement of 1 GFLOP of one's work in turn with another's, in seconds."""

    def measured(name="work", **seconds):
        timings = {peer.replace("_", " "): Timing(values) for peer, values in seconds.items()}
        return module("comparison").PeerMeasurement(
            name=name,
            detail="",
            n_elements=1,
            flops=10**9,
            n_bytes=0,
            n_threads=2,
            peak=2.0,
            attainable=1.0,
            timings=timings,
            settings=dict.fromkeys(timings, ""),
            compile_seconds=dict.fromkeys(timings, 0.0),
        )

    return measured


def test_pairs_become_one_measurement_whose_ratios_are_those_of_each_pair(module, measured):
    """The machine was twice as slow when the second pair took its turns."""
    pairs = [measured(fastmlp=(1.0,), JAX=(2.0,)), measured(fastmlp=(2.0,), PyTorch_bf16=(3.0,))]
    assert [pair.key for pair in pairs] == [("work", "JAX"), ("work", "PyTorch bf16")]
    one = module("comparison").merged(pairs)
    assert one.timings["fastmlp"].seconds == (1.0, 2.0)
    assert one.ratios == {"fastmlp": 1, "JAX": 2, "PyTorch bf16": 1.5}
    assert (one.best_rival(), one.best_rival(is_exact=False)) == ("JAX", "PyTorch bf16")
    assert one.attainable_fraction("JAX") == pytest.approx(1 / 2.0 / 1.0 / 2)


def test_a_comparison_leaves_gaps_where_a_candidate_was_not_run(module, measured, tmp_path):
    comparison, table = module("comparison"), tmp_path / "both.md"
    rows = [measured("alone", fastmlp=(1.0,)), measured("both", fastmlp=(1.0,), JAX=(2.0,))]
    comparison.draw_ratios(rows, "both", tmp_path / "both.png")
    assert (tmp_path / "both.png").stat().st_size > 0
    comparison.write_markdown(rows, table)
    assert table.read_text().splitlines()[2:] == [
        "| alone | 1 |  | 1 | 25 % | 50 % |",
        "| both | 1 | 2 | 1 | 25 % | 50 % |",
    ]


@pytest.mark.parametrize(
    ("shapes", "cells", "expected"),
    [
        ("grid", (), list(GRID)),
        ("extra", (), list(EXTRA)),
        ("wide", (), list(WIDE)),
        ("all", ("tanh",), ["tanh"]),
    ],
)
def test_networks_are_chosen_by_group_or_by_name(module, shapes, cells, expected):
    assert module("options").chosen_cells(shapes, cells) == expected


def test_all_peers_train_one_network(module):
    """Two classes would be one output of scikit-learn's network, but two of PyTorch's."""
    assert not [cell for cell in CELLS.values() if cell.layer_sizes[-1] == 2]


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
    clock = iter([0.0, 5.0, 0.0, 4.0, 0.0, 0.1, 0.0, 0.2])  # first calls of 5 and 4 seconds
    monkeypatch.setattr(choice, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(
        choice,
        "interleave",
        lambda calls, **_: {"slow": Timing((2.0, 3.0)), "fast": Timing((9.0, 1.0))},
    )
    chosen = choice.fastest({"slow": lambda: None, "fast": lambda: None})
    assert chosen == choice.Choice("fast", compile_seconds=(5.0 - 2.0) + (4.0 - 1.0))
    clock = iter([0.0, 5.0, 0.0, 4.0, 0.0, 1.5, 0.0, 1.0])  # the second calls are long, too
    long = choice.fastest({"slow": lambda: None, "fast": lambda: None})
    assert long == choice.Choice("fast", compile_seconds=(5.0 - 1.5) + (4.0 - 1.0))


def test_every_registered_peer_can_be_asked_for_something(module):
    registered = module("candidates.registered")
    assert all(peer.trains or peer.predicts for peer in registered.PEERS.values())
    assert {"fastmlp", "scikit-learn", "PyTorch compiled", "PyTorch bf16", "JAX"} <= set(
        registered.TRAINERS
    )
    assert {"ONNX Runtime", "OpenVINO"} <= set(registered.PREDICTORS) - set(registered.TRAINERS)


def test_reduced_precision_is_asked_for_float32_only(module):
    peer = module("candidates").PEERS["PyTorch bf16"]
    assert [peer.can_train(CELLS[name]) for name in ("plain", "float64")] == [True, False]
    assert [peer.can_predict(CELLS[name]) for name in ("plain", "float64")] == [True, False]


# -- products -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")])
@pytest.mark.parametrize("size", [(5, 7, 3), (33, 1, 40), (97, 53, 131)])
def test_every_way_to_a_product_is_the_product(module, size, dtype):
    products = module("products")
    on = products.Operands(products.Shape(*size), dtype)
    for kind in products.KINDS:
        for way in (products.core_call, products.packed_call, products.numpy_call):
            call = way(kind, on)
            if call is not None:
                products.check(kind, on, call, way.__name__)
    assert products.packed_call("gradient", on) is None


@pytest.mark.parametrize("factor", [1.001, np.nan])
def test_a_wrong_product_is_refused(module, factor):
    products = module("products")
    on = products.Operands(products.Shape(9, 8, 7), np.dtype("float32"))
    right = products.numpy_call("forward", on)
    wrong = products.Call(
        lambda: (right.run(), np.multiply(right.out, factor, right.out)), right.out
    )
    with pytest.raises(WrongResultError, match="forward 9×8×7 by someone is off"):
        products.check("forward", on, wrong, "someone")


def test_a_product_beside_the_peak_and_its_rivals(module):
    gemm, products = module("gemm"), module("products")
    timings = {"fastmlp": Timing((2.0,)), "fastmlp packed": Timing((1.0,)), "NumPy": Timing((4.0,))}
    row = gemm.Row("forward", products.Shape(10, 10, 5), "float32", 2e-6, 1.25e-6, timings)
    assert row.percent("fastmlp") == pytest.approx(100 * 1000 / 2.0 / 1e9 / 2e-6)
    assert row.over_rival == pytest.approx(4.0)
    assert row.attained == pytest.approx(1e-6 / 1.25e-6)
    assert gemm.restored(json.loads(json.dumps(row.as_dict()))) == row


def test_a_run_is_cut_into_slices(module, monkeypatch, tmp_path):
    gemm, measured = module("gemm"), []

    def measure(_, kind, shape, dtype, rounds):
        measured.append(kind)
        timings = {"fastmlp": Timing((2.0,)), "NumPy": Timing((1.0,))}
        return gemm.Row(kind, shape, dtype, 1.0, 1.0, timings)

    monkeypatch.setattr(gemm, "measure", measure)
    monkeypatch.setattr(gemm, "open_candidates", lambda: nullcontext({}))
    monkeypatch.chdir(tmp_path)

    def run(*words):
        measured.clear()
        result = CliRunner().invoke(gemm.main, ["--size", "5", "--dtype", "float32", *words])
        kept = json.loads(Path("bench-gemm.json").read_text())["rows"]
        return result, measured[:], [row["kind"] for row in kept]

    forward, gradient, into = gemm.KINDS
    result, now, kept = run("--stop-after", "0")
    assert result.exit_code == module("results_file").UNFINISHED == 3
    assert "2 of 3 still to be measured: continue by --resume" in result.output
    assert now == kept == [forward]
    result, now, kept = run("--resume", "--stop-after", "0")
    assert (result.exit_code, now, kept) == (3, [gradient], [forward, gradient])
    result, now, kept = run("--resume")
    assert (result.exit_code, now, kept) == (0, [into], [forward, gradient, into])
    result, now, kept = run()
    assert (result.exit_code, now) == (0, [forward, gradient, into])


# -- roofline -----------------------------------------------------------------------------------


def test_least_traffic_by_hand(module):
    cell = GridCell("small", 100, (3, 4, 1), 25)
    rows, activations, parameters = module("roofline_parts").traffic_of(cell)
    assert rows.n_bytes == rows.set_bytes == 100 * 3 * 4
    assert activations.n_bytes == 4 * 2 * 25 * (3 + 4 + 4 + 1) * 4
    # 16 weights forward, 4 backward; 21 parameters and two moments of each read and written
    assert parameters.n_bytes == 4 * (16 + 4 + 6 * 21) * 4
    assert parameters.set_bytes == 3 * 21 * 4


def roofline_row(roofline):
    epochs = {
        roofline.SHUFFLED: Timing((6.0,)),
        roofline.ALONE: Timing((10.0,)),
        roofline.IN_ORDER: Timing((9.0,)),
    }
    kernels = {"products": 5.0, "element-wise": 1.0, "optimiser": 1.0}
    traffic, exchange = {"rows": 0.5, "parameters": 1.0}, Exchange(2, "gradients", {"gradients": 8})
    return roofline.Row("any", 2, 4, 2.0, 3.0, traffic, epochs, kernels, exchange)


def test_a_roofline_goes_on_where_it_was_cut(module, tmp_path):
    roofline, file = module("roofline"), module("results_file")
    row, path = roofline_row(roofline), tmp_path / "roofline.json"
    file.Results(path, {}, roofline.restored).add(row)
    results = file.Results(path, {}, roofline.restored).continued(file.Slice(resume=True))
    assert results.entries == [row]
    assert list(results.lacking([("any",), ("other",)])) == [("other",)]


def test_shares_of_an_epoch_add_up(module):
    roofline = module("roofline")
    row = roofline_row(roofline)
    shares = row.shares()
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["rest"] == pytest.approx((9 - 7) / 2 / 6)
    assert shares["team"] == pytest.approx((6 - 5) / 6)
    assert row.bytes_floor == 1.5
    assert roofline.restored(json.loads(json.dumps(row.as_dict()))) == row


def test_the_calls_themselves_are_no_part_of_a_kernel(module, monkeypatch):
    parts = module("roofline_parts")
    cell = GridCell("small", 100, (3, 4, 1), 25)
    asked = []

    def timings(calls, **_):
        asked.extend(calls)
        return {name: Timing((1.0 if "empty" in name else 3.0,)) for name in calls}

    monkeypatch.setattr(parts, "interleave", timings)
    assert parts.batch_seconds(cell, 1, 0.0) == dict.fromkeys(parts.PARTS, 2.0)
    assert len(asked) == 2 * len(parts.PARTS)


# -- busy machines ------------------------------------------------------------------------------


def test_other_processes_work_only_when_told_to_and_end(module):
    busy = module("busy")
    with busy.busy_processes(1) as others:
        (process,) = others._processes
        used = cpu_ticks(process.pid)
        with others.at_work():
            time.sleep(0.3)
        time.sleep(0.05)  # until it has stopped
        worked = cpu_ticks(process.pid)
        time.sleep(0.1)
        assert worked > used
        assert cpu_ticks(process.pid) == worked
    assert process.returncode is not None


def test_fair_share_is_half_of_each_core(module):
    row = module("busy").Row("any", Timing((1.0,)), Timing((2.6,)))
    assert row.over_fair_share == pytest.approx(1.3)


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_a_barrier_is_passed_by_teams_of_any_size(n_threads):
    assert barrier_seconds(n_threads, rounds=50) > 0


# -- rows of a map ------------------------------------------------------------------------------


def test_traffic_of_mapped_rows_by_hand(module):
    """A prediction reads 640 bytes and writes 40; a copy reads and writes 640."""
    mapped, timings = module("mapped"), {"mapped": Timing((2.0,))}
    copies = {"mapped": Timing((1.0,))}
    row = mapped.Row("16-4-1", 2, 640, 10, 1360, 1e-6, timings, copies)
    assert row.bandwidth_fraction("mapped") == pytest.approx((680 / 2.0) / (1280 / 1.0))
    assert row.attainable_fraction("mapped") == pytest.approx(1360 / 2.0 / 1e9 / 1e-6 / 2)


def test_wrong_predictions_of_mapped_rows_are_refused(module):
    check, right = module("mapped").check, np.ones(3, np.float32)
    check({"in memory": right}, right)
    with pytest.raises(WrongResultError, match="rows mapped differ"):
        check({"in memory": right, "mapped": right + np.float32(1e-3)}, right)


# -- order and dropout --------------------------------------------------------------------------


def test_shares_of_order_and_gather(module):
    timings = {
        "shuffled": Timing((10.0,)),
        "as they lie": Timing((8.0,)),
        "order alone": Timing((0.5,)),
    }
    row = module("shuffle").Row("float32", timings)
    assert row.order_share == pytest.approx(0.05)
    assert row.whole_share == pytest.approx(0.2)


def test_all_types_hold_the_same_rows(module, tmp_path):
    inputs = module("shuffle").inputs_of(100, tmp_path)
    assert [X.dtype.name for X in inputs.values()] == ["uint8", "float32", "float64", "float32"]
    assert all(np.array_equal(X, inputs["uint8"]) for X in inputs.values())


def test_dropout_counts_what_it_adds(module):
    row = module("dropout").Row("any", 10**9, Timing((1.0,)), Timing((1.25,)))
    assert row.nanoseconds == pytest.approx(0.25)


# -- all of them --------------------------------------------------------------------------------


def test_all_benchmarks_are_run_whatever_becomes_of_one(module, tmp_path, monkeypatch):
    run_all = module("run_all")
    digits = run_all.Job("one", "dropout.py", "--cell digits --rounds 1")
    wrong = run_all.Job("two", "dropout.py", "--cell nonsense")
    mnist = run_all.Job("three", "memory.py", files=(), needs_mnist=True)
    monkeypatch.setattr(run_all, "JOBS", (wrong, digits, mnist))
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    result = CliRunner().invoke(run_all.main, [str(tmp_path / "results")])
    assert result.exit_code == 1
    assert "failed, see their .txt: two" in result.output
    assert "three: skipped" in result.output
    written = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert written == ["done.txt", "one.json", "one.png", "one.txt", "two.txt"]
    assert "nonsense" in (tmp_path / "results" / "two.txt").read_text()


def test_all_benchmarks_go_on_where_a_slice_ended(module, tmp_path, monkeypatch):
    run_all = module("run_all")
    codes = {"one": [0], "two": [run_all.UNFINISHED, 0], "three": [0]}
    monkeypatch.setattr(run_all, "JOBS", tuple(run_all.Job(name, "fit.py") for name in codes))
    monkeypatch.setattr(run_all, "run", lambda job, *_: codes[job.name].pop(0))

    def outcome(*words):
        return CliRunner().invoke(run_all.main, [str(tmp_path), *words])

    first = outcome("--stop-after", "0")
    assert (first.exit_code, (tmp_path / "done.txt").read_text()) == (3, "one\n")
    assert "2 of 3 jobs are left: continue by --resume" in first.output
    assert outcome("--resume", "--stop-after", "0").exit_code == 3
    assert codes == {"one": [], "two": [0], "three": [0]}
    assert outcome("--resume").exit_code == 0
    assert (tmp_path / "done.txt").read_text().split() == ["one", "two", "three"]


def test_every_job_names_a_script_and_options_that_it_has(module):
    for job in module("run_all").JOBS:
        command = module(Path(job.script).stem).main
        words = module("run_all").command(job, Path("folder"), resume=True, left=1.0)[2:]
        if isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        command.make_context(job.script, words, resilient_parsing=True)
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_every_script_is_run_with_all(module):
    scripts = {path.name for path in BENCHMARKS.glob("*.py") if "def main(" in path.read_text()}
    others = {"run_all.py", "trajectories.py", "sampled.py"}  # the latter two time nothing
    assert scripts - {job.script for job in module("run_all").JOBS} == others


def test_errors_of_samples(module):
    words = "--table wine --sample-rows 100 --seeds 1 --way sample --way 1 --way memory"
    done = CliRunner().invoke(module("sampled").main, words.split())
    assert done.exit_code == 0, done.output
    assert "wine, 142 rows, 100 of which race" in done.output


def test_the_model_of_scaling_finds_the_link_that_it_was_given(module):
    model = module("scaling_model")
    link = model.Link(latency=1e-3, per_message=2e-4, bandwidth=5e8)
    times = [
        {"workers": n, "bytes": size, "seconds": model.exchange_seconds(size, n, link)}
        for n in (2, 4, 8)
        for size in (4, 1 << 20, 1 << 24)
    ]
    found = model.fitted_link(times)
    assert vars(found) == pytest.approx(vars(link))
    work = model.Work(10**6, per_row=1e-5, per_update=1e-4, jitter=0.0, n_vectors=3)
    alone, two = (model.synchronous_seconds(work, link, n, 1000 * n) for n in (1, 2))
    assert alone == pytest.approx(1e-4 + 1e-2)
    assert two == pytest.approx(alone + 1e-3 + 2e-4 + 4e6 / 5e8)
    assert model.local_seconds(work, link, 2, 2000, 10**9) == pytest.approx(alone)
    assert model.most_useful({1: 1.0, 2: 0.6, 4: 0.45, 8: 0.4}) == 4


# -- trajectories -------------------------------------------------------------------------------


def test_trajectories_are_those_that_were_recorded_and_what_differs_is_named(module, tmp_path):
    main = module("trajectories").main
    file = tmp_path / "recorded.json"
    done = CliRunner().invoke(main, ["record", str(file), "--configurations", "19"])
    assert done.exit_code == 0, done.output
    same = CliRunner().invoke(main, ["compare", str(file)])
    assert same.exit_code == 0, same.output
    assert "19 of 19 are the same" in same.output

    recording = json.loads(file.read_text())
    first, second, *_ = recording["learnt"].values()
    first["loss_curve_"][1] = np.nextafter(first["loss_curve_"][1], np.inf)
    second["coefs_"] = "another"
    file.write_text(json.dumps(recording))
    other = CliRunner().invoke(main, ["compare", str(file)])
    assert other.exit_code == 1
    assert "loss_curve_ from epoch 2 on: " in other.output
    assert "coefs_: another → " in other.output
    assert "17 of 19 are the same" in other.output


def test_trajectories_of_other_draws_are_not_compared(module, tmp_path):
    main = module("trajectories").main
    file = tmp_path / "recorded.json"
    CliRunner().invoke(main, ["record", str(file), "--configurations", "1"])
    recording = json.loads(file.read_text())
    recording["seed"] = 1
    file.write_text(json.dumps(recording))
    done = CliRunner().invoke(main, ["compare", str(file)])
    assert done.exit_code == 1
    assert "recorded with other draws" in done.output


def test_drawn_configurations_have_every_name_and_form(module):
    drawn = module("drawn_configurations")
    all_drawn = [drawn.draw_configuration(0, number) for number in range(200)]
    parameters = [configuration["parameters"] for configuration in all_drawn]

    def values(name, configurations):
        return {repr(entry[name]) for entry in configurations if name in entry}

    assert values("solver", parameters) == {repr(solver) for solver in drawn.SOLVERS}
    assert values("activation", parameters) >= {repr(name) for name in drawn.ACTIVATIONS}
    losses = {*drawn.CLASSIFIER_LOSSES, *drawn.REGRESSOR_LOSSES}
    assert values("loss", parameters) == {repr(loss) for loss in losses}
    assert values("init", parameters) == {repr(rule) for rule in drawn.RULES}
    assert values("normalization", parameters) == {"'batch'", "'layer'", "'instance'", "'group'"}
    assert values("data", all_drawn) == {repr(form) for form in drawn.INPUTS}
    assert values("kind", all_drawn) == {repr(kind) for kind in drawn.TARGETS}
    assert values("way", all_drawn) == {repr(way) for way in drawn.WAYS}
    assert values("learning_rate", parameters) == {"'constant'", "'invscaling'", "'adaptive'"}

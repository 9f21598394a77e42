"""The command line: what it prints and writes, and how it refuses wrong input."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

import fastmlp
from fastmlp import cli
from fastmlp.backends import BACKENDS, get_backend
from fastmlp.cli import timing
from fastmlp.cli.app import commands
from fastmlp.cli.data import load
from fastmlp.cli.epochs import GRID
from fastmlp.cli.kernels import check, kernel_cases
from fastmlp.cli.timing import Timing, WrongResultError, interleave
from fastmlp.config import config_dict
from fastmlp.registry import ACTIVATIONS, LOSSES, OPTIMIZERS

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in an empty folder, without data from the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FASTMLP_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(commands, [str(word) for word in words])


@pytest.fixture
def digits_file(tmp_path):
    """A file such as MNIST's, with 8 x 8 pixels: 600 images to learn from and 200 for testing."""
    X, y = load_digits(return_X_y=True)
    X = (X * 15).astype(np.uint8)
    path = tmp_path / "small.npz"
    np.savez(path, X_train=X[:600], y_train=y[:600], X_test=X[600:800], y_test=y[600:800])
    return path


# -- demo ---------------------------------------------------------------------------------------


def test_demo_learns_digits_and_draws(run, tmp_path):
    result = run("demo", "--epochs", 25, "--hidden", "64", "--threads", 1)
    assert result.exit_code == 0, result.output
    assert float(re.search(r"test accuracy ([\d.]+) %", result.output)[1]) >= 90
    assert re.search(r"ms for each of 25 epochs, backend compiled", result.output)
    assert "1347 images of 64 pixels" in result.output
    assert (tmp_path / "demo.png").read_bytes().startswith(PNG)


def test_demo_is_reproducible(run):
    words = ("demo", "--epochs", 3, "--hidden", "16,8", "--seed", 4)
    lines = [
        next(line for line in run(*words).output.splitlines() if "accuracy" in line)
        for _ in range(2)
    ]
    assert lines[0] == lines[1]


def test_demo_takes_a_file(run, digits_file, tmp_path):
    result = run(
        "demo", "--data", digits_file, "--epochs", 2, "--backend", "numpy", "--output", "x.png"
    )
    assert result.exit_code == 0, result.output
    assert "small: 600 images of 64 pixels" in result.output
    assert "backend numpy" in result.output
    assert (tmp_path / "x.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize("as_folder", [True, False])
def test_data_from_the_environment(digits_file, as_folder):
    mnist = digits_file.rename(digits_file.with_name("mnist.npz"))
    place = mnist.parent if as_folder else mnist
    digits = load(environment={"FASTMLP_DATA": str(place)})
    assert digits.name == "mnist"
    assert digits.X_train.shape == (600, 64)
    assert digits.X_train.dtype == np.float32
    assert digits.X_train.max() == np.float32(240 / 255)
    assert digits.image_shape == (8, 8)


def test_folder_without_mnist_leaves_the_bundled_digits(tmp_path):
    assert load(environment={"FASTMLP_DATA": str(tmp_path)}).name == "scikit-learn's digits"


def test_images_may_have_two_dimensions(tmp_path):
    path = tmp_path / "deep.npz"
    X, y = np.full((4, 3, 5), 2.0), np.arange(4)
    np.savez(path, X_train=X, y_train=y, X_test=X / 2, y_test=y)
    digits = load(path)
    assert digits.X_train.shape == (4, 15)
    assert digits.X_train.max() == 1
    assert digits.X_test.max() == 0.5
    assert digits.image_shape == (1, 15)


# -- bench and info -----------------------------------------------------------------------------


def test_bench_reports_every_kernel(run, tmp_path):
    result = run(
        "bench", "--quick", "--backend", "compiled", "--backend", "numpy", "--json", "b.json"
    )
    assert result.exit_code == 0, result.output
    assert re.search(r"FMA peak of one thread, float32: \d+ GFLOP/s", result.output)
    document = json.loads((tmp_path / "b.json").read_text())
    names = {row["name"] for row in document["rows"]}
    wanted = {f"activation {row.name}" for row in ACTIVATIONS}
    wanted |= {f"loss {row.name}" for row in LOSSES}
    wanted |= {f"optimiser {row.name}" for row in OPTIMIZERS}
    wanted |= {"dense forward", "dense backward, input", "dense backward, weights"}
    assert names == wanted | {"dropout factors", "epoch digits"}
    assert all(row["timings"].keys() == {"compiled", "numpy"} for row in document["rows"])
    assert document["fma_peak_gflops"] > 0
    assert document["config"] == config_dict()
    assert (tmp_path / "bench.png").read_bytes().startswith(PNG)


def test_info_prints_the_configuration(run, capsys):
    result = run("info")
    assert result.exit_code == 0
    for fact in config_dict().values():
        assert fact in result.output


def test_version(run):
    assert run("--version").output.split()[-1] == fastmlp.__version__


# -- wrong input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["demo", "--data", "nowhere.npz"], "no such file: nowhere.npz"),
        (["demo", "--backend", "fortran"], "'compiled', 'numba', 'numpy'"),
        (["bench", "--backend", "fortran"], "'compiled', 'numba', 'numpy'"),
        (["bench", "--cell", "huge"], "'tab32', 'tab64'"),
        (["demo", "--hidden", "64,x"], "no list of whole numbers >= 1"),
        (["demo", "--hidden", "64,0"], "no list of whole numbers >= 1"),
        (["demo", "--dropout", "1"], "0<=x<1"),
        (["demo", "--epochs", "0"], "x>=1"),
        (["demo", "--threads", "0"], "x>=1"),
        (["demo", "--output", "no/such/folder.png"], "one that does not exist"),
        (["demo", "--output", "picture.txt"], "png"),
        (["demo", "--output", "."], "is a folder"),
    ],
)
def test_wrong_option(run, words, message):
    result = run(*words)
    assert result.exit_code == 2
    assert message in result.output


def _archive(**changes):
    X, y = np.zeros((6, 4), np.uint8), np.arange(6)
    return {"X_train": X, "y_train": y, "X_test": X, "y_test": y} | changes


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X_train": np.zeros((2, 4)), "y_train": np.zeros(2)}, "lacks X_test, y_test"),
        (_archive(y_train=np.arange(5)), "X_train (6, 4) and y_train (5,)"),
        (_archive(X_test=np.zeros((6, 3))), "X_train have shape (4,), of X_test (3,)"),
        (_archive(X_test=np.zeros((0, 4)), y_test=np.zeros(0)), "X_test (0, 4)"),
        (_archive(X_train=np.full((6, 4), "a")), "X_train must hold numbers"),
        (_archive(y_test=np.array([None] * 6)), "y_test holds no plain array"),
    ],
)
def test_wrong_archive(run, tmp_path, arrays, message):
    path = tmp_path / "wrong.npz"
    np.savez(path, **arrays)
    result = run("demo", "--data", path)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_file_that_is_no_archive(run, tmp_path, content):
    path = tmp_path / "odd.npz"
    path.write_bytes(content)
    result = run("demo", "--data", path)
    assert result.exit_code == 2
    assert "is no .npz archive" in " ".join(result.output.split())


def test_single_array_is_no_archive(run, tmp_path):
    np.save(tmp_path / "one.npy", np.zeros(3))
    result = run("demo", "--data", tmp_path / "one.npy")
    assert result.exit_code == 2
    assert "is no .npz archive" in " ".join(result.output.split())


def test_environment_that_leads_nowhere(run, monkeypatch):
    monkeypatch.setenv("FASTMLP_DATA", "nowhere")
    result = run("demo")
    assert result.exit_code == 2
    assert "FASTMLP_DATA names nowhere, which does not exist" in result.output


def test_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == "rich" else object())
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert "needs rich" in stop.value.code
    assert 'pip install "fastmlp[cli]"' in stop.value.code


def test_main_runs_a_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fastmlp", "--version"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0
    assert fastmlp.__version__ in capsys.readouterr().out


# -- the engine behind bench --------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernel_cases_agree_with_the_reference(backend, dtype):
    for case in kernel_cases(np.dtype(dtype), n_rows=9, fan_in=17, fan_out=5):
        check(case, [get_backend(backend)], get_backend("numpy"))


class WrongBackend:
    """The reference but for one kernel, which either does nothing or is off by a thousandth."""

    name = "wrong"

    def __init__(self, writes):
        self.writes = writes

    def __getattr__(self, name):
        return getattr(get_backend("numpy"), name)

    def dense_forward(self, x, w, b, out):
        if self.writes:
            out[...] = 1.001 * (x @ w + b)


@pytest.mark.parametrize("writes", [True, False])
def test_wrong_kernel_is_not_timed(writes):
    case = next(iter(kernel_cases(np.dtype("float32"), 4, 5, 6)))
    with pytest.raises(WrongResultError, match="dense forward on wrong is off by"):
        check(case, [WrongBackend(writes)], get_backend("numpy"))


def test_flops_by_hand():
    assert GRID["digits"].flops == 2 * 1797 * (3 * (64 * 100 + 100 * 10) - 64 * 100)
    assert GRID["tab32"].flops == 736_000_000


def test_timing_figures():
    figures = Timing((4.0, 1.0, 2.0, 3.0, 5.0))
    assert figures.median == 3.0
    assert figures.quartiles == (2.0, 4.0)
    assert figures.spread == pytest.approx(2 / 3)


def test_interleave_divides_by_its_loops(monkeypatch):
    now = 0.0
    order = []

    def call(name, seconds):
        nonlocal now
        now += seconds
        order.append(name)

    monkeypatch.setattr(timing, "perf_counter", lambda: now)
    calls = {"slow": lambda: call("slow", 4.0), "fast": lambda: call("fast", 1.0)}
    figures = interleave(calls, n_rounds=3, min_seconds=3.0)
    assert figures["slow"].seconds == (4.0, 4.0, 4.0)
    assert figures["fast"].seconds == (1.0, 1.0, 1.0)
    timed = "".join(name[0] for name in order[-15:])
    assert timed == "s" + "ffff" + "ffff" + "s" + "s" + "ffff"


@pytest.mark.parametrize("command", ["demo", "bench", "info"])
def test_an_unknown_instruction_set_is_refused(run, monkeypatch, command):
    get_backend.cache_clear()  # the variable is read when the backend is made
    monkeypatch.setenv("FASTMLP_ISA", "bogus")
    result = run(command)
    assert result.exit_code == 2, result.output
    assert "FASTMLP_ISA must be one of" in result.output

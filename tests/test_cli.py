"""The command line: what it prints and writes, and how it refuses wrong input."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

import fastmlp
from fastmlp import DivergenceError, cli
from fastmlp.backends import BACKENDS, get_backend
from fastmlp.cli import demo as work
from fastmlp.cli import timing
from fastmlp.cli.app import commands
from fastmlp.cli.data import load
from fastmlp.cli.epochs import GRID
from fastmlp.cli.errors import CommandError
from fastmlp.cli.kernels import check, kernel_cases
from fastmlp.cli.output import Output
from fastmlp.cli.report import write_json
from fastmlp.cli.timing import Timing, WrongResultError, interleave
from fastmlp.config import config_dict
from fastmlp.registry import ACTIVATIONS, LOSSES, OPTIMIZERS
from fastmlp.training.loop import TrainingRun

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in an empty folder, without data from the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FASTMLP_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(commands, [str(word) for word in words])


@pytest.fixture
def empty_picture(monkeypatch):
    """Save the time of drawing where the picture does not matter."""
    monkeypatch.setattr(work, "draw", lambda *_: Figure())


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


def test_demo_is_reproducible(run, empty_picture):
    words = ("demo", "--epochs", 3, "--hidden", "16,8", "--seed", 4, "--overwrite")
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
    X, y = np.full((12, 3, 5), 2.0), np.arange(12)
    np.savez(path, X_train=X, y_train=y, X_test=X / 2, y_test=y)
    digits = load(path)
    assert digits.X_train.shape == (12, 15)
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
    assert document["attainable_gflops"] > 0
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
        (["demo", "--data", "nowhere.npz"], "there is no file 'nowhere.npz'"),
        (["demo", "--backend", "fortran"], "'compiled', 'numba', 'numpy'"),
        (["bench", "--backend", "fortran"], "'compiled', 'numba', 'numpy'"),
        (["bench", "--cell", "huge"], "'tab32', 'tab64'"),
        (["demo", "--hidden", "64,x"], "not a list of whole numbers >= 1"),
        (["demo", "--hidden", "64,0"], "not a list of whole numbers >= 1"),
        (["demo", "--hidden", ""], "'' is not a list of whole numbers >= 1"),
        (["demo", "--hidden", "9" * 5000], "9...9"),
        (["demo", "--hidden", "9" * 30], "Make --hidden narrower."),
        (["demo", "--hidden", "9" * 400], "a network of more than 1.8e+308 parameters"),
        (["demo", "--hidden", "100000000,100000000"], "GiB are available. Make --hidden narrower"),
        (["demo", "--dropout", "1"], "0<=x<1"),
        (["demo", "--dropout", "nan"], "nan is not in the range 0<=x<1."),
        (["demo", "--dropout", "inf"], "inf is not in the range 0<=x<1."),
        (["demo", "--epochs", "0"], "x>=1"),
        (["demo", "--seed", "-1"], "-1 is not in the range 0<=x<=4294967295"),
        (["demo", "--threads", "0"], "0 is not in the range 1<=x<=256"),
        (["demo", "--threads", "1000"], "1000 is not in the range 1<=x<=256"),
        (["bench", "--threads", "1000"], "1000 is not in the range 1<=x<=256"),
        (["demo", "--output", "no/such/folder.png"], "there is no folder '"),
        (["demo", "--output", "picture.txt"], "png"),
        (["demo", "--output", "."], "is a folder"),
        (["demo", "--output", "a" * 300 + ".png"], "can't be written: File name too long"),
        (["demo", "--data", "x.png", "--output", "./x.png"], "--output would overwrite x.png"),
        (["demo", "--data", "a" * 300], "can't be read: File name too long"),
        (["bench", "--json", "bench.png"], "--output and --json name the same file"),
        (["bench", "--json", "no/such/file.json"], "there is no folder '"),
    ],
)
def test_wrong_option(run, words, message, tmp_path):
    result = run(*words)
    assert result.exit_code == 2
    assert message in result.output.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named_before_the_work(run, monkeypatch):
    def refuse(self, mode="r"):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    result = run("demo")
    assert result.exit_code == 2
    assert "'demo.png' can't be written: Permission denied" in result.output.splitlines()[-1]
    assert "images" not in result.output


def test_an_output_that_exists_is_left_alone_until_the_end(run, tmp_path):
    (tmp_path / "kept.png").write_text("old")
    assert run("demo", "--output", "kept.png", "--hidden", "9" * 30).exit_code == 2
    assert (tmp_path / "kept.png").read_text() == "old"


def test_formats_that_cannot_be_written_here_are_named(run, monkeypatch):
    def without_tex(self, target, format=None, **options):
        raise RuntimeError("'xelatex' not found")

    monkeypatch.setattr(Figure, "savefig", without_tex)
    result = run("demo", "--output", "x.pgf")
    assert result.exit_code == 2
    assert "pgf files can't be written here: \"'xelatex' not found\"" in result.output


def test_a_full_disk(run, monkeypatch, empty_picture):
    save = Figure.savefig

    def savefig(self, target, **options):
        if isinstance(target, Path):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, target, **options)

    monkeypatch.setattr(Figure, "savefig", savefig)
    result = run("demo", "--epochs", 1, "--hidden", 4)
    assert result.exit_code == 1
    assert result.output.endswith("Error: demo.png can't be written: No space left on device\n")


def test_a_file_of_figures_that_cannot_be_written(tmp_path):
    (tmp_path / "b.json").mkdir()
    with pytest.raises(CommandError, match=r"b\.json can't be written: Is a directory"):
        write_json(tmp_path / "b.json", {})


ROWS = np.arange(12)


def _archive(**changes):
    X, y = np.zeros((12, 4), np.uint8), ROWS % 6
    return {"X_train": X, "y_train": y, "X_test": X, "y_test": y} | changes


def _with(value, dtype=float):
    """Return images one of whose pixels has this value."""
    X = np.zeros((12, 4), dtype)
    X[7, 2] = value
    return {"X_train": X, "X_test": np.zeros((12, 4), dtype)}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X_train": np.zeros((2, 4)), "y_train": np.zeros(2)}, "lacks X_test, y_test"),
        (_archive(y_train=np.arange(5)), "X_train (12, 4) and y_train (5,)"),
        (_archive(y_train=np.zeros((12, 3))), "X_train (12, 4) and y_train (12, 3)"),
        (_archive(X_train=np.zeros(12)), "X_train (12,) and y_train (12,)"),
        (_archive(X_train=np.array(1), y_train=np.array(1)), "X_train () and y_train ()"),
        (_archive(X_test=np.zeros((12, 3))), "X_train have shape (4,), of X_test (3,)"),
        (_archive(X_test=np.zeros((0, 4)), y_test=np.zeros(0)), "X_test (0, 4)"),
        (_archive(X_train=np.full((12, 4), "a")), "X_train must hold numbers"),
        (_archive(X_test=np.zeros((12, 4), complex)), "X_test must hold numbers, not complex128"),
        (_archive(**_with(np.nan)), "X_train must hold finite numbers; got nan at index (7, 2)"),
        (_archive(**_with(np.inf)), "X_train must hold finite numbers; got inf at index (7, 2)"),
        (_archive(**_with(-1e300)), "X_train holds numbers too large for float32"),
        (
            _archive(X_test=np.zeros((12, 4))),
            "must hold numbers of the same type; got uint8",
        ),
        (
            _archive(X_train=np.zeros((10, 4), np.uint8), y_train=np.arange(10)),
            "X_train holds 10 images; at least 11 are needed, since a tenth of them",
        ),
        (_archive(y_test=np.array([None] * 12)), "y_test does not hold a plain array"),
        (_archive(y_train=np.zeros(12)), "y_train holds only one label, 0.0, so there"),
        (_archive(y_train=np.arange(12) / 2), "whole numbers or text; got 0.5 at index 1"),
        (_archive(y_test=np.full(12, np.nan)), "y_test must hold whole numbers or text; got nan"),
        (_archive(y_test=np.full(12, np.inf)), "y_test must hold whole numbers or text; got inf"),
        (_archive(y_train=np.arange(12) * 1j), "whole numbers or text, not complex128"),
        (_archive(y_train=np.arange(12).astype("M8[D]")), "or text, not datetime64[D]"),
        (_archive(y_train=np.arange(12).astype("S")), "y_train must hold whole numbers or text"),
        (_archive(y_train=np.arange(12).astype(str)), "must both hold numbers, or both text"),
    ],
)
def test_wrong_archive(run, tmp_path, arrays, message):
    path = tmp_path / "wrong.npz"
    np.savez(path, **arrays)
    result = run("demo", "--data", path)
    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert line.startswith(f"Error: {path}")
    assert message in line


@pytest.mark.parametrize(
    "given",
    [
        {"y_train": (ROWS % 3).astype(str), "y_test": (ROWS % 3).astype(str)},
        {"y_train": ROWS % 3.0, "y_test": ROWS % 3.0},
        {"y_test": ROWS % 4},
        _with(1e300),
        _with(2**60, np.int64),
        _with(True, bool),
        _with(1, np.float16),
    ],
)
def test_archives_of_many_kinds_are_learnt_from(run, tmp_path, given, empty_picture):
    np.savez(tmp_path / "right.npz", **_archive(**given))
    result = run("demo", "--data", "right.npz", "--epochs", 1, "--hidden", 4, "--threads", 1)
    assert result.exit_code == 0, result.output


def test_images_none_of_which_can_be_held_out(run, tmp_path, empty_picture):
    np.savez(tmp_path / "few.npz", **_archive(y_train=ROWS))
    result = run("demo", "--data", "few.npz", "--epochs", 1, "--threads", 1)
    assert result.exit_code == 2
    assert "Error: few: The validation set is too small" in result.output


def _damaged(archive, name, change):
    """Return the bytes of an .npz file in which an array's bytes have been changed."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for key, array in archive.items():
            member = io.BytesIO()
            np.save(member, array)
            file.writestr(
                f"{key}.npy", change(member.getvalue()) if key == name else member.getvalue()
            )
    return content.getvalue()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda content: content[:-9],
            "X_test does not hold a plain array (ValueError('EOF",
        ),
        (lambda content: b"garbage", "X_test does not hold an array; write one with numpy.savez"),
        (
            lambda content: content.replace(b"(12, 4), }" + b" " * 9, b"(99999999999, 4), }"),
            "X_test does not hold a plain array (",
        ),
    ],
)
def test_damaged_archive(run, tmp_path, change, message):
    path = tmp_path / "damaged.npz"
    path.write_bytes(_damaged(_archive(), "X_test", change))
    result = run("demo", "--data", path)
    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert message in line


def test_archive_whose_bytes_have_changed(run, tmp_path):
    content = bytearray(_damaged(_archive(), "X_train", lambda content: content))
    content[content.index(b"\x93NUMPY") + 130] ^= 255
    (tmp_path / "changed.npz").write_bytes(content)
    result = run("demo", "--data", "changed.npz")
    assert result.exit_code == 2
    assert 'X_train does not hold a plain array (BadZipFile("Bad CRC-32' in result.output


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_file_that_is_no_archive(run, tmp_path, content):
    path = tmp_path / "odd.npz"
    path.write_bytes(content)
    result = run("demo", "--data", path)
    assert result.exit_code == 2
    assert result.output == f"Error: {path} is not an .npz archive\n"


def test_single_array_is_no_archive(run, tmp_path):
    np.save(tmp_path / "one.npy", np.zeros(3))
    result = run("demo", "--data", tmp_path / "one.npy")
    assert result.exit_code == 2
    assert "is not an .npz archive" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (
            "nowhere",
            "FASTMLP_DATA names 'nowhere', which can't be used: No such file or directory",
        ),
        ("a" * 5000, "which can't be used: File name too long"),
        (os.devnull, f"{os.devnull} is not an .npz archive"),
    ],
)
def test_environment_that_leads_nowhere(run, monkeypatch, place, message):
    monkeypatch.setenv("FASTMLP_DATA", place)
    result = run("demo")
    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert line.endswith(message)


# -- what stops a command -------------------------------------------------------------------------


def interrupt(*_):
    raise KeyboardInterrupt


def test_interrupted_training_shows_what_was_learnt(run, monkeypatch, tmp_path, empty_picture):
    monkeypatch.setattr(
        work, "_show", lambda progress, bar, record: record.epoch == 3 and interrupt()
    )
    result = run("demo", "--hidden", 16, "--threads", 1)
    assert result.exit_code == 130
    assert "interrupted after 3 of 60 epochs; what was learnt so far is kept" in result.output
    assert re.search("test accuracy .* for each of 3 epochs", result.output, re.DOTALL)
    assert (tmp_path / "demo.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("words", "function"),
    [
        (["demo"], "fastmlp.MLPClassifier.fit"),
        (["bench"], "fastmlp.cli.bench.peak_of"),
        (["info"], "fastmlp.config.show_config"),
    ],
)
def test_interrupted_before_anything_was_done(run, monkeypatch, tmp_path, words, function):
    monkeypatch.setattr(function, interrupt)
    result = run(*words)
    assert result.exit_code == 130
    assert result.output.splitlines()[-1] == "Interrupted before the work was done."
    assert list(tmp_path.iterdir()) == []


def test_interrupted_within_the_first_epoch(run, monkeypatch, tmp_path):
    monkeypatch.setattr(TrainingRun, "_epoch", interrupt)
    result = run("demo", "--hidden", 4)
    assert result.exit_code == 130
    assert result.output.splitlines()[-1] == "Interrupted before the work was done."
    assert list(tmp_path.iterdir()) == []


def test_diverged_training(run, monkeypatch):
    def diverge(*_):
        raise DivergenceError("The loss became infinite.")

    monkeypatch.setattr(TrainingRun, "run", diverge)
    result = run("demo", "--hidden", 4)
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "Error: The loss became infinite."


def test_other_warnings_of_a_fit_are_passed_on(run, monkeypatch, empty_picture):
    monkeypatch.setattr(
        work, "_show", lambda progress, bar, record: warnings.warn("odd", stacklevel=1)
    )
    with pytest.warns(UserWarning, match="odd"):
        assert run("demo", "--hidden", 4, "--epochs", 1).exit_code == 0


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "Error: No space left on device"),
        (MemoryError("so many bytes"), "Error: not enough memory: so many bytes"),
        (WrongResultError("off by 3"), "Error: off by 3"),
    ],
)
def test_what_stops_a_command_is_one_line(run, monkeypatch, error, line):
    def fail():
        raise error

    monkeypatch.setattr("fastmlp.config.show_config", fail)
    result = run("info")
    assert result.exit_code == 1
    assert result.output == f"{line}\n"


def test_a_reader_that_has_seen_enough():
    """Nothing is said of a broken pipe, nor of a matplotlib backend that does not exist."""
    code = "from fastmlp.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "info"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"MPLBACKEND": "nonsense"},
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


def exit_status(monkeypatch, *words):
    """Return the status with which the console script ends."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setattr(sys, "argv", ["fastmlp", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code


def test_without_standard_output(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert exit_status(monkeypatch, "info") == 0


def test_a_terminal_that_knows_ascii_only(monkeypatch):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr("fastmlp.config.show_config", lambda: print("a ÷ b"))
    assert exit_status(monkeypatch, "info") == 0
    assert stdout.buffer.getvalue() == b"a ? b\n"


def test_interrupted_while_modules_are_imported(monkeypatch, capsys):
    monkeypatch.setattr("fastmlp.cli.app.commands", lambda prog_name: interrupt())
    assert exit_status(monkeypatch, "info") == 130
    assert capsys.readouterr().err == "Interrupted before the work was done.\n"


def test_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == "rich" else object())
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert "needs rich" in stop.value.code
    assert 'pip install "fastmlp[cli]"' in stop.value.code


def test_main_runs_a_command(monkeypatch, capsys):
    assert exit_status(monkeypatch, "--version") == 0
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
    (line,) = result.output.splitlines()
    assert line.startswith("Error: FASTMLP_ISA must be one of")
    assert run(command, "--help").exit_code == 0


def test_an_unknown_size_of_the_cache_is_refused(run, monkeypatch):
    get_backend.cache_clear()
    monkeypatch.setenv("FASTMLP_L2", "3M")
    result = run("info")
    assert result.exit_code == 2, result.output
    expected = "Error: FASTMLP_L2 must be 256K or 512K or 1M or 2M; got '3M'."
    assert result.output.splitlines() == [expected]


def test_trying_a_link_to_no_file_leaves_it(tmp_path):
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "target.txt")
    assert Output().convert(str(link), None, None) == link
    assert [path.name for path in tmp_path.iterdir()] == ["link.txt"]

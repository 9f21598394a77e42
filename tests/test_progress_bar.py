"""verbose="bar": what is drawn while a model learns."""

from __future__ import annotations

import importlib.util
import io
import re
import sys
import threading

import numpy as np
import pytest
from rich.console import Console

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators import memo
from fastmlp.training import clock, progress_bar

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 3))
Y = X[:, 0] - X[:, 1]


@pytest.fixture
def drawn(monkeypatch):
    """What is written to a terminal of 100 columns."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(progress_bar, "console_to_draw_on", lambda: console)
    return out


def lines_of(out):
    """Return what was ever shown on a line, without the cursor's movements."""
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    return [line.strip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


def regressor(**parameters):
    defaults = {"hidden_layer_sizes": (4,), "max_iter": 7, "random_state": 0, "verbose": "bar"}
    return MLPRegressor(**{**defaults, **parameters})


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_bar_ends_full_with_the_loss_and_the_reason(drawn, solver):
    model = regressor(solver=solver).fit(X, Y)
    first, *_, last, reason = lines_of(drawn)
    assert first.split()[:2] == ["Epoch", "0/7"]
    assert last.split()[:2] == ["Epoch", "7/7"]
    assert "━━━━" in last
    assert last.endswith(f"loss {model.loss_:.4g}")
    assert reason == model.stop_reason_


def test_the_bar_has_the_score_and_ends_where_the_fit_ends(drawn):
    model = MLPClassifier((4,), early_stopping=True, tol=1.0, n_iter_no_change=2, verbose="bar")
    model.fit(X, Y > 0)
    *_, last, reason = lines_of(drawn)
    n, score = model.n_iter_, model.validation_scores_[-1]
    assert n < 10
    assert last.split()[:2] == ["Epoch", f"{n}/{n}"]
    assert last.endswith(f"loss {model.loss_:.4g}  score {score:.4f}")
    assert reason == model.stop_reason_


@pytest.mark.parametrize(("limit", "left"), [(None, "0:00:40"), (29.0, "0:00:19")])
def test_the_time_left_is_that_of_the_epochs_or_the_limit(monkeypatch, drawn, limit, left):
    """Ten seconds an epoch, forty for the last four of five."""
    time = [0.0]
    monkeypatch.setattr(clock, "now", lambda: time[0])
    shown = []
    figures = progress_bar._figures
    monkeypatch.setattr(
        progress_bar, "_figures", lambda state: shown.append(figures(state)) or shown[-1]
    )

    def in_ten_seconds(*_):
        time[0] += 10
        return 0

    monkeypatch.setattr("fastmlp.training.loop.shuffle", in_ten_seconds)
    model = regressor(max_iter=5, time_limit=limit).fit(X, Y)
    assert shown[0].endswith(f"  {left} left")
    assert model.n_iter_ == len(shown) == (5 if limit is None else 2)


def test_a_smaller_rate_is_told_above_the_bar(drawn):
    policy = {"solver": "sgd", "learning_rate": "adaptive", "tol": 1e9, "n_iter_no_change": 1}
    regressor(**policy).fit(X, Y)
    assert any("Setting learning rate to 0.000200" in line for line in lines_of(drawn))


def test_an_error_ends_the_drawing(drawn):
    def fail(record):
        raise OSError

    before = threading.enumerate()
    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        regressor(callbacks=[fail]).fit(X, Y)
    for thread in set(threading.enumerate()) - set(before):
        thread.join(timeout=30)
        assert not thread.is_alive()
    assert "\x1b[?25h" in drawn.getvalue()  # the cursor is shown again


def test_the_bar_changes_nothing(drawn):
    plain = regressor(verbose=False).fit(X, Y)
    assert regressor().fit(X, Y).loss_curve_ == plain.loss_curve_
    assert regressor().partial_fit(X, Y).n_iter_ == 1


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    assert importlib.util.find_spec("rich") is None
    memo._kept.cache_clear()  # parameters that were right once are not looked at again
    text = r'^verbose=\'bar\' needs rich; install it with: pip install "fastmlp\[cli\]"$'
    with pytest.raises(ImportError, match=text):
        regressor().fit(X, Y)


def test_its_name_in_any_case(capsys):
    regressor(verbose="BAR").fit(X, Y)
    assert "Epoch" in capsys.readouterr().out


def test_without_a_terminal_the_end_is_written(capsys):
    model = regressor().fit(X, Y)
    bar, reason = capsys.readouterr().out.splitlines()
    assert bar.split()[:2] == ["Epoch", "7/7"]
    assert reason == model.stop_reason_

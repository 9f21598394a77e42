"""Curves and counters go on under warm starts and partial fits, without growing for ever."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers_rejection import X, Y, regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import train_test_split

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.training import history

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


#: In place of the thousand that are kept.
LATEST = 50


@pytest.fixture(autouse=True)
def _short_memory(monkeypatch):
    monkeypatch.setattr(history, "LATEST_PARTIAL_FITS", LATEST)


def stream(model, n_parts):
    """Learn from so many parts of one row; return the loss of each."""
    losses = []
    for n in range(n_parts):
        row = slice(n % 40, n % 40 + 1)
        losses.append(model.partial_fit(X[row], Y[row]).loss_)
    return losses


def small(**parameters):
    return regressor(hidden_layer_sizes=(), random_state=0, **parameters)


def test_the_curves_of_a_stream_have_its_latest_parts():
    model = small()
    losses, sizes = [], []
    for _ in range(2):
        losses += stream(model, LATEST + 10)
        assert model.loss_curve_ == losses[-LATEST:]
        sizes.append(len(pickle.dumps(model)))
    assert sizes[0] == sizes[1]
    assert len(model.cost_curve_) == LATEST
    assert model.t_ == 2 * (LATEST + 10)
    assert model.n_iter_ == 1
    assert model.stop_reason_ == "A partial fit is one epoch."


def test_the_curves_of_fits_are_kept_whole():
    model = small(warm_start=True).fit(X, Y)
    fitted = model.loss_curve_
    losses = stream(model, LATEST + 1)
    assert model.loss_curve_ == fitted + losses[1:]
    model.fit(X, Y)
    assert model.loss_curve_[:-3] == fitted + losses[1:]
    later = stream(model, 2)
    assert model.loss_curve_[-2:] == later
    assert len(model.loss_curve_) == 3 + LATEST + 3 + 2
    assert model.set_params(warm_start=False).fit(X, Y).loss_curve_ == fitted


def test_scores_are_missing_where_none_were_taken():
    model = regressor(warm_start=True, random_state=0, early_stopping=True).fit(X, Y)
    model.set_params(early_stopping=False).partial_fit(X, Y)
    assert model.validation_scores_ is None
    model.set_params(early_stopping=True).fit(X, Y)
    assert_array_equal(np.isnan(model.validation_scores_), [False] * 3 + [True] + [False] * 3)
    assert len(model.loss_curve_) == len(model.cost_curve_) == 7


def test_the_best_loss_of_a_stream_is_that_of_its_epochs():
    model = small()
    losses = stream(model, 5)
    assert model.best_loss_ == min(losses)
    model.set_params(warm_start=True).fit(X, Y)
    assert model.best_loss_ == min(model.loss_curve_[-3:])


@pytest.mark.parametrize("name", ["loss_curve_", "cost_curve_", "validation_scores_"])
def test_a_curve_is_a_list_of_ones_own(name):
    model = regressor(early_stopping=True, random_state=0).fit(X, Y)
    getattr(model, name).clear()
    assert len(getattr(model, name)) == 3


# -- the table -------------------------------------------------------------------------------------

COLUMNS = [
    "epoch",
    "loss",
    "cost",
    "validation_loss",
    "validation_score",
    "learning_rate",
    "seconds",
]


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_the_table_has_a_row_for_each_epoch(solver):
    records = []
    model = regressor(random_state=0, solver=solver, callbacks=[records.append]).fit(X, Y)
    table = pd.DataFrame(model.history_)
    assert list(table) == COLUMNS
    assert list(table.epoch) == [1, 2, 3]
    assert list(table.loss) == model.loss_curve_
    assert list(table.cost) == model.cost_curve_
    assert table.validation_loss.isna().all()
    assert table.validation_score.isna().all()
    assert list(table.seconds) == [record.seconds for record in records]
    assert_array_equal(table.learning_rate, np.full(3, np.nan if solver == "lbfgs" else 0.001))


def test_the_rate_of_an_epoch_is_that_of_its_updates():
    records = []
    policy = {"solver": "sgd", "learning_rate": "invscaling", "callbacks": [records.append]}
    rates = regressor(random_state=0, **policy).fit(X, Y).history_["learning_rate"]
    assert rates == [0.001, *(record.learning_rate for record in records[:-1])]


def test_metrics_are_columns():
    def measure(record):
        if record.epoch > 1:
            record.add_metric("f1", record.epoch / 10)
        record.add_metric("norm", 2)

    model = regressor(random_state=0, callbacks=[measure], warm_start=True).fit(X, Y)
    table = pd.DataFrame(model.history_)
    assert list(table) == [*COLUMNS, "norm", "f1"]
    assert_array_equal(table.f1, [np.nan, 0.2, 0.3])
    assert list(table.norm) == [2.0] * 3
    assert pd.DataFrame(
        pickle.loads(pickle.dumps(model.set_params(callbacks=None))).history_
    ).equals(table)
    model.fit(X, Y)
    assert_array_equal(model.history_["norm"], [2.0] * 3 + [np.nan] * 3)


HELD_OUT = [
    (MLPRegressor, {"loss": loss, "standardize_target": unit})
    for loss in ("squared_error", "absolute_error", "huber", "gaussian_nll", "pinball")
    for unit in (False, True)
] + [
    (MLPRegressor, {"loss": "pinball", "quantiles": (0.1, 0.7)}),
    (MLPClassifier, {}),
    (MLPClassifier, {"loss": "focal"}),
    (MLPClassifier, {"label_smoothing": 0.2}),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("cls", "parameters"), HELD_OUT)
def test_the_held_out_loss_is_the_cost_of_the_held_out_rows(cls, parameters, weighted):
    """Of a network that stays as it began: its weights are given, so the rows are drawn first."""
    parameters = {"dtype": "float64", "solver": "sgd", "learning_rate_init": 1e-300, **parameters}
    model = cls(hidden_layer_sizes=(), early_stopping=True, max_iter=2, **parameters)
    model.set_params(init=lambda i, o, rng: np.linspace(-1, 1, i * o).reshape(i, o))
    y = np.array(["a", "b", "c"])[np.digitize(Y, [-1, 1])] if cls is MLPClassifier else 5 + 9 * Y
    weights = np.linspace(0.1, 2, len(Y)) if weighted else None
    model.set_params(random_state=np.random.RandomState(0)).fit(X, y, weights)
    _, rows = train_test_split(
        np.arange(len(Y)), test_size=0.1, random_state=np.random.RandomState(0)
    )
    judged = None if weights is None else weights[rows]
    expected = model.cost(X[rows], y[rows], judged)
    assert_allclose(model.history_["validation_loss"], [expected] * 2, rtol=1e-12)
    assert model.history_["validation_score"] == model.validation_scores_


def test_epochs_are_counted_from_the_first_of_all():
    model = small(warm_start=True).fit(X, Y)
    stream(model, LATEST + 7)
    kept = [*range(1, 4), *range(11, LATEST + 11)]
    assert model.history_["epoch"] == kept
    model.fit(X, Y)
    assert model.history_["epoch"] == [*kept, *range(LATEST + 11, LATEST + 14)]
    assert {len(column) for column in model.history_.values()} == {len(model.loss_curve_)}


def test_the_table_of_a_stream_has_rates_and_times():
    model = small(solver="sgd", learning_rate="invscaling")
    stream(model, 3)
    table = pd.DataFrame(model.history_)
    assert_allclose(table.learning_rate, 0.001 / np.sqrt([1, 2, 3]))
    assert (table.seconds > 0).all()
    assert table.validation_score.isna().all()


def test_an_epoch_that_diverged_is_in_the_table():
    def overflow(record):
        if record.epoch == 2:
            model.coefs_[-1] = np.full((4, 1), 1e30)

    model = regressor(early_stopping=True, random_state=0, callbacks=[overflow])
    model.set_params(activation="identity", solver="sgd").fit(X, Y)
    table = pd.DataFrame(model.history_)
    assert_array_equal(table.loss.isna(), [False, False, True])
    assert_array_equal(table.validation_loss.isna(), [False, False, True])

"""Curves and counters go on under warm starts and partial fits, without growing for ever."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from helpers_rejection import X, Y, regressor
from numpy.testing import assert_array_equal

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

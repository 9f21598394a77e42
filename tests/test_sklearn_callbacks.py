"""Callbacks of scikit-learn's own interface, which it has from version 1.9 on."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from helpers_rejection import LABELS, X, Y, classifier, regressor, state_of
from joblib import parallel_config
from numpy.testing import assert_array_equal, assert_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import MLPClassifier
from fastmlp.training import loop

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has it from 1.9 on")


class Listener:
    """Takes down what it is told; refers to nothing that a pickle or a copy should not have."""

    def __init__(self, stop_in=None, fail=None):
        self.stop_in, self.fail, self.heard = stop_in, fail, []

    def _hear(self, what):
        self.heard.append(what)
        if what == self.fail:
            raise OSError(what)

    def setup(self, estimator, context):
        self._hear("setup")

    def teardown(self, estimator, context):
        self._hear("teardown")

    def on_fit_task_begin(self, estimator, context):
        self._hear(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context):
        self._hear(f"end {context.task_name}")
        return context.task_name == "epoch" and context.task_id == self.stop_in


class Propagated(Listener):
    """Goes on from a pipeline or a search to what is in it."""

    max_propagation_depth = None


def epochs(n):
    return ["begin epoch", "end epoch"] * n


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_each_epoch_is_a_task(solver):
    listener = Listener()
    model = regressor(random_state=0, solver=solver).set_callbacks(listener)
    assert model.fit(X, Y) is model
    fit = ["begin fit", *epochs(3), "end fit"]
    assert listener.heard == ["setup", *fit, "teardown"]
    plain = regressor(random_state=0, solver=solver).fit(X, Y)
    assert model.loss_curve_ == plain.loss_curve_
    assert vars(model).keys() - vars(plain).keys() == {"_skl_callbacks"}
    model.fit(X, Y)
    assert listener.heard == 2 * ["setup", *fit, "teardown"]
    assert "_skl_callbacks" not in vars(model.set_callbacks())


def test_only_callbacks_are_taken():
    for wrong in (None, print, Listener):
        with pytest.raises(TypeError, match="FitCallback protocol"):
            regressor().set_callbacks(wrong)


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_callback_ends_the_fit(solver, capsys):
    listener = Listener(stop_in=1)
    model = regressor(random_state=0, solver=solver, verbose=True).set_callbacks(listener)
    model.fit(X, Y)
    assert model.n_iter_ == 2
    assert model.stop_reason_ == "A callback of scikit-learn's ended the fit."
    assert capsys.readouterr().out.splitlines()[-1] == model.stop_reason_
    assert listener.heard == ["setup", "begin fit", *epochs(2), "end fit", "teardown"]


@pytest.mark.parametrize(
    "moment", ["setup", "begin fit", "begin epoch", "end epoch", "end fit", "teardown"]
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_what_a_callback_raises_changes_nothing(solver, moment):
    model = regressor(random_state=0, solver=solver).fit(X, Y)
    before, names = state_of(model), set(vars(model))
    listener = Listener(fail=moment)
    with pytest.raises(OSError, match=f"^{moment}$"):
        model.set_params(alpha=1.0).set_callbacks(listener).fit(X, Y)
    assert listener.heard.count("teardown") == 1
    assert_equal(state_of(model), before)
    assert set(vars(model)) - names == {"_skl_callbacks"}


def test_an_epoch_that_is_not_trained_to_its_end_ends_as_a_task(monkeypatch):
    def interrupted(run):
        raise KeyboardInterrupt

    listener = Listener()
    model = regressor(random_state=0).set_callbacks(listener)
    monkeypatch.setattr(loop.TrainingRun, "_pass_over_data", interrupted)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert listener.heard == ["setup", "begin fit", *epochs(1), "end fit", "teardown"]


def test_partial_fits_tell_nothing():
    listener = Listener()
    regressor().set_callbacks(listener).partial_fit(X, Y).partial_fit(X[:1], Y[:1])
    assert listener.heard == []


# -- models that they see --------------------------------------------------------------------------


class Judge(Listener):
    """Scores the model as of each epoch on the data of the fit, and keeps copies of it."""

    def __init__(self):
        super().__init__()
        self.scores, self.copies, self.given = [], [], None

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.given = X, y, metadata
        self.scores.append(fitted_estimator.score(X, y, **metadata))
        self.copies.append(fitted_estimator)
        assert estimator.loss_ == fitted_estimator.loss_


@pytest.mark.parametrize("parameters", [{}, {"solver": "lbfgs"}, {"early_stopping": True}])
def test_models_as_of_each_epoch_can_predict(parameters):
    judge, told, weights = Judge(), [], np.linspace(0.5, 1.5, 40)
    model = classifier(random_state=0, **parameters).set_callbacks(judge)
    model.set_params(callbacks=[lambda record: told.append(model.score(X, LABELS, weights))])
    model.fit(X, LABELS, weights)
    assert judge.scores == [*told, model.score(X, LABELS, weights)]
    assert judge.given[0] is X
    assert judge.given[1] is LABELS
    assert judge.given[2]["sample_weight"] is weights
    *epochs_, last = judge.copies
    assert [each.n_iter_ for each in epochs_] == [1, 2, 3]
    assert len({each.coefs_[0].tobytes() for each in epochs_}) == 3
    assert_array_equal(last.coefs_[0], model.coefs_[0])
    assert last.stop_reason_ == model.stop_reason_
    kept = pickle.loads(pickle.dumps(epochs_[0].set_callbacks().set_params(callbacks=None)))
    assert vars(kept).keys() == vars(clone(model).set_callbacks()).keys() | {"_published"}
    kept.set_params(warm_start=True).fit(X, LABELS)


def test_a_copy_made_meanwhile_is_detached_from_the_fit():
    copies = []
    model = regressor(callbacks=[lambda record: copies.append(copy.deepcopy(model))])
    model.set_callbacks(Listener()).fit(X, Y)
    assert "_callback_fit_ctx" not in vars(copies[0])
    assert copies[0].set_params(callbacks=None).fit(X, Y).n_iter_ == 3


# -- scikit-learn's own ----------------------------------------------------------------------------


def test_the_scoring_monitor_has_the_score_of_each_epoch():
    monitor, told = callback.ScoringMonitor(scoring="accuracy"), []
    model = classifier(random_state=0, max_iter=5).set_callbacks(monitor)
    model.set_params(callbacks=[lambda record: told.append(model.score(X, LABELS))])
    model.fit(X, LABELS)
    log = monitor.get_logs().data_as_pandas
    epochs_ = log[log.task_name == "epoch"]
    assert list(epochs_.task_id) == list(range(5))
    assert list(epochs_.accuracy) == told
    assert list(log.estimator_name) == ["MLPClassifier"] * 6


def test_the_progress_bar_is_drawn(capsys):
    regressor(max_iter=7).set_callbacks(callback.ProgressBar()).fit(X, Y)
    assert "MLPRegressor - fit" in capsys.readouterr().out


def test_a_pipeline_hands_them_on(capsys):
    listener = Propagated()
    model = make_pipeline(StandardScaler(), classifier(random_state=0))
    model.set_callbacks(callback.ProgressBar(), listener).fit(X, LABELS)
    assert listener.heard.count("end epoch") == 3
    assert [listener.heard[0], listener.heard[-1]] == ["setup", "teardown"]
    assert listener.heard.count("setup") == 1
    assert "MLPClassifier - fit" in capsys.readouterr().out
    assert "_skl_callbacks" not in vars(model[-1])
    plain = make_pipeline(StandardScaler(), classifier(random_state=0)).fit(X, LABELS)
    assert model[-1].loss_curve_ == plain[-1].loss_curve_


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_hands_them_on(n_jobs):
    listener = Propagated()
    search = GridSearchCV(classifier(random_state=0), {"alpha": [0.1, 1.0]}, cv=2, n_jobs=n_jobs)
    with parallel_config(backend="threading"):
        search.set_callbacks(listener).fit(X, LABELS)
    assert listener.heard.count("end epoch") == 5 * 3
    assert search.best_estimator_.n_iter_ == 3


def test_each_model_of_a_search_is_monitored():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = MLPClassifier((4,), max_iter=3, random_state=0).set_callbacks(monitor)
    GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2).fit(X, LABELS)
    log = monitor.get_logs().data_as_pandas
    assert (log.task_name == "epoch").sum() == 5 * 3
    assert log.accuracy.between(0, 1).all()

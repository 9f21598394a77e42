"""Races of recipes: who is chosen, what goes wrong on the way, time, and what is shown."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from helpers_clock import slow_clock
from helpers_tabular import FRAME, GREEN, LABELS, TINY, Y, classifier, racing, regressor
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.base import clone
from sklearn.metrics import brier_score_loss

from fastmlp.notices import notify, quietly
from fastmlp.tabular import Leaderboard, Recipe
from fastmlp.tabular.calibration import best_temperature, tempered
from fastmlp.tabular.leaderboard import Place
from fastmlp.tabular.selection import greedy_weights
from fastmlp.training.divergence import DivergenceError

# -- choosing --------------------------------------------------------------------------------------


def test_greedy_weights_take_what_helps():
    truth = np.arange(4.0)
    error = lambda p: float(np.abs(p - truth).mean())  # noqa: E731
    assert_array_equal(greedy_weights([truth + 5, truth], error), [0, 1])
    assert_array_equal(greedy_weights([truth + 3, truth - 1], error, 4), [0.25, 0.75])
    assert_array_equal(greedy_weights([truth], lambda p: np.nan), [1])


def test_greedy_weights_of_errors_that_are_no_numbers():
    models = [np.array([1.0]), np.array([2.0])]
    assert_array_equal(greedy_weights(models, lambda p: np.nan), [0.5, 0.5])
    assert_array_equal(greedy_weights(models, lambda p: np.inf), [0.5, 0.5])
    of_second = lambda p: 1.0 if p[0] == 2 else np.nan  # noqa: E731
    assert_array_equal(greedy_weights(models, of_second), [0, 1])


@pytest.mark.parametrize("metric", ["error", "accuracy", "log_loss"])
def test_wrong_classes_are_too_coarse_to_weigh_by(metric, monkeypatch):
    seen = []

    def watched(predictions, error, **more):
        seen.append(error(predictions[0]))
        return greedy_weights(predictions, error, **more)

    monkeypatch.setattr("fastmlp.tabular.base.greedy_weights", watched)
    members = []
    model = classifier(metric=metric, callbacks=[members.append])
    model.fit(FRAME, GREEN, X_val=FRAME[:50], y_val=GREEN[:50])
    brier = 2 * brier_score_loss(GREEN[:50], members[0].held_out[:, 1])
    assert seen == [pytest.approx(members[0].error if metric == "log_loss" else brier)]


def test_the_best_learn_again(monkeypatch):
    slow = TINY.with_(learning_rate_init=1e-6)
    given = racing(monkeypatch, slow, TINY, n_winners=1, n_further=2)
    told = []
    model = regressor(callbacks=[told.append], **given).fit(FRAME, Y)
    assert [member.recipe for member in told] == [slow, TINY, TINY, TINY]
    assert len({member.error for member in told}) == 4
    weights = [place.weight for place in model.leaderboard_]
    assert sum(weights) == pytest.approx(1)
    assert weights[-1] == 0
    assert model.leaderboard_[-1].recipe == slow.summary


def test_the_mean_of_the_members_predicts(monkeypatch):
    given = racing(monkeypatch, TINY, TINY.with_(dropout=0.0), TINY.with_(max_iter=30))
    members = []
    model = classifier(callbacks=[members.append], metric="log_loss", **given).fit(FRAME, LABELS)
    weight = {place.recipe: place.weight for place in model.leaderboard_}
    table = model._ensemble.reader.transform(FRAME)
    mean = sum(weight[each.name] * each.predict(table) for each in members)
    p = model.predict_proba(FRAME)
    raw = model.set_params(calibrate=False).fit(FRAME, LABELS).predict_proba(FRAME)
    assert_allclose(raw, mean)
    assert_array_equal(p.argmax(axis=1), raw.argmax(axis=1))


def test_temperatures_make_probabilities_as_sure_as_they_are_right():
    rng = np.random.RandomState(0)
    logits = rng.normal(size=(20000, 3))
    p = softmax(logits, axis=1)
    truth = (rng.rand(20000, 1) > p.cumsum(axis=1)).sum(axis=1)
    for factor in (0.5, 1.0, 3.0):
        found = best_temperature(softmax(factor * logits, axis=1), truth, None)
        assert found == pytest.approx(factor, rel=0.05)
        assert_allclose(tempered(softmax(factor * logits, axis=1), factor), p)
    weights = np.repeat([1.0, 0.0], 10000)
    sharp = np.concatenate([softmax(2 * logits[:10000], axis=1), p[10000:]])
    assert best_temperature(sharp, truth, weights) == pytest.approx(2, rel=0.07)


def test_few_rows_make_no_certainty():
    p, truth = np.array([[0.9, 0.1], [0.2, 0.8], [0.85, 0.15]] * 8), np.array([0, 1, 0] * 8)
    surest = tempered(p, best_temperature(p, truth, None)).max()
    assert 0.95 < surest < 0.995


# -- what goes wrong on the way --------------------------------------------------------------------


def diverging(monkeypatch, *wrong):
    """Let recipes of these activations diverge."""
    from fastmlp.tabular import member, race

    train = member.train

    def trial(problem, recipe, *more):
        if recipe.activation in wrong:
            raise DivergenceError("gone")
        return train(problem, recipe, *more)

    monkeypatch.setattr(race, "train", trial)


def test_a_candidate_that_diverges_is_told_and_left_out(monkeypatch):
    diverging(monkeypatch, "relu")
    given = racing(monkeypatch, TINY.with_(activation="relu"), TINY)
    model = regressor(**given).fit(FRAME, Y)
    assert [place.weight for place in model.leaderboard_] == [1, 0]
    assert np.isnan(model.leaderboard_[1].error)
    assert repr(model.leaderboard_).endswith("(diverged)")
    assert "activation='relu'" in repr(model.leaderboard_)


def test_a_fit_of_which_all_candidates_diverge_changes_nothing(monkeypatch):
    model = regressor().fit(FRAME, Y)
    before = model.predict(FRAME)
    diverging(monkeypatch, "gelu", "relu")
    given = racing(monkeypatch, TINY, TINY.with_(activation="relu"))
    with pytest.raises(DivergenceError, match="gone"):
        model.set_params(**given).fit(FRAME, Y)
    assert_array_equal(model.predict(FRAME), before)


def test_a_network_that_leaves_the_finite_numbers_is_such_a_candidate(monkeypatch):
    given = racing(monkeypatch, TINY.with_(learning_rate_init=1e37, activation="relu"), TINY)
    board = regressor(**given).fit(FRAME, Y).leaderboard_
    assert [place.remark for place in board] == ["", "diverged"]


def test_predictions_that_are_not_finite_are_such_too(monkeypatch):
    from fastmlp.tabular import member

    monkeypatch.setattr(member.Learner, "predict", lambda self, table: np.full(len(table), np.nan))
    with pytest.raises(DivergenceError, match="predictions for held-out rows"):
        regressor().fit(FRAME, Y)


def ctrl_c(_):
    raise KeyboardInterrupt


def test_ctrl_c_keeps_the_members_that_there_are(monkeypatch):
    given = racing(monkeypatch, TINY, TINY.with_(dropout=0.0))
    with pytest.warns(UserWarning, match="interrupted; what was learnt is kept"):
        model = regressor(callbacks=[ctrl_c], **given).fit(FRAME, Y)
    assert len(model.leaderboard_) == 1


@pytest.mark.parametrize(("n_folds", "at", "kept"), [(1, 3, True), (2, 3, False), (2, 18, True)])
def test_ctrl_c_in_a_training(n_folds, at, kept, monkeypatch):
    from fastmlp.training.recorder import Recorder

    epochs, epoch_ended = [], Recorder.epoch_ended

    def pressed(self, state):
        epochs.append(state.epoch)
        if len(epochs) == at:
            raise KeyboardInterrupt
        epoch_ended(self, state)

    monkeypatch.setattr(Recorder, "epoch_ended", pressed)
    given = racing(monkeypatch, TINY, TINY)
    model = regressor(n_folds=n_folds, **given)
    if kept:
        with pytest.warns(UserWarning, match="interrupted; what was learnt is kept"):
            model.fit(FRAME, Y)
        assert len(model.leaderboard_) == 1
        assert len(epochs) == at
    else:
        with pytest.raises(KeyboardInterrupt):
            model.fit(FRAME, Y)
        assert not hasattr(model, "leaderboard_")


@pytest.mark.parametrize("answer", [True, 1, None])
def test_a_callback_that_returns_true_ends_the_race(answer, monkeypatch):
    given = racing(monkeypatch, TINY, TINY)
    model = regressor(callbacks=[lambda member: answer], **given).fit(FRAME, Y)
    assert len(model.leaderboard_) == (1 if answer is True else 2)


def test_what_a_callback_raises_ends_the_fit():
    model = regressor().fit(FRAME, Y)
    before = model.predict(FRAME)
    with pytest.raises(ZeroDivisionError):
        model.set_params(callbacks=[lambda member: 1 / 0]).fit(FRAME, 2 * Y)
    assert_array_equal(model.predict(FRAME), before)


def test_a_refit_does_not_change_a_prediction_that_has_begun(monkeypatch):
    from fastmlp.tabular.base import Ensemble

    predict = Ensemble.predict
    for model, first, second in (
        (classifier(), LABELS, np.where(GREEN, 7, 8)),
        (regressor(), Y, Y - 1000),
    ):
        wanted = model.fit(FRAME, first).predict(FRAME)

        def meanwhile(self, X, model=model, second=second):
            answer = predict(self, X)
            model.fit(FRAME, second)
            return answer

        with monkeypatch.context() as context:
            context.setattr(Ensemble, "predict", meanwhile)
            assert_array_equal(model.predict(FRAME), wanted)


def test_fits_in_threads_do_not_disturb_each_other():
    models = [classifier(random_state=0), classifier(random_state=1)]
    wanted = [model.fit(FRAME, LABELS).predict_proba(FRAME) for model in models]
    filters = warnings.filters[:]
    with ThreadPoolExecutor(4) as pool:
        fits = pool.map(lambda model: clone(model).fit(FRAME, LABELS), models * 3)
        for p, model in zip(wanted * 3, fits, strict=True):
            assert_array_equal(model.predict_proba(FRAME), p)
    assert warnings.filters == filters


def test_what_one_thread_leaves_out_another_one_warns_of():
    """A fit of networks is silent about their ends; a fit in another thread need not be."""
    with quietly("odd"), ThreadPoolExecutor(1) as pool:
        notify("of this thread")
        notify("odd things of this thread", RuntimeWarning)
        with pytest.raises(UserWarning, match="of another thread"):
            pool.submit(notify, "of another thread").result()


# -- time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_folds", [1, 4])
@pytest.mark.parametrize("limit", [20.0, 77.7])
def test_a_fit_takes_as_long_as_it_may(limit, n_folds, monkeypatch):
    slow = slow_clock(monkeypatch)
    slow.trained, slow.predicted = 4e-3, 1e-3
    long = TINY.with_(max_iter=10**4, batch_size=4)
    began = slow.time
    model = regressor(time_limit=limit, recipe=long, n_folds=n_folds).fit(FRAME, Y)
    assert 0.92 * limit <= slow.time - began <= 1.05 * limit
    assert len(model.leaderboard_) == 1


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("n_folds", [1, 3])
def test_a_candidate_with_little_time_learns_its_whole_course(n_folds, refit, monkeypatch):
    slow = slow_clock(monkeypatch)
    slow.trained, slow.predicted = 4e-3, 1e-3
    given = {"time_limit": 30.0, "recipe": TINY.with_(max_iter=500), "n_folds": n_folds}
    began = slow.time
    model = regressor(refit=refit, **given).fit(FRAME, Y)
    assert slow.time - began <= 1.05 * 30
    [member] = model._published.ensemble.members
    assert len(member.learners) == n_folds
    for learner in member.learners:
        rates = np.array(learner.network.history_["learning_rate"])
        assert 5 < len(rates) < 60
        assert rates.max() > 0.8 * TINY.learning_rate_init
        assert len(rates) <= learner.network.max_iter
        if not refit:
            assert rates[-1] < 0.05 * TINY.learning_rate_init


def test_a_race_ends_when_its_time_is_over(monkeypatch):
    slow = slow_clock(monkeypatch)
    slow.trained = 4e-3  # 8 seconds for 15 epochs of 136 rows
    given = racing(monkeypatch, *[TINY.with_(n_pieces=i + 1) for i in range(9)])
    began = slow.time
    model = regressor(time_limit=30.0, **given).fit(FRAME, Y)
    assert len(model.leaderboard_) == 4  # of which the last had less time
    assert [place.epochs for place in model.leaderboard_].count(15) == 3
    assert slow.time - began <= 1.05 * 30


def test_a_race_does_not_begin_what_it_has_hardly_time_for(monkeypatch):
    slow = slow_clock(monkeypatch)
    slow.trained = 4e-3
    given = racing(monkeypatch, *[TINY.with_(n_pieces=i + 1) for i in range(9)])
    assert len(regressor(time_limit=11.0, **given).fit(FRAME, Y).leaderboard_) == 1


def test_a_limit_that_is_over_at_once_gives_a_model_all_the_same():
    text = "time_limit=1e-09 seconds had passed before a network could learn"
    with pytest.warns(UserWarning, match=text):
        model = regressor(time_limit=1e-9).fit(FRAME, Y)
    assert np.isfinite(model.predict(FRAME)).all()


def test_the_choice_ends_in_time(monkeypatch):
    slow = slow_clock(monkeypatch)
    rounds = []

    def error(prediction):
        slow.time += 1
        rounds.append(prediction)
        return float(np.abs(prediction).sum())

    greedy_weights([np.ones(3), -np.ones(3)], error, deadline=slow.time + 5)
    assert len(rounds) == 6


# -- what is shown ---------------------------------------------------------------------------------


def test_the_leaderboard_is_a_table():
    board = Leaderboard(
        "rmse",
        [
            Place("slow", 2.0, 0.25, 10, 3.25),
            Place("gone", np.nan, 0.0, 0, 0.5, "diverged"),
            Place("quick", 1.0, 0.75, 7, 1.0),
        ],
    )
    assert repr(board).splitlines() == [
        "rmse  weight  epochs  seconds  recipe",
        "   1    0.75       7      1.0  quick",
        "   2    0.25      10      3.2  slow",
        " nan    0.00       0      0.5  gone (diverged)",
    ]
    frame = pd.DataFrame(board)
    assert frame["recipe"].tolist() == ["quick", "slow", "gone"]
    assert frame.columns.tolist() == ["recipe", "error", "weight", "epochs", "seconds", "remark"]
    assert board[0].recipe == "quick"
    assert [place.recipe for place in board[1:]] == ["slow", "gone"]


def test_the_leaderboard_of_a_fit(monkeypatch, capsys):
    given = racing(monkeypatch, TINY, TINY.with_(dropout=0.0))
    model = regressor(verbose=True, **given).fit(FRAME, Y)
    assert capsys.readouterr().out.count("\n") == 2
    board = model.leaderboard_
    assert [place.epochs for place in board] == [15, 15]
    assert board[0].error <= board[1].error
    assert all(place.seconds > 0 for place in board)


def test_recipes_print_as_the_list_of_their_settings():
    recipe = TINY.with_(activation="mish")
    lines = str(recipe).splitlines()
    assert len(lines) == len(vars(recipe))
    assert ["activation", "'mish'"] in [line.split() for line in lines]
    assert recipe.summary.startswith("plain, ")
    assert "activation='mish'" in recipe.summary
    assert eval(repr(recipe), {"Recipe": Recipe}) == recipe
    assert hash(recipe) == hash(TINY.with_(activation="mish"))

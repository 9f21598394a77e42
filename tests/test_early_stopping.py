"""Early stopping keeps the network that is best by its own loss, and says so if there is none."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from helpers_custom import half_square, half_square_slope
from helpers_rejection import LABELS, X, Y, assert_rejected, classifier, regressor
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import d2_absolute_error_score, d2_pinball_score, r2_score
from sklearn.model_selection import (
    GroupShuffleSplit,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from fastmlp import DivergenceError, MLPClassifier, MLPRegressor, custom_loss
from fastmlp.backends import BACKENDS, Rows
from fastmlp.estimators.holding_out import hold_out
from fastmlp.registry import REGRESSOR_LOSSES
from fastmlp.training.loop import TrainingData

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

every_backend = pytest.mark.parametrize("backend", BACKENDS)

RNG = np.random.RandomState(0)
LINE = RNG.uniform(-1, 1, size=(3000, 1))
SKEWED = LINE.ravel() + RNG.exponential(size=3000)


def stopping(loss, y=SKEWED, **parameters):
    """Return a regressor fitted with early stopping."""
    defaults = {"learning_rate_init": 0.003, "random_state": 0, "early_stopping": True}
    return MLPRegressor(loss, (32,), **{**defaults, **parameters}).fit(LINE, y)


def held_out(y):
    """Return the rows that a first fit with ``random_state=0`` and given weights holds out."""
    rng = np.random.RandomState(0)
    _, rows = train_test_split(np.arange(len(y)), test_size=0.1, random_state=rng)
    return rows


# -- what is judged --------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_a_quantile_covers_its_share(level):
    model = stopping("pinball", quantiles=level)
    # Of 3,000 rows with a share of 1/2 at most, ± 0.027 is three standard deviations.
    assert np.mean(model.predict(LINE) >= SKEWED) == pytest.approx(level, abs=0.027)
    listed = stopping("pinball", quantiles=[level])
    assert_array_equal(listed.predict(LINE).ravel(), model.predict(LINE))
    assert listed.validation_scores_ == model.validation_scores_


def test_a_standard_deviation_is_learnt_to_the_end():
    noise = np.where(LINE.ravel() > 0, 0.5, 0.1)
    y = noise * np.random.RandomState(1).normal(size=3000)  # the mean is right from the start
    model = stopping("gaussian_nll", y, learning_rate_init=0.001)
    _, std = model.predict([[-0.6], [0.6]], return_std=True)
    assert_allclose(std, [0.1, 0.5], rtol=0.2)


def first_score(loss, y, **parameters):
    """Return the score of a network that stays as it began, and what it is a score of."""
    still = {"init": initial, "solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1}
    model = stopping(loss, y, dtype="float64", **still, **parameters)
    rows = held_out(y)
    return model, model.validation_scores_[0], LINE[rows], y[rows]


def initial(fan_in, fan_out, rng):
    """Draw nothing, so that the held-out rows are the first thing that is drawn."""
    return np.linspace(-0.4, 0.5, fan_in * fan_out).reshape(fan_in, fan_out)


def by_formula(loss, model, rows, y):
    if loss == "squared_error":
        return r2_score(y, model.predict(rows))
    if loss == "absolute_error":
        return d2_absolute_error_score(y, model.predict(rows))
    if loss in ("pinball", "quantile"):
        return d2_pinball_score(y, model.predict(rows), alpha=0.5)
    if loss == "gaussian_nll":
        return norm.logpdf(y, *model.predict(rows, return_std=True)).mean() + np.log(2 * np.pi) / 2
    return -model.cost(rows, y)


@every_backend
@pytest.mark.parametrize("loss", REGRESSOR_LOSSES)
def test_the_score_is_of_the_loss(loss, backend):
    model, score, rows, y = first_score(loss, np.abs(SKEWED) + 0.1, backend=backend)
    assert_allclose(score, by_formula(loss, model, rows, y), rtol=1e-9)


@every_backend
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "gaussian_nll"])
def test_the_score_of_several_targets(loss, backend):
    y = np.c_[SKEWED, -SKEWED, LINE]
    model, score, rows, y = first_score(loss, y, backend=backend)
    assert_allclose(score, by_formula(loss, model, rows, y), rtol=1e-9)


@pytest.mark.parametrize("loss", ["squared_error", "pinball", "huber"])
def test_weights_count_in_the_score(loss):
    y = SKEWED
    weights = np.random.RandomState(2).uniform(size=3000)
    model = MLPRegressor(
        loss, (8,), early_stopping=True, max_iter=1, dtype="float64", init=initial, random_state=0
    ).set_params(solver="sgd", learning_rate_init=1e-300)
    score = model.fit(LINE, y, weights).validation_scores_[0]
    rows = held_out(y)
    judged = LINE[rows], y[rows], weights[rows]
    expected = -model.cost(*judged) if loss == "huber" else model.score(*judged)
    assert_allclose(score, expected, rtol=1e-9)


def test_a_loss_of_the_users_own_is_judged_by_itself():
    """Its name is that of a built-in loss, by which it must not be taken for it."""
    own = custom_loss(half_square, half_square_slope, name="squared_error")
    model, score, rows, y = first_score(own, SKEWED)
    assert_allclose(score, -model.cost(rows, y), rtol=1e-9)


CONSTANT_HELD_OUT = np.where(np.isin(np.arange(3000), held_out(SKEWED)), 5.0, 5 + SKEWED)
SAYS_NOTHING = "y is the same in all rows that validation_fraction=0.1 holds out"


@pytest.mark.parametrize("loss", ["squared_error", "pinball", "absolute_error"])
def test_rows_with_one_target_are_judged_by_the_cost(loss):
    """R² and D² would be 0 for every network, so that the fit would end after twelve epochs."""
    with pytest.warns(UserWarning, match=SAYS_NOTHING):
        model, score, rows, y = first_score(loss, CONSTANT_HELD_OUT)
    assert (y == 5).all()
    assert_allclose(score, -model.cost(rows, y), rtol=1e-9)
    with pytest.warns(UserWarning, match=SAYS_NOTHING):
        model = stopping(
            loss, CONSTANT_HELD_OUT, init=initial, max_iter=100, standardize_target=False
        )
    assert model.n_iter_ > 12
    assert model.validation_scores_[0] < 3 * model.best_validation_score_ < 0


def test_weights_leave_rows_with_one_target():
    y = CONSTANT_HELD_OUT.copy()
    y[held_out(y)[0]] = 7
    weights = np.ones(3000)
    weights[held_out(y)[0]] = 0
    model = MLPRegressor("squared_error", (8,), early_stopping=True, init=initial, random_state=0)
    with pytest.warns(UserWarning, match=SAYS_NOTHING):
        model.set_params(max_iter=1).fit(LINE, y, weights)
    assert model.validation_scores_[0] < -2


@pytest.mark.filterwarnings("error")
def test_a_target_that_never_varies_is_nothing_to_warn_of():
    assert stopping("squared_error", np.full(3000, 0.1), max_iter=1000).best_validation_score_ < 0


# -- overflow --------------------------------------------------------------------------------------


@every_backend
@pytest.mark.parametrize("loss", ["squared_error", "huber", "pinball", "gaussian_nll"])
def test_an_overflow_is_a_divergence(loss, backend):
    model = MLPRegressor(loss, (8,), solver="sgd", learning_rate_init=1e30, backend=backend)
    model.set_params(early_stopping=True, random_state=0)
    with pytest.raises(DivergenceError, match=r"infinite or NaN in epoch 1\. Try a smaller"):
        model.fit(LINE, SKEWED)
    assert not hasattr(model, "coefs_")


@every_backend
def test_an_overflow_of_a_classifier_is_a_divergence(backend):
    model = MLPClassifier((8,), solver="sgd", learning_rate_init=1e38, backend=backend)
    model.set_params(early_stopping=True, random_state=0, batch_size=2700)
    with pytest.raises(DivergenceError, match="became infinite or NaN in epoch"):
        model.fit(LINE, SKEWED > 0)


@every_backend
def test_an_overflow_on_the_held_out_rows_alone_is_a_divergence(backend):
    """One update of the whole batch: the loss before it is finite, the network after it isn't."""
    model = MLPRegressor("squared_error", (8,), solver="sgd", learning_rate_init=1e38)
    model.set_params(backend=backend, early_stopping=True, batch_size=2700, max_iter=1)
    with pytest.raises(DivergenceError, match="validation score became infinite or NaN in epoch 1"):
        model.set_params(random_state=0).fit(LINE, SKEWED)


def overflowing(where, **parameters):
    """Return a regressor whose callback writes weights, in epoch 3, that lead to an overflow."""
    model = MLPRegressor("squared_error", (8,), early_stopping=True, random_state=0, max_iter=9)
    # The first makes the loss of the next batch infinite, the second that of the batch after it.
    value = {"loss": 1e30, "validation score": 1e16}[where]

    def overflow(record):
        if record.epoch == 3:
            model.coefs_[-1] = np.full((8, 1), value)

    defaults = {"solver": "sgd", "learning_rate_init": 0.01, "batch_size": 2700}
    model.set_params(activation="identity")  # no unit dies
    return model.set_params(callbacks=[overflow], **{**defaults, **parameters})


@every_backend
@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("where", ["loss", "validation score"])
def test_a_divergence_keeps_the_best_network_that_there_was(where, backend):
    model = overflowing(where, backend=backend)
    with pytest.warns(ConvergenceWarning, match=f"The {where} became infinite") as caught:
        model.fit(LINE, SKEWED)
    assert "network of the best epoch is kept" in str(caught[0].message)
    assert "max_iter" not in str(caught[0].message)
    assert model.stop_reason_.startswith(f"The {where} became infinite or NaN in epoch 4.")
    assert_array_equal(np.isnan(model.validation_scores_), [False] * 3 + [True])
    assert np.isnan(model.loss_) == (where == "loss")
    best = int(np.argmax(model.validation_scores_[:3])) + 1
    short = overflowing(where, backend=backend).set_params(max_iter=best, callbacks=None)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        short.fit(LINE, SKEWED)
    assert_array_equal(model.predict(LINE), short.predict(LINE))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_partial_fit_goes_on_after_a_divergence(solver):
    """With a new memory: that of the optimiser is infinite."""
    model = overflowing("validation score", solver=solver).fit(LINE, SKEWED)
    before = model.loss_per_sample(LINE, SKEWED).mean()
    model.set_params(early_stopping=False, callbacks=None, batch_size=200).partial_fit(LINE, SKEWED)
    assert model.loss_per_sample(LINE, SKEWED).mean() < before


# -- rows without weight ---------------------------------------------------------------------------


def test_training_rows_without_weight():
    rng = np.random.RandomState(0)
    _, rows = train_test_split(np.arange(40), test_size=0.1, random_state=rng)
    weights = np.zeros(40)
    weights[rows] = 1
    model = regressor(early_stopping=True, random_state=0, init=initial)
    text = "^sample_weight is zero for every row that early stopping leaves to train on"
    assert_rejected(model, (X, Y), ValueError, text, sample_weight=weights)


# -- each class is learnt --------------------------------------------------------------------------


def drawn(y, seed, weights=None, **parameters):
    """Return the rows to train on, and those held out, of labels y."""
    model = classifier(early_stopping=True, **parameters)
    coder = model._new_coder(
        model, y, weights, np.dtype(np.float32), incremental=False, classes=None
    )
    rows = np.arange(len(y), dtype=np.int64)
    data = TrainingData(Rows(np.zeros((len(y), 1)), coder.encode(y), weights), rows)
    judged = hold_out(model, data, coder, np.random.RandomState(seed), y)
    assert_array_equal(np.sort(np.r_[data.order, judged]), rows)
    return data.order, judged


def test_the_only_row_of_a_class_is_learnt_from():
    """Everywhere else the rows are those that scikit-learn holds out."""
    y = np.array([0, 1] * 10 + [2])
    for seed in range(60):
        train, judged = drawn(y, seed)
        assert 20 in train
        expected = train_test_split(np.arange(21), test_size=0.1, random_state=seed)[1]
        assert_array_equal(judged, expected[expected != 20])


def test_the_only_row_with_a_label_is_learnt_from():
    labels = np.zeros((21, 2), int)
    labels[::2, 0] = labels[20, 1] = 1
    for seed in range(60):
        assert 20 in drawn(labels, seed)[0]


def test_a_row_without_a_weight_does_not_stand_for_its_class():
    y, weights = np.array([0, 1] * 10 + [2, 2]), np.ones(22, np.float32)
    weights[21] = 0
    for seed in range(60):
        assert 20 in drawn(y, seed, weights)[0]


def test_each_held_out_row_is_the_only_one_of_its_class():
    model = classifier(early_stopping=True, random_state=0)
    text = "^The validation set is too small: each of the rows that validation_fraction=0.1 holds"
    assert_rejected(model, (X[:20], np.arange(20)), ValueError, text)


# -- rows that the user's rule holds out -----------------------------------------------------------

GROUPS = np.repeat(np.arange(8), 5)
SPLITTERS = [
    KFold(4),
    KFold(4, shuffle=True, random_state=3),
    StratifiedKFold(4, shuffle=True, random_state=3),
    ShuffleSplit(1, test_size=0.3, train_size=0.5, random_state=0),
    TimeSeriesSplit(3),
    PredefinedSplit(np.where(GROUPS < 2, 0, -1)),
]


def split_fit(split, y, **parameters):
    """Return a model that takes steps on whole batches, in the order of the rows."""
    make = classifier if y is LABELS else regressor
    defaults = {"random_state": 0, "early_stopping": True, "shuffle": False, "dtype": "float64"}
    return make(**{**defaults, **parameters}, validation_split=split).fit(X, y)


@every_backend
@pytest.mark.parametrize("splitter", SPLITTERS)
def test_the_first_split_of_a_splitter(splitter, backend):
    """As if the rows to learn from were all, and those held out had been brought."""
    train, test = next(splitter.split(X, LABELS))
    model = split_fit(splitter, LABELS, backend=backend)
    other = classifier(random_state=0, early_stopping=True, shuffle=False, dtype="float64")
    other.set_params(backend=backend)
    other.fit(X[train], LABELS[train], X_val=X[test], y_val=LABELS[test])
    assert_array_equal(model.predict_proba(X), other.predict_proba(X))
    assert model.validation_scores_ == other.validation_scores_
    assert model.t_ == len(train) * model.n_iter_


def test_the_rows_that_would_be_drawn():
    """A share is drawn after the first weights, of which there is nothing to be drawn here."""
    by_fraction = split_fit(None, Y, init=initial)
    rng = np.random.RandomState(0)
    pair = train_test_split(np.arange(40), test_size=0.1, random_state=rng)
    model = split_fit([tuple(pair)], Y, init=initial)
    assert model.validation_scores_ == by_fraction.validation_scores_
    assert_array_equal(model.predict(X), by_fraction.predict(X))


@pytest.mark.parametrize(
    "pair",
    [
        (GROUPS >= 2, GROUPS < 2),
        (np.flatnonzero(GROUPS >= 2), np.flatnonzero(GROUPS < 2).tolist()),
        (range(10, 40), range(10)),
    ],
)
def test_a_pair_of_rows_or_masks(pair):
    model = split_fit([pair], Y)
    assert_array_equal(model.predict(X), split_fit(SPLITTERS[-1], Y).predict(X))


def test_groups_by_a_pair():
    splitter = GroupShuffleSplit(1, test_size=0.25, random_state=0)
    text = "^validation_split=GroupShuffleSplit.* can't split the rows: .*A fit has no groups: pass"
    model = regressor(early_stopping=True, validation_split=splitter)
    for state in (model, regressor().fit(X, Y)):
        state.set_params(early_stopping=True, validation_split=splitter)
        with pytest.raises(ValueError, match=text):
            state.fit(X, Y)
    pair = next(splitter.split(X, Y, GROUPS))
    model.set_params(validation_split=[pair], random_state=0).fit(X, Y)
    assert model.t_ == 30 * model.n_iter_


def test_a_split_draws_nothing_from_the_fit():
    """So that the same rows are shuffled alike, however they were chosen."""
    pair = next(KFold(4).split(X))
    model = split_fit(KFold(4), Y, shuffle=True)
    assert_array_equal(model.predict(X), split_fit([pair], Y, shuffle=True).predict(X))


def test_a_class_that_is_held_out_wholly_stays_so():
    split = [(np.flatnonzero(LABELS == "up"), np.flatnonzero(LABELS == "down"))]
    text = r"^validation_split leaves no row of \['down'\] to train on: nothing is learnt about it"
    with pytest.warns(RuntimeWarning, match=text):
        model = split_fit(split, LABELS, max_iter=60, learning_rate_init=0.1)
    assert (model.predict(X) == "up").all()
    assert model.t_ == (LABELS == "up").sum() * model.n_iter_


def test_a_split_that_holds_out_one_target():
    y = np.where(np.arange(40) < 10, 5.0, Y)
    text = "^y is the same in all rows that validation_split holds out"
    with pytest.warns(UserWarning, match=text):
        split_fit(KFold(4), y)


def test_a_split_is_not_read_without_early_stopping():
    with pytest.warns(UserWarning, match="^validation_split is not used: there are no val"):
        model = split_fit([([0], [99])], Y, early_stopping=False)
    assert model.validation_scores_ is None
    assert model.t_ == 40 * model.n_iter_


class Splitter:
    """Splits as it is told."""

    def __init__(self, *pairs):
        self.pairs = pairs

    def split(self, X, y=None, groups=None):
        yield from self.pairs

    def __repr__(self):
        return "Splitter()"


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        (([0, 1], []), "^validation_split has no test rows"),
        (([], [0, 1]), "^validation_split has no train rows"),
        ((np.zeros(40, bool), np.ones(40, bool)), "^validation_split has no train rows"),
        (([0, 1, 2, 3], [3, 2]), r"has 2 rows in both parts \(first: row 2\)"),
        (([0, 1, 40], [3, 2]), "has the train row 40; X has the rows 0 to 39"),
        (([0, 1], [-1]), "has the test row -1; X has the rows 0 to 39"),
        (([0, 1, 0], [2]), "has the train row 0 more than once"),
        (([0.0, 1.0], [2]), "must give train rows by their numbers, or by a mask"),
        ((np.ones(39, bool), [2]), "must give train rows by their numbers, or by a mask"),
        (([[0, 1]], [2]), "must give train rows by their numbers, or by a mask"),
        ((["a"], [2]), "must give train rows by their numbers, or by a mask"),
        (([[0], [1, 2]], [2]), "has train rows that are not an array"),
    ],
)
def test_parts_that_are_refused(pair, text):
    for split in ([pair], Splitter(pair)):
        model = regressor(early_stopping=True, validation_split=split)
        fitted = regressor(random_state=0).fit(X, Y)
        fitted.set_params(early_stopping=True, validation_split=split)
        for state in (model, fitted):
            before = copy.copy(vars(state))
            with pytest.raises(ValueError, match=text) as caught:
                state.fit(X, Y)
            assert "\n" not in str(caught.value)
            assert vars(state) == before


@pytest.mark.parametrize(
    ("splitter", "text"),
    [
        (Splitter(), r"^validation_split=Splitter\(\) yields no split"),
        (Splitter(3), r"^validation_split=Splitter\(\) can't split the rows: "),
        (Splitter(([0], [1], [2])), r"^validation_split=Splitter\(\) can't split the rows: "),
        (KFold(50), r"^validation_split=KFold\(.* can't split the rows: Cannot have number of"),
        (StratifiedKFold(4), r"^validation_split=Strat.* can't split the rows: Supported target"),
    ],
)
def test_splitters_that_are_refused(splitter, text):
    model = regressor(early_stopping=True, validation_split=splitter)
    with pytest.raises(ValueError, match=text):
        model.fit(X, Y)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("part", [0, 1])
def test_parts_without_weight(part):
    pair = (np.arange(20), np.arange(20, 40))
    weights = np.ones(40)
    weights[pair[part]] = 0
    what = ("leaves to train on", "holds out")[part]
    model = regressor(early_stopping=True, validation_split=[pair])
    text = f"^the weight is zero for every row that validation_split {what}"
    with pytest.raises(ValueError, match=text):
        model.fit(X, Y, weights)


# -- going on --------------------------------------------------------------------------------------


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start_on_other_data_runs_on(early_stopping):
    """The best of the first data is no mark for the second, nor are its idle epochs."""
    X = np.random.RandomState(0).normal(size=(300, 3))
    model = MLPRegressor("squared_error", (20,), learning_rate_init=0.01, warm_start=True, tol=1e-3)
    model.set_params(early_stopping=early_stopping, random_state=0, max_iter=500)
    model.fit(X, 0.1 * X[:, 0])
    model.fit(X, 3 * X[:, 1] - 1)
    assert model.score(X, 3 * X[:, 1] - 1) > 0.98
    assert model.best_loss_ is None or model.best_loss_ == min(model.loss_curve_[-model.n_iter_ :])


def test_curves_have_the_same_epochs_when_early_stopping_begins_late():
    model = regressor(warm_start=True, random_state=0).fit(X, Y)
    model.set_params(early_stopping=True).fit(X, Y)
    assert len(model.loss_curve_) == len(model.validation_scores_) == 6
    assert_array_equal(np.isnan(model.validation_scores_), [True] * 3 + [False] * 3)
    assert model.best_validation_score_ == max(model.validation_scores_[3:])
    model.set_params(early_stopping=False).fit(X, Y)
    assert model.validation_scores_ is None
    assert len(model.loss_curve_) == 9


@pytest.mark.parametrize("size", [1e-30, 1e25])
def test_scores_of_targets_whose_squares_no_float32_holds(size):
    """A constant to be learnt, so that all are seen in their own unit."""
    model = MLPRegressor(hidden_layer_sizes=(), max_iter=2, early_stopping=True, random_state=0)
    model.set_params(standardize_target=True)
    held = size * np.array([1.0, 2.0, 4.0])
    model.fit(LINE[:9].astype(np.float32), np.zeros(9), X_val=LINE[:3], y_val=held)
    predicted = model.predict(LINE[:3]).astype(np.float64)
    assert_allclose(max(model.validation_scores_), r2_score(held, predicted), rtol=1e-5)

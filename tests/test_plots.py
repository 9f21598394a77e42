"""The displays hold the right numbers and draw them."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from fastmlp import MLPClassifier, TabularClassifier
from fastmlp.plots import LeaderboardDisplay, LossCurveDisplay, MisreadDigitsDisplay
from fastmlp.tabular.leaderboard import Leaderboard, Place

mpl.use("Agg")


pytestmark = pytest.mark.usefixtures("close_figures")


@pytest.fixture(scope="module")
def blobs():
    """Two well separated classes, four features: X (80, 4), y (80,)."""
    rng = np.random.default_rng(0)
    y = np.repeat([3, 8], 40)
    return rng.normal(size=(80, 4)) + np.where(y == 3, -2, 2)[:, np.newaxis], y


@pytest.fixture(scope="module")
def fitted(blobs):
    return MLPClassifier(
        (5,), solver="lbfgs", alpha=1.0, backend="numpy", random_state=0, max_iter=300
    ).fit(*blobs)


class FixedClassifier:
    """Answers with the probabilities that it was given, shape (N, C)."""

    def __init__(self, classes, probabilities):
        self.classes_ = np.asarray(classes)
        self.probabilities = np.asarray(probabilities)

    def predict_proba(self, X):
        assert len(X) == len(self.probabilities)
        return self.probabilities


def test_loss_curve_is_the_estimators(fitted):
    display = LossCurveDisplay.from_estimator(fitted)
    epochs, loss = display.line_.get_data()
    assert_allclose(loss, fitted.loss_curve_)
    assert_array_equal(epochs, np.arange(1, len(fitted.loss_curve_) + 1))
    assert display.line_.get_label() == "MLPClassifier"
    assert display.score_ax_ is None


def test_loss_curve_with_validation_scores():
    display = LossCurveDisplay([3.0, 2.0, 1.0], validation_scores=[0.2, 0.4, 0.8]).plot(color="C2")
    (scores,) = display.score_ax_.lines
    assert_allclose(scores.get_ydata(), [0.2, 0.4, 0.8])
    assert display.ax_.get_ylabel() == "training loss"
    assert display.score_ax_.get_ylabel() == "validation score"
    assert display.ax_.yaxis.label.get_color() == "C2"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_loss_curve_of_a_fit_that_stops_early_only_in_the_end(blobs):
    model = MLPClassifier((5,), max_iter=3, warm_start=True, random_state=0).fit(*blobs)
    model.set_params(early_stopping=True).fit(*blobs)
    display = LossCurveDisplay.from_estimator(model)
    (scores,) = display.score_ax_.lines
    assert_array_equal(scores.get_xdata(), np.arange(1, 7))
    assert_array_equal(np.isnan(scores.get_ydata()), [True] * 3 + [False] * 3)


def test_loss_curve_draws_where_it_is_told():
    figure, (left, right) = plt.subplots(1, 2)
    display = LossCurveDisplay([1.0, 0.5]).plot(ax=right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.lines


def test_curves_on_one_axes_differ_and_share_a_scale_for_their_scores():
    _, ax = plt.subplots()
    scores = [[0.2, 0.4], [0.3, 0.5], [0.4, 0.6]]
    displays = [
        LossCurveDisplay([3.0, i], validation_scores=scores[i], name=name).plot(ax=ax)
        for i, name in enumerate("abc")
    ]
    colors = [display.line_.get_color() for display in displays]
    assert colors == plt.rcParams["axes.prop_cycle"].by_key()["color"][:3]
    (twin,) = {display.score_ax_ for display in displays}
    assert ax.figure.axes == [ax, twin]
    assert [line.get_color() for line in twin.lines] == colors
    assert_allclose([line.get_ydata() for line in twin.lines], scores)
    # A scale's colour would say that it belongs to one of the curves.
    assert {scale.yaxis.label.get_color() for scale in (ax, twin)} == {"black"}
    legend = [text.get_text() for text in twin.get_legend().get_texts()]
    assert legend == ["a", "b", "c", "validation score"]


def test_curves_on_one_axes_of_which_some_have_scores():
    _, ax = plt.subplots()
    LossCurveDisplay([2.0, 1.0], name="a").plot(ax=ax)
    assert not _legend_texts(ax)
    scored = LossCurveDisplay([3.0, 2.0], validation_scores=[0.1, 0.2], name="b").plot(ax=ax)
    plain = LossCurveDisplay([4.0, 3.0], name="c").plot(ax=ax)
    assert plain.score_ax_ is None
    assert [line.get_color() for line in scored.score_ax_.lines] == [scored.line_.get_color()]
    names = [text.get_text() for text in _legend_texts(scored.score_ax_)]
    assert names == ["a", "b", "c", "validation score"]
    assert not _legend_texts(ax)


def _legend_texts(ax):
    legend = ax.get_legend()
    return [] if legend is None else legend.get_texts()


def test_curves_without_scores_have_a_legend_and_no_second_scale():
    _, ax = plt.subplots()
    for name in "ab":
        LossCurveDisplay([2.0, 1.0], name=name).plot(ax=ax)
    assert [text.get_text() for text in _legend_texts(ax)] == ["a", "b"]
    assert len(ax.figure.axes) == 1


def test_subplots_with_a_common_axis_have_scales_of_their_own():
    _, axes = plt.subplots(2, sharex=True)
    displays = [LossCurveDisplay([2.0, 1.0], validation_scores=[0, 1]).plot(ax=ax) for ax in axes]
    assert displays[0].score_ax_ is not displays[1].score_ax_


def test_loss_curve_needs_a_fitted_estimator():
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(MLPClassifier())


class Raced(BaseEstimator):
    """A model after a race of four."""

    leaderboard_ = Leaderboard(
        "log-loss",
        [
            Place("plain", 0.4, 0.0, 20, 1.25),
            Place("pieces", 0.2, 0.75, 20, 2),
            Place("wild", np.nan, 0.0, 0, 0.5, "diverged"),
            Place("pairs", 0.3, 0.25, 20, 30),
        ],
    )

    def fit(self, X, y):
        return self


def test_leaderboard_shows_who_predicts_and_how_good_each_is():
    display = LeaderboardDisplay.from_estimator(Raced())
    ax = display.ax_
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["pieces", "pairs", "plain", "wild"]
    bottom, top = ax.get_ylim()
    assert bottom > top  # the best one is on top
    assert_allclose(display.points_.get_offsets(), [[0.2, 0], [0.3, 1], [0.4, 2]])
    assert [label.get_text() for label in display.weight_labels_] == ["75 %", "25 %", "–", "–"]
    assert [label.get_text() for label in display.seconds_labels_] == ["2", "30", "1.25", "0.5"]
    assert ax.get_xlabel() == "log-loss on held-out rows"
    assert "diverged" in [text.get_text() for text in ax.texts]
    filled = display.points_.get_facecolors()
    assert_array_equal(filled[0], filled[1])
    assert_array_equal(filled[2], [1, 1, 1, 1])
    sizes = display.points_.get_sizes()
    assert sizes[0] > sizes[1] > sizes[2]


def test_leaderboard_sorts_candidates_that_are_not():
    display = LeaderboardDisplay(["a", "b", "c"], [2, np.nan, 1], [1, 0, 0]).plot()
    assert display.order_.tolist() == [2, 0, 1]
    assert display.seconds_labels_ == []
    assert "no error" in [text.get_text() for text in display.ax_.texts]


def test_leaderboard_needs_a_fitted_model_that_has_one():
    for model in (TabularClassifier(), MLPClassifier()):
        with pytest.raises(NotFittedError):
            LeaderboardDisplay.from_estimator(model)


def test_misread_digits_come_by_confidence():
    truth = np.array([0, 0, 1, 1, 1])
    model = FixedClassifier([0, 1], [[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.3, 0.7], [0.95, 0.05]])
    X = np.arange(5 * 6.0).reshape(5, 6)
    display = MisreadDigitsDisplay.from_estimator(model, X, truth, image_shape=(2, 3))
    assert_array_equal(display.images, X[[4, 2, 1]].reshape(3, 2, 3))
    titles = [ax.get_title() for ax in display.axes_]
    assert titles == ["1 read as 0\n95 %", "1 read as 0\n80 %", "0 read as 1\n60 %"]
    assert_array_equal(display.axes_[0].images[0].get_array(), X[4].reshape(2, 3))


def test_misread_digits_shows_at_most_so_many():
    model = FixedClassifier([0, 1], np.tile([0.7, 0.3], (9, 1)))
    display = MisreadDigitsDisplay.from_estimator(
        model, np.zeros((9, 4)), np.ones(9, dtype=int), image_shape=(2, 2), max_images=5
    )
    assert len(display.axes_) == 5
    assert len(display.figure_.axes) == 6  # a grid of 2 x 3 with one cell left empty


def test_no_mistakes_is_said(fitted, blobs):
    display = MisreadDigitsDisplay.from_estimator(fitted, *blobs, image_shape=(2, 2))
    assert len(display.axes_) == 0
    assert [text.get_text() for text in display.figure_.texts] == ["no mistakes"]

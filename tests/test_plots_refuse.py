"""Displays say what is wrong with what they are given, before they draw."""

from __future__ import annotations

import inspect

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.testing import assert_array_equal

import fastmlp.plots
from fastmlp import McCullochPittsNeuron, MLPClassifier
from fastmlp.plots import (
    DecisionRegionDisplay,
    LeaderboardDisplay,
    LossCurveDisplay,
    MisreadDigitsDisplay,
    NetworkDiagramDisplay,
    WeightDistributionDisplay,
)
from fastmlp.tabular.leaderboard import Leaderboard, Place

mpl.use("Agg")

SQUARE = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
GRID = np.full((5, 5, 2), 0.5)


pytestmark = pytest.mark.usefixtures("close_figures")


class Reader:
    """Reads every image as a 1."""

    classes_ = np.array([0, 1])

    def predict_proba(self, X):
        return np.tile([0.2, 0.8], (len(X), 1))


def read(**changes):
    arguments = {"X": np.zeros((4, 6)), "y": np.array([0, 1, 0, 0]), "image_shape": (2, 3)}
    return MisreadDigitsDisplay.from_estimator(Reader(), **{**arguments, **changes})


# -- where to draw --------------------------------------------------------------------------------

ONE_IMAGE = {"truth": np.ones(1), "predicted": np.zeros(1), "confidence": np.ones(1)}
#: A display of each kind, with what it calls the place and a method of its first artists.
DISPLAYS = {
    "DecisionRegionDisplay": (
        DecisionRegionDisplay(GRID, extent=(0, 1, 0, 1), classes=[0, 1]),
        "ax",
        "imshow",
    ),
    "LeaderboardDisplay": (LeaderboardDisplay(["a"], [0.5], [1]), "ax", "scatter"),
    "LossCurveDisplay": (LossCurveDisplay([1.0, 0.5]), "ax", "plot"),
    "MisreadDigitsDisplay": (MisreadDigitsDisplay(GRID[:1], **ONE_IMAGE), "figure", "imshow"),
    "NetworkDiagramDisplay": (NetworkDiagramDisplay([2, 1]), "ax", "add_collection"),
    "WeightDistributionDisplay": (WeightDistributionDisplay([[1.0, 2.0]]), "ax", "stairs"),
}
FROM_ESTIMATOR = {
    "DecisionRegionDisplay": {"X": SQUARE},
    "MisreadDigitsDisplay": {"X": SQUARE, "y": [1, 1, 1, 1], "image_shape": (1, 2)},
}


@pytest.fixture(scope="module")
def fitted():
    model = MLPClassifier((2,), solver="lbfgs", random_state=0).fit(SQUARE, [0, 1, 1, 0])
    model.leaderboard_ = Leaderboard("error", [Place("plain", 0.5, 1.0, 3, 0.1)])
    return model


def places(kind, shape):
    """Return an array of axes or subfigures."""
    figure = plt.figure()
    rows, columns = shape
    return figure.subplots(*shape) if kind == "ax" else figure.subfigures(rows, columns)


@pytest.mark.parametrize("name", fastmlp.plots.__all__)
@pytest.mark.parametrize(("shape", "example"), [((1, 2), r"\[0\]"), ((2, 2), r"\[0, 0\]")])
def test_one_place_is_drawn_on_not_several(name, shape, example, fitted):
    display, kind, _ = DISPLAYS[name]
    several = {kind: places(kind, shape)}
    what = {"ax": "Axes", "figure": "Figure or SubFigure"}[kind]
    message = (
        rf"^{kind} must be one matplotlib {what}, or None; got an object of ndarray; pass one of "
        rf"those in it, such as {kind}{example}\.$"
    )
    with pytest.raises(TypeError, match=message):
        display.plot(**several)
    with pytest.raises(TypeError, match=message):
        type(display).from_estimator(fitted, **FROM_ESTIMATOR.get(name, {}), **several)
    assert len(plt.get_fignums()) == 1
    display.plot(**{kind: several[kind].ravel()[1]})


@pytest.mark.parametrize("place", [plt.subplots, 1, "left", {"A": None}])
def test_other_places_are_refused(place):
    with pytest.raises(TypeError, match=r"^ax must be one matplotlib Axes, or None; got an object"):
        LossCurveDisplay([1.0]).plot(ax=place)
    assert not plt.get_fignums()


@pytest.mark.parametrize("name", fastmlp.plots.__all__)
def test_no_figure_is_left_by_what_raises(name, monkeypatch, fitted):
    display, kind, method = DISPLAYS[name]

    def fail(*_, **__):
        raise RuntimeError("no ink")

    monkeypatch.setattr(Axes, method, fail)
    for draw in (
        display.plot,
        lambda: type(display).from_estimator(fitted, **FROM_ESTIMATOR.get(name, {})),
    ):
        with pytest.raises(RuntimeError, match="no ink"):
            draw()
        assert not plt.get_fignums()
    place = places(kind, (1, 2))[0]
    with pytest.raises(RuntimeError, match="no ink"):
        display.plot(**{kind: place})
    assert len(plt.get_fignums()) == 1  # that of who called


# -- data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [[0, 1, 1], [0, 1, 1, 0, 1]])
def test_regions_need_a_label_for_each_point(y):
    neuron = McCullochPittsNeuron.and_gate()
    with pytest.raises(ValueError, match=rf"y must have one entry for each of the 4 .*\({len(y)},"):
        DecisionRegionDisplay.from_estimator(neuron, SQUARE, y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"proba": GRID[0]}, r"proba must have the shape \(rows, columns, 2\)"),
        ({"classes": [0, 1, 2]}, r"\(rows, columns, 3\), with the classes last; got \(5, 5, 2"),
        ({"y": [0, 1]}, r"X must hold the two coordinates of each label in y; got \(\)"),
        ({"X": SQUARE.T, "y": [0, 1]}, r"X must hold the two coordinates .* got \(2, 4\)"),
        ({"X": SQUARE, "y": [0, 1]}, r"y must have one entry for each of the 4 rows in X"),
        ({"proba": GRID[:, :1]}, r"got \(5, 1, 2\)\. It needs at least two rows and columns"),
        ({"proba": GRID[..., :1], "classes": [0]}, r"\(5, 5, 1\)\. It needs at least two"),
        ({"proba": GRID * np.nan}, r"proba must be finite; got nan at index \(0, 0, 0\)"),
        ({"extent": (0, 1, 0)}, r"extent must be \(left, right, bottom, top\).*got \(0, 1, 0\)"),
        ({"extent": (0, 1, 2, 2)}, "extent must be .* with left < right"),
        ({"feature_names": ["a"]}, "feature_names has 1 entries for 2 features"),
    ],
)
def test_regions_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        DecisionRegionDisplay(
            **{"proba": GRID, "extent": (0, 1, 0, 1), "classes": [0, 1], **arguments}
        )


def test_grid_points_and_labels_may_be_lists():
    display = DecisionRegionDisplay(
        GRID.tolist(),
        extent=(0, 1, 0, 1),
        classes=["a", "b"],
        X=SQUARE.tolist(),
        y=["a", "b", "b", "b"],
    ).plot()
    assert [len(points.get_offsets()) for points in display.points_] == [1, 3]


@pytest.mark.parametrize(
    ("resolution", "error"),
    [(1, ValueError), (10**9, ValueError), (10**400, ValueError), (9.0, TypeError)],
)
def test_grids_have_a_size(resolution, error):
    with pytest.raises(error, match="grid_resolution must be an integer ≥ 2 and ≤ 10000; got"):
        DecisionRegionDisplay.from_estimator(
            McCullochPittsNeuron.and_gate(), SQUARE, grid_resolution=resolution
        )


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: WeightDistributionDisplay(5), "layers must be a list of arrays, .*; got 5"),
        (lambda: WeightDistributionDisplay("ab"), "layers must be a list of arrays"),
        (lambda: WeightDistributionDisplay([[1.0]], names=5), "names must be a list of strings"),
        (lambda: NetworkDiagramDisplay(5), "layer_sizes must be a list of widths; got 5"),
        (lambda: NetworkDiagramDisplay([2.7, 1]), r"layer_sizes\[0\] must be an integer ≥ 1"),
        (lambda: NetworkDiagramDisplay(["2", 1]), r"layer_sizes\[0\] must be an .*; got '2'"),
        (lambda: NetworkDiagramDisplay([2, 1], max_units="x"), "max_units must be an integer ≥ 2"),
        (lambda: NetworkDiagramDisplay([2, 1], coefs=5), "coefs must be a list of arrays"),
        (
            lambda: DecisionRegionDisplay(GRID, extent=(0, 1, 0, 1), classes=5),
            "classes must be a list of labels; got 5",
        ),
    ],
)
def test_what_must_be_a_list_of_what(make, text):
    with pytest.raises(TypeError, match=text):
        make()


def test_numbers_that_no_scale_can_hold():
    huge = [[[1.7e308], [-1.7e308]]]
    for name, make in (
        ("layers", WeightDistributionDisplay),
        ("coefs", lambda coefs: NetworkDiagramDisplay([2, 1], coefs=coefs)),
    ):
        with pytest.raises(ValueError, match=rf"{name}\[0\] must hold numbers of at most 1\.1e"):
            make(huge)


@pytest.mark.parametrize(
    ("bins", "error"),
    [
        (0, ValueError),
        (-3, ValueError),
        (10**400, ValueError),
        (10**11, ValueError),
        (2.5, TypeError),
        ("auto", TypeError),
    ],
)
def test_histograms_need_bars(bins, error):
    with pytest.raises(error, match="bins must be an integer ≥ 1 and ≤ 10000; got"):
        WeightDistributionDisplay([[1.0, 2.0]], bins=bins)


@pytest.mark.parametrize(
    ("curve", "scores", "message"),
    [
        ([1.0, 0.5], [0.3], "validation_scores has 1 epochs, loss_curve 2"),
        ([[1.0, 0.5]], None, r"loss_curve must be a flat sequence of numbers; got shape \(1, 2\)"),
        ([1.0], 0.5, r"validation_scores must be a flat sequence of numbers; got shape \(\)"),
    ],
)
def test_loss_curves_refuse(curve, scores, message):
    with pytest.raises(ValueError, match=message):
        LossCurveDisplay(curve, validation_scores=scores)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"names": []}, ValueError, "names is empty: there is no candidate to draw"),
        ({"names": "ab"}, TypeError, "names must be a list of strings; got 'ab'"),
        ({"errors": [0.1]}, ValueError, "errors must have one entry for each of the 2 candidates"),
        ({"errors": [[0.1, 1]]}, ValueError, r"errors must be a flat sequence .* shape \(1, 2\)"),
        ({"weights": [0.5, np.nan]}, ValueError, "weights must be finite; got nan at index 1"),
        ({"weights": [1.5, -0.5]}, ValueError, "weights must be at least 0"),
        ({"seconds": [1]}, ValueError, "seconds must have one entry for each of the 2 candidates"),
        ({"remarks": ["no"]}, ValueError, "remarks has 1 entries for 2 candidates"),
    ],
)
def test_leaderboards_refuse(changes, error, message):
    places = {"names": ["a", "b"], "errors": [0.1, 0.2], "weights": [1, 0]}
    with pytest.raises(error, match=message):
        LeaderboardDisplay(**{**places, **changes})


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"y": [0, 1]},
            ValueError,
            r"y must have one entry for each of the 4 rows in X; got shape",
        ),
        ({"image_shape": (2, 2)}, ValueError, r"image_shape is 2 × 2 = 4 pixels; X has 6 columns"),
        ({"image_shape": 6}, ValueError, r"image_shape must be \(height, width\); got 6"),
        ({"image_shape": (6, 0)}, ValueError, "image_shape: the width must be an integer ≥ 1"),
        ({"image_shape": (2.0, 3)}, TypeError, "image_shape: the height must be an integer"),
        ({"max_images": 0}, ValueError, "max_images must be an integer ≥ 1; got 0"),
        ({"X": np.zeros(6)}, ValueError, "Expected 2D array"),
        ({"X": np.full((4, 6), np.nan)}, ValueError, "Input X contains NaN"),
    ],
)
def test_misread_images_refuse(changes, error, message):
    with pytest.raises(error, match=message):
        read(**changes)


def test_misread_images_need_probabilities():
    with pytest.raises(ValueError, match="McCullochPittsNeuron has no predict_proba"):
        MisreadDigitsDisplay.from_estimator(
            McCullochPittsNeuron(), np.zeros((4, 6)), np.zeros(4), image_shape=(2, 3)
        )


def test_a_data_frame_of_images():
    pixels = np.arange(24.0).reshape(4, 6)
    display = read(X=pd.DataFrame(pixels), y=pd.Series([0, 1, 0, 0], index=[7, 3, 9, 1]))
    assert_array_equal(display.images, pixels[[0, 2, 3]].reshape(3, 2, 3))
    assert_array_equal(display.truth, [0, 0, 0])


@pytest.mark.parametrize("name", ["truth", "predicted", "confidence"])
def test_readings_belong_to_images(name):
    three = {"truth": np.ones(3), "predicted": np.ones(3), "confidence": np.ones(3)}
    with pytest.raises(ValueError, match=rf"{name} must have one entry for each of the 3 images"):
        MisreadDigitsDisplay(np.zeros((3, 2, 2)), **{**three, name: np.ones(2)})
    for shape in ((3, 4), (3, 4, 4, 5)):
        with pytest.raises(ValueError, match=r"images must have shape \(M, height, width\)"):
            MisreadDigitsDisplay(np.zeros(shape), **three)


@pytest.mark.parametrize("display", fastmlp.plots.__all__)
@pytest.mark.parametrize("method", ["from_estimator", "plot"])
def test_every_parameter_is_described(display, method):
    function = getattr(getattr(fastmlp.plots, display), method)
    text = inspect.getdoc(function)
    for name, parameter in inspect.signature(function).parameters.items():
        if name != "self":
            stars = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
            assert f"\n{stars}{name}" in text
    assert "\nReturns\n-------\n" in text

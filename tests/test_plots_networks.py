"""Weight histograms, network diagrams and decision regions: what the artists hold."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb, to_rgba
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Perceptron
from sklearn.neural_network import MLPClassifier as SklearnMLP

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.plots import DecisionRegionDisplay, NetworkDiagramDisplay, WeightDistributionDisplay
from fastmlp.plots.style import CATEGORIES, NEGATIVE, POSITIVE, category_colors

mpl.use("Agg")


pytestmark = pytest.mark.usefixtures("close_figures")


@pytest.fixture(scope="module")
def blobs():
    """Three classes with names in the corners of a triangle: X (90, 2), y (90,)."""
    X, y = make_blobs(90, centers=[[-4, 0], [4, 0], [0, 6]], cluster_std=0.5, random_state=0)
    return X, np.array(["left", "right", "top"])[y]


@pytest.fixture(scope="module")
def fitted(blobs):
    return MLPClassifier((6,), solver="lbfgs", backend="numpy", random_state=0).fit(*blobs)


def network(*coefs):
    """Return a fitted estimator with these weights."""
    model = SklearnMLP()
    model.coefs_ = [np.asarray(w, dtype=float) for w in coefs]
    return model


class HalfPlanes(ClassifierMixin, BaseEstimator):
    """A classifier of a plane whose second class begins right of x₀ = 1."""

    classes_ = np.array([3, 8])

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        right = np.clip(X[:, 0] / 2, 0, 1)
        return np.column_stack([1 - right, right])


# -- weights --------------------------------------------------------------------------------------


def test_histograms_count_each_layer_on_one_scale():
    layers = [np.array([[0.1, 0.1, 0.1, -0.1]]), np.array([2.0, -2.0, 2.0])]
    display = WeightDistributionDisplay(layers, bins=4).plot()
    first, second = (patch.get_data() for patch in display.histograms_)
    assert_allclose(first.edges, [-2, -1, 0, 1, 2])
    assert_allclose(second.edges, first.edges)
    # The first layer is on top; its tallest bar has height 0.8.
    assert (first.baseline, second.baseline) == (1, 0)
    assert_allclose(first.values - 1, [0, 0.8 / 3, 0.8, 0])
    assert_allclose(second.values, [0.4, 0, 0, 0.8])


def test_exact_zeros_are_stated_and_not_drawn():
    layers = [[0.0, 0.0, 0.0, 0.5], [0.0, 0.0], [1.0, -1.0]]
    display = WeightDistributionDisplay(layers).plot()
    assert_array_equal(display.zero_shares_, [0.75, 1, 0])
    texts = [label.get_text() for label in display.zero_labels_]
    assert texts == ["75 % zeros", "100 % zeros", "no zeros"]
    values, edges, base = display.histograms_[0].get_data()
    assert np.count_nonzero(values > base) == 1
    assert edges[:-1][values > base] <= 0.5 <= edges[1:][values > base]
    # Nothing but zeros is one bar around 0, as high as any layer's tallest.
    values, edges, base = display.histograms_[1].get_data()
    assert_allclose(values - base, [0.8])
    assert_allclose(edges.sum(), 0, atol=1e-15)
    assert edges[1] > 0


def test_histograms_of_zeros_alone_have_a_bar():
    display = WeightDistributionDisplay([np.zeros(3)]).plot()
    assert_allclose(display.histograms_[0].get_data().values, [0.8])
    assert display.ax_.get_xlim() == (-1, 1)


def test_histograms_have_as_many_bars_as_the_numbers_carry():
    rng = np.random.default_rng(0)
    layers = [rng.uniform(-1, 1, 60), rng.normal(size=100_000), np.full(7, 0.3)]
    display = WeightDistributionDisplay(layers).plot()
    few, many, equal = (len(patch.get_data().values) for patch in display.histograms_)
    assert 8 <= few <= 40  # over a scale some four times as wide as the numbers
    assert (many, equal) == (60, 60)
    assert max(np.abs(display.histograms_[0].get_data().edges)) == np.abs(layers[1]).max()
    assert len(WeightDistributionDisplay([layers[0]]).plot().histograms_[0].get_data().values) < 10


def test_the_share_of_zeros_stays_within_the_axes():
    figure, axes = plt.subplots(1, 2, layout="constrained")
    display = WeightDistributionDisplay([[1.0, -1.0, 0.5]] * 3).plot(ax=axes[0])
    figure.draw_without_rendering()
    inside = display.ax_.get_window_extent()
    for label in display.zero_labels_:
        extent = label.get_window_extent()
        assert inside.x0 < extent.x0
        assert extent.x1 <= inside.x1 + 1


def test_histograms_of_an_estimator_name_its_layers(fitted):
    _, ax = plt.subplots()
    display = WeightDistributionDisplay.from_estimator(fitted, ax=ax, color="C2")
    for values, w in zip(display.layers, fitted.coefs_, strict=True):
        assert_array_equal(values, w.ravel())
    assert display.ax_ is ax
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        "layer 2\n6 × 3",
        "layer 1\n2 × 6",
    ]
    assert to_rgb(display.histograms_[0].get_facecolor()) == to_rgb("C2")


def test_histograms_of_something_else_say_so():
    display = WeightDistributionDisplay([[1.0]], names=["deep"], quantity="gradient").plot()
    assert display.ax_.get_xlabel() == "gradient"
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["deep"]


@pytest.mark.parametrize(
    ("layers", "names", "message"),
    [
        ([], None, "layers is empty"),
        ([[1.0], []], None, r"layers\[1\] is empty"),
        ([[1.0, np.nan]], None, r"layers\[0\] must be finite; got nan at index 1"),
        ([[1.0], [2.0]], ["only one"], "names has 1 entries for 2 layers"),
    ],
)
def test_histograms_refuse(layers, names, message):
    with pytest.raises(ValueError, match=message):
        WeightDistributionDisplay(layers, names=names)


@pytest.mark.parametrize("display", [WeightDistributionDisplay, NetworkDiagramDisplay])
def test_networks_must_be_fitted(display):
    with pytest.raises(NotFittedError):
        display.from_estimator(MLPClassifier())
    assert not plt.get_fignums()


# -- diagrams -------------------------------------------------------------------------------------


def test_a_diagram_has_a_circle_per_unit_and_a_line_per_weight():
    display = NetworkDiagramDisplay([4, 5, 3]).plot()
    assert [len(circles.get_paths()) for circles in display.units_] == [4, 5, 3]
    assert [len(lines.get_segments()) for lines in display.edges_] == [20, 15]
    texts = [label.get_text() for label in display.labels_]
    assert texts == ["input\n4", "hidden\n5", "output\n3"]
    assert display.ax_.get_legend() is None


def centers(circles):
    """Return the middle of each circle (K, 2)."""
    return np.array([path.get_extents().get_points().mean(axis=0) for path in circles.get_paths()])


def test_lines_run_from_circle_to_circle():
    display = NetworkDiagramDisplay([2, 3]).plot()
    left, right = map(centers, display.units_)
    ends = np.array(display.edges_[0].get_segments())
    assert_allclose(ends[:, 0], np.repeat(left, 3, axis=0), atol=1e-12)
    assert_allclose(ends[:, 1], np.tile(right, (2, 1)), atol=1e-12)
    # The first unit is on top.
    assert left[0, 1] > left[1, 1]


def test_lines_show_sign_and_size_of_the_weights():
    model = network([[2.0, -1.0], [0.0, 4.0]], [[-4.0], [1.0]])
    display = NetworkDiagramDisplay.from_estimator(model)
    first, second = display.edges_
    assert_allclose(first.get_linewidths(), [1.5, 0.75, 0, 3])
    assert_allclose(second.get_linewidths(), [3, 0.75])
    drawn = [color[:3] for i, color in enumerate(first.get_colors()) if i != 2]
    assert_allclose(drawn, [to_rgb(POSITIVE), to_rgb(NEGATIVE), to_rgb(POSITIVE)])
    assert_allclose(second.get_colors()[0], to_rgba(NEGATIVE))
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["positive", "negative"]


def test_the_legend_says_what_the_lines_are():
    display = NetworkDiagramDisplay([1, 1], coefs=[[[1.0]]], quantity="gradient").plot()
    assert display.ax_.get_legend().get_title().get_text() == "gradient, width by size"


def test_a_network_of_zeros_has_no_lines():
    display = NetworkDiagramDisplay.from_estimator(network(np.zeros((2, 2))))
    assert_array_equal(display.edges_[0].get_linewidths(), 0)


@pytest.mark.parametrize(("max_units", "shown"), [(4, [0, 1, 98, 99]), (5, [0, 1, 2, 98, 99])])
def test_wide_layers_show_their_first_and_last_units(max_units, shown):
    rng = np.random.default_rng(0)
    model = network(rng.normal(size=(2, 100)), rng.normal(size=(100, 1)))
    display = NetworkDiagramDisplay.from_estimator(model, max_units=max_units)
    assert [len(circles.get_paths()) for circles in display.units_] == [2, max_units, 1]
    largest = max(np.abs(w).max() for w in model.coefs_)
    widths = 3 * np.abs(model.coefs_[1][shown, 0]) / largest
    assert_allclose(display.edges_[1].get_linewidths(), widths)
    # Three dots in the gap between the first and the last.
    (dots,) = display.ax_.lines
    heights = centers(display.units_[1])[:, 1]
    n_top = shown.index(98)
    assert np.all((heights[n_top] < dots.get_ydata()) & (dots.get_ydata() < heights[n_top - 1]))
    assert display.labels_[1].get_text() == "hidden\n100"


def test_a_layer_of_the_largest_width_is_drawn_whole():
    display = NetworkDiagramDisplay([4, 1], max_units=4).plot()
    assert len(display.units_[0].get_paths()) == 4
    assert not display.ax_.lines


def test_values_stand_in_their_circles():
    values = [[0.25, -1.0], [-0.001]]
    display = NetworkDiagramDisplay([2, 1], unit_values=values).plot()
    where = {text.get_text(): text.get_position() for text in display.ax_.texts}
    left, right = map(centers, display.units_)
    for name, center in (("0.25", left[0]), ("−1.00", left[1]), ("0.00", right[0])):
        assert_allclose(where[name], center, atol=1e-12)


def test_scikit_learns_networks_can_be_drawn(blobs):
    model = SklearnMLP((4, 3), solver="lbfgs", max_iter=500, random_state=0).fit(*blobs)
    display = NetworkDiagramDisplay.from_estimator(model)
    names = [label.get_text() for label in display.labels_]
    assert names == ["input\n2", "hidden 1\n4", "hidden 2\n3", "output\n3"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer_sizes": [3]}, r"two or more widths; got \[3\]"),
        ({"layer_sizes": [3, 0]}, r"layer_sizes\[1\] must be an integer ≥ 1; got 0"),
        (
            {"layer_sizes": [3, 1], "max_units": 1},
            "max_units must be an integer ≥ 2 and ≤ 10000; got 1",
        ),
        ({"layer_sizes": [3, 1], "coefs": [np.ones((1, 3))]}, r"\[\(3, 1\)\]; got \[\(1, 3\)\]"),
        ({"layer_sizes": [2, 1], "unit_values": [[1, 2]]}, r"unit_values must have the shapes"),
    ],
)
def test_diagrams_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        NetworkDiagramDisplay(**arguments)


# -- regions --------------------------------------------------------------------------------------


def test_regions_are_the_classifiers_probabilities():
    X = np.array([[0.0, 0.0], [2.0, 1.0]])
    display = DecisionRegionDisplay.from_estimator(HalfPlanes(), X, [3, 8], grid_resolution=51)
    left, right, bottom, top = display.extent
    assert_allclose([left, right, bottom, top], [-0.24, 2.24, -0.12, 1.12])
    x_0 = np.linspace(left, right, 51)
    assert_allclose(display.proba[..., 1], np.tile(np.clip(x_0 / 2, 0, 1), (51, 1)))
    (boundary,) = display.boundaries_
    (path,) = boundary.get_paths()
    assert_allclose(path.vertices[:, 0], 1, atol=1e-12)
    image = display.image_.get_array()
    assert_allclose(image[0, 0], 1 - 0.55 * (1 - np.array(to_rgb(CATEGORIES[0]))))
    assert_allclose(image[0, -1], 1 - 0.55 * (1 - np.array(to_rgb(CATEGORIES[1]))))
    # Paler where less certain, and nowhere white.
    assert np.all(np.diff(image[0, :26].sum(axis=1)) >= 0)
    assert image.max() <= 1 - 0.12 * (1 - 230 / 255)


def test_points_have_their_classes_colours(fitted, blobs):
    X, y = blobs
    display = DecisionRegionDisplay.from_estimator(fitted, X, y)
    assert display.proba.shape == (200, 200, 3)
    for k, name in enumerate(["left", "right", "top"]):
        points = display.points_[k]
        assert_array_equal(points.get_offsets(), X[y == name])
        assert_allclose(points.get_facecolor()[0, :3], category_colors(3)[k])
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["left", "right", "top"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("x₀", "x₁")


def test_regions_without_probabilities(blobs):
    X, y = blobs
    model = Perceptron().fit(X, y)
    display = DecisionRegionDisplay.from_estimator(model, X, y, grid_resolution=20, legend=False)
    left, right, bottom, top = display.extent
    grid = np.array(
        [(a, b) for b in np.linspace(bottom, top, 20) for a in np.linspace(left, right, 20)]
    )
    winners = model.classes_[display.proba.argmax(axis=2).ravel()]
    assert_array_equal(winners, model.predict(grid))
    assert_array_equal(np.unique(display.proba), [0, 1])
    assert display.ax_.get_legend() is None


def test_regions_of_a_data_frame_have_its_names(blobs):
    X = pd.DataFrame(blobs[0], columns=["length", "width"])
    model = MLPClassifier((), solver="lbfgs", backend="numpy", random_state=0).fit(X, blobs[1])
    _, ax = plt.subplots()
    display = DecisionRegionDisplay.from_estimator(model, X, ax=ax)
    assert display.ax_ is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("length", "width")
    assert display.points_ == []


@pytest.mark.parametrize("n_features", [1, 3])
def test_regions_need_two_features(n_features):
    X = np.arange(4.0 * n_features).reshape(4, n_features)
    model = MLPClassifier((), solver="lbfgs", backend="numpy").fit(X, [0, 0, 1, 1])
    with pytest.raises(ValueError, match=f"need two features; X has {n_features}"):
        DecisionRegionDisplay.from_estimator(model, X)


def test_regions_need_a_fitted_classifier_of_one_label(blobs):
    X, y = blobs
    with pytest.raises(NotFittedError):
        DecisionRegionDisplay.from_estimator(MLPClassifier(), X)
    regressor = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", backend="numpy").fit(X, X[:, 0])
    with pytest.raises(ValueError, match="need a classifier; MLPRegressor is not one"):
        DecisionRegionDisplay.from_estimator(regressor, X)
    labels = np.column_stack([y == "left", y == "top"]).astype(int)
    model = MLPClassifier((), solver="lbfgs", backend="numpy").fit(X, labels)
    with pytest.raises(ValueError, match=r"one label per sample; y has shape \(90, 2\)"):
        DecisionRegionDisplay.from_estimator(model, X, labels)
    assert not plt.get_fignums()


def test_colours_beyond_the_palette_differ():
    colors = category_colors(12)
    assert colors.shape == (12, 3)
    assert len(np.unique(colors, axis=0)) == 12

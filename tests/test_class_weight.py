"""``class_weight``: what scikit-learn's own functions make of it, as weights of the rows."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest
from helpers_rejection import LABELS, X, assert_rejected, classifier
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from fastmlp import MLPClassifier
from fastmlp.backends import BACKENDS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

every_backend = pytest.mark.parametrize("backend", BACKENDS)

RNG = np.random.RandomState(0)
THREE = np.array(["a", "b", "c"])[(RNG.uniform(size=40) * 2.4).astype(int)]
SEVERAL = (RNG.uniform(size=(40, 3)) < [0.2, 0.5, 0.7]).astype(int)
WEIGHTS = RNG.randint(1, 4, size=40).astype(float)


def fitted(y, sample_weight=None, **parameters):
    """Return a classifier in double precision, where no weight is rounded."""
    defaults = {"dtype": "float64", "random_state": 0, "learning_rate_init": 0.01}
    return classifier(**{**defaults, **parameters}).fit(X, y, sample_weight)


def assert_same_network(model, other):
    both = model.coefs_ + model.intercepts_, other.coefs_ + other.intercepts_
    for mine, theirs in zip(*both, strict=True):
        assert_array_equal(mine, theirs)
    assert model.loss_curve_ == other.loss_curve_


# -- as weights of rows ----------------------------------------------------------------------------

CASES = [
    (LABELS, {"up": 3, "down": 0.5}),
    (LABELS, {"up": 3}),
    (LABELS, {"up": 3, "down": 0.5, "sideways": 7}),
    (LABELS, {}),
    (LABELS, "balanced"),
    (LABELS == "up", {True: 3}),
    (THREE, {"a": 0.5, "c": 2}),
    (THREE, "balanced"),
    (np.searchsorted(["a", "b", "c"], THREE) - 1.0, {-1: 2, 1.0: 3}),
    (SEVERAL, [{0: 1, 1: 5}, {0: 2, 1: 1}, {1: 3}]),
    (SEVERAL, "balanced"),
]  # fmt: skip


@pytest.mark.parametrize(("y", "class_weight"), CASES)
def test_it_is_the_weights_that_scikit_learn_computes(y, class_weight):
    rows = compute_sample_weight(class_weight, y)
    assert_same_network(fitted(y, class_weight=class_weight), fitted(y, rows))
    if class_weight != "balanced":
        weights = WEIGHTS / 4
        both = fitted(y, weights, class_weight=class_weight)
        assert_same_network(both, fitted(y, rows * weights))


@every_backend
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_every_backend_and_solver(solver, backend):
    settings = {"solver": solver, "backend": backend}
    weighted = fitted(THREE, class_weight={"b": 2.5, "c": 4}, **settings)
    rows = compute_sample_weight({"a": 1, "b": 2.5, "c": 4}, THREE)
    assert_same_network(weighted, fitted(THREE, rows, **settings))
    assert not np.array_equal(weighted.coefs_[0], fitted(THREE, **settings).coefs_[0])


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "squared_hinge"},
        {"loss": "multi_margin"},
        {"label_smoothing": 0.9},
        {"normalization": "batch"},
    ],
)
def test_however_the_loss_takes_its_target(settings):
    for y in (LABELS, THREE):
        weights = dict(zip(np.unique(y), [0.5, 2, 3], strict=False))
        rows = compute_sample_weight(weights, y)
        assert_same_network(
            fitted(y, class_weight=weights, **settings), fitted(y, rows, **settings)
        )


@pytest.mark.parametrize("y", [LABELS, THREE])
def test_balanced_counts_rows_by_their_weights(y):
    """A weight of two is the row twice."""
    classes, numbers = np.unique(y, return_inverse=True)
    repeated = y.repeat(WEIGHTS.astype(int))
    factors = compute_class_weight("balanced", classes=classes, y=repeated)
    model = fitted(y, WEIGHTS, class_weight="balanced")
    assert_same_network(model, fitted(y, factors[numbers] * WEIGHTS))


def test_balanced_leaves_out_rows_without_weight():
    """The third class is there in name only."""
    weights = (THREE != "c").astype(float)
    model = fitted(THREE, weights, class_weight="balanced")
    rows = np.zeros(40)
    rows[THREE != "c"] = compute_sample_weight("balanced", THREE[THREE != "c"])
    assert_same_network(model, fitted(THREE, rows))


def test_labels_that_are_texts_of_numbers():
    """scikit-learn takes them for numbers, which no key of the dict is."""
    y = np.where(LABELS == "up", "1", "0")
    model = fitted(y, class_weight={"1": 4})
    assert_same_network(model, fitted(y, np.where(y == "1", 4.0, 1.0)))


def test_a_class_that_counts_nothing():
    text = r"y has only one class, \['up'\], in the rows whose class_weight is not 0"
    with pytest.warns(RuntimeWarning, match=text):
        model = fitted(LABELS, class_weight={"down": 0}, max_iter=50)
    assert (model.predict(X) == "up").mean() > 0.9


def test_a_rare_class_is_found():
    """The line is the one of scikit-learn's logistic regression with the same weights."""
    rng = np.random.RandomState(0)
    y = (rng.uniform(size=1000) < 0.05).astype(int)
    rows = rng.normal(size=(1000, 2)) + 1.2 * y[:, None]
    settings = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 1.0, "max_iter": 1000}
    model = MLPClassifier(**settings, tol=1e-9, dtype="float64", class_weight="balanced")
    model.fit(rows, y)
    # The penalty of scikit-learn's is α/2 w² to the sum of losses, of 1000 rows here as there.
    peer = LogisticRegression(C=1.0, class_weight="balanced", tol=1e-9).fit(rows, y)
    assert_allclose(model.coefs_[0].ravel(), peer.coef_.ravel(), rtol=1e-4)
    assert_allclose(model.intercepts_[0], peer.intercept_, rtol=1e-4)
    plain = MLPClassifier(**settings).fit(rows, y)
    found, missed = (balanced_accuracy_score(y, m.predict(rows)) for m in (model, plain))
    assert found > 0.8
    assert missed < 0.7


def test_the_parameter_stays_as_it_was_given():
    given = {"up": 3, "down": np.float32(0.5)}
    before = copy.copy(given)
    model = fitted(LABELS, class_weight=given)
    assert model.class_weight is given
    assert given == before


# -- what judges -----------------------------------------------------------------------------------


@pytest.mark.parametrize("class_weight", [{"up": 9, "down": 1}, "balanced"])
def test_held_out_rows_count_as_in_training(class_weight):
    X_val, y_val = X[:15], LABELS[:15]
    model = fitted(LABELS, class_weight=class_weight, early_stopping=True, max_iter=1)
    model.fit(X, LABELS, X_val=X_val, y_val=y_val, sample_weight_val=WEIGHTS[:15])
    rows = compute_sample_weight(class_weight, LABELS)[:15] * WEIGHTS[:15]
    expected = accuracy_score(y_val, model.predict(X_val), sample_weight=rows)
    assert model.validation_scores_ == [pytest.approx(expected)]
    model.set_params(scoring="loss")
    model.fit(X, LABELS, X_val=X_val, y_val=y_val, sample_weight_val=WEIGHTS[:15])
    assert model.validation_scores_ == [pytest.approx(-model.cost(X_val, y_val, rows))]


def test_a_metric_is_told_the_weights_of_rows_alone():
    weights = {"up": 9, "down": 1}
    model = classifier(class_weight=weights, scoring="accuracy", max_iter=1, random_state=0)
    model.fit(X, LABELS, X_val=X, y_val=LABELS, sample_weight_val=WEIGHTS)
    assert model.validation_scores_ == [pytest.approx(model.score(X, LABELS, WEIGHTS))]
    model.fit(X, LABELS, X_val=X, y_val=LABELS)
    assert model.validation_scores_ == [pytest.approx(model.score(X, LABELS))]


def test_several_labels_of_held_out_rows():
    each = [{0: 1, 1: 5}, {0: 2, 1: 1}, {1: 3}]
    model = fitted(SEVERAL, class_weight=each, max_iter=1)
    model.fit(X, SEVERAL, X_val=X, y_val=SEVERAL)
    rows = compute_sample_weight(each, SEVERAL)
    expected = accuracy_score(SEVERAL, model.predict(X), sample_weight=rows)
    assert model.validation_scores_ == [pytest.approx(expected)]


# -- parts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample_weight", [None, WEIGHTS])
def test_partial_fits(sample_weight):
    weights = {"a": 0.5, "b": 2, "c": 3}
    model = classifier(class_weight=weights, dtype="float64", random_state=0)
    plain = classifier(dtype="float64", random_state=0)
    rows = compute_sample_weight(weights, THREE)
    given = np.ones(40) if sample_weight is None else sample_weight
    classes = ["a", "b", "c"]
    for part in (slice(0, 20), slice(20, 21), slice(21, 22), slice(22, 40)):
        own = None if sample_weight is None else sample_weight[part]
        model.partial_fit(X[part], THREE[part], own, classes)
        plain.partial_fit(X[part], THREE[part], rows[part] * given[part], classes)
    assert_same_network(model, plain)


def test_a_stream_sees_that_it_has_been_set():
    def taught(model, n_parts):
        for i in range(n_parts):
            model.partial_fit(X[i : i + 1], LABELS[i : i + 1], classes=["down", "up"])
        return model

    model = taught(classifier(dtype="float64", random_state=0), 3)
    other = copy.deepcopy(model)
    model.set_params(class_weight={"up": 5, "down": 3}).partial_fit(X[3:4], LABELS[3:4])
    other.partial_fit(X[3:4], LABELS[3:4], [5.0 if LABELS[3] == "up" else 3.0])
    assert_same_network(model, other)
    assert not np.array_equal(model.coefs_[0], taught(classifier(random_state=0), 4).coefs_[0])


def test_balanced_is_refused_for_parts():
    model = classifier(class_weight="balanced")
    text = r"^class_weight='balanced' is not supported by partial_fit.*compute_class_weight\("
    arguments = (X, LABELS, None, ["down", "up"])
    assert_rejected(model, arguments, ValueError, text, method="partial_fit")
    model.fit(X, LABELS)
    assert_rejected(model, (X, LABELS), ValueError, text, method="partial_fit")
    classes = np.unique(LABELS)
    advised = dict(
        zip(classes, compute_class_weight("balanced", classes=classes, y=LABELS), strict=True)
    )
    model.set_params(class_weight=advised).partial_fit(X, LABELS)


# -- what is refused and what is said --------------------------------------------------------------

SOFT = np.array([[0.5, 0.5], [0.25, 0.75]] * 20)


@pytest.mark.parametrize(
    ("y", "class_weight", "text"),
    [
        (LABELS, {"left": 1}, r"^The classes, \['down', 'up'\], are not in class_weight"),
        (THREE, {"a": 1, 3: 1}, r"^The classes, \['b', 'c'\], are not in class_weight.*\[3\]"),
        (LABELS, {"up": 1, 1: 2}, r"^The classes, \['down'\], .* keys are numbers, but the cl"),
        (np.arange(40) % 2, {"0": 1, "1": 2}, "Its keys are texts, but the classes are numbers.$"),
        (LABELS, [{"up": 1}], "^class_weight must be one dict or .balanced. if y has one"),
        (SEVERAL, {0: 1, 1: 2}, "^For multi-output, class_weight should be a list of dicts"),
        (SEVERAL, [{1: 2}] * 2, "^For multi-output, class_weight .* each of the 3 columns"),
        (SEVERAL, [{1: 2}, {1: 2}, {"x": 2}], r"^The classes, \[0, 1\], are not in .*_weight\[2\]"),
        (SOFT, "balanced", "^class_weight can.t be used when each row of y is a distribution"),
        (SOFT, {0: 1, 1: 2}, "^class_weight can.t be used when each row of y is a distribution"),
        (LABELS, {"up": 0, "down": 0}, "^class_weight is zero for every row"),
        (LABELS, {"up": 1e38, "down": 1e38}, r"^class_weight sums to 4e\+39, which is too large"),
        (LABELS, {"up": -1}, r"^class_weight\['up'\] must be a finite number ≥ 0; got -1"),
        (LABELS, "Balance", r"^class_weight must be one of balanced.*Did you mean 'balanced'\?"),
    ],
)  # fmt: skip
def test_what_is_refused(y, class_weight, text):
    assert_rejected(classifier(class_weight=class_weight), (X, y), ValueError, text)
    if y is LABELS:
        model = classifier(random_state=0).fit(X, y).set_params(class_weight=class_weight)
        assert_rejected(model, (X, y), ValueError, text)


def test_where_scikit_learn_refuses_too():
    """Its function has the same first words."""
    for y, class_weight in ((LABELS, {"left": 1}), (SEVERAL, {1: 2}), (SEVERAL, [{1: 2}] * 2)):
        with pytest.raises(ValueError, match=r"^(The classes|For multi-output), ") as theirs:
            compute_sample_weight(class_weight, y)
        with pytest.raises(ValueError, match=re.escape(str(theirs.value)[:14])):
            classifier(class_weight=class_weight).fit(X, y)


def test_no_row_counts_by_both_weights():
    model = classifier(class_weight={"up": 0})
    text = "^class_weight times sample_weight is zero for every row"
    weights = (LABELS == "up").astype(float)
    assert_rejected(model, (X, LABELS), ValueError, text, sample_weight=weights)


@pytest.mark.parametrize("weights", [None, np.ones(40)])
def test_no_row_to_judge_by_counts(weights):
    down = LABELS == "down"
    rows = {"X_val": X[down], "y_val": LABELS[down]}
    what = "class_weight"
    if weights is not None:
        rows["sample_weight_val"], what = weights[down], "class_weight times sample_weight_val"
    text = f"^{what} is zero for every row of y_val; at least"
    assert_rejected(classifier(class_weight={"down": 0}), (X, LABELS), ValueError, text, **rows)


def test_balanced_does_not_change_the_penalties():
    rare = np.arange(40) == 3
    fitted(rare, class_weight="balanced")  # a warning would be an error
    with pytest.warns(UserWarning, match=r"^sample_weight sums to 0\.4"):
        classifier().fit(X, rare, np.full(40, 0.01))
    with pytest.warns(UserWarning, match=r"^class_weight times sample_weight sums to 0\.4"):
        classifier(class_weight="balanced").fit(X, rare, np.full(40, 0.01))


def test_weights_that_change_the_penalties_are_told_with_a_remedy_that_works():
    weights = {"up": 100, "down": 50}
    with pytest.warns(UserWarning, match="^class_weight sums to .* 40 rows, which") as caught:
        fitted(LABELS, class_weight=weights)
    text = str(caught[0].message)
    factor = float(text.partition("Multiply all of class_weight by ")[2].split(",")[0])
    mended = compute_sample_weight(weights, LABELS) * factor
    assert mended.mean() == pytest.approx(1, rel=0.01)
    fitted(LABELS, class_weight={label: each * factor for label, each in weights.items()})

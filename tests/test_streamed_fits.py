"""Fits of sources: the same as of arrays, the same each time, and what ends them."""

from __future__ import annotations

import threading
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from fastmlp import DivergenceError, MLPClassifier, MLPRegressor
from fastmlp.backends import Rows
from fastmlp.data import from_arrays, from_arrow, from_batches, from_parquet
from fastmlp.data.survey import Drawn
from fastmlp.tables import TableReader
from fastmlp.training.windows import Streamed

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 2000
X = RNG.normal(size=(N, 5)).astype(np.float32)
Y = (np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2]).astype(np.float32)
LABELS = np.array(["low", "middle", "high"])[np.digitize(Y, [-0.5, 0.5])]
BY_Y = np.argsort(Y)
NAMES = [f"x{i}" for i in range(5)]
GIVEN = {
    "hidden_layer_sizes": (32,),
    "max_iter": 5,
    "random_state": 0,
    "learning_rate_init": 0.01,
    "tol": 0,
}


def regressor(**parameters):
    return MLPRegressor(**{**GIVEN, **parameters})


def classifier(**parameters):
    return MLPClassifier(**{**GIVEN, **parameters})


def parameters_of(model):
    return model._learnt.network.parameters


@pytest.fixture
def sorted_file(tmp_path):
    """Rows by their target, in ten row groups."""
    columns = {name: X[BY_Y, i] for i, name in enumerate(NAMES)}
    table = pa.table({**columns, "y": Y[BY_Y], "label": LABELS[BY_Y]})
    pq.write_table(table, tmp_path / "sorted.parquet", row_group_size=200)
    return tmp_path / "sorted.parquet"


# -- memory ----------------------------------------------------------------------------------------


def test_what_a_fit_holds_hardly_grows_with_the_file(tmp_path):
    def peak(n_groups):
        path, X = tmp_path / f"{n_groups}.parquet", RNG.normal(size=50 * n_groups)
        pq.write_table(pa.table({"x": X, "y": X}), path, row_group_size=50)
        source = from_parquet(path, target="y", sample_rows=200, buffer_rows=256, n_open=2)
        tracemalloc.start()
        try:
            regressor(max_iter=1, batch_size=256, early_stopping=True).fit(source)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # loads the code
    # Eight bytes a row would be 400 a row group.
    assert peak(250) - peak(50) < 250 * 200


def test_rows_of_many_columns_are_read_few_at_a_time(monkeypatch):
    source, seen = from_arrays(np.zeros((300, 5000), np.float32), RNG.normal(size=300)), []
    read = type(source).read
    monkeypatch.setattr(
        type(source), "read", lambda self, part, n: seen.append(n) or read(self, part, n)
    )
    regressor(max_iter=1).fit(source)
    assert source.rows_of_piece == 64
    assert max(seen) == 64


# -- the same as in memory -------------------------------------------------------------------------


@pytest.mark.parametrize("buffer_rows", [1, 600, 5000])
@pytest.mark.parametrize("options", [{}, {"normalization": "batch", "batch_size": 333}])
def test_without_a_shuffle_it_is_the_fit_of_arrays(buffer_rows, options):
    for make, y in ((regressor, Y), (classifier, LABELS)):
        given = {"shuffle": False, **options}
        wanted = make(**given).fit(X, y)
        model = make(**given).fit(from_arrays(X, y, buffer_rows=buffer_rows))
        assert_array_equal(parameters_of(model), parameters_of(wanted))
        np.testing.assert_allclose(model.loss_curve_, wanted.loss_curve_, rtol=1e-6)
        assert model.n_features_in_ == 5


@pytest.mark.filterwarnings("ignore:The rows of this source could not be mixed")
def test_a_class_may_count_nothing_in_a_part_of_its_own(folder):
    by_label = np.argsort(LABELS)
    columns = {name: X[by_label, i] for i, name in enumerate(NAMES)}
    table = pa.table({**columns, "label": LABELS[by_label]})
    pq.write_table(table, folder / "sorted.parquet", row_group_size=200)
    source = from_parquet(folder / "sorted.parquet", target="label", n_open=1, buffer_rows=200)
    model = classifier(class_weight={"low": 0.0, "middle": 1.0, "high": 1.0}).fit(source)
    assert np.isfinite(model.loss_)


def test_weights_and_class_weights_are_those_of_arrays():
    weights = RNG.uniform(0.5, 2, N)
    given = {"shuffle": False, "class_weight": {"low": 3.0, "middle": 1.0, "high": 0.5}}
    wanted = classifier(**given).fit(X, LABELS, weights)
    model = classifier(**given).fit(from_arrays(X, LABELS, weights))
    assert_array_equal(parameters_of(model), parameters_of(wanted))


def test_rows_of_weight_0_are_not_there():
    weights = np.ones(N)
    weights[::3] = 0
    keep = weights > 0
    wanted = regressor(shuffle=False).fit(from_arrays(X[keep], Y[keep]))
    model = regressor(shuffle=False).fit(from_arrays(X, Y, weights))
    np.testing.assert_allclose(parameters_of(model), parameters_of(wanted), rtol=1e-5, atol=1e-6)


def test_predictions_and_scores_are_those_of_arrays(sorted_file):
    model = regressor().fit(X, Y)
    source = from_arrays(X, Y)
    assert_array_equal(model.predict(source), model.predict(X))
    assert model.score(source) == model.score(X, Y)
    model = classifier().fit(X, LABELS)
    source = from_batches(lambda: ((X[i : i + 7], LABELS[i : i + 7]) for i in range(0, N, 7)))
    assert_array_equal(model.predict(source), model.predict(X))
    assert_array_equal(model.predict_proba(source), model.predict_proba(X))
    assert_array_equal(model.predict_log_proba(source), model.predict_log_proba(X))
    assert_array_equal(model.decision_function(source), model.decision_function(X))
    assert model.score(source) == model.score(X, LABELS)


def test_names_of_columns(sorted_file):
    source = from_parquet(sorted_file, target="y", columns=NAMES)
    model = regressor().fit(source)
    assert_array_equal(model.feature_names_in_, NAMES)
    frame = source.dataset.to_table(columns=NAMES).to_pandas()
    assert_array_equal(model.predict(frame), model.predict(source))
    other = from_parquet(sorted_file, columns=NAMES[::-1])
    with pytest.raises(ValueError, match="feature names"):
        model.predict(other)


# -- shuffled well, and the same each time ---------------------------------------------------------


def test_rows_in_the_worst_order_are_learnt_as_well(sorted_file):
    source = from_parquet(sorted_file, target="y", columns=NAMES, buffer_rows=400)
    given = {"max_iter": 30, "batch_size": 50}
    scores = [regressor(random_state=seed, **given).fit(X, Y).score(X, Y) for seed in range(3)]
    streamed = [
        regressor(random_state=seed, **given).fit(source).score(source) for seed in range(3)
    ]
    assert min(scores) > 0.95
    assert np.mean(streamed) > np.mean(scores) - 0.02


def windows_of_targets(source, n_rows, epochs, *, held=None):
    """Return the windows of y (n,) of each epoch: a buffer of an eighth of the rows."""
    encode = lambda piece: Rows(piece.y[:, np.newaxis], piece.y[:, np.newaxis])  # noqa: E731
    held = np.empty(0) if held is None else held
    streamed = Streamed(source, Drawn(0), held, encode, n_rows, n_rows // 8, n_rows // 64, True)
    return [[window.target[:, 0].copy() for window in streamed.windows(e)] for e in range(epochs)]


def test_windows_have_all_rows_each_time_in_another_order(sorted_file):
    source = from_parquet(sorted_file, target="y", columns=NAMES)
    first, second = windows_of_targets(source, N, 2)
    assert {len(window) for window in first[:-1]} == {N // 64}
    for epoch in (first, second):
        assert_array_equal(np.sort(np.concatenate(epoch)), np.sort(Y))
    assert not np.array_equal(np.concatenate(first), np.concatenate(second))


@pytest.mark.parametrize("row_group", [64, 512])
def test_windows_of_sorted_rows_are_nearly_those_of_shuffled_ones(tmp_path, row_group):
    # Each row is there 32 times, one copy beside the other: 128 rows would fill the buffer.
    n = 1 << 15
    rows = np.repeat(np.arange(n // 32), 32)
    pq.write_table(pa.table({"x": rows, "y": rows}), tmp_path / "y.parquet", row_group)
    source = from_parquet(tmp_path / "y.parquet", target="y")
    for epoch in windows_of_targets(source, n, 3):
        windows = [window for window in epoch if len(window) == n // 64]
        means = np.array([window.mean() for window in windows]) - rows.mean()
        expected = rows.std() / np.sqrt(n // 64)
        assert np.sqrt(np.mean(means**2)) < 1.5 * expected
        shuffled = len(np.unique(np.random.default_rng(0).permutation(rows)[: n // 64]))
        assert np.mean([len(np.unique(window)) for window in windows]) > 0.5 * shuffled


@pytest.mark.parametrize("kind", ["regressor", "classifier", "two targets"])
def test_rows_that_can_not_be_mixed_are_told_once(tmp_path, kind):
    n = 20_000
    y = np.arange(n) / n
    table = pa.table({"x": y, "y": y, "z": np.ones(n), "label": np.where(y > 0.7, "b", "a")})
    pq.write_table(table, tmp_path / "one.parquet")
    pq.write_table(table, tmp_path / "many.parquet", row_group_size=200)
    target = {"regressor": "y", "classifier": "label", "two targets": ["z", "y"]}[kind]
    model = (classifier if kind == "classifier" else regressor)(max_iter=3, batch_size=50)
    source = from_parquet(tmp_path / "one.parquet", target=target, columns=["x"], buffer_rows=2000)
    with pytest.warns(UserWarning, match=r"could not be mixed.* 0\.[5-9].*0\.06") as told:
        model.fit(source)
    assert len([each for each in told if "mixed" in str(each.message)]) == 1
    assert told[0].filename == __file__
    # None of these warns, or it would be an error here.
    model.set_params(shuffle=False).fit(source)
    model.set_params(shuffle=True, max_iter=1)
    for name, buffer_rows in (("many", 2000), ("one", n)):
        file = tmp_path / f"{name}.parquet"
        model.fit(from_parquet(file, target=target, columns=["x"], buffer_rows=buffer_rows))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_same_bits_for_any_number_of_threads_and_of_windows_ahead(sorted_file, early_stopping):
    fits = []
    for n_threads, prefetch in ((1, 0), (2, 1), (3, 4)):
        source = from_parquet(
            sorted_file, target="label", columns=NAMES, buffer_rows=900, prefetch=prefetch
        )
        model = classifier(n_threads=n_threads, early_stopping=early_stopping).fit(source)
        fits.append(parameters_of(model))
    assert_array_equal(fits[0], fits[1])
    assert_array_equal(fits[0], fits[2])
    other = classifier(random_state=1, early_stopping=early_stopping).fit(source)
    assert not np.array_equal(parameters_of(other), fits[0])


def test_early_stopping_holds_rows_out_that_nothing_is_learnt_from():
    # A network that sees a held-out row would learn its label, which is noise.
    x = RNG.normal(size=(600, 40)).astype(np.float32)
    noise = RNG.integers(0, 2, 600)
    given = {"early_stopping": True, "max_iter": 60, "n_iter_no_change": 100, "batch_size": 32}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = classifier(**given).fit(from_arrays(x, noise))
    assert np.mean(model.validation_scores_) == pytest.approx(0.5, abs=0.12)
    assert model._learnt.history.n_samples_seen == model.n_iter_ * 540


def test_early_stopping_wants_the_same_order_each_time():
    rng = np.random.default_rng(0)

    def batches():
        order = rng.permutation(N)
        yield X[order], Y[order]

    with pytest.raises(ValueError, match="in another order than before"):
        regressor(early_stopping=True).fit(from_batches(batches))
    assert regressor(max_iter=15).fit(from_batches(batches)).score(from_arrays(X, Y)) > 0.5


def test_rows_of_ones_own_judge():
    model = regressor(early_stopping=True).fit(from_arrays(X, Y), X_val=X[:100], y_val=Y[:100])
    assert len(model.validation_scores_) == model.n_iter_
    assert model._learnt.history.n_samples_seen == model.n_iter_ * N


def test_every_class_is_found():
    labels = np.zeros(N, int)
    labels[1234] = 7
    model = classifier(max_iter=1).fit(from_arrays(X, labels))
    assert_array_equal(model.classes_, [0, 7])


def test_a_class_whose_only_row_is_held_out():
    for seed in range(4):
        labels = np.zeros(40, int)
        labels[:10] = np.arange(10)
        model = classifier(max_iter=1, early_stopping=True, random_state=seed)
        assert_array_equal(model.fit(from_arrays(X[:40], labels)).classes_, np.arange(10))


def test_targets_of_several_columns():
    both = np.column_stack([Y, -Y])
    wanted = regressor(shuffle=False).fit(X, both)
    model = regressor(shuffle=False).fit(from_arrays(X, both, buffer_rows=600))
    assert_array_equal(parameters_of(model), parameters_of(wanted))
    several = (both > 0.3).astype(int)
    wanted = classifier(shuffle=False).fit(X, several)
    model = classifier(shuffle=False).fit(from_arrays(X, several, buffer_rows=600))
    assert_array_equal(parameters_of(model), parameters_of(wanted))


@pytest.mark.parametrize("dtype", ["float64", "auto"])
def test_the_type_of_the_network(dtype):
    given = {"shuffle": False, "dtype": dtype}
    wanted = regressor(**given).fit(X.astype(np.float64), Y)
    model = regressor(**given).fit(from_arrays(X.astype(np.float64), Y))
    assert parameters_of(model).dtype == np.float64
    assert_array_equal(parameters_of(model), parameters_of(wanted))


@pytest.mark.parametrize("kind", [bool, np.int8, str])
def test_labels_of_any_kind(kind):
    labels = (Y > 0).astype(kind)
    model = classifier(shuffle=False).fit(from_arrays(X, labels))
    assert_array_equal(model.predict(X), classifier(shuffle=False).fit(X, labels).predict(X))


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_a_warm_start_and_other_random_states(random_state):
    source = from_arrays(X, Y, buffer_rows=600)
    model = regressor(max_iter=15, warm_start=True, random_state=random_state).fit(source)
    before = model.score(source)
    assert model.fit(source).score(source) > before - 0.05
    assert len(model.loss_curve_) > 15


def test_members_with_orders_of_their_own():
    model = regressor(n_members=3, own_batches=True, max_iter=2)
    assert model.fit(from_arrays(X, Y, buffer_rows=600)).score(X, Y) > 0


# -- partial fits ----------------------------------------------------------------------------------


def test_a_partial_fit_is_one_of_each_buffer_and_a_stream_may_be_read_once():
    table = pa.table({**dict(zip(NAMES, X.T, strict=True)), "y": Y})
    source = from_arrow(table.to_reader(max_chunksize=100), target="y", buffer_rows=500)
    model = regressor(max_iter=1).partial_fit(source)
    wanted = regressor(max_iter=1)
    for first in range(0, N, 500):
        wanted.partial_fit(X[first : first + 500], Y[first : first + 500])
    assert_array_equal(parameters_of(model), parameters_of(wanted))


def test_what_was_learnt_is_kept_when_a_later_part_is_wrong():
    def batches():
        yield X[:500], Y[:500]
        yield X[:500], np.full(500, np.nan)

    source = from_batches(batches, buffer_rows=500)
    model = regressor()
    with pytest.raises(ValueError, match=r"batch 1: .*NaN"):
        model.partial_fit(source)
    wanted = regressor().partial_fit(X[:500], Y[:500])
    assert_array_equal(parameters_of(model), parameters_of(wanted))


def test_a_fit_that_fails_changes_nothing():
    good = regressor().fit(X, Y)
    before = parameters_of(good).copy()
    bad = X.copy()
    bad[1500, 2] = np.inf
    with pytest.raises(ValueError, match=r"rows 0 to 1999: .*infinity"):
        good.fit(from_arrays(bad, Y))
    assert_array_equal(parameters_of(good), before)


# -- what is wrong ---------------------------------------------------------------------------------


def test_columns_that_hold_no_numbers(sorted_file):
    source = from_parquet(sorted_file, target="y")
    with pytest.raises(ValueError, match="label"):
        regressor().fit(source)


def table_of(n, **others):
    rows = {name: X[:n, i] for i, name in enumerate(NAMES)}
    return pa.table({**rows, "y": np.abs(Y[:n]), "label": LABELS[:n], **others})


@pytest.fixture
def folder(tmp_path):
    """Three files of two row groups each."""
    for part in range(3):
        pq.write_table(table_of(400), tmp_path / f"{part}.parquet", row_group_size=200)
    return tmp_path


def at_second_epoch(change):
    return lambda record: change() if record.epoch == 1 else None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda file: file.unlink(), FileNotFoundError),
        (lambda file: file.write_bytes(file.read_bytes()[:2000]), OSError),
        (lambda file: pq.write_table(table_of(90).select(["x0"]), file), (OSError, ValueError)),
    ],
)
def test_a_file_that_changes_in_the_middle_of_a_fit(folder, change, error):
    file = folder / "1.parquet"
    source = from_parquet(folder, target="y", columns=NAMES, buffer_rows=200)
    model = regressor(callbacks=[at_second_epoch(lambda: file.exists() and change(file))])
    with pytest.raises(error, match=r"1\.parquet, row group \d: "):
        model.fit(source)
    assert not hasattr(model, "n_iter_")


@pytest.mark.parametrize(
    ("others", "loss", "text"),
    [
        ({"y": np.where(np.arange(400) == 300, -1, 1.0)}, "poisson", "needs every y"),
        ({"y": np.where(np.arange(400) == 300, np.nan, 1.0)}, "squared_error", "y contains NaN"),
        ({"y": pa.array([1.0] * 300 + [None] * 100)}, "squared_error", "'y' lacks 100"),
        ({"x1": np.where(np.arange(400) == 300, np.nan, 1.0)}, "squared_error", "column 'x1'"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_wrong_row_is_told_with_its_place(folder, others, loss, text, whole):
    pq.write_table(table_of(400, **others), folder / "2.parquet", row_group_size=200)
    source = from_parquet(folder, target="y", columns=NAMES, buffer_rows=200)
    model = regressor(loss=loss, shuffle=False)
    with pytest.raises(ValueError, match=rf"2\.parquet, row group 1: .*{text}"):
        (model.fit if whole else model.partial_fit)(source)
    assert hasattr(model, "n_iter_") != whole  # a partial fit keeps what it has learnt


def test_a_prediction_tells_the_place_of_a_wrong_row(folder):
    others = {"x1": np.where(np.arange(400) == 300, np.nan, 1.0)}
    pq.write_table(table_of(400, **others), folder / "2.parquet", row_group_size=200)
    source = from_parquet(folder, target="y", columns=NAMES)
    model = regressor().fit(from_arrow(table_of(400), target="y", columns=NAMES))
    for act in (model.predict, model.score):
        with pytest.raises(ValueError, match=r"2\.parquet, row group 1: .*NaN"):
            act(source)


def test_labels_that_come_later(folder):
    later = pa.array(["none"] * 400).dictionary_encode()
    labels = table_of(400)["label"].dictionary_encode()
    for part in range(2):
        pq.write_table(table_of(400, label=labels), folder / f"{part}.parquet")
    pq.write_table(table_of(400, label=later), folder / "2.parquet", row_group_size=200)
    source = from_parquet(folder, target="label", columns=NAMES, buffer_rows=400)
    assert_array_equal(classifier().fit(source).classes_, ["high", "low", "middle", "none"])
    model = classifier(shuffle=False)
    with pytest.raises(ValueError, match=r"2\.parquet, row group 0: .*\['none'\]"):
        model.partial_fit(source, classes=["high", "low", "middle"])
    assert model.n_iter_ == 1

    def in_second_epoch():
        pq.write_table(table_of(400, label=later), folder / "0.parquet", row_group_size=200)

    pq.write_table(table_of(400), folder / "0.parquet", row_group_size=200)
    (folder / "2.parquet").unlink()
    source = from_batches(
        lambda: (
            (X[:400], pq.read_table(folder / "0.parquet")["label"].to_numpy()) for _ in range(2)
        )
    )
    with pytest.raises(ValueError, match=r"batch 0: .*'none'"):
        classifier(callbacks=[at_second_epoch(in_second_epoch)]).fit(source)


def test_wrong_ways_to_ask():
    source = from_arrays(X, Y)
    with pytest.raises(TypeError, match="brings y"):
        regressor().fit(source, Y)
    with pytest.raises(TypeError, match="brings y"):
        regressor().fit(X, Y).score(source, Y)
    with pytest.raises(ValueError, match="no target"):
        regressor().fit(from_arrays(X))
    with pytest.raises(ValueError, match="validation_split"):
        regressor(early_stopping=True, validation_split=[(np.arange(9), np.arange(9, 12))]).fit(
            source
        )
    with pytest.raises(TypeError, match="validation_fraction must"):
        regressor(early_stopping=True, validation_fraction="a").fit(source)
    with pytest.raises(ValueError, match="lbfgs"):
        regressor(solver="lbfgs").fit(source)
    reader = pa.table({"a": Y, "y": Y}).to_reader()
    with pytest.raises(ValueError, match="only once"):
        regressor().fit(from_arrow(reader, target="y"))
    with pytest.raises(ValueError, match="no rows"):
        regressor().fit(from_batches(lambda: iter(())))


def test_data_that_changes_during_the_fit():
    calls = []

    def batches():
        calls.append(1)
        n = 400 if len(calls) < 3 else 300
        yield X[:n], Y[:n]

    with pytest.raises(ValueError, match="400 rows at first and 300"):
        regressor().fit(from_batches(batches))


def test_later_batches_have_other_columns():
    batches = lambda: iter([(X[:300], Y[:300]), (X[:300, :4], Y[:300])])  # noqa: E731
    with pytest.raises(ValueError, match=r"batch 1: .*4 columns"):
        regressor().fit(from_batches(batches))


def test_no_thread_is_left_when_a_fit_ends_early(sorted_file):
    before = threading.active_count()
    source = from_parquet(sorted_file, target="y", columns=NAMES, buffer_rows=200)
    regressor(time_limit=1e-9).fit(source)
    with pytest.raises(DivergenceError):
        regressor(solver="sgd", learning_rate_init=1e30).fit(source)
    assert threading.active_count() == before


def test_a_score_reads_the_source_once():
    table = pa.table({**dict(zip(NAMES, X.T, strict=True)), "y": Y})
    whole = from_arrow(table, target="y")
    model = regressor().fit(whole)
    reader = from_arrow(table.to_reader(), target="y")
    assert model.score(reader) == pytest.approx(model.score(whole))
    with pytest.raises(ValueError, match="has been read already"):
        model.score(reader)


def test_a_batch_without_weight_is_left_out():
    def batches():
        yield X[:500], Y[:500], np.zeros(500)
        yield X[500:], Y[500:], np.ones(1500)

    wanted = regressor(shuffle=False).fit(X[500:], Y[500:])
    model = regressor(shuffle=False).fit(from_batches(batches))
    np.testing.assert_allclose(parameters_of(model), parameters_of(wanted), rtol=1e-5, atol=1e-6)


def test_rows_without_a_target_and_without_rows():
    alone = from_batches(lambda: [X])
    for act in (regressor().fit, regressor().partial_fit, regressor().fit(X, Y).score):
        with pytest.raises(ValueError, match="batch 0 brings no y"):
            act(alone)
    nothing = from_batches(list)
    for act in (regressor().partial_fit, regressor().fit(X, Y).predict):
        with pytest.raises(ValueError, match="no rows"):
            act(nothing)


def test_divergence_keeps_its_type_in_a_partial_fit():
    model = regressor(solver="sgd", learning_rate_init=1e30)
    with pytest.raises(DivergenceError):
        model.partial_fit(from_arrays(X, Y, buffer_rows=500))


def test_ctrl_c_ends_a_partial_fit_of_a_source():
    seen = []

    def interrupt(record):
        seen.append(record)
        raise KeyboardInterrupt

    model = regressor(callbacks=[interrupt])
    with pytest.warns(UserWarning, match="interrupted"):
        model.partial_fit(from_arrays(X, Y, buffer_rows=200))
    assert len(seen) == 1


def test_sources_where_none_can_be():
    source = from_arrays(X, Y)
    with pytest.raises(TypeError, match="X_val can't be a source"):
        regressor().fit(source, X_val=source, y_val=Y)
    with pytest.raises(TypeError, match="which only fit, score and"):
        TableReader().fit(source)


@pytest.mark.parametrize("dtype", [object, "string"])
def test_a_row_without_a_label_is_told(dtype):
    labels = pd.Series(["x", "y"] * 50, dtype=dtype)
    labels[30] = None
    frame = pd.DataFrame({"a": np.arange(100.0)})
    source = from_batches(lambda: iter([(frame[:20], labels[:20]), (frame[20:], labels[20:])]))
    with pytest.raises(ValueError, match=r"batch 1: .*row 10 has no label: leave it out"):
        MLPClassifier(max_iter=2).fit(source)

"""Models of raw tables that learn from sources: a race on a sample, then all rows."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers_clock import slow_clock
from numpy.testing import assert_array_equal
from sklearn.tree import DecisionTreeRegressor

import fastmlp
from fastmlp import MLPRegressor, TabularClassifier, TabularRegressor
from fastmlp.data import from_arrays, from_arrow, from_batches, from_parquet
from fastmlp.data.survey import are_among
from fastmlp.estimators import streaming
from fastmlp.tabular import Recipe
from fastmlp.tabular.aims import Extent
from fastmlp.tabular.portfolio import Portfolio, epochs_of_all
from fastmlp.tabular.teaching import ALL_ROWS
from fastmlp.tabular.whole import StreamedTable
from fastmlp.training.divergence import DivergenceError

RNG = np.random.default_rng(0)
N = 3000
FRAME = pd.DataFrame(
    {
        "a": RNG.uniform(-2, 2, N).astype(np.float32),
        "b": RNG.choice(["p", "q", "r"], N),
        "c": RNG.normal(size=N),
    }
)
FRAME.loc[::17, "c"] = np.nan
Y = np.sin(2 * FRAME["a"].to_numpy()) + (FRAME["b"] == "q").to_numpy() * FRAME["a"].to_numpy() + 4
LABELS = np.where(Y > 4.2, "high", "low").astype(object)
TINY = Recipe(
    hidden_layer_sizes=(32, 32), max_iter=15, learning_rate_init=0.01, batch_size=32, dropout=0.0
)
COLUMNS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file whose rows are sorted by the target."""
    order = np.argsort(Y)
    table = pa.Table.from_pandas(FRAME.assign(y=Y, label=LABELS, w=1.0 + (Y > 4)).iloc[order])
    path = tmp_path_factory.mktemp("tables") / "sorted.parquet"
    pq.write_table(table.drop_columns("__index_level_0__"), path, row_group_size=300)
    return path


def source_of(path, target="y", sample_rows=600, **options):
    return from_parquet(path, target=target, columns=COLUMNS, sample_rows=sample_rows, **options)


def regressor(**parameters):
    return TabularRegressor(**{"recipe": TINY, "random_state": 0, **parameters})


def classifier(**parameters):
    return TabularClassifier(**{"recipe": TINY, "random_state": 0, **parameters})


def networks_of(model):
    return [each.network for member in model._ensemble.members for each in member.learners]


def parameters_of(model):
    return np.concatenate([each._learnt.network.parameters for each in networks_of(model)])


def frames(*parts):
    """Return a source of data frames with a target and, perhaps, weights."""
    return from_batches(lambda: iter(parts), sample_rows=100)


def chunked(y, size=250, **options):
    return from_batches(
        lambda: ((FRAME[i : i + size], y[i : i + size]) for i in range(0, N, size)), **options
    )


# -- a table that fits into memory -----------------------------------------------------------------


@pytest.mark.parametrize("parameters", [{}, {"refit": True}, {"n_folds": 2}])
def test_of_no_more_rows_than_are_drawn_it_is_the_fit_in_memory(parameters):
    for make, y in ((regressor, Y), (classifier, LABELS)):
        model = make(**parameters).fit(chunked(y))
        wanted = make(**parameters).fit(FRAME, y)
        assert_array_equal(parameters_of(model), parameters_of(wanted))
        assert_array_equal(model.predict(FRAME), wanted.predict(FRAME))


def test_predictions_and_scores_are_those_of_a_frame(path):
    frame = pq.read_table(path).to_pandas()
    source = source_of(path)
    model = regressor().fit(FRAME, Y)
    assert_array_equal(model.predict(source), model.predict(frame))
    assert model.score(source) == model.score(frame, frame["y"])
    model = classifier().fit(FRAME, LABELS)
    source = source_of(path, "label", weight="w")
    assert_array_equal(model.predict(source), model.predict(frame))
    assert_array_equal(model.predict_proba(source), model.predict_proba(frame))
    assert model.score(source) == model.score(frame, frame["label"], frame["w"])
    unnamed = from_parquet(path, columns=[*COLUMNS[::-1], "y"])  # other columns, another order
    assert_array_equal(model.predict(unnamed), model.predict(frame))


def test_deviations_and_quantiles(path):
    source = source_of(path)
    model = regressor(loss="gaussian_nll").fit(source)
    mean, deviation = model.predict(source, return_std=True)
    assert mean.shape == deviation.shape == (N,)
    model = regressor(loss="pinball", quantiles=(0.1, 0.9)).fit(source)
    assert model.predict(source).shape == (N, 2)
    assert model.score(source) > 0.3


# -- a larger one ----------------------------------------------------------------------------------


def test_all_rows_teach_more_than_the_sample(path):
    errors = {"sample": [], "all": []}
    longer = TINY.with_(max_iter=40)
    for seed in range(3):
        told = []
        source = source_of(path, sample_rows=200)
        given = {"random_state": seed, "callbacks": [told.append]}
        model = regressor(recipe=longer, **given).fit(source)
        assert [each.name.endswith(ALL_ROWS) for each in told] == [False, True]
        assert told[1].n_epochs == epochs_of_all(longer, 200, N)
        errors["sample"].append(told[0].error)
        errors["all"].append(told[1].error)
        assert model.score(source) > 0.95
    assert max(errors["all"]) < 0.8 * min(errors["sample"])


def test_all_rows_but_those_that_judge_are_learnt_from(path, monkeypatch):
    lessons = []
    teach = StreamedTable.teach

    def spied(table, network, lesson):
        lessons.append((table, lesson))
        teach(table, network, lesson)

    monkeypatch.setattr(StreamedTable, "teach", spied)
    for parameters, n_networks in (({}, 1), ({"n_folds": 3}, 3), ({"refit": True}, 1)):
        lessons.clear()
        model = classifier(**parameters).fit(source_of(path, "label"))
        assert len(lessons) == len(networks_of(model)) == n_networks
        every = []
        for table, lesson in lessons:
            assert lesson.n_rows == N - len(lesson.held)
            assert are_among(lesson.held, table.found.keys).all()
            n_judged = 0 if lesson.judged.X is None else len(lesson.judged.X)
            assert n_judged == len(lesson.held)
            every.append(lesson.held)
        n_held = {"n_folds": 600, "refit": 0}.get(next(iter(parameters), ""), 90)
        assert len(np.unique(np.concatenate(every))) == n_held
    encoded = pickle.loads(pickle.dumps(lessons[0][1]))  # which may be taught elsewhere
    piece = next(lessons[0][0].source.pieces(7))
    assert_array_equal(encoded.encode(piece).X, lessons[0][1].encode(piece).X)


def test_the_same_bits_for_every_number_of_threads_and_of_windows_ahead(path):
    fits = []
    for n_threads, prefetch in ((1, 0), (2, 1), (3, 4)):
        source = source_of(path, "label", prefetch=prefetch, buffer_rows=500)
        fits.append(classifier(n_threads=n_threads).fit(source))
    for model in fits[1:]:
        assert_array_equal(parameters_of(model), parameters_of(fits[0]))
        assert model._published.temperature == fits[0]._published.temperature


def test_probabilities_are_as_sure_as_the_last_networks_are(path):
    source = source_of(path, "label")
    model = classifier(recipe=TINY.with_(max_iter=40)).fit(source)
    calm = classifier(recipe=TINY.with_(max_iter=40), calibrate=False).fit(source)
    assert model._published.temperature != 1
    held = model._ensemble.members[0].held_out
    frame = pq.read_table(path).to_pandas()
    everything = calm.predict_proba(frame)
    # The predictions that calibrate are those of the network that has seen all rows.
    assert all((np.abs(everything - row) < 1e-6).all(axis=1).any() for row in held[:5])


def test_class_weights_and_weights(path):
    source = source_of(path, "label", weight="w")
    plain = classifier(calibrate=False).fit(source).predict_proba(source)[:, 0].mean()
    weights = {"high": 5.0, "low": 1.0}
    model = classifier(calibrate=False, class_weight=weights).fit(source)
    assert model.predict_proba(source)[:, 0].mean() > plain + 0.02
    balanced = classifier(class_weight="balanced").fit(source)
    assert balanced.score(source) > 0.85
    three = np.where(Y > 5, "out", LABELS).astype(object)
    model = classifier(class_weight={"high": 1, "low": 1, "out": 0}).fit(
        chunked(three, sample_rows=500)
    )
    assert model.predict_proba(FRAME)[:, 2].max() < 0.01
    silent = np.where(np.arange(N) % 3, 1.0, 0.0)
    wrong = np.where(silent > 0, Y, 1e9)
    source = from_batches(
        lambda: (
            (FRAME[i : i + 500], wrong[i : i + 500], silent[i : i + 500]) for i in range(0, N, 500)
        ),
        sample_rows=500,
    )
    assert regressor().fit(source).score(FRAME, Y) > 0.9


def test_rare_classes_and_new_levels(path):
    labels, frame = LABELS.copy(), FRAME.copy()
    labels[2990] = "once"
    frame.loc[2900:, "b"] = "late"
    source = from_batches(
        lambda: ((frame[i : i + 500], labels[i : i + 500]) for i in range(0, N, 500)),
        sample_rows=50,
    )
    model = classifier().fit(source)
    assert model.classes_.tolist() == ["high", "low", "once"]
    assert model.predict_proba(source).shape == (N, 3)


def test_predictions_go_as_far_as_all_rows_do(path):
    y = Y.copy()
    y[1234] = 30.0
    source = chunked(y, sample_rows=300)
    model = regressor().fit(source)
    assert model._published.aim.high == pytest.approx(30 + 0.05 * (30 - Y.min()))
    parts = [Extent.of(part) for part in np.array_split(np.round(y), 7)]
    whole, joined = Extent.of(np.round(y)), parts[0]
    for part in parts[1:]:
        joined = joined.joined(part)
    assert (joined.least, joined.largest) == (whole.least, whole.largest)
    assert (joined.n_least, joined.n_largest, joined.n_rows) == (whole.n_least, 1, N)


def test_logarithms_only_if_no_row_forbids_them():
    skewed = np.exp(2 * Y)
    entrants = Portfolio((TINY,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastmlp.tabular.base.portfolio_for", lambda *_: entrants)
        told = []
        given = {"recipe": None, "callbacks": [told.append]}
        regressor(**given).fit(chunked(skewed, sample_rows=300))
        assert "transform='log'" in told[1].name
        told.clear()
        skewed[2222] = 0.0
        regressor(**given).fit(chunked(skewed, sample_rows=300))
        assert "transform='quantile'" in told[1].name
    with pytest.raises(ValueError, match=r"batch 8: target_transform='log' needs targets above 0"):
        regressor(target_transform="log").fit(chunked(skewed, sample_rows=300))


def test_categories_dates_and_booleans_of_a_file(tmp_path):
    frame = FRAME.assign(
        b=pd.Categorical(FRAME["b"]),
        day=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(N), unit="D"),
        flag=FRAME["a"] > 0,
        label=pd.Categorical(LABELS),
    )
    for part, rows in enumerate((slice(0, 1700), slice(1700, N))):
        table = pa.Table.from_pandas(frame[rows], preserve_index=False)
        pq.write_table(table, tmp_path / f"{part}.parquet", row_group_size=500)
    source = from_parquet(tmp_path, target="label", sample_rows=500)
    model = classifier().fit(source)
    kinds = {column.name: column.taken_for for column in model.columns_}
    assert [kinds[name] for name in ("b", "day", "flag")] == ["category", "date", "boolean"]
    assert model.classes_.tolist() == ["high", "low"]
    assert_array_equal(model.predict(source), model.predict(frame.drop(columns="label")))
    assert model.score(source) > 0.8


def test_many_inputs_come_in_small_windows():
    levels = np.array([f"l{i}" for i in range(3000)])
    frame = pd.DataFrame({"a": RNG.normal(size=N), "b": levels[np.arange(N) % 1500]})
    source = from_batches(
        lambda: ((frame[i : i + 500], Y[i : i + 500]) for i in range(0, N, 500)), sample_rows=2999
    )
    model = regressor(recipe=TINY.with_(max_levels=3000, max_iter=2)).fit(source)
    assert len(model._ensemble.members[0].learners[0].inputs.names) > 1000
    assert model.predict(source).shape == (N,)


# -- what else a fit has ---------------------------------------------------------------------------


def test_rows_of_ones_own_judge(path):
    told = []
    source = source_of(path)
    model = regressor(callbacks=[told.append]).fit(source, X_val=FRAME[:50], y_val=Y[:50])
    error = np.sqrt(np.mean((model.predict(FRAME[:50]) - Y[:50]) ** 2))
    assert told[-1].error == pytest.approx(error)
    with pytest.raises(ValueError, match="refit=True learns from X_val as well"):
        regressor(refit=True).fit(source, X_val=FRAME[:50], y_val=Y[:50])
    with pytest.raises(TypeError, match="X_val can't be a source"):
        regressor().fit(source, X_val=source, y_val=Y[:50])


def test_partners_learn_from_the_sample_only(path):
    told = []
    tree = DecisionTreeRegressor(max_leaf_nodes=30)
    model = regressor(partners=[tree], callbacks=[told.append]).fit(source_of(path))
    assert len(model.leaderboard_) == 2
    assert [each.name for each in told if each.name.endswith(ALL_ROWS)] == [
        TINY.summary + ALL_ROWS
    ] * (len(told) - 2)
    assert told[1].learners[0].estimators[0].tree_.n_node_samples[0] == 510


def test_time_ends_before_all_rows_are_learnt_from(path, monkeypatch):
    slow = slow_clock(monkeypatch)
    slow.trained, slow.predicted = 4e-3, 1e-3
    with pytest.warns(UserWarning, match="before 1 of 1 members had learnt from all rows"):
        model = regressor(time_limit=15).fit(source_of(path, sample_rows=300))
    assert model.predict(FRAME[:3]).shape == (3,)


def test_a_callback_ends_it_and_worse_networks_are_not_taken(path, monkeypatch, capsys):
    monkeypatch.setattr(
        "fastmlp.tabular.base.portfolio_for",
        lambda *_: Portfolio((TINY, TINY.with_(input_scale=2.0), TINY.with_(dropout=0.1))),
    )
    told = []

    def stop(member):
        told.append(member.name)
        return member.name.endswith(ALL_ROWS)

    regressor(recipe=None, callbacks=[stop]).fit(source_of(path))
    assert sum(name.endswith(ALL_ROWS) for name in told) == 1

    def fail(*_):
        raise DivergenceError("no")

    monkeypatch.setattr(StreamedTable, "teach", fail)
    with pytest.warns(UserWarning, match=r"could not learn from all rows.*in the race: no$"):
        model = regressor().fit(source_of(path))
    assert not model._ensemble.members[0].name.endswith(ALL_ROWS)
    monkeypatch.setattr(  # it learns nothing
        StreamedTable,
        "teach",
        lambda _, network, lesson: network.set_params(max_iter=1, learning_rate_init=1e-9).fit(
            lesson.sample.X, lesson.sample.y
        ),
    )
    model = regressor(verbose=True).fit(source_of(path))
    (member,) = model._ensemble.members
    assert not member.name.endswith(ALL_ROWS)
    assert f"{member.error:.5g}  stays: {member.name}" in capsys.readouterr().out


def test_ctrl_c_keeps_what_the_race_has_found(path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(StreamedTable, "teach", interrupt)
    with pytest.warns(UserWarning, match="interrupted"):
        model = regressor().fit(source_of(path))
    assert model.score(FRAME, Y) > 0.5
    once = iter([True])

    def race_callback(member):
        if next(once, False):
            raise KeyboardInterrupt

    monkeypatch.setattr("fastmlp.tabular.base.portfolio_for", lambda *_: Portfolio((TINY, TINY)))
    told = []
    with pytest.warns(UserWarning, match="interrupted"):
        regressor(recipe=None, callbacks=[told.append, race_callback]).fit(source_of(path))
    assert len(told) == 1


def test_what_is_printed(path, capsys):
    regressor(verbose=True).fit(source_of(path))
    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith(ALL_ROWS) for line in lines] == [False, True]


def test_saved_models_and_arrays(tmp_path):
    X = np.stack([FRAME["a"], RNG.normal(size=N)], axis=1)
    model = regressor().fit(from_arrays(X, Y, sample_rows=500))
    model.save(tmp_path / "model.fastmlp")
    assert_array_equal(fastmlp.load(tmp_path / "model.fastmlp").predict(X), model.predict(X))
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_several_targets(path):
    both = np.stack([Y, -2 * Y], axis=1)
    source = chunked(both, sample_rows=500)
    model = regressor(recipe=TINY.with_(max_iter=30)).fit(source)
    assert model.predict(source).shape == (N, 2)
    assert model.score(source) > 0.9


# -- what is wrong ---------------------------------------------------------------------------------


def test_wrong_calls(path):
    source = source_of(path)
    model = regressor().fit(FRAME, Y)
    published = model._published
    reader = pa.table({"a": [1.0, 2.0], "y": [1.0, 2.0]}).to_reader()
    cases = [
        ((source, Y), TypeError, "A source brings y and sample_weight itself"),
        ((source, None, np.ones(N)), TypeError, "A source brings y and sample_weight itself"),
        ((source_of(path, None),), ValueError, "The source has no target"),
        ((from_arrow(reader, target="y"),), ValueError, "can be read only once"),
        ((FRAME,), ValueError, "fit requires y"),
    ]
    for arguments, error, text in cases:
        with pytest.raises(error, match=text):
            model.fit(*arguments)
    with pytest.raises(TypeError, match="brings y"):
        model.score(source, Y)
    with pytest.raises(ValueError, match="sample_rows must be a whole number from 2 on"):
        source_of(path, sample_rows=1)
    assert model._published is published


@pytest.mark.parametrize("row", [0, 2990])
def test_wrong_targets_are_told_with_their_place(row):
    gap, negative, half = Y.copy(), Y.copy(), LABELS.copy()
    gap[row], negative[row], half[row] = np.nan, -1.0, None
    place = f"batch {row // 250}: "
    with pytest.raises(ValueError, match=rf"{place}.*y.*NaN"):
        regressor().fit(chunked(gap, sample_rows=100))
    with pytest.raises(ValueError, match=rf"{place}.*loss='poisson' needs every y"):
        regressor(loss="poisson").fit(chunked(negative, sample_rows=100))
    with pytest.raises(ValueError, match=rf"{place}"):
        classifier().fit(chunked(half, sample_rows=100))
    weights = np.ones(N)
    weights[row] = -1
    source = from_batches(
        lambda: (
            (FRAME[i : i + 250], Y[i : i + 250], weights[i : i + 250]) for i in range(0, N, 250)
        ),
        sample_rows=100,
    )
    with pytest.raises(ValueError, match=rf"{place}sample_weight must not be negative"):
        regressor().fit(source)


def test_other_columns_and_cells_are_told_with_their_place():
    part, y = FRAME[:400], Y[:400]
    late = part.assign(a="word")
    with pytest.raises((TypeError, ValueError), match="batch 1"):
        regressor().fit(frames((part, y), (late[:1], y[:1])))
    with pytest.raises(ValueError, match="batch 1: X has 2 columns, but 3 at first"):
        regressor().fit(frames((part, y), (part[["a", "b"]], y)))
    with pytest.raises(ValueError, match="batch 1: the columns of X have other names"):
        regressor().fit(frames((part, y), (part[["b", "a", "c"]], y)))
    lists = part.assign(b=part["b"].astype(object))
    lists.at[7, "b"] = [1, 2]
    with pytest.raises((TypeError, ValueError), match=r"batch 1.*X, column 'b'"):
        regressor().fit(frames((part, y), (lists, y)))
    model = regressor().fit(part, y)
    with pytest.raises(TypeError, match=r"batch 1: X, column 'a', held numbers in fit; got texts"):
        model.predict(frames((part, y), (late, y)))


def test_a_file_that_changes_in_the_course(path, tmp_path, monkeypatch):
    copy = tmp_path / "copy.parquet"
    copy.write_bytes(path.read_bytes())
    model = regressor().fit(FRAME, Y)
    published = model._published

    def vanish(member):
        copy.unlink(missing_ok=True)

    with pytest.raises(OSError, match=r"copy\.parquet, row group"):
        model.set_params(callbacks=[vanish]).fit(source_of(copy))
    assert model._published is published


def test_networks_alone_draw_as_many_rows_as_a_source_says(path):
    source = from_parquet(path, target="y", columns=["a"], sample_rows=100)
    model = MLPRegressor(
        hidden_layer_sizes=(8,), max_iter=2, early_stopping=True, random_state=0, tol=0
    )
    with pytest.MonkeyPatch.context() as patch:
        seen = []
        survey = streaming.survey
        patch.setattr(streaming, "survey", lambda *a, **k: seen.append(survey(*a, **k)) or seen[-1])
        with pytest.warns():
            model.fit(source)
    assert len(seen[0].sample) == 100

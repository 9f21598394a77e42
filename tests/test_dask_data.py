"""What users hand to a fit on a cluster: the same whatever form it has, and clear errors."""

from __future__ import annotations

import sys

import cloudpickle
import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from helpers_dask import Most, cluster_of
from numpy.testing import assert_array_equal

from fastmlp.dask import DaskMLPClassifier, DaskMLPRegressor
from fastmlp.dask.partitions import parts_of
from fastmlp.dask.shards import cuts
from fastmlp.dask.survey import Look, survey_of
from fastmlp.data import from_arrays, from_parquet
from fastmlp.data.survey import Drawn, survey

# Workers can't import this file: its functions travel as they are.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

RNG = np.random.default_rng(0)
N, NAMES = 200, ["a", "b", "c"]
X = RNG.normal(size=(N, 3))
Y = X[:, 0] - X[:, 1]
LABELS = np.where(Y > 0.5, "high", np.where(Y < -0.5, "low", "middle"))
FRAME = pd.DataFrame(X, columns=NAMES).assign(y=Y, label=LABELS)
PART = 50
GIVEN = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0, "batch_size": 40, "tol": 0}


@pytest.fixture(scope="module", autouse=True)
def client():
    with cluster_of(2) as client:
        yield client


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two files of two row groups, as large as the parts of the others."""
    folder = tmp_path_factory.mktemp("files")
    for number in range(2):
        rows = FRAME.iloc[100 * number : 100 * number + 100]
        rows.to_parquet(folder / f"{number}.parquet", row_group_size=PART, index=False)
    return folder


def arrays(*values):
    return [da.from_array(value, chunks=(PART, *value.shape[1:])) for value in values]


def frame():
    return dd.from_pandas(FRAME, npartitions=N // PART)


def pieces(*values):
    """Return lists of delayed parts."""
    cut = [np.split(value, N // PART) for value in values]
    return [[dask.delayed(part) for part in each] for each in cut]


def regressor(**given):
    return DaskMLPRegressor(**{**GIVEN, "exchange": "synchronous", **given})


def classifier(**given):
    return DaskMLPClassifier(**{**GIVEN, "exchange": "synchronous", **given})


def parameters_of(model):
    return model._learnt.network.parameters.copy()


# -- the same rows in any form ---------------------------------------------------------------------


def test_the_same_parts_give_the_same_fit(files):
    wanted = parameters_of(regressor().fit(*arrays(X, Y)))
    numbers = frame()[NAMES], frame()["y"]
    tuples = [dask.delayed((x, y)) for x, y in zip(*pieces(X, Y), strict=True)]
    others = {
        "arrays cut by columns too": (da.from_array(X, chunks=(PART, 1)), da.from_array(Y)),
        "frames": numbers,
        "a frame and an array": (numbers[0], arrays(Y)[0]),
        "the name of a column": (frame()[[*NAMES, "y"]], "y"),
        "unknown lengths": (numbers[0].values, numbers[1].values),
        "lists": pieces(X, Y),
        "tuples": (tuples, None),
        "a source": (from_parquet(files, target="y", columns=NAMES), None),
    }
    for form, (x, y) in others.items():
        found = parameters_of(regressor().fit(x, y))
        assert_array_equal(found, wanted, err_msg=form)


def test_a_path_with_names_of_columns(files, tmp_path):
    FRAME.assign(w=1.0)[[*NAMES, "y", "w"]].to_parquet(
        tmp_path / "all.parquet", row_group_size=PART, index=False
    )
    model = regressor().fit(str(tmp_path / "*.parquet"), "y", "w")
    assert_array_equal(model.feature_names_in_, NAMES)
    weighted = regressor().fit(*arrays(X, Y, np.ones(N)))
    assert_array_equal(parameters_of(model), parameters_of(weighted))


def test_a_source_says_how_many_rows_are_drawn(files):
    source = from_parquet(files, target="y", columns=NAMES, sample_rows=20)
    model = regressor(early_stopping=True).fit(source)
    # Early stopping holds half of them out at most, and would take a tenth of all.
    assert model._learnt.history.n_samples_seen == model.n_iter_ * (N - 10)


def test_a_frame_of_files_keeps_its_partitions(files):
    # Dask reads several small files as one where few of their columns are asked for.
    many = dd.read_parquet(files, split_row_groups=True)
    model = regressor().fit(many[NAMES], many["y"])
    assert_array_equal(parameters_of(model), parameters_of(regressor().fit(*arrays(X, Y))))


def test_rows_of_weight_0_are_not_there():
    weights = np.ones(N)
    weights[::7] = 0
    model = regressor(n_shards=1).fit(*arrays(X, Y, weights))
    assert model._learnt.history.n_samples_seen == 2 * np.count_nonzero(weights)


@pytest.mark.parametrize("most", [3, 60, 1000])
def test_surveys_of_parts_are_those_of_a_source(client, files, most):
    source = from_parquet(files, target="label", columns=NAMES)
    wanted = survey(source, Drawn(5), Most(most), has_labels=True)
    parts = parts_of(source, None, None, "A", "B").parts
    found = survey_of(parts, Look(Drawn(5), Most(most), None, True), client)
    assert found.n_counting == [PART] * 4
    assert_array_equal(found.survey.keys, wanted.keys)
    assert_array_equal(found.survey.sample.y, wanted.sample.y)
    assert found.survey.sample.X.equals(wanted.sample.X)
    assert {k: v.X.to_pylist() for k, v in found.survey.firsts.items()} == {
        k: v.X.to_pylist() for k, v in wanted.firsts.items()
    }
    assert (found.survey.counts, found.survey.n_rows) == (wanted.counts, N)


@pytest.mark.parametrize(
    ("n_rows", "n_shards", "wanted"),
    [
        ([5, 5, 5, 5], 2, [2, 2]),
        ([5, 5, 5, 5], 4, [1, 1, 1, 1]),
        ([100, 1, 1, 1], 2, [1, 3]),
        ([1, 1, 1, 100], 2, [3, 1]),
        ([0, 7, 0, 0, 7, 0], 2, [4, 2]),
        ([1, 1, 98, 1, 1], 3, [2, 1, 2]),
        ([9], 1, [1]),
    ],
)
def test_cuts(n_rows, n_shards, wanted):
    found = cuts(n_rows, n_shards)
    assert [len(each) for each in found] == wanted
    assert [part for each in found for part in each] == list(range(len(n_rows)))


def test_every_shard_has_rows():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n_rows = rng.integers(0, 4, rng.integers(1, 12)).tolist()
        filled = np.count_nonzero(n_rows)
        for n_shards in range(1, filled + 1):
            found = cuts(n_rows, n_shards)
            assert all(sum(n_rows[part] for part in each) for each in found)
            assert [part for each in found for part in each] == list(range(len(n_rows)))


# -- parts of odd sizes ----------------------------------------------------------------------------


def test_one_row_per_partition():
    x, y = da.from_array(X[:12], chunks=(1, 3)), da.from_array(LABELS[:12], chunks=1)
    model = classifier(batch_size=12).fit(x, y)
    assert_array_equal(model.classes_, np.unique(LABELS[:12]))
    assert_array_equal(model.predict(x).compute(), model.to_local().predict(X[:12]))


def test_more_workers_than_partitions():
    x, y = da.from_array(X, chunks=(N, 3)), da.from_array(Y, chunks=N)
    model = regressor().fit(x, y)
    alone = regressor(n_shards=1).fit(x, y)
    assert_array_equal(parameters_of(model), parameters_of(alone))


def test_empty_partitions():
    whole, some = frame(), frame().loc[frame().a < 1e9]
    some = dd.concat([some, whole.loc[whole.a > 1e9]])
    model = regressor().fit(some[NAMES], some["y"])
    assert_array_equal(parameters_of(model), parameters_of(regressor().fit(*arrays(X, Y))))
    assert len(model.predict(some[NAMES]).compute()) == N


def test_classes_that_a_worker_lacks():
    order = np.argsort(LABELS, kind="stable")
    model = classifier(max_iter=30, learning_rate_init=0.02).fit(*arrays(X[order], LABELS[order]))
    assert_array_equal(model.classes_, ["high", "low", "middle"])
    assert model.score(*arrays(X, LABELS)) > 0.8


def test_the_number_of_shards_decides_over_the_bits():
    fits = [parameters_of(regressor(n_shards=n).fit(*arrays(X, Y))) for n in (2, 2, 4, None)]
    assert_array_equal(fits[0], fits[1])
    assert_array_equal(fits[0], fits[3])
    assert not np.array_equal(fits[0], fits[2])


# -- what is wrong ---------------------------------------------------------------------------------


def refused(error, text, *data, model=None):
    with pytest.raises(error, match=text):
        (model or regressor()).fit(*data)


def test_what_is_no_collection():
    x, y = arrays(X, Y)
    refused(TypeError, "X must be a dask array.*MLPRegressor learns from data in memory", X, Y)
    refused(TypeError, "X must be a dask array.*got", X, y)
    refused(TypeError, "y must come in parts as X does; X is a dask array", x, Y)
    refused(TypeError, "y is missing", x)
    refused(TypeError, "X is a source that only this process can read", from_arrays(X, Y))
    refused(TypeError, "y must come in parts", pieces(X)[0], Y)
    refused(TypeError, r"X\[1\] must be delayed", [dask.delayed(X), X], pieces(Y)[0])


def test_sources_bring_their_target(files):
    refused(TypeError, "brings its own y", from_parquet(files, target="y"), "y")
    refused(ValueError, "has no target", from_parquet(files))
    refused(ValueError, "target: there is no column", str(files), "price")
    refused(FileNotFoundError, "no file matches", str(files / "none*.parquet"), "y")


def test_parts_that_do_not_go_together():
    x, y = arrays(X, Y)
    refused(ValueError, "X has 200 rows, but y has 150", x, y[:150])
    refused(
        ValueError, "X has 4 partitions, but y has 3", x, dd.from_pandas(FRAME.y, npartitions=3)
    )
    unlike = da.from_array(Y, chunks=(60, 40, 50, 50))
    unlike = da.Array(unlike.dask, unlike.name, ((np.nan,) * 4,), meta=unlike._meta)
    refused(ValueError, "partition [01]: X has 50 rows, but y has [46]0", x, unlike)
    refused(ValueError, "sample_weight has 3", x, y, dd.from_pandas(FRAME.y, npartitions=3))
    refused(ValueError, "y: there is no column 'price'", frame(), "price")
    refused(ValueError, "must have 2 dimensions", x[:, 0], y)
    refused(ValueError, "y must have 1 or 2 dimensions", x, x[:, :, np.newaxis])
    hidden = da.Array(x.dask, x.name, (x.chunks[0], (np.nan,)), meta=x._meta)
    refused(ValueError, "number of X's columns is unknown", hidden, y)


def test_no_rows():
    empty = frame().loc[frame().a > 1e9]
    refused(ValueError, "has no rows", empty[NAMES], empty["y"])
    refused(ValueError, "has no rows", *arrays(X, Y, np.zeros(N)))


def test_parts_with_other_columns():
    parts = [dask.delayed(FRAME[NAMES]), dask.delayed(FRAME[["a", "b"]])]
    ys = [dask.delayed(Y)] * 2
    refused(ValueError, "partition 1: X has 2 columns, but 3 at first", parts, ys)
    parts[1] = dask.delayed(FRAME[["b", "a", "c"]])
    refused(ValueError, "partition 1: the columns of X have other names", parts, ys)


@pytest.mark.parametrize("n_drawn", [1, N])
def test_a_missing_number_is_told_with_its_place(n_drawn, monkeypatch):
    monkeypatch.setattr("fastmlp.dask.learning.rows_to_draw", Most(n_drawn))
    broken = FRAME.copy()
    broken.loc[130, "b"] = np.nan
    bad = dd.from_pandas(broken, npartitions=4)
    refused(ValueError, "^partition 2: .*NaN.*b", bad[NAMES], bad["y"])
    targets = Y.copy()
    targets[199] = np.nan
    refused(ValueError, "^partition 3: .*NaN", *arrays(X, targets))
    weights = np.ones(N)
    weights[60] = -1
    refused(ValueError, "^partition 1: .*negative", *arrays(X, Y, weights))


def changing(path, values):
    """Return values, all but the last of them from the second call on."""
    first = not path.exists()
    path.touch()
    return values if first else values[:-1]


def reordered(path, values):
    """Return values, in another order from the second call on."""
    first = not path.exists()
    path.touch()
    return values if first else values[::-1]


def test_data_that_change_during_a_fit(tmp_path):
    xs, ys = pieces(X, Y)
    x, y = np.split(X, 4)[2], np.split(Y, 4)[2]
    xs[2] = dask.delayed(lambda: changing(tmp_path / "x", x), pure=False)()
    ys[2] = dask.delayed(lambda: changing(tmp_path / "y", y), pure=False)()
    refused(ValueError, "partition 2: it had 50 rows at first and has 49 now", xs, ys)
    xs[2] = dask.delayed(lambda: reordered(tmp_path / "u", x), pure=False)()
    ys[2] = dask.delayed(lambda: reordered(tmp_path / "v", y), pure=False)()
    refused(ValueError, "partition 2: .*in another order", xs, ys)


def test_errors_of_the_users_own_graph():
    xs, ys = pieces(X, Y)
    xs[1] = dask.delayed(lambda: 1 / 0)()
    refused(ZeroDivisionError, "division by zero", xs, ys)


def test_parameters_of_the_cluster():
    x, y = arrays(X, Y)
    for given, error, text in (
        ({"exchange": "fast"}, ValueError, "exchange must be one of auto"),
        ({"exchange": 1}, TypeError, "exchange must be one of auto"),
        ({"n_shards": 0}, ValueError, "n_shards must be a whole number from 1 up, or None"),
        ({"n_shards": 1.5}, TypeError, "n_shards must be"),
        ({"local_steps": "many"}, TypeError, "local_steps must be .* or 'auto'"),
        ({"client": "tcp://1.2.3.4"}, TypeError, "client must be a dask.distributed.Client"),
        ({"solver": "lbfgs"}, ValueError, "solver='lbfgs' needs all rows at once"),
        ({"n_members": 2, "own_batches": True}, ValueError, "own_batches=True"),
    ):
        refused(error, text, x, y, model=regressor(**given))

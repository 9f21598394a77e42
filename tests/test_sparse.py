"""Sparse X: the same bits as its dense copy, from every format, in the memory of a batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers import make_problem, objective_and_gradient, predict, train
from helpers_memory import peak_bytes
from helpers_rejection import rejection
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fastmlp import MLPClassifier, MLPRegressor, Predictor, RosenblattPerceptron
from fastmlp.plan.inputs import SparseRows, gather, matrix_of, mean_squares
from fastmlp.validation.sparse import sparse_rows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, I = 60, 37  # noqa: E741 - the letters of all shapes
FORMATS = ("csr", "csc", "coo", "bsr", "lil", "dok", "dia")


def table(dtype=np.float64, n_rows=N, n_columns=I, share=0.15, seed=0):
    """Return a dense table (N, I) that is mostly zeros, with empty rows."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_rows, n_columns)) * 4
    values[rng.random(values.shape) >= share] = 0
    values[[0, n_rows // 2, n_rows - 1]] = 0
    return np.abs(values).astype(dtype) if dtype == np.uint8 else values.astype(dtype)


X = table()
LABELS = np.arange(N) % 3
Y = X[:, 0] - X[:, 1]
SMALL = {"hidden_layer_sizes": (9,), "max_iter": 3, "random_state": 0}


def classifier(**parameters):
    return MLPClassifier(**{**SMALL, **parameters})


def regressor(**parameters):
    return MLPRegressor(**{**SMALL, **parameters})


def assert_same_fit(model, dense, given, y, **keywords):
    """Hold that a fit on ``given`` has the bits of one on the dense table of the same numbers."""
    expected = type(model)(**model.get_params()).fit(dense, y, **keywords)
    model.fit(given, y, **keywords)
    assert model.loss_curve_ == expected.loss_curve_
    for ours, theirs in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return expected


# -- the same bits ------------------------------------------------------------------------------

PROBLEMS = {
    "small": {"layer_sizes": (I, 9, 3), "optimizer": "adam", "weighted": True},
    "large": {
        "layer_sizes": (130, 150, 3),
        "dropouts": (0.2, 0.1),
        "input_noise": 0.1,
        "normalizations": "batch",
        "batch_size": 60,
    },
}


def sparse_twin(problem, index_dtype):
    rows = sparse_rows(sparse.csr_array(problem.X), problem.dtype, None)
    return replace(problem, X=replace(rows, columns=rows.columns.astype(index_dtype)))


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
@pytest.mark.parametrize(
    ("x_dtype", "index_dtype"),
    [(np.uint8, np.int32), (np.float32, np.int64), (np.float64, np.int32)],
)
def test_backends_give_the_bits_of_dense_rows(backend, dtype, problem, x_dtype, index_dtype):
    problem = make_problem(**problem, dtype=dtype, n_rows=150, n_epochs=2)
    problem = replace(problem, X=table(x_dtype, 150, problem.plan.n_inputs))
    twin, some = sparse_twin(problem, index_dtype), np.array([7, 0, 149, 7])
    for n_threads in (1, 3):
        for run in (train, objective_and_gradient):
            for ours, theirs in zip(
                run(backend, twin, n_threads), run(backend, problem), strict=True
            ):
                np.testing.assert_array_equal(ours, theirs)
        for rows in (None, some):
            outputs = predict(backend, twin, rows, n_threads=n_threads)
            np.testing.assert_array_equal(outputs, predict(backend, problem, rows))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_every_format_in_every_method(form, kind):
    given = getattr(sparse, f"{form}_{kind}")(X)
    model = classifier(early_stopping=True, input_dropout=0.1)
    expected = assert_same_fit(model, X, given, LABELS, sample_weight=np.arange(N) % 3)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(getattr(model, method)(given), getattr(expected, method)(X))
    for method in ("loss_per_sample", "cost", "objective", "score"):
        ours, theirs = getattr(model, method)(given, LABELS), getattr(expected, method)(X, LABELS)
        np.testing.assert_array_equal(ours, theirs)
    ours, theirs = model.gradient(given, LABELS), expected.gradient(X, LABELS)
    np.testing.assert_array_equal(ours.coefs[0], theirs.coefs[0])
    np.testing.assert_array_equal(Predictor(model)(given), Predictor(expected)(X))


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "lbfgs"},
        {"solver": "sgd", "dtype": "float64", "normalization": "batch", "input_noise": 0.1},
        {"warm_start": True, "batch_size": 7},
    ],
)
def test_fits_of_regressors(parameters):
    model = regressor(**parameters)
    given = sparse.csc_array(X)
    expected = assert_same_fit(model, X, given, Y)
    if model.warm_start:
        assert model.fit(given, Y).loss_ == expected.fit(X, Y).loss_


def score_by_table(model, table, y):
    """Score a model on a table that a user's function can look into."""
    assert table.shape[1] == I
    return model.score(table, y) - (table[[0]].sum() > 0)


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("scoring", [None, "balanced_accuracy", score_by_table])
def test_rows_to_judge_by(form, scoring):
    model = classifier(early_stopping=True, scoring=scoring, validation_split=KFold(3))
    assert_same_fit(model, X, form(X), LABELS)
    ours, theirs = (classifier(early_stopping=True, scoring=scoring) for _ in range(2))
    ours.fit(form(X), LABELS, X_val=form(X[::2]), y_val=LABELS[::2])
    theirs.fit(X, LABELS, X_val=X[::2], y_val=LABELS[::2])
    assert ours.validation_scores_ == theirs.validation_scores_


def test_partial_fits_of_rows_dense_and_sparse_in_turn():
    model, expected = (classifier(batch_size="auto") for _ in range(2))
    for start in range(0, N, 10):
        part = slice(start, start + 10)
        given = X[part] if start % 20 else sparse.csr_array(X[part])
        model.partial_fit(given, LABELS[part], classes=[0, 1, 2])
        expected.partial_fit(X[part], LABELS[part], classes=[0, 1, 2])
    np.testing.assert_array_equal(model.coefs_[0], expected.coefs_[0])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64, np.float32, np.longdouble])
@pytest.mark.parametrize("real", ["float32", "auto"])
def test_types_of_numbers(dtype, real):
    dense = table(np.uint8).astype(dtype)
    assert_same_fit(classifier(dtype=real), dense, sparse.csr_array(dense), LABELS)


# -- odd, but right -----------------------------------------------------------------------------


def odd(values, columns, starts, n_columns=5, index_dtype=np.int32):
    """Return CSR whose arrays are as given: SciPy looks at none that are set later."""
    matrix = sparse.csr_array((len(starts) - 1, n_columns))
    matrix.data = np.asarray(values, dtype=np.float64)
    matrix.indices = np.asarray(columns, dtype=index_dtype)
    matrix.indptr = np.asarray(starts, dtype=index_dtype)
    return matrix


ODD = {
    "unsorted": odd([1, 2, 3, 4], [3, 0, 4, 1], [0, 2, 2, 4]),
    "repeated": odd([1e16, 1, -1e16, 4], [2, 2, 2, 1], [0, 3, 3, 4]),
    "explicit zeros": odd([0, 1, -0.0], [0, 3, 4], [0, 2, 2, 3]),
    "nothing stored": odd([], [], [0, 0, 0, 0]),
    "longer than needed": odd([1, 2, 7], [0, 4, 99], [0, 1, 1, 2]),
    "int64": odd([1, 2], [4, 0], [0, 1, 1, 2], index_dtype=np.int64),
    "int16": odd([1, 2], [4, 0], [0, 1, 1, 2], index_dtype=np.int16),
    "one column": odd([1, 2], [0, 0], [0, 1, 1, 2], n_columns=1),
}


@pytest.mark.parametrize("given", ODD.values(), ids=ODD)
@pytest.mark.parametrize("backend", ["compiled", "numpy"])
def test_odd_matrices(given, backend):
    n_stored = given.indptr[-1]
    arrays = given.data[:n_stored], given.indices[:n_stored], given.indptr
    dense = sparse.csr_array(arrays, shape=given.shape).toarray()
    before = [array.copy() for array in (given.data, given.indices, given.indptr)]
    for array in (given.data, given.indices, given.indptr):
        array.flags.writeable = False
    model = regressor(backend=backend)
    expected = assert_same_fit(model, dense, given, [1.0, 2.0, 4.0])
    np.testing.assert_array_equal(model.predict(given), expected.predict(dense))
    for array, values in zip((given.data, given.indices, given.indptr), before, strict=True):
        np.testing.assert_array_equal(array, values)


def test_flags_that_lie_are_not_believed():
    given = odd([1, 2, 3], [2, 2, 1], [0, 2, 3])
    given.has_canonical_format = given.has_sorted_indices = True
    dense = np.array([[0, 0, 3.0, 0, 0], [0, 3.0, 0, 0, 0]])
    assert_same_fit(regressor(), dense, given, [1.0, 2.0])


def test_some_rows():
    rows, given = np.array([3, 50, 7, 7]), sparse_rows(sparse.csr_array(X), X.dtype, None)
    sizes = np.mean(X[rows] ** 2, axis=0)
    np.testing.assert_allclose(mean_squares(given, rows), sizes, rtol=1e-14)
    np.testing.assert_array_equal(matrix_of(given, rows).toarray(), X[rows])
    np.testing.assert_array_equal(gather(given, rows, np.float64), X[rows])


def test_a_column_out_of_scale_is_named():
    dense = np.where(np.arange(I) == 5, 1e4, 1.0) * X
    texts = []
    for given in (dense, sparse.csr_array(dense)):
        with pytest.warns(UserWarning, match="Column 5 of X is about") as caught:
            classifier(max_iter=1).fit(given, LABELS)
        texts.append([str(each.message) for each in caught])
    assert texts[0] == texts[1]


# -- wrong --------------------------------------------------------------------------------------

WRONG = {
    "column too large": (odd([1], [5], [0, 1, 1]), "indices must be at least 0 and below 5; got 5"),
    "column negative": (odd([1], [-1], [0, 1, 1]), "got -1"),
    "rows overlap": (odd([1, 2], [1, 2], [0, 2, 1]), "begin with 0 and never decrease"),
    "not from 0": (odd([1, 2], [1, 2], [1, 1, 2]), "indptr must begin with 0"),
    "beyond the end": (odd([1, 2], [1, 2], [0, 1, 9]), "indptr ends with 9, beyond the 2 indices"),
    "few values": (odd([1], [1, 2], [0, 1, 2]), "the 1 entries of data"),
    "table of values": (odd([[1, 2]], [1], [0, 1, 1]), "data must be a flat array"),
    "columns as floats": (odd([1], [1], [0, 1, 1], index_dtype=np.float64), "arrays of integers"),
}


def damaged_forms():
    """Return damaged matrices of formats that SciPy's compiled code would convert."""
    column = odd([1.0], [7], [0, 1, 1, 1, 1, 1], 2)
    by_column = sparse.csc_array((2, 5))
    by_column.data, by_column.indices, by_column.indptr = column.data, column.indices, column.indptr
    triplets = sparse.coo_array(([1.0], ([0], [1])), shape=(2, 5))
    triplets.row = np.array([10**6])
    blocks = sparse.bsr_array(np.ones((2, 4)), blocksize=(2, 2))
    blocks.indices[1] = 2
    lists, uneven = sparse.lil_array(np.ones((2, 5))), sparse.lil_array(np.ones((2, 5)))
    lists.rows[1][4] = 9
    uneven.data[1] = [1.0] * 10**6
    return {
        "csc": (by_column, "indices must be at least 0 and below 2; got 7"),
        "coo": (triplets, "row must be at least 0 and below 2; got 1000000"),
        "bsr": (blocks, "indices must be at least 0 and below 2; got 2"),
        "lil": (lists, "indices must be at least 0 and below 5; got 9"),
        "uneven lil": (uneven, "row 1 has more columns than data, or fewer"),
    }


@pytest.mark.parametrize("case", [*WRONG, *damaged_forms()])
def test_damaged_matrices_are_refused(case):
    given, text = (WRONG | damaged_forms())[case]
    fitted = regressor().fit(np.eye(given.shape[1]), np.arange(given.shape[1]))
    assert text in rejection(regressor(), "X", "fit", given, [1.0, 2.0])
    assert text in rejection(fitted, "X", "predict", given)
    assert text in rejection(fitted, "X", "partial_fit", given, [1.0, 2.0])


def test_a_predictor_believes_no_rows_that_it_has_not_made():
    predict = Predictor(classifier().fit(X, LABELS))
    starts = np.arange(2, dtype=np.int64)
    for column, n_columns in ((10**6, I), (0, 10**6)):
        given = SparseRows(np.ones(1), np.array([column], np.int32), starts, n_columns)
        with pytest.raises(ValueError, match=r"^X"):
            predict(given)


def test_a_damaged_target_is_refused():
    given = sparse.csr_array(np.eye(N, 3, dtype=int))
    given.indices[1:] = 10**6
    text = rejection(classifier(), "y", "fit", X, given)
    assert "indices must be at least 0 and below 3; got 1000000" in text


@pytest.mark.parametrize(
    ("value", "what"), [(np.nan, "NaN"), (-np.inf, "infinity"), (1e39, "1e+39")]
)
def test_what_is_not_finite_is_named_as_in_a_dense_table(value, what):
    dense = X.copy()
    dense[[7, 20], [30, 4]] = value
    texts = {
        rejection(classifier(), "X", "fit", given, LABELS)
        for given in (dense, sparse.csr_array(dense), sparse.coo_array(dense))
    }
    (text,) = texts
    assert text.startswith(f"Input X contains {what}")
    assert "(column 30, row 7)" in text


def test_other_models_and_arguments_refuse_sparse_matrices():
    given, refused = sparse.csr_array(X), "is a sparse matrix, which is not supported: pass"
    text = rejection(RosenblattPerceptron(), "X", "fit", given, LABELS)
    assert text == f"X {refused} X.toarray()."
    text = rejection(classifier(), "sample_weight", "fit", X, LABELS, given[:, :1])
    assert text == f"sample_weight {refused} sample_weight.toarray()."


def test_the_number_of_columns_must_agree():
    fitted = classifier().fit(sparse.csr_array(X), LABELS)
    text = rejection(fitted, "X", "predict", sparse.csr_array(X[:, 1:]))
    assert text == "X has 36 features, but MLPClassifier is expecting 37 features as input."


# -- what it is for -----------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["compiled", "numba"])
def test_memory_is_that_of_a_batch(backend):
    n_rows, n_columns = 5000, 20_000
    given = sparse.random(n_rows, n_columns, 0.001, "csr", np.float32, 0)
    y = np.arange(n_rows) % 2
    model = MLPClassifier((4,), batch_size=50, max_iter=1, backend=backend, n_threads=16)
    model.fit(given[:60], y[:60])  # what is compiled or loaded takes memory once
    # Dense, it is 400 MB; 50 rows are 4, and 256 in a prediction 20.
    dense_bytes = n_rows * n_columns * 4
    assert peak_bytes(lambda: model.fit(given, y)) < 0.1 * dense_bytes
    assert peak_bytes(lambda: model.predict(given)) < 0.1 * dense_bytes
    model.set_params(solver="lbfgs", n_threads=2)  # 41 MB for 512 rows, and 1 MB a thread
    model.fit(given[:60], y[:60])
    assert peak_bytes(lambda: model.fit(given, y)) < 0.2 * dense_bytes


def test_one_hot_columns_and_numbers():
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "city": rng.choice([f"city {i}" for i in range(40)], 200),
            "colour": rng.choice(["red", "green", "blue"], 200),
            "size": rng.normal(size=200),
        }
    )
    y = (frame["city"].str[-1].isin(list("02468")) ^ (frame["size"] > 1.5)).to_numpy()
    columns = ColumnTransformer(
        [("words", OneHotEncoder(), ["city", "colour"]), ("numbers", StandardScaler(), ["size"])]
    )
    assert sparse.issparse(columns.fit_transform(frame))
    model = make_pipeline(columns, MLPClassifier((20,), max_iter=60, learning_rate_init=0.02))
    assert model.fit(frame, y).score(frame, y) > 0.95
    np.testing.assert_array_equal(Predictor(model)(frame), model.predict_proba(frame))
    words = make_pipeline(OneHotEncoder(), MLPClassifier((20,), max_iter=3))
    assert words.fit(frame[["city"]], y).predict(frame[["city"]]).shape == (200,)


def test_texts():
    texts = ["the cat sat", "a cat ran", "the dog sat down", "dogs run", "a cat", "one dog"] * 10
    labels = ["cat" if "cat" in text else "dog" for text in texts]
    model = make_pipeline(
        TfidfVectorizer(), MLPClassifier((8,), max_iter=50, learning_rate_init=0.05)
    )
    assert model.fit(texts, labels).score(texts, labels) == 1
    assert model.predict(["cat", "dog"]).tolist() == ["cat", "dog"]


def sparse_frame(dense):
    names = [f"c{i}" for i in range(dense.shape[1])]
    return pd.DataFrame.sparse.from_spmatrix(sparse.csr_array(dense), columns=names)


def test_data_frames_of_sparse_columns():
    assert_same_fit(classifier(), X, sparse_frame(X), LABELS)
    dense = X.copy()
    dense[3, 2] = np.nan
    text = rejection(classifier(), "X", "fit", sparse_frame(dense), LABELS)
    assert text.startswith("Input X contains NaN (column 'c2', row 3)")


def test_a_slice_of_rows_copies_nothing_that_is_stored():
    rows = sparse_rows(sparse.csr_array(X), X.dtype, None)
    part = rows[10:20]
    assert isinstance(part, SparseRows)
    assert part.shape == (10, I)
    assert np.shares_memory(part.values, rows.values)

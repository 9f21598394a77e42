"""Who decides how many threads a call may use."""

from __future__ import annotations

import os

import joblib
import numpy as np
import pytest
from helpers_process import run_python
from threadpoolctl import threadpool_info, threadpool_limits

from fastmlp import MLPClassifier
from fastmlp.backends import get_backend
from fastmlp.threads import available_threads, default_threads, one_blas_thread

MANY = 64  # more than any limit under test


@pytest.fixture
def eight_cpus(monkeypatch):
    """A machine with eight CPUs and no environment variable."""
    monkeypatch.setattr("fastmlp.threads._cpus", lambda n_allowed: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def core_info():
    return [entry for entry in threadpool_info() if entry["internal_api"] == "fastmlp"]


def test_cpu_count_is_joblibs(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert available_threads() == joblib.cpu_count()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("3", 3), ("1", 1), ("5,2", 5), ("100", 8), ("", 8), ("0", 8), ("many", 8), ("-2", 8)],
)
def test_environment_variable(value, expected, eight_cpus, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert available_threads() == expected
    assert default_threads() == expected


def test_threadpoolctl_lists_the_core(eight_cpus):
    (entry,) = core_info()
    assert entry["user_api"] == "openmp"
    assert entry["num_threads"] == 8
    assert os.path.basename(entry["filepath"]).startswith("_core.")


@pytest.mark.parametrize("user_api", [None, "openmp"])
def test_threadpoolctl_limits_and_restores(user_api, eight_cpus):
    with threadpool_limits(3, user_api=user_api):
        assert default_threads() == 3
        assert core_info()[0]["num_threads"] == 3
        with threadpool_limits(1, user_api=user_api):
            assert default_threads() == 1
        assert default_threads() == 3
    assert default_threads() == 8


def test_after_a_limit_the_environment_counts_again(eight_cpus, monkeypatch):
    with threadpool_limits(2):
        pass
    monkeypatch.setattr("fastmlp.threads._cpus", lambda n_allowed: 16)
    assert default_threads() == 16


def test_a_limit_on_blas_alone_is_not_ours(eight_cpus):
    with threadpool_limits(1, user_api="blas"):
        assert default_threads() == 8


def test_a_limit_cannot_raise_the_default(eight_cpus):
    with threadpool_limits(MANY):
        assert default_threads() == 8


def test_explicit_number_is_taken_as_given(eight_cpus):
    with threadpool_limits(1):
        assert MLPClassifier(n_threads=MANY)._count_threads() == MANY
        assert MLPClassifier()._count_threads() == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_affinity_is_respected():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from fastmlp.threads import default_threads; print(default_threads())"
    )
    assert run_python(code).strip() == "1"


def test_limit_set_before_the_first_fit_counts():
    code = (
        "import fastmlp, threadpoolctl\n"
        "with threadpoolctl.threadpool_limits(1):\n"
        "    print(fastmlp.MLPClassifier()._count_threads())\n"
    )
    assert run_python(code).strip() == "1"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_limit_reaches_the_backend(eight_cpus, monkeypatch):
    backend = get_backend("numpy")
    teams = []
    for method in ("bind", "predict"):
        original = getattr(backend, method)

        def spy(*args, _original=original):
            teams.append(args[-1])
            return _original(*args)

        monkeypatch.setattr(backend, method, spy)
    X = np.random.RandomState(0).rand(40, 3)
    model = MLPClassifier((4,), max_iter=2, backend="numpy")
    with threadpool_limits(2):
        model.fit(X, X[:, 0] > 0.5).predict(X)
    assert set(teams) == {2}
    teams.clear()
    model.set_params(n_threads=MANY).fit(X, X[:, 0] > 0.5)
    assert max(teams) == teams[0] == MANY  # fewer later, where there are fewer rows
    assert min(teams) > 1


# -- BLAS, which SciPy's L-BFGS uses between our calls -------------------------------------------


def blas_threads():
    return {entry["num_threads"] for entry in threadpool_info() if entry["user_api"] == "blas"}


def fit_by_lbfgs(callback):
    X = np.random.RandomState(0).rand(40, 3)
    model = MLPClassifier((4,), solver="lbfgs", max_iter=3, callbacks=[callback])
    return model.fit(X, X[:, 0] > 0.5)


@pytest.fixture
def two_blas_threads():
    import scipy.optimize  # noqa: F401 - which brings a BLAS of its own

    with threadpool_limits(2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("there is no BLAS that takes a number of threads")
        yield


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_blas_has_one_thread_beside_lbfgs(two_blas_threads):
    found = []
    fit_by_lbfgs(lambda record: found.append(blas_threads()))
    assert found
    assert all(each == {1} for each in found)
    assert blas_threads() == {2}


def test_blas_has_its_threads_again_after_an_error(two_blas_threads):
    def fail(record):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fit_by_lbfgs(fail)
    assert blas_threads() == {2}


def test_the_last_of_several_searches_gives_blas_its_threads_again(two_blas_threads):
    first, second = one_blas_thread(), one_blas_thread()
    for search in (first, second):
        search.__enter__()
    first.__exit__(None, None, None)
    assert blas_threads() == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_search_that_goes_on_in_a_child_leaves_later_ones_their_limit(two_blas_threads):
    reading, writing = os.pipe()
    with one_blas_thread():
        child = os.fork()
    if child == 0:  # pragma: no cover - in the child
        try:
            with one_blas_thread():
                os.write(writing, bytes(blas_threads()))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert set(pipe.read()) == {1}
    assert blas_threads() == {2}

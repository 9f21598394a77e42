"""Not enough memory: the parameter to blame is named, and nothing has changed."""

from __future__ import annotations

import numpy as np
import pytest
from helpers_rejection import LABELS, X, Y, assert_rejected, classifier, regressor
from scipy import sparse

from fastmlp.backends import BACKENDS, get_backend
from fastmlp.network import Network
from fastmlp.validation import memory

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_networks_beyond_all_memory():
    model = classifier(hidden_layer_sizes=(10**8, 10**8))
    text = r"hidden_layer_sizes=\(100000000, 100000000\) makes a network of 1e\+16 parameters"
    assert_rejected(model, (X, LABELS), MemoryError, text)


def no_memory(*arguments, **keywords):
    raise MemoryError("Unable to allocate 3.00 TiB")


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (
            {"batch_size": 30, "hidden_layer_sizes": (2,)},
            r"^batch_size=30 needs more memory than there is with hidden_layer_sizes=\(2,\): lower",
        ),
        (
            {"solver": "lbfgs", "hidden_layer_sizes": (1,), "normalization": "batch"},
            "^solver='lbfgs' takes all 40 rows at once, .*: choose another solver",
        ),
        (
            {"solver": "lbfgs", "hidden_layer_sizes": (1,)},
            "^solver='lbfgs' takes 40 rows at once, .*: choose another solver",
        ),
        (
            {"batch_size": 2, "hidden_layer_sizes": (50, 50)},
            r"^hidden_layer_sizes=\(50, 50\) makes a network of 2.8e\+03 parameters, for which",
        ),
    ],
)
def test_training_beyond_all_memory(monkeypatch, parameters, text):
    for name in BACKENDS:
        monkeypatch.setattr(type(get_backend(name)), "bind", no_memory)
    assert_rejected(regressor(**parameters), (X, Y), MemoryError, text)


def test_outputs_beyond_all_memory(monkeypatch):
    model = classifier().fit(X, LABELS)
    monkeypatch.setattr(Network, "at_once", lambda *_, **__: None)  # leaves it to the long way
    monkeypatch.setattr(Network, "forward", no_memory)
    monkeypatch.setattr(Network, "cost_gradient", no_memory)
    text = "^There is not enough memory for the outputs of the 40 rows of X: pass fewer rows"
    for method in ("predict", "predict_proba", "decision_function"):
        assert_rejected(model, (X,), MemoryError, text, method=method)
    for method in ("loss_per_sample", "cost", "objective", "gradient", "score"):
        assert_rejected(model, (X, LABELS), MemoryError, text, method=method)


def test_data_beyond_all_memory():
    endless = np.broadcast_to(np.zeros((1, 1), dtype=np.int64), (2**50, 3))
    text = "^X: there is not enough memory. Unable to allocate 12.0 PiB"
    assert_rejected(regressor(), (endless, Y), MemoryError, text)
    assert_rejected(regressor().fit(X, Y), (endless,), MemoryError, text, method="predict")


def test_networks_that_the_system_would_end_the_process_for(monkeypatch):
    """Where memory is promised that is not there, nothing raises but this check."""
    wide = sparse.csr_array((40, 10**7))
    monkeypatch.setattr(memory, "available_memory", lambda: 2**30)
    text = (
        r"^hidden_layer_sizes=\(100,\) makes a network of 1e\+09 parameters with the 10000000 "
        r"columns of X, for which there is not enough memory: training takes 14\.9 GiB, and 1 GiB"
    )
    model = classifier(hidden_layer_sizes=(100,))
    assert_rejected(model, (wide, LABELS), MemoryError, text)
    model.set_params(solver="sgd")
    assert_rejected(model, (wide, LABELS), MemoryError, "training takes 11.2 GiB")
    classifier().fit(X, LABELS)


def test_levels_that_the_system_would_end_the_process_for(monkeypatch):
    levels = np.array(X)
    levels[0, 0], levels[1:, 0] = 2**24 - 1, 0
    monkeypatch.setattr(memory, "available_memory", lambda: 2**30)
    text = (
        r"^categorical_features has levels of 1\.34e\+08 parameters, for which there is not enough "
        r"memory: training takes 2 GiB, and 1 GiB"
    )
    model = classifier(categorical_features=[0])
    assert_rejected(model, (levels, LABELS), MemoryError, text)


def test_available_memory():
    assert memory.available_memory() > 2**20

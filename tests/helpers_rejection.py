"""What bad-input tests share: small data and models, and how a rejection must look."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from numpy.testing import assert_equal

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.backends import BACKENDS

RNG = np.random.RandomState(0)
X = RNG.normal(size=(40, 3))
Y = X[:, 0] - X[:, 1]
LABELS = np.where(Y > 0, "up", "down")


def classifier(**parameters):
    return MLPClassifier(**{"hidden_layer_sizes": (4,), "max_iter": 3, **parameters})


def regressor(**parameters):
    return MLPRegressor(**{"hidden_layer_sizes": (4,), "max_iter": 3, **parameters})


def assert_rejected(model, arguments, error, text, method="fit", **keywords):
    """Hold the error's type and text for every backend, and that nothing has changed."""
    texts = set()
    for name in BACKENDS:
        trial = copy.deepcopy(model).set_params(backend=name)
        published = vars(trial).get("_published")  # what was learnt: an object that never changes
        before = copy.deepcopy(vars(trial))
        with pytest.raises(error, match=text) as caught:
            getattr(trial, method)(*arguments, **keywords)
        texts.add(str(caught.value))
        assert vars(trial).keys() == before.keys()
        for key, value in before.items():
            if not key.startswith("_"):
                assert_equal(vars(trial)[key], value, err_msg=key)
        assert vars(trial).get("_published") is published
    assert len(texts) == 1

"""What bad-input tests share: small data and models, and how a rejection must look."""

from __future__ import annotations

import copy
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_equal

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.backends import BACKENDS

RNG = np.random.RandomState(0)
X = RNG.normal(size=(40, 3))
Y = X[:, 0] - X[:, 1]
LABELS = np.where(Y > 0, "up", "down")
FRAME = pd.DataFrame(X, columns=["age", "height", "weight"])


def classifier(**parameters):
    return MLPClassifier(**{"hidden_layer_sizes": (4,), "max_iter": 3, **parameters})


def regressor(**parameters):
    return MLPRegressor(**{"hidden_layer_sizes": (4,), "max_iter": 3, **parameters})


def state_of(model):
    """Return the fitted attributes by value: what was learnt may not change when a call fails."""
    names = [name for name in dir(model) if name.endswith("_") and not name.startswith("_")]
    return copy.deepcopy({name: getattr(model, name) for name in names if hasattr(model, name)})


def parameters_of(model):
    """Return all weights and biases (P,)."""
    return np.concatenate([a.ravel() for a in model.coefs_ + model.intercepts_])


def assert_rejected(model, arguments, error, text, method="fit", **keywords):
    """Hold the error's type and text for every backend, and that nothing has changed."""
    texts = set()
    for name in BACKENDS:
        trial = copy.deepcopy(model).set_params(backend=name)
        published = vars(trial).get("_published")  # what was learnt: an object that never changes
        before, learnt = copy.deepcopy(vars(trial)), state_of(trial)
        with pytest.raises(error, match=text) as caught:
            getattr(trial, method)(*arguments, **keywords)
        texts.add(str(caught.value))
        assert vars(trial).keys() == before.keys()
        for key, value in before.items():
            if not key.startswith("_"):
                assert_equal(vars(trial)[key], value, err_msg=key)
        assert vars(trial).get("_published") is published
        assert_equal(state_of(trial), learnt)
    assert len(texts) == 1


#: Characters that fit on a screen, and in a log.
LONGEST = 300


def rejection(model, name, method, *arguments, **keywords):
    """Return the text of an error; hold that it is one line with ``name`` and changes nothing."""
    learnt = state_of(model)
    text = refusal(model, name, method, *arguments, **keywords)
    assert_equal(state_of(model), learnt)
    return text


def refusal(model, name, method, *arguments, **keywords):
    """Do the same, but look for no change within arrays: who asks often looks once, at the end."""
    before = dict(vars(model))
    with pytest.raises((TypeError, ValueError)) as caught:
        getattr(model, method)(*arguments, **keywords)
    text = str(caught.value)
    assert caught.type in (TypeError, ValueError), text
    assert len(text) < LONGEST, text
    assert "\n" not in text
    assert re.search(rf"\b{name}\b", text), text
    after = vars(model)
    assert after.keys() == before.keys()
    assert all(after[key] is value for key, value in before.items())
    return text


class Hostile:
    """An object whose conversions and representation are all wrong."""

    def __repr__(self):
        raise RuntimeError("no text")

    def __array__(self, dtype=None, copy=None):
        raise AttributeError("no array\nat all")

    def __len__(self):
        raise RuntimeError("no length")

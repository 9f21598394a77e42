"""A stand-in for what a model of AutoGluon inherits, written by its documentation (1.6).

What a subclass may rely on and what it is called with, and no more: AutoGluon pins versions of
pandas and others that these tests do not run on.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import numpy as np

METRICS = {"binary": "accuracy", "multiclass": "accuracy", "regression": "root_mean_squared_error"}


class AbstractModel:
    """``fit`` sets the model up and calls ``_fit``; predictions come from ``self.model``."""

    seed_name = None

    def __init__(
        self, path=None, name=None, problem_type=None, eval_metric=None, hyperparameters=None
    ):
        self.path, self.name, self.problem_type = path, name, problem_type
        self.eval_metric = eval_metric and SimpleNamespace(name=eval_metric)
        given = dict(hyperparameters or {})
        self.params_aux = {k[3:]: given.pop(k) for k in list(given) if k.startswith("ag.")}
        self.params, self.model = given, None

    def fit(self, *, X, y, random_seed="auto", num_gpus=0, verbosity=2, **kwargs):
        if self.eval_metric is None:
            self.eval_metric = SimpleNamespace(name=METRICS.get(self.problem_type, "pinball_loss"))
        self.quantile_levels = self.params_aux.get("quantile_levels")
        if self.seed_name is not None:
            seed = 0 if random_seed == "auto" else random_seed
            self.params = {self.seed_name: seed} | self.params
        self.features = list(X.columns)
        out = self._fit(X=X, y=y, num_gpus=num_gpus, verbosity=verbosity, **kwargs)
        return self if out is None else out

    def preprocess(self, X, **_):
        return X[self.features]

    def _get_model_params(self):
        return dict(self.params)

    def predict_proba(self, X):
        X = self.preprocess(X)
        if self.problem_type in ("regression", "quantile"):
            return self.model.predict(X)
        proba = self.model.predict_proba(X)
        return proba[:, 1] if self.problem_type == "binary" else proba

    def predict(self, X):
        proba = self.predict_proba(X)
        if self.problem_type == "binary":
            return (proba >= 0.5).astype(int)
        return np.argmax(proba, axis=1) if self.problem_type == "multiclass" else proba


def adapter(monkeypatch):
    """Return the adapter's module, on AutoGluon where it is installed, else on the stand-in."""
    name = "fastmlp.adapters.autogluon"
    if find_spec("autogluon") is None:
        for stand_in in ("autogluon", "autogluon.core", "autogluon.core.models"):
            monkeypatch.setitem(sys.modules, stand_in, ModuleType(stand_in))
        sys.modules["autogluon.core.models"].AbstractModel = AbstractModel
    monkeypatch.delitem(sys.modules, name, raising=False)
    module = import_module(name)
    # A later import must not find what stands on the stand-in.
    monkeypatch.setitem(sys.modules, name, module)
    return module

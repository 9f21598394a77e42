"""Models of raw tables: how each is made, with its own defaults.

A model gets the frame as it is, and does of itself what its library asks for: texts as categories,
missing values filled. That is a part of its fit, and is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder

__all__ = ["MODELS", "Model"]

#: Makes an estimator for a frame (N, I), whether its target is classes, a seed and threads.
Build = Callable[[pd.DataFrame, bool, int, int], Any]


class Model(NamedTuple):
    """A peer. ``needs`` is the library that must be there."""

    build: Build
    needs: str = "sklearn"

    @property
    def is_there(self) -> bool:
        """Whether its library is installed."""
        return find_spec(self.needs) is not None


def _texts(X: pd.DataFrame) -> list[str]:
    names: list[str] = X.select_dtypes(exclude="number").columns.tolist()
    return names


class AsCategories(TransformerMixin, BaseEstimator):
    """Texts as categories, with the codes of the fit; what it has not seen is missing."""

    def fit(self, X: pd.DataFrame, _: Any = None) -> Self:
        self.levels_ = {name: X[name].dropna().unique() for name in _texts(X)}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        known = {
            name: pd.Categorical(X[name].where(X[name].isin(levels)), categories=levels)
            for name, levels in self.levels_.items()
        }
        return X.assign(**known)


class Filled(TransformerMixin, BaseEstimator):
    """Missing texts as a text, or missing numbers as the column's median."""

    def __init__(self, texts: bool = False) -> None:
        self.texts = texts

    def fit(self, X: pd.DataFrame, _: Any = None) -> Self:
        self.medians_ = X.drop(columns=_texts(X)).median().to_dict()
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        if not self.texts:
            return X.fillna(self.medians_)
        return X.assign(
            **{name: X[name].astype(object).fillna("none").map(str) for name in _texts(X)}
        )


class Numbered(BaseEstimator):
    """A classifier that wants classes 0 … C - 1."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Any, y: np.ndarray) -> Self:
        self.coder_ = LabelEncoder()
        self.model.fit(X, self.coder_.fit_transform(y))
        return self

    def predict(self, X: Any) -> np.ndarray:
        labels: np.ndarray = self.coder_.inverse_transform(np.ravel(self.model.predict(X)))
        return labels


def _ours(preset: str) -> Build:
    def build(_: pd.DataFrame, classes: bool, seed: int, n_threads: int) -> Any:
        from fastmlp import TabularClassifier, TabularRegressor

        kind = TabularClassifier if classes else TabularRegressor
        return kind(preset=preset, random_state=seed, n_threads=n_threads)

    return build


def _boosting(_: pd.DataFrame, classes: bool, seed: int, n_threads: int) -> Any:
    from sklearn import ensemble

    name = "HistGradientBoosting" + ("Classifier" if classes else "Regressor")
    model = getattr(ensemble, name)(categorical_features="from_dtype", random_state=seed)
    return make_pipeline(AsCategories(), model)


def _perceptron(X: pd.DataFrame, classes: bool, seed: int, n_threads: int) -> Any:
    """scikit-learn's network with early stopping, behind the usual preprocessing."""
    from sklearn import compose, impute, neural_network, preprocessing

    texts = _texts(X)
    columns = compose.make_column_transformer(
        (
            make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()),
            X.columns.difference(texts).tolist(),
        ),
        (preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
    )
    if classes:
        network: Any = neural_network.MLPClassifier(early_stopping=True, random_state=seed)
    else:
        network = compose.TransformedTargetRegressor(
            neural_network.MLPRegressor(early_stopping=True, random_state=seed),
            transformer=preprocessing.StandardScaler(),
        )
    return make_pipeline(columns, network)


def _lightgbm(_: pd.DataFrame, classes: bool, seed: int, n_threads: int) -> Any:
    import lightgbm

    kind = lightgbm.LGBMClassifier if classes else lightgbm.LGBMRegressor
    return make_pipeline(AsCategories(), kind(random_state=seed, n_jobs=n_threads, verbose=-1))


def _xgboost(_: pd.DataFrame, classes: bool, seed: int, n_threads: int) -> Any:
    import xgboost

    settings = {"random_state": seed, "n_jobs": n_threads, "enable_categorical": True}
    if classes:
        return make_pipeline(AsCategories(), Numbered(xgboost.XGBClassifier(**settings)))
    return make_pipeline(AsCategories(), xgboost.XGBRegressor(**settings))


def _catboost(X: pd.DataFrame, classes: bool, seed: int, n_threads: int) -> Any:
    import catboost

    settings = {"random_seed": seed, "thread_count": n_threads, "cat_features": _texts(X)}
    quiet = {"verbose": False, "allow_writing_files": False}
    kind = catboost.CatBoostClassifier if classes else catboost.CatBoostRegressor
    return make_pipeline(Filled(texts=True), kind(**settings, **quiet))


def _pytabkit(name: str) -> Build:
    def build(_: pd.DataFrame, classes: bool, seed: int, n_threads: int) -> Any:
        import pytabkit

        kind = getattr(pytabkit, name + ("_Classifier" if classes else "_Regressor"))
        settings = {"random_state": seed, "n_threads": n_threads, "device": "cpu", "verbosity": 0}
        return make_pipeline(AsCategories(), Filled(), kind(**settings))

    return build


MODELS = {
    "fastmlp fast": Model(_ours("fast")),
    "fastmlp default": Model(_ours("default")),
    "fastmlp best": Model(_ours("best")),
    "sklearn MLP": Model(_perceptron),
    "sklearn HistGB": Model(_boosting),
    "LightGBM": Model(_lightgbm, "lightgbm"),
    "XGBoost": Model(_xgboost, "xgboost"),
    "CatBoost": Model(_catboost, "catboost"),
    "RealMLP": Model(_pytabkit("RealMLP_TD"), "pytabkit"),
    "TabM": Model(_pytabkit("TabM_D"), "pytabkit"),
}

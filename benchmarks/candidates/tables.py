"""Models of raw tables: what each makes of a data frame, and its settings."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

__all__ = ["MODELS", "Model"]

#: Makes a fitted model's ``predict`` of a frame (N, I), a target (N,), whether it is of classes, a
#: seed and a number of threads.
Learn = Callable[[pd.DataFrame, np.ndarray, bool, int, int], Callable[[pd.DataFrame], np.ndarray]]


class Model(NamedTuple):
    """A peer. ``needs`` is the library that must be there."""

    learn: Learn
    needs: str = "sklearn"

    @property
    def is_there(self) -> bool:
        """Whether its library is installed."""
        return find_spec(self.needs) is not None


def _ours(preset: str) -> Learn:
    def learn(X: Any, y: Any, classes: bool, seed: int, n_threads: int) -> Any:
        from fastmlp import TabularClassifier, TabularRegressor

        kind = TabularClassifier if classes else TabularRegressor
        model = kind(preset=preset, random_state=seed, n_threads=n_threads)
        return model.fit(X, y).predict

    return learn


def _as_categories(X: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts are categories, as boosted trees want them."""
    texts = X.select_dtypes(exclude="number").columns
    return X.astype(dict.fromkeys(texts, "category"))


def _boosting(X: Any, y: Any, classes: bool, seed: int, n_threads: int) -> Any:
    """scikit-learn's boosted trees, with the defaults."""
    from sklearn import ensemble

    name = "HistGradientBoosting" + ("Classifier" if classes else "Regressor")
    model = getattr(ensemble, name)(categorical_features="from_dtype", random_state=seed)
    model.fit(_as_categories(X), y)
    return lambda frame: model.predict(_as_categories(frame))


def _perceptron(X: Any, y: Any, classes: bool, seed: int, n_threads: int) -> Any:
    """scikit-learn's network with early stopping, behind the usual preprocessing."""
    from sklearn import compose, impute, neural_network, pipeline, preprocessing

    numbers = compose.make_column_selector(dtype_include="number")
    texts = compose.make_column_selector(dtype_exclude="number")
    columns = compose.make_column_transformer(
        (
            pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()),
            numbers,
        ),
        (preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
    )
    kind = neural_network.MLPClassifier if classes else neural_network.MLPRegressor
    network: Any = kind(early_stopping=True, random_state=seed)
    if not classes:
        scaler = preprocessing.StandardScaler()
        network = compose.TransformedTargetRegressor(network, transformer=scaler)
    return pipeline.make_pipeline(columns, network).fit(X, y).predict


def _lightgbm(X: Any, y: Any, classes: bool, seed: int, n_threads: int) -> Any:
    import lightgbm

    kind = lightgbm.LGBMClassifier if classes else lightgbm.LGBMRegressor
    model = kind(random_state=seed, n_jobs=n_threads, verbose=-1).fit(_as_categories(X), y)
    return lambda frame: model.predict(_as_categories(frame))


def _catboost(X: Any, y: Any, classes: bool, seed: int, n_threads: int) -> Any:
    import catboost

    texts = X.select_dtypes(exclude="number").columns.tolist()

    def filled(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{name: frame[name].fillna("missing").astype(str) for name in texts})

    kind = catboost.CatBoostClassifier if classes else catboost.CatBoostRegressor
    settings = {"random_seed": seed, "thread_count": n_threads, "verbose": False}
    model = kind(cat_features=texts, allow_writing_files=False, **settings).fit(filled(X), y)
    return lambda frame: np.ravel(model.predict(filled(frame)))


def _pytabkit(name: str) -> Learn:
    def learn(X: Any, y: Any, classes: bool, seed: int, n_threads: int) -> Any:
        import pytabkit

        kind = getattr(pytabkit, f"{name}_D_{'Classifier' if classes else 'Regressor'}")
        settings = {"random_state": seed, "n_threads": n_threads, "device": "cpu", "verbosity": 0}
        model = kind(**settings).fit(_as_categories(X), y)
        return lambda frame: np.ravel(model.predict(_as_categories(frame)))

    return learn


MODELS = {
    "fastmlp fast": Model(_ours("fast")),
    "fastmlp default": Model(_ours("default")),
    "fastmlp best": Model(_ours("best")),
    "sklearn HistGB": Model(_boosting),
    "sklearn MLP": Model(_perceptron),
    "LightGBM": Model(_lightgbm, "lightgbm"),
    "CatBoost": Model(_catboost, "catboost"),
    "RealMLP": Model(_pytabkit("RealMLP_TD"), "pytabkit"),
    "TabM": Model(_pytabkit("TabM"), "pytabkit"),
}

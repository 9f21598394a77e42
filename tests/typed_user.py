"""What a user writes who has types checked: ``mypy --strict`` must know each type, and no other.

Not a test that runs: ``make lint`` gives it to mypy, with fastmlp as it is installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

import numpy as np

import fastmlp
from fastmlp import (
    EpochRecord,
    McCullochPittsNeuron,
    MLPClassifier,
    MLPRegressor,
    Predictor,
    RosenblattPerceptron,
    TabularClassifier,
    TabularRegressor,
    custom_activation,
    custom_loss,
)
from fastmlp.data import Source, from_arrays, from_arrow, from_batches, from_parquet
from fastmlp.optimizers import Adam
from fastmlp.schedules import Cosine
from fastmlp.tabular import Leaderboard, Recipe

if TYPE_CHECKING:
    from onnx import ModelProto

X = np.zeros((10, 3))
NAMES = ["no", "yes"] * 5
path = Path("model.fastmlp")


def watch(record: EpochRecord) -> None:
    """Look at an epoch, as a callback does."""
    assert_type(record.epoch, int)
    assert_type(record.loss, float)
    assert_type(record.cost, float)
    assert_type(record.max_iter, int)
    assert_type(record.learning_rate, float | None)
    assert_type(record.seconds, float)
    assert_type(record.validation_score, float | None)
    record.add_metric("seconds", 1.0)
    record.set_learning_rate(0.1)
    record.stop("enough")


def network(model: MLPClassifier | MLPRegressor) -> None:
    """Use what both have."""
    assert_type(model.loss_, float)
    assert_type(model.best_loss_, float | None)
    assert_type(model.best_validation_score_, float | None)
    assert_type(model.loss_curve_, list[float])
    assert_type(model.cost_curve_, list[float])
    assert_type(model.validation_scores_, list[float] | None)
    assert_type(model.coefs_, list[np.ndarray])
    assert_type(model.intercepts_, list[np.ndarray])
    assert_type(model.n_iter_, int)
    assert_type(model.t_, int)
    assert_type(model.n_layers_, int)
    assert_type(model.n_outputs_, int)
    assert_type(model.n_features_in_, int)
    assert_type(model.feature_names_in_, np.ndarray)
    assert_type(model.out_activation_, str)
    assert_type(model.stop_reason_, str)
    assert_type(model.cost(X, X), float)
    assert_type(model.objective(X, X), float)
    assert_type(model.loss_per_sample(X, X), np.ndarray)
    assert_type(model.predict(X), np.ndarray)
    assert_type(model.score(X, NAMES), float)
    model.save(path)
    exports(model)


def exports(model: MLPClassifier | MLPRegressor | TabularClassifier | TabularRegressor) -> None:
    """Write files of other formats, or get what would be in one."""
    model.to_c(path, name="model", weights="int8", X=X)
    model.to_c(str(path))
    made: ModelProto = model.to_onnx()
    made.SerializeToString()
    model.to_onnx(path, opset=20)


def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield data in pieces."""
    yield X, X[:, 0]


classifier = MLPClassifier((8, 8), activation="relu", callbacks=[watch], random_state=0)
assert_type(classifier.fit(X, NAMES), MLPClassifier)
assert_type(classifier.partial_fit(X, NAMES, classes=NAMES[:2]), MLPClassifier)
assert_type(classifier.set_params(alpha=0.1), MLPClassifier)
assert_type(classifier.predict_proba(X), np.ndarray)
assert_type(classifier.predict_log_proba(X), np.ndarray)
assert_type(classifier.decision_function(X), np.ndarray)
assert_type(classifier.classes_, np.ndarray)
network(classifier)

regressor = MLPRegressor("pinball", quantiles=(0.1, 0.9), n_threads=None)
assert_type(regressor.fit(X, X[:, 0], sample_weight=X[:, 1]), MLPRegressor)
assert_type(regressor.partial_fit(X, X[:, 0]), MLPRegressor)
network(regressor)
mean, deviation = MLPRegressor("gaussian_nll").fit(X, X[:, 0]).predict(X, return_std=True)
assert_type(deviation, np.ndarray)

tables = TabularClassifier(preset="fast", time_limit=60.0)
assert_type(tables.fit([[1, "a"], [2, None]], NAMES[:2]), TabularClassifier)
assert_type(tables.predict_proba([[1, "a"]]), np.ndarray)
assert_type(tables.classes_, np.ndarray)
assert_type(tables.predict([[1, "a"]]), np.ndarray)
assert_type(tables.score([[1, "a"]], NAMES[:1]), float)
assert_type(len(tables.columns_), int)
assert_type(tables.leaderboard_[0].error, float)
assert_type(tables.leaderboard_, Leaderboard)
assert_type(tables.feature_names_in_, np.ndarray)
assert_type(tables.n_features_in_, int)
tables.save(path)
exports(tables)
numbers = TabularRegressor(recipe=Recipe(), random_state=0)
assert_type(numbers.fit([[1, "a"], [2, None]], [0.5, 1.0]), TabularRegressor)
assert_type(numbers.predict([[1, "a"]]), np.ndarray)
assert_type(numbers.predict([[1, "a"]], return_std=True), tuple[np.ndarray, np.ndarray])
assert_type(numbers.score([[1, "a"]], [0.5]), float)
exports(numbers)

source = from_arrays(X, X[:, 0], buffer_rows=1000)
assert_type(source, Source)
assert_type(from_batches(batches, prefetch=2), Source)
assert_type(from_parquet([path], target="price", columns=["size"]), Source)
assert_type(from_arrow(None, target=["price", "rent"], weight="w"), Source)
streamed = MLPRegressor(solver=Adam(), learning_rate=Cosine()).fit(source)
assert_type(streamed.partial_fit(source).score(source), float)
assert_type(streamed.predict(source), np.ndarray)

module: Any = streamed.to_torch()
assert_type(fastmlp.from_torch(module, NAMES[:2]), MLPClassifier | MLPRegressor)

predict = Predictor(regressor, n_threads=2)
assert_type(predict(X), np.ndarray)
predict.save(path)
loaded: MLPRegressor = fastmlp.load(path, custom_objects={"watch": watch})

perceptron = RosenblattPerceptron(max_iter=3)
assert_type(perceptron.fit(X, NAMES), RosenblattPerceptron)
assert_type(perceptron.predict(X), np.ndarray)
assert_type(perceptron.coef_, np.ndarray)
assert_type(McCullochPittsNeuron.and_gate(2), McCullochPittsNeuron)

activation: Any = custom_activation(lambda z: z, lambda z: 1.0)
loss: Any = custom_loss(lambda z, y: z - y, lambda z, y: 1.0)
own = MLPRegressor(loss, activation=activation)
assert_type(fastmlp.__version__, str)
assert_type(fastmlp.softmax(X), np.ndarray)

"""Models made of modules of PyTorch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.estimators import MLPClassifier, MLPRegressor
from fastmlp.estimators.preparation import prepare
from fastmlp.training import clock
from fastmlp.validation import (
    check_library,
    check_link_has_classes,
    check_loss_of_module,
    check_one_number_of_groups,
    check_torch_classes,
)

if TYPE_CHECKING:
    from torch import nn

    from fastmlp.export.torch.reading import Network, Norm

__all__ = ["from_torch"]


def from_torch(
    module: nn.Sequential, classes: Any = None, *, loss: str | None = None, **parameters: Any
) -> MLPClassifier | MLPRegressor:
    """Return a fitted model that predicts what a module of PyTorch computes.

    Parameters
    ----------
    module : torch.nn.Sequential
        Of ``nn.Linear``, and after each but the last, as far as they are there and in this order, a
        normalisation (``nn.BatchNorm1d``, ``nn.LayerNorm``, ``nn.GroupNorm``), an activation and
        ``nn.Dropout``. Sequences may be nested, ``nn.Identity`` may be anywhere, ``nn.Dropout`` and
        ``nn.Flatten`` first. The last layer of a classifier gives logits, and ``nn.Softmax``,
        ``nn.LogSoftmax`` or ``nn.Sigmoid`` may follow.
    classes : sequence of length n_classes, default=None
        The label of each output; for one output the two labels, of which it gives the logit of the
        second. With ``nn.Sigmoid`` behind several outputs, each is a label of its own, and
        ``classes`` must be ``range(n_outputs)``. None makes a regressor.
    loss : str, default=None
        By which the model is trained further; by default "cross_entropy" or "squared_error".
    **parameters : object
        Other parameters of the model that the module doesn't say, such as ``solver``.

    Returns
    -------
    MLPClassifier or MLPRegressor
        With weights of its own, which no epoch of fastmlp has trained: its history is empty.

    Raises
    ------
    TypeError, ValueError
        If there is a module that fastmlp has not, or not in this place; the text names it.
    ImportError
        If torch is not installed.

    Examples
    --------
    >>> from importlib.util import find_spec
    >>> if find_spec("torch"):
    ...     from torch import nn
    ...     module = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    ...     model = from_torch(module, classes=["setosa", "versicolor", "virginica"])
    ...     assert model.predict_proba([[5.1, 3.5, 1.4, 0.2]]).shape == (1, 3)
    """
    check_library("torch", "from_torch", "torch")
    from fastmlp.export.torch.reading import read  # noqa: PLC0415 - needs the extra

    found = read(module)
    kind: Any = MLPRegressor if classes is None else MLPClassifier
    model = kind(**_structure(found), **({} if loss is None else {"loss": loss}))
    if classes is None:
        check_link_has_classes(found.link)
        _learn(model, found, np.zeros((2, len(found.layers[-1].biases))))
    else:
        _learn_classes(model, found, classes)
    return model.set_params(**parameters)  # type: ignore[no-any-return]


def _structure(found: Network) -> dict[str, Any]:
    """Return the parameters of a model that a module says."""
    hidden = found.layers[:-1]
    norms = [None if layer.norm is None else layer.norm.kind for layer in hidden]
    groups = {layer.norm.n_groups for layer in hidden if layer.norm and layer.norm.kind == "group"}
    check_one_number_of_groups(groups)
    structure: dict[str, Any] = {
        "hidden_layer_sizes": tuple(len(layer.biases) for layer in hidden),
        "normalization": norms if any(norms) else None,
        "dtype": found.layers[0].weights.dtype.name,
        "input_dropout": found.layers[0].dropout,
    }
    if hidden:
        structure["activation"] = [layer.activation or "identity" for layer in hidden]
        structure["dropout"] = [layer.dropout for layer in found.layers[1:]]
    if groups:
        structure["n_groups"] = groups.pop()
    return structure


def _learn_classes(model: MLPClassifier, found: Network, classes: Any) -> None:
    """Let a classifier have learnt a module; its classes are sorted, unlike the outputs."""
    last = found.layers[-1]
    n_outputs = len(last.biases)
    several = found.link == "logistic" and n_outputs > 1
    labels = check_torch_classes(classes, n_outputs, several=several)
    order = np.argsort(labels)
    if several:
        _learn(model, found, np.eye(n_outputs, dtype=int)[[*range(n_outputs)] * 2])
        return
    if n_outputs == 1:
        sign = 1 if order[0] == 0 else -1
        last.weights, last.biases = sign * last.weights, sign * last.biases
    else:
        last.weights, last.biases = last.weights[:, order], last.biases[order]
    if n_outputs == 2 and model.loss != "multi_margin":
        # The core has one output for two classes: how much more the second one has.
        last.weights, last.biases = np.diff(last.weights), np.diff(last.biases)
    _learn(model, found, np.tile(labels[order], 2))


def _learn(model: Any, found: Network, y: np.ndarray) -> None:
    """Let a model have learnt a module, and take from y (N,) or (N, C) what the outputs mean."""
    n_inputs, n_outputs = len(found.layers[0].weights), len(found.layers[-1].biases)
    X = np.zeros((len(y), n_inputs), found.layers[0].weights.dtype)
    y = y[:, 0] if y.shape[1:] == (1,) else y
    fitting = prepare(model, X, y, None, incremental=False, classes=None, began=clock.now())
    learnt = fitting.untrained()
    network = learnt.network
    check_loss_of_module(model.loss, network.plan.n_outputs, n_outputs)
    for index, layer in enumerate(found.layers):
        network.weights[index][...], network.biases[index][...] = layer.weights, layer.biases
        if layer.norm is not None:
            _write_norm(network, index, layer.norm)
    reason = "The network comes from from_torch and has not been trained here."
    model._published = replace(learnt, stop_reason=reason)


def _write_norm(network: Any, index: int, norm: Norm) -> None:
    network.norm_gains[index][...] = norm.gains
    network.norm_shifts[index][...] = norm.shifts
    if norm.mean is not None:
        network.running_means[index][...] = norm.mean
        network.running_variances[index][...] = norm.variance

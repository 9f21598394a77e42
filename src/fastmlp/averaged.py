"""The mean of models that have learnt apart: one round of training on several machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import validation
from fastmlp.estimators import MLPClassifier, MLPRegressor
from fastmlp.estimators.learnt import Learnt, learnt_by
from fastmlp.files.describing import Describer
from fastmlp.network import Network

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["average_models"]


def average_models(
    models: Sequence[MLPClassifier | MLPRegressor], weights: ArrayLike | None = None
) -> MLPClassifier | MLPRegressor:
    r"""Return a model whose parameters are the mean of those of several models.

    Several machines can train one network: each goes on from the same model with rows of its own,
    the mean of what they have learnt is the next model, and so on. This is local SGD, or federated
    averaging (McMahan et al. 2017, "Communication-efficient learning of deep networks from
    decentralized data", algorithm 1):

    .. math:: \theta = \sum_k \frac{w_k}{\sum_j w_j} \theta_k

    The memory of the optimiser, the running statistics of batch normalisation and the number of
    updates are averaged alike, so that ``partial_fit`` goes on from there. Sums are made in float64
    and in the order of the models, so that the same models give the same bits.

    Parameters
    ----------
    models : sequence of MLPClassifier or MLPRegressor
        Fitted models that go back to one: their networks have the same shape, and their outputs
        mean the same. Else a mean of their parameters would mean nothing.
    weights : array-like of shape (n_models,), default=None
        How much each counts, such as the number of its rows. None for all alike.

    Returns
    -------
    MLPClassifier or MLPRegressor
        A new model with the parameters and the history of the first one. None of the models is
        changed.

    Raises
    ------
    TypeError, ValueError
        If there are no models, if they are of several kinds, or if the weights are not as they
        must be.
    sklearn.exceptions.NotFittedError
        If one of them has not been fitted.

    Examples
    --------
    Two parts of a table, each of which could lie on another machine:

    >>> import copy
    >>> from fastmlp import MLPClassifier, average_models
    >>> parts = [([[0.0], [1.0]], [0, 1]), ([[0.2], [0.9]], [0, 1])]
    >>> model = MLPClassifier(hidden_layer_sizes=(4,), random_state=0)
    >>> model = model.partial_fit(*parts[0], classes=[0, 1])
    >>> for _ in range(20):
    ...     learnt = [copy.deepcopy(model).partial_fit(*part) for part in parts]
    ...     model = average_models(learnt, weights=[len(y) for _, y in parts])
    >>> model.coefs_[0].shape
    (1, 4)
    """
    given = validation.check_models_to_average(models, (MLPClassifier, MLPRegressor))
    shares = validation.check_weights_of_models(weights, len(given))
    learnt = [each for model in given if (each := learnt_by(model)) is not None]
    meanings = [_meaning(each) for each in learnt]
    for number, meaning in enumerate(meanings[1:], start=1):
        validation.check_same_meaning(number, _differences(meanings[0], meaning))
    first: Any = given[0]
    mean: MLPClassifier | MLPRegressor = type(first)(**first.get_params(deep=False))
    network = _mean([each.network for each in learnt], shares)
    mean._published = replace(learnt[0].detached(), network=network, stream=None)
    return mean


def _meaning(learnt: Learnt) -> dict[str, tuple[Any, dict[str, np.ndarray]]]:
    """Return what models must share, as a file would hold it."""
    parts = {
        "network": learnt.network.plan,
        "target": learnt.coder,
        "columns": learnt.feature_names,
        "type": learnt.network.dtype.name,
        "optimiser": learnt.moments,
    }
    found = {}
    for name, part in parts.items():
        describer = Describer()
        found[name] = describer.describe(part, name), describer.arrays
    return found


def _differences(first: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the names of the parts that are not the same."""
    return [name for name in first if not _is_same(first[name], other[name])]


def _is_same(first: tuple[Any, dict[str, Any]], other: tuple[Any, dict[str, Any]]) -> bool:
    """Return whether two descriptions with their arrays are the same."""
    return first[0] == other[0] and all(
        np.array_equal(array, other[1][name]) for name, array in first[1].items()
    )


def _mean(networks: list[Network], shares: np.ndarray) -> Network:
    """Return the mean of networks of one plan by their shares (k,), which sum to 1."""
    mean = networks[0].copied()
    for name in ("parameters", "moments"):
        total = sum(
            share * getattr(network, name).astype(np.float64)
            for share, network in zip(shares, networks, strict=True)
        )
        getattr(mean, name)[...] = total
    mean.step = round(float(shares @ [network.step for network in networks]))
    return mean

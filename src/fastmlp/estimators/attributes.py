"""The public attributes of a fitted model, each read from what was learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from fastmlp.estimators.learnt import Learnt, learnt_by
from fastmlp.estimators.parameter_list import ParameterList, assign

if TYPE_CHECKING:
    from fastmlp.network import Network

__all__ = ["LearntAttributes"]


class LearntAttributes:
    """Attributes with scikit-learn's names; before the first fit there are none of them."""

    @property
    def _learnt(self) -> Learnt:
        """What was learnt, to be taken once per call; NotFittedError without a fit."""
        learnt = learnt_by(self)
        if learnt is None:
            check_is_fitted(self)
            raise AssertionError("check_is_fitted raises for a model that has learnt nothing")
        return learnt

    @property
    def _network(self) -> Network:
        """The trained network; NotFittedError without one."""
        return self._learnt.network

    # -- X and the network's shape --------------------------------------------------------------

    @property
    def n_features_in_(self) -> int:
        """The number of columns of X."""
        return self._network.plan.n_inputs

    @property
    def feature_names_in_(self) -> np.ndarray:
        """The names of the columns of X. There is no such attribute if they had none."""
        names = self._learnt.feature_names
        if names is None:
            raise AttributeError("feature_names_in_ is there only when all columns of X have names")
        return names

    @property
    def n_layers_(self) -> int:
        """The number of layers of units, including input and output."""
        return len(self._network.plan.layers) + 1

    @property
    def n_outputs_(self) -> int:
        """The number of output units."""
        return self._network.plan.n_outputs

    @property
    def out_activation_(self) -> str:
        """The function that turns the last layer into a prediction."""
        return self._network.plan.loss_row.link

    # -- parameters -----------------------------------------------------------------------------

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of each layer, (fan_in, fan_out), as views. You can assign to the items."""
        return ParameterList("coefs_", self._network.weights)

    @coefs_.setter
    def coefs_(self, values: Any) -> None:
        assign("coefs_", self._network.weights, values)

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of each layer, (fan_out,), as views. You can assign to the items."""
        return ParameterList("intercepts_", self._network.biases)

    @intercepts_.setter
    def intercepts_(self, values: Any) -> None:
        assign("intercepts_", self._network.biases, values)

    @property
    def norm_gains_(self) -> list[np.ndarray | None]:
        """γ of each hidden layer, (fan_out,), or None without a norm. You can assign to it."""
        return ParameterList("norm_gains_", self._network.norm_gains)

    @norm_gains_.setter
    def norm_gains_(self, values: Any) -> None:
        assign("norm_gains_", self._network.norm_gains, values)

    @property
    def norm_shifts_(self) -> list[np.ndarray | None]:
        """β of each hidden layer, (fan_out,), or None without a norm. You can assign to it."""
        return ParameterList("norm_shifts_", self._network.norm_shifts)

    @norm_shifts_.setter
    def norm_shifts_(self, values: Any) -> None:
        assign("norm_shifts_", self._network.norm_shifts, values)

    @property
    def scales_(self) -> np.ndarray | None:
        """The factors (fan_in,) of the scaling layer, as a view, or None without one."""
        return self._network.scales

    @property
    def activation_shares_(self) -> list[np.ndarray | None]:
        """α of each hidden layer, (fan_out,), or None. You can assign to it."""
        return ParameterList("activation_shares_", self._network.activation_shares)

    @activation_shares_.setter
    def activation_shares_(self, values: Any) -> None:
        assign("activation_shares_", self._network.activation_shares, values)

    @property
    def running_means_(self) -> list[np.ndarray | None]:
        """Means (fan_out,) by which batch norm predicts, or None. You can assign to them."""
        return ParameterList("running_means_", self._network.running_means)

    @running_means_.setter
    def running_means_(self, values: Any) -> None:
        assign("running_means_", self._network.running_means, values)

    @property
    def running_variances_(self) -> list[np.ndarray | None]:
        """Variances (fan_out,) by which batch norm predicts, or None. You can assign to them."""
        return ParameterList("running_variances_", self._network.running_variances)

    @running_variances_.setter
    def running_variances_(self, values: Any) -> None:
        assign("running_variances_", self._network.running_variances, values)

    # -- the course of the fit ------------------------------------------------------------------

    @property
    def n_iter_(self) -> int:
        """The number of epochs of the last fit."""
        return self._learnt.history.n_epochs

    @property
    def t_(self) -> int:
        """The number of training samples seen so far."""
        return self._learnt.history.n_samples_seen

    @property
    def loss_(self) -> float:
        """The cost plus the penalties in the last epoch, as a mean over its batches."""
        return self._learnt.history.last_loss

    @property
    def loss_curve_(self) -> list[float]:
        """The same number for each epoch."""
        return self._learnt.history.curve("loss")

    @property
    def cost_curve_(self) -> list[float]:
        """The cost of each epoch, without penalties."""
        return self._learnt.history.curve("cost")

    @property
    def history_(self) -> dict[str, list]:
        """The numbers of each epoch, as lists by name."""
        return self._learnt.history.table()

    @property
    def validation_scores_(self) -> list[float] | None:
        """The score of the held-out rows after each epoch, or None if there were no such rows."""
        learnt = self._learnt
        return learnt.history.curve("validation_score") if learnt.has_scores else None

    @property
    def best_loss_(self) -> float | None:
        """The smallest loss of an epoch in the last fit, or None with early stopping."""
        learnt = self._learnt
        return None if learnt.stops_early else learnt.coder.cost_unit.of(learnt.best_loss)

    @property
    def best_validation_score_(self) -> float | None:
        """The largest score of the held-out rows in the last fit, or None if there were none."""
        learnt = self._learnt
        return learnt.best_score if learnt.has_scores else None

    @property
    def stop_reason_(self) -> str:
        """The reason why the last fit ended, as a sentence."""
        return self._learnt.stop_reason

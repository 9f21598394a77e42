"""Callbacks of scikit-learn, set by ``set_callbacks``: the only place that knows their interface.

scikit-learn has it from version 1.9 on. It is imported when it is used, as it brings along much
that a fit without such callbacks has no need of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastmlp.estimators.fitting import Fitting
from fastmlp.estimators.learnt import Learnt
from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

__all__ = ["SklearnCallbacks", "run_with_callbacks"]


class SklearnCallbacks(Observer):
    """Tells the callbacks of a model: a fit is a task to them, and each epoch a task within it.

    Attributes
    ----------
    fitting : Fitting
        Of the model whose callbacks they are.
    data : dict
        What the fit was given, by scikit-learn's names: ``X``, ``y`` and ``metadata``.
    """

    def __init__(self, fitting: Fitting, data: dict[str, Any]) -> None:
        self.fitting, self.data = fitting, {"estimator": fitting.model, **data}
        self._fit: Any = None
        self._epoch: Any = None

    def training_begins(self, state: TrainerState) -> None:
        """Set the callbacks up, and begin the task."""
        from sklearn.callback import CallbackSupportMixin  # noqa: PLC0415 - see above

        model = self.fitting.model
        self._fit = CallbackSupportMixin._init_callback_context(model, max_subtasks=state.max_iter)
        self._tell(state, self._fit.call_on_fit_task_begin)

    def epoch_begins(self, state: TrainerState) -> None:
        """Begin an epoch's task."""
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._tell(state, self._epoch.call_on_fit_task_begin)

    def epoch_ended(self, state: TrainerState) -> None:
        """End an epoch's task, and the training if a callback wants that."""
        epoch, self._epoch = self._epoch, None
        if self._tell(state, epoch.call_on_fit_task_end):
            state.stop("A callback of scikit-learn's ended the fit.", on_demand=True)

    def training_ended(self, state: TrainerState) -> None:
        """End all tasks, an epoch's first that was not trained to its end."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self.fitting.model)
        self._tell(state, self._fit.call_on_fit_task_end)

    def _tell(self, state: TrainerState, hook: Callable[..., Any]) -> Any:
        """Call the callbacks; a copy of the model that is made for them can predict at once."""
        with self.fitting.showing(state):
            return hook(**self.data, reconstruction_attributes={})


def run_with_callbacks(fitting: Fitting, X: Any, y: Any, sample_weight: Any) -> Learnt:
    """Return what a fitting has learnt, whose model may have callbacks of scikit-learn's.

    Parameters
    ----------
    fitting : Fitting
    X : array-like, shape (N, I)
    y : array-like, shape (N,) or (N, C)
    sample_weight : array-like, shape (N,), or None
        As the fit was given them.
    """
    if fitting.incremental or "_skl_callbacks" not in vars(fitting.model):
        return fitting.run()
    from sklearn.callback import with_callbacks  # noqa: PLC0415 - see above

    metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
    fitting.listeners.append(SklearnCallbacks(fitting, {"X": X, "y": y, "metadata": metadata}))

    def run(model: Any) -> Learnt:
        return fitting.run()

    learnt: Learnt = with_callbacks(run)(fitting.model)  # tears the callbacks down in any case
    return learnt

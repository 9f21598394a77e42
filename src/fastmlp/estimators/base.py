"""What classifier and regressor share: parameters, and fitting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Tags

from fastmlp import validation
from fastmlp.data.source import Source
from fastmlp.estimators.answers import Answers
from fastmlp.estimators.hiding import with_sklearn_callbacks
from fastmlp.estimators.learnt import Learnt, learnt_by
from fastmlp.files.savable import Savable
from fastmlp.options import by_object
from fastmlp.training import clock

if TYPE_CHECKING:
    from fastmlp.estimators.coding import TargetCoder
    from fastmlp.estimators.fitting import Fitting
    from fastmlp.estimators.preparation import ValidationRows

__all__ = ["BaseMLP"]

#: What scikit-learn's callbacks leave in a model while it is fitted.
_OF_THE_PRESENT_FIT = ("_callback_fit_ctx", "_skl_callbacks_to_teardown", "_parent_callback_ctx")


@cache
def _parameter_names(cls: type[BaseMLP]) -> tuple[str, ...]:
    """Return the parameters' names of the class that a user's class may extend with others.

    To look them up takes longer than a small fit.
    """
    own = next(each for each in cls.__mro__ if "_task" in vars(each))
    return tuple(own._get_param_names())  # type: ignore[attr-defined]


class BaseMLP(Answers, Savable, BaseEstimator, ABC):
    """A multi-layer perceptron without a notion of what its outputs mean.

    A fit trains a network of its own and publishes what it has learnt by one assignment at its
    end. So a fit that fails leaves the estimator as it was, and other threads go on predicting by
    the earlier fit until then. In callbacks, the estimator shows what it has learnt so far.
    """

    _published: Learnt
    #: "classifier" or "regressor".
    _task: ClassVar[str]

    def _set_parameters(self, values: dict[str, Any]) -> None:
        """Store the arguments of ``__init__``, given as its ``locals()``, under their names."""
        for name in _parameter_names(type(self)):  # not self, nor __class__
            setattr(self, name, values[name])

    def _parameter_values(self) -> tuple:
        """Return the parameters' values, in the order of ``_parameter_names``."""
        state = self.__dict__
        return tuple([state[name] for name in _parameter_names(type(self))])

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters by name."""
        return dict(zip(_parameter_names(type(self)), self._parameter_values(), strict=True))

    def set_params(self, **params: Any) -> Self:
        """Set parameters, and the options of objects that are parameters.

        An object of :mod:`fastmlp.optimizers`, :mod:`fastmlp.schedules` or
        :mod:`fastmlp.averaging` never changes: a copy with other options takes its place.

        Parameters
        ----------
        **params : object
            New values, by the names of ``get_params``, such as ``alpha`` or
            ``learning_rate__gamma``.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If there is no parameter or option of a name.
        """
        own, options = by_object(params, _parameter_names(type(self)))
        super().set_params(**own)
        for name, new in options.items():
            value = validation.changed_options(type(self).__name__, name, getattr(self, name), new)
            setattr(self, name, value)
        return self

    @abstractmethod
    def _new_coder(
        self,
        parameters: Any,
        y: np.ndarray,
        weights: np.ndarray | None,
        dtype: np.dtype,
        *,
        incremental: bool,
        classes: Any,
    ) -> TargetCoder:
        """Return what a first ``y`` (N,) or (N, C), or ``classes``, say of the outputs.

        ``parameters`` is a namespace of them as a fit takes them, ``weights`` (N,) are the rows'.
        """

    # -- fitting --------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network for up to ``max_iter`` epochs.

        Parameters
        ----------
        X : array-like, sparse matrix or source, of shape (n_samples, n_features)
            A source of :mod:`fastmlp.data` is read piece by piece, and brings y and the weights.
            C-contiguous arrays of uint8, float32 and float64, and sparse CSR matrices, are read in
            place. Others are converted once. Of sparse rows, only those of one batch at a time are
            made dense.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Class labels, label indicators, or real targets.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts. Weights must not be negative. A weight of 2 means the same as
            having the row twice, so the larger the sum of the weights is, the less the penalties
            count.
        X_val : array-like or sparse matrix of shape (n_validation_rows, n_features), default=None
            Rows by which the network is judged after each epoch, with the columns of X. Nothing is
            learnt from them. With ``early_stopping`` they decide when the fit stops, and no row of
            X is held out. Without it, their scores only go into ``validation_scores_``, the records
            of ``callbacks`` and the lines of ``verbose``.
        y_val : array-like of shape (n_validation_rows,) or (n_validation_rows, n_outputs), \
default=None
            Labels or targets of these rows, of the same kind as y.
        sample_weight_val : array-like of shape (n_validation_rows,), default=None
            How much each of these rows counts in the score.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data is wrong. In that case nothing has changed.
        DivergenceError
            If the loss, a parameter or, with early stopping, the score of the held-out rows becomes
            infinite or NaN, also because ``scoring`` has no value for them, and early stopping has
            kept no earlier network; the estimator is as it was before.
        RuntimeError
            If a callback calls this method of the model that is being fitted.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` ended the fit, unless the learning rate's schedule ended with it; if the
            network predicts the training rows, or some of them where there are thousands, worse
            than a constant would, or hardly better and X is out of scale; if early stopping kept
            an earlier network when the fit diverged.
        RuntimeWarning
            If y has only one class, in all rows or in those with a weight; if ``validation_split``
            leaves no row of a class to learn from.
        UserWarning
            If the sum of the weights is far from the number of rows, which changes the strength of
            ``alpha`` and ``l1``; if the target of a regression is the same in all held-out rows; if
            ``batch_size`` is larger than the number of rows; if Ctrl-C ended the fit, which keeps
            what was learnt.
        """
        from fastmlp.estimators.preparation import ValidationRows  # noqa: PLC0415 - see _fit

        rows = ValidationRows(X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, incremental=False, validation_rows=rows)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        incremental: bool,
        classes: Any = None,
        validation_rows: ValidationRows | None = None,
    ) -> Self:
        if incremental and sample_weight is None and self._repeats(X, y):
            return self
        if isinstance(X, Source):
            return self._fit_source(X, y, sample_weight, incremental, classes, validation_rows)
        began = clock.now()
        # Imported here because a process that only predicts, or only imports, needs none of it.
        from fastmlp.estimators.preparation import NO_ROWS, prepare  # noqa: PLC0415

        fitting = prepare(
            self,
            X,
            y,
            sample_weight,
            incremental=incremental,
            classes=classes,
            validation_rows=validation_rows or NO_ROWS,
            began=began,
        )
        return self._run(fitting, X, y, sample_weight)

    def _run(self, fitting: Fitting, X: Any, y: Any, sample_weight: Any) -> Self:
        """Publish what a fitting learns, whose callbacks are shown the rest as it was given."""
        from fastmlp.estimators.sklearn_callbacks import run_with_callbacks  # noqa: PLC0415 - see _fit

        parameters, n_rows = vars(fitting.parameters), len(fitting.data.rows.X)
        with validation.naming_training(parameters, fitting.layer_sizes, n_rows):
            self._published = run_with_callbacks(fitting, X, y, sample_weight)
        return self

    def _fit_source(
        self,
        source: Source,
        y: Any,
        sample_weight: Any,
        incremental: bool,
        classes: Any,
        validation_rows: ValidationRows | None,
    ) -> Self:
        """Learn from rows that are read piece by piece."""
        from fastmlp.estimators.preparation import NO_ROWS  # noqa: PLC0415 - see _fit
        from fastmlp.estimators.streaming import parts_of, prepare_streamed  # noqa: PLC0415
        from fastmlp.training.loop import INTERRUPTION  # noqa: PLC0415

        began = clock.now()
        validation.check_streamed_arguments(source, y, sample_weight, again=not incremental)
        if incremental:
            for part in parts_of(self, source):
                with validation.naming_piece(part.place):
                    self._fit(part.X, part.y, part.weights, incremental=True, classes=classes)
                if self._learnt.stop_reason == INTERRUPTION:
                    break
            return self
        fitting = prepare_streamed(self, source, began, validation_rows or NO_ROWS)
        return self._run(fitting, source, None, None)

    def _repeats(self, X: Any, y: Any) -> bool:
        """Make a partial fit by the short way, if it is like the one before; return whether."""
        learnt = learnt_by(self)
        if learnt is None or learnt.stream is None or not learnt.stream.holds(self):
            return False
        further = learnt.stream.go_on(self, learnt, X, y)
        if further is None:
            return False
        self._published = further
        return True

    @with_sklearn_callbacks
    def set_callbacks(self, *callbacks: Any) -> Self:
        """Set callbacks of scikit-learn, which ``fit`` calls after every epoch.

        They have another interface than the parameter ``callbacks``: see :mod:`sklearn.callback`,
        which scikit-learn has from version 1.9 on. ``partial_fit`` does not call them.

        Parameters
        ----------
        *callbacks : objects with the methods of :class:`sklearn.callback.FitCallback`
            Objects such as :class:`sklearn.callback.ProgressBar` and
            :class:`sklearn.callback.ScoringMonitor`. A call without any removes earlier ones.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If an object does not have these methods.
        """
        from sklearn.callback import CallbackSupportMixin  # noqa: PLC0415 - brings much along

        CallbackSupportMixin.set_callbacks(self, *callbacks)
        return self

    # Methods, not properties: dir() reads all properties, and wrong parameters must not end it.

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return learnt_by(self) is not None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled; in a callback, a copy of what has been learnt so far."""
        state = super().__getstate__()
        learnt = learnt_by(self)
        if learnt is not state.get("_published"):
            assert learnt is not None
            state["_published"] = learnt.detached()
            for name in _OF_THE_PRESENT_FIT:
                state.pop(name, None)
        return state

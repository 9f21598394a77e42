"""From what a user hands to ``fit`` to a fitting that can begin: every check, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from fastmlp import validation
from fastmlp.backends import Rows
from fastmlp.estimators.class_weights import ClassWeights
from fastmlp.estimators.coding import TargetCoder
from fastmlp.estimators.columns import columns_of
from fastmlp.estimators.fitting import Fitting
from fastmlp.estimators.judging import JudgedRows
from fastmlp.estimators.learnt import Learnt, is_in_training, learnt_by
from fastmlp.estimators.memo import Memo, memo_of
from fastmlp.estimators.precision import say_what_runs
from fastmlp.notices import notify
from fastmlp.plan.front import Column, front_width, n_learnt_of
from fastmlp.plan.inputs import Inputs
from fastmlp.plan.layout import groups_of_layers
from fastmlp.plan.members import Members, members_of
from fastmlp.training.loop import TrainingData

__all__ = ["NO_ROWS", "ValidationRows", "checked_parameters", "prepare"]


class ValidationRows(NamedTuple):
    """What a user brings to judge a fit by: ``X_val``, ``y_val`` and ``sample_weight_val``.

    Attributes
    ----------
    X : array-like, shape (V, I), or None
    y : array-like, shape (V,) or (V, C), or None
    sample_weight : array-like, shape (V,), or None
    """

    X: Any = None
    y: Any = None
    sample_weight: Any = None


NO_ROWS = ValidationRows()


def prepare(
    model: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    *,
    incremental: bool,
    classes: Any,
    began: float,
    validation_rows: ValidationRows = NO_ROWS,
) -> Fitting:
    """Check parameters and data of one fit; nothing of the model changes.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
    X : array-like, shape (N, I)
    y : array-like, shape (N,) or (N, C)
    sample_weight : array-like, shape (N,), or None
    incremental : bool
        Whether it is a partial fit.
    classes : array-like, shape (K,), or None
        Labels that a first partial fit announces.
    validation_rows : ValidationRows
    began : float
        What the clock showed when the fit was called.

    Raises
    ------
    ValueError, TypeError
        If a parameter or the data is wrong.
    RuntimeError
        If a callback of the model's own fit calls.
    """
    validation.check_not_in_training(type(model).__name__, is_in_training(model))
    memo, parameters, hidden = checked_parameters(model, incremental)
    earlier = learnt_by(model) if parameters.warm_start or incremental else None
    owner = type(model).__name__
    validation.check_validation_columns(X, validation_rows.X)
    columns = validation.stand_in(owner) if earlier is None else earlier.columns(owner)
    X, y, dtype = validation.check_data(
        columns,
        X,
        y,
        dtype=earlier.network.dtype if earlier and parameters.dtype == "auto" else parameters.dtype,
        reset=earlier is None,
        numeric_y=model._numeric_target,
    )
    memo.once(("magnitudes", dtype), lambda: validation.check_magnitudes(vars(parameters), dtype))
    own_weights = validation.check_sample_weight(sample_weight, len(X), dtype)
    coder = _coder(model, parameters, earlier, y, own_weights, dtype, incremental, classes)
    target = coder.encode(y)
    class_weights = ClassWeights.of(
        getattr(parameters, "class_weight", None), coder, target, own_weights
    )
    weights = class_weights.times(own_weights, coder, target)
    sizes = [X.shape[1], *hidden, coder.n_outputs]
    names = getattr(columns, "feature_names_in_", None)
    front = _front(parameters, X, dtype, names, earlier)
    _check_network(vars(parameters), sizes, front, coder, earlier, len(X), weights)
    own_rows = _rows_to_judge_by(validation_rows, model, parameters, columns, coder, class_weights)
    if own_rows is not None:
        _warn_if(validation.far_from_training(X, own_rows.rows.X, names))
    elif not incremental:
        _warn_if(validation.judges_nothing(vars(parameters)))
    if earlier is None or not incremental:
        name = validation.weights_name(class_weights.class_weight, own_weights)
        _warn_of_odd_data(y, weights, coder, vars(parameters), name, whole=not incremental)
    data = TrainingData(Rows(X, target, weights), np.arange(len(X), dtype=np.int64))
    backend = model._get_backend()
    say_what_runs(backend, parameters.matmul_precision, coder.dtype)
    return Fitting(
        model=model,
        parameters=parameters,
        memo=memo,
        layer_sizes=sizes,
        columns=front,
        coder=coder,
        feature_names=names,
        data=data,
        y=y,
        sample_weight=_in_double(sample_weight, own_weights),
        own_rows=own_rows,
        earlier=earlier,
        incremental=incremental,
        began=began,
        backend=backend,
        n_threads=model._count_threads(),
    )


def _coder(
    model: Any,
    parameters: SimpleNamespace,
    earlier: Learnt | None,
    y: np.ndarray,
    weights: np.ndarray | None,
    dtype: np.dtype,
    incremental: bool,
    classes: Any,
) -> TargetCoder:
    """Return the coder of a first fit or of one that goes on, checked against y (N,) or (N, C)."""
    if earlier is None:
        coder: TargetCoder = model._new_coder(
            parameters, y, weights, dtype, incremental=incremental, classes=classes
        )
    else:
        coder = earlier.coder.under(parameters, dtype)
        coder.check_goes_on(y, incremental=incremental)
    coder.check(y, whole=not incremental)
    return coder


def _front(
    parameters: SimpleNamespace,
    X: Inputs,
    dtype: np.dtype,
    names: np.ndarray | None,
    earlier: Learnt | None,
) -> tuple[Column, ...]:
    """Return what becomes of each column of X (N, I), or became of it in the ``earlier`` fit."""
    validation.check_embeddings(vars(parameters), X)
    if earlier is None:
        return columns_of(parameters, X, dtype, names)
    validation.check_same_embeddings(earlier.kept, vars(parameters))
    return earlier.network.plan.columns


def _in_double(sample_weight: Any, checked: np.ndarray | None) -> np.ndarray | None:
    """Return weights (N,) that have been ``checked`` with all their digits."""
    return None if checked is None else np.asarray(sample_weight, np.float64)


def _rows_to_judge_by(
    given: ValidationRows,
    model: Any,
    parameters: SimpleNamespace,
    columns: Any,
    coder: TargetCoder,
    class_weights: ClassWeights,
) -> JudgedRows | None:
    """Return the rows to judge a fit by, checked as X and y are; None if there are none."""
    stops_early = parameters.early_stopping and parameters.solver != "lbfgs"
    splits = stops_early and parameters.validation_split is not None
    if not validation.check_validation_rows_given(*given, splits=splits):
        return None
    with validation.naming_validation_rows():
        X, y, _ = validation.check_data(
            columns,
            given.X,
            given.y,
            dtype=coder.dtype,
            reset=False,
            numeric_y=model._numeric_target,
        )
        own_weights = validation.check_sample_weight(given.sample_weight, len(X), coder.dtype)
        coder.check(y, whole=False)
        target = coder.encode(y)
        weights = class_weights.times(own_weights, coder, target)
    order = np.arange(len(X), dtype=np.int64)
    in_double = _in_double(given.sample_weight, own_weights)
    return JudgedRows(Rows(X, target, weights), order, y, in_double)


def checked_parameters(
    model: Any, incremental: bool
) -> tuple[Memo, SimpleNamespace, tuple[int, ...]]:
    """Return the parameters as a fit takes them, and the hidden layers' widths.

    The seed has no part in what the memo keeps.
    """
    given, task = model._parameters(), model._task
    seed = {"random_state": given["random_state"]}
    memo = memo_of(tuple({**given, "random_state": None}.values()), task, incremental)
    known, hidden = memo.once("parameters", lambda: _check_parameters(given, task, incremental))
    return memo, SimpleNamespace(**{**known, **validation.check_parameters(seed, task)}), hidden


def _check_parameters(
    given: Mapping[str, Any], task: str, incremental: bool
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Return the parameters as a fit takes them, and the hidden layers' widths."""
    parameters = validation.check_parameters(given, task)
    sizes = parameters["hidden_layer_sizes"]
    hidden = list(sizes) if isinstance(sizes, tuple) else [sizes]
    validation.check_combination(parameters, len(hidden), incremental)
    if incremental:
        validation.check_class_weight_of_parts(parameters.get("class_weight"))
    validation.check_normalizations(parameters, hidden)
    validation.check_unit_of_own_loss(
        parameters["loss"], parameters.get("standardize_target", "auto")
    )
    return parameters, tuple(hidden)


def _check_network(
    parameters: Mapping[str, Any],
    sizes: list[int],
    front: tuple[Column, ...],
    coder: TargetCoder,
    earlier: Learnt | None,
    n_rows: int,
    weights: np.ndarray | None,
) -> None:
    """Raise unless a network of these widths can be made, or gone on with.

    ``sizes`` begin with the columns of X, of which ``front`` makes the inputs of the first layer;
    ``weights`` is (N,).
    """
    n_of_columns = n_learnt_of(front, sizes[1])
    sizes = [front_width(front) or sizes[0], *sizes[1:]]
    validation.check_layer_sizes(sizes)
    validation.check_memory(parameters, sizes, n_of_columns, coder.dtype)
    validation.check_members(parameters, sizes)
    scaling, n_layers = parameters["scaling_layer"] > 0, len(sizes) - 1
    members = members_of(parameters["n_members"], parameters["members"], n_layers, scaling)
    validation.check_initial_arrays(parameters["init"], sizes, coder.dtype, members)
    validation.check_rows_for_batch_norm(parameters["normalization"], n_rows, weights)
    if earlier is not None:
        _check_goes_on(parameters, sizes, members, earlier)


def _check_goes_on(
    parameters: Mapping[str, Any], sizes: list[int], members: Members, earlier: Learnt
) -> None:
    """Raise unless a network of these widths is the one that an ``earlier`` fit has made."""
    network, hidden = earlier.network, sizes[1:-1]
    normalizations = validation.each_normalization(parameters["normalization"], len(hidden))
    validation.check_same_network(network.layer_sizes, sizes)
    validation.check_same_normalizations(network.normalizations, normalizations)
    parametric = np.broadcast_to(parameters["parametric_activation"], len(hidden)).tolist()
    validation.check_same_activations(network.parametric, parametric)
    if not network.plan.has_members and members.n_members == 1:
        validation.check_same_scaling(
            network.plan.n_scales > 0, wanted=parameters["scaling_layer"] > 0
        )
    before = network.plan.n_members, network.plan.n_shared, network.plan.n_scales
    validation.check_same_members(Members(*before), members)
    validation.check_same_groups(
        network.normalizations,
        network.groups,
        groups_of_layers(normalizations, hidden, parameters["n_groups"], parameters["n_channels"]),
    )


def _warn_if(text: str | None, category: type[Warning] = UserWarning) -> None:
    """Warn with a text, if there is one."""
    if text is not None:
        notify(text, category)


def _warn_of_odd_data(
    y: np.ndarray,
    weights: np.ndarray | None,
    coder: TargetCoder,
    parameters: Mapping[str, Any],
    name: str,
    *,
    whole: bool,
) -> None:
    """Warn of data that can be learnt from, but hardly as it was meant; y (N,) or (N, C).

    ``name`` says what makes up the weights (N,).
    """
    _warn_if(validation.weights_change_penalties(weights, parameters, name))
    counting = y if weights is None else y[weights > 0]
    _warn_if(coder.remark(counting, whole=whole, weights=name), RuntimeWarning)

"""scikit-learn's estimator checks: which there are, and which of them a variant has to repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import estimator_checks_generator

#: Checks of the constructor, of how wrong arguments are refused and of what is kept beside numbers.
#: Whatever the loss, the normalisation, the real type or the backend, they run the same code, so
#: one run for each class is enough: ``test_check_estimator.py`` makes it.
WITHOUT_NUMBERS = frozenset(
    {
        "check_array_api_input",
        "check_classifiers_regression_target",
        "check_complex_data",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_dont_overwrite_parameters",
        "check_dtype_object",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimators_empty_data_messages",
        "check_estimators_nan_inf",
        "check_estimators_overwrite_params",
        "check_estimators_partial_fit_n_features",
        "check_estimators_unfitted",
        "check_fit1d",
        "check_fit2d_predict1d",
        "check_fit_check_is_fitted",
        "check_fit_score_takes_y",
        "check_get_params_invariance",
        "check_mixin_order",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_regressors_no_decision_function",
        "check_requires_y_none",
        "check_sample_weights_shape",
        "check_set_params",
        "check_supervised_y_no_nan",
    }
)


def title(check: Callable[..., None]) -> str:
    """Return the name of a check, which may be a partial function."""
    return getattr(check, "func", check).__name__


def checks_of(
    estimator: BaseEstimator, *left_out: str
) -> Iterator[tuple[str, BaseEstimator, Callable[..., Any]]]:
    """Yield the title of each check of an estimator, a fresh estimator, and the check."""
    for fresh, check in estimator_checks_generator(estimator):
        if title(check) not in left_out:
            yield title(check), fresh, check

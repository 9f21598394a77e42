"""Checks of what users pass in: every error text for it is here, and nothing else raises for it.

All checks of a fit run before anything changes, and know nothing of backends but their names, so
the text is the same for each.
"""

from fastmlp.validation.arrays import (
    check_data,
    check_features,
    check_held_out_weights,
    check_sample_weight,
    check_table,
    check_target_width,
    check_validation_size,
    naming,
    resolve_dtype,
)
from fastmlp.validation.historic import (
    check_decision_line,
    check_gate,
    check_neuron,
    check_perceptron,
    check_rates,
    check_two_labels,
)
from fastmlp.validation.initial_values import check_initial_arrays, checking_initializer
from fastmlp.validation.labels import (
    check_classes,
    check_classes_agree,
    check_label_kind,
    check_label_types,
    check_label_width,
    check_labels_known,
    check_two_classes,
)
from fastmlp.validation.normalizations import (
    check_normalizations,
    check_rows_for_batch_norm,
    check_same_normalizations,
    each_normalization,
)
from fastmlp.validation.parameters import (
    check_combination,
    check_layer_sizes,
    check_magnitudes,
    check_parameters,
    check_same_network,
    check_stochastic,
    naming_network,
)
from fastmlp.validation.pictures import (
    check_bins,
    check_curve,
    check_diagram,
    check_images,
    check_layer_arrays,
    check_layer_names,
    check_plane,
    check_plane_classifier,
    check_readings,
    check_regions,
)
from fastmlp.validation.targets import (
    check_any_positive,
    check_distributions,
    check_has_probabilities,
    check_loss_fits,
    check_return_std,
    check_target_range,
)

__all__ = [
    "check_any_positive",
    "check_bins",
    "check_classes",
    "check_classes_agree",
    "check_combination",
    "check_curve",
    "check_data",
    "check_decision_line",
    "check_diagram",
    "check_distributions",
    "check_features",
    "check_gate",
    "check_has_probabilities",
    "check_held_out_weights",
    "check_images",
    "check_initial_arrays",
    "check_label_kind",
    "check_label_types",
    "check_label_width",
    "check_labels_known",
    "check_layer_arrays",
    "check_layer_names",
    "check_layer_sizes",
    "check_loss_fits",
    "check_magnitudes",
    "check_neuron",
    "check_normalizations",
    "check_parameters",
    "check_perceptron",
    "check_plane",
    "check_plane_classifier",
    "check_rates",
    "check_readings",
    "check_regions",
    "check_return_std",
    "check_rows_for_batch_norm",
    "check_same_network",
    "check_same_normalizations",
    "check_sample_weight",
    "check_stochastic",
    "check_table",
    "check_target_range",
    "check_target_width",
    "check_two_classes",
    "check_two_labels",
    "check_validation_size",
    "checking_initializer",
    "each_normalization",
    "naming",
    "naming_network",
    "resolve_dtype",
]

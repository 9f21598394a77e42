"""The plan's layouts are the core's, byte for byte."""

import numpy as np
import pytest

from fastmlp.backends import _core
from fastmlp.plan.front import FEATURE_DTYPE
from fastmlp.plan.layout import dropout_threshold, make_plan
from fastmlp.plan.parameters import ALIGNMENT, aligned_zeros, bias_views, weight_views
from fastmlp.plan.records import GROUP_DTYPE, LAYER_DTYPE, SETTINGS_DTYPE, SLOT_DTYPE, UPDATE_DTYPE


def test_records_have_the_size_of_the_structs():
    assert {
        "layer": LAYER_DTYPE.itemsize,
        "slot": SLOT_DTYPE.itemsize,
        "group": GROUP_DTYPE.itemsize,
        "settings": SETTINGS_DTYPE.itemsize,
        "update": UPDATE_DTYPE.itemsize,
        "feature": FEATURE_DTYPE.itemsize,
    } == _core.STRUCT_BYTES


def test_parameters_are_all_weights_then_all_biases():
    plan = make_plan((4, 5, 3), ["relu"], "softmax_cross_entropy")
    vector = np.arange(plan.n_parameters)
    weights, biases = weight_views(plan, vector), bias_views(plan, vector)
    assert [w.shape for w in weights] == [(4, 5), (5, 3)]
    assert [b.shape for b in biases] == [(5,), (3,)]
    in_order = np.concatenate([part.ravel() for part in [*weights, *biases]])
    np.testing.assert_array_equal(in_order, vector)
    assert plan.n_weights == 4 * 5 + 5 * 3
    assert all(np.shares_memory(part, vector) for part in [*weights, *biases])


def test_plans_that_are_alike_share_no_array():
    one, other = (make_plan((4, 5, 3), ["relu"], "softmax_cross_entropy") for _ in range(2))
    one.layers["dropout_threshold"], one.groups["learning_rate"], one.slots["group"] = 7, 3.0, 1
    for plan in (other, make_plan((4, 5, 3), ["relu"], "softmax_cross_entropy")):
        assert not plan.layers["dropout_threshold"].any()
        assert (plan.groups["learning_rate"] == 1).all()
        assert plan.slots["group"].tolist() == [0, 0, 1, 1]


def test_flops_leave_out_the_first_layers_input_gradient():
    plan = make_plan((8, 32, 32, 1), ["relu"] * 2, "squared_error")
    assert plan.flops_per_sample() == 2 * (3 * (8 * 32 + 32 * 32 + 32) - 8 * 32)


@pytest.mark.parametrize(
    ("probability", "threshold"), [(0.0, 0), (0.5, 32768), (0.2, 13107), (0.999999999, 65535)]
)
def test_dropout_threshold(probability, threshold):
    assert dropout_threshold(probability) == threshold


def test_aligned_zeros():
    for n in (1, 3, 1000):
        array = aligned_zeros((n, 7), np.float32)
        assert array.ctypes.data % ALIGNMENT == 0
        assert array.shape == (n, 7)
        assert not array.any()

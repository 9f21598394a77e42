"""The steps that a model is exported as compute what the model predicts."""

from __future__ import annotations

import numpy as np
import pytest
from helpers_export import networks, tabular_models

#: Rounding of a few layers' sums, in units in the last place of the largest number.
ULPS = 16


def assert_close(found, wanted, dtype):
    """Raise unless arrays agree but for rounding in ``dtype``."""
    atol = ULPS * float(np.finfo(dtype).eps) * max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=atol)


@pytest.mark.parametrize("case", networks(), ids=lambda case: case.name)
def test_networks(case):
    program = case.model._program()
    assert set(program.answers) == set(case.answers)
    for name, wanted in case.answers.items():
        assert_close(program.run(case.rows, name), wanted, program.x.dtype)
    if hasattr(case.model, "classes_"):
        np.testing.assert_array_equal(program.predict(case.rows), case.model.predict(case.rows))


@pytest.mark.parametrize("case", tabular_models(), ids=lambda case: case.name)
def test_models_of_raw_tables(case):
    program = case.model._program()
    values = case.model._raw_values(case.rows)
    assert set(program.answers) == set(case.answers)
    for name, wanted in case.answers.items():
        assert_close(program.run(values, name), wanted, np.float32)
    if hasattr(case.model, "classes_"):
        np.testing.assert_array_equal(program.predict(values), case.model.predict(case.rows))

"""Fits on many machines, by Dask (``pip install "fastmlp[dask]"``).

The estimators have the parameters of their siblings in :mod:`fastmlp`, learn from dask arrays, dask
data frames and Parquet files where the workers have them, and predict lazily.
"""

from __future__ import annotations

from fastmlp.validation import check_dask

check_dask()

from fastmlp.dask.estimators import DaskMLPClassifier, DaskMLPRegressor  # noqa: E402 - see above
from fastmlp.dask.tabular import DaskTabularClassifier, DaskTabularRegressor  # noqa: E402

__all__ = [
    "DaskMLPClassifier",
    "DaskMLPRegressor",
    "DaskTabularClassifier",
    "DaskTabularRegressor",
]

"""Data that is read piece by piece because it does not fit into memory.

A *source* says where rows come from. ``fit``, ``partial_fit`` and the methods that predict take one
instead of X; y and the rows' weights come with it.

Examples
--------
>>> import numpy as np
>>> from fastmlp import MLPRegressor
>>> from fastmlp.data import from_batches
>>> def batches():
...     for seed in range(8):
...         X = np.random.default_rng(seed).normal(size=(500, 3))
...         yield X, X[:, 0] + X[:, 1]
>>> source = from_batches(batches)
>>> model = MLPRegressor(hidden_layer_sizes=(32,), learning_rate_init=0.01, random_state=0)
>>> bool(model.fit(source).score(source) > 0.9)
True
"""

from __future__ import annotations

from fastmlp.data.arrays import from_arrays
from fastmlp.data.arrow import from_arrow, from_parquet
from fastmlp.data.batches import from_batches
from fastmlp.data.source import Piece, Source

__all__ = ["Piece", "Source", "from_arrays", "from_arrow", "from_batches", "from_parquet"]

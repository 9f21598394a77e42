"""Predictions that a cluster makes part by part, when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd

from fastmlp.dask.partitions import parts_of_x, source_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastmlp.data.source import Piece

__all__ = ["Asked", "predicted"]


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked of a model.

    Attributes
    ----------
    method : str
    options : dict
        Its arguments beside X.
    item : int or None
        Which item of the answer is meant, if that is a tuple.
    columns : sequence or None
        Names for the columns of an answer for a data frame; None for numbers from 0 on.
    """

    method: str
    options: dict[str, Any]
    item: int | None = None
    columns: Sequence[Any] | None = None

    def of(self, X: Any, model: Any) -> np.ndarray:
        """Return the answer of a model for X (n, I); also for no rows at all."""
        if len(X) == 0:
            return self.form(model)
        answer = getattr(model, self.method)(X, **self.options)
        answer = answer if self.item is None else answer[self.item]
        return np.asarray(answer)

    def form(self, model: Any) -> np.ndarray:
        """Return the answer of a model for no rows, (0,) or (0, C)."""
        return self.example(model)[:0]

    def example(self, model: Any) -> np.ndarray:
        """Return the answer of a model for a row of zeros, (1,) or (1, C)."""
        names = getattr(model, "feature_names_in_", None)
        X = np.zeros((1, model.n_features_in_))
        return self.of(X if names is None else pd.DataFrame(X, columns=names), model)

    def of_frame(self, X: Any, model: Any) -> Any:
        """Return the answer for a data frame as one with its index; a series of single numbers."""
        return self.framed(self.of(X, model), X.index) if len(X) else self.unfilled(X.index, model)

    def unfilled(self, index: Any, model: Any) -> Any:
        """Return the answer for a data frame without rows, of which this is the index."""
        # Made of a row, since pandas has another type for no texts than for some.
        return self.framed(self.example(model), [0])[:0].set_axis(index)

    def framed(self, answer: np.ndarray, index: Any) -> Any:
        """Return an answer (n,) or (n, C) as a series or a data frame."""
        if answer.ndim == 1:
            return pd.Series(answer, index=index)
        return pd.DataFrame(answer, index=index, columns=self.columns)

    def of_pieces(self, pieces: Sequence[Piece], model: Any) -> np.ndarray:
        """Return the answer for a part."""
        answers = [self.of(piece.X, model) for piece in pieces]
        return np.concatenate(answers) if answers else self.form(model)


def predicted(model: Any, asked: Asked, X: Any, owner: str, sibling: str) -> Any:
    """Return what a model says of rows on workers, which is not computed yet.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor, fitted
    asked : Asked
    X : dask array or data frame, Source, path or paths of Parquet files, or list of Delayed
    owner, sibling : str
        Names of the estimator and of the one that knows data in memory.

    Returns
    -------
    dask array, series or data frame, or list of Delayed
        In the parts of X. A series or data frame has the index of X; what is predicted of files is
        an array.
    """
    parts = parts_of_x(X, owner, sibling)
    form = asked.form(model)
    shared = dask.delayed(model, traverse=False, pure=False)
    if isinstance(X, dd.DataFrame):
        meta = asked.unfilled(X._meta.index[:0], model)
        return X.map_partitions(asked.of_frame, shared, meta=meta)
    if isinstance(X, da.Array):
        return _of_array(X.rechunk({1: -1}), asked, shared, form)
    of_pieces = dask.delayed(asked.of_pieces, pure=False)
    answers = [of_pieces(part.pieces, shared) for part in parts]
    if source_of(X, None, None) is None:
        return answers
    shape = (np.nan, *form.shape[1:])
    return da.concatenate([da.from_delayed(each, shape, meta=form) for each in answers])


def _of_array(X: Any, asked: Asked, model: Any, form: np.ndarray) -> Any:
    """Return the answers for an array, in its blocks of rows."""
    if form.ndim == 1:
        return X.map_blocks(asked.of, model, drop_axis=1, dtype=form.dtype, meta=form)
    chunks = (X.chunks[0], *[(size,) for size in form.shape[1:]])
    new = list(range(2, form.ndim))
    return X.map_blocks(asked.of, model, chunks=chunks, new_axis=new, dtype=form.dtype, meta=form)

"""From an encoded table to one matrix of inputs, for a network without layers of its own for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from fastmlp.tables.coordinates import Rotations, fit_pairs, fit_rotations
from fastmlp.tables.encoded import EncodedTable
from fastmlp.tables.one_hot import OneHot, fit_levels
from fastmlp.tables.piecewise import PiecewiseEncoding, fit_piecewise
from fastmlp.tables.scaling import RobustScaling, fit_scaling

__all__ = ["Inputs", "fit_inputs"]

#: By what bins are multiplied, so that the many of a column do not drown its number.
BIN_SCALE = 0.5

#: Entries of a matrix (16 MB) that may be stored though most of them are 0, and how many times
#: fewer those of a sparse one must be, each of which takes twice the memory.
LARGE, SPARSE = 2**22, 4

#: Bins of each random pair, of which there are many.
BINS_OF_PAIRS = 16


@dataclass(frozen=True, eq=False)
class Inputs:
    """How an encoded table becomes inputs: numbers, their bins, and an input for each level.

    Attributes
    ----------
    rotations : Rotations or None
        Of coordinates; what they give are further numbers.
    pairs : Rotations or None
        Of random pairs of numbers, of which there are bins only.
    scaling : RobustScaling
    piecewise, piecewise_of_pairs : PiecewiseEncoding or None
    levels : OneHot or None
        None for a table without categories, and where its codes are inputs.
    n_codes : int
        How many of the last inputs are codes of categories, which are as they are in the table.
    scale : float
        By what all inputs are multiplied.
    names : tuple of str, length I
    """

    rotations: Rotations | None
    pairs: Rotations | None
    scaling: RobustScaling
    piecewise: PiecewiseEncoding | None
    piecewise_of_pairs: PiecewiseEncoding | None
    levels: OneHot | None
    n_codes: int
    scale: float
    names: tuple[str, ...]

    def matrix(self, table: EncodedTable) -> np.ndarray | csr_array:
        """Return the inputs (N, I), float32 and C-contiguous; as sparse ones if these are smaller.

        A network learns the same of both.
        """
        matrix = self._unscaled(table)
        if self.scale != 1:
            matrix *= np.float32(self.scale)
        if self.n_codes:
            return np.concatenate([matrix, table.categories], axis=1, dtype=np.float32)
        return matrix

    def matrix_or_zeros(self, table: EncodedTable) -> np.ndarray | csr_array:
        """Return the same, or a column of zeros if there are no inputs, since nothing varied."""
        return self.matrix(table) if self.names else np.zeros((len(table), 1), np.float32)

    @property
    def codes(self) -> list[int]:
        """Which inputs are codes of categories."""
        return list(range(len(self.names) - self.n_codes, len(self.names)))

    def _unscaled(self, table: EncodedTable) -> np.ndarray | csr_array:
        n_rows, n_inputs = len(table), len(self.names) - self.n_codes
        if self.levels is None:
            return self._numbers(table, np.empty((n_rows, n_inputs), np.float32))
        n_numbers = n_inputs - self.levels.n_outputs
        n_stored = n_numbers + len(table.category_names)
        if n_rows * n_inputs > LARGE and SPARSE * n_stored < n_inputs:
            return self._sparse(table, n_numbers)
        out = np.empty((n_rows, n_inputs), np.float32)
        self._numbers(table, out[:, :n_numbers])
        self.levels.transform(table.categories, out[:, n_numbers:])
        return out

    def _sparse(self, table: EncodedTable, n_numbers: int) -> csr_array:
        """Return the inputs (N, I), of which the first ``n_numbers`` are no levels."""
        assert self.levels is not None
        n_rows, shape = len(table), (len(table), n_numbers + len(table.category_names))
        values, places = np.ones(shape, np.float32), np.empty(shape, np.int32)
        self._numbers(table, values[:, :n_numbers])
        places[:, :n_numbers] = np.arange(n_numbers)
        places[:, n_numbers:] = self.levels.places_of(table.categories)
        there = places >= 0
        places[:, n_numbers:] += n_numbers
        starts = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        return csr_array((values[there], places[there], starts), shape=(n_rows, len(self.names)))

    def _numbers(self, table: EncodedTable, out: np.ndarray) -> np.ndarray:
        """Write all inputs (N, I) but levels into ``out``, and return it."""
        numbers = _with_rotations(table.numbers, self.rotations)
        first = self.scaling.n_outputs
        self.scaling.transform(numbers, out[:, :first])
        if self.piecewise is not None:
            last = first + self.piecewise.n_outputs
            self.piecewise.transform(numbers, out[:, first:last], BIN_SCALE)
            first = last
        if self.pairs is not None and self.piecewise_of_pairs is not None:
            last = first + self.piecewise_of_pairs.n_outputs
            turned = self.pairs.transform(table.numbers)
            self.piecewise_of_pairs.transform(turned, out[:, first:last], BIN_SCALE)
        return out


def fit_inputs(
    table: EncodedTable,
    *,
    n_bins: int = 0,
    open_bins: bool = True,
    n_angles: int = 0,
    n_pairs: int = 0,
    max_levels: int | None = None,
    as_codes: bool = False,
    scale: float = 1.0,
    seed: int = 0,
) -> Inputs:
    """Return the inputs that a table calls for.

    Parameters
    ----------
    table : EncodedTable
        Of the rows to be learnt from.
    n_bins : int, default=0
        Bins of each number; none if 0.
    open_bins : bool, default=True
        See ``PiecewiseEncoding``.
    n_angles : int, default=0
        By how many angles pairs of longitude and latitude are turned.
    n_pairs : int, default=0
        How many random pairs of numbers are turned, each by a random angle, for bins only.
    max_levels : int, optional
        Inputs of a category at most; the least frequent levels share one.
    as_codes : bool, default=False
        Whether the codes of a category are one input, for a network that embeds them, and not an
        input for each level.
    scale : float, default=1.0
        By what all inputs but codes are multiplied.
    seed : int, default=0
        Of the random pairs.
    """
    rotations = fit_rotations(table.numbers, table.number_names, n_angles) if n_angles else None
    numbers = _with_rotations(table.numbers, rotations)
    columns = table.number_names
    columns += () if rotations is None else rotations.names(columns)
    scaling = fit_scaling(numbers)
    piecewise = fit_piecewise(numbers, n_bins, is_open=open_bins) if n_bins else None
    rng = np.random.RandomState(seed)
    pairs = fit_pairs(table.numbers, n_pairs, rng) if n_pairs else None
    of_pairs = (
        None if pairs is None else fit_piecewise(pairs.transform(table.numbers), BINS_OF_PAIRS)
    )
    n_codes = len(table.category_names) if as_codes else 0
    levels = fit_levels(table, max_levels) if table.category_names and not as_codes else None
    names = scaling.names(columns)
    names += () if piecewise is None else piecewise.names(columns)
    if pairs is not None and of_pairs is not None:
        names += of_pairs.names(pairs.names(table.number_names))
    names += () if levels is None else levels.names(table.category_names)
    names += table.category_names if as_codes else ()
    return Inputs(rotations, pairs, scaling, piecewise, of_pairs, levels, n_codes, scale, names)


def _with_rotations(numbers: np.ndarray, rotations: Rotations | None) -> np.ndarray:
    if rotations is None:
        return numbers
    return np.concatenate([numbers, rotations.transform(numbers)], axis=1)

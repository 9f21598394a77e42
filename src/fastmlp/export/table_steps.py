"""Steps from a raw table to the inputs of a network, and from its outputs to an answer.

They compute in float64, whatever the type of their output. Legend: N rows, F numbers of a row,
C categories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from fastmlp.export.values import Step
from fastmlp.tables.calendar import part
from fastmlp.tables.scaling import smoothly_clipped

__all__ = [
    "Affine",
    "BothClasses",
    "Clip",
    "Exponential",
    "FromDeviates",
    "IsMissing",
    "Moments",
    "OneHot",
    "Pieces",
    "RawColumn",
    "ReadCalendar",
    "ReadCodes",
    "ReadNumbers",
    "ReadRanks",
    "RobustScale",
    "SquareRoot",
    "Temper",
    "Turn",
    "WeightedSum",
    "Whole",
]

#: The least probability whose logarithm is taken; see ``tabular/calibration.py``.
LEAST = 1e-12


@dataclass(frozen=True)
class RawColumn:
    """A column of a raw table that is read.

    Attributes
    ----------
    label : str
        Its name, or its place in a table without names.
    kind : {"number", "text", "date"}
        Numbers are float64 with NaN where there is none, texts are str or None, and dates are
        seconds since 1970 in the time of their zone, float64 with NaN.
    remark : str
        What a user should know to give it.
    low, high : float
        Between what the numbers and dates of the fit lay.
    """

    label: str
    kind: str
    remark: str = ""
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, eq=False)
class ReadNumbers(Step):
    """Columns of a raw table that are numbers; its inputs are the raw columns (N,).

    Attributes
    ----------
    columns : tuple of int, length width
        Places among the raw columns.
    single : bool
        Whether they are rounded to float32 first.
    """

    columns: tuple[int, ...]
    single: bool

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`; the arrays are the raw columns."""
        numbers = np.stack([arrays[i].astype(np.float64) for i in self.columns], axis=1)
        return (numbers.astype(np.float32) if self.single else numbers)[:, np.newaxis]


@dataclass(frozen=True, eq=False)
class ReadRanks(Step):
    """A column of ordered levels as the level's rank; NaN for missing and unknown ones.

    Attributes
    ----------
    column : int
        Place among the raw columns.
    ranks : mapping of str to int
    """

    column: int
    ranks: Mapping[str, int]

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`; the arrays are the raw columns."""
        known = [self.ranks.get(each, np.nan) for each in arrays[self.column]]
        return np.array(known, np.float64).reshape(-1, 1, 1)


@dataclass(frozen=True, eq=False)
class ReadCalendar(Step):
    """A column of dates as parts of the calendar; NaN for missing ones.

    Attributes
    ----------
    column : int
        Place among the raw columns.
    parts : tuple of str, length width
        See ``tables/calendar.py``.
    start : float
        The date from which days are counted, in seconds since 1970.
    """

    column: int
    parts: tuple[str, ...]
    start: float

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`; the arrays are the raw columns."""
        dates = _dates(arrays[self.column])
        start = _dates(np.array([self.start]))[0]
        return np.stack([part(name, dates, start) for name in self.parts], axis=1)[:, np.newaxis]


def _dates(seconds: np.ndarray) -> np.ndarray:
    """Return seconds since 1970 (N,) as datetime64[us]."""
    there = ~np.isnan(seconds)
    microseconds = np.rint(np.where(there, seconds, 0) * 1e6).astype(np.int64)
    return np.where(there, microseconds.astype("datetime64[us]"), np.datetime64("NaT", "us"))


@dataclass(frozen=True, eq=False)
class ReadCodes(Step):
    """Columns of levels as codes.

    Attributes
    ----------
    columns : tuple of int, length width
        Places among the raw columns.
    codes : tuple of mapping of str to int, length width
    unknown, missing : int
        Codes of other texts and of None.
    """

    columns: tuple[int, ...]
    codes: tuple[Mapping[str, int], ...]
    unknown: int
    missing: int

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`; the arrays are the raw columns."""
        found = [
            [self.missing if each is None else known.get(each, self.unknown) for each in arrays[i]]
            for i, known in zip(self.columns, self.codes, strict=True)
        ]
        return np.array(found, np.int32).T[:, np.newaxis]


@dataclass(frozen=True, eq=False)
class Turn(Step):
    """Pairs of numbers seen from several directions: x · eastward + y · northward.

    Attributes
    ----------
    pairs : ndarray of int64, shape (K, 2)
        Places of x and y.
    eastward, northward : ndarray of float64, shape (A, K)
        The width is A · K.
    """

    pairs: np.ndarray
    eastward: np.ndarray
    northward: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        x, y = arrays[0][..., self.pairs[:, 0]], arrays[0][..., self.pairs[:, 1]]
        return (x * self.eastward + y * self.northward).reshape(len(x), 1, -1)


@dataclass(frozen=True, eq=False)
class RobustScale(Step):
    """z / √(1 + (z / 3)²) of z = (x - centre) · factor; 0 where x is missing.

    Attributes
    ----------
    places : ndarray of int64, shape (width,)
    centres, factors : ndarray of float64, shape (width,)
    """

    places: np.ndarray
    centres: np.ndarray
    factors: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        z = (arrays[0][..., self.places] - self.centres) * self.factors
        return smoothly_clipped(np.where(np.isnan(z), 0, z))


@dataclass(frozen=True, eq=False)
class IsMissing(Step):
    """1 where a number is missing, else 0.

    Attributes
    ----------
    places : ndarray of int64, shape (width,)
    """

    places: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return np.isnan(arrays[0][..., self.places])


@dataclass(frozen=True, eq=False)
class Pieces(Step):
    """How far numbers fill bins, from 0 to 1; 0 where they are missing.

    Attributes
    ----------
    places : ndarray of int64, shape (width,)
        To which number each bin belongs.
    starts, widths : ndarray of float64, shape (width,)
    ends : ndarray of int64, shape (width,)
        1 for the first bin of a number, 2 for the last, 3 for the only one: where bins are open,
        they go on there, smoothly clipped at ±3. 0 for other bins, and where bins are not open.
    scale : float
        By what all is multiplied in the end.
    """

    places: np.ndarray
    starts: np.ndarray
    widths: np.ndarray
    ends: np.ndarray
    scale: float

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        z = (arrays[0][..., self.places] - self.starts) / self.widths
        below = np.where(self.ends & 1, smoothly_clipped(np.minimum(z, 0)), 0)
        above = np.where(self.ends & 2, smoothly_clipped(np.maximum(z - 1, 0)), 0)
        filled = np.clip(z, 0, 1) + below + above
        return np.where(np.isnan(filled), 0, filled) * self.scale


@dataclass(frozen=True, eq=False)
class OneHot(Step):
    """1 at the place of each code, else 0.

    Attributes
    ----------
    places : ndarray of int32, shape (S,)
        Of each code of the first category, then of the second one, and so on; -1 for none.
    firsts : ndarray of int64, shape (C,)
        Where the codes of each category begin among ``places``.
    """

    places: np.ndarray
    firsts: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        places = self.places[arrays[0] + self.firsts]  # (N, 1, C)
        columns = np.arange(self.output.width)
        return (places[..., np.newaxis] == columns).any(axis=2)


@dataclass(frozen=True, eq=False)
class Affine(Step):
    """x · factors + summands.

    Attributes
    ----------
    factors, summands : ndarray of float64, shape (width,)
    """

    factors: np.ndarray
    summands: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return arrays[0].astype(np.float64) * self.factors + self.summands


@dataclass(frozen=True, eq=False)
class BothClasses(Step):
    """1 - p and p."""

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return np.concatenate([1 - arrays[0], arrays[0]], axis=2)


@dataclass(frozen=True, eq=False)
class Whole(Step):
    """Probabilities of some classes among those of all; of the others they are 0.

    Attributes
    ----------
    places : ndarray of int64, shape (width of the input,)
    """

    places: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        p = np.zeros((len(arrays[0]), 1, self.output.width))
        p[..., self.places] = arrays[0]
        return p


@dataclass(frozen=True, eq=False)
class WeightedSum(Step):
    """The sum of all inputs, each times its weight.

    Attributes
    ----------
    weights : ndarray of float64, shape (inputs,)
    """

    weights: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        terms = zip(self.weights, arrays, strict=True)
        return np.sum([weight * each for weight, each in terms], axis=0)


@dataclass(frozen=True, eq=False)
class Temper(Step):
    """softmax(log p / T); what has probability 0 keeps it.

    Attributes
    ----------
    temperature : float
    """

    temperature: float

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        p = arrays[0]
        z = np.where(p > 0, np.log(np.maximum(p, LEAST)), -np.inf) / self.temperature
        exponentials = np.exp(z - z.max(axis=2, keepdims=True))
        return exponentials / exponentials.sum(axis=2, keepdims=True)


@dataclass(frozen=True, eq=False)
class Exponential(Step):
    """exp(x)."""

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return np.exp(arrays[0])


@dataclass(frozen=True, eq=False)
class SquareRoot(Step):
    """√x."""

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return np.sqrt(arrays[0])


@dataclass(frozen=True, eq=False)
class FromDeviates(Step):
    """A target's quantile at the share of a normal distribution that is below a deviate.

    Attributes
    ----------
    references : ndarray of float64, shape (K,)
        Shares, ascending from 0 to 1.
    quantiles : ndarray of float64, shape (T, K)
        At these shares, of each target; width / T neighbours belong to one target.
    """

    references: np.ndarray
    quantiles: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        shares = ndtr(arrays[0]).reshape(len(arrays[0]), len(self.quantiles), -1)
        return np.stack(
            [
                _between(shares[:, i], self.references, each)
                for i, each in enumerate(self.quantiles)
            ],
            axis=1,
        ).reshape(arrays[0].shape)


#: Nearer to 0 or 1 a share counts as such, as in scikit-learn's QuantileTransformer.
EDGE = 1e-7


def _between(shares: np.ndarray, references: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return quantiles (...) interpolated at ``shares`` (...)."""
    found: np.ndarray = np.interp(shares, references, quantiles)
    found = np.where(shares + EDGE > 1, quantiles[-1], found)
    return np.where(shares - EDGE < 0, quantiles[0], found)


@dataclass(frozen=True, eq=False)
class Clip(Step):
    """x between bounds.

    Attributes
    ----------
    low, high : ndarray of float64, shape (width,)
    """

    low: np.ndarray
    high: np.ndarray

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        return np.clip(arrays[0], self.low, self.high)


@dataclass(frozen=True, eq=False)
class Moments(Step):
    """From T means and T variances to moments of which a mean may be taken, or back.

    Forward: d = the mean between bounds, minus the centre, and d² + the variance, whose root is at
    most the distance of the bounds. Back: d + centre, and the root of the variance.

    Attributes
    ----------
    low, high, centre : ndarray of float64, shape (T,)
    back : bool
    """

    low: np.ndarray
    high: np.ndarray
    centre: np.ndarray
    back: bool

    def of(self, *arrays: np.ndarray) -> Any:
        """See :class:`Step`."""
        first, second = np.split(arrays[0], 2, axis=2)
        if self.back:
            deviation = np.sqrt(np.maximum(second - first**2, 0))
            return np.concatenate([first + self.centre, deviation], axis=2)
        distance = np.clip(first, self.low, self.high) - self.centre
        deviation = np.minimum(np.sqrt(second), self.high - self.low)
        return np.concatenate([distance, distance**2 + deviation**2], axis=2)

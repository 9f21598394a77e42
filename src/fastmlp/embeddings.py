"""Embeddings say what a network makes of the columns of X before its first layer.

The parameter ``numeric_embedding`` takes one of those for numbers, or its name, and
``category_embedding`` takes :class:`Categories`. What they learn has its own learning rate:
``rate_factor`` times that of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from fastmlp.names import Names
from fastmlp.options import Options

__all__ = ["PBLD", "PLR", "Categories", "NumericEmbedding", "PiecewiseLinear"]


class NumericEmbedding(Options):
    """The base class of embeddings of numbers."""

    #: Name as ``numeric_embedding``.
    name: ClassVar[str]
    #: Learning rate of what it learns, as a multiple of the network's.
    rate_factor: float


@dataclass(frozen=True)
class PBLD(NumericEmbedding):
    """Each number x becomes x and learnt waves of x: W cos(2π w x + b) + c.

    This is "PBLD" of Holzmüller et al. 2024.

    Parameters
    ----------
    n_frequencies : int, default=16
        Number of frequencies w, and of phases b, of each column. They are learnt.
    width : int, default=3
        How many numbers are made of a column, besides x.
    sigma : float, default=0.1
        Standard deviation of the first frequencies. The first phases are between −π and π.
    rate_factor : float, default=0.1
        Learning rate of what is learnt here, as a multiple of the network's.

    Examples
    --------
    >>> from fastmlp.embeddings import PBLD
    >>> PBLD(sigma=0.3)
    PBLD(n_frequencies=16, width=3, sigma=0.3, rate_factor=0.1)
    """

    name: ClassVar[str] = "pbld"
    n_frequencies: int = 16
    width: int = 3
    sigma: float = 0.1
    rate_factor: float = 0.1


@dataclass(frozen=True)
class PLR(NumericEmbedding):
    """Each number x becomes learnt waves of x: relu(W [cos(2π w x), sin(2π w x)] + c).

    This is "PLR" of Gorishniy et al. 2022.

    Parameters
    ----------
    n_frequencies : int, default=16
        Number of frequencies w of each column. They are learnt.
    width : int, default=8
        How many numbers are made of a column.
    sigma : float, default=0.1
        Standard deviation of the first frequencies.
    rate_factor : float, default=1.0
        Learning rate of what is learnt here, as a multiple of the network's.

    Examples
    --------
    >>> from fastmlp.embeddings import PLR
    >>> PLR().width
    8
    """

    name: ClassVar[str] = "plr"
    n_frequencies: int = 16
    width: int = 8
    sigma: float = 0.1
    rate_factor: float = 1.0


@dataclass(frozen=True)
class PiecewiseLinear(NumericEmbedding):
    """Each number x becomes how far it fills each of several bins, or learnt numbers of that.

    The bins lie between quantiles of the column in the first fit. A bin from b to b + w is filled
    to the share (x − b) / w, bins below x are 1, and bins above x are 0. The outermost bins go on
    beyond 0 and 1. This is "PLE" of Gorishniy et al. 2022. A column of one value stays as it is.

    Parameters
    ----------
    n_bins : int, default=32
        The largest number of bins of a column.
    width : int or None, default=8
        How many numbers W t + c are made of the shares t of a column. None takes the shares t.
    rectified : bool, default=False
        Whether these numbers become 0 if they are negative.
    rate_factor : float, default=1.0
        Learning rate of W and c, as a multiple of the network's.

    Examples
    --------
    >>> from fastmlp.embeddings import PiecewiseLinear
    >>> PiecewiseLinear(n_bins=16).width
    8
    """

    name: ClassVar[str] = "piecewise_linear"
    n_bins: int = 32
    width: int | None = 8
    rectified: bool = False
    rate_factor: float = 1.0


@dataclass(frozen=True)
class Categories(Options):
    """What becomes of the columns that ``categorical_features`` names.

    A level of a column is a whole number from 0 on. It has a row of numbers, which is learnt: of an
    update's cost, only the rows of levels in the batch count, however many levels there are. What
    is no level of the first fit is treated as level 0.

    ``weight_decay`` shrinks the rows of levels in the batch. ``alpha``, ``l1`` and ``max_norm`` are
    for the weights of the layers and leave rows alone, also where they are weights of the first.

    Parameters
    ----------
    width : int, default=8
        Numbers of a level, which are inputs of the first layer.
    one_hot : int, default=9
        Largest number of levels for which a level is an input of its own instead: its weights are
        the row. 0 for none. Where no column is left besides, the largest one has rows of ``width``
        all the same.
    rate_factor : float, default=1.0
        Learning rate of the rows, as a multiple of the network's.

    Examples
    --------
    >>> from fastmlp.embeddings import Categories
    >>> Categories(width=4)
    Categories(width=4, one_hot=9, rate_factor=1.0)
    """

    width: int = 8
    one_hot: int = 9
    rate_factor: float = 1.0


#: Classes by their names as ``numeric_embedding``.
EMBEDDINGS: Names[type[NumericEmbedding]] = Names(
    [
        ("pbld", PBLD, ("periodic",)),
        ("plr", PLR, ()),
        ("piecewise_linear", PiecewiseLinear, ("ple", "piecewise")),
    ]
)

#: Range of each option that is a number: the least and the largest; the core has room for so many.
COUNTS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"n_frequencies": (1, 256), "width": (1, 512), "n_bins": (1, 512), "one_hot": (0, 2**24)}
)

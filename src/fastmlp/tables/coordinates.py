"""Places on the earth: longitude and latitude seen from several directions.

A network on bins of single columns sees steps along the axes only. Turned copies of the two let
it see coasts and valleys that run across.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

__all__ = ["Rotations", "find_coordinates", "fit_pairs", "fit_rotations"]

_LATITUDES = frozenset({"lat", "latitude"})
_LONGITUDES = frozenset({"lon", "lng", "long", "longitude"})
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def find_coordinates(names: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return the places of each longitude and its latitude among the names (F,) of columns.

    They belong together if their names differ in nothing else.

    Examples
    --------
    >>> find_coordinates(("pickup_lat", "pickup_lon", "dropoffLongitude", "dropoffLatitude", "lat"))
    [(1, 0), (2, 3)]
    """
    longitudes: dict[tuple[str, ...], int] = {}
    latitudes: dict[tuple[str, ...], int] = {}
    for place, name in enumerate(names):
        words = tuple(word.lower() for word in _WORDS.findall(name))
        for wanted, found in ((_LONGITUDES, longitudes), (_LATITUDES, latitudes)):
            at = [i for i, word in enumerate(words) if word in wanted]
            if len(at) == 1:
                found.setdefault((*words[: at[0]], "", *words[at[0] + 1 :]), place)
    return [(place, latitudes[rest]) for rest, place in longitudes.items() if rest in latitudes]


@dataclass(frozen=True, eq=False)
class Rotations:
    """How pairs of columns are turned.

    Attributes
    ----------
    pairs : ndarray of int64, shape (K, 2)
        Longitude and latitude.
    eastward, northward : ndarray of float64, shape (A, K)
        What each counts in each direction. A degree of longitude is as long as the cosine of the
        latitude says.
    """

    pairs: np.ndarray
    eastward: np.ndarray
    northward: np.ndarray

    def names(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the outputs, given those of the columns (F,)."""
        pairs = [f"{columns[one]}_{columns[other]}" for one, other in self.pairs]
        return tuple(f"{pair}_turned{a}" for a in range(len(self.eastward)) for pair in pairs)

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the turned copies (N, A · K) of columns (N, F); NaN if one of a pair is."""
        x, y = X[:, None, self.pairs[:, 0]], X[:, None, self.pairs[:, 1]]
        with np.errstate(invalid="ignore", over="ignore"):  # infinity in two directions is NaN
            turned: np.ndarray = x * self.eastward + y * self.northward  # (N, A, K)
        return turned.reshape(len(X), -1)


def fit_rotations(X: np.ndarray, names: tuple[str, ...], n_angles: int) -> Rotations:
    """Return rotations by ``n_angles`` angles, none of which is an axis if there is an even number.

    Pairs are found by the names (F,) of columns (N, F), and left out if they can't be degrees.
    """
    pairs = [(x, y) for x, y in find_coordinates(names) if _are_degrees(X[:, x], X[:, y])]
    places = np.array(pairs, np.int64).reshape(-1, 2)
    angles = np.pi * (np.arange(n_angles) + 0.5)[:, None] / max(n_angles, 1)
    middles = np.array([np.nanmedian(X[:, y]) for _, y in pairs])
    eastward = np.cos(angles) * np.cos(np.deg2rad(middles))
    return Rotations(places, eastward, np.sin(angles) * np.ones(len(pairs)))


def _are_degrees(longitudes: np.ndarray, latitudes: np.ndarray) -> bool:
    """Return whether two columns (N,) have values, and none beyond what there is on earth."""
    x, y = longitudes[~np.isnan(longitudes)], latitudes[~np.isnan(latitudes)]
    if not len(x) or not len(y):
        return False
    return bool((np.abs(x) <= 360).all() and (np.abs(y) <= 90).all())


def fit_pairs(X: np.ndarray, n_pairs: int, rng: np.random.RandomState) -> Rotations | None:
    """Return rotations of random pairs of columns (N, F), each by a random angle.

    Each column counts by its spread. None if fewer than two columns vary.
    """
    spread = np.zeros(X.shape[1])
    filled = ~np.isnan(X).all(axis=0)
    spread[filled] = np.nanstd(np.clip(X[:, filled].astype(np.float64), -1e100, 1e100), axis=0)
    varying = np.flatnonzero(spread > 0)
    if len(varying) < 2:
        return None
    pairs = np.array([rng.choice(varying, 2, replace=False) for _ in range(n_pairs)])
    angles = np.pi * rng.random_sample(n_pairs)
    eastward, northward = np.cos(angles), np.sin(angles)
    return Rotations(
        pairs, (eastward / spread[pairs[:, 0]])[None], (northward / spread[pairs[:, 1]])[None]
    )

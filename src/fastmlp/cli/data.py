"""Digits to train on: scikit-learn's bundled ones, or MNIST from a file."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import BinaryIO

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

__all__ = ["ARRAYS", "DATA_VARIABLE", "DataError", "Digits", "find_mnist", "load"]

#: Environment variable that names MNIST's file or the folder that holds ``mnist.npz``.
DATA_VARIABLE = "FASTMLP_DATA"
#: What an .npz file must contain.
ARRAYS = ("X_train", "y_train", "X_test", "y_test")


class DataError(ValueError):
    """A data file that cannot be used; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Digits:
    """Images of digits, one flattened image a row.

    Attributes
    ----------
    name : str
    X_train, X_test : ndarray of float32, shapes (N, I) and (N_test, I)
        Grey values between 0 and 1.
    y_train, y_test : ndarray, shapes (N,) and (N_test,)
    """

    name: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width; one row of pixels when the number of pixels is no square."""
        n_pixels = self.X_train.shape[1]
        side = isqrt(n_pixels)
        return (side, side) if side * side == n_pixels else (1, n_pixels)


def load(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Digits:
    """Return the digits in ``path``, else those that the environment names, else the bundled ones.

    Raises
    ------
    DataError
        The file is missing, is no .npz archive, or lacks an array or a matching shape.
    """
    path = path or find_mnist(environment)
    return _bundled() if path is None else _from_file(path)


def find_mnist(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file that ``FASTMLP_DATA`` leads to, None when there is no MNIST.

    Raises
    ------
    DataError
        The variable names a place that does not exist.
    """
    if not environment.get(DATA_VARIABLE):
        return None
    place = Path(environment[DATA_VARIABLE])
    if not place.exists():
        raise DataError(f"{DATA_VARIABLE} names {place}, which does not exist")
    if place.is_file():
        return place
    inside = place / "mnist.npz"
    return inside if inside.is_file() else None


def _bundled() -> Digits:
    """Return scikit-learn's 1,797 digits of 8 x 8 pixels, a quarter of them for testing."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        (X / X.max()).astype(np.float32), y, test_size=0.25, random_state=0, stratify=y
    )
    return Digits("scikit-learn's digits", X_train, y_train, X_test, y_test)


def _from_file(path: Path) -> Digits:
    arrays = _read_arrays(path)
    _check_shapes(path, arrays)
    X_train = arrays["X_train"]
    white = 255 if X_train.dtype == np.uint8 else max(float(X_train.max()), 1.0)
    return Digits(
        path.stem,
        _grey_rows(X_train, white),
        arrays["y_train"],
        _grey_rows(arrays["X_test"], white),
        arrays["y_test"],
    )


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise DataError(f"no such file: {path}")
    with path.open("rb") as file:  # np.load would leave it open when it is no archive
        archive = _open_archive(path, file)
        missing = [name for name in ARRAYS if name not in archive]
        if missing:
            raise DataError(
                f"{path} lacks {', '.join(missing)}; it must contain {', '.join(ARRAYS)}"
            )
        return {name: _read_array(path, archive, name) for name in ARRAYS}


def _open_archive(path: Path, file: BinaryIO) -> np.lib.npyio.NpzFile:
    try:
        archive = np.load(file, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no .npz archive") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise DataError(f"{path} is no .npz archive")
    return archive


def _read_array(path: Path, archive: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    try:
        array = np.asarray(archive[name])
    except ValueError as error:  # pickled objects
        raise DataError(f"{path}: {name} holds no plain array") from error
    if name.startswith("X") and array.dtype.kind not in "buif":
        raise DataError(f"{path}: {name} must hold numbers, not {array.dtype}")
    return array


def _check_shapes(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    for part in ("train", "test"):
        X, y = arrays[f"X_{part}"], arrays[f"y_{part}"]
        if X.ndim < 2 or X.size == 0 or y.shape != X.shape[:1]:
            raise DataError(
                f"{path}: X_{part} {X.shape} and y_{part} {y.shape} must have shapes (N, I) and "
                "(N,) with N, I >= 1"
            )
    shapes = arrays["X_train"].shape[1:], arrays["X_test"].shape[1:]
    if shapes[0] != shapes[1]:
        raise DataError(f"{path}: images of X_train have shape {shapes[0]}, of X_test {shapes[1]}")


def _grey_rows(images: np.ndarray, white: float) -> np.ndarray:
    """Return images (N, ...) as rows (N, I) of float32, 1 where they are ``white``."""
    rows: np.ndarray = np.divide(images.reshape(len(images), -1), white, dtype=np.float32)
    return rows

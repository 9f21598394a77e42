"""Digits to train on: scikit-learn's bundled ones, or MNIST from a file."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import BinaryIO

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from fastmlp.cli.errors import RefusedError
from fastmlp.validation.wording import brief, counted, place

__all__ = ["ARRAYS", "DATA_VARIABLE", "DataError", "Digits", "find_mnist", "load"]

#: Environment variable that names MNIST's file or the folder that holds ``mnist.npz``.
DATA_VARIABLE = "FASTMLP_DATA"
#: What an .npz file must contain.
ARRAYS = ("X_train", "y_train", "X_test", "y_test")


#: Early stopping holds out a tenth, of which there must be two.
FEWEST_IMAGES = 11

#: What reading a damaged, encrypted or untrue archive raises.
_UNREADABLE = (
    EOFError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


class DataError(RefusedError, ValueError):
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
        The file is missing or not an .npz archive, lacks an array or a matching shape, or holds
        what are not grey values or labels.
    """
    path = path or find_mnist(environment)
    return _bundled() if path is None else _from_file(path)


def find_mnist(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file that ``FASTMLP_DATA`` leads to, None when there is no MNIST.

    Raises
    ------
    DataError
        The variable names a place that does not exist or cannot be looked at.
    """
    if not environment.get(DATA_VARIABLE):
        return None
    named = Path(environment[DATA_VARIABLE])
    try:
        named.stat()
    except OSError as error:
        raise DataError(
            f"{DATA_VARIABLE} names {brief(str(named))}, which can't be used: {error.strerror}"
        ) from error
    if not named.is_dir():
        return named
    inside = named / "mnist.npz"
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
    _check_arrays(path, arrays)
    X_train = arrays["X_train"]
    white = 255 if X_train.dtype == np.uint8 else max(float(X_train.max()), 1.0)
    return Digits(
        path.stem,
        _grey_rows(path, "X_train", X_train, white),
        arrays["y_train"],
        _grey_rows(path, "X_test", arrays["X_test"], white),
        arrays["y_test"],
    )


def _check_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise DataError unless the arrays are images and their labels."""
    for name in ("X_train", "X_test"):
        _check_images(path, name, arrays[name])
    _check_shapes(path, arrays)
    for name in ("y_train", "y_test"):
        _check_labels(path, name, arrays[name])
    _check_same_scale(path, arrays["X_train"], arrays["X_test"])
    _check_labels_agree(path, arrays["y_train"], arrays["y_test"])


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    with _opened(path) as file:  # np.load would leave it open when it is no archive
        archive = _open_archive(path, file)
        missing = [name for name in ARRAYS if name not in archive]
        if missing:
            raise DataError(
                f"{path} lacks {', '.join(missing)}; it must contain {', '.join(ARRAYS)}"
            )
        return {name: _read_array(path, archive, name) for name in ARRAYS}


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise DataError(f"there is no file {brief(str(path))}") from error
    except OSError as error:
        raise DataError(f"{brief(str(path))} can't be read: {error.strerror}") from error


def _open_archive(path: Path, file: BinaryIO) -> np.lib.npyio.NpzFile:
    try:
        archive = np.load(file, allow_pickle=False)
    except _UNREADABLE as error:
        raise DataError(f"{path} is not an .npz archive") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise DataError(f"{path} is not an .npz archive")
    return archive


def _read_array(path: Path, archive: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    try:
        array = archive[name]
    except _UNREADABLE as error:  # pickled objects, too
        raise DataError(
            f"{path}: {name} does not hold a plain array ({brief(error)}); write numbers with "
            "numpy.savez"
        ) from error
    if not isinstance(array, np.ndarray):
        raise DataError(f"{path}: {name} does not hold an array; write one with numpy.savez")
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
    if len(arrays["X_train"]) < FEWEST_IMAGES:
        raise DataError(
            f"{path}: X_train holds {counted(len(arrays['X_train']), 'image')}; at least "
            f"{FEWEST_IMAGES} are needed, since a tenth of them is held out"
        )


def _check_images(path: Path, name: str, images: np.ndarray) -> None:
    """Raise DataError unless images (N, ...) are finite numbers."""
    if images.dtype.kind not in "buif":
        raise DataError(f"{path}: {name} must hold numbers, not {images.dtype}")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        where = tuple(map(int, np.argwhere(~np.isfinite(images))[0]))
        raise DataError(
            f"{path}: {name} must hold finite numbers; got {images[where]}{place(where)}"
        )


def _check_same_scale(path: Path, X_train: np.ndarray, X_test: np.ndarray) -> None:
    """Raise DataError if one holds bytes and the other does not, so that white differs."""
    if (X_train.dtype == np.uint8) != (X_test.dtype == np.uint8):
        raise DataError(
            f"{path}: X_train and X_test must hold numbers of the same type; got "
            f"{X_train.dtype} and {X_test.dtype}"
        )


def _check_labels(path: Path, name: str, labels: np.ndarray) -> None:
    """Raise DataError unless labels (N,) are text or whole numbers."""
    if labels.dtype.kind not in "biufU":
        raise DataError(f"{path}: {name} must hold whole numbers or text, not {labels.dtype}")
    if labels.dtype.kind != "f":
        return
    whole = np.isfinite(labels) & (labels == np.floor(labels))
    if not whole.all():
        row = int(np.argmin(whole))
        raise DataError(
            f"{path}: {name} must hold whole numbers or text; got {labels[row]} at index {row}"
        )


def _check_labels_agree(path: Path, y_train: np.ndarray, y_test: np.ndarray) -> None:
    """Raise DataError unless there are labels to tell apart, of one kind in both parts."""
    if (y_train.dtype.kind == "U") != (y_test.dtype.kind == "U"):
        raise DataError(f"{path}: y_train and y_test must both hold numbers, or both text")
    if np.all(y_train == y_train[0]):
        raise DataError(
            f"{path}: y_train holds only one label, {y_train[0]}, so there is nothing to learn"
        )


def _grey_rows(path: Path, name: str, images: np.ndarray, white: float) -> np.ndarray:
    """Return images (N, ...) as rows (N, I) of float32, 1 where they are ``white``."""
    flat = images.reshape(len(images), -1)
    wide = np.result_type(images.dtype, np.float32) if images.dtype.kind == "f" else np.float32
    with np.errstate(over="ignore"):
        rows: np.ndarray = np.divide(flat, white, dtype=wide).astype(np.float32, copy=False)
    if not np.isfinite(rows).all():
        raise DataError(f"{path}: {name} holds numbers too large for float32")
    return rows

"""Rows to learn from, as a network sees them, and rows to test by."""

from __future__ import annotations

from typing import NamedTuple

import click
import numpy as np
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from table_data import TABLES, split_of

from fastmlp.cli.data import find_mnist, load

__all__ = ["Data", "digits", "mnist", "prepared"]


class Data(NamedTuple):
    """Rows to learn from and rows to test by, as the network sees them."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def prepared(name: str) -> Data:
    """Return a table whose numbers are scaled and whose categories have a column each."""
    split = split_of(TABLES[name]())
    inputs = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        remainder=OneHotEncoder(sparse_output=False),
    ).fit(split.train)
    X, X_test = (inputs.transform(part).astype(np.float32) for part in (split.train, split.test))
    return Data(X, split.train_target, X_test, split.test_target)


def mnist() -> Data:
    """Return the digits of MNIST, if the folder of the data has them."""
    path = find_mnist()
    if path is None:
        raise click.UsageError("needs MNIST: let FASTMLP_DATA name the folder that holds it")
    found = load(path)
    return Data(found.X_train, found.y_train, found.X_test, found.y_test)


def digits() -> Data:
    """Return the small digits that scikit-learn brings."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, test_size=0.2, random_state=0, stratify=y)
    return Data(X, y, X_test, y_test)

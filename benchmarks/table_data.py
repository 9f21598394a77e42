"""Tables to compare models on: real ones of the data folder, and those that scikit-learn brings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split
from table_packages import PACKAGED, Task

from fastmlp.cli.data import DATA_VARIABLE

__all__ = ["BUNDLED", "GROUPS", "TABLES", "Split", "Task", "available", "split_of"]

#: The folder of the real tables, if the variable names one.
FOLDER = Path(os.environ[DATA_VARIABLE]) if os.environ.get(DATA_VARIABLE) else None

ADULT = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
    "income",
]


class Split(NamedTuple):
    """Four fifths to learn from, and a fifth that nobody sees before the end."""

    train: pd.DataFrame
    test: pd.DataFrame
    train_target: np.ndarray
    test_target: np.ndarray


def _file(name: str) -> Path:
    """Return a file of the folder; UsageError if it is not there."""
    if FOLDER is None or not (FOLDER / name).is_file():
        raise click.UsageError(f"needs {name}: let {DATA_VARIABLE} name the folder that holds it")
    return FOLDER / name


def _csv(name: str, target: str) -> tuple[pd.DataFrame, pd.Series]:
    frame = pd.read_csv(_file(f"{name}.csv.gz"))
    return frame, frame.pop(target)


def _california() -> Task:
    frame, target = _csv("california-housing", "median_house_value")
    return Task(frame, target.to_numpy(float), False)


def _letter() -> Task:
    frame, target = _csv("letter", "Letter")
    return Task(frame, target.to_numpy(str), True)


def _diamonds() -> Task:
    frame, target = _csv("diamonds", "price")
    return Task(frame, np.log(target.to_numpy(float)), False)


def _adult() -> Task:
    settings = {"names": ADULT, "na_values": "?", "skipinitialspace": True, "comment": "|"}
    parts = [pd.read_csv(_file(f"adult-{part}.csv.gz"), **settings) for part in ("train", "test")]
    frame = pd.concat(parts, ignore_index=True)
    return Task(frame, frame.pop("income").str.rstrip(".").to_numpy(str), True)


def _protein() -> Task:
    data = np.load(_file("protein.npz"))["data"]
    columns = [f"F{i}" for i in range(1, 10)]
    return Task(pd.DataFrame(data[:, :9], columns=columns), data[:, 9], False)


def _bundled(load: Callable, is_classification: bool) -> Task:
    frame, target = load(return_X_y=True, as_frame=True)
    return Task(frame, target.to_numpy(), is_classification)


#: Tables that scikit-learn brings, which are small.
BUNDLED: dict[str, Callable[[], Task]] = {
    "breast_cancer": lambda: _bundled(datasets.load_breast_cancer, True),
    "wine": lambda: _bundled(datasets.load_wine, True),
    "digits": lambda: _bundled(datasets.load_digits, True),
    "diabetes": lambda: _bundled(datasets.load_diabetes, False),
}
#: Tables in the folder.
FILED: dict[str, Callable[[], Task]] = {
    "california": _california,
    "letter": _letter,
    "adult": _adult,
    "diamonds": _diamonds,
    "protein": _protein,
}
GROUPS: dict[str, Mapping[str, Callable[[], Task]]] = {
    "folder": FILED,
    "bundled": BUNDLED,
    "packages": PACKAGED,
}
TABLES: dict[str, Callable[[], Task]] = {**FILED, **BUNDLED, **PACKAGED}


def available() -> list[str]:
    """Return the names of the tables that are there."""
    return [name for name in TABLES if _is_there(name)]


def _is_there(name: str) -> bool:
    if name in PACKAGED:
        return PACKAGED[name].path is not None
    return name in BUNDLED or bool(FOLDER and FOLDER.is_dir())


def split_of(task: Task) -> Split:
    """Return the split that the figures of the README are of."""
    strata = task.target if task.is_classification else None
    parts = train_test_split(
        task.frame, task.target, test_size=0.2, random_state=0, stratify=strata
    )
    return Split(*parts)

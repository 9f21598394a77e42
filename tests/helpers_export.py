"""Fitted models of every kind that can be exported, and what they answer."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from fastmlp import MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor
from fastmlp.embeddings import PBLD, PLR, Categories, PiecewiseLinear
from fastmlp.registry import ACTIVATIONS, LOSSES, REGRESSOR_LOSSES
from fastmlp.tabular import Recipe

N_ROWS = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 6)).astype(np.float32)
#: Two columns of numbers and two of levels beside others, one of them with more levels than rows
#: of the test show.
X_LEVELS = np.column_stack([X[:, :4], RNG.integers(0, 4, N_ROWS), RNG.integers(0, 12, N_ROWS)])
CLASSES = np.arange(N_ROWS) % 3
TARGET = (X[:, 0] + 0.3 * X[:, 1] ** 2).astype(np.float64)


@dataclass(frozen=True)
class Case:
    """A fitted model and rows to ask it about."""

    name: str
    model: Any
    rows: Any

    @property
    def answers(self) -> dict[str, np.ndarray]:
        """What the model answers, by the names of a program's answers, (N, width) each."""
        model, rows = self.model, self.rows
        if hasattr(model, "classes_"):
            if hasattr(model, "predict_proba"):
                return {"probabilities": model.predict_proba(rows)}
            margin = model.decision_function(rows)
            return {"decision_function": margin.reshape(len(rows), -1)}
        answers = {}
        if model.loss == "gaussian_nll":
            answers["deviations"] = model.predict(rows, return_std=True)[1]
        answers["predictions"] = model.predict(rows)
        return {name: each.reshape(len(rows), -1) for name, each in answers.items()}


def fitted(kind: Any, y: np.ndarray, rows: np.ndarray = X, **parameters: Any) -> Case:
    """Return a model after two short epochs, whose numbers are anything but round."""
    settings = {"hidden_layer_sizes": (8, 6), "max_iter": 2, "learning_rate_init": 0.02}
    with warnings.catch_warnings(action="ignore"):
        model = kind(**{**settings, "random_state": 0, **parameters}).fit(rows, y)
    return Case("", model, rows[:20])


def _named(name: str, case: Case) -> Case:
    return Case(name, case.model, case.rows)


@cache
def networks() -> tuple[Case, ...]:
    """Return networks of every activation, normalisation, loss, front and kind of members."""
    cases: dict[str, Case] = {}
    for name in ACTIVATIONS.names:
        for dtype in ("float32", "float64"):
            norm = "batch" if dtype == "float32" else None
            parameters = {"activation": name, "dtype": dtype, "normalization": norm}
            cases[f"{name}_{dtype}"] = fitted(MLPRegressor, TARGET, **parameters)
        cases[f"parametric_{name}"] = fitted(
            MLPRegressor, TARGET, activation=name, parametric_activation=True
        )
    for norm in ("batch", "layer", "instance", "group"):
        for dtype in ("float32", "float64"):
            parameters = {"normalization": norm, "n_groups": 2 if norm == "group" else None}
            parameters["n_channels"] = 4 if norm == "group" else 2 if norm == "instance" else None
            cases[f"{norm}_{dtype}"] = fitted(
                MLPClassifier,
                CLASSES,
                **parameters,
                dtype=dtype,
                activation="tanh",
                hidden_layer_sizes=(8, 4),
            )
    return tuple(_named(name, case) for name, case in {**cases, **_losses(), **_fronts()}.items())


def _losses() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for loss in REGRESSOR_LOSSES:
        positive = LOSSES[REGRESSOR_LOSSES[loss]].target in ("positive", "non_negative")
        y = np.exp(TARGET) if positive else TARGET
        for standardize in (False, True):
            for members in (1, 3):
                cases[f"{loss}_{standardize}_{members}"] = fitted(
                    MLPRegressor, y, loss=loss, standardize_target=standardize, n_members=members,
                    quantiles=(0.1, 0.5, 0.9),
                )  # fmt: skip
    two = np.column_stack([TARGET, 3 - TARGET])
    cases["two_targets"] = fitted(MLPRegressor, two, standardize_target=True)
    cases["two_gaussians"] = fitted(MLPRegressor, two, loss="gaussian_nll")
    cases["two_quantiles"] = fitted(MLPRegressor, two, loss="pinball", quantiles=(0.2, 0.9))
    for loss in ("cross_entropy", "focal", "multi_margin", "squared_hinge"):
        for name, y in _class_targets().items():
            if (loss, name) == ("multi_margin", "several"):
                continue
            for members in (1, 3):
                cases[f"{loss}_{name}_{members}"] = fitted(
                    MLPClassifier, y, loss=loss, n_members=members
                )
    shares = np.abs(X[:, :3]) / np.abs(X[:, :3]).sum(axis=1, keepdims=True)
    cases["distributions"] = fitted(MLPClassifier, shares, loss="kl_divergence")
    return cases


def _class_targets() -> dict[str, np.ndarray]:
    return {
        "two": np.array(["no", "yes"])[CLASSES % 2],
        "three": CLASSES * 10 - 5,
        "several": (X[:, :3] > 0).astype(int),
        "one": np.full(N_ROWS, 7),
    }


def _fronts() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    embeddings = {
        "pbld": PBLD(),
        "plr": PLR(n_frequencies=5, width=3),
        "bins": PiecewiseLinear(n_bins=5, width=4, rectified=True),
        "shares": PiecewiseLinear(n_bins=5, width=None),
        "none": None,
    }
    for name, embedding in embeddings.items():
        for members in (1, 3):
            for scaling in (False, True):
                cases[f"front_{name}_{members}_{scaling}"] = fitted(
                    MLPClassifier,
                    CLASSES,
                    X_LEVELS,
                    numeric_embedding=embedding,
                    categorical_features=[4, 5],
                    category_embedding=Categories(width=3, one_hot=6),
                    n_members=members,
                    scaling_layer=scaling,
                    normalization="batch" if members == 1 else None,
                    activation="gelu",
                )
    for scaling in (False, True):
        cases[f"independent_{scaling}"] = fitted(
            MLPRegressor, TARGET, n_members=3, members="independent", scaling_layer=scaling
        )
    return cases


def raw_table(n_rows: int = 240) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table with columns of every kind, and numbers to learn."""
    rng = np.random.default_rng(1)
    area, rooms = rng.lognormal(4, 0.4, n_rows), rng.integers(1, 7, n_rows)
    district = rng.choice(["north", "harbour", 'bois*/de "l\'eau"', "??/", "käse"], n_rows)
    built = pd.Timestamp("1990-03-01") + pd.to_timedelta(rng.integers(0, 9000, n_rows), unit="h")
    table = pd.DataFrame(
        {
            "area": area,
            "rooms": rooms.astype(np.int8),
            "lift": rng.random(n_rows) < 0.5,
            "district": district,
            "size class": pd.Categorical.from_codes(
                rng.integers(0, 3, n_rows), ["S", "M", "L"], ordered=True
            ),
            "built": built,
            "longitude": rng.uniform(5, 15, n_rows),
            "latitude": rng.uniform(47, 55, n_rows),
            "street": rng.integers(0, 40, n_rows).astype(str),
            "sold": built.tz_localize("Europe/Berlin", ambiguous=True, nonexistent="shift_forward"),
            "wait": pd.to_timedelta(rng.integers(0, 500, n_rows), unit="s"),
        }
    )
    table.loc[rng.random(n_rows) < 0.1, "area"] = np.nan
    table.loc[rng.random(n_rows) < 0.1, "district"] = None
    table.loc[rng.random(n_rows) < 0.1, "built"] = pd.NaT
    price = area * 30 + 400 * (district == "harbour") + 50 * rooms + rng.normal(0, 50, n_rows)
    return table, price


@cache
def tabular_models() -> tuple[Case, ...]:
    """Return models of raw tables with every input that recipes have."""
    table, price = raw_table()
    rows = table[:40].copy()
    rows.loc[3, ["area", "latitude"]] = [np.inf, 80.0]
    rows.loc[4, ["district", "street"]] = ["unseen", None]
    small = {"hidden_layer_sizes": (8,), "max_iter": 2, "batch_size": 64}
    recipes = {
        "plain": Recipe(**small),
        "pieces": Recipe(**small, inputs=("pieces", "places", "pairs"), n_pieces=6, n_pairs=3,
                         n_angles=2, max_levels=4, input_scale=1.5),
        "embedded": Recipe(**small, embedding="pbld", scaling_layer=True,
                           parametric_activation=True),
    }  # fmt: skip
    cases = []
    classes = np.array(["cheap", "dear", "dearest"])[np.digitize(price, [1800, 2600])]
    settings = {"random_state": 0, "n_folds": 3}
    with warnings.catch_warnings(action="ignore"):
        for name, recipe in recipes.items():
            model = TabularClassifier(recipe=recipe, **settings).fit(table, classes)
            cases.append(Case(f"classes_{name}", model, rows))
            model = TabularRegressor(recipe=recipe, **settings).fit(table, price)
            cases.append(Case(f"numbers_{name}", model, rows))
        for transform in ("log", "quantile"):
            model = TabularRegressor(
                recipe=recipes["plain"].with_(transform=transform), **settings
            ).fit(table, price - price.min() + 10)
            cases.append(Case(f"numbers_{transform}", model, rows))
        model = TabularRegressor(recipe=recipes["plain"], loss="gaussian_nll", **settings)
        cases.append(Case("deviations", model.fit(table, price), rows))
        model = TabularRegressor(
            recipe=recipes["plain"].with_(transform="quantile"),
            loss="pinball", quantiles=(0.1, 0.9), **settings,
        ).fit(table, price)  # fmt: skip
        cases.append(Case("quantiles", model, rows))
        model = TabularRegressor(recipe=recipes["plain"], **settings)
        two = np.column_stack([price, 1e3 - price])
        cases.append(Case("two_numbers", model.fit(table, two), rows))
        levels = {"categorical_features": ["rooms", "lift"], "ordinal_features": {"district": [
            "north", "harbour", "käse", "??/", 'bois*/de "l\'eau"',
        ]}}  # fmt: skip
        model = TabularClassifier(recipe=recipes["embedded"], **settings, **levels)
        cases.append(Case("levels_of_numbers", model.fit(table, classes), rows))
        model = TabularClassifier(recipe=recipes["plain"], **settings)
        only = table[["district", "street"]]
        cases.append(Case("only_words", model.fit(only, classes), rows[["district", "street"]]))
    return tuple(cases)

"""From findings to the page's file."""

from __future__ import annotations

from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from fastmlp._version import __version__
from fastmlp.cli.findings import Findings
from fastmlp.cli.judging.figures import FIGURES, HEADLINES, Judged
from fastmlp.cli.output import write_whole
from fastmlp.cli.page import charts
from fastmlp.cli.wording import number
from fastmlp.validation.wording import counted

__all__ = ["page_of", "write_page"]

#: A confusion matrix of more classes is told by the pairs that are confused most.
MOST_CLASSES, MOST_PAIRS = 15, 20

MOST_COLUMNS = 500


class Chart(NamedTuple):
    """A picture, its title and what it says."""

    title: str
    text: str
    picture: Markup


def write_page(findings: Findings, path: Path) -> None:
    """Write a page about a model.

    Raises
    ------
    CommandError
        The disk is full, or the like.
    """
    write_whole(path, page_of(findings).encode())


def page_of(findings: Findings) -> str:
    """Return the page: one text of HTML, with styles and pictures in it."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = number
    template = environment.from_string((files(__package__) / "page.html").read_text("utf-8"))
    model, judged = findings.model, findings.judged
    return template.render(
        findings=findings,
        judged=judged,
        told=FIGURES,
        headlines=[]
        if judged is None
        else [(n, judged.figures[n]) for n in HEADLINES if n in judged.figures],
        charts=_charts(findings),
        confusion=None if judged is None else _confusion(judged),
        pairs=None if judged is None else _pairs(judged),
        columns=list(model.columns_[:MOST_COLUMNS]),
        n_more=max(len(model.columns_) - MOST_COLUMNS, 0),
        leaderboard=model.leaderboard_,
        recipes=[_recipe(member) for member in model._ensemble.members],
        weights=model._ensemble.weights.tolist(),
        version=__version__,
    )


def _charts(findings: Findings) -> list[Chart]:
    judged, found = findings.judged, findings.importances
    rows = [
        (
            "How it learnt",
            "The loss on the rows that each network learns from, with a line for each network that "
            "predicts. A network keeps the epoch that was best on held-out rows.",
            charts.losses(findings.model),
        ),
        (
            "Score while it learnt",
            "The score on the held-out rows that judge each epoch; higher is better.",
            charts.scores(findings.model),
        ),
    ]
    if judged is not None and judged.classes is None:
        rows += _of_numbers(judged, findings.target)
    if judged is not None and judged.classes is not None:
        rows += _of_classes(judged)
    if found is not None and found.columns:
        rows.append(
            (
                "Columns that matter most",
                f"How much the {found.measure} on {counted(found.n_rows, 'row')} grows from "
                f"{number(found.error)} when a column is shuffled. Columns that hold the same "
                "information share the credit.",
                charts.importances(found),
            )
        )
    return [Chart(title, text, Markup(drawn)) for title, text, drawn in rows]


def _of_numbers(judged: Judged, target: str) -> list[tuple[str, str, str]]:
    return [
        (
            "Predicted and true",
            "A point for each row, at most 1,500 of them. On the line, both are equal.",
            charts.scatter(judged, target),
        ),
        (
            "Calibration",
            "Rows in ten groups by their prediction, with 95 % intervals for the mean of the true "
            "values. On the line, predictions are right on average.",
            charts.group_means(judged, target),
        ),
        (
            "Errors",
            "How many rows have an error of each size; the outermost 1 % is left out.",
            charts.residuals(judged, target),
        ),
    ]


def _of_classes(judged: Judged) -> list[tuple[str, str, str]]:
    return [
        (
            "Calibration",
            "Rows in ten groups by their predicted probability, and how often it came true, with "
            "95 % intervals. On the line, probabilities mean what they say.",
            charts.calibration(judged),
        ),
        (
            "Certainty",
            "How many rows get each probability, split by whether it came true.",
            charts.certainty(judged),
        ),
    ]


def _counts(judged: Judged) -> np.ndarray:
    """Return how many rows of each class (rows) are predicted as which (columns), (K, K)."""
    assert judged.classes is not None
    K = len(judged.classes)
    places = [np.searchsorted(judged.classes, each) for each in (judged.truth, judged.prediction)]
    counts: np.ndarray = np.bincount(places[0] * K + places[1], minlength=K * K).reshape(K, K)
    return counts


def _confusion(judged: Judged) -> dict[str, Any] | None:
    """Return what a confusion matrix shows, if there are not too many classes."""
    if judged.classes is None or len(judged.classes) > MOST_CLASSES:
        return None
    counts = _counts(judged)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = [
        list(zip(*both, strict=True)) for both in zip(counts.tolist(), shares.tolist(), strict=True)
    ]
    return {"labels": [str(each) for each in judged.classes], "cells": cells}


def _pairs(judged: Judged) -> list[tuple[str, str, int]] | None:
    """Return the pairs of classes that are confused most, where there are many classes."""
    if judged.classes is None or len(judged.classes) <= MOST_CLASSES:
        return None
    counts = _counts(judged)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:MOST_PAIRS]
    places = [divmod(int(place), len(counts)) for place in order]
    names = [str(each) for each in judged.classes]
    return [(names[i], names[j], int(counts[i, j])) for i, j in places if counts[i, j]]


def _recipe(member: Any) -> tuple[str, int, list[tuple[str, str]]]:
    """Return a recipe's name, how many networks learnt by it, and all of its settings."""
    recipe = member.recipe
    settings = [(field.name, str(getattr(recipe, field.name))) for field in fields(recipe)]
    return member.name, len(member.learners), settings

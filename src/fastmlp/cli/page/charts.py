"""The pictures of a report: what is drawn on which axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from fastmlp.cli.judging.figures import Judged
from fastmlp.cli.judging.importances import Importances
from fastmlp.cli.page.pictures import FAINT, LINES, picture
from fastmlp.cli.wording import number

__all__ = [
    "calibration",
    "certainty",
    "group_means",
    "importances",
    "losses",
    "residuals",
    "scatter",
    "scores",
]

#: At most so many points, so that a page stays small.
MOST_POINTS = 1500

#: At most so many columns, names of so many characters.
MOST_BARS, LONGEST_NAME = 20, 22

#: Groups of rows by what is predicted.
GROUPS = 10


def losses(model: Any) -> str:
    """Draw how the training loss of each network that predicts has fallen."""
    return picture("losses", lambda ax: _draw_curves(ax, model, "loss_curve_", "training loss"))


def scores(model: Any) -> str:
    """Draw how well each network that predicts did on the rows that judge its epochs."""
    return picture("scores", lambda ax: _draw_curves(ax, model, "validation_scores_", "score"))


def _draw_curves(ax: Axes, model: Any, attribute: str, label: str) -> None:
    """Draw a curve for each network, those of a recipe in one colour."""
    for place, member in enumerate(model._ensemble.members):
        name: str | None = _cut(member.name, 34)
        for learner in member.learners:
            curve = getattr(getattr(learner, "network", None), attribute, None)
            if curve is not None and len(curve):
                x, color = np.arange(1, len(curve) + 1), LINES[place % len(LINES)]
                ax.plot(x, curve, color=color, linewidth=1.2, alpha=0.85, label=name)
                name = None
    ax.set(xlabel="epoch", ylabel=label)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if ax.lines:
        ax.legend(fontsize=8)


def scatter(judged: Judged, target: str) -> str:
    """Draw predictions over the truth."""
    rows = _some(len(judged))
    truth, prediction = judged.truth[rows], judged.prediction[rows]

    def draw(ax: Axes) -> None:
        low, high = min(truth.min(), prediction.min()), max(truth.max(), prediction.max())
        ax.plot([low, high], [low, high], color=FAINT, linewidth=1)
        ax.plot(truth, prediction, "o", color=LINES[0], markersize=2.6, alpha=0.35, mew=0)
        ax.set(xlabel=f"true {_cut(target)}", ylabel=f"predicted {_cut(target)}")
        _large_numbers(ax, "xy")

    return picture("scatter", draw)


def residuals(judged: Judged, target: str) -> str:
    """Draw how often which error occurs."""
    error = judged.prediction - judged.truth

    def draw(ax: Axes) -> None:
        low, high = np.percentile(error, [0.5, 99.5])
        if low == high:
            low, high = low - 1, high + 1
        inside = error[(error >= low) & (error <= high)]
        ax.hist(inside, bins=40, range=(low, high), color=LINES[0], alpha=0.8)
        ax.axvline(0, color=FAINT, linewidth=1)
        ax.set(xlabel=f"predicted − true {_cut(target)}", ylabel="rows")
        _large_numbers(ax, "xy")

    return picture("residuals", draw)


def group_means(judged: Judged, target: str) -> str:
    """Draw the mean truth of rows in groups of like predictions."""

    def draw(ax: Axes) -> None:
        order = np.argsort(judged.prediction, kind="stable")
        groups = np.array_split(order, min(GROUPS, len(order)))
        x = np.array([judged.prediction[rows].mean() for rows in groups])
        y = np.array([judged.truth[rows].mean() for rows in groups])
        half = [1.96 * judged.truth[rows].std() / len(rows) ** 0.5 for rows in groups]
        ends = [min(x.min(), y.min()), max(x.max(), y.max())]
        ax.plot(ends, ends, color=FAINT, linewidth=1)
        ax.errorbar(x, y, yerr=half, fmt="o-", color=LINES[0], markersize=4, linewidth=1.2)
        ax.set(xlabel=f"mean predicted {_cut(target)}", ylabel=f"mean true {_cut(target)}")
        _large_numbers(ax, "xy")

    return picture("group_means", draw)


def calibration(judged: Judged) -> str:
    """Draw how often what is predicted with some certainty is right."""
    sure, right, what = _certainty_of(judged)

    def draw(ax: Axes) -> None:
        ax.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
        groups = np.array_split(np.argsort(sure, kind="stable"), min(GROUPS, len(sure)))
        x = [sure[rows].mean() for rows in groups]
        y = np.array([right[rows].mean() for rows in groups])
        sizes = np.array([len(rows) for rows in groups])
        half = 1.96 * np.sqrt(np.maximum(y * (1 - y), 1e-9) / sizes)
        ax.errorbar(x, y, yerr=half, fmt="o-", color=LINES[0], markersize=4, linewidth=1.2)
        ax.set(xlabel=f"probability of {what}", ylabel="how often it came true")
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))

    return picture("calibration", draw)


def certainty(judged: Judged) -> str:
    """Draw how often which probability is given, for rows where it is so and where not."""
    sure, right, what = _certainty_of(judged)

    def draw(ax: Axes) -> None:
        parts = [sure[right], sure[~right]]
        labels = ["came true", "did not"]
        ax.hist(parts, bins=25, range=(0, 1), stacked=True, color=LINES[:2], label=labels)
        ax.set(xlabel=f"probability of {what}", ylabel="rows")
        ax.legend(fontsize=8)
        _large_numbers(ax, "y")

    return picture("certainty", draw)


def importances(found: Importances) -> str:
    """Draw by how much the error grows if a column is shuffled."""
    shown = found.columns[:MOST_BARS][::-1]

    def draw(ax: Axes) -> None:
        names = [_cut(each.column, LONGEST_NAME) for each in shown]
        values, spreads = [e.increase for e in shown], [e.spread / 2 for e in shown]
        places = np.arange(len(shown))
        ax.barh(places, values, xerr=spreads, color=LINES[0], ecolor=FAINT, height=0.65)
        ax.set_yticks(places, names)
        ax.set_xlabel(f"increase of the {found.measure} when shuffled")
        ax.xaxis.set_major_locator(MaxNLocator(5))
        _large_numbers(ax, "x")

    return picture("importances", draw, (5.0, 1.1 + 0.24 * len(shown)))


def _certainty_of(judged: Judged) -> tuple[np.ndarray, np.ndarray, str]:
    """Return probabilities (N,), whether what they are of is so, (N,), and what that is."""
    assert judged.classes is not None
    assert judged.probabilities is not None
    if len(judged.classes) == 2:
        label = judged.classes[1]
        return judged.probabilities[:, 1], judged.truth == label, _cut(str(label))
    return (
        judged.probabilities.max(axis=1),
        judged.truth == judged.prediction,
        "the predicted class",
    )


def _some(n_rows: int) -> np.ndarray:
    """Return rows spread evenly over all, as many as are drawn."""
    return np.unique(np.linspace(0, n_rows - 1, MOST_POINTS).astype(int))


def _cut(text: str, longest: int = 30) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _large_numbers(ax: Axes, axes: str) -> None:
    """Write the numbers of some axes as people do; few of them along x, where they are long."""
    form = FuncFormatter(lambda value, _: number(value, 3))
    if "x" in axes:
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.xaxis.set_major_formatter(form)
    if "y" in axes:
        ax.yaxis.set_major_formatter(form)

"""Which recipes each preset lets race."""

from __future__ import annotations

from typing import NamedTuple

from fastmlp.tabular.recipe import Recipe

__all__ = ["PRESETS", "Portfolio", "portfolio_for"]

#: Epochs by the number of rows: so many updates are wanted, within these bounds.
UPDATES = 2500
EPOCHS = (12, 100)


class Portfolio(NamedTuple):
    """Who races, and how often the best of them learn.

    Attributes
    ----------
    entrants : tuple of Recipe
    n_winners : int
        How many of the best learn again.
    n_further : int
        How often.
    """

    entrants: tuple[Recipe, ...]
    n_winners: int = 0
    n_further: int = 0


_PIECES = ("pieces", "places")
_PAIRS = (*_PIECES, "pairs")

PRESETS = ("fast", "default", "best")


def portfolio_for(preset: str, n_rows: int) -> Portfolio:
    """Return the portfolio of a preset for a table of ``n_rows`` rows to learn from."""
    epochs = int(min(max(UPDATES * 256 / n_rows, EPOCHS[0]), EPOCHS[1]))
    base = Recipe(max_iter=epochs)
    if preset == "fast":
        return Portfolio((base.with_(inputs=_PIECES, max_iter=max(epochs // 2, EPOCHS[0])),))
    entrants = tuple(base.with_(inputs=inputs) for inputs in ((), _PIECES, _PAIRS))
    if preset == "default":
        return Portfolio(entrants, 1, 2)
    longer = tuple(recipe.with_(max_iter=2 * recipe.max_iter) for recipe in entrants)
    return Portfolio((*entrants, *longer), 2, 4)

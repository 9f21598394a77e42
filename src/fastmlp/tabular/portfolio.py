"""Which recipes each preset lets race.

They were chosen on some forty development tables of 5,000 to 54,000 rows (``benchmarks/tabular.py``
reads them). No recipe is best everywhere, but a few that differ much make a mean that is: a small
network of pieces for noisy tables, large ones for smooth and for rough functions.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from fastmlp.tabular.recipe import Recipe

__all__ = ["PRESETS", "Portfolio", "epochs_of_all", "portfolio_for"]

#: Epochs by the number of rows: so many updates of 256 rows are wanted, within these bounds.
UPDATES = 1800
EPOCHS = (30, 60)

#: Where a sample has raced, all rows are learnt from by so many times its updates, or in so many
#: epochs if that is more. Of California housing with 5,000 of 16,512 rows in the race, the error is
#: 0.482 of the sample alone, 0.459 with as many updates, 0.449 with twice as many and 0.442 with
#: three times as many, which are the epochs of the race (``benchmarks/sampled.py``, 3 seeds). Of
#: diamonds, 5,000 of 43,152: 0.114, 0.104, 0.101, and 0.088 with eight times as many. Of adult,
#: 5,000 of 39,073: 0.160, 0.140 and 0.144, and 0.141 with eight times as many.
LONGER_FOR_ALL, FEWEST_OF_ALL = 2, 1

#: Tables of so many rows have time for another network of the winner.
MANY_ROWS = 30_000


class Portfolio(NamedTuple):
    """Who races, and how often the best of them learn.

    Attributes
    ----------
    entrants : tuple of Recipe
    n_winners : int
        How many of the best learn again.
    n_further : int
        How often.
    n_of_small : int
        How many networks learn each time where a small one wins, several of which take no longer
        than one of the largest.
    """

    entrants: tuple[Recipe, ...]
    n_winners: int = 0
    n_further: int = 0
    n_of_small: int = 1

    def turn_of(self, winner: Recipe) -> list[Recipe]:
        """Return what learns each time that a winner does."""
        is_small = 4 * _work(winner) <= max(map(_work, self.entrants))
        return [winner] * (self.n_of_small if is_small else 1)

    @property
    def n_epochs(self) -> int:
        """Epochs of a race, if the longest recipes win."""
        epochs = sorted((recipe.max_iter for recipe in self.entrants), reverse=True)
        return sum(epochs) + self.n_further * self.n_of_small * sum(epochs[: self.n_winners])


def _work(recipe: Recipe) -> int:
    """Return about how much a recipe has to compute for each row, but for the first layer."""
    widths = recipe.hidden_layer_sizes
    return recipe.max_iter * sum(a * b for a, b in pairwise(widths))


_PIECES = ("pieces", "places")
_PAIRS = (*_PIECES, "pairs")

#: What is robust: it is small, and it sees each number in pieces.
SMALL = Recipe(inputs=_PIECES, hidden_layer_sizes=(128, 128), dropout=0.3)
#: Smooth functions of the numbers as they are.
SMOOTH = Recipe()
#: Rough functions, of the numbers as they are and in pieces.
ROUGH = Recipe(dropout=0.05, input_scale=3.0)
ROUGH_PIECES = ROUGH.with_(inputs=_PIECES)
#: What depends on sums and differences of numbers.
TURNED = Recipe(inputs=_PAIRS, hidden_layer_sizes=(128, 128), dropout=0.3)
#: Waves of each number, and rows of numbers for the levels of large categories, which are learnt.
WAVES = ROUGH.with_(embedding="plr")
#: What RealMLP puts before and between the layers (Holzmüller et al. 2024).
PERIODIC = Recipe(
    embedding="pbld", scaling_layer=True, parametric_activation=True, init="data_driven"
)

PRESETS = ("fast", "default", "best")


def epochs_for(n_rows: int) -> int:
    """Return how long a network learns from so many rows."""
    return int(min(max(UPDATES * 256 / n_rows, EPOCHS[0]), EPOCHS[1]))


def epochs_of_all(recipe: Recipe, n_sample: int, n_rows: int) -> int:
    """Return how long a network learns from all rows, of which ``n_sample`` have raced.

    There are ``LONGER_FOR_ALL`` times the updates of the race, but no more epochs than these, and
    no fewer than ``FEWEST_OF_ALL``.
    """
    wanted = round(LONGER_FOR_ALL * recipe.max_iter * n_sample / n_rows)
    return min(max(wanted, FEWEST_OF_ALL), recipe.max_iter)


def portfolio_for(preset: str, n_rows: int) -> Portfolio:
    """Return the portfolio of a preset for a table of ``n_rows`` rows to learn from."""
    epochs = epochs_for(n_rows)
    if preset == "fast":
        # With little time, a network of larger inputs learns most.
        return Portfolio((*_lasting(epochs // 2, SMALL), *_lasting(4 * epochs // 5, ROUGH)))
    entrants = _lasting(epochs, SMALL, SMOOTH, ROUGH_PIECES, ROUGH)
    if preset == "default":
        return Portfolio(entrants, 1, 1 if n_rows < MANY_ROWS else 2, 3)
    others = _lasting(epochs, TURNED, WAVES, PERIODIC)
    longer = _lasting(2 * epochs, SMALL, SMOOTH, ROUGH_PIECES, ROUGH)
    return Portfolio((*entrants, *others, *longer), 2, 2, 2)


def _lasting(epochs: int, *recipes: Recipe) -> tuple[Recipe, ...]:
    return tuple(recipe.with_(max_iter=epochs) for recipe in recipes)

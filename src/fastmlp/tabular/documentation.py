"""The parts of the class docstrings that classifier and regressor of tables share."""

from __future__ import annotations

from textwrap import indent
from typing import TypeVar

__all__ = ["with_shared_parts"]

_Class = TypeVar("_Class", bound=type)

#: By the name of the gap that each fills.
PARTS = {
    "recipes": """\
preset : {"fast", "default", "best"}, default="default"
    How many recipes race: two for a short time; four, the best of which learns again; or more of
    them for longer.
recipe : Recipe, default=None
    One recipe to learn by, in the place of a preset's.
partners : list of estimators, default=None
    scikit-learn's models, or such as keep to its interface, that race beside the networks. Each
    is trained on the table in numbers, and the choice takes it where it helps.
""",
    "limits": """\
time_limit : float, default=None
    Seconds that ``fit`` may take; the best found by then predicts. With a limit, results depend
    on how fast the machine is.
n_members : int, default=None
    How often the best recipe learns in all, with other random numbers each time. None is as the
    ``preset`` says; once for a ``recipe``.
n_folds : int, default=None
    Every candidate learns so many times, each time from all folds but one, so that all rows
    judge it. 1 holds out ``validation_fraction`` of the rows once. None is 5 for tables of
    fewer than 3000 rows, else 1.
validation_fraction : float, default=0.15
    Share of the rows that judge, where there are neither folds nor rows of your own.
refit : bool, default=False
    Whether those who predict learn again from all rows, those that judged among them, for as many
    epochs as were best. It takes about as long again. Errors in ``leaderboard_`` stay those of the
    race. With a time limit, what there is no time for stays as it is.
""",
    "others": """\
categorical_features : "auto" or list of column names or places, default="auto"
    Columns that are categories besides those that are so by their type.
ordinal_features : list of column names or places, or a dict, default=None
    Columns of ordered levels. A dict has a list of all levels of each, the lowest first.
drop : list of column names or places, default=None
    Columns that are left out.
callbacks : sequence of callable, default=None
    Each is called after every candidate with what came of it, which has ``name``, ``recipe``,
    ``error``, ``seconds`` and ``n_epochs``; one that returns True ends the race.
verbose : bool or "bar", default=False
    Print a line for each candidate. "bar" also shows how far the race has come; it needs rich, of
    the extra ``cli``.
random_state : int, RandomState or None, default=None
    Of the rows that are held out, and of the networks. The same integer gives the same results
    for every number of threads.
""",
    "attributes": """\
columns_ : ColumnTable
    What each column was taken for.
leaderboard_ : Leaderboard
    What each candidate reached on held-out rows.
n_features_in_ : int
feature_names_in_ : ndarray of str
""",
}


def with_shared_parts(cls: _Class) -> _Class:
    """Fill the gaps in a class's docstring: ``{recipes}``, ``{limits}`` and so on."""
    if cls.__doc__:  # absent under ``python -OO``
        for name, text in PARTS.items():
            cls.__doc__ = cls.__doc__.replace(f"    {{{name}}}", indent(text.rstrip(), "    "), 1)
    return cls

"""The parts of the class docstrings that classifier and regressor of tables share."""

from __future__ import annotations

from typing import TypeVar

from fastmlp.estimators.documentation import fill_gaps

__all__ = ["with_shared_parts"]

_Class = TypeVar("_Class", bound=type)

#: By the name of the gap that each fills.
PARTS = {
    "recipes": """\
preset : {"fast", "default", "best"}, default="default"
    How many recipes race. "fast" trains two recipes for a short time, "default" trains four and
    lets the best one learn again, and "best" trains more of them for longer.
recipe : Recipe, default=None
    A single recipe, which takes the place of those of a preset.
partners : list of estimators, default=None
    Models of scikit-learn, or with its interface, that race beside the networks. Each is
    trained on the table in numbers, and is chosen if it helps. Of a source that is larger than
    its sample, partners learn from the sample only.
""",
    "limits": """\
time_limit : float, default=None
    Seconds that ``fit`` may take. The best model that was found by then predicts. With a limit,
    results depend on how fast the machine is.
n_members : int, default=None
    How often the best recipe learns in all, with other random numbers each time. None lets the
    ``preset`` decide; a ``recipe`` learns once.
n_folds : int, default=None
    Number of folds. Every candidate learns once for each fold, from all rows but those of the
    fold, so that all rows judge it. 1 holds out ``validation_fraction`` of the rows once. None
    is 5 for tables of fewer than 3000 rows, and 1 for others and for sources larger than their
    sample.
validation_fraction : float, default=0.15
    Share of the rows that judge, if there are neither folds nor rows of your own.
refit : bool, default=False
    Whether the networks that predict learn again from all rows, including those that judged, for
    as many epochs as were best. That takes about as long again. The errors in ``leaderboard_``
    are still those of the race. With a time limit, networks that there is no time for stay as
    they are.
""",
    "others": """\
categorical_features : "auto" or list of column names or places, default="auto"
    Columns that are categories, in addition to those that are categories by their type.
ordinal_features : list of column names or places, or a dict, default=None
    Columns of ordered levels. A dict has, for each column, a list of all levels from the lowest
    to the highest.
drop : list of column names or places, default=None
    Columns that are left out.
callbacks : sequence of callable, default=None
    Each is called after every candidate with its result, which has ``name``, ``recipe``,
    ``error``, ``seconds`` and ``n_epochs``. One that returns True ends the race.
verbose : bool or "bar", default=False
    Whether to print a line for each candidate. "bar" also shows how far the race has come. It
    needs rich, which the extra ``cli`` installs.
random_state : int, RandomState or None, default=None
    Source of the held-out rows and of all random numbers of the networks. The same integer gives
    the same results for every number of threads.
""",
    "attributes": """\
columns_ : ColumnTable
    A table that says what each column was taken for.
leaderboard_ : Leaderboard
    A table that says how good each candidate was on the held-out rows.
n_features_in_ : int
feature_names_in_ : ndarray of str
""",
}


def with_shared_parts(cls: _Class) -> _Class:
    """Fill the gaps in a class's docstring: ``{recipes}``, ``{limits}`` and so on."""
    fill_gaps(cls, PARTS)
    return cls

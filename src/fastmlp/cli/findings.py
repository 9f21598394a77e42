"""All that a report tells of a model and the rows that judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastmlp.cli.judging.figures import Judged
from fastmlp.cli.judging.importances import Importances

__all__ = ["Findings"]


@dataclass(frozen=True, eq=False)
class Findings:
    """What a report tells.

    Attributes
    ----------
    target, task : str
    model : TabularClassifier or TabularRegressor
    model_file, judged_by : str
        Where the model is, and what rows judge it.
    judged : Judged or None
    importances : Importances or None
    facts : dict of str to str
        How the model was made.
    warnings : sequence of str
    """

    target: str
    task: str
    model: Any
    model_file: str
    judged_by: str
    judged: Judged | None
    importances: Importances | None
    facts: dict[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()

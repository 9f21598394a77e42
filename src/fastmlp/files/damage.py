"""The error for a file that holds no model, or one that this version can't read."""

from __future__ import annotations

__all__ = ["DAMAGED", "NEWER", "DamageError", "require"]

#: What to do, by what is wrong.
DAMAGED = "It is damaged or has been changed: copy it again from where it was saved, or save again."
NEWER = "Update fastmlp to load it."


class DamageError(Exception):
    """What is wrong with a file, and what to do; ``load`` adds its name."""

    def __init__(self, what: str, remedy: str = DAMAGED) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


def require(condition: bool, what: str, remedy: str = DAMAGED) -> None:
    """Raise :class:`DamageError` unless the condition holds."""
    if not condition:
        raise DamageError(what, remedy)

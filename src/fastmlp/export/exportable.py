"""What every model that can be exported has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastmlp.export.program import Program

__all__ = ["Exportable"]


class Exportable:
    """A model that can be written as a program in another language."""

    def _program(self) -> Program:
        """Return what the fitted model computes."""
        raise NotImplementedError

    def _raw_values(self, X: Any) -> Any:
        """Return rows as the program takes them: as they are, but those of raw tables."""
        return X

"""What a model file says of its training beside the model: an attribute of the model."""

from __future__ import annotations

from typing import Any

__all__ = ["note", "notes_of"]

#: The attribute; a model file holds it as it holds all others.
ATTRIBUTE = "training_notes_"

#: What may be in it, and the types that each may have.
_TYPES: dict[str, tuple[type, ...]] = {
    "target": (str,),
    "data": (str,),
    "trained": (str,),
    "seconds": (float,),
    "rows": (int,),
    "held_out": (int,),
    "figures": (dict,),
    "warnings": (list,),
}


def note(model: Any, notes: dict[str, Any]) -> None:
    """Keep notes with a model."""
    setattr(model, ATTRIBUTE, notes)


def notes_of(model: Any) -> dict[str, Any]:
    """Return the notes of a model that are what they should be."""
    found = getattr(model, ATTRIBUTE, {})
    notes = found if isinstance(found, dict) else {}
    return {name: each for name, each in notes.items() if isinstance(each, _TYPES.get(name, ()))}

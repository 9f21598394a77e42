"""The static arrays of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fastmlp.export.c.text import C_TYPES, numbers, one_comment, string, wrapped

__all__ = ["Arrays"]


@dataclass
class Arrays:
    """Arrays by what is in them: one that several steps have is written once.

    Attributes
    ----------
    prefix : str
        With which all names begin.
    lines : list of str
        Their definitions.
    n_bytes : int
        How much memory for constants they take; texts without their pointers.
    """

    prefix: str
    lines: list[str] = field(default_factory=list)
    n_bytes: int = 0
    _known: dict[tuple[str | bytes, ...], str] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)

    def of_numbers(self, name: str, array: np.ndarray, dtype: np.dtype | None = None) -> str:
        """Return the name of an array with these numbers, converted to a type."""
        array = np.ascontiguousarray(array, dtype or array.dtype)
        shape = ", ".join(map(str, array.shape))
        kind = C_TYPES[array.dtype]
        key = (kind, array.tobytes())
        return self._written(name, f"({shape})", kind, numbers(array), key, array.nbytes)

    def of_texts(self, name: str, texts: Sequence[str]) -> str:
        """Return the name of an array of pointers to texts."""
        items = [string(text) for text in texts]
        n_bytes = sum(len(text.encode(errors="surrogatepass")) + 1 for text in texts)
        return self._written(
            name, f"({len(texts)})", "char *const", items, ("texts", *items), n_bytes
        )

    def _written(
        self,
        name: str,
        shape: str,
        kind: str,
        items: list[str],
        key: tuple[str | bytes, ...],
        n_bytes: int,
    ) -> str:
        if key in self._known:
            return self._known[key]
        count = self._names[name] = self._names.get(name, 0) + 1
        full = f"{self.prefix}{name}" if count == 1 else f"{self.prefix}{name}_{count}"
        self._known[key] = full
        self.lines += [
            one_comment(shape),
            f"static const {kind} {full}[] = {{",
            *wrapped(items),
            "};",
            "",
        ]
        self.n_bytes += n_bytes
        return full

"""Names as people write them: in any case, with or without underscores, and by their aliases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

__all__ = ["Names"]

_Value = TypeVar("_Value")

_SEPARATORS = str.maketrans("", "", "_- ")


def _key(written: str) -> str:
    """Return what two spellings of one name have in common."""
    return written.casefold().translate(_SEPARATORS)


class Names(Mapping[str, _Value]):
    """Values by name.

    Iteration and length count the names alone. A look-up takes aliases as well, and all of them in
    any case, with or without underscores, hyphens and spaces.

    Parameters
    ----------
    rows : iterable of (str, object, sequence of str)
        A name, its value, and its aliases.

    Examples
    --------
    >>> numbers = Names([("one", 1, ("single", "only_one")), ("two", 2, ())])
    >>> numbers["OnlyOne"], numbers.name_of("single"), "three" in numbers, list(numbers)
    (1, 'one', False, ['one', 'two'])
    >>> numbers.closest("singel")
    'single'
    """

    def __init__(self, rows: Iterable[tuple[str, _Value, Sequence[str]]]) -> None:
        rows = list(rows)
        written = [(each, name) for name, _, aliases in rows for each in (name, *aliases)]
        self._values = MappingProxyType({name: value for name, value, _ in rows})
        self._names = MappingProxyType({_key(each): name for each, name in written})
        self._written = MappingProxyType({_key(each): each for each, _ in written})
        if len(self._names) != len(written):
            raise ValueError("a name stands twice in the table")

    def name_of(self, written: object) -> str:
        """Return the name that ``written`` stands for; KeyError if it is none."""
        if not isinstance(written, str):
            raise KeyError(written)
        return written if written in self._values else self._names[_key(written)]

    def closest(self, written: str) -> str | None:
        """Return the name or alias that looks most like ``written``, None if none does."""
        from difflib import get_close_matches  # noqa: PLC0415 - only for errors

        found = get_close_matches(_key(written), self._names, n=1)
        return self._written[found[0]] if found else None

    @property
    def aliases(self) -> dict[str, str]:
        """The name that each alias stands for."""
        return {
            written: self._names[key]
            for key, written in self._written.items()
            if written not in self._values
        }

    def __getitem__(self, written: str) -> _Value:
        return self._values[self.name_of(written)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

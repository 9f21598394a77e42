"""Objects that hold options: values that never change, in which scikit-learn finds the options."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Self

__all__ = ["Options"]


class Options:
    """Base of optimisers and schedules, which are frozen dataclasses.

    scikit-learn clones such an object, and a search reaches its options by names with two
    underscores, such as ``solver__weight_decay``.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the options by name.

        Parameters
        ----------
        deep : bool, default=True
            Add those of options that are such objects themselves, as ``name__option``.

        Returns
        -------
        params : dict of str to object
        """
        own = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        if not deep:
            return own
        nested = {
            f"{name}__{option}": inner
            for name, value in own.items()
            if isinstance(value, Options)
            for option, inner in value.get_params().items()
        }
        return {**own, **nested}

    def set_params(self, **params: Any) -> Self:
        """Return a copy with other options: an object itself never changes.

        Parameters
        ----------
        **params : object
            New values, by the names of ``get_params``.

        Returns
        -------
        changed : object of the same class
        """
        plain = {name: value for name, value in params.items() if "__" not in name}
        changed = replace(self, **plain)  # type: ignore[type-var]
        for name in params.keys() - plain.keys():
            outer, _, inner = name.partition("__")
            value = getattr(changed, outer).set_params(**{inner: params[name]})
            changed = replace(changed, **{outer: value})  # type: ignore[type-var]
        return changed

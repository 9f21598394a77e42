"""Objects that hold options: values that never change, in which scikit-learn finds the options."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Self

__all__ = ["Options", "by_object"]


def by_object(
    params: Mapping[str, Any], names: Container[str]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return parameters of one's own, and those of objects in them by the objects' names.

    An object is one of ``names``; "a__b__c" is the option "b__c" of the object "a".
    """
    own: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    for name, value in params.items():
        outer, separator, option = name.partition("__")
        if separator and outer in names:
            inner.setdefault(outer, {})[option] = value
        else:
            own[name] = value
    return own, inner


#: What other libraries call the learning rate, which is neither an optimiser's nor a schedule's.
_RATES = ("lr", "max_lr", "base_lr", "initial_lr", "learning_rate", "learning_rate_init")


def _of_unknown(owner: str, name: str, known: list[str]) -> str:
    """Return the error text for an option that objects of a class ``owner`` do not have."""
    if name in _RATES:
        remedy = "the learning rate stays in the estimator's learning_rate_init."
    else:
        remedy = f"it has {', '.join(known)}." if known else "it has no options."
    return f"{owner} has no option {name!r}: {remedy}"


class Options:
    """Base of optimisers and schedules, which are frozen dataclasses.

    scikit-learn clones such an object, and a search reaches its options by names with two
    underscores, such as ``solver__weight_decay``.
    """

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Return a new object; TypeError, with what there is, for an option that it has not."""
        if cls.__module__.startswith("fastmlp."):  # the user's own know their arguments best
            known: list[str] = [each.name for each in fields(cls)] if is_dataclass(cls) else []
            unknown = next((name for name in options if name not in known), None)
            if unknown is not None:
                raise TypeError(_of_unknown(cls.__name__, unknown, known))
        return super().__new__(cls)

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
        own, inner = by_object(params, vars(self))
        changed = replace(self, **own)  # type: ignore[type-var]
        for name, options in inner.items():
            value = getattr(changed, name).set_params(**options)
            changed = replace(changed, **{name: value})  # type: ignore[type-var]
        return changed

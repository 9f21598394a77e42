"""Checks of what is written as another language or format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from importlib.util import find_spec
from numbers import Integral
from typing import Any, NoReturn

from fastmlp.plan.layout import Plan
from fastmlp.registry import ACTIVATIONS, CUSTOM
from fastmlp.validation.wording import brief

__all__ = [
    "check_c_name",
    "check_c_texts",
    "check_can_be_exported",
    "check_library",
    "check_missing_text",
    "check_onnx_size",
    "check_opset",
    "check_stored_weights",
    "check_unicode",
    "check_zipmap",
    "raise_partner",
]

#: What ``weights`` of ``to_c`` may be.
STORED = ("float", "int16", "int8")

#: Bytes of a string that every compiler of C takes.
LONGEST_STRING = 4095

#: The oldest opset whose operators are enough, and the bytes that a message of protobuf may have.
OLDEST_OPSET, LARGEST_MESSAGE = 18, 2**31 - 1


def check_can_be_exported(owner: str, plan: Plan) -> None:
    """Raise ValueError if a network has an activation that the user wrote."""
    if any(code == CUSTOM for code in plan.layers["activation"]):
        own = next(iter(plan.custom.values()))
        raise ValueError(
            f"This {owner} can't be exported: its activation {brief(own.name)} is a Python "
            f"function of yours. Fit it with one of {', '.join(ACTIVATIONS.names)}."
        )


def raise_partner(owner: str, estimator: Any) -> NoReturn:
    """Raise ValueError because a model of another library predicts along."""
    raise ValueError(
        f"This {owner} can't be exported: a partner from another library, "
        f"{brief(estimator)}, is among the models that predict. Fit without partners."
    )


def check_c_name(name: Any) -> str:
    """Return a name with which identifiers of C may begin; raise if it is none."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a string; got {brief(name)}.")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name, re.ASCII):
        raise ValueError(
            "name must be a C identifier: a letter, then letters, digits and underscores, at "
            f"most 63 in all; got {brief(name)}."
        )
    return name


def check_stored_weights(weights: Any) -> str:
    """Return how weights are stored; ValueError if there is no such way."""
    if weights not in STORED:
        listed = ", ".join(map(repr, STORED))
        raise ValueError(f"weights must be one of {listed}; got {brief(weights)}.")
    return str(weights)


def check_c_texts(what: str, texts: Iterable[str]) -> None:
    """Raise ValueError if a text, a ``what``, is no string of C."""
    for text in texts:
        if "\0" in text:
            raise ValueError(
                f"The {what} {brief(text)} holds a NUL character, which ends a C string."
            )
        n_bytes = len(text.encode(errors="surrogatepass"))
        if n_bytes > LONGEST_STRING:
            raise ValueError(
                f"The {what} {brief(text)} has {n_bytes} bytes; C allows at most {LONGEST_STRING}."
            )


# -- ONNX -----------------------------------------------------------------------------------------


def check_library(name: str, what: str, extra: str) -> None:
    """Raise ImportError without a library, which ``what`` needs and an extra brings."""
    if find_spec(name) is None:
        raise ImportError(
            f"{what} needs {name}, which is not installed: pip install 'fastmlp[{extra}]'."
        )


def check_opset(opset: Any, newest: int, name: str = "opset") -> int:
    """Return a version of ONNX's operators; raise unless it can be written."""
    if isinstance(opset, bool) or not isinstance(opset, Integral):
        raise TypeError(f"{name} must be an integer, such as {OLDEST_OPSET}; got {brief(opset)}.")
    if not OLDEST_OPSET <= int(opset) <= newest:
        raise ValueError(
            f"{name} must be from {OLDEST_OPSET} to {newest}, the newest that the installed onnx "
            f"knows; got {brief(opset)}."
        )
    return int(opset)


def check_zipmap(has_probabilities: bool) -> None:
    """Raise ValueError unless there are the probabilities that a map would hold."""
    if not has_probabilities:
        raise ValueError(
            "The loss of this MLPClassifier gives no probabilities for a ZipMap to hold: "
            "pass options={'zipmap': False}; the second output is then the decision function."
        )


def check_missing_text(missing: Any, known: Mapping[str, Set[str]]) -> str:
    """Return the text for missing categories; raise if it is a level of a column, by its name."""
    if not isinstance(missing, str):
        raise TypeError(
            "missing must be a string, the text that stands for a missing category in the ONNX "
            f"model; got {brief(missing)}."
        )
    check_unicode("text for what is missing,", [missing])
    for column, levels in known.items():
        if missing in levels:
            raise ValueError(
                f"missing must not be a level of a category, but {brief(missing)} is one of column "
                f"{brief(column)}: pass another text, such as missing='?'."
            )
    return missing


def check_onnx_size(n_bytes: int) -> None:
    """Raise ValueError if numbers of so many bytes may not fit into an ONNX file."""
    if n_bytes > LARGEST_MESSAGE:
        raise ValueError(
            f"The model has {n_bytes / 2**30:.1f} GiB of numbers; an ONNX file holds 2 GiB: "
            "save it as a model file, by save(path)."
        )


def check_unicode(what: str, texts: Iterable[str]) -> None:
    """Raise ValueError if a text, a ``what``, has no form in UTF-8, which ONNX wants."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"The {what} {brief(text)} has half a surrogate pair, which is no Unicode and "
                "can't be in an ONNX model: replace it before the fit."
            ) from None

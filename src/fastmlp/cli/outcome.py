"""Results as JSON, which knows no NaN and no infinity."""

from __future__ import annotations

import json
import math
from typing import Any

import click
import numpy as np

__all__ = ["print_json"]


def print_json(result: Any) -> None:
    """Print a result on standard output, alone."""
    click.echo(json.dumps(_plain(result), indent=1, ensure_ascii=False))


def _plain(value: Any) -> Any:
    """Return a value of JSON's types; null for a number that is not finite."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value

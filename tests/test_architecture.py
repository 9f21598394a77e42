"""The map in docs/ARCHITECTURE.md beside the contracts on imports that ``make lint`` checks."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}


#: Those whose modules have rows of their own.
FOLDERS = ("plan", "backends", "validation", "training", "estimators", "dask")


def layers_upwards(contract):
    """Return the names of each layer, from low to high."""
    layers = CONTRACTS[contract]["layers"]
    return [re.split(r"\s*[|:]\s*", layer) for layer in reversed(layers)]


def modules_in_map():
    """Return the modules of the map by folder ("" for the package), in the order of its rows."""
    table = (ROOT / "docs" / "ARCHITECTURE.md").read_text().split("| place | what |")[1]
    folder, found = "", {"": []}
    for inner, places in re.findall(r"^\| (· )?([^|]+)\|", table, re.M):
        for module, is_folder in re.findall(r"`(\w+)(?:\.py|(/))`", places):
            if not inner:
                folder = module if is_folder else ""
                found[""].append(module)
            else:
                found.setdefault(folder, []).append(module)
    return found


@pytest.mark.parametrize(
    ("contract", "folder"), [("house", ""), *((folder, folder) for folder in FOLDERS)]
)
def test_the_map_has_every_module_in_an_order_that_the_contracts_allow(contract, folder):
    level = {name: i for i, names in enumerate(layers_upwards(contract)) for name in names}
    levels = [level[name] for name in modules_in_map()[folder]]
    assert len(levels) == len(level)
    assert levels == sorted(levels)


def test_the_contracts_leave_no_module_out():
    layered = [contract for contract in CONTRACTS.values() if contract["type"] == "layers"]
    assert len(layered) == 1 + len(FOLDERS)
    assert all(contract["exhaustive"] for contract in layered)
    assert CONTRACTS["circles"]["ancestors"] == ["fastmlp"]

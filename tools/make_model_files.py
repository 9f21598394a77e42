"""Write the model files of a release, which every later release must read.

Run once for each release, whose number ``_version.py`` has::

    PYTHONPATH=tests python tools/make_model_files.py

The files and what their models predict go to ``tests/model_files/<version>``; they never change.
"""

from __future__ import annotations

import json
from pathlib import Path

import helpers_files as of
import numpy as np

import fastmlp

N_ROWS = 6


def plain(cell: object) -> object:
    """Return a cell as JSON has it."""
    if isinstance(cell, np.datetime64):
        return str(cell)
    return cell.item() if isinstance(cell, np.generic) else cell


def main() -> None:
    """Write all."""
    folder = Path(__file__).parents[1] / "tests" / "model_files" / fastmlp.__version__
    folder.mkdir(parents=True)
    expected = {}
    cases = {**of.classifiers(), **of.regressors(), **of.tabulars()}
    fitted = {name: (of.fitted(*case), case[1]) for name, case in cases.items()}
    fitted["predictor"] = of.prepared()[:2]
    for name, (model, inputs) in fitted.items():
        written = name.replace(" ", "_")
        model.save(folder / f"{written}.fastmlp")
        rows = inputs[:N_ROWS]
        expected[written] = {
            "inputs": [[plain(cell) for cell in row] for row in rows],
            "is_table": not (isinstance(inputs, np.ndarray) and inputs.dtype.kind == "f"),
            "days": not (isinstance(inputs, np.ndarray) and inputs.dtype.kind == "f"),
            "predictions": of.answers(model, rows)[0].tolist(),
        }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()

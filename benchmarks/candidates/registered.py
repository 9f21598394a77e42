"""The one place that lists the peers.

A peer of your own is a class like those beside this file, and a row here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pkgutil import resolve_name

import numpy as np

from candidates.base import Peer
from candidates.blas import blas_kernels
from candidates.workers import FREE_CHOICE
from fastmlp.backends import get_backend
from fastmlp.backends.compiled import available_isas
from fastmlp.cli.epochs import GridCell

__all__ = ["PEERS", "PREDICTORS", "TRAINERS", "Registration"]


@dataclass(frozen=True)
class Registration:
    """A peer's name and what has to be known of it before its process starts.

    Attributes
    ----------
    name : str
    implementation : str
        ``module:class`` of a Peer.
    settings : str
        How it was given its best, in words.
    needs : tuple of str
        Modules that have to be installed.
    obstacle : callable
        Returns what else keeps it from running here, or an empty string.
    environment : dict
        Variables that its process starts with; None removes one.
    trains, predicts : bool
        What it can be asked for.
    drops_out : bool
        Whether it has dropout.
    is_ours : bool
        Whether it is a part of fastmlp.
    is_exact : bool
        Whether its products take the cell's real type; else they may round what is float32, and
        it is not asked for anything else.
    """

    name: str
    implementation: str
    settings: str
    needs: tuple[str, ...] = ()
    obstacle: Callable[[], str] = lambda: ""
    environment: dict[str, str | None] = field(default_factory=FREE_CHOICE.copy)
    trains: bool = True
    predicts: bool = True
    drops_out: bool = True
    is_ours: bool = False
    is_exact: bool = True

    def can_train(self, cell: GridCell) -> bool:
        """Return whether it has what this network's training needs."""
        return self.trains and self._has_type(cell) and (self.drops_out or not cell.dropout)

    def can_predict(self, cell: GridCell) -> bool:
        """Return whether it has what this network's predictions need."""
        return self.predicts and self._has_type(cell)

    def _has_type(self, cell: GridCell) -> bool:
        return self.is_exact or cell.dtype == "float32"

    def missing(self) -> str:
        """Return why it cannot run here, or an empty string."""
        absent = [module for module in self.needs if find_spec(module) is None]
        return f"{', '.join(absent)} not installed" if absent else self.obstacle()

    def load(self) -> Peer:
        """Import the peer and return it, in its own process."""
        return resolve_name(self.implementation)()


def _has_no_compiler() -> str:
    compiler = os.environ.get("CXX", "g++")
    return "" if shutil.which(compiler) else f"no C++ compiler ({compiler})"


def _runs_otherwise(precision: str) -> str:
    name = get_backend("compiled").runs_as(precision, np.dtype(np.float32))
    return "" if name == precision else f"this machine runs it as {name}"


def _skylake_is_no_news() -> str:
    if not any("v4" in isa for isa in available_isas()):
        return "the CPU has no AVX-512"
    return "scikit-learn runs these kernels anyway" if "SkylakeX" in blas_kernels() else ""


PEERS: dict[str, Registration] = {
    peer.name: peer
    for peer in (
        Registration(
            "fastmlp Predictor",
            "candidates.estimators:PreparedPredictor",
            "input not checked for finite values, as many threads as the others",
            trains=False,
            is_ours=True,
        ),
        Registration(
            "fastmlp",
            "candidates.estimators:Compiled",
            "estimator on the backend compiled, instruction set chosen at import",
            is_ours=True,
        ),
        Registration(
            "fastmlp medium",
            "candidates.estimators:Medium",
            'estimator with matmul_precision="medium"',
            obstacle=partial(_runs_otherwise, "medium"),
            is_ours=True,
            is_exact=False,
        ),
        Registration(
            "fastmlp high",
            "candidates.estimators:High",
            'estimator with matmul_precision="high"',
            obstacle=partial(_runs_otherwise, "high"),
            is_ours=True,
            is_exact=False,
        ),
        Registration(
            "Predictor medium",
            "candidates.estimators:MediumPredictor",
            'as fastmlp Predictor, of a model with matmul_precision="medium"',
            obstacle=partial(_runs_otherwise, "medium"),
            trains=False,
            is_ours=True,
            is_exact=False,
        ),
        Registration(
            "fastmlp numba",
            "candidates.estimators:Numba",
            "estimator on the backend numba",
            is_ours=True,
        ),
        Registration(
            "fastmlp numpy",
            "candidates.estimators:Numpy",
            "estimator on the backend numpy, the reference",
            is_ours=True,
        ),
        Registration(
            "scikit-learn",
            "candidates.estimators:ScikitLearn",
            "checks for finite values off, OpenBLAS chooses its kernels",
            drops_out=False,
        ),
        Registration(
            "sklearn SkylakeX",
            "candidates.estimators:ScikitLearn",
            "as scikit-learn, with OPENBLAS_CORETYPE=SkylakeX, which OpenBLAS does not choose here",
            obstacle=_skylake_is_no_news,
            environment=FREE_CHOICE | {"OPENBLAS_CORETYPE": "SkylakeX"},
            drops_out=False,
        ),
        Registration(
            "PyTorch",
            "candidates.pytorch:Eager",
            "functional layers, fused optimiser, set_to_none, inference_mode; the fastest "
            "of 1 or all threads and of gathering by epoch or batch, chosen for each network",
            needs=("torch",),
        ),
        Registration(
            "PyTorch compiled",
            "candidates.pytorch:Compiled",
            "the whole step in one torch.compile (fullgraph, static shapes, C++ wrapper); else as "
            "PyTorch",
            needs=("torch",),
            obstacle=_has_no_compiler,
        ),
        Registration(
            "PyTorch medium",
            "candidates.pytorch:Medium",
            'as PyTorch compiled, with torch.set_float32_matmul_precision("medium")',
            needs=("torch",),
            obstacle=_has_no_compiler,
            is_exact=False,
        ),
        Registration(
            "PyTorch bf16",
            "candidates.pytorch:Autocast",
            "as PyTorch compiled, with autocast to bfloat16",
            needs=("torch",),
            obstacle=_has_no_compiler,
            is_exact=False,
        ),
        Registration(
            "JAX",
            "candidates.jax_scan:Scan",
            "an epoch is one jitted lax.scan, its state donated; gathers by epoch or batch, the "
            "faster for each network",
            needs=("jax",),
            environment=FREE_CHOICE | {"JAX_PLATFORMS": "cpu"},
        ),
        Registration(
            "ONNX Runtime",
            "candidates.onnx_runtime:Session",
            "all graph optimisations, the faster of 1 or all threads",
            needs=("onnx", "onnxruntime"),
            trains=False,
        ),
        Registration(
            "OpenVINO",
            "candidates.openvino_requests:Float32",
            "a request for a fixed number of rows, in float32, arrays shared; the faster of 1 or "
            "all threads",
            needs=("onnx", "openvino"),
            trains=False,
        ),
        Registration(
            "OpenVINO bf16",
            "candidates.openvino_requests:BFloat16",
            "as OpenVINO, with the precision hint bf16",
            needs=("onnx", "openvino"),
            trains=False,
            is_exact=False,
        ),
    )
}

TRAINERS = [name for name, peer in PEERS.items() if peer.trains]
PREDICTORS = [name for name, peer in PEERS.items() if peer.predicts]

from collections.abc import Callable
from typing import Self, final

import numpy as np

from fastmlp.plan.inputs import Inputs, SparseRows

COMPILER: str
CUSTOM: int
OPERATION_CODES: dict[str, dict[str, int]]
PRECISIONS: dict[str, int]
STRUCT_BYTES: dict[str, int]

def available_isas() -> list[str]: ...
def has_kernels(isa: str | None, real_bytes: int, precision: str) -> bool: ...
def l2_bytes() -> int: ...
def set_l2_bytes(n_bytes: int) -> None: ...
def shuffle(bit_generator: np.random.BitGenerator, order: np.ndarray) -> None: ...

class Kernels:
    isa: str
    def __new__(cls, isa: str | None, real_bytes: int, precision: str = "highest") -> Self: ...
    def block_size(self, rows: int, depth: int) -> tuple[int, int]: ...
    def dense_forward(
        self, x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray
    ) -> None: ...
    def dense_backward_input(self, dz: np.ndarray, wt: np.ndarray, out: np.ndarray) -> None: ...
    def dense_backward_weights(
        self, x: np.ndarray, dz: np.ndarray, dw: np.ndarray, db: np.ndarray
    ) -> None: ...
    def activate(
        self, activation: int, z: np.ndarray, h: np.ndarray, dh_dz: np.ndarray
    ) -> None: ...
    def normalize_forward(
        self,
        normalization: int,
        n_groups: int,
        z: np.ndarray,
        weight: np.ndarray | None,
        gain: np.ndarray,
        shift: np.ndarray,
        normalized: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        y: np.ndarray,
    ) -> None: ...
    def normalize_backward(
        self,
        normalization: int,
        n_groups: int,
        dy: np.ndarray,
        weight: np.ndarray | None,
        gain: np.ndarray,
        normalized: np.ndarray,
        scale: np.ndarray,
        dz: np.ndarray,
        dgain_dshift: np.ndarray,
    ) -> None: ...
    def loss_and_gradient(
        self,
        loss: int,
        parameters: np.ndarray,
        logits: np.ndarray,
        target: np.ndarray,
        sample_weight: np.ndarray | None,
        values: np.ndarray,
        gradient: np.ndarray,
    ) -> None: ...
    def link(
        self, loss: int, parameters: np.ndarray, logits: np.ndarray, out: np.ndarray
    ) -> None: ...
    def measure_information(
        self, measure: int, p: np.ndarray, q: np.ndarray | None, out: np.ndarray
    ) -> None: ...
    def perceptron_scores(
        self, x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray
    ) -> None: ...
    def perceptron_epoch(
        self,
        x: np.ndarray,
        target: np.ndarray,
        rates: np.ndarray,
        order: np.ndarray,
        w: np.ndarray,
        b: np.ndarray,
    ) -> int: ...
    def apply_dropout(
        self, threshold: int, seed: int, layer: int, step: int, out: np.ndarray
    ) -> None: ...
    def standard_normals(self, stream: int, seed: int, step: int, out: np.ndarray) -> None: ...
    def cosine_and_sine(self, turns: np.ndarray, cosine: np.ndarray, sine: np.ndarray) -> None: ...
    def limit_norms(self, w: np.ndarray, max_norm: float) -> None: ...
    def optimizer_moments(self, optimizer: int) -> int: ...
    def optimizer_update(
        self,
        settings: np.ndarray,
        update: np.ndarray,
        parameters: np.ndarray,
        gradient: np.ndarray,
        moments: np.ndarray,
        slots: np.ndarray,
        groups: np.ndarray,
        weight_sum: float,
    ) -> None: ...
    def fma_rounds(self, iterations: int) -> float: ...
    def microkernel_rounds(self, iterations: int) -> float: ...
    def barrier_rounds(self, n_threads: int, rounds: int) -> None: ...

class Network:
    def __new__(
        cls,
        kernels: Kernels,
        layers: np.ndarray,
        slots: np.ndarray,
        groups: np.ndarray,
        loss: int,
        loss_parameters: np.ndarray,
        target_width: int,
        n_weights: int,
        n_parameters: int,
        n_inputs: int,
        n_members: int,
        n_scales: int,
        scale_offset: int,
        features: np.ndarray,
        bins: np.ndarray,
    ) -> Self: ...
    def packed_bytes(self) -> int: ...
    def pack_weights(self, parameters: np.ndarray, packed: np.ndarray) -> None: ...
    def rows_at_once(self, n: int) -> int: ...

class Trainer:
    def __new__(
        cls, network: Network, settings: np.ndarray, n_threads: int, measure_pace: bool
    ) -> Self: ...
    def workspace_bytes(self, n_rows: int) -> int: ...
    def exchange(self, n_rows: int) -> tuple[int, int, tuple[int, int, int]]: ...
    def use(self, workspace: np.ndarray) -> None: ...
    def train(
        self,
        parameters: np.ndarray,
        moments: np.ndarray,
        x: Inputs,
        target: np.ndarray,
        sample_weight: np.ndarray | None,
        order: np.ndarray,
        batch_size: int,
        updates: np.ndarray,
    ) -> tuple[float, float, int]: ...
    def gradient(
        self,
        parameters: np.ndarray,
        x: Inputs,
        target: np.ndarray,
        sample_weight: np.ndarray | None,
        gradient: np.ndarray,
        step: int,
        order: np.ndarray | None,
        most_rows: int,
    ) -> tuple[float, float, int]: ...

@final
class Predictor:
    def __new__(
        cls,
        network: Network,
        parameters: np.ndarray,
        packed: np.ndarray | None,
        n_inputs: int,
        n_outputs: int,
        rows_at_once: int,
        rows_of_call: int,
        most_dense_rows: int,
        default_threads: Callable[[], int],
    ) -> Self: ...
    def __call__(self, x: object, paired: bool, n_threads: int | None) -> np.ndarray | None: ...
    def rows_of(self, n_threads: int) -> int: ...
    def at_sparse(self, x: SparseRows, paired: bool, n_threads: int | None) -> np.ndarray: ...
    def checked(
        self, x: object, apply_link: bool, paired: bool, n_threads: object
    ) -> np.ndarray | None: ...
    def fill(
        self,
        x: Inputs,
        rows: np.ndarray | None,
        out: np.ndarray,
        apply_link: bool,
        n_threads: int,
        all_threads: bool,
    ) -> None: ...

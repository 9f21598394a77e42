"""What batch and layer norm cost: an epoch of 32-128-128-128-10 with and without, interleaved."""

from __future__ import annotations

import time

import click
import numpy as np

from fastmlp.backends.compiled import CompiledBackend
from fastmlp.parameters import aligned_zeros, reset_normalizations
from fastmlp.plan import make_plan, make_settings

SIZES, BATCH, N_ROWS = (32, 128, 128, 128, 10), 256, 25_600
NAMES = ("none", "batch", "layer")


class Epoch:
    """A network in training; each call runs one epoch and returns its seconds."""

    def __init__(self, normalization: str, n_threads: int) -> None:
        rng = np.random.default_rng(0)
        n_hidden = len(SIZES) - 2
        self.plan = make_plan(
            SIZES,
            ["relu"] * n_hidden,
            "softmax_cross_entropy",
            normalizations=[normalization] * n_hidden,
        )
        self.X = rng.standard_normal((N_ROWS, SIZES[0]), dtype=np.float32)
        self.target = rng.integers(SIZES[-1], size=(N_ROWS, 1)).astype(np.float32)
        self.order, self.n_threads = rng.permutation(N_ROWS), n_threads
        self.parameters = aligned_zeros(self.plan.n_values, np.float32)
        self.parameters[:] = 0.08 * rng.standard_normal(self.plan.n_values)
        reset_normalizations(self.plan, self.parameters)
        self.moments = aligned_zeros((2, self.plan.n_parameters), np.float32)
        self.backend, self.settings = CompiledBackend(), make_settings(batch_norm_momentum=0.1)
        self.workspace = self.backend.workspace(self.plan, np.dtype("f4"), BATCH, n_threads)

    def __call__(self) -> float:
        """Train one epoch."""
        start = time.perf_counter()
        totals = self.backend.train_batches(
            self.plan, self.settings, self.parameters, self.moments, self.X, self.target, None,
            self.order, BATCH, self.workspace, self.n_threads,
        )  # fmt: skip
        assert np.isfinite(totals.cost)
        self.settings["step"] += -(-N_ROWS // BATCH)
        return time.perf_counter() - start


@click.command()
@click.option("--rounds", default=15, show_default=True, help="Epochs of each network.")
@click.option("--threads", default=1, show_default=True, help="Threads of each call.")
def main(rounds: int, threads: int) -> None:
    """Print the median epoch with batch and with layer norm beside that without."""
    epochs = {name: Epoch(name, threads) for name in NAMES}
    seconds: dict[str, list[float]] = {name: [] for name in NAMES}
    for _ in range(rounds):
        for name, epoch in epochs.items():
            seconds[name].append(epoch())
    plain = np.median(seconds["none"])
    for name in NAMES:
        median = np.median(seconds[name])
        click.echo(f"{name:6} {1e3 * median:8.2f} ms  {median / plain:5.2f} ×")


if __name__ == "__main__":
    main()

"""Fits on several workers beside fits on one machine: ``python benchmarks/scale.py --help``.

All workers are processes of this machine. With more of them than cores, only the accuracy and the
bytes say anything.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster
from learning_data import Data, digits, mnist, prepared
from rich.console import Console
from rich.table import Table
from scaling_link import SlowExchange, measure_link
from scaling_model import (
    Link,
    Work,
    exchange_seconds,
    fitted_link,
    local_seconds,
    most_useful,
    synchronous_seconds,
)

from fastmlp import MLPClassifier
from fastmlp.config import config_dict
from fastmlp.dask import DaskMLPClassifier

DATA = {"digits": digits, "letter": lambda: prepared("letter"), "mnist": mnist}
#: Rows and columns of the work of MNIST, with 512 hidden units.
ROWS, COLUMNS, HIDDEN, CLASSES = 60_000, 784, 512, 10
N_PARAMETERS = (COLUMNS + 1) * HIDDEN + (HIDDEN + 1) * CLASSES
#: Vectors that local updates with Adam average: the parameters and two moments.
N_VECTORS = 3

batches = click.option("--batch", "batches", multiple=True, default=(200, 1024, 4096))
json_file = click.option("--json", "path", type=click.Path(path_type=Path), help="Figures to keep.")


@click.group(context_settings={"show_default": True})
def main() -> None:
    """Set fits on several workers beside fits on one machine."""
    warnings.simplefilter("ignore")


@contextmanager
def cluster(n_workers: int) -> Iterator[Client]:
    """Yield the client of worker processes of one thread each."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with (
        LocalCluster(
            n_workers=n_workers, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as local,
        Client(local) as client,
    ):
        yield client


class Epochs:
    """A callback that notes when epochs end."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def __call__(self, record: Any) -> None:
        """Note the present time."""
        self.ends.append(time.perf_counter())

    @property
    def seconds(self) -> list[float]:
        """Of each epoch but the first, in which workers get what they need."""
        return np.diff(self.ends).tolist()


def digits_like(chunks: int) -> tuple[da.Array, da.Array]:
    """Return rows (60000, 784) and their classes, of as many chunks, which the workers make."""
    X = da.random.default_rng(0).random((ROWS, COLUMNS), np.float32, chunks=(ROWS // chunks, -1))
    return X, X[:, :CLASSES].argmax(axis=1)


def settings(batch_size: int, n_epochs: int) -> dict[str, Any]:
    """Return the parameters of a network that learns as many epochs."""
    return {
        "hidden_layer_sizes": (HIDDEN,),
        "batch_size": batch_size,
        "max_iter": n_epochs,
        "n_iter_no_change": n_epochs,
        "random_state": 0,
    }


@main.command()
@batches
@click.option("--epochs", default=6, help="Of each fit; the first one is not counted.")
@click.option("--rounds", default=2, help="Fits of each kind, in turn.")
@click.option("--local-steps", default=32)
@json_file
def speed(
    batches: Sequence[int], epochs: int, rounds: int, local_steps: int, path: Path | None
) -> None:
    """Time epochs of 784-512-10 by two workers of a thread, and by one process of two threads."""
    figures = []
    with cluster(2) as client:
        X, y = client.persist(digits_like(2))
        rows = X.compute(), y.compute()
        for batch_size in batches:
            shown: dict[str, list[float]] = {"one process": [], "synchronous": [], "local": []}
            for _ in range(rounds):
                for way, seconds in shown.items():
                    epoch = Epochs()
                    given = {**settings(batch_size, epochs), "callbacks": [epoch]}
                    if way == "one process":
                        MLPClassifier(**given, n_threads=2).fit(*rows)
                    else:
                        steps = local_steps if way == "local" else "auto"
                        model = DaskMLPClassifier(
                            client=client, exchange=way, n_shards=2, local_steps=steps, **given
                        )
                        model.fit(X, y)
                    seconds.extend(epoch.seconds)
            medians = {way: float(np.median(seconds)) for way, seconds in shown.items()}
            figures.append({"batch": batch_size, "seconds": shown, "median": medians})
    shown_table = Table("batch", "one process, s", "synchronous", "local")
    for row in figures:
        base = row["median"]["one process"]
        shares = [f"{base / row['median'][way]:.2f}" for way in ("synchronous", "local")]
        shown_table.add_row(str(row["batch"]), f"{base:.3f}", *shares)
    Console().print(shown_table, "Shares of the speed of one process with two threads.")
    keep(path, figures)


@main.command()
@click.option("--data", "name", type=click.Choice(list(DATA)), default="digits")
@click.option("--workers", "counts", multiple=True, default=(2, 4, 8, 16))
@click.option("--seeds", default=3)
@click.option("--epochs", default=30)
@click.option("--local-steps", default=32)
@click.option("--way", "ways", multiple=True, default=("synchronous", "local"))
@json_file
def accuracy(
    name: str,
    counts: Sequence[int],
    seeds: int,
    epochs: int,
    local_steps: int,
    ways: Sequence[str],
    path: Path | None,
) -> None:
    """Score fits on more and more shards on test rows, beside fits on one machine."""
    data = DATA[name]()
    given = {"hidden_layer_sizes": (128,), "batch_size": 256, "max_iter": epochs, "tol": 0.0}
    figures = [
        {"way": "one machine", "shards": 1, "scores": [alone(data, given, s) for s in range(seeds)]}
    ]
    with cluster(2) as client:
        for n_shards in counts:
            for way in ways:
                how = {"exchange": way, "n_shards": n_shards}
                how["local_steps"] = local_steps if way == "local" else "auto"
                scores = [together(client, data, {**given, **how}, s) for s in range(seeds)]
                figures.append({"way": way, "shards": n_shards, "scores": scores})
    shown = Table("shards", "exchange", "score", "spread of seeds")
    for row in figures:
        mean, spread = np.mean(row["scores"]), np.std(row["scores"], ddof=seeds > 1)
        shown.add_row(str(row["shards"]), row["way"], f"{mean:.4f}", f"{spread:.4f}")
    Console().print(shown)
    keep(path, figures)


def alone(data: Data, given: dict[str, Any], seed: int) -> float:
    """Return the score of a fit on one machine."""
    model = MLPClassifier(**given, random_state=seed).fit(data.X, data.y)
    return float(model.score(data.X_test, data.y_test))


def together(client: Client, data: Data, given: dict[str, Any], seed: int) -> float:
    """Return the score of a fit on as many shards as ``given`` says."""
    height = -(-len(data.X) // given["n_shards"])
    X = da.from_array(np.ascontiguousarray(data.X), chunks=(height, -1))
    y = da.from_array(np.asarray(data.y), chunks=height)
    model = DaskMLPClassifier(client=client, random_state=seed, **given).fit(X, y)
    return float(model.to_local().score(data.X_test, data.y_test))


@main.command()
@click.option("--repeats", default=30)
@json_file
def link(repeats: int, path: Path | None) -> None:
    """Measure what sums over workers take, and fit the model's numbers of the link to messages."""
    times, sizes = {False: [], True: []}, (1, 1 << 16, N_PARAMETERS, 1 << 22)
    for shares_memory, n_workers in ((False, 2), (False, 4), (False, 8), (True, 2)):
        with cluster(n_workers) as client:
            found = measure_link(client, sizes, repeats, shares_memory=shares_memory)
            times[shares_memory] += found
    fitted = fitted_link(times[False])
    shown = Table("workers", "by", "bytes", "ms, median", "ms, model")
    for row in times[False]:
        model = exchange_seconds(row["bytes"], row["workers"], fitted)
        both = (f"{1e3 * each:.2f}" for each in (row["seconds"], model))
        shown.add_row(str(row["workers"]), "messages", str(row["bytes"]), *both)
    for row in times[True]:
        shown.add_row("2", "shared memory", str(row["bytes"]), f"{1e3 * row['seconds']:.2f}", "")
    Console().print(shown, fitted)
    keep(path, {"times": times[False], "in shared memory": times[True], "link": vars(fitted)})


#: Bytes a second of a network of so many gigabits, of which TCP brings about nine tenths.
NETWORKS = {"10 Gb": 0.9 * 10e9 / 8, "100 Gb": 0.9 * 100e9 / 8}
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)


@main.command()
@click.argument("figures", type=click.Path(path_type=Path, exists=True))
@click.option("--jitter", default=0.05, help="Of a worker's seconds, as a share of them.")
@click.option("--local-steps", default=128)
@click.option("--per-worker", default=1024, help="Rows of an update for each worker.")
def predict(figures: Path, jitter: float, local_steps: int, per_worker: int) -> None:
    """Say what the model expects of 8 to 1,000 workers, by the FIGURES that "link --json" left."""
    measured = Link(**json.loads(figures.read_text())["figures"]["link"])
    work = measure_work(jitter)
    Console().print(work, measured)
    shown = Table("network", "exchange", *(str(n) for n in COUNTS[1:]), "each does half up to")
    links = {
        f"{name}, {by}": Link(latency, measured.per_message * by_dask, min(rate, most))
        for name, rate in NETWORKS.items()
        for by, latency, by_dask, most in (
            ("Dask", measured.latency, 1.0, measured.bandwidth),
            ("bare", 5e-5, 0.0, np.inf),
        )
    }
    for name, each in links.items():
        ways = {
            "synchronous": lambda n, link: synchronous_seconds(work, link, n, n * per_worker),
            "local": lambda n, link: local_seconds(work, link, n, n * per_worker, local_steps),
        }
        for way, seconds_of in ways.items():
            seconds = {n: seconds_of(n, each) for n in COUNTS}
            shares = {n: seconds[1] / took for n, took in seconds.items()}
            useful = most_useful({n: took / n for n, took in seconds.items()})
            cells = [f"{shares[n]:.2f}" for n in COUNTS[1:]]
            shown.add_row(name, way, *cells, str(useful))
    note = f"Share of its time that a worker learns, at {per_worker} rows of each worker an update."
    Console(width=160).print(shown, note)


def measure_work(jitter: float) -> Work:
    """Return what one worker of one thread computes, from fits with two batch sizes."""
    X, y = (each[: ROWS // 4].compute() for each in digits_like(4))
    seconds = {}
    for batch_size in (200, 3000):
        epoch = Epochs()
        given = {**settings(batch_size, 5), "callbacks": [epoch]}
        MLPClassifier(**given, n_threads=1).fit(X, y)
        seconds[batch_size] = float(np.median(epoch.seconds)) * batch_size / len(X)
    (small, of_small), (large, of_large) = seconds.items()
    per_row = (of_large - of_small) / (large - small)
    return Work(N_PARAMETERS, per_row, max(of_small - small * per_row, 0.0), jitter, N_VECTORS)


@main.command()
@click.argument("figures", type=click.Path(path_type=Path, exists=True))
@click.option("--rows", default=6000)
@click.option("--batch", "batch_size", default=500)
@click.option("--epochs", default=4)
def simulate(figures: Path, rows: int, batch_size: int, epochs: int) -> None:
    """Let messages of real fits on two workers come late, or twice, and hold the model against it.

    FIGURES are those that "link --json" left. Lost messages come after the time in which TCP sends
    them again.
    """
    measured = Link(**json.loads(figures.read_text())["figures"]["link"])
    shown = Table("latency, ms", "lost", "ms an update", "ms, model")
    base = None
    for latency, loss in ((0.0, 0.0), (0.002, 0.0), (0.01, 0.0), (0.05, 0.0), (0.0, 0.02)):
        took = slow_update(latency, loss, measured.retry, rows, batch_size, epochs)
        base = took if base is None else base
        slow = Link(latency, 0.0, np.inf, loss, measured.retry)
        model = base + exchange_seconds(0, 2, slow)
        shown.add_row(
            f"{1e3 * latency:g}", f"{loss:.0%}", f"{1e3 * took:.1f}", f"{1e3 * model:.1f}"
        )
    Console().print(shown)


def slow_update(
    latency: float, loss: float, retry: float, n_rows: int, batch_size: int, n_epochs: int
) -> float:
    """Return the seconds of a synchronous update whose messages come late."""
    epoch = Epochs()
    with cluster(2) as client:
        client.register_plugin(SlowExchange(latency, loss, retry))
        X, y = (each[:n_rows].rechunk({0: n_rows // 2}) for each in digits_like(2))
        given = {**settings(batch_size, n_epochs), "callbacks": [epoch]}
        DaskMLPClassifier(client=client, exchange="synchronous", n_shards=2, **given).fit(X, y)
    return float(np.mean(epoch.seconds)) * batch_size / n_rows


def keep(path: Path | None, figures: Any) -> None:
    """Write figures into a file, with what is known of the machine."""
    if path is not None:
        path.write_text(json.dumps({"config": config_dict(), "figures": figures}, indent=1))


if __name__ == "__main__":
    main()

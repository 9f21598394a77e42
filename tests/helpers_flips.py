"""Fitted models whose pickles have one bit flipped, put to use in forked children.

A program of its own, as its children may die: ``report(count, seed)`` does it all and prints JSON.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from helpers_children import run_child
from helpers_custom import half_square, half_square_slope, tanh, tanh_slope

from fastmlp import MLPClassifier, MLPRegressor, Predictor, RosenblattPerceptron
from fastmlp.custom import custom_activation, custom_loss
from fastmlp.embeddings import PBLD, Categories, PiecewiseLinear

#: A damaged ``max_iter`` may ask for a year of work: what Python can interrupt does not hang. These
#: are seconds of computing, of which a busy machine needs no more.
SECONDS_PER_FLIP = 2.0
#: Bytes that a child may take beyond what it begins with.
MEMORY = 1 << 30
#: What a child writes into its pipe: where it is, then what became of the flip.
LOADING, USING = b"LU"
FINE, RAISED, SLOW = b"fes"

X = np.random.default_rng(0).normal(size=(40, 7)).astype(np.float32)
X[:, 6] = np.arange(40) % 5  # levels of a category
SIGNS = X > 0


class TimeUpError(BaseException):
    """Not an Exception, so that nobody takes it for an error of the data."""


class Flip(NamedTuple):
    """One bit of one model's pickle."""

    model: str
    byte: int
    bit: int


@dataclass
class Crash:
    """How a child ended that ought to have gone on."""

    flip: Flip
    stage: str
    how: str
    where: str
    #: In Python's reader of pickles or what it called, and not in any Python code of ours.
    in_reader: bool


def models() -> dict[str, tuple[Any, np.ndarray]]:
    """Return fitted models, small ones so that most of a pickle is not weights, and their y."""
    quick = {"max_iter": 2, "warm_start": True, "random_state": 0, "n_threads": 2}
    own = custom_activation(tanh, tanh_slope)
    own_loss = custom_loss(half_square, half_square_slope)
    bands = np.digitize(X[:, 0], [-0.5, 0.5])
    words = np.where(SIGNS[:, 0], "yes", "no")
    numbers = X[:, 0] + X[:, 1] ** 2

    def classifier(*widths: int, **named: Any) -> MLPClassifier:
        return MLPClassifier(hidden_layer_sizes=widths, **quick, **named)

    def regressor(*widths: int, **named: Any) -> MLPRegressor:
        return MLPRegressor(hidden_layer_sizes=widths, **quick, **named)

    made = {
        "three classes": (
            classifier(9, 5, dropout=0.2, parametric_activation=(False, True)),
            bands,
        ),
        "two classes": (classifier(6, normalization="batch", solver="sgd"), words),
        "labels": (
            classifier(6, normalization="layer", dtype="float64", parametric_activation=True),
            SIGNS * 1,
        ),
        "targets": (regressor(6, 8, normalization=("batch", "group"), n_groups=2), X),
        "quantiles": (regressor(6, loss="pinball", quantiles=(0.1, 0.9)), numbers),
        "custom": (regressor(6, 5, activation=(own, "relu"), loss=own_loss), numbers),
        "bins and a table": (
            regressor(
                6,
                numeric_embedding=PiecewiseLinear(n_bins=3, width=2),
                categorical_features=(6,),
                category_embedding=Categories(width=2, one_hot=0),
            ),
            numbers,
        ),
        "waves and levels": (
            classifier(
                5,
                numeric_embedding=PBLD(n_frequencies=2, width=2),
                categorical_features=(6,),
                scaling_layer=True,
            ),
            bands,
        ),
        "perceptron": (RosenblattPerceptron(max_iter=3, random_state=0), SIGNS[:, 0]),
    }
    return {name: (model.fit(X, y), y) for name, (model, y) in made.items()}


def plan_in(blob: bytes) -> tuple[int, int]:
    """Return where the network's plan begins and ends in a pickle, or the whole without one."""
    begin, end = blob.find(b"\x8c\x04plan"), blob.find(b"\x8c\x0aparameters")
    return (begin, end) if 0 <= begin < end else (0, len(blob))


def flips(blobs: dict[str, bytes], count: int, seed: int) -> Iterator[Flip]:
    """Yield bits of each pickle in turn, one of all its bits and then one of its plan."""
    rng, names = np.random.default_rng(seed), list(blobs)
    for number in range(count):
        name = names[number % len(names)]
        blob = blobs[name]
        begin, end = plan_in(blob) if number // len(names) % 2 else (0, len(blob))
        yield Flip(name, int(rng.integers(begin, end)), int(rng.integers(8)))


def flipped(blob: bytes, flip: Flip) -> bytes:
    """Return the pickle with the bit changed."""
    damaged = bytearray(blob)
    damaged[flip.byte] ^= 1 << flip.bit
    return bytes(damaged)


def uses(model: Any, y: np.ndarray) -> list[Callable[[], object]]:
    """Return all that brings a model's state to the core."""
    calls: list[Callable[[], object]] = [
        lambda: model.predict(X),
        lambda: model.partial_fit(X, y),
        lambda: model.fit(X, y),
        lambda: model.predict(X[:1]),
    ]
    if isinstance(model, RosenblattPerceptron):
        return calls
    more = [
        lambda: model.cost(X, y),
        lambda: model.gradient(X, y),
        lambda: Predictor(model)(X),
    ]
    return [*more, *calls]


def use(model: Any, y: np.ndarray) -> bool:
    """Return whether everything worked, which it need not."""
    worked = True
    for call in uses(model, y):
        try:
            call()
        except Exception:
            worked = False
    return worked


def fate(blob: bytes, y: np.ndarray, pipe: int) -> int:
    """Load and use a damaged pickle; return what became of it."""
    try:
        signal.setitimer(signal.ITIMER_PROF, SECONDS_PER_FLIP)
        os.write(pipe, bytes([LOADING]))
        model = pickle.loads(blob)
        os.write(pipe, bytes([USING]))
        return FINE if use(model, y) else RAISED
    except TimeUpError:
        raise
    except BaseException:
        return RAISED
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def time_up(*_: object) -> None:
    """Answer the alarm."""
    raise TimeUpError


def limit_memory() -> None:
    """Bound the address space on Linux; a sanitizer takes most of it and has bounds of its own."""
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        return
    pages = Path("/proc/self/statm")
    if not pages.exists():
        return
    now = int(pages.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))


def child(blobs: Sequence[tuple[bytes, np.ndarray]], pipe: int) -> None:
    """Go through damaged pickles until the end, or the child's."""
    signal.signal(signal.SIGPROF, time_up)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit_memory()
    for blob, y in blobs:
        code = SLOW
        with suppress(TimeUpError):  # here, as the alarm may ring wherever ``fate`` is
            code = fate(blob, y, pipe)
        os.write(pipe, bytes([code]))


def run_all(
    wanted: Sequence[Flip], blobs: dict[str, bytes], targets: dict[str, np.ndarray]
) -> tuple[Counter[str], list[Crash]]:
    """Return how many flips came to what, and those that ended the process."""
    outcomes: Counter[str] = Counter()
    crashes: list[Crash] = []
    done = 0
    while done < len(wanted):
        part = [(flipped(blobs[f.model], f), targets[f.model]) for f in wanted[done:]]
        heard, how, where = run_child(partial(child, part))
        fates = [code for code in heard if code in (FINE, RAISED, SLOW)]
        outcomes.update({FINE: "fine", RAISED: "raised", SLOW: "slow"}[code] for code in fates)
        done += len(fates)
        if done < len(wanted):
            stage = "loading" if heard.endswith(bytes([LOADING])) else "using"
            in_reader = stage == "loading" and where.startswith(__file__)
            crashes.append(Crash(wanted[done], stage, how or "left", where, in_reader))
            done += 1
    return outcomes, crashes


def report(count: int, seed: int) -> None:
    """Flip, and print what came of it."""
    warnings.simplefilter("ignore")
    fitted = models()
    blobs = {name: pickle.dumps(model, protocol=5) for name, (model, _) in fitted.items()}
    targets = {name: y for name, (_, y) in fitted.items()}
    for blob, y in zip(blobs.values(), targets.values(), strict=True):
        assert use(pickle.loads(blob), y), "what is whole must work"
    outcomes, crashes = run_all(list(flips(blobs, count, seed)), blobs, targets)
    print(json.dumps({"outcomes": outcomes, "crashes": [asdict(crash) for crash in crashes]}))

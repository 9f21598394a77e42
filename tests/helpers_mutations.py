"""Model files that have been changed in every way, loaded and put to use in forked children.

A program of its own, as its children may die: ``report(count, seed)`` does it all and prints JSON.
Half of the files are changed as bytes, which the checksum must notice. The others get the right
checksum again, as an attacker would see to: they may be refused or make another model, but they
must not end the process or hang.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import helpers_files as of
import helpers_flips as flips
import numpy as np
from helpers_children import run_child
from safetensors.numpy import load, save

import fastmlp
from fastmlp.files import container
from fastmlp.notices import quietly

#: What a child writes for each file: refused as it should be, or loaded.
REFUSED, OTHER_ERROR, SAME, ANOTHER, SLOW = b"roxas"
NAMES = {REFUSED: "refused", OTHER_ERROR: "other error", SAME: "same", ANOTHER: "another model"}
NAMES[SLOW] = "slow"

#: How many mutations one child goes through.
PART = 500


@dataclass(frozen=True)
class Source:
    """A file, and what its model must say."""

    name: str
    blob: bytes
    inputs: Any
    target: Any
    said: bytes


def said_by(model: Any, inputs: Any) -> bytes:
    """Return what a model predicts, to be compared by bits."""
    return pickle.dumps([np.asarray(each) for each in of.answers(model, inputs)[:1]])


def sources(folder: Path) -> list[Source]:
    """Return files of all kinds of models; what children would compile or import is then there."""
    of.own_objects_once()
    cases = {**of.classifiers(), **of.regressors(), **of.tabulars()}
    fitted = {name: (of.fitted(*case), *case[1:]) for name, case in cases.items()}
    fitted["predictor"] = of.prepared()
    made = []
    for name, (model, inputs, target) in fitted.items():
        path = folder / "source"
        model.save(path)
        rows = inputs if name == "predictor" else inputs[:20]
        source = Source(name, path.read_bytes(), rows, target, said_by(model, rows))
        put_to_use(loaded(path), source)
        made.append(source)
    return made


# -- changes of bytes ------------------------------------------------------------------------------


def one_bit(blob: bytes, draw: random.Random) -> bytes:
    """Flip a bit."""
    changed = bytearray(blob)
    changed[draw.randrange(len(blob))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def cut_off(blob: bytes, draw: random.Random) -> bytes:
    """Leave out the end."""
    return blob[: draw.randrange(len(blob))]


def longer(blob: bytes, draw: random.Random) -> bytes:
    """Add bytes."""
    at = draw.choice([len(blob), draw.randrange(len(blob))])
    return blob[:at] + draw.randbytes(draw.randint(1, 64)) + blob[at:]


def without(blob: bytes, draw: random.Random) -> bytes:
    """Leave out some bytes in the middle."""
    at = draw.randrange(len(blob) - 1)
    return blob[:at] + blob[at + draw.randint(1, 64) :]


def overwritten(blob: bytes, draw: random.Random) -> bytes:
    """Write other bytes over some."""
    at, new = draw.randrange(len(blob)), draw.randbytes(draw.randint(1, 64))
    return (blob[:at] + new + blob[at + len(new) :])[: len(blob)]


def another_length(blob: bytes, draw: random.Random) -> bytes:
    """Let the header be said to have another length."""
    length = draw.choice([0, 1, 2**31, 2**63, 2**64 - 1, len(blob), draw.randrange(len(blob))])
    return length.to_bytes(8, "little") + blob[8:]


BYTES = (one_bit, one_bit, cut_off, longer, without, overwritten, another_length)


# -- changes that the checksum does not notice ----------------------------------------------------


def parted(blob: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the head, with the description, and the arrays of a file."""
    length = int.from_bytes(blob[:8], "little")
    return json.loads(json.loads(blob[8 : 8 + length])["__metadata__"]["fastmlp"]), load(blob)


def whole(head: Any, arrays: dict[str, np.ndarray]) -> bytes:
    """Return the file that they make."""
    rest = {name: head[name] for name in head if name != "sha256"}
    entry = json.dumps({"sha256": "0" * 64, **rest}, separators=(",", ":"))
    return signed(save(arrays, {"fastmlp": entry}))


def signed(blob: bytes) -> bytes:
    """Return a file with the checksum that it should have, if there is a place for one."""
    changed = bytearray(blob)
    with suppress(Exception):
        where = container._place_of_digits(changed)
        changed[where : where + 64] = container._digest(changed, where)
    return bytes(changed)


ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 2**31, 2**40, 2**63, -(2**63), 10**30),
    *(0.0, -0.0, 0.5, 1e300, -1e300, "", "a", "relu", "float64", "$", [], {}, [[]], [1, 2]),
    *({"$": "float", "value": "nan"}, {"$": "float", "value": "inf"}, {"$": "tuple", "items": []}),
    *({"$": "own", "name": "tanh"}, {"$": "dtype", "value": "<f8"}, {"$": "Recipe", "state": {}}),
)


def nodes(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Gather every place in a description, as (container, key)."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        found.append((value, key))
        if isinstance(inner, (dict, list)):
            nodes(inner, found)
    return found


def changed_description(blob: bytes, draw: random.Random) -> bytes:
    """Change, leave out, double or exchange some values of the description."""
    head, arrays = parted(blob)
    for _ in range(draw.choice([1, 1, 1, 2, 5])):
        places = nodes(head["model"], [])
        holder, key = draw.choice(places)
        other, other_key = draw.choice(places)
        act = draw.randrange(5)
        if act == 0:
            holder[key] = draw.choice(ODD)
        elif act == 1:
            del holder[key]
        elif act == 2:
            holder[key] = json.loads(json.dumps(other[other_key]))
        elif act == 3 and isinstance(holder[key], (int, float)):
            holder[key] = holder[key] + draw.choice([1, -1, 0.5, 1000])
        else:
            holder[key] = [json.loads(json.dumps(holder[key]))] * draw.choice([1, 3])
        if not isinstance(head["model"], dict) or not head["model"]:
            break
    return whole(head, arrays)


def changed_array(blob: bytes, draw: random.Random) -> bytes:
    """Change values, the shape, the type or the name of an array, or leave it out."""
    head, arrays = parted(blob)
    if not arrays:
        return changed_description(blob, draw)
    name = draw.choice(sorted(arrays))
    array = arrays[name].copy()
    act = draw.randrange(6)
    if act == 0 and array.size:
        array.reshape(-1).view(np.uint8)[draw.randrange(array.nbytes)] ^= 1 << draw.randrange(8)
    elif act == 1 and array.size:
        extremes = [0, 1, -1, 2**31 - 1, 2**62, 255]
        with np.errstate(all="ignore"):
            array.reshape(-1)[draw.randrange(array.size)] = np.array(draw.choice(extremes)).astype(
                array.dtype
            )
    elif act == 2:
        array = array.reshape(-1)[: draw.randrange(array.size + 1)].copy()
    elif act == 3:
        array = array.astype(draw.choice(["<f8", "<i8", "|u1", "<f4", "|b1"]))
    elif act == 4:
        array = array[None].copy()
    arrays[name] = array
    if act == 5:
        taken = draw.choice([*sorted(arrays), "elsewhere"])
        arrays[taken] = arrays.pop(name)
    return whole(head, arrays)


def changed_header(blob: bytes, draw: random.Random) -> bytes:
    """Change what safetensors says of an array: its place, its shape or its type."""
    length = int.from_bytes(blob[:8], "little")
    header, data = json.loads(blob[8 : 8 + length]), blob[8 + length :]
    names = [name for name in header if name != "__metadata__"]
    if names:
        facts = header[draw.choice(names)]
        key = draw.choice(["dtype", "shape", "data_offsets"])
        if key == "dtype":
            facts[key] = draw.choice(["F64", "F16", "BF16", "I8", "BOOL", "U64", "F8_E4M3", "X"])
        else:
            numbers = list(facts[key]) or [1]
            at = draw.randrange(len(numbers))
            numbers[at] = draw.choice([0, 1, numbers[at] + 8, max(numbers[at] - 8, 0), 2**62, -1])
            facts[key] = numbers
    text = json.dumps(header, separators=(",", ":")).encode()
    return signed(len(text).to_bytes(8, "little") + text + data)


def bits_with_a_checksum(blob: bytes, draw: random.Random) -> bytes:
    """Change bytes, and make the checksum right again."""
    return signed(draw.choice(BYTES)(blob, draw))


SIGNED = (changed_description, changed_description, changed_array, changed_header)
SIGNED += (bits_with_a_checksum,)


# -- what becomes of them -------------------------------------------------------------------------


def mutation(number: int, seed: int, found: Sequence[Source]) -> tuple[Source, bytes, bool]:
    """Return a source, what it has been changed into, and whether its checksum is right."""
    draw = random.Random(seed * 1_000_003 + number)
    source = found[number % len(found)]
    is_signed = bool(number // len(found) % 2)
    change: Callable[[bytes, random.Random], bytes] = draw.choice(SIGNED if is_signed else BYTES)
    return source, change(source.blob, draw), is_signed


def put_to_use(model: Any, source: Source) -> None:
    """Predict, and go on learning."""
    for act in ("predict", "predict_proba", "partial_fit", "__call__"):
        if source.target is None and act != "__call__":
            continue
        method = getattr(model, act, None)
        if method is None:
            continue
        with suppress(Exception):
            given = (source.inputs, source.target[: len(source.inputs)])
            method(*(given if act == "partial_fit" else given[:1]))


def loaded(path: Path) -> Any:
    """Return the model of a file; most need no objects of the user's."""
    with quietly():
        return fastmlp.load(path, custom_objects=of.own_objects_once())


def fate(path: Path, source: Source, pipe: int) -> int:
    """Load a changed file and use its model; return what became of it."""
    signal.setitimer(signal.ITIMER_PROF, flips.SECONDS_PER_FLIP)
    try:
        os.write(pipe, bytes([flips.LOADING]))
        try:
            model = loaded(path)
        except ValueError as error:
            plain = "\n" not in str(error) and len(str(error)) < 1000
            return REFUSED if plain else OTHER_ERROR
        except Exception:
            return OTHER_ERROR
        os.write(pipe, bytes([flips.USING]))
        same = False
        with suppress(Exception):
            same = said_by(model, source.inputs) == source.said
        put_to_use(model, source)
        return SAME if same else ANOTHER
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def child(numbers: range, seed: int, found: Sequence[Source], folder: Path, pipe: int) -> None:
    """Go through mutations until the end, or the child's."""
    signal.signal(signal.SIGPROF, flips.time_up)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    flips.limit_memory()
    path = folder / f"mutated{os.getpid()}"
    for number in numbers:
        code = SLOW
        source, blob, _ = mutation(number, seed, found)
        path.write_bytes(blob)
        with suppress(flips.TimeUpError):
            code = fate(path, source, pipe)
        os.write(pipe, bytes([code]))
    path.unlink()


def run_all(count: int, seed: int) -> dict[str, Any]:
    """Return how many files came to what, by whether their checksum was right, and the crashes."""
    outcomes: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    crashes, unnoticed = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = sources(folder)
        done = 0
        while done < count:
            numbers = range(done, min(done + PART, count))
            heard, how, _ = run_child(partial(child, numbers, seed, found, folder))
            fates = [code for code in heard if code in NAMES]
            for number, code in zip(numbers, fates, strict=False):
                source, blob, is_signed = mutation(number, seed, found)
                outcomes[is_signed][NAMES[code]] += 1
                is_changed = blob != source.blob
                if not is_signed and is_changed and code != REFUSED:
                    unnoticed.append([number, source.name, NAMES[code]])
                if code == OTHER_ERROR and is_signed:
                    unnoticed.append([number, source.name, NAMES[code]])
            done += len(fates)
            if len(fates) < len(numbers):
                crashes.append([done, found[done % len(found)].name, how or "left"])
                done += 1
    names = {False: "bytes", True: "signed"}
    return {
        "outcomes": {names[key]: dict(counts) for key, counts in outcomes.items()},
        "crashes": crashes,
        "unnoticed": unnoticed,
    }


def report(count: int, seed: int) -> None:
    """Mutate, and print what came of it."""
    warnings.simplefilter("ignore")
    print(json.dumps(run_all(count, seed)))

"""Weighted sums over all ranks of a group, the same bits on each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from fastmlp.dask.exchange import Member, Message

__all__ = ["bytes_of_sum", "weighted_sum", "weighted_sum_of_ranks"]

#: Elements that are summed at a time: few enough to stay in the cache, and to need no pages of
#: their own, which workers of Dask give back to the system at once.
_BLOCK = 1 << 14

Numbers = tuple[float, ...]
Tag = tuple[int, ...]


def bytes_of_sum(n_bytes: int, n_ranks: int) -> float:
    """Return how many bytes each rank sends for the sum of arrays of ``n_bytes``."""
    return n_bytes * 2 * (n_ranks - 1) / n_ranks


def weighted_sum(parts: Sequence[np.ndarray], shares: Sequence[float], out: np.ndarray) -> None:
    """out (n,) = Σ_r share_r · part_r, in this order; shares that are all the same come last."""
    are_alike = len(parts) > 1 and len(set(shares)) == 1
    term = np.empty(min(_BLOCK, len(out)), out.dtype)
    for begin in range(0, len(out), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        if not are_alike:
            total = np.multiply(parts[0][block], shares[0], out=out[block])
            for part, share in zip(parts[1:], shares[1:], strict=True):
                total += np.multiply(part[block], share, out=term[: len(total)])
        else:  # with one product less for each part
            total = np.add(parts[0][block], parts[1][block], out=out[block])
            for part in parts[2:]:
                total += part[block]
            total *= shares[0]


def weighted_sum_of_ranks(
    member: Member,
    tag: Tag,
    array: np.ndarray,
    numbers: Numbers,
    shares_of: Callable[[list[Numbers]], Sequence[float]],
    out: np.ndarray,
) -> list[Numbers]:
    """out (n,) = Σ_r share_r · array_r of all ranks r, in their order.

    Two ranks send each other all they have. Of more, rank r sums the r-th of as many slices and
    sends it to all others. So each rank sends 2 (R − 1)/R times the array, for R ranks.

    Parameters
    ----------
    member : Member
    tag : tuple of int
        Says which sum it is.
    array : ndarray, shape (n,)
        It may be read by others until the next sum has been made.
    numbers : tuple of float
        What all ranks are told besides.
    shares_of : callable
        Maps the numbers of all ranks to their shares.
    out : ndarray, shape (n,)
        Not ``array``.

    Returns
    -------
    list of tuple of float
        The numbers of all ranks.
    """
    n_ranks = len(member.addresses)
    if n_ranks <= 2:
        member.send((other, Message(tag, numbers, array)) for other in member.others)
        parts, all_numbers = _collected(member, tag, array, numbers)
        weighted_sum(parts, shares_of(all_numbers), out)
        return all_numbers
    bounds = [len(array) * rank // n_ranks for rank in range(n_ranks + 1)]
    slices = [slice(begin, end) for begin, end in pairwise(bounds)]
    member.send((other, Message(tag, numbers, array[slices[other]])) for other in member.others)
    own = slices[member.rank]
    parts, all_numbers = _collected(member, tag, array[own], numbers)
    done = member.scratch(len(parts[0]), array.dtype)  # ``out`` is changed while others read this
    weighted_sum(parts, shares_of(all_numbers), done)
    out[own] = done
    member.send((other, Message(tag, (), done)) for other in member.others)
    for other in member.others:
        out[slices[other]] = member.receive(other, tag).array
    return all_numbers


def _collected(
    member: Member, tag: Tag, own: np.ndarray, numbers: Numbers
) -> tuple[list[np.ndarray], list[Numbers]]:
    """Return what all ranks have sent, in their order."""
    parts, all_numbers = [own] * len(member.addresses), [numbers] * len(member.addresses)
    for other in member.others:
        message = member.receive(other, tag)
        parts[other], all_numbers[other] = message.array, message.numbers
    return parts, all_numbers

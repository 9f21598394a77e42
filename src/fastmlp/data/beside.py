"""An iterator that runs in a thread of its own, a few items ahead of whoever takes them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Any, TypeVar

__all__ = ["beside"]

T = TypeVar("T")

_END = object()


def beside(items: Generator[T, None, None], n_ahead: int) -> Generator[T, None, None]:
    """Yield what ``items`` yields, of which a thread makes up to ``n_ahead`` beforehand.

    What is yielded does not depend on ``n_ahead``. The thread begins an item only when there is
    room for it, so ``n_ahead + 1`` are in memory at most. It ends with the iterator, also if that
    is left early, and what it raises is raised here.
    """
    return items if n_ahead == 0 else _beside(items, n_ahead)


def _beside(items: Generator[T, None, None], n_ahead: int) -> Generator[T, None, None]:
    room, made = Semaphore(n_ahead), SimpleQueue[Any]()
    left: list[bool] = []

    def make() -> None:
        try:
            with closing(items) as source:
                while room.acquire() and not left:
                    item = next(source, _END)
                    made.put((item, None))
                    if item is _END:
                        return
        except BaseException as error:
            made.put((_END, error))

    thread = Thread(target=make, name="fastmlp reader", daemon=True)
    try:
        thread.start()  # within, as Ctrl-C may come while it waits for the thread
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if item is _END:
                return
            room.release()
            yield item
    finally:
        left.append(True)
        room.release()
        if thread.ident is not None:
            thread.join()

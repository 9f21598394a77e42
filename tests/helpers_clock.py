"""A clock that moves when a test says so, and a backend whose work takes that time."""

from __future__ import annotations

from fastmlp.backends import get_backend
from fastmlp.training import clock


class Clock:
    """Moves on by so much for each row that is trained on, for each one predicted, and so on."""

    def __init__(self):
        self.time, self.trained, self.predicted, self.evaluated = 1000.0, 0.0, 0.0, 0.0
        self.calls = 0

    def now(self):
        return self.time

    def wrapped(self, backend):
        """Return a backend, or its executor, whose work takes its time."""
        outer = self

        class Timed:
            def __getattr__(self, name):
                return getattr(backend, name)

            def bind(self, *arguments):
                return outer.wrapped(backend.bind(*arguments))

            def train(self, parameters, moments, rows, order, *more):
                outer.time += outer.trained * len(order)
                outer.calls += 1
                return backend.train(parameters, moments, rows, order, *more)

            def gradient(self, *arguments):
                outer.time += outer.evaluated
                return backend.gradient(*arguments)

            def predict(self, plan, parameters, X, rows, *more):
                outer.time += outer.predicted * len(X if rows is None else rows)
                return backend.predict(plan, parameters, X, rows, *more)

        return Timed()


def slow_clock(monkeypatch):
    """Put a clock of slow work, in calls of one batch, in the place of the true one."""
    slow = Clock()
    monkeypatch.setattr(clock, "now", slow.now)
    monkeypatch.setattr("fastmlp.training.loop.batches_per_call", lambda *_: 1)
    backend = slow.wrapped(get_backend("compiled"))
    monkeypatch.setattr("fastmlp.estimators.answers.get_backend", lambda _: backend)
    return slow

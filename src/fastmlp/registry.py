"""Names and codes of every operation: the only place that maps one to the other.

A row here plus one implementation per backend is all that a new activation, loss or optimiser
needs. The tests are generated from these tables, so a backend that lacks an operation fails.
The codes are repeated in ``csrc/fastmlp.h``; a test holds the two lists against each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

__all__ = ["ACTIVATIONS", "LOSSES", "OPTIMIZERS", "Activation", "Loss", "Optimizer"]


@dataclass(frozen=True)
class Activation:
    """An element-wise function h = f(z); ``formula`` and ``derivative`` are for people."""

    name: str
    code: int
    formula: str
    derivative: str


@dataclass(frozen=True)
class Loss:
    """A loss of one sample together with its natural output link.

    Attributes
    ----------
    target : {"class", "real"}
        ``"class"``: the target is the number of the class, one column. ``"real"``: one column per
        output.
    link : {"softmax", "logistic", "identity"}
        What turns the network's last layer into a prediction.
    mean_over_outputs : bool
        The reported cost is divided by the number of outputs. The gradient is not: scikit-learn
        reports the mean squared error over the outputs but descends along its sum.
    """

    name: str
    code: int
    target: str
    link: str
    formula: str
    mean_over_outputs: bool = False


@dataclass(frozen=True)
class Optimizer:
    """A rule that turns a gradient into new parameters; ``n_moments`` vectors are its memory."""

    name: str
    code: int
    n_moments: int


_Row = TypeVar("_Row", bound=Activation | Loss | Optimizer)


class Table(Generic[_Row]):
    """Rows by name and by code, in the order in which they were written."""

    def __init__(self, *rows: _Row) -> None:
        self._by_name: Mapping[str, _Row] = MappingProxyType({row.name: row for row in rows})
        self._by_code: Mapping[int, _Row] = MappingProxyType({row.code: row for row in rows})
        if not len(rows) == len(self._by_name) == len(self._by_code):
            raise ValueError("a name or a code stands twice in the table")

    def __getitem__(self, name: str) -> _Row:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[_Row]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def by_code(self, code: int) -> _Row:
        """Return the row with this code."""
        return self._by_code[int(code)]

    @property
    def names(self) -> list[str]:
        """All names, in table order."""
        return list(self._by_name)


ACTIVATIONS: Table[Activation] = Table(
    Activation("identity", 0, "z", "1"),
    Activation("logistic", 1, "1 / (1 + exp(-z))", "h (1 - h)"),
    Activation("tanh", 2, "(exp(z) - exp(-z)) / (exp(z) + exp(-z))", "1 - h^2"),
    Activation("relu", 3, "max(0, z)", "1 for z > 0, else 0 (0 at z = 0 by our definition)"),
)

LOSSES: Table[Loss] = Table(
    Loss(
        "softmax_cross_entropy",
        0,
        target="class",
        link="softmax",
        formula="log(sum_j exp(z_j)) - z_y",
    ),
    Loss(
        "binary_cross_entropy",
        1,
        target="real",
        link="logistic",
        formula="sum_j log(1 + exp(z_j)) - y_j z_j",
    ),
    Loss(
        "squared_error",
        2,
        target="real",
        link="identity",
        formula="1/2 sum_j (z_j - y_j)^2",
        mean_over_outputs=True,
    ),
)

OPTIMIZERS: Table[Optimizer] = Table(
    Optimizer("sgd", 0, n_moments=1),
    Optimizer("adam", 1, n_moments=2),
    Optimizer("adamw", 2, n_moments=2),
)

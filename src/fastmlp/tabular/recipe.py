"""A recipe: all settings by which one network learns from a table."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

__all__ = ["INPUTS", "Recipe"]

#: What ``inputs`` may name.
INPUTS = ("pieces", "places", "pairs")


@dataclass(frozen=True)
class Recipe:
    """All settings of one network: what it sees of a table, its shape, and how it learns.

    Parameters
    ----------
    inputs : tuple of str, default=()
        What the network sees beside each number, less its median, divided by its quartiles'
        distance and bent smoothly towards ±3, and a column for each level of each category:

        - "pieces": each number in ``n_pieces`` parts between its quantiles, of which those below it
          are 1 and those above it 0 (Gorishniy et al. 2022, "piecewise-linear encoding");
        - "places": the same for longitude and latitude turned by ``n_angles`` angles, if the table
          has columns with such names;
        - "pairs": the same for ``n_pairs`` random turns of two numbers each.
    n_pieces : int, default=32
    n_pairs : int, default=64
    n_angles : int, default=8
    max_levels : int, default=64
        Inputs of a category at most; the least frequent levels share one.
    input_scale : float, default=1.0
        By what all inputs are multiplied. Larger ones let a network learn rougher functions of
        them, as if its first weights were larger and learnt faster.
    embedding : {"pbld", "plr", "piecewise_linear"}, default=None
        What the network learns to make of each number before its first layer, beside or instead of
        the number, and of each category: a row of eight numbers for each level of a large one
        (:mod:`fastmlp.embeddings`). A table of more than 4096 columns is learnt without.
    scaling_layer : bool, default=False
        Whether each input has a factor that is learnt (``scaling_layer`` of MLPClassifier).
    hidden_layer_sizes : tuple of int, default=(256, 256, 256)
    activation : str, default="gelu"
    parametric_activation : bool, default=False
        Whether each unit learns how much of the activation it takes.
    init : str, default="auto"
        How the weights begin: "data_driven" as in RealMLP, or another name that ``init`` of
        MLPClassifier takes.
    dropout : float, default=0.15
    learning_rate_init : float, default=0.005
        The largest learning rate, which rises over the first fifth of the fit and then falls along
        a cosine (Smith & Topin 2018, "Super-convergence").
    beta_2 : float, default=0.95
    weight_decay : float, default=0.02
    label_smoothing : float, default=0.1
        For classes only.
    batch_size : int, default=256
    max_iter : int, default=40
        Epochs.
    matmul_precision : {"highest", "high", "medium"}, default="highest"
        How exactly products take their numbers (``matmul_precision`` of MLPClassifier).
    transform : {"log", "quantile"}, default=None
        What real targets go through before they are learnt: their logarithm, or the normal deviate
        of their rank.

    Examples
    --------
    >>> from fastmlp.tabular import Recipe
    >>> Recipe(max_iter=80).with_(dropout=0.0).max_iter
    80
    >>> print(Recipe(inputs=("pieces",)))  # doctest: +ELLIPSIS
    inputs                 ('pieces',)
    n_pieces               32
    ...
    """

    inputs: tuple[str, ...] = ()
    n_pieces: int = 32
    n_pairs: int = 64
    n_angles: int = 8
    max_levels: int = 64
    input_scale: float = 1.0
    embedding: str | None = None
    scaling_layer: bool = False
    hidden_layer_sizes: tuple[int, ...] = (256, 256, 256)
    activation: str = "gelu"
    parametric_activation: bool = False
    init: str = "auto"
    dropout: float = 0.15
    learning_rate_init: float = 0.005
    beta_2: float = 0.95
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    batch_size: int = 256
    max_iter: int = 40
    matmul_precision: str = "highest"
    transform: str | None = None

    def with_(self, **settings: Any) -> Recipe:
        """Return a copy with other settings."""
        return replace(self, **settings)

    def __str__(self) -> str:
        width = max(len(field.name) for field in fields(self)) + 2
        lines = [f"{field.name:{width}}{getattr(self, field.name)!r}" for field in fields(self)]
        return "\n".join(lines)

    @property
    def summary(self) -> str:
        """A short name: the further inputs, and what differs from the defaults."""
        others = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if field.name != "inputs" and getattr(self, field.name) != field.default
        ]
        return ", ".join([" + ".join(self.inputs) or "plain", *others])

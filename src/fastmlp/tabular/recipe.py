"""Recipes: all settings by which one network learns from a table."""

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
        What the network sees in addition. In any case it sees each number, scaled by its median and
        quartiles and bent smoothly towards ±3, and a column for each level of each category. It can
        also see

        - "pieces": each number in ``n_pieces`` parts between its quantiles. Parts below the number
          are 1, and parts above it are 0 (Gorishniy et al. 2022, "piecewise-linear encoding");
        - "places": the same for longitude and latitude turned by ``n_angles`` angles, if the table
          has columns with such names;
        - "pairs": the same for ``n_pairs`` random turns of two numbers each.
    n_pieces : int, default=32
        Number of parts, for "pieces", "places" and "pairs".
    n_pairs : int, default=64
        Number of turned pairs, for "pairs".
    n_angles : int, default=8
        Number of angles, for "places".
    max_levels : int, default=64
        The largest number of inputs of a category. The least frequent levels share one.
    input_scale : float, default=1.0
        Factor of all inputs. With a larger one, the network learns rougher functions of them, as if
        its first weights were larger and learnt faster.
    embedding : {"pbld", "plr", "piecewise_linear"}, default=None
        What the network learns to make of each number before its first layer
        (:mod:`fastmlp.embeddings`). With an embedding, each level of a large category also gets a
        row of eight numbers that is learnt. Tables of more than 4096 columns have none.
    scaling_layer : bool, default=False
        Whether each input has a factor that is learnt, as ``scaling_layer`` of MLPClassifier.
    hidden_layer_sizes : tuple of int, default=(256, 256, 256)
        Number of units in each hidden layer.
    activation : str, default="gelu"
    parametric_activation : bool, default=False
        Whether each unit learns how much of the activation it takes.
    init : str, default="auto"
        How the weights begin. It takes the names that ``init`` of MLPClassifier takes, such as
        "data_driven", which RealMLP has.
    dropout : float, default=0.15
    learning_rate_init : float, default=0.005
        The largest learning rate, which rises over the first fifth of the fit and then falls along
        a cosine (Smith & Topin 2018, "Super-convergence").
    beta_2 : float, default=0.95
    weight_decay : float, default=0.02
    label_smoothing : float, default=0.1
        Share of each label that is spread over all classes. Regressors ignore it.
    batch_size : int, default=256
    max_iter : int, default=40
        Number of epochs. Of all rows of a source of which a sample has raced there are fewer.
    matmul_precision : {"highest", "high", "medium"}, default="highest"
        How exactly products take their numbers, as ``matmul_precision`` of MLPClassifier.
    transform : {"log", "quantile"}, default=None
        What the network learns in the place of a real target: its logarithm, or the normal deviate
        of its rank.

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
        """A short name: the additional inputs, and the settings that differ from the defaults."""
        others = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if field.name != "inputs" and getattr(self, field.name) != field.default
        ]
        return ", ".join([" + ".join(self.inputs) or "plain", *others])

r"""
Back-propagation, number by number
==================================

A network of 4 inputs, 5 hidden units and 3 outputs, one sample. Forward,

.. math:: z = x W_1, \quad h = \sigma(z), \quad s = h W_2, \quad o = \sigma(s), \quad L(o, y).

Backward, the chain rule carries :math:`\partial L` from the loss to every weight:

.. math::
   \frac{\partial L}{\partial s} = o - y, \quad
   \frac{\partial L}{\partial W_2} = h^T \frac{\partial L}{\partial s}, \quad
   \frac{\partial L}{\partial h} = \frac{\partial L}{\partial s} W_2^T, \quad
   \frac{\partial L}{\partial z} = \frac{\partial L}{\partial h} \odot \sigma'(z), \quad
   \frac{\partial L}{\partial W_1} = x^T \frac{\partial L}{\partial z}.
"""

# sphinx_gallery_thumbnail_number = 3
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from fastmlp import MLPClassifier, activation, activation_derivative
from fastmlp.plots import NetworkDiagramDisplay

x, y = np.array([[1.0, -0.5, 0.25, 2.0]]), np.array([[1, 0, 1]])  # three labels, yes or no each

model = MLPClassifier(hidden_layer_sizes=(5,), activation="logistic", dtype="float64").partial_fit(
    x, y
)
rng = np.random.default_rng(1)
for weights, biases in zip(model.coefs_, model.intercepts_, strict=True):
    weights[:], biases[:] = rng.normal(size=weights.shape), 0

# %%
# The check comes first. It does not trust any formula: it moves each of the 35 weights a little and
# looks what the loss does. The library's gradient must be the same.


def slope(weights: np.ndarray, place: tuple[int, int]) -> float:
    """Return how the loss changes with one weight, by central differences."""
    before, losses = weights[place], []
    for step in (1e-5, -1e-5):
        weights[place] = before + step
        losses.append(model.cost(x, y))
    weights[place] = before
    return (losses[0] - losses[1]) / 2e-5


numerical = [
    np.array([[slope(w, (i, j)) for j in range(w.shape[1])] for i in range(len(w))])
    for w in model.coefs_
]
(w_1, w_2), (dw_1, dw_2) = model.coefs_, model.gradient(x, y).coefs
np.testing.assert_allclose(dw_1, numerical[0], atol=1e-9)
np.testing.assert_allclose(dw_2, numerical[1], atol=1e-9)

# %%
# The same by hand, from the formulas above.

z = x @ w_1
h = activation("logistic", z)
o = activation("logistic", h @ w_2)
ds = o - y
dh = ds @ w_2.T
dz = dh * activation_derivative("logistic", z)
np.testing.assert_allclose(dw_2, h.T @ ds, atol=1e-14)
np.testing.assert_allclose(dw_1, x.T @ dz, atol=1e-14)

# %%
# The graph of the computation
# ----------------------------
# Values flow to the right, in black; gradients flow back to the left, in vermilion: what the loss
# would gain if the number beside it grew by one.

nodes = {
    "x": (0.0, x, dz @ w_1.T),
    "z = xW₁": (2.6, z, dz),
    "h = σ(z)": (5.2, h, dh),
    "s = hW₂": (7.8, h @ w_2, ds),
    "o = σ(s)": (10.4, o, ds / (o * (1 - o))),
    "L": (13.0, np.array([[model.cost(x, y)]]), np.ones((1, 1))),
}


def decimals(number: float) -> str:
    """Write two decimals, with a minus sign as long as a plus, and no minus before zero."""
    return f"{round(number, 2) + 0.0:.2f}".replace("-", "−")


def draw_node(
    ax: plt.Axes, place: float, name: str, values: np.ndarray, slopes: np.ndarray
) -> None:
    """Draw a box with a column of values and one of gradients beside it."""
    height = 0.5 * values.size + 0.2
    ax.add_patch(Rectangle((place - 0.9, -height / 2), 1.8, height, fill=False, edgecolor="0.5"))
    ax.text(place, height / 2 + 0.15, name, ha="center", va="bottom", weight="bold")
    for column, numbers, color in ((-0.75, values, "black"), (0.12, slopes, "C5")):
        for row, number in enumerate(numbers.ravel()):
            y_place = 0.5 * ((values.size - 1) / 2 - row)
            ax.text(place + column, y_place, decimals(number), va="center", color=color)


figure, ax = plt.subplots(figsize=(12.5, 4.2))
for name, (place, values, slopes) in nodes.items():
    draw_node(ax, place, name, values, slopes)
    if name != "x":
        ax.annotate("", (place - 0.95, 0.12), (place - 1.65, 0.12), arrowprops={"arrowstyle": "->"})
        ax.annotate("", (place - 1.65, -0.12), (place - 0.95, -0.12),
                    arrowprops={"arrowstyle": "->", "color": "C5"})  # fmt: skip
for place, name in ((1.3, "W₁"), (6.5, "W₂")):
    ax.annotate(name, (place, 0.15), (place, 1.7), ha="center", weight="bold",
                arrowprops={"arrowstyle": "->"})  # fmt: skip
ax.set(xlim=(-1, 14), ylim=(-1.7, 2.2))
ax.set_axis_off()
plt.show()

# %%
# The gradients of the weights
# ----------------------------
# Every path from the loss to a weight adds a term. A weight of the second layer has one path, a
# weight of the first layer three, one through each output.

figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), width_ratios=(5, 3))
for ax, name, slopes in ((axes[0], "W₁", dw_1), (axes[1], "W₂", dw_2)):
    ax.imshow(slopes, cmap="PuOr", vmin=-0.9, vmax=0.9, aspect="auto")
    for (row, column), number in np.ndenumerate(slopes):
        ax.text(column, row, decimals(number), ha="center", va="center")
    ax.set(title=f"∂L/∂{name}", xlabel="to unit", ylabel="from unit")
    ax.set_xticks(range(slopes.shape[1]))
    ax.set_yticks(range(slopes.shape[0]))
plt.show()

# %%
# The same step on the network
# ----------------------------
# Left: activations in the circles, weights as lines. Right: the gradients of both. The loss asks
# most of the weights that lead from an active unit to a wrong output.

figure, axes = plt.subplots(1, 2, figsize=(12, 5))
for ax, title, quantity, coefs, values in (
    (axes[0], "Forward: values and weights", "weight", (w_1, w_2), (x, h, o)),
    (axes[1], "Backward: their gradients", "gradient", (dw_1, dw_2), (dz @ w_1.T, dz, ds)),
):
    NetworkDiagramDisplay(
        [4, 5, 3], coefs=coefs, unit_values=[v[0] for v in values], quantity=quantity
    ).plot(ax=ax)
    ax.set_title(title, pad=36)
plt.show()

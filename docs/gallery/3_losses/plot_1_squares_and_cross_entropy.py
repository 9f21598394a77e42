r"""
Two losses by hand
==================

Regression is judged by the mean of squares,
:math:`\frac1n \sum_i (y_i - \hat y_i)^2`, classification by the cross-entropy
:math:`-\sum_i p_i \log q_i` between the true distribution :math:`p` and the predicted
:math:`q`. Both by hand, and by the library.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from fastmlp import MLPRegressor, cross_entropy

# %%
# Squares
# -------
# The label is (1, 2), the prediction (1.5, 1.5). Each error is the side of a square; the loss is
# the mean of their areas, (0.25 + 0.25)/2 = 0.25.

label, prediction = np.array([1.0, 2.0]), np.array([1.5, 1.5])
mse = np.mean((label - prediction) ** 2)
assert mse == 0.25

figure, ax = plt.subplots(figsize=(7, 3.6))
ax.plot([0, 1], label, "o", markersize=9, label="label (1, 2)")
ax.plot([0, 1], prediction, "s", markersize=9, label="prediction (1.5, 1.5)")
for i, (true, guess) in enumerate(zip(label, prediction, strict=True)):
    side = abs(guess - true)
    ax.add_patch(Rectangle((i, min(true, guess)), side, side, alpha=0.25, color="C2", zorder=0))
    ax.text(i + side / 2, (true + guess) / 2, f"{side:g}²\n= {side**2:g}", ha="center", va="center")
ax.set(xlim=(-0.3, 1.8), ylim=(0.8, 2.2), aspect="equal", ylabel="value", title="Mean area: 0.25")
ax.set_xticks([0, 1], ["output 1", "output 2"])
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %%
# A network whose weights are set to answer (1.5, 1.5) reports half of it: the loss that it descends
# is ½ (y − ŷ)², whose slope is the plain difference.

network = MLPRegressor(hidden_layer_sizes=(), dtype="float64")
network.partial_fit([[0.0]], [label])
network.coefs_[0][:], network.intercepts_[0][:] = 0, prediction
assert np.isclose(2 * network.cost([[0.0]], [label]), mse)

# %%
# Cross-entropy
# -------------
# The truth is class 2, p = (0, 0, 1, 0); the network says q = (0.05, 0.1, 0.7, 0.15). Only the
# probability that it gave to the truth counts: −log 0.7 = 0.3567. The curve shows the price of
# giving it less.

p, q = np.array([0, 0, 1, 0]), np.array([0.05, 0.1, 0.7, 0.15])
loss = cross_entropy(p, q)
assert round(float(loss), 4) == 0.3567

figure, (left, right) = plt.subplots(1, 2)
places = np.arange(4)
left.bar(places - 0.2, p, 0.4, label="truth p")
bars = left.bar(places + 0.2, q, 0.4, label="prediction q")
left.bar_label(bars, q, padding=2, fontsize="small")
left.set(xlabel="class", ylabel="probability", title="Truth and prediction", xticks=places)
left.legend(loc="upper left")
share = np.linspace(0.02, 1, 200)
right.plot(share, -np.log(share), color="C2")
right.plot(q[2], loss, "o", color="C5", markersize=9)
right.annotate(f"−log 0.7 = {loss:.4f}", (q[2], loss), (0.56, 1.1), color="C5",
               arrowprops={"arrowstyle": "-", "color": "C5"})  # fmt: skip
right.set(xlabel="probability given to the truth", ylabel="loss", title="The price of doubt")
right.set_ylim(bottom=0)
plt.show()

r"""
L1 makes weights few, L2 makes them small
=========================================

Both penalties pull the weights towards zero, L2 by :math:`\frac{\lambda}{2} \sum w^2`, L1 by
:math:`\lambda \sum |w|`. The picture to remember: contours of a loss over two weights, and the set
of weights of equal penalty. The best point within is where a contour just touches the set. The
circle of L2 is touched anywhere; the diamond of L1 is touched at a corner, where one of the weights
is exactly zero.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from fastmlp import MLPClassifier
from fastmlp.plots import WeightDistributionDisplay

center, shape = np.array([1.0, 1.6]), np.array([[1.0, 0.55], [0.55, 1.6]])
w = np.stack(np.meshgrid(np.linspace(-1.6, 2.6, 400), np.linspace(-1.6, 2.6, 400)), axis=-1)


def loss(w: np.ndarray) -> np.ndarray:
    """Return a quadratic loss of weights (..., 2)."""
    return np.einsum("...i,ij,...j->...", w - center, shape, w - center)


angle = np.linspace(0, 2 * np.pi, 4001)
circle = np.column_stack([np.cos(angle), np.sin(angle)])
diamond = circle / np.abs(circle).sum(axis=1, keepdims=True)

figure, axes = plt.subplots(1, 2, figsize=(10, 4.6))
for ax, border, name in (
    (axes[0], circle, "L2: w₁² + w₂² ≤ 1"),
    (axes[1], diamond, "L1: |w₁| + |w₂| ≤ 1"),
):
    best = border[loss(border).argmin()]
    ax.contour(*np.moveaxis(w, -1, 0), loss(w), levels=np.sort([0.1, 0.5, loss(best), 3, 5]),
               colors="0.6", linewidths=1.2)  # fmt: skip
    ax.fill(*border.T, alpha=0.3, color="C0")
    ax.plot(*center, "x", color="0.4", markersize=9, label="least loss")
    ax.plot(*best, "o", color="C5", markersize=9, label=f"({best[0]:.2f}, {best[1]:.2f})")
    ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    ax.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    ax.set(title=name, aspect="equal", xlabel="w₁", ylabel="w₂")
    ax.legend(loc="lower right")
plt.show()

assert np.allclose(diamond[loss(diamond).argmin()], [0, 1], atol=1e-3)
assert np.all(np.abs(circle[loss(circle).argmin()]) > 0.1)

# %%
# On real data
# ------------
# Three networks that read handwritten digits: without a penalty, with L2 (``alpha``), and with L1
# (``l1``). L2 draws the whole distribution together. L1 takes most of the weights away, exactly,
# and the network reads almost as well as before.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)

figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), sharex=True)
zeros = {}
penalties = {"no penalty": (0, 0), "L2": (1, 0), "L1": (0, 0.3)}
for ax, (name, (alpha, l1)) in zip(axes, penalties.items(), strict=True):
    model = MLPClassifier(
        (64,),
        solver="sgd",
        learning_rate_init=0.05,
        alpha=alpha,
        l1=l1,
        max_iter=3000,
        random_state=0,
    )
    score = model.fit(X_train, y_train).score(X_test, y_test)
    display = WeightDistributionDisplay.from_estimator(model, ax=ax)
    ax.set_title(f"{name}: {100 * score:.1f} % of new digits right")
    zeros[name] = display.zero_shares_
    assert score > 0.95
plt.show()

assert np.all(zeros["no penalty"] < 0.01)
assert np.all(zeros["L2"] < 0.01)
assert np.all(zeros["L1"] > 0.5)

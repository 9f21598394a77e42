r"""
The perceptron's line, and why XOR is beyond it
===============================================

Rosenblatt's perceptron (1958) learns its weights: wherever its answer
:math:`o = \sigma(w \cdot x + b)`, with σ(z) = 1 for z > 0 and else 0, differs from the label, it
moves its line a little towards the point that it got wrong. In two dimensions that line is

.. math:: x_1 = -\frac{w_0}{w_1} x_0 - \frac{b}{w_1}.

If some line separates the classes, the rule finds one and stops. If none does, it goes on for ever.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs

from fastmlp import RosenblattPerceptron
from fastmlp.plots import DecisionRegionDisplay

X, y = make_blobs(60, centers=[[-0.6, 1.4], [2.0, 0.0]], cluster_std=0.6, random_state=4)
perceptron = RosenblattPerceptron(random_state=0).fit(X, y)
assert perceptron.converged_
assert perceptron.score(X, y) == 1

(w,), (b,) = perceptron.coef_, perceptron.intercept_
line = perceptron.decision_line()
formula = f"x₁ = {line.slope:.2f} x₀ {line.intercept:+.2f}".replace("-", "−")
np.testing.assert_allclose(line, (-w[0] / w[1], -b / w[1]))

# %%
# Four points that no line can part
# ---------------------------------
# The labels of XOR: whichever line you draw, at least one of the four points is on the wrong side.
# A fine search over lines confirms it, and the perceptron never stops making mistakes. In the
# middle is the best line found, the one that passes the points at the largest distance.

corners, xor = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
angles, offsets = np.meshgrid(np.linspace(0, 2 * np.pi, 721), np.linspace(-2, 2, 401))
sums = corners @ np.array([np.cos(angles).ravel(), np.sin(angles).ravel()]) + offsets.ravel()
share_right = np.mean((sums > 0) == xor[:, np.newaxis], axis=0)
assert share_right.max() == 3 / 4
best = np.where(share_right == 3 / 4, np.abs(sums).min(axis=0), 0).argmax()

beyond = RosenblattPerceptron(max_iter=20, random_state=0)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says that it has not converged
    beyond.fit(corners, xor)
assert not beyond.converged_
beyond.coef_[0] = np.cos(angles).ravel()[best], np.sin(angles).ravel()[best]
beyond.intercept_[0] = offsets.ravel()[best]

figure, axes = plt.subplots(1, 3, figsize=(13, 4))
DecisionRegionDisplay.from_estimator(perceptron, X, y, ax=axes[0], legend=False)
axes[0].autoscale(False)  # the line goes beyond the picture
axes[0].axline((0, line.intercept), slope=line.slope, color="C5", linestyle="--")
axes[0].set_title(f"Separable: {formula}")
DecisionRegionDisplay.from_estimator(beyond, corners, xor, ax=axes[1])
axes[1].set_title(f"XOR: the best line has {4 * beyond.score(corners, xor):.0f} of 4 right")
for model, marker, label in ((perceptron, "o", "separable"), (beyond, "s", "XOR")):
    curve = model.mistakes_curve_
    axes[2].plot(range(1, len(curve) + 1), curve, marker=marker, label=label)
axes[2].set(title="Mistakes", xlabel="epoch", yticks=range(6))
axes[2].legend()
plt.show()

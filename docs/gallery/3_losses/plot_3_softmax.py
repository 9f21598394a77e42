r"""
Softmax: from scores to probabilities
=====================================

.. math:: S(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}

is positive, sums to 1, and depends only on the *differences* of the scores. Scaling the scores up
makes it sharper, towards the largest alone; scaling them down makes it flatter.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import cross_entropy, softmax

scores = np.array([2.0, 1.0, 0.5, -1.0])
figure, axes = plt.subplots(1, 4, figsize=(11, 3.2))
axes[0].bar(range(4), scores, color=["C0", "C1", "C2", "C3"])
axes[0].axhline(0, color="0.5", linewidth=0.8)
axes[0].set(title="scores z", ylim=(-1.2, 2.2))
for ax, scale in zip(axes[1:], (0.3, 1, 3), strict=True):
    bars = ax.bar(range(4), softmax(scale * scores), color=["C0", "C1", "C2", "C3"])
    ax.bar_label(bars, fmt="%.2f", padding=2, fontsize="small")
    ax.set(title=f"softmax({scale:g} z)", ylim=(0, 1.1))
for ax in axes:
    ax.set_xticks(range(4))
plt.show()

np.testing.assert_allclose(softmax(scores).sum(), 1)
np.testing.assert_allclose(softmax(scores + 1e4), softmax(scores), rtol=1e-12)  # no overflow

# %%
# Its gradient under cross-entropy
# --------------------------------
# With the cross-entropy behind it, the gradient with respect to the scores is what one would
# propose by hand: prediction minus truth. The score of the true class is pushed up, each of the
# others down in proportion to its probability, and nothing moves once the prediction is right.

truth = np.array([0, 0, 1, 0])
steps = 1e-6 * np.eye(4)
rise = [
    cross_entropy(truth, softmax(scores + d)) - cross_entropy(truth, softmax(scores - d))
    for d in steps
]
gradient = softmax(scores) - truth
np.testing.assert_allclose(gradient, np.array(rise) / 2e-6, atol=1e-9)

figure, ax = plt.subplots()
places = np.arange(4)
ax.bar(places - 0.27, softmax(scores), 0.25, label="prediction q")
ax.bar(places, truth, 0.25, label="truth p")
ax.bar(places + 0.27, -gradient, 0.25, label="step of the score: −gradient = p − q")
ax.axhline(0, color="0.3", linewidth=0.8)
loss = cross_entropy(truth, softmax(scores))
ax.set(xlabel="class", title=f"Class 2 is true, loss {loss:.3f}", xticks=places)
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

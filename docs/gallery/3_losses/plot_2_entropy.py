r"""
Surprise, entropy, and the price of a wrong belief
==================================================

An event of probability :math:`p` carries the information :math:`-\log p`: nothing if it was
certain, more the rarer it is. Entropy is the surprise to expect, :math:`H(p) = -\sum p \log p`.
Whoever believes :math:`q` where :math:`p` is true is more surprised than necessary,

.. math:: H(p, q) = H(p) + D_{KL}(p \| q),

by the relative entropy :math:`D_{KL}`. The truth's own entropy is out of reach, so to minimise
the cross-entropy :math:`H(p, q)` is to minimise the divergence.
"""

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

from fastmlp import cross_entropy, entropy, kl_divergence, self_information

p = np.linspace(0, 1, 501)
coin = np.column_stack([p, 1 - p])
assert np.isclose(entropy([0.5, 0.5]), np.log(2))  # a fair coin is the hardest to predict

figure, (left, right) = plt.subplots(1, 2)
left.plot(p[1:], self_information(p[1:]))
left.set(xlabel="probability p of the event", ylabel="nats", title="Surprise: −log p", ylim=(0, 5))
right.plot(p, entropy(coin))
right.axvline(0.5, color="C1", linestyle="--")
right.annotate(
    "fair coin: log 2 ≈ 0.693", (0.5, np.log(2)), (0.52, 0.15), color="C1", fontsize="small"
)
right.set(xlabel="probability p of heads", title="Entropy of a coin", ylim=(0, 0.75))
plt.show()

# %%
# Beliefs beside a truth
# ----------------------
# The lower part of each bar is the entropy of the truth, the same for all; the upper part is what
# the belief costs on top. Only the truth itself costs nothing.

truth = np.array([0.5, 0.3, 0.2])
beliefs = {
    "the truth\n(0.5, 0.3, 0.2)": truth,
    "nearly right\n(0.4, 0.4, 0.2)": np.array([0.4, 0.4, 0.2]),
    "no idea\n(⅓, ⅓, ⅓)": np.full(3, 1 / 3),
    "sure, and wrong\n(0.05, 0.05, 0.9)": np.array([0.05, 0.05, 0.9]),
}
q = np.array(list(beliefs.values()))
base, price = np.full(len(q), entropy(truth)), kl_divergence(truth, q)
np.testing.assert_allclose(cross_entropy(truth, q), base + price, rtol=1e-12)

figure, ax = plt.subplots()
ax.bar(list(beliefs), base, width=0.6, label="H(p), the entropy of the truth")
bars = ax.bar(list(beliefs), price, bottom=base, width=0.6, label="D(p‖q), the price of the belief")
ax.bar_label(bars, [f"H(p, q) = {total:.3f}" for total in base + price], padding=3)
ax.set(ylabel="nats", title="Cross-entropy = entropy + divergence", ylim=(0, 2.9))
ax.legend(loc="upper left")
plt.show()

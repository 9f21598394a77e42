r"""
How far to step: four learning rates
====================================

Gradient descent goes :math:`x \leftarrow x - LR \cdot f'(x)`. On :math:`f(x) = 4x^2` that is
:math:`x \leftarrow (1 - 8 LR)\, x`: each step multiplies :math:`x` by one factor, and the
learning rate decides which. Beyond a size of 1 the path runs away; at −1 it jumps to and fro for
ever; at −0.92 it still changes sides but gets there; at 0.2 it is there in a few steps.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import gradient_descent

N_STEPS = 12
paths = {
    rate: gradient_descent(lambda x: 4 * x**2, lambda x: 8 * x, 2.0, rate, N_STEPS)
    for rate in (1, 0.25, 0.24, 0.1)
}
for rate, path in paths.items():
    np.testing.assert_allclose(path.x, 2 * (1 - 8 * rate) ** np.arange(N_STEPS + 1), rtol=1e-12)

# The first steps without a learning rate (LR = 1): 2, −14, 98; f grows from 16 to 38416.
assert list(paths[1].x[:3]) == [2, -14, 98]
assert list(paths[1].f[:3]) == [16, 784, 38416]

# %%
# On the curve
# ------------
# Every path starts at x = 2. Mind the scale of the first picture.

figure, axes = plt.subplots(1, 4, figsize=(12, 3.6))
for ax, (rate, path) in zip(axes, paths.items(), strict=True):
    shown = path.x[:3] if path.diverged else path.x
    reach = 1.15 * np.abs(shown).max()
    x = np.linspace(-reach, reach, 200)
    ax.plot(x, 4 * x**2, color="0.7", linewidth=1.5)
    ax.plot(shown, 4 * shown**2, "o-", color="C5", linewidth=1, markersize=5)
    ax.plot(path.x[0], path.f[0], "o", color="C0", markersize=8)
    ax.set(title=f"LR = {rate:g}, factor {1 - 8 * rate:.3g}".replace("-", "−"), xlabel="x")
axes[0].set_ylabel("f(x) = 4x²")
plt.show()

# %%
# Over time
# ---------
# The distance from the minimum on a logarithmic scale: straight lines, their slope the logarithm of
# the factor's size.

fates = ("runs away", "swings for ever", "arrives, changing sides", "arrives")
figure, ax = plt.subplots()
for (rate, path), fate, marker in zip(paths.items(), fates, "^sod", strict=True):
    ax.semilogy(np.abs(path.x), marker=marker, label=f"LR = {rate:g}: {fate}")
ax.set(xlabel="step", ylabel="distance from the minimum, |x|", title="Steps of constant factor")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

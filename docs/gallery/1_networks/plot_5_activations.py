"""
Activations, their slopes, and where they fall silent
=====================================================

An activation bends what the layer before it computed. Training needs its slope: a gradient passes
through a unit only multiplied by it. Shaded is where the slope is below 0.05, so that hardly
anything passes: both ends of the old S-shaped functions, which are *saturated* there, and the left
half of ReLU. The newer functions are attempts to keep the right half of ReLU and to mend its left.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import activation, activation_derivative

NAMES = [
    *("identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "softplus", "gelu"),
    *("gelu_tanh", "silu", "mish", "hard_sigmoid", "hard_swish", "softsign"),
]
z = np.linspace(-6, 6, 1201)

figure, axes = plt.subplots(5, 3, figsize=(10, 11.5), sharex=True)
for ax, name in zip(axes.flat, NAMES, strict=True):
    slope = activation_derivative(name, z)
    steep = z[np.abs(slope) >= 0.05]
    for silent in ((z.min(), steep[0]), (steep[-1], z.max())):
        ax.axvspan(*silent, color="0.9", linewidth=0)
    ax.plot(z, activation(name, z), label="f(z)")
    ax.plot(z, slope, "--", label="slope f′(z)")
    ax.set(title=name, ylim=(-2.2, 3.2))
axes[0, 0].legend(loc="upper left")
figure.supxlabel("z", fontsize="medium")
plt.show()

# %%
# Why depth and saturation do not go together
# -------------------------------------------
# The logistic function is never steeper than ¼. Through ten layers of such units a gradient is
# multiplied by at most :math:`4^{-10}`, a millionth, before any weight has a say; through tanh or
# ReLU, whose largest slope is 1, it can arrive whole.

depth = np.arange(1, 11)
figure, ax = plt.subplots()
for name, label, marker in (("logistic", "logistic", "o"), ("tanh", "tanh and relu", "s")):
    steepest = activation_derivative(name, z).max()
    ax.semilogy(depth, steepest**depth, marker=marker, label=f"{label}: {steepest:g} a layer")
ax.set(xlabel="layers", ylabel="largest factor", title="What is left of a gradient, at best")
ax.set_xticks(depth)
ax.legend()
plt.show()

assert np.isclose(activation_derivative("logistic", z).max(), 1 / 4)
assert activation_derivative("tanh", z).max() == activation_derivative("relu", z).max() == 1
h = activation("tanh", z)
np.testing.assert_allclose(activation_derivative("tanh", z), 1 - h**2, atol=1e-15)

r"""
A neuron and the gates of logic
===============================

In 1943 McCulloch and Pitts described a neuron as a sum and a threshold: it fires when
:math:`\sum_i w_i x_i` reaches the threshold. Nothing is learnt, weights and threshold are set by
hand. That is enough for the gates of logic, so networks of such neurons can compute whatever logic
can.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import McCullochPittsNeuron
from fastmlp.plots import DecisionRegionDisplay, NetworkDiagramDisplay

inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
gates = {
    "AND": (McCullochPittsNeuron(weights=[1, 1], threshold=1.5), [0, 0, 0, 1]),
    "OR": (McCullochPittsNeuron(weights=[1, 1], threshold=0.5), [0, 1, 1, 1]),
    "NAND": (McCullochPittsNeuron(weights=[-1, -1], threshold=-1.5), [1, 1, 1, 0]),
    "x₀ AND NOT x₁": (McCullochPittsNeuron(weights=[1, -1], threshold=0.5), [0, 0, 1, 0]),
}
for neuron, truth in gates.values():
    np.testing.assert_array_equal(neuron.predict(inputs), truth)

invert = McCullochPittsNeuron(weights=[-1], threshold=-0.5)  # NOT has one input
np.testing.assert_array_equal(invert.predict([[0], [1]]), [1, 0])

# %%
# Each gate is a straight line through the square of its inputs. It fires on one side.

figure, axes = plt.subplots(2, 4, figsize=(12, 5), height_ratios=(2, 5))
for (above, below), (name, (neuron, truth)) in zip(axes.T, gates.items(), strict=True):
    diagram = NetworkDiagramDisplay([2, 1], coefs=[np.transpose([neuron.weights])]).plot(ax=above)
    diagram.ax_.get_legend().remove()
    for label in diagram.labels_:
        label.remove()
    weights = ", ".join(f"{w:+d}" for w in neuron.weights)
    above.set_ylim(-1, 1)
    above.set_title(f"{name}\nweights {weights}, threshold {neuron.threshold}".replace("-", "−"))
    last = below is axes[1, 3]
    display = DecisionRegionDisplay.from_estimator(neuron, inputs, truth, ax=below, legend=last)
    below.set(aspect="equal", xticks=[0, 1], yticks=[0, 1])
    for points in display.points_:
        points.set_sizes([90])
plt.show()

# %%
# Gates of gates
# --------------
# XOR is no single line, and no single neuron. Two neurons look at the inputs, a third one at the
# two: XOR is (OR) AND (NAND).

either, both_not = (gates[name][0].predict(inputs) for name in ("OR", "NAND"))
xor = gates["AND"][0].predict(np.column_stack([either, both_not]))
np.testing.assert_array_equal(xor, [0, 1, 1, 0])

print("inputs  OR  NAND  XOR")
for row in zip(inputs, either, both_not, xor, strict=True):
    print("{}    {}    {}    {}".format(*row))

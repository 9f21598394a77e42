"""
XOR, solved by two hidden units
===============================

No straight line tells the points (0, 0) and (1, 1) from (0, 1) and (1, 0), which is why one
perceptron gets at most three of the four right. A hidden layer of two units is enough: each draws
a line of its own, and *in the plane of their two answers* one straight line does separate the
classes.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import MLPClassifier
from fastmlp.plots import DecisionRegionDisplay, NetworkDiagramDisplay

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])

model = MLPClassifier(
    hidden_layer_sizes=(2,),
    activation="tanh",
    solver="lbfgs",
    alpha=0.01,
    dtype="float64",
    random_state=0,
)
model.fit(X, y)
assert model.score(X, y) == 1  # four of four

# %%
# The plane as the network sees it
# --------------------------------
# On the left the inputs: a band between two lines, one for each hidden unit, belongs to one
# class. On the right the same four points after the hidden layer, and the output unit's line.

(w_hidden, w_output), (b_hidden, b_output) = model.coefs_, model.intercepts_
hidden = np.tanh(X @ w_hidden + b_hidden)

output = MLPClassifier(hidden_layer_sizes=(), solver="lbfgs").fit(hidden, y)
output.coefs_[0][:], output.intercepts_[0][:] = w_output, b_output
assert output.score(hidden, y) == 1  # the last layer alone, a perceptron on the hidden units

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4))
DecisionRegionDisplay.from_estimator(model, X, y, ax=left, legend=False)
left.set_title("Inputs: a band, bounded by two lines")
DecisionRegionDisplay.from_estimator(output, hidden, y, ax=right)
right.set(title="Hidden units: one line is enough", xlabel="hidden unit 1", ylabel="hidden unit 2")
plt.show()

# %%
# The network itself
# ------------------
# Two inputs, two hidden units, one output, nine parameters with the biases.

NetworkDiagramDisplay.from_estimator(model)
plt.show()

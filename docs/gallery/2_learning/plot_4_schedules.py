r"""
Schedules: the learning rate over a fit
=======================================

A large step is right at the beginning, a small one at the end. Each of these schedules gives a
factor of ``learning_rate_init`` for every update of a fit; here a fit of 100 epochs with twenty
updates in each. Those that listen to the loss, ``Adaptive`` and ``ReduceOnPlateau``, have no curve
of their own.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import MLPClassifier
from fastmlp.schedules import (
    Clock,
    Constant,
    Cosine,
    CosineLog,
    Exponential,
    FlatCosine,
    OneCycle,
    Polynomial,
    Step,
    WarmUp,
)

N_EPOCHS = 100
epochs = np.arange(0, N_EPOCHS, 0.05)
schedules = [
    Constant(), Step(), Exponential(), Polynomial(), Polynomial(power=2), Cosine(),
    Cosine(T_0=14.3, T_mult=2), OneCycle(), FlatCosine(), CosineLog(),
    WarmUp(total_iters=10), WarmUp(Cosine(), total_iters=10, start_factor=0),
]  # fmt: skip
factors = {
    repr(schedule): [schedule(Clock(epoch=epoch, n_epochs=N_EPOCHS)) for epoch in epochs]
    for schedule in schedules
}
for curve in factors.values():
    assert min(curve) >= 0
    assert max(curve) <= 1
assert factors[repr(Step())][-1] == 0.1**3

figure, axes = plt.subplots(4, 3, figsize=(13, 11), sharex=True, sharey=True)
for ax, (name, curve) in zip(axes.flat, factors.items(), strict=True):
    ax.plot(epochs, curve)
    ax.set_title(name.replace("(schedule=", "(").replace(", ", ",\n", 1), fontsize=9)
for ax in axes[-1]:
    ax.set_xlabel("epoch")
for ax in axes[:, 0]:
    ax.set_ylabel("factor")
figure.tight_layout()
plt.show()

# %%
# A fit with one
# --------------
# The rate rises for five epochs and falls along a cosine; the dropout fades in the second half.

rng = np.random.RandomState(0)
X = rng.normal(size=(400, 2))
y = np.hypot(*X.T) > 1
rates = []
model = MLPClassifier(
    hidden_layer_sizes=(50,),
    learning_rate=WarmUp(Cosine(), total_iters=5, start_factor=0.1),
    learning_rate_init=0.02,
    dropout=0.2 * FlatCosine(),
    max_iter=50,
    n_iter_no_change=np.inf,
    random_state=0,
    callbacks=[lambda record: rates.append(record.learning_rate)],
)
model.fit(X, y)
assert len(rates) == 50
assert np.argmax(rates) == 4
assert model.score(X, y) > 0.95

figure, (ax_loss, ax_rate) = plt.subplots(1, 2, figsize=(11, 4))
ax_loss.plot(model.loss_curve_)
ax_loss.set(xlabel="epoch", ylabel="loss")
ax_rate.plot(np.arange(1, 51), rates, color="C5")
ax_rate.set(xlabel="epoch", ylabel="learning rate of the next update")
figure.tight_layout()
plt.show()

"""
How sure a classifier may be
============================

Of all rows for which a model says 80 %, 80 % should turn out that way. Whether they do is asked of
rows that it has not seen, and here of the truth too, since the table is made up.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from fastmlp import TabularClassifier

# %%
# The table
# ---------
# Will a guest come back? Nobody knows for certain: each row has a probability, and the class is
# drawn by it.

N = 8000
rng = np.random.default_rng(0)
guests = pd.DataFrame(
    {
        "nights": rng.geometric(0.3, N),
        "rating": rng.choice([1, 2, 3, 4, 5, np.nan], N, p=[0.05, 0.1, 0.2, 0.3, 0.25, 0.1]),
        "season": rng.choice(["winter", "spring", "summer", "autumn"], N),
        "kilometres": rng.gamma(2, 150, N),
    }
)
score = 1.6 * (guests["rating"].fillna(3.5) - 3.2) - 0.004 * (guests["kilometres"] - 300)
score += np.where(guests["season"] == "winter", 1.5, -0.5) + 0.2 * np.minimum(guests["nights"], 7)
truth = 1 / (1 + np.exp(-score.to_numpy()))
returns = np.where(rng.random(N) < truth, "yes", "no")
train, test, train_returns, test_returns, _, test_truth = train_test_split(
    guests, returns, truth, test_size=0.5, random_state=0
)

# %%
# With and without calibration
# ----------------------------
# A classifier that is chosen by its share of wrong classes learns from smoothed labels, which are
# not quite 0 and 1. That helps its decisions, and makes it too modest. ``calibrate``, which is on
# by default, divides the scores by one number, the temperature, which is found on the held-out
# rows. No decision changes.

models = {
    calibrate: TabularClassifier(preset="fast", calibrate=calibrate, random_state=0).fit(
        train, train_returns
    )
    for calibrate in (False, True)
}
said = {calibrate: model.predict_proba(test)[:, 1] for calibrate, model in models.items()}
losses = {calibrate: log_loss(test_returns == "yes", p) for calibrate, p in said.items()}

figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.8))
axes[0].plot([0, 1], [0, 1], color="0.6", linewidth=1)
for (calibrate, p), color in zip(said.items(), ("C5", "C0"), strict=True):
    share, mean = calibration_curve(test_returns == "yes", p, n_bins=10)
    label = f"{'with' if calibrate else 'without'} calibration: log-loss {losses[calibrate]:.4f}"
    axes[0].plot(mean, share, "o-", color=color, label=label)
axes[0].set(xlabel="said", ylabel="share of guests that came back")
axes[0].legend(loc="upper left")
axes[1].plot([0, 1], [0, 1], color="0.6", linewidth=1)
axes[1].scatter(said[True], test_truth, s=4, alpha=0.4)
axes[1].set(xlabel="said, with calibration", ylabel="true probability")
plt.show()

assert losses[True] < losses[False]
assert (models[True].predict(test) == models[False].predict(test)).all()
assert np.abs(said[True] - test_truth).mean() < np.abs(said[False] - test_truth).mean()

"""
Time against error
==================

``preset`` says how much time a better model is worth. ``"fast"`` trains one recipe, ``"default"``
lets several race.
"""

from itertools import accumulate
from time import perf_counter

import matplotlib.pyplot as plt
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from fastmlp import TabularRegressor

# %%
# Four models of one table
# ------------------------
# The table is that of Friedman (1991): ten columns, five of which matter, by a sine, a square and
# two straight lines. Its noise has the standard deviation 1, so no model of it errs by less. There
# are 1500 rows to learn from, and all learn on one thread.
#
# The seconds are those of the machine that built this page, on which other things may have run.
# ``benchmarks/tabular.py`` compares many models on many tables with care.

X, y = make_friedman1(5500, noise=1.0, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=1500, random_state=0)
candidates = []
models = {
    "fastmlp, fast": TabularRegressor(preset="fast", n_folds=1, n_threads=1, random_state=0),
    "fastmlp, default": TabularRegressor(n_folds=1, callbacks=[candidates.append], random_state=0),
    "scikit-learn's MLP": make_pipeline(
        StandardScaler(), MLPRegressor(early_stopping=True, max_iter=1000, random_state=0)
    ),
    "scikit-learn's boosted trees": HistGradientBoostingRegressor(random_state=0),
}
seconds, errors = {}, {}
for name, model in models.items():
    with threadpool_limits(1):
        start = perf_counter()
        model.fit(X_train, y_train)
        seconds[name] = perf_counter() - start
    errors[name] = root_mean_squared_error(y_test, model.predict(X_test))

figure, ax = plt.subplots(figsize=(8, 4.6))
for name in models:
    place = seconds[name], errors[name]
    ax.scatter(*place, s=60, color="C0" if name.startswith("fastmlp") else "C1")
    ax.annotate(name, place, (0, 9), textcoords="offset points", ha="center")
ax.axhline(1, color="0.6", linewidth=1)
ax.text(0.99, 1.005, "noise", color="0.5", ha="right", transform=ax.get_yaxis_transform())
ax.set(xscale="log", xlabel="seconds of the fit", ylabel="root mean squared error")
ax.xaxis.set_major_formatter("{x:g}")
ax.margins(x=0.3, y=0.15)
plt.show()

assert errors["fastmlp, default"] < min(errors[name] for name in models if "scikit" in name)

# %%
# Within the race
# ---------------
# The function in ``callbacks`` was told of each candidate when it had learnt, with its error on the
# rows that are held out. One that returns True ends the race, and the best so far predict.

ends = list(accumulate(member.seconds for member in candidates))
least = list(accumulate((member.error for member in candidates), min))
figure, ax = plt.subplots(figsize=(8, 4))
ax.step(ends, least, where="post", label="least error so far")
ax.scatter(ends, [member.error for member in candidates], color="C1", zorder=3, label="a candidate")
ax.set(xlabel="seconds of the race", ylabel="error on held-out rows", xlim=(0, None))
ax.legend()
plt.show()

assert least[-1] == models["fastmlp, default"].leaderboard_[0].error

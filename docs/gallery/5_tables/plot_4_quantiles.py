"""
Quantile bands on real prices
=============================

How far apart will the highest and the lowest price of tomorrow be? One number is no answer.
Quantiles are: the tenth and the ninetieth percentile hold eight days out of ten between them, if
they are right.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import cbook
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import train_test_split

from fastmlp import TabularRegressor

# %%
# The table
# ---------
# Google's share from 2004 to 2008, which comes with matplotlib: 1047 days on which it was traded. A
# row is a day: the price, its move and its range in percent, that day and of late, and how much was
# traded. The target is the range of the next day.

prices = pd.DataFrame(cbook.get_sample_data("goog.npz")["price_data"]).set_index("date")
span = 100 * np.log(prices["high"] / prices["low"])
days = pd.DataFrame(
    {
        "price": prices["close"],
        "move": 100 * np.log(prices["close"]).diff(),
        "range": span,
        "range of a week": span.rolling(5).mean(),
        "range of a month": span.rolling(20).mean(),
        "volume": np.log(prices["volume"]),
        "weekday": prices.index.day_name(),
    }
)
days["next range"] = span.shift(-1)
days = days.iloc[20:-1]
target = days.pop("next range")
train, test, train_target, test_target = train_test_split(days, target, random_state=0)

# %%
# Three quantiles of one model
# ----------------------------
# The pinball loss asks for quantiles, and they never cross. Days are held back at random: this is a
# band of days like those that the model knows, and no forecast of another time.

QUANTILES = (0.1, 0.5, 0.9)
model = TabularRegressor("pinball", quantiles=QUANTILES, preset="fast", n_folds=1, random_state=0)
predictions = model.fit(train, train_target).predict(test)
low, middle, high = predictions.T
is_inside = (low <= test_target) & (test_target <= high)

order = np.argsort(test.index)
when = test.index[order]
figure, axes = plt.subplots(2, 1, figsize=(10, 6.4), height_ratios=(1, 1.8), sharex=True)
axes[0].plot(prices.index, prices["close"], color="0.5", linewidth=1)
axes[0].set(ylabel="price in dollars")
axes[1].fill_between(when, low[order], high[order], alpha=0.25, linewidth=0, step="mid")
axes[1].plot(when, middle[order], linewidth=1, drawstyle="steps-mid", label="middle quantile")
for rows, look in ((is_inside, {"color": "0.2"}), (~is_inside, {"color": "C5"})):
    label = f"{100 * rows.mean():.0f} % of the days, {'in' if rows is is_inside else 'out'}side"
    axes[1].scatter(test.index[rows], test_target[rows], s=9, label=label, zorder=3, **look)
axes[1].set(ylabel="next day's range in %")
axes[1].legend(loc="upper left")
plt.show()

assert abs(is_inside.mean() - 0.8) < 0.1
assert (low <= middle).all()
assert (middle <= high).all()

# %%
# The same quantiles for all days, whatever the day before was like, hold as many days. They are
# wider than they need be in quiet times and too narrow in wild ones, which the pinball loss tells.

bands = {
    "one band for all days": np.tile(np.quantile(train_target, QUANTILES), (len(test), 1)),
    "a band for each day": predictions,
}
losses = {
    name: [mean_pinball_loss(test_target, band[:, i], alpha=q) for i, q in enumerate(QUANTILES)]
    for name, band in bands.items()
}
figure, ax = plt.subplots(figsize=(7, 3.4))
for place, (name, row) in enumerate(losses.items()):
    ax.bar(np.arange(3) + 0.38 * (place - 0.5), row, width=0.36, label=name, color=f"C{1 - place}")
ax.set_xticks(range(3), [f"{100 * q:.0f} % quantile" for q in QUANTILES])
ax.set(ylabel="pinball loss")
ax.legend()
plt.show()

assert sum(losses["a band for each day"]) < 0.95 * sum(losses["one band for all days"])

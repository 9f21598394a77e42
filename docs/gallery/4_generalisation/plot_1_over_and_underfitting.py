r"""
Under-fitting, over-fitting, and what is in between
===================================================

Twenty noisy points on a wave. A network that is too small cannot follow the wave, one that is too
free follows the noise as well. Averaged over many such samples, the error at a new point is

.. math:: \text{error} = \text{bias}^2 + \text{variance} + \text{noise}:

how far the *average* network is from the truth, how much networks differ from sample to sample,
and what nobody can predict.
"""

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

from fastmlp import MLPRegressor

NOISE, N_SAMPLES = 0.3, 30
FREE, HELD = 0.001, 0.3  # hardly any L2 penalty, and a strong one
x = (np.arange(20) + 0.5)[:, np.newaxis] / 20
grid = np.linspace(0, 1, 100)[:, np.newaxis]


def wave(x: np.ndarray) -> np.ndarray:
    """Return the truth."""
    return np.sin(2 * np.pi * x).ravel()


def sample(seed: int) -> np.ndarray:
    """Return noisy values at x."""
    return wave(x) + NOISE * np.random.default_rng(seed).normal(size=len(x))


def fit(width: int, alpha: float, seed: int) -> MLPRegressor:
    """Train one hidden layer on a sample, inputs spread over a few units."""
    model = MLPRegressor(
        hidden_layer_sizes=(width,),
        activation="tanh",
        solver="lbfgs",
        alpha=alpha,
        max_iter=3000,
        tol=1e-3,
        dtype="float64",
        n_threads=1,  # too little work to share
        random_state=seed,
    )
    return model.fit(10 * x - 5, sample(seed))


# %%
# Three networks, one sample
# --------------------------

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True)
cases = (
    (1, FREE, "1 unit: too stiff"),
    (20, FREE, "20 units: too lively"),
    (20, HELD, "20 units, held by an L2 penalty"),
)
for ax, (width, alpha, title) in zip(axes, cases, strict=True):
    ax.plot(x, sample(0), "o", color="0.6", markersize=5, label="sample")
    ax.plot(grid, wave(grid), "--", color="C2", linewidth=1.5, label="truth")
    ax.plot(grid, fit(width, alpha, 0).predict(10 * grid - 5), label="network")
    ax.set(title=title, ylim=(-2.2, 2.2), xlabel="x")
axes[0].legend(loc="lower left")
plt.show()

# %%
# Error against capacity
# ----------------------
# Thirty samples for each width, and what their error on new points is made of. Left, the error on
# the training points keeps falling while that on new points turns round: the bias is gone, the
# variance grows. Right, with the penalty, the variance stays low: a wide network does no harm.

widths = [1, 2, 3, 5, 10, 20]


def errors(width: int, alpha: float) -> tuple[float, float, float]:
    """Return the mean error on training points, bias² and variance on new ones."""
    training, curves = [], []
    for seed in range(N_SAMPLES):
        model = fit(width, alpha, seed)
        training.append(np.mean((model.predict(10 * x - 5) - sample(seed)) ** 2))
        curves.append(model.predict(10 * grid - 5))
    bias = np.mean((np.mean(curves, axis=0) - wave(grid)) ** 2)
    return float(np.mean(training)), bias, np.var(curves, axis=0).mean()


results = {alpha: np.array([errors(width, alpha) for width in widths]) for alpha in (FREE, HELD)}

figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True)
for ax, alpha in zip(axes, results, strict=True):
    training, bias, variance = results[alpha].T
    places = np.arange(len(widths))
    ax.bar(places, NOISE**2, color="0.8", label="noise")
    ax.bar(places, bias, bottom=NOISE**2, color="C2", label="bias²")
    ax.bar(places, variance, bottom=NOISE**2 + bias, color="C1", label="variance")
    ax.plot(places, training, "o-", label="error on training points")
    ax.set(title=f"L2 penalty {alpha:g}", xlabel="hidden units")
    ax.set_xticks(places, widths)
axes[0].set_ylabel("mean squared error")
axes[1].legend(loc="upper left", bbox_to_anchor=(1, 1), reverse=True)
plt.show()

free, held = (results[alpha][:, 1:].sum(axis=1) + NOISE**2 for alpha in (FREE, HELD))
assert free.argmin() in {1, 2, 3}  # too small and too free are both worse
assert results[FREE][0, 1] > 5 * results[FREE][2, 1]  # under-fitting is bias
assert results[FREE][-1, 2] > 1.5 * results[HELD][-1, 2]  # the penalty lowers the variance
assert held.argmin() >= 3
assert held.min() < free.min()

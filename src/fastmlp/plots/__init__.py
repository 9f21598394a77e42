"""Pictures of networks and their training, in scikit-learn's Display style.

A display holds numbers, and its method ``plot`` draws them. ``from_estimator`` takes the numbers
from a fitted estimator and draws them at once. The pictures need matplotlib:
``pip install "fastmlp[plots]"``.
"""

from __future__ import annotations

try:
    import matplotlib  # noqa: F401  (only to say what to install, before a submodule fails)
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        'fastmlp.plots needs matplotlib; install it with: pip install "fastmlp[plots]"'
    ) from error

from fastmlp.plots.decision_region import DecisionRegionDisplay
from fastmlp.plots.leaderboard import LeaderboardDisplay
from fastmlp.plots.loss_curve import LossCurveDisplay
from fastmlp.plots.misread_digits import MisreadDigitsDisplay
from fastmlp.plots.network_diagram import NetworkDiagramDisplay
from fastmlp.plots.weight_distribution import WeightDistributionDisplay

__all__ = [
    "DecisionRegionDisplay",
    "LeaderboardDisplay",
    "LossCurveDisplay",
    "MisreadDigitsDisplay",
    "NetworkDiagramDisplay",
    "WeightDistributionDisplay",
]

"""Models of raw tables: networks that are chosen in a race and predict together."""

from fastmlp.tabular.classifier import TabularClassifier
from fastmlp.tabular.leaderboard import Leaderboard
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.regressor import TabularRegressor

__all__ = ["Leaderboard", "Recipe", "TabularClassifier", "TabularRegressor"]

"""The neurons that came before the network, as scikit-learn estimators."""

from fastmlp.historic.mcculloch_pitts import McCullochPittsNeuron
from fastmlp.historic.rosenblatt import DecisionLine, RosenblattPerceptron

__all__ = ["DecisionLine", "McCullochPittsNeuron", "RosenblattPerceptron"]

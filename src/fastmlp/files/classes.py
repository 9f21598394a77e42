"""Every class of which a model file may hold an object: the only names that ``load`` goes by.

The modules lie above this one, so they are named as texts, and imported when a file names a class
of theirs. A name in a file is only ever looked up here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

__all__ = ["CLASSES", "class_of", "name_of"]

#: Modules of ``fastmlp``, and their classes by the names that stand for them in files. A name that
#: has been in a release stays, whatever becomes of the class.
_MODULES: Mapping[str, Mapping[str, str]] = {
    "averaging": {name: name for name in ("EMA", "SWA")},
    "embeddings": {name: name for name in ("PBLD", "PLR", "Categories", "PiecewiseLinear")},
    "estimators.class_coder": {"ClassCoder": "ClassCoder"},
    "estimators.classifier": {"MLPClassifier": "MLPClassifier"},
    "estimators.labels": {"LabelCoding": "LabelCoding"},
    "estimators.learnt": {"Learnt": "Learnt"},
    "estimators.real_coder": {"RealCoder": "RealCoder"},
    "estimators.regressor": {"MLPRegressor": "MLPRegressor"},
    "estimators.target_unit": {"TargetUnit": "TargetUnit"},
    "historic.learnt": {"NeuronLearnt": "Seen"},
    "historic.mcculloch_pitts": {"McCullochPittsNeuron": "McCullochPittsNeuron"},
    "historic.rosenblatt": {
        "PerceptronLearnt": "_Learnt",
        "RosenblattPerceptron": "RosenblattPerceptron",
    },
    "network": {"Network": "Network"},
    "optimizers": {
        name: name
        for name in (
            *("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"),
            *("NAdam", "RAdam", "Lion", "LAMB"),
        )
    },
    "plan.front": {"NetworkColumn": "Column"},
    "plan.layout": {"Plan": "Plan"},
    "predictor": {"Predictor": "Predictor"},
    "schedules.by_epoch": {
        **{name: name for name in ("Adaptive", "Constant", "InverseScaling", "ReduceOnPlateau")},
        "Plateau": "_Plateau",
    },
    "schedules.curves": {
        name: name
        for name in (
            *("Cosine", "CosineLog", "Exponential", "FlatCosine"),
            *("OneCycle", "Polynomial", "Step"),
        )
    },
    "schedules.schedule": {"Function": "Function", "Scaled": "Scaled"},
    "schedules.warm_up": {"WarmUp": "WarmUp"},
    "tables.coordinates": {"Rotations": "Rotations"},
    "tables.encoders": {
        name: name
        for name in ("CalendarEncoder", "CategoryEncoder", "NumberEncoder", "RankEncoder")
    },
    "tables.inputs": {"Inputs": "Inputs"},
    "tables.one_hot": {"OneHot": "OneHot"},
    "tables.piecewise": {"PiecewiseEncoding": "PiecewiseEncoding"},
    "tables.reader": {"TableReader": "TableReader"},
    "tables.reading": {"Reading": "Reading"},
    "tables.report": {"ColumnReport": "ColumnReport", "ColumnTable": "ColumnTable"},
    "tables.scaling": {"RobustScaling": "RobustScaling"},
    "tables.columns": {"Nature": "Nature"},
    "tabular.aims": {"ClassAim": "ClassAim", "RealAim": "RealAim"},
    "tabular.base": {"Ensemble": "Ensemble"},
    "tabular.classifier": {
        "TabularClassifier": "TabularClassifier",
        "TabularClassifierLearnt": "_Published",
    },
    "tabular.leaderboard": {"Leaderboard": "Leaderboard", "Place": "Place"},
    "tabular.member": {"Learner": "Learner", "Member": "Member"},
    "tabular.recipe": {"Recipe": "Recipe"},
    "tabular.regressor": {
        "TabularRegressor": "TabularRegressor",
        "TabularRegressorLearnt": "_Published",
    },
    "tabular.transforms": {"Logarithm": "Logarithm", "Quantiles": "Quantiles"},
    "training.courses": {"Course": "Course", "Rates": "Rates"},
    "validation.schedules": {"CheckedFunction": "_Checked"},
    "training.history": {"CostUnit": "CostUnit", "EpochRow": "EpochRow", "History": "History"},
}

#: By the name in files: the module and the class's own name.
CLASSES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        name: (f"fastmlp.{module}", own)
        for module, names in _MODULES.items()
        for name, own in names.items()
    }
)
_NAMES = MappingProxyType({place: name for name, place in CLASSES.items()})


@cache
def class_of(name: str) -> type:
    """Return the class of a name of ``CLASSES``."""
    module, own = CLASSES[name]
    found: type = getattr(import_module(module), own)
    return found


def name_of(kind: type) -> str | None:
    """Return the name of a class in files; None if no file can hold an object of it."""
    return _NAMES.get((kind.__module__, kind.__qualname__))

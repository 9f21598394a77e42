"""A fitted network as a module of PyTorch."""

from fastmlp.export.torch.sequential import sequential
from fastmlp.export.torch.steps import Steps

__all__ = ["Steps", "sequential"]

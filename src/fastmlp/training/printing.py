"""What ``verbose`` prints."""

from __future__ import annotations

from fastmlp.training.observers import Observer
from fastmlp.training.state import TrainerState

__all__ = ["Printer"]


class Printer(Observer):
    """Prints what scikit-learn prints of each epoch, and in the end why it is the end.

    Attributes
    ----------
    says_why : bool
        Whether the reason is worth a line.
    """

    def __init__(self, says_why: bool) -> None:
        self.says_why = says_why

    def epoch_ended(self, state: TrainerState) -> None:
        """Print the epoch's loss, and its score if there is one."""
        print(f"Iteration {state.epoch}, loss = {state.loss:.8f}")
        if state.validation_score is not None:
            print(f"Validation score: {state.validation_score:f}")
        for remark in state.remarks:
            print(remark)

    def training_ended(self, state: TrainerState) -> None:
        """Print the reason."""
        if self.says_why and state.ending is not None:
            print(state.ending.reason)

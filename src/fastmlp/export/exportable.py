"""What every model that can be exported has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

    from fastmlp.export.program import Program

__all__ = ["Exportable"]


class Exportable:
    """A model that can be written as a program in another language."""

    def _program(self) -> Program:
        """Return what the fitted model computes."""
        raise NotImplementedError

    def _raw_values(self, X: Any) -> Any:
        """Return rows as the program takes them: as they are, but those of raw tables."""
        return X

    def to_c(
        self,
        path: str | PathLike[str],
        *,
        name: str = "model",
        weights: str = "float",
        X: Any = None,
    ) -> None:
        """Write the fitted model as one file of C99 that depends on nothing.

        Parameters
        ----------
        path : str or path
            Of the file.
        name : str, default="model"
            With which every name in the file begins: ``model_predict`` and others.
        weights : {"float", "int16", "int8"}, default="float"
            How matrices are stored. Integers have a scale for each column, and take a half or a
            quarter of the memory of float32; the head of the file says by how much the answers
            differ.
        X : array-like or data frame of shape (n_samples, n_features), default=None
            Rows by which that is measured, and some of which the file's self-test takes. Without
            any, numbers from N(0, 1) are taken, and for raw tables such as the fit saw.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If an argument is not as it must be, or the model can't be exported: an activation that
            you wrote, or a partner of another library.
        """
        from fastmlp.export.to_c import as_c  # noqa: PLC0415 - seldom needed
        from fastmlp.validation import (  # noqa: PLC0415
            check_c_name,
            check_path_to_save,
            check_stored_weights,
        )

        file = Path(check_path_to_save(path, f"{name}.c"))
        name, weights = check_c_name(name), check_stored_weights(weights)
        program = self._program()
        rows = None if X is None else self._raw_values(X)
        file.write_text(as_c(program, name, weights, rows), encoding="ascii", newline="\n")

"""What models have because they can be saved and pickled."""

from __future__ import annotations

from typing import Any

from fastmlp import validation
from fastmlp._version import __version__
from fastmlp.files.states import VERSION
from fastmlp.notices import notify

__all__ = ["Savable"]


class Savable:
    """A model that ``save`` writes into a file, and whose pickles know their version."""

    def save(self, path: Any) -> None:
        """Write the fitted model into a file, which :func:`fastmlp.load` reads.

        The file has the safetensors format. It holds all that a pickle would hold, so the loaded
        model predicts the same bits and goes on learning as this one would; but unlike a pickle it
        executes nothing when it is loaded, and later versions of fastmlp read it too.

        Functions and other objects of your own are not in the file, just their names: ``load``
        must be given them in ``custom_objects``.

        Parameters
        ----------
        path : str or path-like
            For example ``"model.fastmlp"``. A file of that name is replaced at the end, all at
            once: if anything goes wrong, it is as it was before.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        TypeError
            If ``path`` is not a path, or the model holds what no file can hold, such as a model of
            another library.
        OSError
            If the file can't be written.
        ImportError
            If safetensors is not installed.

        Examples
        --------
        >>> import os, tempfile
        >>> import fastmlp
        >>> model = fastmlp.MLPClassifier(n_iter_no_change=2, tol=1e9, random_state=0)
        >>> model = model.fit([[0.0], [1.0]], ["no", "yes"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.fastmlp")
        ...     model.save(path)
        ...     same = fastmlp.load(path)
        >>> bool((same.predict_proba([[0.5]]) == model.predict_proba([[0.5]])).all())
        True
        """
        from fastmlp.files.container import packed  # noqa: PLC0415 - not at import
        from fastmlp.files.describing import Describer  # noqa: PLC0415
        from fastmlp.files.disk import write  # noqa: PLC0415

        path = validation.check_path_to_save(path)
        self._check_savable()
        validation.check_safetensors()
        describer = Describer()
        described = describer.describe(self, "")
        blob = packed(list(describer.own), described, describer.arrays)
        with validation.naming_file(path, "written"):
            write(path, blob)

    def _check_savable(self) -> None:
        """Raise unless a file can hold the model."""
        validation.check_fitted_to_save(self)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), VERSION: __version__}  # type: ignore[dict-item]

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        version = state.pop(VERSION, "an earlier version")
        if version != __version__:
            notify(validation.pickled_by_another(type(self).__name__, version, __version__))
        self.__dict__.update(state)

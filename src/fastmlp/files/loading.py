"""``load``: the model that a file holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastmlp import validation
from fastmlp.files.container import unpacked
from fastmlp.files.damage import DAMAGED, DamageError, require
from fastmlp.files.disk import read
from fastmlp.files.restoring import Restorer
from fastmlp.files.savable import Savable
from fastmlp.notices import notify
from fastmlp.plan.description import UnusableModelError

__all__ = ["load"]

#: What Python and NumPy raise where something else is than there should be.
_OF_A_WRONG_DESCRIPTION = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
)

_OR_ANOTHER_OBJECT = "Or an object in custom_objects is not the one that the model was made with."


def load(path: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model that a file holds, which ``save`` has written.

    Nothing in the file is executed, and nothing that is not in it is imported but classes of
    fastmlp. So the worst that a file of unknown origin can do is to predict nonsense.

    Parameters
    ----------
    path : str or path-like
    custom_objects : dict of str to object, default=None
        Functions and other objects of your own that the model was made with, by the names under
        which the file knows them: that of the function, of ``custom_activation`` or
        ``custom_loss``, or the parameter. If one is missing, the error lists them all.

    Returns
    -------
    model : object of the class that was saved

    Raises
    ------
    ValueError
        If the file holds no model, is damaged or has been changed, was written in a format that
        only later versions know, or needs ``custom_objects``.
    TypeError
        If an argument is not of the kind above.
    OSError
        If the file can't be read.
    ImportError
        If safetensors is not installed.

    See Also
    --------
    MLPClassifier.save : Write the file.

    Examples
    --------
    >>> import os, tempfile
    >>> import fastmlp
    >>> model = fastmlp.MLPClassifier(n_iter_no_change=2, tol=1e9, random_state=0)
    >>> model = model.fit([[0.0], [1.0]], ["no", "yes"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.fastmlp")
    ...     model.save(path)
    ...     fastmlp.load(path).classes_
    array(['no', 'yes'], dtype='<U3')
    """
    path = validation.check_path_to_load(path)
    validation.check_custom_objects(custom_objects)
    validation.check_safetensors()
    own = custom_objects or {}
    try:
        with validation.naming_file(path, "read"):
            contents = unpacked(read(path))
        validation.check_objects_given(path, contents.own, own)
        model = _model_of(contents, own)
    except DamageError as error:
        validation.raise_unloadable(path, error.what, error.remedy)
    text = validation.objects_not_needed(path, contents.own, own)
    if text:
        notify(text)
    return model


def _model_of(contents: Any, own: Mapping[str, Any]) -> Any:
    """Return the model that a description and arrays make."""
    given = {name: own[name] for name in contents.own}
    remedy = f"{DAMAGED} {_OR_ANOTHER_OBJECT}" if given else DAMAGED
    try:
        model = Restorer(contents.arrays, given).restore(contents.model)
    except UnusableModelError as error:
        raise DamageError(error.what, remedy) from None
    except DamageError as error:
        raise DamageError(error.what, remedy if error.remedy == DAMAGED else error.remedy) from None
    except _OF_A_WRONG_DESCRIPTION as error:
        what = f"its description makes no model ({type(error).__name__}: {str(error)[:80]})"
        raise DamageError(what, remedy) from error
    require(isinstance(model, Savable), "it holds no model")
    return model

"""What every model that can be exported has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from os import PathLike

    from onnx import ModelProto
    from torch import nn

    from fastmlp.export.program import Program
    from fastmlp.network import Network

__all__ = ["Exportable", "ExportableNetwork"]


class Exportable:
    """A model that can be written as a program in another language or format."""

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
            Where to write the file.
        name : str, default="model"
            Prefix of every name in the file: ``model_predict`` and so on.
        weights : {"float", "int16", "int8"}, default="float"
            How matrices are stored. Integers have a scale for each column, and take a half or a
            quarter of the memory of float32; the head of the file says by how much the answers
            differ.
        X : array-like or data frame of shape (n_samples, n_features), default=None
            Rows on which that is measured; the file's self-test uses some of them. Without X,
            numbers from N(0, 1) are used, and for raw tables values like those of the fit.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If an argument is wrong, or the model can't be exported: it has an activation that
            you wrote, or a partner of another library.
        """
        from fastmlp.export.to_c import as_c  # noqa: PLC0415 - seldom needed
        from fastmlp.files.disk import write  # noqa: PLC0415
        from fastmlp.validation import (  # noqa: PLC0415
            check_c_name,
            check_path_to_save,
            check_stored_weights,
            naming_file,
        )

        file = check_path_to_save(path, f"{name}.c")
        name, weights = check_c_name(name), check_stored_weights(weights)
        program = self._program()
        rows = None if X is None else self._raw_values(X)
        text = as_c(program, name, weights, rows)
        with naming_file(file, "written"):
            write(file, text.encode("ascii"))

    @overload
    def to_onnx(self, path: None = None, *, opset: int = 18, missing: str = "") -> ModelProto: ...

    @overload
    def to_onnx(self, path: str | PathLike[str], *, opset: int = 18, missing: str = "") -> None: ...

    def to_onnx(
        self, path: str | PathLike[str] | None = None, *, opset: int = 18, missing: str = ""
    ) -> ModelProto | None:
        """Write the fitted model as one ONNX file, with the preprocessing of raw tables.

        The input of a network is ``X`` (N, I) of its type, float or double. A model of raw tables
        has an input (N, 1) for each column that it reads, by the column's name: numbers are double,
        with NaN where one is missing, dates are double, seconds since 1970 in the time of their
        zone, and categories are strings. Outputs are ``label`` (N,) and ``probabilities`` (N, K) of
        classes (or ``decision_function`` instead of the latter if the loss gives no
        probabilities), and ``variable`` (N, T) of a regressor, with ``deviations`` for the loss
        "gaussian_nll".

        Parameters
        ----------
        path : str or path, default=None
            Where to write the file, such as ``"model.onnx"``. A file of that name is replaced at
            the end, all at once. Without a path, the model is returned.
        opset : int, default=18
            Version of ONNX's operators, at least 18.
        missing : str, default=""
            The text that stands for a missing category, since ONNX knows no missing strings.

        Returns
        -------
        onnx.ModelProto or None
            The model if no ``path`` is given.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError, TypeError
            If an argument is wrong, or the model can't be exported: it has an activation that
            you wrote, or a partner of another library.
        OSError
            If the file can't be written.
        ImportError
            If onnx is not installed.

        Examples
        --------
        >>> import fastmlp
        >>> model = fastmlp.MLPClassifier(n_iter_no_change=2, tol=1e9, random_state=0)
        >>> model = model.fit([[0.0], [1.0]], ["no", "yes"]).to_onnx()
        >>> [output.name for output in model.graph.output]
        ['label', 'probabilities']
        """
        from fastmlp.export.to_onnx import as_onnx  # noqa: PLC0415 - seldom needed
        from fastmlp.files.disk import write  # noqa: PLC0415
        from fastmlp.validation import (  # noqa: PLC0415
            check_library,
            check_path_to_save,
            naming_file,
        )

        file = None if path is None else check_path_to_save(path, "model.onnx")
        check_library("onnx", "to_onnx", "onnx")
        model = as_onnx(self._program(), opset, missing)
        if file is None:
            return model
        with naming_file(file, "written"):
            write(file, model.SerializeToString(deterministic=True))
        return None


class ExportableNetwork(Exportable):
    """A model of one network, which can also go on as a module of PyTorch."""

    @property
    def _network(self) -> Network:
        """The fitted network."""
        raise NotImplementedError

    def to_torch(self) -> nn.Module:
        """Return the fitted model as a module of PyTorch, with weights of its own.

        It takes X (N, I), of the network's type, to what ``predict_proba`` returns, or
        ``decision_function`` if the loss gives no probabilities; for a regressor, to what
        :class:`fastmlp.Predictor` returns. It is in evaluation mode.

        A network of layers that PyTorch has is an ``nn.Sequential`` of ``nn.Linear``,
        ``nn.BatchNorm1d``, ``nn.LayerNorm`` or ``nn.GroupNorm``, an activation, and at the end
        ``nn.Softmax`` or ``nn.Sigmoid``; without that last module, ``module[:-1]`` gives logits. A
        scaling layer, the unit of a standardised target and the logit of two classes have gone
        into its weights. Members, embeddings of columns, parametric activations, and the losses
        whose outputs are not targets themselves make a module of steps, which needs fastmlp when it
        is unpickled; batch normalisation has then gone into its weights.

        Returns
        -------
        torch.nn.Module

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model has not been fitted.
        ValueError
            If the model has an activation that you wrote.
        ImportError
            If torch is not installed.
        """
        from fastmlp.validation import check_library  # noqa: PLC0415 - seldom needed

        program = self._program()
        check_library("torch", "to_torch", "torch")
        from fastmlp.export.torch import Steps, sequential  # noqa: PLC0415 - needs the extra

        answers = program.answers
        names = [name for name in answers if name != "deviations"]
        answer = program.core if "deviations" in answers else answers[names[0]]
        module = sequential(self._network, program) or Steps(program, answer)
        return module.eval()

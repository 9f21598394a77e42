"""``fastmlp demo``: train on handwritten digits, say how well it went, draw it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import ConfusionMatrixDisplay

from fastmlp import MLPClassifier
from fastmlp.cli.data import Digits
from fastmlp.cli.errors import CommandError, RefusedError
from fastmlp.cli.output import save_figure
from fastmlp.plots import (
    LossCurveDisplay,
    MisreadDigitsDisplay,
    NetworkDiagramDisplay,
    WeightDistributionDisplay,
)
from fastmlp.training.callbacks import EpochRecord
from fastmlp.training.divergence import DivergenceError
from fastmlp.training.loop import INTERRUPTED
from fastmlp.validation import check_layer_sizes

__all__ = ["draw", "run", "train"]

#: Epochs without a better validation score before the demo stops: the held-out tenth of the bundled
#: digits is small, so its score moves in steps.
PATIENCE = 20


def run(
    digits: Digits, parameters: Mapping[str, Any], picture: Path, console: Console
) -> dict[str, Any]:
    """Train, print the test accuracy and the time, write the picture.

    Parameters
    ----------
    digits : Digits
    parameters : mapping
        Arguments of ``MLPClassifier``.
    picture : Path
        Where the picture goes; its suffix says in which format.
    console : rich Console

    Returns
    -------
    dict
        What JSON says of it; "interrupted" is true if Ctrl-C ended the training. The picture
        shows what was learnt until then.

    Raises
    ------
    CommandError
        The network could not be trained, or the picture not be written.
    """
    n_train, n_inputs = digits.X_train.shape
    _check_widths([n_inputs, *parameters["hidden_layer_sizes"], len(np.unique(digits.y_train))])
    console.print(f"{digits.name}: {n_train} images of {n_inputs} pixels to learn from")
    model, seconds, completed = train(digits, parameters, console)
    if not completed:
        console.print(
            f"interrupted after {model.n_iter_} of {parameters['max_iter']} epochs; what was "
            "learnt so far is kept"
        )
    accuracy = model.score(digits.X_test, digits.y_test)
    console.print(f"test accuracy [bold]{100 * accuracy:.2f} %[/] on {len(digits.X_test)} images")
    console.print(
        f"{seconds:.2f} s in total, {1e3 * seconds / model.n_iter_:.1f} ms for each of "
        f"{model.n_iter_} epochs, backend {model.backend}"
    )
    save_figure(draw(model, digits, accuracy), picture)
    console.print(f"picture: {picture}")
    return {
        "data": digits.name,
        "images": n_train,
        "test_images": len(digits.X_test),
        "accuracy": accuracy,
        "epochs": model.n_iter_,
        "seconds": seconds,
        "backend": model.backend,
        "picture": str(picture),
        "interrupted": not completed,
    }


def _check_widths(layer_sizes: Sequence[int]) -> None:
    """Raise RefusedError if no memory could ever hold a network of these widths."""
    try:
        check_layer_sizes(layer_sizes)
    except ValueError as error:
        raise RefusedError(f"{error} Make --hidden narrower.") from error


def train(
    digits: Digits, parameters: Mapping[str, Any], console: Console
) -> tuple[MLPClassifier, float, bool]:
    """Return the fitted classifier, the seconds that the fit took, and whether nobody ended it.

    A tenth of the training images is held out; the epoch that reads them best is kept.

    Raises
    ------
    CommandError
        The network is too large, or training diverges.
    KeyboardInterrupt
        Ctrl-C came before the first epoch was over.
    """
    with _progress(console) as progress:
        bar = progress.add_task("training", total=parameters["max_iter"], figures="")
        model = MLPClassifier(
            early_stopping=True,
            n_iter_no_change=PATIENCE,
            callbacks=[lambda record: _show(progress, bar, record)],
            **parameters,
        )
        start = perf_counter()
        completed = _fit(model, digits)
        seconds = perf_counter() - start
        progress.update(bar, total=model.n_iter_)
    if model.n_iter_ == 0:
        raise KeyboardInterrupt
    return model, seconds, completed


def _fit(model: MLPClassifier, digits: Digits) -> bool:
    """Fit a model; return False if Ctrl-C ended that."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(digits.X_train, digits.y_train)
        except DivergenceError as error:
            raise CommandError(str(error)) from error
        except MemoryError as error:
            raise RefusedError(f"{error} Make --hidden narrower.") from error
        except ValueError as error:  # such as too few images of each digit
            raise RefusedError(f"{digits.name}: {error}") from error
    # The number of epochs was asked for: reaching it is no failure.
    others = [note for note in caught if not issubclass(note.category, ConvergenceWarning)]
    for note in others:
        if str(note.message) != INTERRUPTED:
            warnings.warn_explicit(note.message, note.category, note.filename, note.lineno)
    return INTERRUPTED not in [str(note.message) for note in others]


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        console=console,
    )


def _show(progress: Progress, bar: Any, record: EpochRecord) -> None:
    """Move the bar on after an epoch."""
    assert record.validation_score is not None  # early stopping is on
    figures = f"loss {record.loss:.4f}  validation {100 * record.validation_score:.2f} %"
    progress.update(bar, completed=record.epoch, figures=figures)


def draw(model: MLPClassifier, digits: Digits, accuracy: float) -> Figure:
    """Return a figure of the course of training, the mistakes, and the network itself."""
    figure = Figure(figsize=(16, 11))
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    sizes = "-".join(str(size) for size in model.hidden_layer_sizes)
    figure.suptitle(f"{digits.name}, hidden layers {sizes}: test accuracy {100 * accuracy:.2f} %")
    upper, lower = figure.subfigures(2, 1, squeeze=False)[:, 0]
    left, middle, right = upper.subfigures(1, 3, squeeze=False, width_ratios=(1.1, 1, 1.1))[0]
    LossCurveDisplay.from_estimator(model, ax=left.subplots())
    left.suptitle("How it learnt")
    _draw_confusion(model, digits, middle)
    MisreadDigitsDisplay.from_estimator(
        model, digits.X_test, digits.y_test, image_shape=digits.image_shape, figure=right
    )
    right.suptitle("Mistakes, the most confident first")
    _draw_network(model, lower)
    return figure


def _draw_network(model: MLPClassifier, figure: SubFigure) -> None:
    left, right = figure.subfigures(1, 2, squeeze=False)[0]
    NetworkDiagramDisplay.from_estimator(model, ax=left.subplots())
    left.suptitle("The network: some of its units and their connections")
    WeightDistributionDisplay.from_estimator(model, ax=right.subplots())
    right.suptitle("All its weights")


def _draw_confusion(model: MLPClassifier, digits: Digits, figure: SubFigure) -> None:
    ConfusionMatrixDisplay.from_estimator(
        model,
        digits.X_test,
        digits.y_test,
        ax=figure.subplots(),
        cmap="Blues",
        colorbar=False,
        text_kw={"fontsize": "small"},
    )
    figure.suptitle("True and predicted digits (test)")

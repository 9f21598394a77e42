"""What users of a file see: functions, constants, labels, the struct of a raw table's row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastmlp.export.c.body import Source
from fastmlp.export.c.text import (
    C_TYPES,
    comment_text,
    integers,
    number,
    one_comment,
    string,
    wrapped,
)
from fastmlp.export.program import Program, label_text
from fastmlp.export.values import Value
from fastmlp.kept import kept_property
from fastmlp.validation import check_c_texts

__all__ = ["Interface", "Public"]


@dataclass(frozen=True)
class Public:
    """A public function.

    Attributes
    ----------
    name : str
        Without the prefix.
    outputs : tuple of (name of an argument, Value)
        That it writes.
    decides : bool
        Whether it returns a class, or writes the labels of a row.
    about : str
    """

    name: str
    outputs: tuple[tuple[str, Value], ...]
    decides: bool
    about: str


@dataclass(frozen=True)
class Interface:
    """What users of a program's file see.

    Attributes
    ----------
    program : Program
    name : str
    """

    program: Program
    name: str

    @kept_property
    def real(self) -> str:
        """The network's type in C."""
        program = self.program
        if program.x is not None:
            return C_TYPES[program.x.dtype]
        return "float"

    @kept_property
    def row(self) -> str:
        """The first argument of all functions."""
        if self.program.x is None:
            return f"const {self.name}_row *row"
        return f"const {self.real} x[{self.program.x.width}]"

    @property
    def row_name(self) -> str:
        """Its name."""
        return "row" if self.program.x is None else "x"

    @kept_property
    def publics(self) -> tuple[Public, ...]:
        """All public functions."""
        answers, decision = self.program.answers, self.program.decision
        if decision is None:
            y = answers["predictions"]
            found = [Public("predict", (("y", y),), False, "Writes what is predicted.")]
            if "deviations" in answers:
                both = (("y", y), ("deviations", answers["deviations"]))
                about = "Writes what is predicted, and its standard deviations."
                found.append(Public("predict_std", both, False, about))
            return tuple(found)
        about = "Returns the number of the most probable class."
        if decision.several:
            about = "Writes for each label whether the row has it, 1 or 0."
        found = [Public("predict", (), True, about)]
        if "probabilities" in answers:
            out = (("p", answers["probabilities"]),)
            about = "Writes the probability of each class."
            found.append(Public("predict_proba", out, False, about))
        else:
            out = (("z", answers["decision_function"]),)
            about = "Writes what speaks for each class, or for the second one of two."
            found.append(Public("decision_function", out, False, about))
        return tuple(found)

    def signature(self, public: Public) -> str:
        """Return the signature of a public function."""
        decision = self.program.decision
        several = public.decides and decision is not None and decision.several
        kind = "int" if public.decides and not several else "void"
        outputs = [f"{C_TYPES[v.dtype]} {name}[{v.width}]" for name, v in public.outputs]
        if several and decision is not None:
            outputs.append(f"int labels[{decision.value.width}]")
        return f"{kind} {self.name}_{public.name}({', '.join([self.row, *outputs])})"

    # -- labels -----------------------------------------------------------------------------------

    @kept_property
    def labels(self) -> tuple[str, list[str]] | None:
        """The type of the class labels, and these as literals; None without a table of them."""
        decision, labels = self.program.decision, self.program.labels
        if decision is None or decision.several or labels is None:
            return None
        if all(isinstance(each, int) for each in labels.tolist()):
            return integers([int(each) for each in labels])
        if labels.dtype.kind == "f":
            wide = labels.astype(np.float64)
            return "double", [number(each, wide.dtype) for each in wide]
        texts = list(map(label_text, labels))
        check_c_texts("class label", texts)
        return "char *const", list(map(string, texts))

    def label_declaration(self) -> list[str]:
        """Return the declaration of the table of labels."""
        if self.labels is None:
            return []
        kind, items = self.labels
        about = one_comment("The label of each class, by its number.")
        return [about, f"extern const {kind} {self.name}_labels[{len(items)}];", ""]

    def label_table(self) -> list[str]:
        """Return the table of labels."""
        if self.labels is None:
            return []
        kind, items = self.labels
        begin = f"const {kind} {self.name}_labels[{len(items)}] = {{"
        return [begin, *wrapped(items), "};", ""]

    # -- rows and constants -----------------------------------------------------------------------

    def struct(self, source: Source) -> list[str]:
        """Return the struct of a raw table's row."""
        program = self.program
        if program.x is not None:
            return []
        lines = ["/* A row of the table. */", "typedef struct {"]
        for column, name in zip(program.columns, source.fields, strict=True):
            kind = "const char *" if column.kind == "text" else "double "
            about = f'"{comment_text(column.label, 60)}": {column.remark}'
            lines.append(f"    {kind}{name}; {one_comment(about)}")
        return [*lines, f"}} {self.name}_row;", ""]

    def constants(self) -> list[str]:
        """Return the sizes as constants."""
        program, upper = self.program, self.name.upper()
        items = []
        if program.x is not None:
            items.append(f"{upper}_N_INPUTS = {program.x.width}")
        if program.decision is not None and program.labels is not None:
            items.append(f"{upper}_N_CLASSES = {len(program.labels)}")
        else:
            items.append(f"{upper}_N_OUTPUTS = {program.answers['predictions'].width}")
        return [f"enum {{ {', '.join(items)} }};", ""]

    def includes(self, source: Source) -> list[str]:
        """Return the headers of the C library that the file needs."""
        names = ["math.h", "stddef.h", *(["string.h"] if {"code", "rank"} & source.helpers else [])]
        return [*(f"#include <{name}>" for name in names), ""]

"""What a check found: statements that hold or do not, the mistakes in words, and how long the paths agree."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

HEAD = ("statement", "holds", "off by", "formula")


@dataclass(frozen=True)
class Statement:
    """One statement that the variant owes.

    Attributes
    ----------
    text, formula, lesson : str
    holds : bool or None
        None: what was seen, or these settings, cannot tell.
    off : float or None
        How far what was seen is from what is owed, relative to its size.
    says : str
        Where it does not hold, the mistake or the choice in one sentence; where it cannot be told, why.
    is_choice : bool
        It makes another variant, and is no mistake.
    """

    text: str
    formula: str
    lesson: str
    holds: bool | None
    off: float | None = None
    says: str = ""
    is_choice: bool = False


@dataclass(frozen=True)
class Path:
    """How far the implementation goes along with minisam's own variant on a problem.

    Attributes
    ----------
    problem : str
    steps, agreed : int
        How many were made; and after how many of them the weights still agreed.
    digits : float
        To how many digits they agreed all along, relative to the largest weight: 16 at most.
    """

    problem: str
    steps: int
    agreed: int
    digits: float


@dataclass(frozen=True)
class Report:
    """What `check` found; printed, it is a table and the mistakes in words.

    Attributes
    ----------
    variant : str
    settings : dict
    statements : list of Statement
    paths : list of Path
    notes : list of str
        What is no mistake and yet worth knowing, each in one sentence.
    """

    variant: str
    settings: Mapping[str, float]
    statements: Sequence[Statement]
    paths: Sequence[Path]
    notes: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        """Whether there is no mistake. A choice, which makes it another variant, is none."""
        return not self.mistakes

    @property
    def mistakes(self) -> list[str]:
        """The mistakes, each in one sentence."""
        return self._said(is_choice=False)

    @property
    def choices(self) -> list[str]:
        """What makes it another variant than the one that was asked for, each in one sentence."""
        return self._said(is_choice=True)

    def table(self) -> str:
        """Each statement: whether it holds, and how far what was seen is from it; then how long the paths agree."""
        rows = [HEAD, *self._rows()]
        widths = [max(len(row[k]) for row in rows) for k in range(len(HEAD))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, "", *map(_path, self.paths)])

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain data, which `json` can write: None for a distance that is not finite."""
        told: dict[str, Any] = {"ok": self.ok, "mistakes": self.mistakes, "choices": self.choices} | asdict(self)
        for statement in told["statements"]:
            if statement["off"] is not None and not math.isfinite(statement["off"]):
                statement["off"] = None
        return told

    def __str__(self) -> str:
        return "\n".join([self._head(), "", self.table(), *self._words()])

    def _repr_html_(self) -> str:
        cells = [
            "".join(f"<td style='text-align: left'>{html.escape(cell)}</td>" for cell in row) for row in self._rows()
        ]
        head = "".join(f"<th style='text-align: left'>{cell}</th>" for cell in HEAD)
        rows = "".join(f"<tr>{row}</tr>" for row in cells)
        words = "".join(f"<p>{html.escape(line)}</p>" for line in [*map(_path, self.paths), *self._words()] if line)
        return f"<p><b>{html.escape(self._head())}</b></p><table><tr>{head}</tr>{rows}</table>{words}"

    def _head(self) -> str:
        settings = ", ".join(f"{name} = {value:g}" for name, value in self.settings.items())
        many = len(self.mistakes)
        found = "no mistake" if not many else "1 mistake" if many == 1 else f"{many} mistakes"
        another = f", and {len(self.choices)} that make it another variant" if self.choices else ""
        return f"{self.variant} with {settings}: {found}{another}"

    def _rows(self) -> list[tuple[str, ...]]:
        marks = {True: "yes", False: "NO", None: "–"}
        return [
            (s.text, "other" if s.is_choice else marks[s.holds], "" if s.off is None else f"{s.off:.1e}", s.formula)
            for s in self.statements
        ]

    def _words(self) -> list[str]:
        """Each mistake and each choice, with the line of the formula and the lesson."""
        lines, told = [], set()
        for s in self.statements:
            if s.holds is False and s.says not in told:
                told.add(s.says)
                kind = "another variant" if s.is_choice else "mistake"
                lines += ["", f"{kind}: {s.says}", f"    formula: {s.formula}", f"    read: lessons/{s.lesson}.ipynb"]
        lines += [f"\nnote: {note}" for note in self.notes]
        return lines + [f"\n–: {s.text}: {s.says}" for s in self.statements if s.holds is None]

    def _said(self, is_choice: bool) -> list[str]:
        said = [s.says for s in self.statements if s.holds is False and s.is_choice is is_choice]
        return list(dict.fromkeys(said))


def _path(path: Path) -> str:
    if path.agreed == path.steps:
        return f"{path.problem}: agrees with minisam to {path.digits:.0f} digits over {path.steps} steps"
    return f"{path.problem}: agrees with minisam for {path.agreed} of {path.steps} steps"

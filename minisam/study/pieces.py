"""The file of a study: all pieces that are finished, in plain JSON, from which a second call goes on.

Truths: tests/test_study_file.py.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..checks import one_line
from ..files import check_writable, only_writer, whole
from ..training.archive import NewerError, Path, refusing
from ..training.settings import text
from ..version import __version__
from .methods import Grid, Method

FORMAT = 1
Content: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Piece:
    """What is computed in one go: a method with all settings of a grid, trained for some epochs on one unit."""

    method: str
    grid: Grid = field(hash=False)
    epochs: int
    unit: int

    def __str__(self) -> str:
        return f"{self.epochs} epochs, unit {self.unit:03}, {json.dumps(self.grid)}"


class Missing(LookupError):
    """Pieces that have not been computed."""

    def __init__(self, pieces: list[Piece]) -> None:
        self.pieces = pieces


class Pieces:
    """The finished pieces of a study. The file is written whole or not at all after each."""

    def __init__(self, path: Path | None, content: Content) -> None:
        self.path, self.content = path, content

    def has(self, piece: Piece) -> bool:
        return str(piece) in self.content["methods"][piece.method]["pieces"]

    def get(self, piece: Piece) -> Any:
        return self.content["methods"][piece.method]["pieces"][str(piece)]

    def keep(self, piece: Piece, found: Any) -> None:
        """Write a piece that is finished into the file."""
        of_method = self.content["methods"][piece.method]
        of_method["pieces"] = dict(sorted((of_method["pieces"] | {str(piece): found}).items()))
        self.write()

    def looks(self, units: int) -> list[int]:
        """Smaller numbers of units after which a result has been seen."""
        return [seen for seen in self.content["seen"] if seen < units]

    def end(self, result: Any, units: int) -> None:
        """Write the result beside the pieces."""
        self.content |= {"seen": sorted({*self.content["seen"], units}), "result": result}
        self.write()

    def write(self) -> None:
        if self.path is None:
            return
        with whole(self.path) as unfinished, open(unfinished, "w", encoding="utf-8") as file:
            file.write(as_text(self.content))
            file.flush()
            os.fsync(file.fileno())


def as_text(content: Content) -> str:
    """JSON with a line for each piece, and for each outcome of the result."""
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    return re.sub(r"\n {5,}", " ", text)  # a text in JSON has no line breaks of its own


@contextmanager
def going_on(path: Path | None, settings: dict[str, str], methods: Mapping[str, Method]) -> Iterator[Pieces]:
    """The pieces that a file holds of this study, none if there is no file yet.

    Those of a method that was made otherwise are dropped; those of methods that are not in this study stay. A ValueError says
    which settings of the study itself have changed.
    """
    makes = {name: text(f"methods[{name!r}]", [method.make, method.grid]) for name, method in methods.items()}
    if path is None:
        yield Pieces(None, started(settings, makes, {"methods": {}, "seen": []}))
        return
    check_writable(path, 0)
    with only_writer(path):
        there = read(path) if os.path.exists(path) and same(path, settings) else {"methods": {}, "seen": []}
        yield Pieces(path, started(settings, makes, there))


def started(settings: dict[str, str], makes: dict[str, str], there: Content) -> Content:
    """The content of a file with those pieces that count."""
    kept = {
        name: each for name, each in there["methods"].items() if makes.get(name, each["made_by"]) == each["made_by"]
    }
    new = {name: {"made_by": made_by, "pieces": {}} for name, made_by in makes.items()}
    head = {"minisam": "study", "format": FORMAT, "version": __version__, "settings": settings, "seen": there["seen"]}
    return head | {"methods": {name: kept.get(name, each) for name, each in {**new, **kept}.items()}}


def same(path: Path, settings: dict[str, str]) -> bool:
    """True; or a ValueError that names each setting that was another one when the study began.

    A setting that there was none of then was None.
    """
    was = {name: read(path)["settings"].get(name, "null") for name in settings}
    changed = [name for name in settings if was[name] != settings[name]]
    other = [f"{name} was {one_line(was[name])}, is {one_line(settings[name])}" for name in changed]
    if other:
        raise ValueError(
            f"{os.fspath(path)} belongs to another study: delete it, or name another file ({'; '.join(other)})"
        )
    return True


def read(path: Path) -> Content:
    """What a file of a study holds; or a ValueError if it is not a whole one."""
    with refusing(path, "study"):
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        if content["minisam"] != "study":
            raise ValueError(f"it is a {content['minisam']}")
        if content["format"] > FORMAT:
            raise NewerError(
                f"{os.fspath(path)} has format {content['format']} of minisam {content['version']}; this is minisam "
                f"{__version__}, which reads formats up to {FORMAT}: install a newer one"
            )
        made = [each["pieces"] for each in content["methods"].values() if isinstance(each["made_by"], str)]
        if not all(isinstance(each, dict) for each in [content["settings"], *made]) or not isinstance(
            content["seen"], list
        ):
            raise ValueError("it has no pieces")
    return content

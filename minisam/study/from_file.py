"""`minisam study FILE.py`: run the study that a file defines. Truths: tests/test_study_cli.py."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

from .. import plot
from ..checks import pick
from .fairness import check_evidence, fair_methods
from .protocol import compare

NEEDED, OPTIONAL = ("problem", "methods", "delta"), ("units", "tuning")


def run(path: Path, progress: bool) -> str:
    """Compare what the file defines; write the results and a picture beside it; return table, verdicts and the picture's path.

    Raises a ValueError if the file lacks a definition, and what `compare` raises.
    """
    defined = definitions(path)
    missing = [name for name in NEEDED if name not in defined]
    if missing:
        raise ValueError(
            f"{path} must define {', '.join(NEEDED)}, as minisam.study.compare takes them; it lacks {missing[0]}"
        )
    against, picture = defined.get("against"), path.with_suffix(".png")
    if against is not None:
        pick("against", against, defined["methods"])
    arguments = {name: defined[name] for name in (*NEEDED, *OPTIONAL) if name in defined}
    try:
        check_evidence(arguments["problem"], arguments.get("units", 2), arguments.get("tuning", 1), arguments["delta"])
        fair_methods(arguments["methods"])
    except TypeError as error:  # in one line, as all that is wrong with a file
        raise ValueError(str(error)) from error
    result = compare(**arguments, path=path.with_suffix(".json"), progress=progress)
    plot.save(result.plot(against), picture)
    return "\n".join([result.table(), "", *map(str, result.verdicts(against)), f"picture: {picture}"])


def definitions(path: Path) -> dict[str, Any]:
    """The global names of a Python file, which may import its neighbours."""
    if path.suffix != ".py" or not path.is_file():
        raise ValueError(f"a study must be a Python file, *.py, that is there, got {path}")
    sys.path.insert(0, str(path.parent.absolute()))
    return runpy.run_path(str(path))

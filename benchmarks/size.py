"""How large the house is, and how many stairs a step takes: `make size`.

Counts the code of `minisam/` as it stands, and traces the second SAM step of an mlp. Prints a table beside the goals; exit
status 1 if one is missed.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "minisam"
LONGEST_FUNCTION, LONGEST_FILE = 30, 300
QUIET = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
# from the ground up: a room imports only from rooms on its own line or above it in this list
FLOORS = (
    "types files version",
    "array_backend constants",
    "threads blas workers halves checks arguments kinds show stats vectors streams draws hyperparameters executors",
    "autodiff.tape autodiff.device_calls autodiff.program autodiff.known",
    "autodiff.reads autodiff.watch autodiff.compare autodiff.memory autodiff.records autodiff.parts autodiff.replay",
    "ops",
    "losses models",
    "autodiff.layout autodiff",
    "schedules data",
    "batch",
    "whole_step optim",
    "sam",
    "sharpness",
    "plot noisy_labels long_tails",
    "training",
    "study",
    "self_training",
    "verify demo conformance",
    "cli __main__",
)


def main() -> int:
    sys.path.insert(0, str(ROOT))
    files = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    imports = {name(path): set(imported(path, tree)) for path, tree in files.items()}
    calls = step_calls()
    rows = [
        ("one SAM step of an mlp: Python calls", len(calls), 45),
        ("one SAM step of an mlp: file changes", sum(a != b for a, b in pairwise(calls)), 20),
        ("one SAM step of an mlp: files", len(set(calls)), 6),
        ("norms a step", norms_of_a_step(), 2),
        ("import circles", len(circles(imports)), 0),
        ("arrows that run up", len(upward(imports)), 0),
        (f"functions over {LONGEST_FUNCTION} body lines", sum(n > LONGEST_FUNCTION for n in bodies(files)), 0),
        (f"files over {LONGEST_FILE} lines", sum(lines(path) > LONGEST_FILE for path in files), 0),
        ("lines of code", sum(code_lines(path, tree) for path, tree in files.items()), 5000),
        ("arguments and fields annotated `Any`", sum(anys(tree) for tree in files.values()), 60),
    ]
    for what, count, goal in rows:
        print(f"{what:<40} {count:>6,}   goal ≤ {goal:<5,} {'' if count <= goal else 'MISSED'}".rstrip())
    for a, b in sorted(upward(imports)):
        print(f"    runs up: {a} → {b}")
    for circle in circles(imports):
        print(f"    circle: {', '.join(sorted(circle))}")
    return int(any(count > goal for _, count, goal in rows))


# --- text ------------------------------------------------------------------------------------------------------------


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def docstring_lines(tree: ast.Module) -> set[int]:
    """The lines of all docstrings."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                found |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return found


def code_lines(path: Path, tree: ast.Module) -> int:
    """Lines with code on them: no docstrings, comments or blank lines."""
    occupied: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type not in QUIET:
            occupied |= set(range(token.start[0], token.end[0] + 1))
    return len(occupied - docstring_lines(tree))


def bodies(files: dict[Path, ast.Module]) -> Iterator[int]:
    """The code lines of each function's body."""
    for path, tree in files.items():
        text, quiet = path.read_text(encoding="utf-8").splitlines(), docstring_lines(tree)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                span = range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
                yield sum(i not in quiet and text[i - 1].strip()[:1] not in ("", "#") for i in span)


def anys(tree: ast.Module) -> int:
    """How many arguments and fields are annotated `Any`."""
    declared = (node.annotation for node in ast.walk(tree) if isinstance(node, (ast.arg, ast.AnnAssign)))
    return sum(isinstance(annotation, ast.Name) and annotation.id == "Any" for annotation in declared)


# --- imports ---------------------------------------------------------------------------------------------------------


def name(path: Path) -> str:
    """minisam/sam/step.py → sam.step; a package's own file has the package's name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imported(path: Path, tree: ast.Module) -> Iterator[str]:
    """The files that this one imports, anywhere in it; a folder's own file may import what stands in the folder."""
    package = path.relative_to(PACKAGE).parts[:-1]
    known = {name(other) for other in PACKAGE.rglob("*.py")}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) + 1 - node.level], *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                inner, outer = ".".join([*base, alias.name]), ".".join(base)
                target = inner if inner in known else outer
                if target in known and target != name(path):
                    yield target


def floor(room: str) -> int:
    """How high a file stands: the floor of its longest prefix in FLOORS."""
    at = {part: k for k, names in enumerate(FLOORS) for part in names.split()}
    parts = room.split(".")
    return next((at[".".join(parts[:n])] for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in at), len(FLOORS))


def upward(imports: dict[str, set[str]]) -> set[tuple[str, str]]:
    return {(a, b) for a, others in imports.items() for b in others if floor(b) > floor(a) and a != "__init__"}


def circles(imports: dict[str, set[str]]) -> list[set[str]]:
    """Sets of files each of which can be reached from each other."""
    reach = {a: set(others) for a, others in imports.items()}
    grown = True
    while grown:
        grown = False
        for a in reach:
            more = set().union(*(reach.get(b, set()) for b in reach[a])) - reach[a]
            reach[a] |= more
            grown |= bool(more)
    found: list[set[str]] = []
    for a in reach:
        circle = {b for b in reach[a] if a in reach.get(b, set())} - {"__init__"}
        if circle and circle not in found:
            found.append(circle)
    return found


# --- a step ----------------------------------------------------------------------------------------------------------


def step_calls() -> list[str]:
    """The file of each Python call of the library in a SAM step, after a first step that records."""
    take_step = sam_step()
    take_step()
    seen: list[str] = []

    def profile(frame, event, argument):
        if event == "call" and str(PACKAGE) in frame.f_code.co_filename:
            seen.append(frame.f_code.co_filename)

    sys.setprofile(profile)
    try:
        take_step()
    finally:
        sys.setprofile(None)
    return seen


def norms_of_a_step() -> int:
    """How often `norm` is called in a SAM step."""
    from minisam.vectors import norm

    take_step = sam_step()
    take_step()
    code, count = norm.__code__, 0

    def profile(frame, event, argument):
        nonlocal count
        count += event == "call" and frame.f_code is code

    sys.setprofile(profile)
    try:
        take_step()
    finally:
        sys.setprofile(None)
    return count


def sam_step():
    import numpy

    import minisam

    try:
        from minisam import BatchLoss
    except ImportError:
        from minisam import BatchLoss

    rng = numpy.random.default_rng(0)
    model = minisam.mlp((64, 32, 10))
    batch = BatchLoss(model).on(rng.standard_normal((64, 64)).astype("float32"), rng.integers(0, 10, 64))
    optimizer = minisam.SAM(minisam.SGD(0.1), 0.05)
    w = model.init(0)
    state = optimizer.init(w)
    return lambda: optimizer.step(w, state, batch)


if __name__ == "__main__":
    raise SystemExit(main())

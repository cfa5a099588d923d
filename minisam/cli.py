"""The command line: `minisam demo`, `study`, `conform`, `lessons`, `verify`, `bench`."""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path

from . import __version__, array_backend
from .training.loop import DivergedError

ERRORS = (ValueError, OSError, ModuleNotFoundError, array_backend.BackendError, BrokenExecutor, DivergedError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 2 after an error, which is one line on stderr, and 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show ρ, λ or ± shows ? instead
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except ERRORS as error:
        print(f"minisam {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"minisam {options.command}: interrupted", file=sys.stderr)
        return 130
    return 0


DEMO = """Train the same small net on 900 handwritten digits with a base optimizer, with SAM over it, and with the base for twice
the epochs (as many gradients as SAM spends); print a table, write demo.png."""
VERIFY = """Compute every formula in two ways (a derivative and a difference quotient, a closed form, the same on NumPy) and print
the largest relative error of each; the exit status is 1 if an error exceeds its bound."""
STUDY = """Run the study that a Python file defines by the arguments of minisam.study.compare: problem, methods, delta, and
units, tuning, against if they are not the usual ones. Beside the file, write its results to a .json file, from which a second
call goes on, and a picture to a .png file; print a table and verdicts."""
CONFORM = """Watch a SAM, or a variant, at work on small problems, and tell what is right and what is not: see
minisam.conformance. The exit status is 1 if there is a mistake."""


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="minisam", description="Sharpness-Aware Minimization, small enough to read.")
    top.add_argument("--version", action="version", version=f"minisam {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    tells, defaults = "SGD against SAM on real digits: a table and a picture", argparse.ArgumentDefaultsHelpFormatter
    demo = commands.add_parser("demo", help=tells, description=DEMO, formatter_class=defaults)
    _add_demo_options(demo)
    tells = "a fair comparison of your own: table, verdicts and a picture"
    study = commands.add_parser("study", help=tells, description=STUDY)
    _add_study_options(study)
    conform = commands.add_parser("conform", help="is my SAM right? in NumPy, PyTorch or optax", description=CONFORM)
    _add_conform_options(conform)
    verify = commands.add_parser("verify", help="check every formula on this machine and backend", description=VERIFY)
    lessons = commands.add_parser("lessons", help="open the lessons in JupyterLab (in a clone)")
    bench = commands.add_parser(  # all its arguments are for the benchmark, --help too
        "bench", help="speed beside NumPy by hand, PyTorch and JAX (in a clone)", add_help=False, prefix_chars="+"
    )
    bench.add_argument("arguments", nargs="*")
    for command in (demo, verify):
        command.add_argument("--backend", help="numpy or cupy; by default MINISAM_BACKEND if it is set, else numpy")
    runs = {demo: _demo, study: _study, conform: _conform, lessons: _lessons, verify: _verify, bench: _bench}
    for command, run in runs.items():
        command.set_defaults(run=run)
    return top


def _add_study_options(study: argparse.ArgumentParser) -> None:
    on = "compute on N processes; as many as there are cores is best"
    study.add_argument("file", type=Path, help="a Python file")
    study.add_argument("--workers", type=_whole, default=1, metavar="N", help=on)


def _add_conform_options(conform: argparse.ArgumentParser) -> None:
    conform.add_argument(
        "target", metavar="FILE.py:NAME", help="a Python file, and the name of the implementation in it"
    )
    given = "what it was made with, such as rho=0.05 lr=0.1"
    conform.add_argument("--settings", nargs="+", default=[], metavar="NAME=NUMBER", help=given)
    conform.add_argument("--framework", choices=["numpy", "torch", "optax"], help="if NAME is no adapter's result")
    conform.add_argument(
        "--variant", default="SAM", help="what it should be, by its name in minisam.sam (default: SAM)"
    )
    conform.add_argument("--json", action="store_true", help="print the report as JSON")


def _add_demo_options(demo: argparse.ArgumentParser) -> None:
    demo.add_argument(
        "--seeds", type=_whole, default=10, help="runs of each method; seed k also draws split k of the digits"
    )
    demo.add_argument("--epochs", type=_whole, default=40, help="passes over the training data")
    demo.add_argument("--rho", type=_not_negative, default=0.05, help="radius of SAM's ball")
    demo.add_argument("--base", choices=["sgd", "adam", "adamw"], default="sgd", help="the optimizer below SAM")
    demo.add_argument("--l2", type=_not_negative, default=3e-4, help="lambda of the term lambda * |w|^2")
    demo.add_argument("--out", type=_folder, default="figures", help="folder for demo.png")
    demo.add_argument("--json", action="store_true", help="print the result as JSON, with the numbers of every seed")


def _demo(options: argparse.Namespace) -> None:
    from . import demo

    array_backend.use(options.backend or array_backend.name())
    settings = {key: getattr(options, key) for key in ("seeds", "epochs", "rho", "base", "l2")}
    rows = demo.run(**settings, progress=sys.stderr.isatty())
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "demo.png"
    demo.picture(rows, options.rho, path)
    if options.json:
        print(demo.dumps(rows, settings | {"backend": array_backend.name()}))
    else:
        print(demo.table(rows, options.rho))
        print(f"picture: {path}")


def _study(options: argparse.Namespace) -> None:
    from .study.from_file import run

    print(run(options.file, sys.stderr.isatty(), options.workers))


def _conform(options: argparse.Namespace) -> None:
    from .conformance.command import run

    report = run(options.target, options.framework, options.variant, options.settings)
    print(json.dumps(report.to_dict(), indent=2, ensure_ascii=False) if options.json else report)
    if not report.ok:
        raise SystemExit(1)


def _verify(options: argparse.Namespace) -> None:
    from . import verify
    from .threads import bar

    array_backend.use(options.backend or array_backend.name())
    results = list(bar(verify.run(), unit="formula", disable=None))
    print(verify.table(results))
    if not all(result.ok for result in results):
        raise SystemExit(1)


def _lessons(options: argparse.Namespace) -> None:
    folder = _in_clone("lessons")
    if importlib.util.find_spec("jupyterlab") is None:
        raise ModuleNotFoundError("the package jupyterlab is missing; pip install 'minisam[lessons]'")
    _call("-P", "-m", "jupyterlab", str(folder))  # -P: not one that lies in the current folder


def _bench(options: argparse.Namespace) -> None:
    _call(str(_in_clone("benchmarks") / "run.py"), *options.arguments)


def _in_clone(name: str) -> Path:
    """A folder of the clone that holds this package; an error if the package is not in a clone."""
    folder = Path(__file__).parents[1] / name
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there is no {folder}: the {name} are in a clone of the repository, not in the package"
        )
    return folder


def _call(*arguments: str) -> None:
    """Run Python with these arguments, and exit with its status if that is not 0."""
    status = subprocess.call([sys.executable, *arguments])
    if status:
        raise SystemExit(status)


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number ≥ 1, got {text!r}")
    return int(text)


def _not_negative(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number ≥ 0, got {text!r}")
    return value


def _folder(text: str) -> Path:
    """A folder that exists or can be made. It is checked before the training, so that a result is not lost after it."""
    path = Path(text).absolute()
    there = next(p for p in (path, *path.parents) if os.path.exists(p))
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise argparse.ArgumentTypeError(f"must be a folder that can be written to, got {text!r}")
    return Path(text)


if __name__ == "__main__":
    raise SystemExit(main())

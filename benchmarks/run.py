"""How long a training step takes: minisam beside NumPy by hand, PyTorch and JAX, side by side.

python benchmarks/run.py              # all of it: results.json, the table in docs/speed.md, figures/scaling.png
python benchmarks/run.py --quick      # seconds, NumPy only; writes nothing
python benchmarks/run.py --only minisam,jax --seconds 5
python benchmarks/run.py --render     # that table and the figure, from results.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the clone is measured, whatever else is installed

import report
from jobs import CURVES, MODELS, NETS
from machine import processor
from measure import Disagreement, Suite
from systems import NEEDED, OF_MODELS, QUICK, SYSTEMS
from tqdm.auto import tqdm
from worker import THREADS, Unavailable, limit_threads

import minisam
from minisam.files import whole

RESULTS = Path(__file__).resolve().with_name("results.json")
BUSY = 0.7  # mean number of running processes, above which a run is not worth keeping


def main() -> int:
    options = parser().parse_args()
    if options.render:
        report.render(json.loads(RESULTS.read_text(encoding="utf-8")))
        return 0
    cores, load = os.cpu_count(), os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > BUSY:
        print(
            f"the machine is busy (load {load:.1f}): systems that share work between threads lose most", file=sys.stderr
        )
    limit_threads()
    suite = Suite(QUICK if options.quick else options.only, warn=_warn)
    try:
        results = {"machine": machine(suite, cores) | {"load": round(load, 1)}} | measure(
            suite, options.seconds, options.quick
        )
        if not options.quick:
            results["models"] = measure_models(options.only, options.seconds)
    except (Disagreement, Unavailable) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    finally:
        suite.close()
    if options.quick:
        print(report.table(results))
    elif missing := NEEDED - set(suite.workers):
        print(f"{report.table(results)}\n\nnothing written: not measured were {', '.join(sorted(missing))}")
    else:
        with whole(RESULTS) as path:
            path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        page = report.render(results)
        print(f"{report.table(results)}\n\nwritten: {RESULTS}, {page}, {report.PLOT}")
    return 0


def parser() -> argparse.ArgumentParser:
    about = __doc__ or ""
    top = argparse.ArgumentParser(
        "minisam bench", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--quick", action="store_true", help="a few seconds, without PyTorch and JAX; writes nothing")
    top.add_argument("--only", type=_systems, default=list(SYSTEMS), help="beginnings of names: " + ", ".join(SYSTEMS))
    top.add_argument("--seconds", type=float, default=30.0, help="time for each net, each set of curves (default: 30)")
    top.add_argument("--render", action="store_true", help="only write the table and the figure, from results.json")
    return top


def _systems(text: str) -> list[str]:
    """Those whose names begin with one of the words; always minisam, to which the others are compared."""
    words = tuple(text.split(","))
    unknown = [word for word in words if not any(name.startswith(word) for name in SYSTEMS)]
    if unknown:
        raise argparse.ArgumentTypeError(f"no system begins with {unknown[0]!r}; there are {', '.join(SYSTEMS)}")
    return [name for name in SYSTEMS if name == "minisam" or name.startswith(words)]


def measure(suite: Suite, seconds: float, quick: bool) -> dict[str, Any]:
    """Everything, or of it what takes seconds."""
    if quick:
        return {
            "nets": _each("steps", lambda net: suite.steps(net, 0.5), ["toy", "digits"]),
            "allocation_kib": _each("allocation", suite.allocation, ["toy"]),
            "missing": suite.missing,
        }
    return {
        "nets": _each("steps", lambda net: suite.steps(net, seconds), NETS),
        "replicas": _each("replicas", lambda _: suite.replicas(seconds), ["toy"])["toy"],
        "peak_mib": _each("memory", suite.peaks, ["wide"])["wide"],
        "allocation_kib": _each("allocation", suite.allocation, NETS),
        "scaling": _each("scaling", lambda size: suite.curve(size, seconds / 2), CURVES),
        "variants": {str(threads): measure_variants(suite, seconds / 3, threads) for threads in (1, THREADS)},
        "missing": suite.missing,
    }


def measure_variants(suite: Suite, seconds: float, threads: int) -> dict[str, Any]:
    """Steps of variants, with so many threads for a product of matrices."""
    title = f"variants, {threads} BLAS threads"
    return _each(title, lambda net: suite.variants(net, seconds, threads), ["digits", "wide"])


def measure_models(only: list[str], seconds: float) -> dict[str, Any]:
    """Whole models, in the systems that have them."""
    names = [name for name in OF_MODELS if name.removesuffix("-models") in only]
    suite = Suite(names, _warn, ours="minisam-models")
    try:
        return _each("models", lambda name: suite.model(name, seconds / 2), MODELS)
    finally:
        suite.close()


def _warn(line: str) -> None:
    tqdm.write(line, file=sys.stderr)


def _each(title: str, action: Callable[[str], Any], names: Iterable[str]) -> dict[str, Any]:
    """{name: action(name)}, with a bar."""
    results = {}
    for name in (bar := tqdm(list(names), desc=title, leave=False, disable=None)):
        bar.set_postfix_str(name)
        results[name] = action(name)
    return results


def machine(suite: Suite, cores: int | None) -> dict[str, Any]:
    return {
        "processor": processor(),
        "cores": cores,
        "threads": THREADS,
        "system": platform.system(),
        "versions": {
            "Python": platform.python_version(),
            "minisam": minisam.__version__,
            **{package: version(package) for package in ("numpy", "autograd")},
            **suite.versions(),
        },
    }


if __name__ == "__main__":
    raise SystemExit(main())

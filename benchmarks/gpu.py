"""minisam on a GPU: every formula checked, and training steps beside PyTorch and JAX on the same device.

python benchmarks/gpu.py              # writes gpu.json and figures/gpu.png
python benchmarks/gpu.py --seconds 5
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the clone is measured, whatever else is installed

from jobs import NETS
from measure import Disagreement, Suite
from systems import NAMES, ON_DEVICE
from tqdm.auto import tqdm
from worker import THREADS, Unavailable, limit_threads

import minisam
from minisam import array_backend, verify
from minisam.files import whole
from minisam.plot import COLOURS, new_figure, save

HERE = Path(__file__).resolve().parent
RESULTS, PLOT = HERE / "gpu.json", HERE.parent / "figures" / "gpu.png"
REPLICAS = 256
GOALS = {"torch-gpu": 1.0, "torch-gpu-graph": 1.1, "jax-gpu": 1.1}  # minisam's time over theirs, at most
STYLES = {"minisam": (COLOURS[0], "o-"), "minisam-gpu": (COLOURS[1], "^-")}


def main() -> int:
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--seconds", type=float, default=20.0, help="time for each net and each curve (default: 20)")
    options = top.parse_args()
    try:
        machine = device()
    except array_backend.BackendError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    limit_threads()
    os.environ["JAX_PLATFORMS"] = "cuda"
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # else JAX takes three quarters of the memory from all others
    suite = Suite(["minisam", *ON_DEVICE], warn=lambda line: tqdm.write(line, file=sys.stderr), ours="minisam-gpu")
    try:
        results = {"machine": machine | {"versions": machine["versions"] | suite.versions()}}
        results |= measure(suite, options.seconds)
    except (Disagreement, Unavailable) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    finally:
        suite.close()
    print(table(results))
    with whole(RESULTS) as path:
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    plot(results)
    print(f"written: {RESULTS}, {PLOT}")
    return 0


def device() -> dict[str, Any]:
    """The device and the versions, and how far each formula was off on it."""
    with array_backend.use("cupy"):
        cupy = array_backend.xp()
        properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
        checked = list(verify.run())
        return {
            "device": properties["name"].decode(),
            "driver": cupy.cuda.runtime.driverGetVersion(),
            "runtime": cupy.cuda.runtime.runtimeGetVersion(),
            "threads": THREADS,
            "versions": {
                "Python": platform.python_version(),
                "minisam": minisam.__version__,
                "cupy": cupy.__version__,
                **{package: version(package) for package in ("numpy", "autograd")},
            },
            "largest_errors": {result.formula: result.error for result in checked},
            "wrong": [result.formula for result in checked if not result.ok],
        }


def measure(suite: Suite, seconds: float) -> dict[str, Any]:
    """Steps of the three nets, many replicas, and where the GPU overtakes the CPU."""
    nets = {net: suite.steps(net, seconds) for net in tqdm(NETS, desc="steps", leave=False, disable=None)}
    return {
        "nets": nets,
        "replicas": suite.replicas(seconds, REPLICAS),
        "crossover": {
            size: suite.curve(size, seconds, STYLES)
            for size in tqdm(("width", "batch", "replicas"), desc="crossover", leave=False, disable=None)
        },
        "missing": suite.missing,
    }


def table(results: dict[str, Any]) -> str:
    """Microseconds of a SAM step, minisam's ratios against their goals, and the throughput of replicas."""
    lines = [f"{results['machine']['device']}: {len(results['machine']['wrong'])} formulas wrong", ""]
    for net, result in results["nets"].items():
        ratios = result["minisam_over"]["sam"]
        for name, time in result["microseconds"]["sam"].items():
            goal = f"  minisam / this: {ratios[name][1]:.2f} (goal ≤ {GOALS[name]})" if name in GOALS else ""
            lines.append(f"{net:8} {NAMES[name]:30} {time:10,.1f} µs{goal}")
    one_by_one = results["replicas"]["minisam_over"].get("minisam-gpu-singles")
    if one_by_one:
        lines.append(
            f"{REPLICAS} replicas in one run: {1 / one_by_one[1]:.0f} times the throughput of one by one (goal ≥ 50)"
        )
    return "\n".join(lines)


def plot(results: dict[str, Any]) -> None:
    """Step time on CPU and GPU as the net grows."""
    figure, axes = new_figure(1, len(results["crossover"]), width=12)
    for ax, (size, curve) in zip(axes, results["crossover"].items(), strict=True):
        if ax is not axes[0]:
            ax.sharey(axes[0])
        for name, (colour, style) in STYLES.items():
            label = "CPU" if name == "minisam" else results["machine"]["device"]
            ax.loglog(curve["values"], curve["microseconds"][name], style, color=colour, label=label, ms=4)
        ax.set_xlabel(size)
        ax.set_xticks(curve["values"], map(str, curve["values"]))
        ax.minorticks_off()
    axes[0].set_ylabel("SAM step [µs]")
    axes[0].legend()
    save(figure, PLOT)


if __name__ == "__main__":
    raise SystemExit(main())

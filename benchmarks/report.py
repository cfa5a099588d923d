"""What a result file says: a Markdown table for the terminal and docs/speed.md, and the plot of the scaling curves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from readme import splice
from systems import NAMES, OF_MODELS

Results = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
PLOT = ROOT / "figures" / "scaling.png"


def table(results: Results) -> str:
    """Times of every system, then minisam's ratios against their goals."""
    return "\n".join([*_times(results), "", *_goals(results), "", *_models(results), "", _machine(results)])


def render(results: Results) -> Path:
    """Put the table into its page, and draw the plot; the page."""
    page = splice("benchmark table", table(results))
    plot(results)
    return page


def _times(results: Results) -> Iterator[str]:
    nets, replicas, peaks = results["nets"], results.get("replicas"), results.get("peak_mib")
    heads = [f"{name} {'-'.join(map(str, net['sizes']))}, batch {net['batch_size']}" for name, net in nets.items()]
    columns = [(net["microseconds"]["sam"], net["minisam_over"]["sam"]) for net in nets.values()]
    if replicas:
        heads.append(f"{replicas['replicas']} × toy")
        columns.append((replicas["microseconds"], replicas["minisam_over"]))
    if peaks:
        heads.append("memory, wide")
    yield from _head("µs a SAM step", heads)
    for name, label in NAMES.items():
        row = [_time(name, *column) for column in columns] + ([_mib(peaks.get(name))] if peaks else [])
        if any(cell != "–" for cell in row):
            yield _row(label, row)


def _time(name: str, microseconds: dict[str, float], minisam_over: dict[str, list[float]]) -> str:
    """The median, and how many times that of minisam it is."""
    if name not in microseconds:
        return "–"
    text = f"{microseconds[name]:,.0f}"
    return text if name == "minisam" else f"{text} ({1 / minisam_over[name][1]:.2f}×)"


def _mib(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} MiB"


def _goals(results: Results) -> Iterator[str]:
    nets = results["nets"]
    yield from _head("ratio, median", [*nets, "goal"])
    for system, limits in (("hand", [1.0, 1.1, 1.1]), ("jax", [1.5, 0.9, 1.0]), ("torch", [0.2, 0.6, 0.7])):
        ratios = [net["minisam_over"]["sam"].get(system) for net in nets.values()]
        if any(ratios):
            yield _goal(f"minisam / {NAMES[system]}", [r and r[1] for r in ratios], limits)
    yield _goal("SAM step / SGD step", [net["sam_over_sgd"]["minisam"][1] for net in nets.values()], [2.05] * 3)
    yield from _variants(results)
    replicas = results.get("replicas", {"minisam_over": {}})
    for system, label, limit in (("jax", "JAX vmap of them", 0.7), ("minisam-singles", "one by one", 0.35)):
        if system in replicas["minisam_over"]:
            ratio = replicas["minisam_over"][system][1]
            yield _goal(
                f"{replicas['replicas']} replicas in one run / {label}", [ratio] + [None] * (len(nets) - 1), [limit]
            )
    allocation = results.get("allocation_kib", {})
    for key, label in (("growth", "growth over"), ("peak", "peak in")):
        if allocation:
            values = [allocation.get(net, {}).get(key) for net in nets]
            yield _goal(f"KiB allocated: {label} 1,000 steps", values, [64.0] * 3, digits=0)


def _variants(results: Results) -> Iterator[str]:
    """Steps of variants; none of them was measured on the toy net, where the overhead of a call is all."""
    by_threads = results.get("variants", {})
    for label, rule, limit in (("LookSAM step, k = 5", "looksam", 1.35), ("RST step, half of them SAM", "rst", 1.6)):
        if by_threads:
            over_sgd = by_threads[max(by_threads)]
            ratios = [over_sgd[net][rule][1] if net in over_sgd else None for net in results["nets"]]
            yield _goal(f"{label} / SGD step", ratios, [limit] * 3)
    for threads, nets in by_threads.items():
        cells = [f"{nets[net]['sampa over sam'][1]:.2f}" if net in nets else "–" for net in results["nets"]]
        yield _row(f"SAMPa step, in parallel / SAM step, {threads} BLAS thread{'s' * (threads != '1')}", [*cells, "–"])


def _goal(label: str, values: list[float | None], limits: list[float], digits: int = 2) -> str:
    """A row; values beyond their limit are bold."""
    cells = ["–"] * len(values)
    for k, value in enumerate(values):
        if value is not None:
            text = f"{value:,.{digits}f}"
            cells[k] = text if value <= limits[k] else f"**{text}**"
    told = limits if len(set(limits)) > 1 else limits[:1]
    return _row(label, [*cells, "≤ " + ", ".join(f"{limit:.{digits}f}" for limit in told)])


MODEL_GOALS = {
    "cnn, MNIST-1D": {"torch": 1.0, "jax": 1.3},
    "cnn, digits": {"torch": 1.0, "jax": 1.3},
    "cnn, 28×28": {"torch": 0.85, "jax": 1.3},
    "resnet, 28×28": {"torch": 1.0, "jax": 1.3},
    "vit, digits": {"torch": 0.75, "jax": 0.6},
    "gpt": {"torch": 0.85, "jax": 0.6},
}


def _models(results: Results) -> Iterator[str]:
    """Whole models: times, and minisam's ratios against their goals."""
    models = results.get("models", {})
    if not models:
        return
    systems = [name for name in OF_MODELS if all(name in model["microseconds"] for model in models.values())]
    heads = [f"{NAMES[name]}" for name in systems]
    ratios = [f"minisam / {NAMES[name]}" for name in systems[1:]]
    yield from _head("µs a SAM step", [*heads, *ratios, "SAM / SGD"])
    for name, model in models.items():
        cells = [f"{model['microseconds'][system]:,.0f}" for system in systems]
        for system in systems[1:]:
            ratio, goal = model["minisam_over"][system][1], MODEL_GOALS[name][system.removesuffix("-models")]
            cells.append(f"{ratio:.2f} (≤ {goal:g})" if ratio <= goal else f"**{ratio:.2f}** (≤ {goal:g})")
        yield _row(f"{name}: {model['what']}", [*cells, f"{model['sam_over_sgd'][systems[0]][1]:.2f}"])


def _machine(results: Results) -> str:
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    rounds = " to ".join(map(str, sorted({f(net["rounds"] for net in results["nets"].values()) for f in (min, max)})))
    missing = "".join(f" {NAMES[name]} is not available: {why}." for name, why in results["missing"].items())
    return (
        f"float32, {machine['threads']} threads on {machine['cores']} cores of {machine['processor']}, {machine['system']}; "
        f"{versions}. Each system in its own process, {rounds} rounds in which they take turns; ratios are medians over rounds, "
        f"bold where a goal is missed.{missing}"
    )


def _head(first: str, columns: list[str]) -> list[str]:
    return [_row(first, columns), "|---|" + "---:|" * len(columns)]


def _row(first: str, cells: list[str]) -> str:
    return f"| {first} | {' | '.join(cells)} |"


def plot(results: Results) -> None:
    """Step time over width, batch, depth and replicas."""
    from minisam.plot import COLOURS, new_figure, save

    figure, axes = new_figure(1, len(results["scaling"]), width=12)
    styles = {"minisam": (COLOURS[0], "o-"), "hand": ("0.45", "s--"), "jax": (COLOURS[1], "^-")}
    for ax, (size, curve) in zip(axes, results["scaling"].items(), strict=True):
        if ax is not axes[0]:
            ax.sharey(axes[0])
        for name, (colour, style) in styles.items():
            ax.loglog(curve["values"], curve["microseconds"][name], style, color=colour, label=NAMES[name], ms=4)
        ax.set_xlabel(size)
        ax.set_xticks(curve["values"], map(str, curve["values"]))
        ax.minorticks_off()
    axes[0].set_ylabel("SAM step [µs]")
    axes[0].legend()
    PLOT.parent.mkdir(exist_ok=True)
    save(figure, PLOT)

"""The picture that explains SAM: figures/sam.gif, and sam.png, which holds still.

A landscape with a sharp and a flat minimum, equally deep. SGD and SAM start at the same place, and what is drawn is what they do.
"""

from io import BytesIO
from pathlib import Path

import autograd.numpy as anp
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

from minisam import SAM, SGD, epsilon, value_and_grad
from minisam.plot import COLOURS

FIGURES = Path(__file__).resolve().parent
SHARP, FLAT = np.array([-1.0, 0.0]), np.array([1.0, 0.0])
ACROSS, ALONG = np.array([[np.cos(0.4), np.sin(0.4)], [-np.sin(0.4), np.cos(0.4)]])  # the axes of the sharp one
START, LR, RHO = np.array([-1.2, 0.3]), 0.11, 0.22
SLOWLY, STEPS = 3, 28  # the steps that are explained, and all
WIDE, HIGH = (-2.0, 1.75), (-0.69, 0.69)

BLUE, ORANGE, GREEN = COLOURS[:3]
INK, PALE, LIGHT = "#22303c", "#b9c2ca", "#8fcfbb"
GROUND = LinearSegmentedColormap.from_list("ground", ["#7d97ad", "#b7c8d4", "#e4eaee", "#fbfaf7"])
RULES = (
    ("look uphill", r"$\epsilon = \rho\,\nabla L(w)\,/\,\|\nabla L(w)\|$", ORANGE),
    ("find the way down there", r"$-\eta\,\nabla L(w + \epsilon)$", GREEN),
    ("take that step from w", r"$w \leftarrow w - \eta\,\nabla L(w + \epsilon)$", INK),
)


def landscape(w):
    """The lower of two bowls, smoothed where they meet. w (..., 2) -> (...,)."""
    sharp = 8 * anp.dot(w - SHARP, ACROSS) ** 2 + 2.5 * anp.dot(w - SHARP, ALONG) ** 2
    flat = anp.sum((w - FLAT) ** 2, axis=-1)
    return -0.05 * anp.logaddexp(-sharp / 0.05, -flat / 0.05)


def worst(w):
    """max L(w + ε) over ‖ε‖ ≤ ρ, on a fine grid of the disc. w (k, 2) -> (k,)."""
    angle, radius = np.meshgrid(np.linspace(0, 2 * np.pi, 73), np.linspace(0, RHO, 26))
    disc = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).reshape(-1, 2)
    return landscape(w[:, None] + disc).max(axis=1)


def walk(optimizer):
    """The weights before each step, and after the last. (STEPS + 1, 2)"""
    w, state, way = START, optimizer.init(START), [START]
    for _ in range(STEPS):
        w, state, _ = optimizer.step(w, state, value_and_grad(landscape))
        way.append(w)
    return np.array(way)


def moments():
    """What each frame shows: (step, phase 0 to 2 or None, how far into it 0 to 1, milliseconds)."""
    yield 0, None, 0.0, 1500
    for step in range(SLOWLY):
        for phase in range(3):
            for k in range(1, 6):
                yield step, phase, k / 5, 1300 if k == 5 and phase < 2 else 60
    for step in range(SLOWLY, STEPS):
        yield step, None, 0.0, 130
    yield STEPS, None, 0.0, 4000


def frame(step, phase, part, sgd, sam):
    """One picture: the landscape from top and in section, and where the two walks are."""
    figure = Figure(figsize=(8, 5.4), dpi=100, facecolor="white")
    top = figure.add_axes((0.01, 0.445, 0.98, 0.545))
    section = figure.add_axes((0.01, 0.125, 0.98, 0.31), sharex=top)
    draw_map(top)
    draw_section(section)
    draw_rules(figure, {0, 1, 2} if step == STEPS else {phase})
    for name, colour, x in (("SGD", BLUE, 1.36), ("SAM", GREEN, 1.6)):
        top.text(x, 0.58, name, color=colour, weight="bold", ha="center", va="center", fontsize=11)
    for way, colour in ((sgd, BLUE), (sam, GREEN)):
        draw_walk(top, way[: step + 1], colour)
    if phase is not None:
        draw_step(top, sam[step], phase, part)
    return figure


def still(sgd, sam):
    """All of it at once: where both end, and how the first step of SAM is found."""
    figure = frame(STEPS, None, 0.0, sgd, sam)
    draw_step(figure.axes[0], sam[0], 2, 1.0)
    return figure


def draw_map(ax):
    x, y = np.linspace(*WIDE, 361), np.linspace(*HIGH, 137)
    height = landscape(np.stack(np.meshgrid(x, y), axis=-1))
    levels = np.linspace(0, 1.6, 13)
    ax.contourf(x, y, np.sqrt(np.maximum(height, 0)), levels=levels, cmap=GROUND, extend="max", antialiased=False)
    ax.text(*SHARP - [0, 0.6], "sharp minimum", ha="center", color=INK, fontsize=11)
    ax.text(*FLAT - [0, 0.6], "flat minimum", ha="center", color=INK, fontsize=11)
    ax.set(xlim=WIDE, ylim=HIGH, aspect="equal")
    ax.axis("off")


def draw_section(ax):
    x = np.linspace(*WIDE, 361)
    w = np.stack([x, 0 * x], axis=-1)
    ax.fill_between(x, landscape(w), -1, color=PALE, alpha=0.45, linewidth=0)
    ax.plot(x, landscape(w), color=INK, linewidth=1.8)
    ax.plot(x, worst(w), color=ORANGE, linewidth=1.8, linestyle=(0, (4, 2)))
    ax.text(0.1, 0.4, "$L(w)$", color=INK, fontsize=12, ha="center")
    ax.text(0.33, 1.4, r"$\max_{\|\epsilon\| \leq \rho}\,L(w + \epsilon)$", color=ORANGE, fontsize=12, ha="left")
    ax.set(ylim=(-0.15, 2.3))
    ax.axis("off")


def draw_rules(figure, told):
    for k, (words, formula, colour) in enumerate(RULES):
        colour, weight = (colour, "bold") if k in told else ("#8a949d", "normal")
        x = 0.04 + 0.32 * k
        figure.text(x, 0.07, f"{k + 1}  {words}", color=colour, weight=weight, fontsize=11)
        figure.text(x + 0.025, 0.022, formula, color=colour, fontsize=11)


def draw_walk(ax, way, colour):
    ax.plot(*way.T, "-", color=colour, linewidth=1.4)
    ax.plot(*way[:-1].T, "o", color=colour, markersize=3)
    ax.plot(*way[-1], "o", color=colour, markersize=8, markeredgecolor="white", zorder=5)


def draw_step(top, w, phase, part):
    """ε grows; the step is found at w + ε, and carried to w; w takes it."""
    loss_and_grad = value_and_grad(landscape)
    eps = epsilon(loss_and_grad(w)[1], RHO)
    step = -LR * loss_and_grad(w + eps)[1]
    away = eps / RHO
    angle = np.linspace(0, 2 * np.pi, 73)
    top.plot(w[0] + RHO * np.cos(angle), w[1] + RHO * np.sin(angle), color=ORANGE, linewidth=1, linestyle=":")
    draw_arrow(top, w, eps * (part if phase == 0 else 1), ORANGE)
    aside = np.array([-away[1], away[0]])
    label(top, w - 0.1 * np.copysign(1, aside @ step) * aside, "$w$", GREEN)
    if phase > 0:
        top.plot(*(w + eps), "o", color=ORANGE, markersize=6, markeredgecolor="white", zorder=4)
        label(top, w + eps + 0.14 * away, r"$w + \epsilon$", ORANGE)
        draw_arrow(top, w + eps, step * (part if phase == 1 else 1), LIGHT if phase == 2 else GREEN)
    if phase == 2:
        draw_arrow(top, w, step * part, INK)


def draw_arrow(ax, start, vector, colour):
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", start + vector, start, arrowprops=style)


def label(ax, place, text, colour):
    ax.text(*place, text, color=colour, fontsize=12, ha="center", va="center")


def image(figure):
    file = BytesIO()
    figure.savefig(file, format="png")
    return Image.open(file).convert("RGB")


def in_few_colours(images):
    """The images with one palette for all: the 128 colours that are most common, each pixel the nearest of them."""
    packed = [np.asarray(picture).astype("int32") @ [1 << 16, 1 << 8, 1] for picture in images]
    colours, counts = np.unique(np.stack(packed), return_counts=True)
    parts = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=-1)
    palette = parts[np.argsort(counts)[-128:]]
    nearest = np.concatenate(
        [np.argmin(((some[:, None] - palette) ** 2).sum(axis=-1), axis=1) for some in np.array_split(parts, 64)]
    )
    for pixels in packed:
        picture = Image.fromarray(nearest[np.searchsorted(colours, pixels)].astype("uint8"), mode="P")
        picture.putpalette(palette.astype("uint8").tobytes())
        yield picture


def draw():
    """Write both pictures."""
    sgd, sam = walk(SGD(LR)), walk(SAM(SGD(LR), RHO))
    image(still(sgd, sam)).save(FIGURES / "sam.png", optimize=True)
    shown = list(moments())
    first, *others = in_few_colours([image(frame(*moment[:3], sgd, sam)) for moment in shown])
    durations = [moment[3] for moment in shown]
    first.save(FIGURES / "sam.gif", save_all=True, append_images=others, duration=durations, loop=0)


if __name__ == "__main__":
    draw()

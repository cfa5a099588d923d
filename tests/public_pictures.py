"""Primitives, pictures, and what is left."""

from __future__ import annotations

import numpy as np
from bad_values import (
    OBJECTS,
    array,
    bad,
    choice,
    count,
    free,
    function,
    labels,
    mapping,
    number,
    optional,
    order,
    path,
    plain_share,
    random_seed,
    seed,
    sizes,
    thing,
    truth,
    weights,
    word,
)
from good_values import AVERAGED, DATA, FOLDER, MODEL, RNG, SWEPT, W, X, without
from public_calls import add

import minisam
from minisam import array_backend, draws, ops, plot, sharpness, stats, threads, verify

a_shape = without(["an empty array", "none", "zeros"], sizes)


def add_ops() -> None:
    a, b = RNG.standard_normal((2, 6, 4)).astype("float32")
    vector = np.full(4, 0.5, dtype="float32")
    image = RNG.standard_normal((4, 6, 6, 3)).astype("float32")
    signal = RNG.standard_normal((4, 6, 3)).astype("float32")

    def op(name, **arguments):
        add(f"ops.{name}", getattr(ops, name), positional=True, **arguments)

    row, bias = (array(ndim=2), a), (weights, vector)
    for name in ("relu", "tanh", "gelu", "softmax", "log_softmax", "sum_last"):
        op(name, **{"z" if "softmax" in name else "a" if name == "sum_last" else "x": (free, a)})
    for name in ("T", "sum_rows"):
        op(name, a=(array(ndim=2, fixed=False), a))
    op("moments", x=(free, a))
    op("matmul", a=row, b=(array(ndim=2, fixed=False), b.T.copy()))
    op("affine", x=row, W=(array(ndim=2, fixed=False), b.T.copy()), b=(weights, np.full(6, 0.5, dtype="float32")))
    qkv = {name: (array(ndim=2), a) for name in "qkv"}
    op("attention", **qkv, heads=(count(), 2), tokens=(count(), 3), causal=(truth, True))
    op("first_tokens", x=(array(ndim=2, fixed=False), a), tokens=(count(), 3))
    kernel = dict(stride=(count(), 1), padding=(count(0), 1))
    convolved = dict(
        x=(array(ndim=4, fixed=False), image), W=(array(ndim=4, fixed=False), RNG.standard_normal((4, 4, 3, 3)))
    )
    op("conv2d", **convolved, b=(weights, vector), **kernel)
    convolved = dict(
        x=(array(ndim=3, fixed=False), signal), W=(array(ndim=3, fixed=False), RNG.standard_normal((4, 4, 3)))
    )
    op("conv1d", **convolved, b=(weights, vector), **kernel)
    for name in ("max_pool", "average_pool"):
        op(name, x=(array(ndim=4, fixed=False), image), window=(sizes, (2, 2)))
    op("global_average_pool", x=(array(fixed=False), image), n=(count(most=2), 2))
    op("to_images", x=(array(ndim=2), a), shape=(sizes, (1, 2, 2)))
    op("to_rows", x=(array(fixed=False), image), n=(count(most=2), 2))
    table, tokens = (array(ndim=2, fixed=False), a), (array(kinds="i", fixed=False), np.array([0, 3, 2]))
    op("embedding", table=table, tokens=tokens)
    column = (array(ndim=2, fixed=False), a[:, :1].copy())
    op("batch_norm", x=(array(ndim=2, fixed=False), a), gain=column, bias=column, mean=column, variance=column)
    op("layer_norm", x=(array(ndim=2), a), gain=bias, bias=bias)
    grouped = dict(x=(array(ndim=3, fixed=False), signal), gain=bias, bias=bias, groups=(count(), 2))
    op("group_norm", **grouped)
    classes = (labels, np.arange(6) % 4)
    op("softmax_cross_entropy", z=(array(ndim=2, fixed=False), a), labels=classes, smoothing=(plain_share, 0.5))
    op("squared_error", a=row, b=row)
    op(
        "check_range",
        labels=(array(kinds="i", fixed=False), np.arange(4)),
        classes=(count(), 4),
        called=(word, "labels"),
    )
    op("back_to", a=(weights, vector), g=(array(fixed=False), a))
    op("lift", g=(free, vector), axes=(count(0), 1))
    op("spread", a=(weights, vector), shape=(a_shape, (6, 4)))
    op("sum_to", a=(weights, a), shape=(a_shape, (4,)))
    op("dot", a=row, b=row)
    op("norm", a=(free, a), p=(order, 2.0))
    op("over", a=row, b=row)
    op("like", value=(number(infinite=True, low=-np.inf), 0.5), w=(free, a))


def add_plots() -> None:
    x, values = np.arange(3.0), RNG.standard_normal((2, 3))
    figure, axes = plot.new_figure(1, 2, 4.0)
    label = dict(xlabel=(word, "x"), ylabel=(word, "y"))
    estimate = sharpness.Estimate(np.ones(2), np.ones(2))
    line = (mapping((x,), (x, None), (None, x), (x, values[:, :2]), ("a", "b")), {"a": (x, values)})
    runs = (mapping(AVERAGED.history, MODEL), {"a": AVERAGED})
    add("plot.curves", plot.curves, runs=runs)
    add(
        "plot.against",
        plot.against,
        {"name": ("an axis of the run",)},
        run=(thing(MODEL, DATA), SWEPT),
        name=(choice, "rho"),
    )
    add("plot.measures", plot.measures, found=(mapping({"a": None}, {"a": "b"}), {"SGD": {"trace": estimate}}))
    add("plot.lines", plot.lines, found=line, **label)
    add("plot.profile", plot.profile, slices=line, **label)
    add(
        "plot.interpolation",
        plot.interpolation,
        slices=line,
        ylabel=(word, "y"),
        ends=(without(["a list of text"], two_words), ("a", "b")),
    )
    step = [sharpness.SingleStepAccuracy(np.ones(2), np.ones(2))] * 3
    second = [sharpness.SecondOrder(np.ones((2, 3)), np.ones((2, 3)))] * 3
    for name, results in (("single_step_accuracy", step), ("second_order", second)):
        entries = mapping((x,), (x, None), (x, [None] * 3), (x, results[:2]))
        add(f"plot.{name}", getattr(plot, name), found=(entries, {"a": (x, results)}), xlabel=(word, "epoch"))
    spectra = {"a": sharpness.Spectrum(np.ones((2, 3)) * x, np.full((2, 3), 1 / 3))}
    add("plot.spectrum", plot.spectrum, spectra=(mapping(), spectra), points=(count(), 5))
    t, plane = np.linspace(-1, 1, 3), RNG.standard_normal((3, 3))
    points = (optional(mapping((0,), ("a", "b"))), {"w": (0, 0)})
    surface = mapping((t,), (t, None), (t, plane[:2]), (t, np.full((3, 3), np.nan)))
    named = dict(slices=(surface, {"a": (t, plane)}), points=points, **label, label=(word, "loss"))
    add("plot.landscape", plot.landscape, **named)
    axis, several = (thing(3, [axes[0]]), axes[0]), (thing(3, [], [3]), axes)
    add("plot.draw_landscapes", plot.draw_landscapes, axes=(several[0], axes[:1]), **named)
    add("plot.draw_lines", plot.draw_lines, ax=axis, found=line, **label)
    add("plot.draw_spectra", plot.draw_spectra, ax=axis, spectra=(mapping(), spectra), points=(count(), 5))
    panels = thing(["loss"], [3], 3)
    add(
        "plot.draw_curves",
        plot.draw_curves,
        axes=several,
        runs=runs,
        panels=(panels, ("train_loss", "validation_accuracy")),
    )
    band = dict(
        ax=axis,
        x=(array(), x),
        samples=(array(fixed=False), values.T),
        label=(word, "a"),
        colour=(without(["text"], colours), "#0072B2"),
    )
    add("plot.draw_band", plot.draw_band, **band)
    add("plot.spread", plot.spread, ax=axis, values=(array(fixed=False, finite=True), x))
    add("plot.told", plot.told, labels=(mapping_alone, {"rho": 0.5}))
    size = number(open_low=True, swept=False)
    sized = dict(width=(size, 4.0), height=(number(open_low=True, swept=False, optional=True), 3.0))
    add("plot.new_figure", plot.new_figure, rows=(count(), 1), columns=(count(), 1), **sized)
    add("plot.save", plot.save, figure=(thing(3, axes), figure), path=(path, FOLDER / "a.png"))


def two_words(good):
    return bad(OBJECTS) | bad({"one": ("a",), "three": ("a", "b", "c"), "numbers": (1, 2), "a number": 3})


def colours(good):
    return bad(OBJECTS) | bad({"a number": 3, "another name": "colourless"})


def mapping_alone(good):
    return bad(OBJECTS, without=["a dict"]) | bad({"a number": 3, "a list": ["rho"], "a name": "rho"})


def add_others() -> None:
    add("stats.mean_and_interval", stats.mean_and_interval, samples=(free, np.ones((3, 4))), axis=(axes_of_two, -1))
    purpose = dict(purpose=(word, "coin"), seed=(random_seed, 0), t=(count(0), 3))
    for name in ("normal", "uniform", "signs"):
        add(f"draws.{name}", getattr(draws, name), **purpose, w=(free, W), of_run=(random_seed, 0))
    draw = (function(1), lambda rng: rng.random(2))
    add("draws.per_seed", draws.per_seed, draw=draw, **purpose, of_run=(random_seed, 0))
    steps = dict(steps=(count(0), 3))
    add(
        "draws.stream",
        lambda purpose, seed, steps: draws.stream(purpose, seed, steps).random(),
        {"steps": ("t",)},
        purpose=(word, "coin"),
        seed=(seed, 0),
        **steps,
    )
    add("array_backend.use", array_backend.use, {"name": ("backend",)}, name=(choice, "numpy"))
    add("array_backend.asarray", array_backend.asarray, a=(lambda _: {}, X), dtype=(lambda _: {}, None))
    add("array_backend.asnumpy", array_backend.asnumpy, a=(lambda _: {}, X))
    add("threads.use", threads.use, n=(count(), 2))
    add("show", minisam.show, thing=(things_without_source, minisam.SAM))
    for name in ("above", "apart"):
        numbers = without(["a number"], free)
        add(f"verify.{name}", getattr(verify, name), a=(numbers, X), b=(numbers, X))
    add("verify.drawn", lambda shape, seed: verify.drawn(shape, 3, seed=seed), shape=(count(0), 2), seed=(seed, 0))
    add("verify.table", verify.table, results=(thing([]), [verify.Result("a", "b", 0.0, 1.0)]))


def axes_of_two(good):
    found = count(0, 1)(good)
    return {label: case for label, case in found.items() if label not in ("-1", "below")}


def things_without_source(good):
    return bad(OBJECTS) | bad({"a number": 3, "a name": "SAM", "a builtin": len})


add_ops()
add_plots()
add_others()

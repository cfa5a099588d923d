"""Data sets, and measures of sharpness."""

from __future__ import annotations

import numpy as np
from bad_values import (
    OBJECTS,
    array,
    bad,
    choice,
    count,
    function,
    mask_or_truth,
    number,
    optional,
    order,
    path,
    plain,
    plain_share,
    positive,
    real,
    seed,
    seeds,
    sizes,
    thing,
    truth,
    weights,
)
from good_values import (
    BATCH,
    DATA,
    FOLDER,
    MODEL,
    POINTS,
    PRODUCT,
    SIGNALS,
    TEXT,
    G,
    W,
    X,
    Y,
    loss_and_grad,
    model,
    without,
)
from public_calls import add

from minisam import data, sharpness

IMAGES = data.digits(train=200, validation=200)


def add_data() -> None:
    three = {name: (count(), 10) for name in ("train", "validation", "test")}
    two = {name: (count(), 10) for name in ("train", "validation")}
    drawn, some = (seed, 0), (plain, 0.5)
    add("data.digits", data.digits, seed=drawn, **two)
    add("data.two_moons", data.two_moons, seed=drawn, noise=some, **three)
    add("data.spirals", data.spirals, seed=drawn, noise=some, arms=(count(), 2), **three)
    small = {name: (count(), 3) for name in ("classes", "features", "outputs", "active", "states")}
    add("data.blobs", data.blobs, seed=drawn, noise=some, classes=small["classes"], features=small["features"], **three)
    linear = dict(features=small["features"], outputs=small["outputs"])
    add("data.linear_teacher", data.linear_teacher, seed=drawn, noise=some, **linear, **three)
    sparse = dict(features=small["features"], active=small["active"])
    add("data.diagonal_regression", data.diagonal_regression, seed=drawn, noise=some, **sparse, **three)
    add("data.mnist1d", data.mnist1d, seed=drawn, **three)
    chain = dict(states=small["states"], context=(count(2), 3), concentration=(positive, 0.5))
    add("data.markov", data.markov, seed=drawn, **chain, **three)
    part = number(high=1.0, open_low=True, open_high=True, swept=False)
    add("data.text", data.text, context=(count(), 64), validation=(part, 0.25), test=(part, 0.25))
    for name in ("mnist", "fashion_mnist", "cifar10", "cifar100"):
        wrong = dict(folder=(only_bad(path), FOLDER), validation=(only_bad(count()), 5), seed=(only_bad(seed), 0))
        add(f"data.{name}", getattr(data, name), **wrong)
    examples = (thing(MODEL, (X, Y)), DATA)
    rate = (plain_share, 0.5)
    add("data.symmetric_noise", data.symmetric_noise, data=examples, rate=rate, seed=drawn)
    add("data.asymmetric_noise", data.asymmetric_noise, data=examples, rate=rate, seed=drawn, to=(targets, {0: 1}))
    add("data.instance_dependent_noise", data.instance_dependent_noise, data=examples, rate=rate, seed=drawn)
    tail = dict(most=(count(most=9), 5), least=(count(most=5), 2))
    add("data.long_tailed", data.long_tailed, data=examples, **tail, seed=drawn)
    add(
        "data.dominoes",
        data.dominoes,
        data=(thing(MODEL, (X, Y), DATA), IMAGES),
        agreement=(plain_share, 0.5),
        seed=drawn,
    )
    add("data.subset", data.subset, data=examples, n=(count(most=20), 5), seed=drawn)
    size = (count(most=20), 5)
    add("data.single_pass", lambda **given: list(data.single_pass(**given)), data=examples, batch_size=size, seed=drawn)
    add("data.batches", data.batches, n=(count(), 20), batch_size=size, seed=(seeds, 0), epoch=(count(0), 0))
    signals, kind = (thing(MODEL, (X, Y)), SIGNALS), (choice, "blur")
    add("data.shift", data.shift, data=signals, kind=kind, severity=(count(0, 5), 2), seed=drawn)
    rows = (array(), SIGNALS.x_test)
    shape = (sizes, (1, 40))
    add("data.shifted", data.shifted, x=rows, shape=shape, kind=kind, severity=(count(0, 5), 2), seed=drawn)
    add("data.gradual", data.gradual, data=signals, kind=kind, most=(real, 0.5), steps=(count(), 2), seed=drawn)
    add("data.turned", data.turned, data=(thing(MODEL, (X, Y), DATA), POINTS), degrees=(real, 30.0))
    add("TextData().encode", TEXT.encode, text=(without(["text", "a name"], thing("€")), "the"))
    tokens = array(kinds="i", fixed=False)
    add("TextData().decode", TEXT.decode, tokens=(tokens, np.array([1, 2])))


def only_bad(kind):
    """For a function whose good call needs a download."""

    def values(good):
        there = ("a missing folder", "a folder", "")
        return {label: case for label, case in kind(good).items() if case[1] == "bad" and label not in there}

    return values


def targets(good):
    found = bad(OBJECTS, without=["None", "a dict"]) | bad({"a number": 3, "a name": "to", "a list": [0, 1]})
    wrong = [{0: 9}, {9: 0}, {-1: 0}, {0: None}, {0: "a"}, {"a": 0}, {0: 0.5}, {0.5: 0}, {0: True}, {0: [1]}]
    return found | bad({f"classes {k}": entry for k, entry in enumerate(wrong)})


def add_sharpness() -> None:
    point = dict(w=(weights, W))
    drawn = dict(seed=(seed, 0), progress=(truth, False))
    radius, p = (number(), 0.5), (order, 2.0)
    adaptive = (mask_or_truth, False)
    search = dict(
        rho=radius,
        p=p,
        steps=(count(), 2),
        restarts=(count(0), 1),
        adaptive=adaptive,
        inner=(choice, "ascent"),
        **drawn,
    )
    of = dict(loss_and_grad=(loss_and_grad, BATCH), **point)
    for name in ("worst_case", "worst_point", "single_step_accuracy"):
        add(f"sharpness.{name}", getattr(sharpness, name), **of, **search)
    for name in ("single_step", "surrogate_gap"):
        add(f"sharpness.{name}", getattr(sharpness, name), **of, rho=radius, p=p, adaptive=adaptive)
    add("sharpness.gradient_norm", sharpness.gradient_norm, **of, p=p)
    parts = (thing([], BATCH, [None], [3], ["a"], [lambda: 0]), BATCH.parts(2))
    add("sharpness.m_sharpness", sharpness.m_sharpness, parts=parts, **point, **search)
    add("sharpness.matrices", sharpness.matrices, model=(model, MODEL))
    loss = dict(loss=(function(1), BATCH))
    ball = dict(sigma=radius, adaptive=adaptive, samples=(count(), 2))
    add("sharpness.average_case", sharpness.average_case, **loss, **point, **ball, **drawn)
    product = dict(product=(function(2), PRODUCT), **point)
    steps = dict(steps=(count(), 3), **drawn)
    add("sharpness.lambda_max", sharpness.lambda_max, **product, **steps)
    add("sharpness.eigenvalues", sharpness.eigenvalues, **product, count=(count(), 2), **steps)
    add("sharpness.trace", sharpness.trace, **product, samples=(count(), 2), **drawn)
    add("sharpness.spectral_density", sharpness.spectral_density, **product, samples=(count(), 2), **steps)
    second = dict(loss_and_grad=(loss_and_grad, BATCH), product=(function(2), PRODUCT), **point, rho=radius)
    add("sharpness.second_order", sharpness.second_order, **second)
    radius = (plain, 0.5)
    line = dict(radius=radius, points=(count(), 3), seed=(seed, 0))
    toward = dict(toward=(array(optional=True), G), model=(optional(model), MODEL))
    add("sharpness.profile", sharpness.profile, **loss, **point, **line, **toward)
    add("sharpness.landscape", sharpness.landscape, **loss, **point, **line, **toward, progress=(truth, False))
    ends = dict(start=(weights, W), end=(weights, W + G))
    add("sharpness.interpolation", sharpness.interpolation, **loss, **ends, points=(count(), 3), beyond=radius)
    normal = dict(model=(model, MODEL), w=(weights, W), d=(weights, G))
    add("sharpness.filter_normalised", sharpness.filter_normalised, **normal)
    spectrum = sharpness.spectral_density(PRODUCT, W, 3, 2)
    add("Spectrum().moment", spectrum.moment, j=(count(0), 2))
    width = (number(open_low=True, swept=False, optional=True), 0.5)
    add("Spectrum().density", spectrum.density, at=(array(fixed=False), np.linspace(0, 1, 5)), width=width)


add_data()
add_sharpness()

"""Losses, gradients, training, batches and models."""

from __future__ import annotations

from typing import Any

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
    number,
    optional,
    order,
    path,
    plain,
    plain_share,
    positive,
    random_seed,
    real,
    seed,
    seeds,
    sizes,
    thing,
    truth,
    weights,
)
from good_values import (
    AVERAGED,
    BASE,
    BATCH,
    DATA,
    FOLDER,
    GPT,
    IMAGES,
    LOSSES,
    MODEL,
    RNG,
    SQUARES,
    SWEPT,
    G,
    H,
    W,
    X,
    Y,
    a_loss,
    bowl,
    loss_and_grad,
    model,
    optimizer,
    without,
)
from public_calls import add

import minisam
from minisam import autodiff, batch, long_tails, losses, models, sam, self_training, training


def add_gradients() -> None:
    logits = (free, RNG.standard_normal((6, 3)).astype("float32"))
    classes = (labels, Y)
    add("losses.cross_entropy", losses.cross_entropy, logits=logits, labels=classes, label_smoothing=(plain_share, 0.5))
    add("losses.mse", losses.mse, prediction=logits, target=(array(), logits[1]))
    q = number(high=1.0, open_low=True, swept=False)
    add("losses.generalised_cross_entropy", losses.generalised_cross_entropy, logits=logits, labels=classes, q=(q, 0.5))
    add("losses.l2_penalty", losses.l2_penalty, w=(free, W), l2=(without(["(2,)", "(1, 2)"], number()), 0.5))
    for name in ("accuracy", "balanced_accuracy", "recalls"):
        add(f"losses.{name}", getattr(losses, name), logits=logits, labels=classes)
    beta = (plain_share, 0.5)
    add("long_tails.class_weights", long_tails.class_weights, labels=(array(kinds="i", fixed=False), Y), beta=beta)
    add("sam.epsilon", sam.epsilon, g=(free, G), rho=(number(), 0.5), p=(order, 2.0))
    inner = dict(inner=(choice, "ascent"), steps=(count(), 3))
    add(
        "sam.sam_objective",
        sam.sam_objective,
        loss=(function(1), BATCH),
        w=(weights, W),
        rho=(number(), 0.5),
        p=(order, 2.0),
        l2=(number(), 0.5),
        **inner,
    )
    add(
        "sam.ascend",
        sam.ascend,
        loss_and_grad=(loss_and_grad, BATCH),
        w=(weights, W),
        rho=(number(), 0.5),
        p=(order, 2.0),
        steps=(count(), 3),
        start=(array(finite=True, optional=True), 1e-3 * G),
    )
    add("sam.project", sam.project, eps=(free, G), rho=(number(), 0.5), p=(order, 2.0))
    for name in ("across", "along"):
        add(f"sam.{name}", getattr(sam, name), a=(weights, G), b=(weights, W))
    add("sam.mix", sam.mix, a=(weights, G), b=(weights, W), share=(number(infinite=True, low=-np.inf), 0.5))
    square = array(finite=True)
    add("sam.Quadratic", sam.Quadratic, H=(square, H), b=(optional(square), np.ones(3)), c=(real, 0.5))
    add("Quadratic()()", SQUARES, w=(weights, np.ones(3)))
    gradient = dict(model=(model_or_function, MODEL), loss=(a_loss, losses.cross_entropy))
    add("autodiff.value_and_grad", autodiff.value_and_grad, **gradient, recorded=(truth, True), check=(truth, True))
    add("autodiff.hvp", autodiff.hvp, **gradient, recorded=(truth, True), check=(truth, True))
    add("autodiff.check_grad", autodiff.check_grad, f=(loss_and_grad, bowl), w=(free, np.ones(3)), h=(positive, 1e-5))
    batches = dict(x=(array(), X), y=(labels, Y))
    eager = minisam.value_and_grad(MODEL, recorded=False)
    add("value_and_grad()()", eager, {"y": ("labels",)}, positional=True, w=(weights, W), **batches)
    add("value_and_grad(f)()", minisam.value_and_grad(bowl), positional=True, w=(free, W))
    add(
        "hvp()()",
        minisam.hvp(MODEL, recorded=False),
        {"y": ("labels",)},
        positional=True,
        w=(weights, W),
        v=(weights, G),
        **batches,
    )


def model_or_function(good):
    found = thing(BASE, DATA, "mlp")(good)
    return {label: case for label, case in found.items() if label not in ("a function", "a type")}


def data_or_function(good):
    found = thing(
        BASE, MODEL, (X,), (X, Y, Y), (X, None), (None, Y), (X[:3], Y), (X, X), (X.tolist(), 3), [], (X, Y + 5)
    )(good)
    found |= {f"x is {label}": ((a, Y), "bad") for label, (a, verdict) in array()(X).items() if verdict == "bad"}
    found |= {f"y is {label}": ((X, a), "bad") for label, (a, verdict) in labels(Y).items() if verdict == "bad"}
    found |= {f"x is {label}": ((a, Y), "same") for label, (a, verdict) in array()(X).items() if verdict == "same"}
    found |= {f"y is {label}": ((X, a), "same") for label, (a, verdict) in labels(Y).items() if verdict == "same"}
    return found


def sweeps(good):
    found = bad(OBJECTS, without=["None", "a dict"]) | bad({"a number": 3, "True": True})
    entries = [
        None,
        3,
        "text",
        object(),
        [],
        {},
        ["a"],
        [None],
        [0.5, 0.5],
        [np.nan],
        [True],
        [1j],
        [object()],
        [[0.5]],
    ]
    found |= bad({f"values {k}": {"rho": entry} for k, entry in enumerate(entries)})
    return found | bad({"another name": {"lr": [0.5]}, "seed": {"seed": [1]}, "a number as name": {3: [0.5]}})


def add_training() -> None:
    whole = dict(
        model=(model, MODEL),
        data=(data_or_function, (X, Y)),
        optimizer=(optimizer, BASE),
        epochs=(count(), 1),
        batch_size=(count(), 3),
        seed=(seeds, 0),
    )
    more = dict(best=(truth, False), dtype=(choice, "float32"), progress=(truth, False))
    terms = {"data": ("x", "y", "labels"), "checkpoint": ("/tmp",)}
    add(
        "training.train",
        training.train,
        terms,
        **whole,
        sweep=(lambda _: {}, None),
        loss=(loss_or_name, "cross_entropy"),
        augment=(optional(function(2)), None),
        **more,
        checkpoint=(optional(path), None),
        executor=(optional(thing(3, "dask")), None),
    )
    swept = whole | {"optimizer": (lambda _: {}, lambda rho: minisam.SAM(BASE, rho)), "data": (lambda _: {}, DATA)}
    add("train(sweep)", training.train, **swept, sweep=(sweeps, {"rho": [0.5, 0.25]}), **more)
    x, y = (array(), X), (labels, Y)
    add("Run().evaluate", AVERAGED.evaluate, {"y": ("labels",)}, x=x, y=y)
    add("Run().select", SWEPT.select, rho=(lambda _: {**thing()(_)}, 0.5))
    add("Run().plot", SWEPT.plot, {"against": ("an axis of the run",)}, against=(optional(choice), "rho"))
    add("Run().save", AVERAGED.save, path=(path, FOLDER / "a.npz"))
    add("Run.load", training.Run.load, {"path": (".npz", "/tmp")}, path=(existing, FOLDER / "run.npz"))
    add("batch.BatchLoss", batch.BatchLoss, model=(model, MODEL), loss=(function(2, False), losses.cross_entropy))
    add(
        "BatchLoss().on",
        lambda **given: LOSSES.on(**given)(W),
        {"y": ("labels",)},
        x=x,
        y=y,
        examples=(array(kinds="i", optional=True), np.arange(6)),
        seeds=(random_seed, 0),
    )
    add("Batch()()", BATCH, w=(weights, W))
    add("Batch().outputs", BATCH.outputs, w=(weights, W))
    add("Batch().losses", BATCH.losses, w=(weights, W))
    add("Batch().parts", BATCH.parts, k=(count(), 2))
    add("Batch().some", lambda rows: BATCH.some(rows)(W), rows=(array(kinds="i", fixed=False), np.array([0, 2])))
    mixed = dict(share=(lambda _: {}, np.float32(0.5)), order=(array(kinds="i"), np.arange(6)[::-1].copy()))
    add("Batch().weighted", lambda weights: BATCH.weighted(weights)(W), weights=(array(), np.ones(6, "float32")))
    add("Batch().hvp", BATCH.hvp, w=(weights, W), v=(weights, G))
    add("Batch().mixed", lambda share, order: BATCH.mixed(share, order)(W), **mixed)
    add(
        "self_training.self_train",
        self_training.self_train,
        model=(model, MODEL),
        w=(weights, W),
        x=(array(), X),
        optimizer=(optimizer, BASE),
        epochs=(count(), 1),
        batch_size=(count(), 3),
        seed=(seed, 0),
    )


def loss_or_name(good):
    return (
        choice(good)
        | {label: case for label, case in function(2)(good).items() if label != "a name"}
        | bad({"a type": int})
    )


def existing(good):
    """A file that is read."""
    found = {label: case for label, case in path(good).items() if label != "a missing folder"}
    (FOLDER / "empty.npz").write_bytes(b"")
    (FOLDER / "text.npz").write_text("text")
    return found | {
        "missing": ("/nowhere/a.npz", "bad"),
        "empty": (FOLDER / "empty.npz", "bad"),
        "text": (FOLDER / "text.npz", "bad"),
    }


def add_models() -> None:
    size, shape = (sizes, (4, 5, 3)), (sizes, (1, 8, 8))
    add("models.mlp", models.mlp, sizes=size, activation=(choice, "relu"), init=(choice, "he"))
    norm = (choice, "none")
    channels, classes = (sizes, (4, 8)), (count(), 10)
    net = dict(channels=channels, shape=shape, classes=classes)
    layers = {name: (count(), n) for name, n in (("kernel", 3), ("stride", 1), ("pool", 2))}
    add("models.cnn", models.cnn, **net, **layers, norm=norm)
    add("models.resnet", models.resnet, **net, blocks=(count(), 1), norm=norm)
    counts = {name: (count(), n) for name, n in (("width", 8), ("depth", 1), ("heads", 2))}
    terms = {"shape": ("channels", "height", "width")}
    add("models.vit", models.vit, terms, shape=shape, patch=(count(), 2), **counts, classes=classes)
    add("models.gpt", models.gpt, vocabulary=(count(), 5), context=(count(), 4), **counts, tied=(truth, True))
    add(
        "models.generate",
        models.generate,
        model=(model, GPT),
        w=(weights, GPT.init(0)),
        prompt=(array(kinds="i", fixed=False), np.array([1, 2])),
        n=(count(0), 2),
        seed=(seed, 0),
        temperature=(plain, 0.5),
    )
    rng = thing(np.random, 0, np.random.RandomState(0))
    for name in ("he", "glorot"):
        draw = getattr(models, name)
        add(
            f"models.{name}",
            lambda rng, i, o, draw=draw: draw(fresh(rng), i, o),
            rng=(rng, FRESH),
            i=(count(), 3),
            o=(count(), 2),
        )
    known = MODEL.unflatten(W)
    add("Model().init", MODEL.init, seed=(seeds, 0), dtype=(choice, "float32"))
    add(
        "Model().apply",
        MODEL.apply,
        w=(weights, W),
        x=(array(), X),
        running=(without(["None", "a dict"], thing(3)), None),
    )
    add("Model().init_running", IMAGES.init_running, w=(weights, IMAGES.init(0)))
    add("Model().mask", MODEL.mask, kind=(choice, "weights"), dtype=(choice, "float32"))
    add("Model().filter_norms", MODEL.filter_norms, w=(weights, W))
    add("Model().unflatten", MODEL.unflatten, w=(without(["truth values"], weights), W))
    add(
        "Model().flatten",
        MODEL.flatten,
        parameters=(thing({}, {"W0": W}, known | {"W0": None}, known | {"W0": "a"}), known),
    )


FRESH = np.random.default_rng(0)


def fresh(rng: Any) -> Any:
    return np.random.default_rng(0) if rng is FRESH else rng


add_gradients()
add_training()
add_models()

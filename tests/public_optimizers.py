"""The optimizers, balls and schedules, whose fields are declared; and the steps of every optimizer."""

from __future__ import annotations

import dataclasses
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
    number,
    optional,
    order,
    plain,
    plain_share,
    positive,
    random_seed,
    share,
    sizes,
    thing,
    truth,
    weights,
)
from good_values import BASE, BATCH, MODEL, G, W, a_mask, ball, loss_and_grad, model, optimizer, without
from public_calls import Kind, add, public_names

import minisam
from minisam import long_tails, noisy_labels, optim, sam, verify
from minisam.hyperparameters import Declared

# --- optimizers, balls, schedules: their fields are declared ----------------------------------------------------------

FIELDS: dict[str, tuple[Kind, Any]] = {  # by name; below, those of one class
    "base": (optimizer, BASE),
    "optimizer": (optimizer, BASE),
    "rho": (number(), 0.5),
    "p": (order, 2.0),
    "l2": (number(), 0.5),
    "ball": (ball, None),
    "lr": (number(), 0.5),
    "momentum": (number(), 0.5),
    "nesterov": (truth, False),
    "betas": (lambda good: pair(good), (0.5, 0.5)),
    "eps": (plain, 0.5),
    "weight_decay": (number(), 0.5),
    "eta": (number(), 0.5),
    "mask": (optional(a_mask), MODEL.mask("weights")),
    "model": (optional(model), None),
    "of": (ball, None),
    "seed": (random_seed, 1),
    "sigma": (number(), 0.5),
    "lam": (number(), 0.5),
    "lam1": (number(low=-np.inf, infinite=True), 0.5),
    "lam2": (number(low=-np.inf, infinite=True), 0.5),
    "alpha": (number(), 0.5),
    "gamma": (number(), 0.5),
    "beta": (number(), 0.5),
    "beta1": (number(), 0.5),
    "beta2": (number(), 0.5),
    "beta3": (number(), 0.5),
    "rho_norm": (number(), 0.5),
    "theta": (share, 0.5),
    "delta": (plain, 0.5),
    "damping": (plain, 0.5),
    "decay": (share, 0.5),
    "sparsity": (share, 0.5),
    "masks": (choice, "dynamic"),
    "shape": (without(["an array of 1"], sizes), (1, 4, 4)),
    "padding": (count(0), 1),
    "flips": (truth, True),
    "tail": (lambda good: classes(good), (0, 2)),
    "weights": (lambda good: array_per_class(good), np.array([0.5, 1.0, 2.0])),
    "drop": (plain_share, 0.5),
    "tau": (positive, 0.5),
    "prob": (number(high=1.0, swept=False), 0.5),
    "noise": (number(high=1.0, open_high=True, swept=False), 0.5),
    "decoupled": (truth, True),
    "schedule": (without(["a function"], thing(0.5)), optim.constant(0.5)),
    "final": (number(), 0.5),
    "factor": (number(), 0.5),
    "start": (count(0), 3),
    "loss": (function(2, result=False), minisam.cross_entropy),
    "delay": (count(0), 3),
} | {
    name: (count(), 3)
    for name in ["steps", "every", "groups", "k", "samples", "examples", "classes", "visits", "rows", "warmup"]
}
FIELDS_OF = {
    "sam.FriendlySAM": {"lam": (share, 0.5)},
    "sam.SAMPa": {"lam": (share, 0.5)},
    "sam.RWP": {"lam": (plain_share, 0.5)},
    "sam.MESA": {"beta": (share, 0.5)},
    "sam.ESAM": {
        "beta": (number(high=1.0, open_low=True), 0.5),
        "gamma": (number(high=1.0, open_low=True, swept=False), 0.5),
    },
    "sam.BSAM": {"examples": (without(["10³⁰"], count()), 3)},  # it stands in a formula only
    "sam.WSAM": {"gamma": (number(high=1.0, open_high=True), 0.5)},
    "sam.AESAM": {"delta": (share, 0.5)},
    "sam.FrobeniusSAM": {"rho": (number(open_low=True), 0.5), "samples": (count(2), 3)},
    "sam.MultiStepSAM": {"alpha": (number(optional=True), 0.5)},
    "sam.SAMON": {"mask": (a_mask, MODEL.mask("weights"))},
    "sam.Only": {"mask": (a_mask, MODEL.mask("weights"))},
    "noisy_labels.Mixup": {"alpha": (positive, 0.5)},
}


def classes(good):
    """A sequence of classes, which may be empty."""
    return {label: case for label, case in sizes(good).items() if label not in ("none", "zeros", "an empty array")}


def array_per_class(good):
    """Numbers ≥ 0, one for each class."""
    return array(finite=True, fixed=False)(good) | bad({"below 0": -good, "(c, 1)": good[:, None]})


def pair(good):
    found = bad(OBJECTS) | bad({"one": (0.5,), "three": (0.5, 0.5, 0.5), "1": (0.5, 1.0), "below": (-0.1, 0.5)})
    return found | bad({"NaN": (np.nan, 0.5), "texts": ("a", "b"), "truths": (True, False), "a number": 0.5})


def add_declared() -> None:
    for name, kind in public_names().items():
        if isinstance(kind, type) and issubclass(kind, Declared) and not name.startswith("study."):
            fields = [f.name for f in dataclasses.fields(kind) if f.init]
            add(name, kind, **{f: FIELDS_OF.get(name, {}).get(f, FIELDS[f]) for f in fields})


def add_steps() -> None:
    """init, step and update of every optimizer."""
    made = verify.family.__globals__["variants"](MODEL)
    made |= {"SGD": BASE, "Adam": minisam.Adam(), "AdamW": minisam.AdamW(), "BSAM": sam.BSAM()}
    made |= {
        "SAF": sam.SAF(BASE, 6, 3),
        "Mixup": noisy_labels.Mixup(BASE),
        "SmallLoss": noisy_labels.SmallLoss(BASE, 0.5),
        "OtherLoss": noisy_labels.OtherLoss(BASE, minisam.losses.generalised_cross_entropy),
        "Reweighted": long_tails.Reweighted(BASE, np.array([0.5, 1.0, 2.0])),
    }
    state = thing(dict(t=0), dict(v=W))
    for name, one in made.items():
        if name == "MSharpnessSAM":
            one = sam.MSharpnessSAM(BASE, groups=2)
        if name == "SSAM":
            one = sam.SSAM(BASE, groups=2)
        known = one.init(W)
        add(f"{name}().init", one.init, w=(free, W))
        add(f"{name}().step", one.step, w=(free, W), state=(state, known), loss_and_grad=(loss_and_grad, BATCH))
        if hasattr(one, "update"):
            add(f"{name}().update", one.update, w=(free, W), state=(state, known), g=(weights, G))


add_declared()
add_steps()

"""The exercises of lesson 00."""

import numpy as np
from check import probe


def bowl(yours):
    points = [(3.0, np.array([2.0, -1.3])), (0.7, np.array([-0.4, 1.9]))]
    mistakes = {
        "the bowl is h w²/2: the half is missing": lambda h, w: h * w**2,
        "that is the gradient h w; the loss is h w²/2": lambda h, w: h * w,
        "square w, and not h": lambda h, w: h**2 * w / 2,
        "square w alone: h stands outside": lambda h, w: (h * w) ** 2 / 2,
        "the curvature h is missing": lambda h, w: w**2 / 2,
        "a bowl is open at the top: the sign": lambda h, w: -h * w**2 / 2,
        "that is the curvature; where is w?": lambda h, w: h + 0 * w,
    }
    return probe(yours, points, lambda h, w: h * w**2 / 2, mistakes, "loss")


def gradients(yours):
    points = [(100.0,), (7.0,)]
    mistakes = {
        "that is SGD; SAM asks for a second gradient in every step": lambda steps: steps,
        "one at w and one at w + ε: the update itself needs no third": lambda steps: 3 * steps,
        "the second gradient is needed in every step, not once": lambda steps: steps + 1,
        "that is for one step": lambda steps: 2.0,
        "that is half of SGD's; SAM costs more than SGD, not less": lambda steps: steps / 2,
        "each step costs the same, however many there are": lambda steps: steps**2,
        "no step is free: count the last one, too": lambda steps: 2 * (steps - 1),
        "nothing comes before the first step": lambda steps: 2 * steps + 1,
    }
    return probe(yours, points, lambda steps: 2 * steps, mistakes, "number of gradients")


def uphill(yours):
    points = [(np.array([2.0, -1.3]), 0.3), (np.array([-0.4, 1.7]), 0.15)]
    mistakes = {
        "left of the minimum, uphill is to the left: which way does the gradient point there?": lambda w, rho: w + rho,
        "that is downhill": lambda w, rho: w - rho * np.sign(w),
        "SAM looks ρ far however steep it is: divide the gradient by its size": lambda w, rho: w + rho * w,
        "that is ε alone; SAM looks at w + ε": lambda w, rho: rho * np.sign(w),
        "that is one away from w; SAM looks ρ away": lambda w, rho: w + np.sign(w),
        "these w are replicas, each with a bowl of its own: do not divide by the norm of all": lambda w, rho: (
            w + rho * w / np.linalg.norm(w)
        ),
        "that is ρ away from 0, the minimum; start from w": lambda w, rho: rho * w / np.abs(w) + 0 * w,
        "that is where it stands; it looks ρ away": lambda w, rho: w,
        "that looks 2ρ far": lambda w, rho: w + 2 * rho * np.sign(w),
    }
    return probe(yours, points, lambda w, rho: w + rho * np.sign(w), mistakes, "place")

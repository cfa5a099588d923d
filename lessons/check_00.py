"""The exercises of lesson 00."""

import numpy as np
from check import judge


def bowl(yours):
    h, w = 3.0, np.array([2.0, -1.0])
    mistakes = {
        "the bowl is h w²/2: the half is missing": h * w**2,
        "that is the gradient h w; the loss is h w²/2": h * w,
        "square w, and not h": h**2 * w / 2,
    }
    return judge(yours(h, w), h * w**2 / 2, mistakes, "loss")


def gradients(yours):
    steps = 100.0
    mistakes = {
        "that is SGD; SAM asks for a second gradient in every step": steps,
        "one at w and one at w + ε: the update itself needs no third": 3 * steps,
        "the second gradient is needed in every step, not once": steps + 1,
    }
    return judge(yours(steps), 2 * steps, mistakes, "number of gradients")


def uphill(yours):
    w, rho = np.array([2.0, -1.0]), 0.3
    mistakes = {
        "left of the minimum, uphill is to the left: which way does the gradient point there?": w + rho,
        "that is downhill": w - rho * np.sign(w),
        "SAM looks ρ far however steep it is: divide the gradient by its size": w + rho * w,
    }
    return judge(yours(w, rho), w + rho * np.sign(w), mistakes, "place")

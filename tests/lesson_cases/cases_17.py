"""Answers to the exercises of lesson 17: (check, answer, what the check says of it; None if it is right)."""

import check_17
import numpy as np


def unit(g):
    return g / (np.linalg.norm(g) + 1e-12)


CASES = [
    (check_17.look, lambda g, rho, lr: rho * unit(g), None),
    (check_17.look, lambda g, rho, lr: rho / max(np.sqrt((g**2).sum()), 1e-12) * g, None),
    (check_17.look, lambda g, rho, lr: rho * g / np.linalg.norm(g) if g.any() else g, None),
    (check_17.look, lambda g, rho, lr: rho * np.nan_to_num(g / np.linalg.norm(g)), None),
    (check_17.look, lambda g, rho, lr: lr * rho * unit(g), "as it was found"),
    (check_17.look, lambda g, rho, lr: rho * g, "did you normalise"),
    (check_17.look, lambda g, rho, lr: unit(g), "multiply by ρ"),
    (check_17.look, lambda g, rho, lr: -rho * unit(g), "that is downhill"),
    (check_17.look, lambda g, rho, lr: rho * unit(g) / lr, "for one step size only"),
    (check_17.look, lambda g, rho, lr: rho * g / (g @ g + 1e-12), "not squared"),
    (check_17.look, lambda g, rho, lr: rho * g / np.linalg.norm(g), "0/0"),
    (check_17.look, lambda g, rho, lr: rho * np.sign(g), "off by up to"),
    (check_17.look, lambda g, rho, lr: rho, "should have shape"),
    (check_17.move, lambda w, eps, v, lr: w - lr * v, None),
    (check_17.move, lambda w, eps, v, lr: (w + eps) - eps - lr * v, None),
    (check_17.move, lambda w, eps, v, lr: np.subtract(w, np.multiply(lr, v), out=w), None),
    (check_17.move, lambda w, eps, v, lr: w + -lr * v, None),
    (check_17.move, lambda w, eps, v, lr: w + eps - lr * v, "as it was found"),
    (check_17.move, lambda w, eps, v, lr: w - eps - lr * v, "needs no subtraction"),
    (check_17.move, lambda w, eps, v, lr: w + lr * v, "uphill"),
    (check_17.move, lambda w, eps, v, lr: w - v, "lr says"),
    (check_17.move, lambda w, eps, v, lr: w - lr * (v + eps), "the step itself has none"),
    (check_17.move, lambda w, eps, v, lr: w, "off by up to"),
    (check_17.move, lambda w, eps, v, lr: w - 0.05 * v, "off by up to"),
    (check_17.move, lambda w, eps, v, lr: w - lr * v.mean(), "off by up to"),
    (check_17.move, lambda w, eps, v, lr: "w", "should be numbers"),
    (check_17.feed, lambda v, d, d_adv, mu: mu * v + d_adv, None),
    (check_17.feed, lambda v, d, d_adv, mu: d_adv + v * mu, None),
    (check_17.feed, lambda v, d, d_adv, mu: v - (1 - mu) * v + d_adv, None),
    (check_17.feed, lambda v, d, d_adv, mu: [mu * a + b for a, b in zip(v, d_adv, strict=True)], None),
    (check_17.feed, lambda v, d, d_adv, mu: mu * (mu * v + d) + d_adv, "as it was found"),
    (check_17.feed, lambda v, d, d_adv, mu: mu * v + d, "plain descent"),
    (check_17.feed, lambda v, d, d_adv, mu: mu * v + d + d_adv, "not the sum of both"),
    (check_17.feed, lambda v, d, d_adv, mu: mu * v + (1 - mu) * d_adv, "dampening"),
    (check_17.feed, lambda v, d, d_adv, mu: d_adv, "momentum is lost"),
    (check_17.feed, lambda v, d, d_adv, mu: mu * (v + d_adv), "the new gradient does not"),
    (check_17.feed, lambda v, d, d_adv, mu: 0.9 * v + d_adv, "off by up to"),
    (check_17.feed, lambda v, d, d_adv, mu: mu * v + (d + d_adv) / 2, "off by up to"),
]

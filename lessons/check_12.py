"""The exercises of lesson 12."""

import numpy as np
from check import judge


def adaptive(yours):
    g, w, rho = np.array([3.0, -4.0]), np.array([-2.0, 0.5]), 0.5
    T = np.abs(w)
    right = rho * T**2 * g / np.linalg.norm(T * g)
    mistakes = {
        "one factor |w| is missing: δ = ρ Tg/‖Tg‖ is the step in units of |w|, and ε = Tδ": rho
        * T
        * g
        / np.linalg.norm(T * g),
        "the length is measured in units of |w|: divide by ‖Tg‖, not by ‖g‖": rho * T**2 * g / np.linalg.norm(g),
        "that is SAM's: where does the size of the weights come in?": rho * g / 5,
        "a weight's size is |w|; its sign would turn the step around": rho * w * T * g / np.linalg.norm(T * g),
        "the two factors T are both outside the norm, and only one is inside": rho
        * T**2
        * g
        / np.linalg.norm(T**2 * g),
    }
    return judge(yours(g, w, rho), right, mistakes, "perturbation")


def surrogate_gap_direction(yours):
    g, g_adv, alpha = np.array([1.0, 2.0]), np.array([2.0, 0.0]), 0.5
    mistakes = {
        "take off the part *across* g_adv; the part along it lowers the loss there": np.array([1.5, 0.0]),
        "that adds g⊥, and makes the gap larger: subtract": np.array([2.0, 1.0]),
        "split g, not g_adv: g⊥ is orthogonal to g_adv": g_adv - alpha * (g_adv - (g_adv @ g) * g / (g @ g)),
        "that is SAM, α = 0": g_adv,
        "α times g⊥": np.array([2.0, -2.0]),
    }
    return judge(yours(g, g_adv, alpha), np.array([2.0, -1.0]), mistakes, "direction")


def noise_of_length(yours):
    rho, n = 0.2, 10000.0
    mistakes = {
        "that is as long as ρ in each of the n directions: √n ρ in all": rho,
        "‖ξ‖² is n σ² in the mean: take the root": rho / n,
        "the other way round: with more weights each moves less": rho * np.sqrt(n),
        "that is σ²": rho**2 / n,
    }
    return judge(yours(rho, n), rho / np.sqrt(n), mistakes, "standard deviation")

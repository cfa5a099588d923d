"""The exercises of lesson 06."""

import numpy as np
from check import judge


def hessian_times(yours):
    H = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 5.0]])

    def gradient(w):
        return H @ w + w**3

    w, v, h = np.array([1.0, -2.0, 0.5]), np.array([0.3, 1.0, -2.0]), 0.1
    up, down = gradient(w + h * v), gradient(w - h * v)
    mistakes = {
        "w + hv and w − hv are 2h apart": (up - down) / h,
        "that is a one-sided difference, whose error is larger: look at w − hv as well": (up - gradient(w)) / h,
        "divide by the distance 2h": up - down,
        "check the sign: uphill minus downhill": (down - up) / (2 * h),
        "the step is h long along v: w + h v": (gradient(w + h) - gradient(w - h)) / (2 * h),
        "h scales v; with v itself the two points are too far apart": (gradient(w + v) - gradient(w - v)) / (2 * h),
    }
    return judge(yours(gradient, w, v, h), (up - down) / (2 * h), mistakes, "product")


def orthogonal(yours):
    a, g = np.array([1.0, 2.0, -1.0]), np.array([3.0, 0.0, -4.0])
    along = (a @ g) / (g @ g) * g
    mistakes = {
        "that is the part along g; the orthogonal one is what is left": along,
        "the part along g was added; take it away": a + along,
        "⟨a, g⟩ g has g twice: divide by ‖g‖², not ‖g‖": a - (a @ g) / np.linalg.norm(g) * g,
        "⟨a, g⟩ g has g twice: divide by ‖g‖²": a - (a @ g) * g,
        "that is the part of g that is orthogonal to a": g - (a @ g) / (a @ a) * a,
    }
    return judge(yours(a, g), a - along, mistakes, "orthogonal part")


def whole_gradient(yours):
    H = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 5.0]])
    g, rho = np.array([3.0, 0.0, -4.0]), 0.5
    g_adv = g + rho * H @ g / 5

    def part(a):
        return a - (a @ g) / (g @ g) * g

    second = rho / 5 * H @ part(g_adv)
    mistakes = {
        "that is the dropped part alone; add g_adv": second,
        "that is what SAM keeps; the second part is missing": g_adv,
        "P and H in the other order: transposing turns P H into H P": g_adv + rho / 5 * part(H @ g_adv),
        "P is missing: a longer g turns nothing": g_adv + rho / 5 * H @ g_adv,
        "divide by ‖g‖: a long gradient turns slowly": g_adv + rho * H @ part(g_adv),
        "the first part is ∇L(w + ε), not ∇L(w)": g + second,
        "ε has the length ρ": g_adv + second / rho,
    }
    return judge(yours(g, g_adv, lambda v: H @ v, rho), g_adv + second, mistakes, "gradient")

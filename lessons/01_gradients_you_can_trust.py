# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · Gradients you can trust
# **You can already**: run a lesson (00), and differentiate by hand. **You will**: build reverse-mode automatic differentiation,
# use the grown-up one that minisam stands on, add an operation to it, and check a gradient so that a mistake cannot hide.

# %%
import math

import autograd
import autograd.numpy as anp
import check
import check_01
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from autograd.extend import defvjp, primitive

import minisam
from minisam.array_backend import asarray
from minisam.plot import COLOURS

# %% [markdown]
# ## The question: how does a program differentiate a program?
# A computation is a chain of small operations, and each of them is easy to differentiate. So every value shall remember which
# operation made it, from which parents, and how a gradient passes through it. That is all a *tape* is.


# %%
class Var:
    """A number or an array that remembers where it came from."""

    def __init__(self, value, parents=(), pull=lambda g: ()):
        self.value = np.asarray(value, dtype=float)
        self.parents = parents  # the Vars it was made of
        self.pull = pull  # the gradient that arrives here -> one gradient for each parent

    def __add__(self, other):
        return add(self, other)

    def __mul__(self, other):
        return mul(self, other)


# %% [markdown]
# Each operation computes its value and says how a gradient `g`, arriving from above, passes to its parents. The sum passes it on as
# it is. The sine multiplies it by its derivative, the cosine.


# %%
def add(a, b):
    return Var(a.value + b.value, (a, b), lambda g: (g, g))


def sin(a):
    return Var(np.sin(a.value), (a,), lambda g: (g * np.cos(a.value),))


def total(a):
    return Var(np.sum(a.value), (a,), lambda g: (g * np.ones_like(a.value),))


# %% [markdown]
# **Exercise 1.** The product needs the product rule. What do a and b receive when `g` arrives at a·b?


# %% tags=["exercise"]
def product_gradients(a, b, g):
    return ..., ...


_ = check_01.product_rule(product_gradients)


# %% jupyter={"source_hidden": true} tags=["solution"]
def product_gradients(a, b, g):
    return g * b, g * a


_ = check_01.product_rule(product_gradients)


# %%
def mul(a, b):
    return Var(a.value * b.value, (a, b), lambda g: product_gradients(a.value, b.value, g))


# %% [markdown]
# To go back through the tape, visit every value after all that were made from it, and add up what arrives: a value that was used
# twice receives two gradients.


# %%
def in_order(end):
    order, seen = [], set()

    def visit(v):
        if id(v) not in seen:
            seen.add(id(v))
            for parent in v.parents:
                visit(parent)
            order.append(v)

    visit(end)
    return reversed(order)


# %% [markdown]
# The gradient of the end with respect to itself is one; from there it goes back, parent by parent.


# %%
def gradient(f, x):
    root = Var(x)
    end = f(root)
    arrived = {id(root): np.zeros_like(root.value), id(end): np.ones_like(end.value)}
    for v in in_order(end):
        for parent, g in zip(v.parents, v.pull(arrived[id(v)]), strict=True):
            arrived[id(parent)] = arrived.get(id(parent), 0) + g
    return arrived[id(root)]


# %% [markdown]
# ### Predict
# $f(x) = \sum_i \sin(x_i)\, x_i + x_i$. What is $\partial f/\partial x$ at $x = 0$? Work it out by hand.

# %% tags=["prediction"]
prediction = None


# %%
def f(x):
    return total(sin(x) * x + x)


check.predict(prediction, gradient(f, [0.0])[0])

# %% [markdown]
# ### Explain
# x reaches f by three ways, and the gradient adds up what arrives on each:
#
# $$\frac{\partial f}{\partial x} = \underbrace{x \cos x}_{\text{through the sine}} + \underbrace{\sin x}_{\text{the other factor}} +
# \underbrace{1}_{\text{the sum}}$$
#
# ## The same, grown up
# HIPS autograd does this for all of NumPy: its tape is the one above, with better manners. minisam uses it, and adds the few
# operations of a neural network.

# %%
x = np.array([0.3, -1.2, 2.0])
ours = gradient(f, x)
theirs = autograd.grad(lambda x: anp.sum(anp.sin(x) * x + x))(x)
print("ours     ", ours)
print("autograd ", theirs)
print("largest difference", np.abs(ours - theirs).max())

# %% [markdown]
# ## Can one trust it?
# A derivative is a limit of difference quotients, so compare with one. But which step h? Too large, and the quotient is not yet
# the limit. Too small, and rounding, about $10^{-16}$ of f, divided by h, drowns it.
#
# **Exercise 2.** The forward quotient is $(f(x+h) - f(x))/h$. Write the central one, which looks to both sides.


# %% tags=["exercise"]
def central(f, x, h):
    return ...


_ = check_01.central(central)


# %% jupyter={"source_hidden": true} tags=["solution"]
def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


_ = check_01.central(central)
# %% [markdown]
# ### Predict
# For the central quotient of the sine at x = 1, at which h is the error smallest? Put its exponent: −3 for $h = 10^{-3}$.

# %% tags=["prediction"]
prediction = None


# %%
def forward(f, x, h):
    return (f(x + h) - f(x)) / h


h = np.logspace(-15, 0, 151)
errors = {way.__name__: np.abs(way(np.sin, 1.0, h) - np.cos(1.0)) for way in (forward, central)}


def smallest(error, window=11):
    """The h at which the error, averaged over neighbours to still the rounding, is smallest."""
    smooth = np.convolve(np.log(error + 1e-18), np.ones(window) / window, mode="same")
    return h[window:-window][np.argmin(smooth[window:-window])]


check.predict(prediction, math.log10(smallest(errors["central"])))

# %%
functions = {  # name: (f, its derivative)
    "sin": (np.sin, np.cos),
    "exp": (np.exp, np.exp),
    "1000 + sin": (lambda x: 1000 + np.sin(x), np.cos),
}


def draw(name="sin", x=1.0):
    f, derivative = functions[name]
    figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for colour, way, power in ((COLOURS[0], forward, 1 / 2), (COLOURS[1], central, 1 / 3)):
        ax.loglog(h, np.abs(way(f, x, h) - derivative(x)), color=colour, label=f"{way.__name__} difference")
        ax.axvline(np.finfo(float).eps ** power, color=colour, linestyle=":")
    ax.set(xlabel="step h", ylabel="error of the derivative", ylim=(1e-13, 1e3))
    ax.set_title(f"The U-curve, {name} at x = {x:.1f}; dotted: √ε and ε^(1/3)")
    ax.legend(loc="upper center")
    return figure


# %%
figure = draw()
check.keep(figure, "01_u_curve")
plt.show()


# %%
def moved(name, x):
    draw(name, x)
    plt.show()


_ = ipywidgets.interact(moved, name=list(functions), x=(-3.0, 3.0, 0.1))

# %% [markdown]
# ### Explain
# The forward quotient is wrong by about h (the next Taylor term) and by ε/h (rounding, ε ≈ 2·10⁻¹⁶):
#
# $$\frac{f(x+h) - f(x)}{h} - f'(x) \approx \frac{h}{2} f''(x) + \frac{\varepsilon}{h} |f(x)|$$
#
# The sum is smallest at about $h = \sqrt{\varepsilon}$. To both sides, the first Taylor term cancels: h² and ε/h, smallest at
# $h = \varepsilon^{1/3}$, and the error there is much smaller. What to look for in the picture: the left slopes rise with |f|, for
# `1000 + sin`; and near x = 0, where the sine is almost straight, the right slope of the forward quotient sinks.
#
# `minisam.check_grad` takes central quotients with $h = 10^{-5}$ in float64, and does not
# blame a gradient for what rounding alone can do:


# %%
def loss(w):
    return anp.sum(anp.sin(w) * w + w, axis=-1)


w = asarray(x)  # where minisam runs: on the host, or on a GPU


def wrong(w):
    value, g = minisam.value_and_grad(loss)(w)
    return value, 1.001 * g


print("autograd's gradient is wrong by", minisam.check_grad(loss, w))
print("a gradient 0.1% too large, by  ", minisam.check_grad(wrong, w))

# %% [markdown]
# **Turn a knob**: make the loss 10⁻⁷ times as large, or 10⁷ times. A check with a fixed tolerance would call the first one right
# whatever it is; this one is relative.
#
# ## How an operation is added
# A *primitive* is a function that the tape takes as a whole, with its derivative written under it. Here is the affine layer of
# minisam, y = x W + b:

# %%
minisam.show(minisam.ops.affine)

# %% [markdown]
# **Exercise 3.** Add the square, $y = x^2$: what does x receive when `g` arrives at y?


# %% tags=["exercise"]
def square_vjp(x, g):
    return ...


_ = check_01.square_vjp(square_vjp)


# %% jupyter={"source_hidden": true} tags=["solution"]
def square_vjp(x, g):
    return 2 * g * x


_ = check_01.square_vjp(square_vjp)


# %%
@primitive
def square(x):
    return x * x


defvjp(square, lambda y, x: lambda g: square_vjp(x, g))

print("wrong by", minisam.check_grad(lambda w: anp.sum(square(w), axis=-1), asarray(x)))

# %% [markdown]
# ## What this leaves open
# The derivative of a derivative: since `square_vjp` is itself made of operations that the tape knows, it can be differentiated
# again; `minisam.hvp` does so, and lesson 06 needs it. Next, in 02: a network, and all of its weights in one vector.
#
# ## Where this comes from
# - D. Maclaurin, D. Duvenaud, R. P. Adams, *Autograd: Effortless Gradients in NumPy*, AutoML workshop at ICML 2015.
# - A. G. Baydin et al., *Automatic Differentiation in Machine Learning: a Survey*, JMLR 18, 2018,
#   [arXiv:1502.05767](https://arxiv.org/abs/1502.05767).
# - W. H. Press et al., *Numerical Recipes*, 3rd edition, section 5.7 (the best step).

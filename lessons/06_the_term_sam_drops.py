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
# # 06 · The term SAM drops
# **You can already**: say how far the single step falls short (05). **You will**: write the whole gradient of what SAM descends, with
# the Hessian in it; see how large the part is that SAM leaves out; and train with it, to see whether it is missed.

# %%
import time
from dataclasses import dataclass

import check
import check_06
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from tqdm.auto import tqdm

import minisam
from minisam import SAM, SGD, BatchLoss, sharpness
from minisam.array_backend import asarray, asnumpy
from minisam.ops import like, norm, over
from minisam.plot import COLOURS
from minisam.sam import Variant, across, epsilon
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: is SAM's gradient the gradient of anything?
# With $\hat g = g/\|g\|$, SAM's objective after the single step is $F(w) = L(w + \rho\, \hat g(w))$. The chain rule has two parts, because ε
# moves with w:
#
# $$\nabla F = \nabla L(w + \epsilon) \; + \; \Big(\frac{\partial \epsilon}{\partial w}\Big)^{\!T} \nabla L(w + \epsilon)$$
#
# SAM takes the first and drops the second. How ε moves is a matter of how g moves, and that is the Hessian: $\partial g / \partial w = H$.
# So first, products with H.
#
# **Exercise 1.** H v is how fast the gradient changes along v. Write it as a central difference with step h; `gradient(w)` is ∇L(w).


# %% tags=["exercise"]
def hessian_times(gradient, w, v, h):
    return ...


_ = check_06.hessian_times(hessian_times)


# %% jupyter={"source_hidden": true} tags=["solution"]
def hessian_times(gradient, w, v, h):
    return (gradient(w + h * v) - gradient(w - h * v)) / (2 * h)


_ = check_06.hessian_times(hessian_times)

# %% [markdown]
# `minisam.hvp` does without a difference: it differentiates the gradient once more, $H v = \nabla \langle \nabla L(w), v \rangle$. Exact, and
# for what price?

# %%
digits, model = minisam.data.digits(), minisam.mlp([64, 32, 10])
x, y = asarray(digits.x_train[:64]), asarray(digits.y_train[:64])
batch, product_on = BatchLoss(model).on(x, y), minisam.hvp(model)
w = model.init(seed=0, dtype="float64")
v = asarray(np.random.default_rng(0).standard_normal(model.size))


def product(w, v):
    return product_on(w, v, x, y)


gap = abs(product(w, v) - hessian_times(lambda w: batch(w)[1], w, v, 1e-5)).max()
print(f"exact and by differences: they differ by {float(gap):.1e}, H v is up to {float(abs(product(w, v)).max()):.1f}")


# %%
def microseconds(f, times=200):
    took = []
    for _ in range(times):
        start = time.perf_counter()
        f()
        minisam.array_backend.synchronize()
        took.append(time.perf_counter() - start)
    return 1e6 * np.median(took)


gradient, hvp = microseconds(lambda: batch(w)), microseconds(lambda: product(w, v))
print(f"a gradient {gradient:.0f} µs, a product H v {hvp:.0f} µs: {hvp / gradient:.1f} gradients")

# %% [markdown]
# ## The dropped term
# When g moves by δ, its direction $\hat g$ moves only by the part of δ that is orthogonal to g, divided by ‖g‖: growing longer turns nothing.
#
# **Exercise 2.** Write the part of a vector a that is orthogonal to g.


# %% tags=["exercise"]
def orthogonal(a, g):
    return ...


_ = check_06.orthogonal(orthogonal)


# %% jupyter={"source_hidden": true} tags=["solution"]
def orthogonal(a, g):
    return a - (a @ g) / (g @ g) * g


_ = check_06.orthogonal(orthogonal)

# %% [markdown]
# So with $P$ for "the part orthogonal to g", $\partial \epsilon / \partial w = \frac{\rho}{\|g\|} P H$, and transposed, since both P and H are
# symmetric:
#
# $$\nabla F = g_{adv} + \frac{\rho}{\|g\|}\, H\, P\, g_{adv} \qquad g_{adv} = \nabla L(w + \epsilon)$$
#
# **Exercise 3.** Write it. `product(v)` is H v, and `orthogonal` is yours.


# %% tags=["exercise"]
def whole_gradient(g, g_adv, product, rho):
    return ...


_ = check_06.whole_gradient(whole_gradient)


# %% jupyter={"source_hidden": true} tags=["solution"]
def whole_gradient(g, g_adv, product, rho):
    return g_adv + rho / (g @ g) ** 0.5 * product(orthogonal(g_adv, g))


_ = check_06.whole_gradient(whole_gradient)

# %% [markdown]
# Is that the slope of the objective? Ask `check_grad`, which takes a difference d along each weight and tells the largest
# |g − d| / (|g| + |d|): 0 if each entry is right, 1 if one of them has the wrong sign. So it finds the worst entry, however small
# that is beside the others. For SAM's part alone, the length of all that is missing is printed as well.

# %%
tiny = minisam.mlp([64, 4, 10], "tanh")
w, f, rho = tiny.init(seed=0, dtype="float64"), minisam.value_and_grad(tiny), 0.1
x64, H = x.astype("float64"), minisam.hvp(tiny)


def objective(w, keep_all):
    """F(w), and its gradient with or without the second part: for many w at once."""
    two = sharpness.second_order(lambda w: f(w, x64, y), lambda w, v: H(w, v, x64, y), w, rho)
    value = minisam.sam_objective(lambda w: f(w, x64, y), w, rho)
    return value, two.kept + two.dropped if keep_all else two.kept


g, g_adv = f(w, x64, y)[1], objective(w, keep_all=False)[1]
by_hand = whole_gradient(g, g_adv, lambda v: H(w, v, x64, y), rho)
print("yours and the library's differ by", float(abs(by_hand - objective(w, keep_all=True)[1]).max()))
for keep_all in (True, False):
    error = minisam.check_grad(lambda w, k=keep_all: objective(w, k), w)
    print(f"largest error of an entry, {'both parts' if keep_all else 'SAM alone'}: {error:.1e}")
print(f"dropped / kept, by length: {float(norm(by_hand - g_adv)[0] / norm(g_adv)[0]):.2f}")

# %%
minisam.show(sharpness.second_order)

# %% [markdown]
# ### Predict
# In a perfectly round bowl, $L = \frac{h}{2}\|w\|^2$, how long is the dropped part, as a share of the part that SAM keeps?

# %% tags=["prediction"]
prediction = None

# %%
bowl, at = minisam.Quadratic(asarray(3 * np.eye(2))), asarray(np.array([0.5, 0.2]))
two = sharpness.second_order(minisam.value_and_grad(bowl), minisam.hvp(bowl), at, rho=0.3)
check.predict(prediction, float(two.share))

# %% [markdown]
# ### Explain
# Where $g_{adv}$ is parallel to g, nothing is dropped: in a round bowl, in one dimension, and wherever g is an eigenvector of H. Else, on a
# quadratic, it is of the size of ρ² λ²/‖g‖, beside the ρ λ by which $g_{adv}$ differs from g. In the picture the curvature across is h
# times that along; all arrows point downhill.


# %%
def draw(h=10.0, angle=10.0, rho=1.0):
    curvatures = np.array([1.0, h])
    quadratic = minisam.Quadratic(asarray(np.diag(curvatures)))
    place = np.array([np.cos(np.pi * angle / 180), np.sin(np.pi * angle / 180)])
    w, valley = asarray(place), minisam.value_and_grad(quadratic)
    two = sharpness.second_order(valley, minisam.hvp(quadratic), w, rho)
    arrows = {"SGD: ∇L(w)": valley(w)[1], "SAM: ∇L(w + ε)": two.kept, "all of ∇F": two.kept + two.dropped}
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    grid = np.stack(np.meshgrid(np.linspace(-0.7, 1.3, 101), np.linspace(-0.6, 1.1, 85)), axis=-1)
    ax.contour(*grid.T, (grid**2 @ curvatures).T, levels=12, cmap="Greys_r", linewidths=0.5)
    for colour, (name, d) in zip(COLOURS, arrows.items(), strict=False):
        d = asnumpy(d)
        end = place - 0.8 * d / max(np.linalg.norm(d), 1e-12)
        ax.annotate("", end, place, arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 2})
        ax.plot([], [], color=colour, label=name)
    ax.set(title=f"dropped / kept = {float(two.share):.2f}, cosine {float(two.cosine):.3f}", aspect="equal")
    ax.legend(loc="upper left", fontsize=8)
    return figure


# %%
draw()
plt.show()


# %%
def moved(**knobs):
    draw(**knobs)
    plt.show()


_ = ipywidgets.interact(
    moved,
    h=ipywidgets.FloatSlider(10.0, min=1.0, max=20.0),
    angle=ipywidgets.IntSlider(10, min=0, max=90, step=5),
    rho=ipywidgets.FloatSlider(1.0, min=0.0, max=1.0, step=0.05),
)

# %% [markdown]
# What to look for: at angles 0 and 90 nothing is dropped, since g is an eigenvector there. Small angles with a large ρ drop most, and
# even then the arrows of SAM and of ∇F lie close together: in this bowl the dropped part points along. The cosine says what the drop
# costs: a short step along SAM's arrow lowers F by this share of what the steepest step of the same length would.
#
# ## In a network, from start to end
# Ten networks by SAM on clean digits, looked at on one batch of 64, with the ρ they were trained with.

# %%
epochs, rho = (1, 2, 4, 8, 16, 32, 64, 128), 0.1
optimizer = SAM(SGD(0.1, momentum=0.9), rho)
parts = []
for epoch in tqdm(epochs, unit="training", leave=False):
    run = minisam.train(
        model, digits, optimizer, epochs=epoch, seed=range(10), progress=False
    )  # the same way, but longer
    parts.append(sharpness.second_order(batch, product, run.w, rho))
share, cosine = (np.array([asnumpy(getattr(two, name)) for two in parts]) for name in ("share", "cosine"))
kept, dropped = (np.array([asnumpy(getattr(two, name)) for two in parts]) for name in ("kept", "dropped"))
between = (kept * dropped).sum(-1) / np.linalg.norm(kept, axis=-1) / np.linalg.norm(dropped, axis=-1)

# %% [markdown]
# ### Predict
# What is the cosine of the angle between SAM's gradient and the whole one after the last of these epochs, on average?

# %% tags=["prediction"]
prediction = None

# %%
check.predict(prediction, cosine[-1].mean())
figure, axes = plt.subplots(1, 2, figsize=(9, 3.3), layout="constrained")
lines = [(0, share, COLOURS[1], "o-", None), (1, cosine, COLOURS[1], "o-", "kept with the whole")]
lines += [(1, between, COLOURS[2], "o-", "kept with dropped")]
lines += [(1, 1 / np.sqrt(1 + share**2), "grey", "--", "kept with the whole, if dropped lay across")]
for k, values, colour, line, name in lines:
    mean, half = mean_and_interval(values)
    axes[k].errorbar(epochs, mean, half, fmt=line, capsize=2, color=colour, label=name)
for ax, name in zip(axes, ("dropped / kept", "cosine"), strict=True):
    ax.set(xlabel="epoch", ylabel=name, xscale="log", xticks=epochs, xticklabels=epochs, ylim=(0, None))
    ax.minorticks_off()
axes[1].legend(fontsize=7, loc="lower right")
check.keep(figure, "06_dropped_share")
plt.show()

# %% [markdown]
# What to look for: does the dropped part grow as gradients vanish? Does the cosine with the whole fall with it? And does the dropped
# part lie across the kept one?

# %% jupyter={"source_hidden": true}
check.saw(
    f"From epoch {epochs[0]} to {epochs[-1]} the dropped part grows from {share[0].mean():.2f} to {share[-1].mean():.2f} of the kept one. The cosine with "
    f"the whole goes from {cosine[0].mean():.3f} to {cosine[-1].mean():.3f}; that of the kept with the dropped is {between[-1].mean():.2f} in the end, "
    f"where 0 would be across. Had it lain across, the first would be {1 / np.sqrt(1 + share[-1].mean() ** 2):.3f}."
)

# %% [markdown]
# ### Explain
# A high cosine alone
# does not say that the dropped part points the same way: one that lay across would leave the dashed line, which is high too. How it
# lies is its own cosine with the part that is kept: 1 is along, 0 is across, and what is seen here is in between. So dropping it
# changes the length of the step, and turns it as well.
#
# ## Is it missed?
# A few lines make an optimizer that drops nothing. The product is a central difference of gradients (Exercise 1), so a step costs four.


# %%
@dataclass(frozen=True)
class WholeSAM(Variant):
    def direction(self, look, state):
        g = look()
        g_adv = look(epsilon(g, self.rho))
        v = across(g_adv, g)
        eps = epsilon(v, 0.01)  # a short way along v
        product = norm(v) * (look(eps) - look(-eps)) / 0.02  # H v
        return g_adv + like(self.rho, g) * over(product, norm(g))


_, state, info = (whole := WholeSAM(SGD(1.0), rho=0.1)).step(w := run.w, whole.init(run.w), batch)
moved = w - whole.step(w, whole.init(w), batch)[0]
exact = parts[-1].kept + parts[-1].dropped
print("gradients a step:", info["evaluations"], " relative error:", float((norm(moved - exact) / norm(exact)).max()))

# %% [markdown]
# The problem: 600 digits, 40% of their labels wrong, a cosine schedule, λ = 0.003. Five radii, ten seeds each, in one run a method. ρ is chosen
# on validation data for each method alone. SAM for twice the epochs spends as many gradients as the whole gradient does.

# %%
noisy = minisam.data.symmetric_noise(minisam.data.subset(digits, 600), 0.4, seed=0)
rhos, steps = [0.05, 0.1, 0.2, 0.3, 0.4], 600 // 64


def base(epochs):
    return SGD(minisam.optim.cosine(0.1, steps * epochs), momentum=0.9)


methods = {
    "SAM": (lambda rho: SAM(base(50), rho, l2=0.003), 50),
    "SAM, twice the epochs": (lambda rho: SAM(base(100), rho, l2=0.003), 100),
    "whole gradient": (lambda rho: WholeSAM(base(50), rho=rho, l2=0.003), 50),
}
sweeps = {
    name: minisam.train(model, noisy, rule, epochs, seed=range(10), sweep={"rho": rhos})
    for name, (rule, epochs) in methods.items()
}

# %% [markdown]
# ### Predict
# By how many percentage points is the whole gradient better on the test digits than SAM with as many epochs? (Negative, if worse.)

# %% tags=["prediction"]
prediction = None

# %%
test = {name: 100 * sweep.evaluate(digits.x_test, digits.y_test)["accuracy"] for name, sweep in sweeps.items()}
best = {name: np.argmax(sweep.history["validation_accuracy"][-1].mean(axis=-1)) for name, sweep in sweeps.items()}
chosen = {name: test[name][best[name]] for name in sweeps}  # (seeds,)
for name, sweep in sweeps.items():
    mean, half = mean_and_interval(chosen[name])
    spent = sweep.history["evaluations"][-1]
    print(f"{name:22} ρ = {rhos[best[name]]:<5} {mean:.1f} ± {half:.1f} %   {spent} gradients")
for name in ("SAM", "SAM, twice the epochs"):
    mean, half = mean_and_interval(chosen["whole gradient"] - chosen[name])
    print(f"whole gradient minus {name}: {mean:+.1f} ± {half:.1f} points, seed by seed")
check.predict(prediction, np.mean(chosen["whole gradient"] - chosen["SAM"]), "points")

# %%
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for colour, (name, values) in zip((COLOURS[1], COLOURS[4], COLOURS[2]), test.items(), strict=True):
    mean, half = mean_and_interval(values)
    ax.errorbar(rhos, mean, half, fmt="o-", capsize=3, color=colour, label=name)
ax.set(xlabel="ρ", ylabel="test accuracy [%]", title="40% wrong labels; mean and 95% interval of ten seeds")
ax.legend(loc="lower left")
check.keep(figure, "06_is_it_missed")
plt.show()

# %% [markdown]
# What to look for: does the interval of the difference hold 0? And at the largest ρ, which method breaks first?

# %% jupyter={"source_hidden": true}
gap, half = mean_and_interval(chosen["whole gradient"] - chosen["SAM"])
largest = {name: values[-1].mean() for name, values in test.items()}
check.saw(
    f"The whole gradient minus SAM, at equal epochs: {gap:+.1f} points, from {gap - half:+.1f} to {gap + half:+.1f}, over ten seeds. "
    + (
        "The interval holds 0, so these seeds do not tell which is better. "
        if abs(gap) <= half
        else "The interval is on one side of 0. "
    )
    + f"At ρ = {rhos[-1]}: "
    + ", ".join(f"{name} {mean:.1f}%" for name, mean in largest.items())
    + ". All ten were on one split and one draw of wrong labels: another one may say something else."
)

# %% [markdown]
# ### Explain
# Where an interval holds 0, the difference may be 0, and it may be as large as the interval's ends. What is sure is the price, twice
# the gradients. The whole gradient divides by ‖g‖ where SAM only normalises: its second part has no upper bound.
#
# So one may drop the term where ρ λ is small against ‖g‖, since it is small there. Beyond, it is long and points along in part, and
# whether a training misses it has to be tried. One may not drop it if one needs the true slope of F: to say how far a step lowers F,
# or to hold F itself against another method's objective.
#
# **Turn a knob**: `minisam.data.symmetric_noise(..., 0.0, seed=0)`, and λ = 0. Does the order of the methods change?
#
# ## What this leaves open
# On toy data, with one step size. Does SAM itself help, and against which rival? That is lesson 07. Where the steps lead in the long run,
# with and without gradients to speak of, is lesson 13.
#
# ## Where this comes from
# - P. Foret et al., *Sharpness-Aware Minimization*, ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412): the term is dropped
#   between equations 2 and 3; an appendix reports trainings that kept it.
# - B. A. Pearlmutter, *Fast Exact Multiplication by the Hessian*, Neural Computation 6(1), 1994.
# - Y. Zhao, H. Zhang, X. Hu, *Penalizing Gradient Norm for Efficiently Improving Generalization*, ICML 2022,
#   [arXiv:2202.03599](https://arxiv.org/abs/2202.03599) (the same Hessian, by a difference of two gradients).

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
# # 05 · The inner maximum
# **You can already**: measure how sharp a minimum is (04). **You will**: solve the maximum inside SAM's objective exactly where that is
# possible, by many steps where it is not, and see what share of it SAM's one step finds, from the start of a training to its end.

# %%
import check
import check_05
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from tqdm.auto import tqdm

import minisam
from minisam import SAM, SGD, BatchLoss, sharpness
from minisam.array_backend import asarray, asnumpy
from minisam.data import batches
from minisam.plot import COLOURS
from minisam.sam import ascend
from minisam.sam.objective import project, worst_of_quadratic
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: how far from the worst does one step look?
# $$\max_{\|\epsilon\|_p \le \rho} L(w + \epsilon)$$
#
# SAM replaces L by its tangent. A linear function $\langle g, \epsilon \rangle$ is largest at the rim, in the direction that
# `minisam.epsilon` returns, and the value it reaches there has a name: ρ times the *dual norm* of g,
#
# $$\max_{\|\epsilon\|_p \le \rho} \langle g, \epsilon \rangle = \rho \|g\|_q \qquad \text{with} \quad \frac1p + \frac1q = 1$$
#
# **Exercise 1.** Write that value, for any p from 1 to ∞. `np.linalg.norm(g, q)` is $\|g\|_q$; q is ∞ for p = 1, and 1 for p = ∞.


# %% tags=["exercise"]
def steepest_rise(g, rho, p):
    return ...


_ = check_05.steepest_rise(steepest_rise)


# %% jupyter={"source_hidden": true} tags=["solution"]
def steepest_rise(g, rho, p):
    q = np.inf if p == 1 else 1 if p == np.inf else p / (p - 1)
    return rho * np.linalg.norm(g, q)


_ = check_05.steepest_rise(steepest_rise)

# %%
g = np.array([0.3, -2.0, 1.1, 0.0])
for p in (1, 1.5, 2, 3, np.inf):
    eps = asnumpy(minisam.epsilon(asarray(g), 0.5, p))
    print(f"p = {p:<4} ε = {eps.round(3)}   ⟨g, ε⟩ = {g @ eps:.6f}   ρ‖g‖_q = {steepest_rise(g, 0.5, p):.6f}")

# %% [markdown]
# The same ρ is not the same distance in two norms. For p = 1 the whole length goes to one weight; for p = ∞ each weight moves by ρ.
#
# ### Predict
# A network with 2,410 weights; SAM with ρ = 0.05 once with p = 2, once with p = ∞. How many times as long is the second ε, by the
# ordinary length $\|\epsilon\|_2$?

# %% tags=["prediction"]
prediction = None

# %%
digits, model = minisam.data.digits(), minisam.mlp([64, 32, 10])
losses, w = BatchLoss(model), model.init(seed=0)
x, y = asarray(digits.x_train), asarray(digits.y_train)
on_all, on_a_batch = losses.on(x, y), losses.on(x[:64], y[:64])
g = asnumpy(on_all(w)[1])
lengths = {p: np.linalg.norm(asnumpy(minisam.epsilon(asarray(g), 0.05, p))) for p in (1, 2, np.inf)}
print({p: float(length.round(3)) for p, length in lengths.items()}, " weights with a gradient:", np.count_nonzero(g))
check.predict(prediction, lengths[np.inf] / lengths[2])

# %% [markdown]
# ### Explain
# √n, if every weight has a gradient; a bit less here, because pixels that are always black give their weights none. So ρ has to be tuned
# anew for each p.
#
# ## Exact, on a quadratic
# Where the loss is $L(w + \epsilon) = L(w) + g^T \epsilon + \frac12 \epsilon^T H \epsilon$, the maximum on the round ball is known. At the rim
# the gradient has to point outward, $g + H \epsilon = \mu\, \epsilon$, with a number μ at least as large as every eigenvalue of H.
#
# **Exercise 2.** Given the eigenvalues h of H and g in the same axes, write ε for a given μ.


# %% tags=["exercise"]
def outward(g, h, mu):
    return ...


_ = check_05.outward(outward)


# %% jupyter={"source_hidden": true} tags=["solution"]
def outward(g, h, mu):
    return g / (mu - h)


_ = check_05.outward(outward)

# %% [markdown]
# The larger μ, the shorter ε. So halve an interval of μ until the length of ε is ρ. One case is left: where g has no part along the
# steepest axis, even μ = λ_max may give too short an ε. Then the rest of its length goes along that axis, to either side. The
# library's solver does both.

# %%
h, w0, rho = np.array([1.0, 6.0]), np.array([1.0, 0.02]), 0.5
g = h * w0
low, high = h.max(), h.max() + np.linalg.norm(g) / rho
for _ in range(60):
    mu = (low + high) / 2
    low, high = (mu, high) if np.linalg.norm(outward(g, h, mu)) > rho else (low, mu)
quadratic = minisam.Quadratic(asarray(np.diag(h)))
print("ε by hand", outward(g, h, mu), "  μ =", mu)
print("library's", asnumpy(worst_of_quadratic(quadratic, asarray(w0), rho)))
for inner in ("single-step", "ascent", "exact"):
    value = minisam.sam_objective(quadratic, asarray(w0), rho, inner=inner)
    print(f"max L(w + ε), inner={inner!r:14} {float(value):.6f}")

# %% [markdown]
# ## Many steps
# A network is no quadratic. There one climbs: a step uphill, and back into the ball if it has left it.
#
# **Exercise 3.** Write the way back for the round ball: the point of the ball that is nearest to ε.


# %% tags=["exercise"]
def back_into_ball(eps, rho):
    return ...


_ = check_05.back_into_ball(back_into_ball)


# %% jupyter={"source_hidden": true} tags=["solution"]
def back_into_ball(eps, rho):
    return eps * min(1, rho / np.linalg.norm(eps))


_ = check_05.back_into_ball(back_into_ball)

# %%
minisam.show(ascend)
minisam.show(project)

# %% [markdown]
# ## Three answers in one picture
# A valley, steep across and level along, with w close to its floor; the ball around w in three norms. Orange: the single step. Green:
# the ascent. Star: the exact maximum.

# %%
grid = np.stack(np.meshgrid(np.linspace(-0.9, 2.1, 121), np.linspace(-1.2, 1.2, 97)), axis=-1)
circle = np.stack([np.cos(np.linspace(0, 2 * np.pi, 361)), np.sin(np.linspace(0, 2 * np.pi, 361))], axis=-1)
valley = minisam.value_and_grad(quadratic)


def answers(at, rho, p):
    """ε by the three ways, and how far the loss rises."""
    w = asarray(np.asarray(at))
    ways = {
        "single step": minisam.epsilon(valley(w)[1], rho, p),
        "ascent": ascend(valley, w, rho, p),
        "exact": worst_of_quadratic(quadratic, w, rho, p),
    }
    return {name: (asnumpy(eps), float(valley(w + eps)[0] - valley(w)[0])) for name, eps in ways.items()}


# %%
signs = {"single step": ("o", COLOURS[1], 9), "ascent": ("s", COLOURS[2], 9), "exact": ("*", "black", 12)}
surface = asnumpy(quadratic(asarray(grid)))


def draw(x=1.0, y=0.02, rho=0.5):
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.1), sharey=True, layout="constrained")
    centre = np.array([x, y])
    for ax, p in zip(axes, (1, 2, np.inf), strict=True):
        ax.contour(*grid.T, surface.T, levels=12, cmap="Greys_r", linewidths=0.6)
        rim = rho * circle / np.linalg.norm(circle, ord=p, axis=-1, keepdims=True)
        ax.fill(*(centre + rim).T, color=COLOURS[5], alpha=0.25)
        ax.plot(*centre, ".", color="black")
        found = answers(centre, rho, p)
        for name, (eps, rise) in found.items():
            sign, colour, size = signs[name]
            label = f"{name} {rise / found['exact'][1]:.0%}"
            ax.plot(*(centre + eps), sign, color=colour, markersize=size, label=label)
        ax.set(title=f"p = {p}".replace("inf", "∞"), aspect="equal")
        ax.legend(loc="lower left", fontsize=8)
    return figure


# %%
figure = draw()
check.keep(figure, "05_three_answers")
plt.show()


# %%
def moved(**knobs):
    draw(**knobs)
    plt.show()


_ = ipywidgets.interact(
    moved,
    x=ipywidgets.FloatSlider(1.0, min=0.0, max=1.4, step=0.05),
    y=ipywidgets.FloatSlider(0.02, min=0.0, max=0.6, step=0.02),
    rho=ipywidgets.FloatSlider(0.5, min=0.05, max=0.6, step=0.05),
)

# %% [markdown]
# What to look for, for p = 2: y = 0 against y = 0.4, and a small ρ against a large one. Where does the single step find nearly all?

# %% jupyter={"source_hidden": true}
found = {}
for y_there, rho_there in ((0.0, 0.5), (0.4, 0.5), (0.0, 0.05)):
    rises = answers((1.0, y_there), rho_there, 2)
    found[y_there, rho_there] = rises["single step"][1] / rises["exact"][1]
check.saw(
    f"At x = 1 the single step finds {found[0.0, 0.5]:.0%} of the exact rise on the floor, y = 0, and {found[0.4, 0.5]:.0%} at y = 0.4, for ρ = 0.5; with "
    f"ρ = 0.05 it finds {found[0.0, 0.05]:.0%} even on the floor. It is good where the gradient is long against ρ λ_max, or points the "
    "steepest way."
)

# %% [markdown]
# ### Explain
# On the side of the valley the gradient points across, which is where the worst is: all three agree. Near the floor it points along, and
# the single step goes where the slope is and not where the curvature is. (For p = 1 the ascent is caught there too, in a corner from
# which all small steps go down.) For p = 2, what the single step finds is
#
# $$\rho \|g\| + \tfrac{\rho^2}{2} \hat g^T H \hat g \qquad \text{and never more than} \qquad \rho \|g\| + \tfrac{\rho^2}{2} \lambda_{\max}$$
#
# with $\hat g = g/\|g\|$. So what counts is ρ λ_max against ‖g‖.
#
# ### Predict
# Let w come ever closer to the minimum, from the direction (1, 0.02) of above. To which share of the exact rise does the single step
# sink, for p = 2? (Leave ρ‖g‖ out: it vanishes. Here λ_max is 6, and g points along h · (1, 0.02).)

# %% tags=["prediction"]
prediction = None

# %%
distances = np.geomspace(1e-3, 30, 40)
rises = [answers(distance * w0, rho, 2) for distance in distances]
shares = [found["single step"][1] / found["exact"][1] for found in rises]
check.predict(prediction, shares[0])
direction = h * w0 / np.linalg.norm(h * w0)
print("ĝᵀHĝ / λ_max =", direction @ (h * direction) / h.max())
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.plot(distances, shares, color=COLOURS[1])
ax.set(xscale="log", ylim=(0, 1.05), xlabel="distance from the minimum", ylabel="single step / exact")
plt.show()

# %% [markdown]
# ## In a network, from start to end
# As training goes on, gradients vanish and curvature stays: by the picture above the single step should get worse. Ten networks by SGD and
# ten by SAM, stopped at several epochs; the best of a 20-step ascent stands for the maximum, which no one knows here.

# %%
seeds, epochs, rho = range(10), (0, 1, 2, 4, 8, 16, 32, 64, 128, 200), 0.2


def weights_at(optimizer):
    w, kept = model.init(seeds), []
    state = optimizer.init(w)
    for epoch in tqdm(range(max(epochs) + 1), unit="epoch", leave=False):
        if epoch in epochs:
            kept.append(w)
        for i in asarray(batches(len(x), 64, seeds, epoch)):
            w, state, info = optimizer.step(w, state, losses.on(x[i], y[i]))
    return kept


ways = {"SGD": weights_at(SGD(0.1, momentum=0.9)), "SAM": weights_at(SAM(SGD(0.1, momentum=0.9), rho))}

# %% [markdown]
# ### Predict
# On all training digits, after 200 epochs of SGD: what share of the 20-step rise does the single step find?

# %% tags=["prediction"]
prediction = None

# %%
minisam.show(sharpness.single_step_accuracy)
parts = {"all training digits": on_all, "one batch of 64": on_a_batch}
share = {}  # (loss, optimizer) -> (epochs, seeds)
for where, loss in parts.items():
    for name, kept in ways.items():
        found = [sharpness.single_step_accuracy(loss, w, rho) for w in tqdm(kept, unit="epoch", leave=False)]
        share[where, name] = np.array([asnumpy(one.ratio) for one in found])
check.predict(prediction, share["all training digits", "SGD"][-1].mean())

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
for colour, (name, kept) in zip(COLOURS, ways.items(), strict=False):
    for ax, where in zip(axes, parts, strict=False):
        mean, half = mean_and_interval(share[where, name])
        ax.errorbar(epochs, mean, half, fmt="o-", capsize=2, color=colour, label=name)
        ax.set(title=where, ylim=(0, 1.05))
    size = np.array([asnumpy(sharpness.gradient_norm(on_all, w)) for w in kept])
    mean, half = mean_and_interval(size)
    axes[2].errorbar(epochs, mean, half, fmt="o-", capsize=2, color=colour, label=name)
for ax in axes:
    ax.set_xscale("symlog", linthresh=1)
    ax.set(xlabel="epoch", xticks=epochs[:-1:2], xticklabels=epochs[:-1:2], xlim=(-0.3, 260))
axes[0].set_ylabel("single step / 20 steps of ascent")
axes[2].set(title="‖∇L‖ on all training digits", yscale="log")
axes[2].legend()
check.keep(figure, "05_single_step_in_training")
plt.show()

# %% [markdown]
# ### Explain
# What to look for: the share falls when the gradient has become small. It dips at the start as well, while the gradient is still long:
# there the curvature is large, too, so that ρ λ_max is as long as ‖g‖.
#
# In the end SAM's share falls below SGD's. Is ρ λ_max larger there against ‖g‖? Take the formulas for a quadratic from above, with the
# gradient and the Hessian of each network:

# %%
product = minisam.hvp(model)
print("epoch 16, 64, 200:      ρ λ_max / ‖g‖      ĝᵀHĝ / λ_max   share at least, if quadratic      share found")
for name, kept in ways.items():
    for k in (5, 7, 9):
        g = on_all(kept[k])[1]
        size = sharpness.gradient_norm(on_all, kept[k])
        along = (g / size[:, None] * product(kept[k], g / size[:, None], x, y)).sum(-1)
        top = asarray(sharpness.lambda_max(lambda w, v: product(w, v, x, y), kept[k]))
        least = (rho * size + rho**2 / 2 * along) / (rho * size + rho**2 / 2 * top)
        found = share["all training digits", name][k]
        told = [float(np.mean(asnumpy(a))) for a in (rho * top / size, along / top, least, found)]
        print(f"{name}, epoch {epochs[k]:<7}{told[0]:19.1f}{told[1]:20.2f}{told[2]:22.2f}{told[3]:26.2f}")

# %% [markdown]
# No: after SAM it is smaller. Two other things are seen. SAM's last gradients point less along the steep directions. And in the end the
# share is smaller than on any quadratic with this gradient and this Hessian, after SAM by more than after SGD: within ρ the loss
# bends up further out, which neither g nor H at w can tell.
#
# SAM takes its ε on a batch, not on all digits, and from where SAM itself has come to: its own curve is the orange one in the middle. Is
# it spared? **Turn a knob**: with `rho = 0.05`, when does the share begin to fall? Would you spend 20 steps in place of one at
# the start, or at the end? (`minisam.sam.MultiStepSAM` does spend them.)
#
# ## What this leaves open
# The single step does not find the worst point. Nor is its gradient quite the gradient of what it finds: ε moves with w, and SAM acts as if
# it did not. That is lesson 06.
#
# ## Where this comes from
# - P. Foret et al., *Sharpness-Aware Minimization*, ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412): equation 2.
# - A. R. Conn, N. I. M. Gould, Ph. L. Toint, *Trust-Region Methods*, SIAM 2000, chapter 7 (the exact maximum on a ball).
# - A. Madry et al., *Towards Deep Learning Models Resistant to Adversarial Attacks*, ICLR 2018,
#   [arXiv:1706.06083](https://arxiv.org/abs/1706.06083) (projected ascent).
# - M. Andriushchenko, N. Flammarion, *Towards Understanding Sharpness-Aware Minimization*, ICML 2022,
#   [arXiv:2206.06232](https://arxiv.org/abs/2206.06232) (several steps).

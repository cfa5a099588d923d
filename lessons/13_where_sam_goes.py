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
# # 13 · Where SAM goes
# **You can already**: say what SAM's step looks for, and what it misses (05, 06). **You will**: follow it for thousands of
# steps: where it comes to rest, where it cannot rest, and what it descends when the loss has no more to give.

# %%
import autograd.numpy as anp
import check
import check_13
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from tqdm.auto import tqdm

import minisam
from minisam import SAM, SGD, BatchLoss, ops, sharpness
from minisam.array_backend import asarray, asnumpy, xp
from minisam.optim import cosine
from minisam.plot import COLOURS
from minisam.sam import MSharpnessSAM
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: does SAM come to rest?
# To see where it goes, keep every step:


# %%
def walk(loss_and_grad, optimizer, start, steps):
    """Where an optimizer goes: (steps + 1, ..., n), on the host."""
    w = asarray(np.asarray(start))
    state, way = optimizer.init(w), [w]
    for _ in range(steps):
        w, state, info = optimizer.step(w, state, loss_and_grad)
        way.append(w)
    return asnumpy(xp().stack(way))


# %% [markdown]
# First in the simplest landscape, a bowl in six dimensions with the curvatures h. Gradient descent goes to its bottom, w = 0.

# %%
minisam.show(SAM.direction)
h, lr, rho = np.array([5.0, 3.0, 2.0, 1.0, 0.5, 0.2]), 0.1, 0.2
bowl = minisam.value_and_grad(minisam.Quadratic(asarray(np.diag(h))))
start = np.random.default_rng(0).standard_normal(6)
ways = {"SGD": walk(bowl, SGD(lr), start, 600), "SAM": walk(bowl, SAM(SGD(lr), rho), start, 600)}

# %% [markdown]
# ### Predict
# The radius is ρ = 0.2, the step size 0.1. After 600 steps, how far from the bottom is SAM?

# %% tags=["prediction"]
prediction = None

# %%
check.predict(prediction, np.linalg.norm(ways["SAM"][-1]))
print("the last three steps of SAM:")
print(ways["SAM"][-3:].round(4) + 0)

# %% [markdown]
# ### Explain
# It jumps to and fro, along one axis: that of the largest curvature. There $\hat g = \pm 1$ however near the bottom is, so w +
# ε is never at the bottom, and the gradient found there never 0. One step takes w = c to $c - \eta h (c + \rho)$.
#
# **Exercise 1.** At which distance c does a step land exactly on the other side, at −c?


# %% tags=["exercise"]
def bounce(lr, h, rho):
    return ...


_ = check_13.bounce(bounce)


# %% jupyter={"source_hidden": true} tags=["solution"]
def bounce(lr, h, rho):
    return lr * h * rho / (2 - lr * h)


_ = check_13.bounce(bounce)

# %% [markdown]
# Does the formula hold? Forty step sizes at once, each a replica, in the same bowl:

# %%
lrs = np.linspace(0.01, 0.39, 40)[:, None]
ends = walk(bowl, SAM(SGD(lrs), rho), np.tile(start, (40, 1)), 3000)[-1]
print("largest difference:", np.abs(np.linalg.norm(ends, axis=1) - bounce(lrs, h.max(), rho)[:, 0]).max())

# %% [markdown]
# So with a constant step size SAM does **not** converge, not even in a bowl. As η falls, so does the bounce:

# %%
ways["SAM, η falling"] = walk(bowl, SAM(SGD(cosine(lr, 600)), rho), start, 600)
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for colour, (name, way) in zip(COLOURS, ways.items(), strict=False):
    ax.plot(np.linalg.norm(way, axis=1), color=colour, label=name)
ax.set(yscale="log", xlabel="step", ylabel="distance from the minimum", ylim=(1e-8, 5))
ax.legend()
plt.show()

# %% [markdown]
# ## A resting place that is no minimum
# On a wave with many equal minima, SAM does come to rest. Black: the loss. Blue: where a run starts. Orange: where it ends, and
# where it looks from there.

# %%
length, height = 0.4, 0.01


def wave(w):
    return height * anp.cos(2 * np.pi * w[..., 0] / length)


on_wave = minisam.value_and_grad(wave)


# %%
def draw(start=-0.05, rho=0.3):
    first, x = np.array([start]), np.linspace(-0.45, 0.65, 400)[:, None]
    end = walk(on_wave, SAM(SGD(0.05), rho), first, 500)[-1]
    slope = asnumpy(on_wave(asarray(end))[1])
    look = end + asnumpy(minisam.epsilon(asarray(slope), rho))
    figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    ax.plot(x, asnumpy(wave(asarray(x))), color="black", linewidth=0.8)
    for w, sign, colour, name in ((first, "o", 0, "start, w"), (end, "o", 1, "end, w"), (look, "x", 1, "end, w + ε")):
        height_there = asnumpy(wave(asarray(w)))
        ax.plot(*w, height_there, sign, color=COLOURS[colour], label=f"{name} = {w[0]:.3f}", markersize=9)
    ax.set(xlabel="w", ylabel="loss", title=f"ρ = {rho:.2f}: |∇L| at the end is {abs(slope[0]):.3f}")
    ax.legend(loc="upper right", fontsize=8)
    return figure


# %% [markdown]
# ### Predict
# From w = −0.05, on the left of a crest at 0, with ρ = 0.3: at which w does SAM end? The minima are at −0.2, 0.2, 0.6.

# %% tags=["prediction"]
prediction = None

# %%
check.predict(prediction, float(walk(on_wave, SAM(SGD(0.05), 0.3), [-0.05], 500)[-1, 0]))
figure = draw()
check.keep(figure, "13_rest_on_a_slope")
plt.show()


# %%
def moved(**knobs):
    draw(**knobs)
    plt.show()


_ = ipywidgets.interact(
    moved,
    start=ipywidgets.FloatSlider(-0.05, min=-0.2, max=0.4, step=0.01),
    rho=ipywidgets.FloatSlider(0.3, min=0.0, max=0.4, step=0.02),
)

# %% [markdown]
# Lower ρ notch by notch, from the same start. What to look for: with which ρ does SAM end at a minimum? And where does it end
# with the others?

# %% jupyter={"source_hidden": true}
kinds = {"at the minimum, −0.2": [], "about the crest, 0": [], "at rest on a slope": []}
for rho in (0.02, 0.04, 0.06, 0.12, 0.18, 0.24, 0.3, 0.36):
    end = walk(on_wave, SAM(SGD(0.05), rho), [-0.05], 500)[-1, 0]
    kind = 0 if abs(end + 0.2) < 0.02 else 1 if abs(end) < 0.02 else 2
    list(kinds.values())[kind].append(f"ρ = {rho} (w = {end:+.3f})")
check.saw(
    "; ".join(f"{kind}: {', '.join(ends)}" for kind, ends in kinds.items())
    + ". From here, only a ρ that does not reach over the crest leads to a minimum. A larger one sees the slope behind the crest and climbs; "
    "one that reaches the next minimum at 0.2 finds no slope there, and stays."
)

# %% [markdown]
# ### Explain
# SAM rests where $\nabla L(w + \epsilon) = 0$, and that need not be where $\nabla L(w) = 0$. Here ε reaches over the crest, to
# the bottom of the next valley; the gradient it brings back is zero, and w stays, halfway up a slope. A smaller step size does
# not help. The recorded study [Can SAM come to rest where there is no minimum?](../evidence/slope.md) finds the same from 20
# starts.
#
# ## What the bounce is for
# Back to the valley of lesson 00, $L = (xy)^2/2$: minima all along x = 0, with the curvature $h(y) = y^2$ across. SAM bounces
# across. At each side there is a small slope along y, $\partial L/\partial y = \frac12 h'(y)\, x^2$, and SAM sees it at w + ε,
# where $|x| = c + \rho = 2\rho / (2 - \eta h)$.
#
# **Exercise 2.** By how much does y change in one step? (Minus the step size times that slope.)


# %% tags=["exercise"]
def drift(lr, h, slope_of_h, rho):
    return ...


_ = check_13.drift(drift)


# %% jupyter={"source_hidden": true} tags=["solution"]
def drift(lr, h, slope_of_h, rho):
    return -lr / 2 * slope_of_h * (2 * rho / (2 - lr * h)) ** 2


_ = check_13.drift(drift)


# %%
def valley(w):
    return (w[..., 0] * w[..., 1]) ** 2 / 2


lr, rhos = 0.2, np.array([[0.0], [0.02], [0.05], [0.1]])
way = walk(minisam.value_and_grad(valley), SAM(SGD(lr), rhos), np.tile([0.3, 2.5], (4, 1)), 3000)[..., 1]
told = np.empty((2801, 4))
told[0] = way[200]  # from where the bounce has set in
for t in range(2800):
    told[t + 1] = told[t] + drift(lr, told[t] ** 2, 2 * told[t], rhos[:, 0])

# %%
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for k, rho in enumerate(rhos[:, 0]):
    ax.plot(way[:, k], color=COLOURS[k], label=f"ρ = {rho:g}")
    ax.plot(range(200, 3001, 100), told[::100, k], "o", color=COLOURS[k], markersize=3)
ax.set(xlabel="step", ylabel="y: the curvature is y²", title="lines: SAM; dots: Exercise 2, added up")
ax.legend()
check.keep(figure, "13_drift_along_a_valley")
plt.show()
error = np.abs(told - way[200:]).max(axis=0) / np.abs(way[200] - way[-1] + (rhos[:, 0] == 0))
print(
    "largest gap, as a share of the way:", {float(r): float(e.round(3)) for r, e in zip(rhos[:, 0], error, strict=True)}
)

# %% [markdown]
# ### Explain
# For small η the drift is $-\frac{\eta \rho^2}{2}\, h'(y)$: **gradient descent on the largest eigenvalue of the Hessian**, with
# the step size ηρ²/2. That is what SAM does among minima of equal loss. It is slow, ρ² being small; twice the ρ is four times
# as fast.
#
# ## The edge
# Gradient descent can stay only where η λ_max ≤ 2: beyond, each step across the valley is longer than the one before. Trainings
# often go right there and hover: the *edge of stability*. SAM has an edge, too. At a distance d from the minimum along an
# eigenvector with the eigenvalue λ, the gradient is λ d at w and λ (d + ρ) at w + ε. So a step multiplies d by
# $1 - \eta \lambda (1 + \rho/d)$, and with $d = \|g\|/\lambda$ that is $1 - \eta\,(\lambda + \rho \lambda^2/\|g\|)$, which has
# to be at least −1.
#
# **Exercise 3 (find the mistakes).** The edge is where a step turns d into exactly −d: where the factor is −1. Four formulas
# for it were handed in. Write the test that finds the right one: True if λ is the edge, a curvature (so λ > 0), else False;
# `size` is ‖g‖.


# %% tags=["exercise"]
def is_edge(lam, lr, rho, size):
    return ...


_ = check_13.is_edge(is_edge)


# %% jupyter={"source_hidden": true} tags=["solution"]
def is_edge(lam, lr, rho, size):
    return bool(lam > 0 and np.isclose(lr * (lam + rho * lam**2 / size), 2))


_ = check_13.is_edge(is_edge)

# %%
handed_in = {
    "as for gradient descent": lambda lr, rho, size: 2 / lr,
    "the smaller root": lambda lr, rho, size: size / (2 * rho) * (-((1 + 8 * rho / (lr * size)) ** 0.5) - 1),
    "the larger root": lambda lr, rho, size: size / (2 * rho) * ((1 + 8 * rho / (lr * size)) ** 0.5 - 1),
    "where the step lands on 0": lambda lr, rho, size: size / (2 * rho) * ((1 + 4 * rho / (lr * size)) ** 0.5 - 1),
}
for name, formula in handed_in.items():
    verdicts = [is_edge(formula(*place), *place) for place in ((0.1, 0.2, 0.5), (0.4, 0.05, 0.03), (0.02, 0.1, 2.0))]
    print(f"{name:26} is the edge at {sum(verdicts)} of 3 places")
edge = handed_in["the larger root"]

# %% [markdown]
# Now a network, on 100 digits with the squared error, all of them in each step: nothing is random but the start. Three radii,
# three starts, in one run. (With ρ = 0, SAM is gradient descent.)

# %%
few, model, lr = minisam.data.subset(minisam.data.digits(), 100), minisam.mlp([64, 32, 32, 10], "tanh", "glorot"), 0.4
x, y = asarray(few.x_train), asarray(np.eye(10, dtype="float32")[few.y_train])
loss, product_on = BatchLoss(model, minisam.mse).on(x, y), minisam.hvp(model, minisam.mse)
rhos, seeds = np.array([0.0, 0.05, 0.2]), range(3)
w = xp().stack([model.init(seeds)] * 3)  # (rho, seed, n)
optimizer = SAM(SGD(lr), rhos[:, None, None])
state, top, size = optimizer.init(w), [], []
for step in tqdm(range(2001), unit="step", leave=False):
    if step % 80 == 0:
        top.append(sharpness.lambda_max(lambda w, v: product_on(w, v, x, y), w, steps=12))
        size.append(asnumpy(sharpness.gradient_norm(loss, w)))
    w, state, info = optimizer.step(w, state, loss)
top, size = np.array(top), np.array(size, dtype="float64")  # (measurements, rho, seed)

# %% [markdown]
# ### Predict
# With η = 0.4, the edge of gradient descent is at λ = 5. Where is λ_max after 2,000 steps of SAM with ρ = 0.2, on average over
# the starts?

# %% tags=["prediction"]
prediction = None

# %%
check.predict(prediction, top[-1, 2].mean())
figure, axes = plt.subplots(1, 3, figsize=(10, 3.3), sharey=True, layout="constrained")
for k, ax in enumerate(axes):
    limit = edge(lr, rhos[k], size[:, k]) if rhos[k] else np.full_like(size[:, k], 2 / lr)
    ax.plot(80 * np.arange(len(top)), top[:, k], color=COLOURS[k])
    ax.plot(80 * np.arange(len(top)), limit, "--", color="grey", linewidth=0.8)
    ax.set(title=f"ρ = {rhos[k]:g}", xlabel="step", yscale="log", ylim=(0.1, 15))
axes[0].set_ylabel("λ_max, and the edge (dashed)")
check.keep(figure, "13_edge_of_stability")
plt.show()

# %% [markdown]
# All three pictures have one scale. What to look for: does gradient descent hover at its edge, 2/η? SAM's edge lies lower, and
# sinks as the gradient gets smaller; does λ_max sink with it? And for which ρ is the formula farthest off?

# %% jupyter={"source_hidden": true}
late = {}  # λ_max / edge, and λ_max, over the last eight measurements
for k, rho in enumerate(rhos):
    limit = edge(lr, rho, size[-8:, k]) if rho else 2 / lr
    late[rho] = [mean_and_interval(values.mean(axis=0)) for values in (top[-8:, k] / limit, top[-8:, k])]
check.saw(
    "Late in training: "
    + "; ".join(
        f"ρ = {rho:g}: λ_max {top_of[0]:.2f}, {ratio[0]:.2f} ± {ratio[1]:.2f} times its edge"
        for rho, (ratio, top_of) in late.items()
    )
    + ". So each of them hovers near an edge of its own, SAM at a smaller curvature. The formula is for one eigenvector of one quadratic: "
    "the larger ρ, the less a network is of that, and the farther off the line."
)

# %% [markdown]
# ### Explain
# So "SAM finds flatter minima" is not only about where it ends: all along the way, it cannot stay where it is much sharper than
# its edge,
#
# $$\lambda_{edge} = \frac{\|g\|}{2 \rho} \Big( \sqrt{1 + \tfrac{8 \rho}{\eta \|g\|}} - 1 \Big)$$
#
# In the bowl of the beginning, the bounce lies exactly **on** the edge:

# %%
c = bounce(0.1, 5.0, 0.2)
print("SAM's edge at the bounce in the bowl:", edge(0.1, 0.2, 5.0 * c), " its largest curvature:", h.max())

# %% [markdown]
# **Turn a knob**: `lr = 0.2` for the network. Which of the three edges moves most?
#
# ## Which minimum, when there are many: implicit bias
# Last, a problem with more weights than examples: y = ⟨β, x⟩ with 30 inputs, of which three count, and 20 examples. Infinitely
# many β fit. The network is the smallest that is not linear in its weights: $\beta = u \cdot v$, entry by entry, from u = 1 and
# v = 0. Ten sets of data, one per replica.

# %%
sets = [minisam.data.diagonal_regression(seed) for seed in range(10)]
x, y = (asarray(np.stack([getattr(one, part) for one in sets]).astype("float64")) for part in ("x_train", "y_train"))
truth = np.array([1.0] * 3 + [0.0] * 27)


def beta(p):
    return p["u"] * p["v"]


def forward(p, x):
    return ops.matmul(x, anp.reshape(beta(p), (*anp.shape(p["u"]), 1)))


shapes = {"u": (30,), "v": (30,)}
diagonal = minisam.Model({"model": "diagonal"}, shapes, forward, lambda rng: {"u": np.ones(30), "v": np.zeros(30)})
on_sets, start = BatchLoss(diagonal, minisam.mse).on(x, y), diagonal.init(range(10), dtype="float64")

# %% [markdown]
# ### Predict
# Gradient descent, SAM, and SAM with an ε for each example (1-SAM: still all 20 examples in each step). Which of the three
# comes nearest to the true β: put 1, 2 or 3.

# %% tags=["prediction"]
prediction = None

# %%
steps, falling = 2000, SGD(cosine(0.02, 2000))
rules = {"GD": falling, "SAM": SAM(falling, 0.2), "1-SAM": MSharpnessSAM(falling, rho=0.2, groups=20)}
ends, found, gap = {}, {}, {}
for name, rule in rules.items():
    w, state = start, rule.init(start)
    for _ in tqdm(range(steps), unit="step", leave=False):
        w, state, info = rule.step(w, state, on_sets)
    ends[name], found[name] = w, asnumpy(beta(diagonal.unflatten(w)))
    gap[name] = np.sum((found[name] - truth) ** 2, axis=-1)
    told = [f"{mean:.2g} ± {half:.1g}" for mean, half in map(mean_and_interval, (asnumpy(on_sets(w)[0]), gap[name]))]
    print("{:6} training loss {:18} ‖β − true β‖² {}".format(name, *told))
check.predict(prediction, 1 + np.argmin([values.mean() for values in gap.values()]))

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), sharey=True, layout="constrained")
for ax, colour, (name, betas) in zip(axes, COLOURS, found.items(), strict=False):
    ax.plot(betas.T, ".", color=colour, markersize=3)
    ax.step(range(30), truth, where="mid", color="black", linewidth=0.8)
    ax.set(title=name, xlabel="input")
axes[0].set_ylabel("β (line: the true one)")
check.keep(figure, "13_implicit_bias")
plt.show()

# %% [markdown]
# Gradient descent from a start of this size spreads β over all inputs; from a smaller start α it finds a sparse one (Woodworth
# et al.). Andriushchenko and Flammarion argue that SAM moves *as if the start had been smaller*. That is a claim about a cause,
# and can be tried: run gradient descent from smaller starts, and see whether one of them ends where SAM does.
#
# ### Predict
# 1-SAM starts at α = 1. From which α, of 1, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1, does gradient descent end nearest to it?

# %% tags=["prediction"]
prediction = None

# %%
alphas = np.array([1.0, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1])
w = start * asarray(alphas)[:, None, None]  # (α, set, n): v is 0, so only u shrinks
state = falling.init(w)
for _ in range(steps):
    w, state, info = falling.step(w, state, on_sets)
smaller = asnumpy(beta(diagonal.unflatten(w)))  # (α, set, 30)
apart = {name: np.sum((betas - smaller) ** 2, axis=-1).mean(axis=1) for name, betas in found.items()}
print("α            " + "".join(f"{alpha:7g}" for alpha in alphas))
for name, values in apart.items():
    print(f"‖β − {name}‖²".ljust(13) + "".join(f"{value:7.3f}" for value in values))
check.predict(prediction, alphas[np.argmin(apart["1-SAM"])])

# %% [markdown]
# And the sharpness of the three ends? Ten sets are few; the recorded study of the repository
# ([its page](../evidence/implicit_bias.md)) has 20 others, more radii, and SAM with ε = ρ g, for which the claim was proved.


# %%
def on_all(w, v):
    """H v, for each set of data."""
    return curvature_of(w, v, x, y)


curvature_of, flat = minisam.hvp(diagonal, minisam.mse), {}
recorded = check.recorded("implicit_bias").verdicts(against="GD, α = 1")
for name, w in ends.items():
    flat[name] = sharpness.trace(on_all, w).value, sharpness.lambda_max(on_all, w)
    told = ["{:.2f} ± {:.2f}".format(*mean_and_interval(asnumpy(values))) for values in flat[name]]
    print("{:6} tr H {:14} λ_max {}".format(name, *told))
print("\nrecorded, minus the squared distance from the true β:", *recorded, sep="\n  ")

# %% [markdown]
# What to look for: is there an α from which gradient descent ends where 1-SAM does? And one for SAM? Whose trace fell, and
# whose λ_max? In the recorded study, are SAM and 1-SAM nearer to the truth than gradient descent?

# %% jupyter={"source_hidden": true}
said, by_word = [], {}
for name in ("SAM", "1-SAM"):
    best, (t, m) = (
        np.argmin(apart[name]),
        (np.mean(a) / np.mean(b) for a, b in zip(flat[name], flat["GD"], strict=True)),
    )
    gone = 1 - apart[name][best] / apart[name][0]
    said.append(
        f"{name}: nearest to it is gradient descent from α = {alphas[best]:g}, where {gone:.0%} of the squared distance to that from α = 1 is "
        f"gone; its trace is {t:.0%} and its λ_max {m:.0%} of those of gradient descent"
    )
for v in recorded:
    by_word.setdefault(v.word, []).append(v.comparison.method)
check.saw(
    ". ".join(said)
    + ". Recorded, against gradient descent from α = 1: "
    + "; ".join(f"<b>{word}</b>: {', '.join(names)}" for word, names in by_word.items())
    + ". So 1-SAM behaves much as if its start had been smaller; SAM with one ε for all does not, and moves away from the truth."
)

# %% [markdown]
# ### Explain
# A smaller start is a sparser end: for gradient descent that is proved. That SAM with an ε for each example behaves as if its
# start had been smaller, the trial supports: gradient descent from a small α ends near it. SAM with one ε for all ends flatter
# than gradient descent, too, and yet no sparser; so flatness is not the cause of it. For small steps Wen, Ma and Li derive
# which sharpness falls: with an ε for each example the trace of H, which sums over the examples; with one ε for all, the
# largest eigenvalue. And in this network (lesson 14 has the reason for the first step)
#
# $$\operatorname{tr} H = \frac2n \sum_{i,j} x_{ij}^2\, (u_j^2 + v_j^2) \; \ge \; \frac4n \sum_{i,j} x_{ij}^2\, |\beta_j|$$
#
# so a small trace means a small weighted sum of |β|, and of all β that fit, those with the smallest such sum are sparse. For ε
# = ρ g, for which the claim was proved, the recorded study saw no gain with any radius that did not diverge; why, we do not
# know.
#
# ## What this leaves open
# SAM descends the largest eigenvalue. Is a small one a good thing to have? Not always, and not by itself: lesson 14.
#
# ## Where this comes from
# - P. L. Bartlett, P. M. Long, O. Bousquet, *The Dynamics of Sharpness-Aware Minimization*, JMLR 24, 2023,
#   [arXiv:2210.01513](https://arxiv.org/abs/2210.01513) (bounce and drift).
# - P. M. Long, P. L. Bartlett, *Sharpness-Aware Minimization and the Edge of Stability*, JMLR 25, 2024,
#   [arXiv:2309.12488](https://arxiv.org/abs/2309.12488); J. M. Cohen et al., *Gradient Descent on Neural Networks Typically Occurs at the
#   Edge of Stability*, ICLR 2021, [arXiv:2103.00065](https://arxiv.org/abs/2103.00065).
# - K. Wen, T. Ma, Z. Li, *How Does Sharpness-Aware Minimization Minimize Sharpness?*, ICLR 2023,
#   [arXiv:2211.05729](https://arxiv.org/abs/2211.05729) (which sharpness: the largest eigenvalue; the trace for batches of one).
# - D. Si, C. Yun, *Practical Sharpness-Aware Minimization Cannot Converge All the Way to Optima*, NeurIPS 2023,
#   [arXiv:2306.09850](https://arxiv.org/abs/2306.09850) (the examples of no convergence here are our own).
# - M. Andriushchenko, N. Flammarion, *Towards Understanding Sharpness-Aware Minimization*, ICML 2022,
#   [arXiv:2206.06232](https://arxiv.org/abs/2206.06232) (diagonal networks); B. Woodworth et al., *Kernel and Rich Regimes in
#   Overparametrized Models*, COLT 2020, [arXiv:2002.09277](https://arxiv.org/abs/2002.09277) (their bias under gradient descent).
# - Y. Dai, K. Ahn, S. Sra, *The Crucial Role of Normalization in Sharpness-Aware Minimization*, NeurIPS 2023,
#   [arXiv:2305.15287](https://arxiv.org/abs/2305.15287) (the valley).

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
# # 11 · Paying less
# **You can already**: tune SAM and measure what it brings (07, 08). **You will**: know five ways to save its second gradient,
# test the premise of two of them, and put what each brings beside what it costs.

# %%
import time

import check
import check_11
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, BatchLoss, sam
from minisam.array_backend import asarray, asnumpy
from minisam.data import batches, symmetric_noise
from minisam.ops import dot, norm, over
from minisam.optim import cosine
from minisam.plot import COLOURS
from minisam.sam import across, epsilon
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: does every step need its second gradient?
# SAM spends two gradients a step, and the second has to wait for the first. What has been proposed to save:
#
# | idea | variants | gradients a step |
# |---|---|---|
# | pay only now and then | `EveryK` each k-th step, `RST` by chance p, `AESAM` when the gradient is large | 1 + 1/k, 1 + p, 1 + a share |
# | use what is there already | `LookSAM` an old SAM gradient, `MSAM` the momentum | 1 + 1/k, 1 |
# | only a part | `ESAM` a share γ of the examples; `SSAM`, `SAMON` some of the weights | 1 + γ, and two forward passes; 2 |
# | outputs in place of gradients | `SAF` those of earlier epochs, `MESA` those of averaged weights | 1, and a forward pass |
# | both at the same time | `SAMPa`, `AsyncSAM`: look along the gradient of the step before | 2, in the time of 1 |
#
# (Moving only some of the weights saves nothing by itself: the gradient there is a whole one. What it needs is less memory.)
#
# **Exercise 1.** `EveryK` takes a step of SAM at each k-th step, and one of SGD at the others. What does a step cost in the mean?


# %% tags=["exercise"]
def price(k):
    return ...


_ = check_11.price(price)


# %% jupyter={"source_hidden": true} tags=["solution"]
def price(k):
    return 1 + 1 / k


_ = check_11.price(price)

# %% [markdown]
# ## Reuse: LookSAM
# Split SAM's gradient into a part along g and a part $g_v$ across it. The first is in g already. LookSAM's premise: $g_v$ changes
# slowly, so that the one of a few steps ago will do.
#
# **Exercise 2.** Write $g_v$, the part of `g_adv` that is orthogonal to g.


# %% tags=["exercise"]
def part_across(g_adv, g):
    return ...


_ = check_11.part_across(part_across)


# %% jupyter={"source_hidden": true} tags=["solution"]
def part_across(g_adv, g):
    return g_adv - (g_adv @ g) / (g @ g) * g


_ = check_11.part_across(part_across)

# %%
minisam.show(sam.LookSAM.direction)

# %% [markdown]
# ## Reuse: MSAM
# Momentum v is a running sum of gradients, and the next step goes along −v. MSAM looks there, ρ far, and takes its one gradient
# there.
#
# **Exercise 3.** Write its ε.


# %% tags=["exercise"]
def where_momentum_leads(v, rho):
    return ...


_ = check_11.where_momentum_leads(where_momentum_leads)


# %% jupyter={"source_hidden": true} tags=["solution"]
def where_momentum_leads(v, rho):
    return -rho * v / np.linalg.norm(v)


_ = check_11.where_momentum_leads(where_momentum_leads)

# %%
minisam.show(sam.MSAM.direction)

# %% [markdown]
# ## Are the premises true?
# Is $g_v$ steadier than g? And is −v, which gradients have summed up to, the way *up*? Train ten networks with SAM, on digits
# with 40% wrong labels, each with its own, and write both down at every step.

# %%
digits, model, seeds, steps = minisam.data.digits(train=600), minisam.mlp([64, 64, 64, 10]), range(10), 600 // 64


def noisy(seed):
    return symmetric_noise(digits, 0.4, seed)


labels = asarray(np.stack([noisy(seed).y_train for seed in seeds]))
x, rows = asarray(digits.x_train), np.arange(10)[:, None]
losses, optimizer = BatchLoss(model), SAM(SGD(0.1, momentum=0.9), rho=0.2, l2=0.005)
w = model.init(seeds)
state, kept, rises = optimizer.init(w), {"g": [], "g_v": []}, []

# %%
for epoch in range(12):
    for i in batches(600, 64, seeds, epoch):
        batch = losses.on(x[i], labels[rows, i])
        loss, g = batch(w)
        g_v = across(batch(w + epsilon(g, 0.2))[1], g)
        for name, a in (("g", g), ("g_v", g_v)):
            kept[name].append(over(a, norm(a)))
        rises.append(asnumpy(batch(w - epsilon(state["v"], 0.2))[0] - loss))  # what MSAM would see
        w, state, info = optimizer.step(w, state, batch)

# %% [markdown]
# ### Predict
# After a few epochs: what is the mean cosine of the angle between two $g_v$ that are five steps apart? (Two random directions
# have 0.)

# %% tags=["prediction"]
prediction = None


# %%
def steadiness(unit, lag, first, last):
    """Mean cosine between steps `lag` apart, one number a seed, over the steps from `first` to `last`."""
    pairs = [dot(unit[t], unit[t + lag])[..., 0] for t in range(first, last - lag)]
    return np.mean([asnumpy(pair) for pair in pairs], axis=0)


lags, parts = (1, 2, 3, 5, 8, 12), {"epochs 1 to 4": (0, 36), "epochs 8 to 12": (63, 108)}
cosines = {(name, part): [steadiness(kept[name], lag, *parts[part]) for lag in lags] for name in kept for part in parts}
check.predict(prediction, np.mean(cosines["g_v", "epochs 8 to 12"][lags.index(5)]))

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
for ax, part in zip(axes, parts, strict=False):
    for colour, name in zip(COLOURS, kept, strict=False):
        mean, half = mean_and_interval(np.array(cosines[name, part]))
        ax.errorbar(lags, mean, half, fmt="o-", capsize=3, color=colour, label={"g": "g", "g_v": "$g_v$"}[name])
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(title=part, xlabel="steps apart", ylim=(-0.15, 0.35), xticks=lags)
axes[0].set_ylabel("cosine of the angle")
axes[0].legend()
mean, half = mean_and_interval(np.array(rises).reshape(12, steps, 10).mean(axis=1))
axes[2].errorbar(range(1, 13), mean, half, fmt="o-", capsize=3, color=COLOURS[2])
axes[2].axhline(0, color="black", linewidth=0.8)
axes[2].set(title="rise of the loss ρ ahead, along −v", xlabel="epoch", ylabel="nats", xticks=range(1, 13))
check.keep(figure, "11_premises")
plt.show()

# %% [markdown]
# ### Explain
# What to look for on the left: at first all gradients point where learning is; is g as steady as $g_v$ there? Later, what is left
# of g is mostly noise and the bounce to and fro. At lags of a few steps, does $g_v$ keep more of its direction? That is what
# LookSAM builds on:
#
# $$d = g + \alpha \|g\| \frac{g_v}{\|g_v\|} \qquad \text{with } g_v \text{ of the last step that paid}$$
#
# On the right: below zero, the way of the momentum leads down, as it should. Above zero it leads *up*: momentum carries w too
# far, across the valley and up the other side, so looking ahead is looking uphill, for free. From which epoch on does it?
#
# ## What each brings, and what it costs
# Each method chooses among six combinations, and SGD among twelve, by validation digits and seeds that are not used again. `cosine`
# lowers the step size to zero over the training.

# %%
epochs, l2 = 40, [0.003, 0.005]
base, tuned = SGD(cosine(0.1, epochs * steps), momentum=0.9), {}  # name: (optimizer, epochs)


def measured(name, make, swept, length=epochs):
    """Tune on validation digits; then the price a step of `epochs`, and ten accuracies on the test digits [%]."""
    begun = time.perf_counter()
    chosen = minisam.train(model, noisy, make, epochs=length, seed=range(100, 104), sweep=swept).choose()
    tuned[name] = make(**chosen), length
    run = minisam.train(model, noisy, *tuned[name], seed=seeds)
    cost = run.history["evaluations"][-1] / (epochs * steps)
    accuracy = 100 * run.evaluate(digits.x_test, digits.y_test)["accuracy"]
    mean, half = mean_and_interval(accuracy)
    print(
        f"{name:16} {cost:4.2f} gradients  {mean:.2f} ± {half:.2f} %   {time.perf_counter() - begun:4.1f} s   {chosen}"
    )
    return cost, accuracy


# %%
def measure(families):
    return {
        family: {name: measured(name, make, {"rho": rho, "l2": l2}) for name, (make, rho) in members.items()}
        for family, members in families.items()
    }


# %% [markdown]
# ### Predict
# First SGD, and SGD that may go on for longer: one and a half times and twice the epochs, as many gradients as the others spend. By
# how many points of test accuracy is a training of twice the length better?

# %% tags=["prediction"]
prediction = None

# %%
lr_l2 = {"lr": [0.1, 0.2, 0.4], "l2": [0.003, 0.005, 0.007, 0.01]}


def sgd(length):
    return lambda lr, l2: SGD(cosine(lr, length * steps), momentum=0.9, l2=l2)


longer = [measured(f"SGD, {n} epochs", sgd(n), lr_l2, n) for n in (epochs, epochs * 3 // 2, epochs * 2)]
reference = longer[0][1]
check.predict(prediction, np.mean(longer[-1][1] - reference), "points")

# %% [markdown]
# ### Predict
# And now the variants, each at equal epochs; first those that pay now and then. Which share of SAM's gain over SGD does `RST`
# keep, which pays half of the second gradients? Put a number such as 0.5.

# %% tags=["prediction"]
prediction = None

# %%
families = {  # family: {name: (rho, l2) -> optimizer, values of rho}
    "SAM": {"SAM": (lambda rho, l2: SAM(base, rho, l2=l2), [0.1, 0.2, 0.3])},
    "now and then": {
        "EveryK, k = 5": (lambda rho, l2: sam.EveryK(base, rho, k=5, l2=l2), [0.2, 0.4, 0.6]),
        "RST, p = ½": (lambda rho, l2: sam.RST(base, rho, prob=0.5, l2=l2), [0.2, 0.3, 0.4]),
        "AESAM": (lambda rho, l2: sam.AESAM(base, rho, steps=epochs * steps, l2=l2), [0.2, 0.3, 0.4]),
    },
}
results = measure(families)
gain = {name: np.mean(accuracy - reference) for group in results.values() for name, (_, accuracy) in group.items()}
check.predict(prediction, gain["RST, p = ½"] / gain["SAM"])

# %% [markdown]
# Then those that use what is there, or a part. (`MESA` has no radius; in its place stands the weight of its term.)

# %%
families = {
    "what is there": {
        "LookSAM, k = 5": (lambda rho, l2: sam.LookSAM(base, rho, k=5, alpha=0.2, l2=l2), [0.2, 0.3, 0.4]),
        "MSAM": (lambda rho, l2: sam.MSAM(base, rho, l2=l2), [0.5, 0.75, 1.0]),
    },
    "a part": {
        "ESAM, γ = ½": (lambda rho, l2: sam.ESAM(base, rho, l2=l2), [0.01, 0.02, 0.05]),
        "SSAM, half": (lambda rho, l2: sam.SSAM(base, rho, l2=l2), [0.1, 0.2, 0.3]),
    },
}
results |= measure(families)

# %%
families = {
    "outputs": {"MESA": (lambda rho, l2: sam.MESA(base, lam=rho, beta=0.98, l2=l2), [1.0, 3.0, 10.0])},
    "at the same time": {
        "SAMPa": (lambda rho, l2: sam.SAMPa(base, rho, l2=l2), [0.1, 0.2, 0.3]),
        "AsyncSAM": (lambda rho, l2: sam.AsyncSAM(base, rho, l2=l2), [0.1, 0.2, 0.3]),
    },
}
results |= measure(families)


# %%
def draw_gain(ax, at, accuracy, name, **style):
    """The gain over SGD, its interval, and the name above it."""
    mean, half = mean_and_interval(accuracy - reference)
    ax.errorbar(at, mean, half, fmt="o", capsize=3, **style)
    above = {"textcoords": "offset points", "ha": "center", "va": "bottom", "fontsize": 8}
    ax.annotate(name, (at, mean + half), (0, 5), rotation=90, **above)


def draw_sgd(ax):
    mean, half = mean_and_interval(np.array([accuracy - reference for _, accuracy in longer]))
    ax.plot([1, 1.5, 2], mean, "s--", color="grey", label="SGD, for longer")
    ax.fill_between([1, 1.5, 2], mean - half, mean + half, color="grey", alpha=0.15)


# %%
figure, ax = plt.subplots(figsize=(9, 4.6), layout="constrained")
draw_sgd(ax)
seen, tops = [], []
for colour, (family, members) in zip(["black", *COLOURS], results.items(), strict=False):
    for k, (name, (cost, accuracy)) in enumerate(members.items()):
        at = cost + 0.05
        while any(abs(at - other) < 0.05 for other in seen):  # beside those of the same price
            at += 0.05
        draw_gain(ax, at, accuracy, name, color=colour, label=None if k else family)
        seen.append(at)
        tops.append(sum(mean_and_interval(accuracy - reference)))
ax.axhline(0, color="black", linewidth=0.8)
ax.set(xlabel="gradients a step", ylabel="test accuracy minus SGD's, points", ylim=(None, max(tops) + 1.3))
figure.legend(loc="outside upper center", ncols=4, frameon=False)
check.keep(figure, "11_accuracy_and_cost")
plt.show()

# %% [markdown]
# ### Explain
# Points (moved apart where the price is the same) are the mean of ten seeds, bars the 95% interval of the difference to SGD *on
# the same wrong labels*,
#
# $$\bar d \pm t \, s / \sqrt{10}, \qquad d_k = \text{accuracy}_k - \text{accuracy of SGD}_k$$
#
# What to look for: which bars leave zero out? Does any variant fall out of SAM's bar? Where bars overlap, no order has been
# shown. And against the grey line, which spends the same gradients on more epochs of SGD: does SGD gain from them?
#
# `ESAM` keeps the examples that suffer most from ε. With wrong labels, which are these? **Turn a knob**: give it `gamma=0.9`. And
# count time, not gradients, in the seconds printed above: do they follow the price?
#
# **The winner, once more.** Eleven were tried, and the best looking of eleven looks better than it is, for part of its lead was
# luck. So measure it again, with ten seeds that nobody has seen.
#
# ### Predict
# How many points ahead of SGD will the one that looks best be now?

# %% tags=["prediction"]
prediction = None

# %%
gain = {name: accuracy - reference for group in results.values() for name, (_, accuracy) in group.items()}
best = max(gain, key=lambda name: np.mean(gain[name]))
again = []
for name in (best, f"SGD, {epochs} epochs"):
    run = minisam.train(model, noisy, *tuned[name], seed=range(10, 20))
    again.append(100 * run.evaluate(digits.x_test, digits.y_test)["accuracy"])
for when, difference in (("before", gain[best]), ("with new seeds", again[0] - again[1])):
    mean, half = mean_and_interval(difference)
    print(f"{best} minus SGD, {when}: {mean:+.2f} ± {half:.2f} points")
check.predict(prediction, np.mean(again[0] - again[1]), "points")

# %% [markdown]
# ## Watch it move
# The valley of lesson 00, $L = (xy)^2/2$: SGD stops at its floor, SAM travels on to where it is flat. Here is how far each
# comes **for the same number of gradients**.


# %%
def valley(w):
    return (w[..., 0] * w[..., 1]) ** 2 / 2


on_valley, start = minisam.value_and_grad(valley), asarray(np.array([0.3, 2.0]))


def travel(optimizer, gradients=600):
    """Gradients spent so far, and y there."""
    w, state, spent, heights = start, optimizer.init(start), [0.0], [2.0]
    while spent[-1] < gradients:
        w, state, info = optimizer.step(w, state, on_valley)
        spent.append(spent[-1] + info["evaluations"])
        heights.append(float(w[1]))
    return spent, heights


# %%
def draw(k=5, alpha=0.7, rho=0.1):
    sgd, heavy = SGD(0.2), SGD(0.1, momentum=0.5)
    walkers = {
        "SGD": sgd,
        "SAM": SAM(sgd, rho),
        f"EveryK, k = {k}": sam.EveryK(sgd, rho, k=k),
        f"LookSAM, k = {k}": sam.LookSAM(sgd, rho, k=k, alpha=alpha),
        "MSAM": sam.MSAM(heavy, rho),
    }
    figure, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
    for colour, (name, optimizer) in zip(["grey", *COLOURS], walkers.items(), strict=False):
        ax.plot(*travel(optimizer), color=colour, label=name)
    ax.set(xlabel="gradients spent", ylabel="y: flat below, sharp above", ylim=(0, 2.1))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    plt.show()


draw()

# %%
_ = ipywidgets.interact(draw, k=(1, 20), alpha=(0.0, 2.0, 0.1), rho=(0.0, 0.3, 0.01))

# %% [markdown]
# ### Explain
# In the valley only the bounce moves w down. The curvature across is $h = y^2$, and for each step that looks, lesson 13 finds about
#
# $$\Delta y = -\frac{\eta}{2}\, h'(y) \left( \frac{2 \rho}{2 - \eta h} \right)^2$$
#
# A step that does not look falls to the floor and stays: `EveryK` travels in one step of k. `LookSAM` travels in the others as
# well, on what it remembers, and `MSAM` on its momentum, once that has started to bounce. What to look for: k = 1, where three of
# them are one; α = 0; ρ = 0. Is there a k at which `LookSAM` comes farther than SAM for the same gradients?
#
# ## At the same time
# `SAMPa` and `AsyncSAM` spend two gradients, but neither waits for the other. Given two processors that have nothing else to do,
# a step should take about as long as one of SGD. Does it here?

# %%
wide = minisam.mlp([64, 256, 256, 10])
batch, w = BatchLoss(wide).on(x[:256], asarray(digits.y_train[:256])), wide.init(seed=0)


def microseconds(optimizer, steps=40):
    """The median time of a step."""
    here, state, times = w, optimizer.init(w), []
    for _ in range(steps):
        begun = time.perf_counter()
        here, state, info = optimizer.step(here, state, batch)
        minisam.array_backend.synchronize()
        times.append(time.perf_counter() - begun)
    return 1e6 * np.median(times)


for optimizer in (SGD(0.1), SAM(SGD(0.1), 0.1), sam.SAMPa(SGD(0.1), 0.1), sam.AsyncSAM(SGD(0.1), 0.1)):
    print(f"{type(optimizer).__name__:9} {microseconds(optimizer):8.0f} µs a step")

# %% [markdown]
# If it does not: NumPy may use both processors for one gradient already, this machine may have only one that is free, and in a
# browser there are no threads. A promise about time holds for a machine; one about gradients holds everywhere.
#
# ## What this leaves open
# These variants try to get what SAM gets, for less. Others try to get more: a better ball, a better gradient from it. That is
# lesson 12.
#
# ## Where this comes from
# - Y. Liu et al., *Towards Efficient and Scalable Sharpness-Aware Minimization* (LookSAM), CVPR 2022,
#   [arXiv:2203.02714](https://arxiv.org/abs/2203.02714).
# - Y. Zhao et al., *Randomized Sharpness-Aware Training* (RST), 2022, [arXiv:2203.09962](https://arxiv.org/abs/2203.09962).
# - W. Jiang et al., *An Adaptive Policy to Employ Sharpness-Aware Minimization* (AE-SAM), ICLR 2023,
#   [arXiv:2304.14647](https://arxiv.org/abs/2304.14647).
# - J. Du et al., *Efficient Sharpness-Aware Minimization* (ESAM), ICLR 2022, [arXiv:2110.03141](https://arxiv.org/abs/2110.03141), and
#   *Sharpness-Aware Training for Free* (SAF, MESA), NeurIPS 2022, [arXiv:2205.14083](https://arxiv.org/abs/2205.14083).
# - P. Mi et al., *Make Sharpness-Aware Minimization Stronger: A Sparsified Perturbation Approach* (SSAM), NeurIPS 2022,
#   [arXiv:2210.05177](https://arxiv.org/abs/2210.05177).
# - M. Mueller et al., *Normalization Layers Are All That Sharpness-Aware Minimization Needs* (SAM-ON), NeurIPS 2023,
#   [arXiv:2306.04226](https://arxiv.org/abs/2306.04226).
# - M. Becker, F. Altrock, B. Risse, *Momentum-SAM*, 2024, [arXiv:2401.12033](https://arxiv.org/abs/2401.12033).
# - W. Xie, T. Pethick, V. Cevher, *SAMPa*, NeurIPS 2024, [arXiv:2410.10683](https://arxiv.org/abs/2410.10683).
# - J. Jo et al., *Asynchronous Sharpness-Aware Minimization*, 2025, [arXiv:2503.11147](https://arxiv.org/abs/2503.11147).

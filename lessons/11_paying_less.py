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
# plan a comparison in which all spend the same, test the premises of two of the ways, and put what each brings beside what it costs.

# %%
import time

import check
import check_11
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, BatchLoss, sam, study
from minisam.array_backend import asarray, asnumpy
from minisam.data import batches, subset, symmetric_noise
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
# **Exercise 1 (design).** A fair comparison lets all spend as many gradients. SAM trains for `epochs` epochs. For how many should the
# others train? Return five numbers: of SGD, of `EveryK` with k, of `LookSAM` with k, of `RST` with p, and of `MSAM`.


# %% tags=["exercise"]
def fair_epochs(epochs, k, p):
    return ...


_ = check_11.fair_epochs(fair_epochs)


# %% jupyter={"source_hidden": true} tags=["solution"]
def fair_epochs(epochs, k, p):
    prices = np.array([1, 1 + 1 / k, 1 + 1 / k, 1 + p, 1])  # gradients a step
    return 2 * epochs / prices


_ = check_11.fair_epochs(fair_epochs)

# %%
print("as long as 40 epochs of SAM, with k = 5 and p = ½:", np.round(fair_epochs(40, 5, 0.5), 1))

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
# What to look for on the left, early in training: is g as steady as $g_v$? In the middle, later: which of them keeps its direction for
# longer? On the right: from which epoch on does looking ahead, along −v, mean looking uphill?

# %% jupyter={"source_hidden": true}
five = lags.index(5)
early, late = ({name: np.mean(cosines[name, part][five]) for name in kept} for part in parts)
per_epoch = np.array(rises).reshape(12, steps, 10).mean(axis=1)
above = [epoch for epoch, (mean, half) in enumerate(zip(*mean_and_interval(per_epoch), strict=True), 1) if mean > half]
check.saw(
    f"Five steps apart, the mean cosine is {early['g']:.2f} for g and {early['g_v']:.2f} for g_v in epochs 1 to 4, and {late['g']:.2f} and "
    f"{late['g_v']:.2f} in epochs 8 to 12. So g_v is the steadier of the two late in training, and even then it has turned far within "
    f"five steps. Along −v the loss rises, by more than its interval, in the epochs {', '.join(map(str, above)) or '(none)'}: the "
    "premise of MSAM holds once the momentum carries w across the valley, and not at the beginning."
)

# %% [markdown]
# ### Explain
# At first all gradients point where learning is. Later, what is left of g is mostly noise and the bounce to and fro, and that part of
# $g_{adv}$ which g lacks keeps more of its direction. That is what LookSAM builds on:
#
# $$d = g + \alpha \|g\| \frac{g_v}{\|g_v\|} \qquad \text{with } g_v \text{ of the last step that paid}$$
#
# And momentum: where the loss falls along −v, the way of the momentum leads down, as it should. Where it rises, momentum
# carries w too far, across the valley and up the other side, so that looking ahead is looking uphill, for free.
#
# ## What each brings, and what it costs
# A small study, live: four methods, six settings each, chosen on one unit and reported on four others. A unit is a split of the
# digits, with 40% of its 600 training labels wrong in its own way. A bar shows how far it is.


# %%
def unit(k):
    return symmetric_noise(subset(minisam.data.digits(1100 + k), 600, k), 0.4, k)


def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


# %%
rules = {
    "SGD": (sgd, {"lr": [0.1, 0.2], "l2": [0.0025, 0.005, 0.01]}),
    "SAM": (lambda lr, rho, steps: SAM(sgd(lr, 0.0, steps), rho, l2=0.005), [0.1, 0.2, 0.4]),
    "MSAM": (lambda lr, rho, steps: sam.MSAM(sgd(lr, 0.0, steps), rho, l2=0.005), [0.5, 1.0, 2.0]),
    "LookSAM": (
        lambda lr, rho, steps: sam.LookSAM(sgd(lr, 0.0, steps), rho, k=5, alpha=0.2, l2=0.005),
        [0.1, 0.2, 0.4],
    ),
}
# %%
methods = {
    name: (make, grid if name == "SGD" else {"lr": [0.1, 0.2], "rho": grid}) for name, (make, grid) in rules.items()
}
small = study.compare(study.Problem(model, unit, epochs=20), methods, delta=0.01, units=4, tuning=1)
print(small.table())
print(*small.verdicts(against="SAM"), sep="\n")

# %% [markdown]
# Four units decide little, and twenty epochs are few. The recorded study of the repository ([its page](../evidence/cheaper.md)) has 40
# units, 40 epochs, and 12 settings or more for each of six methods.
#
# ### Predict
# In the recorded study, by how many points of accuracy is `MSAM`, which pays for one gradient a step, better than SAM at equal epochs?
# (Worse is negative.)

# %% tags=["prediction"]
prediction = None

# %%
large = check.recorded("cheaper")
at_equal = {
    budget: {v.comparison.method: v for v in large.verdicts("SAM") if budget in v.comparison.budgets}
    for budget in large.budgets
}
check.predict(prediction, 100 * at_equal["equal epochs"]["MSAM"].effect, "points")
print(large.table())


# %%
def draw_costs(ax, budget):
    """The gain over SAM at the price of a step, and its interval; rings: the small study of above."""
    here = {v.comparison.method: v for v in small.verdicts("SAM") if budget in v.comparison.budgets}
    price = {name: outcome.gradients / outcome.epochs for name, outcome in large.budgets[budget].items()}
    for colour, (name, v) in zip(COLOURS, at_equal[budget].items(), strict=False):
        at = 2 * price[name] / price["SAM"]
        ax.errorbar(at, 100 * v.effect, 100 * v.half_width, fmt="o", capsize=3, color=colour, label=name)
        if name in here:
            ax.plot(at, 100 * here[name].effect, "o", mfc="none", color=colour, markersize=10)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.axhspan(-1, 1, color="grey", alpha=0.15)
    ax.set(title=budget, xlabel="gradients a step (SAM: 2)", xlim=(0.8, 2))


# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
for ax, budget in zip(axes, large.budgets, strict=True):
    draw_costs(ax, budget)
axes[0].set_ylabel("accuracy minus SAM's, points")
axes[0].legend(loc="upper right", fontsize=8)
check.keep(figure, "11_accuracy_and_cost")
plt.show()

# %% [markdown]
# Dots are the mean over 40 units with its 95% interval, rings the small study; within the grey band a difference is too small
# to matter. All points stand at the price that was measured. What to look for: which methods are within the band with all of
# their interval? Is any better than SAM? And does SGD catch up when it may train for twice the epochs?

# %% jupyter={"source_hidden": true}
words = {}
for budget, by_name in at_equal.items():
    for name, v in by_name.items():
        words.setdefault((v.word, budget), []).append(f"{name} ({100 * v.effect:+.1f})")
check.saw(
    "; ".join(f"<b>{word}</b> at {budget}: {', '.join(names)}" for (word, budget), names in sorted(words.items()))
    + f" points. The cheapest, MSAM, is the best on these data, and SGD does not gain by twice the epochs: "
    f"{100 * np.mean(large.budgets['equal gradients']['SGD'].scores):.1f}% after "
    f"{100 * np.mean(large.budgets['equal epochs']['SGD'].scores):.1f}%. So most steps do not need a second gradient here."
)

# %% [markdown]
# ### Explain
# The bars are intervals of paired differences, d = accuracy of the method less that of SAM *on the same unit*,
#
# $$\bar d \pm t \, s / \sqrt{n}$$
#
# and the words take into account that ten pairs were looked at (lesson 16). Where the study says *equal*, the difference is shown to be
# below a point; where it says *undecided*, neither is shown.
#
# **The winner, once more.** Four variants were tried, and the best looking of four looks better than it is, for part of its
# lead was luck. So measure it again, with the settings that the record chose, on eight units that nobody has seen.
#
# ### Predict
# How many points ahead of SAM, at equal epochs, will the recorded winner be now?

# %% tags=["prediction"]
prediction = None


# %%
def of_record(name, rule):
    """A method with the settings that the record chose, and no others."""

    def make(lr, l2, rho, steps):
        return rule(sgd(lr, 0.0, steps), rho, l2=l2)

    return make, {setting: [value] for setting, value in large.budgets["equal epochs"][name].settings.items()}


pair = {"SAM": of_record("SAM", SAM), "MSAM": of_record("MSAM", sam.MSAM)}
unseen = study.Problem(model, lambda k: unit(100 + k), epochs=40)
again = study.compare(unseen, pair, delta=0.01, units=8, tuning=1)
first = again.verdicts(against="SAM")[0]
print("recorded:", at_equal["equal epochs"]["MSAM"], "\nagain:   ", first)
check.predict(prediction, 100 * first.effect, "points")

# %% [markdown]
# What to look for: is it as large as before? Would these eight units alone have decided it?

# %% jupyter={"source_hidden": true}
check.saw(
    f"On new units MSAM is {100 * first.effect:+.1f} ± {100 * first.half_width:.1f} points from SAM, in the record "
    f"{100 * at_equal['equal epochs']['MSAM'].effect:+.1f} ± {100 * at_equal['equal epochs']['MSAM'].half_width:.1f}. Eight units alone say: "
    f"<b>{first.word}</b>. A repetition need not decide by itself: it asks whether the lead was luck, and a lead that was luck would be gone."
)

# %% [markdown]
# ## Watch it move
# The valley of lesson 00, $L = (xy)^2/2$: SGD stops at its floor, SAM travels on to where it is flat. Here is how far each
# comes **for the same number of gradients**. To try: k = 1, where three of them are one; α = 0; ρ = 0. What to look for: is
# there a k at which `LookSAM` comes farther than SAM for the same gradients?


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

# %% jupyter={"source_hidden": true}
base, ends = SGD(0.2), {"SAM": travel(SAM(SGD(0.2), 0.1))[1][-1]}
for k in (2, 5, 10, 20):
    ends[f"LookSAM, k = {k}"] = travel(sam.LookSAM(base, 0.1, k=k, alpha=0.7))[1][-1]
    ends[f"EveryK, k = {k}"] = travel(sam.EveryK(base, 0.1, k=k))[1][-1]
farther = [name for name, y in ends.items() if y < ends["SAM"]]
check.saw(
    "After 600 gradients y has fallen from 2 to "
    + ", ".join(f"{y:.2f} ({name})" for name, y in ends.items())
    + f". Farther than SAM: {', '.join(farther) or 'none'}. Steps that do not look stand still, so paying rarely saves nothing here, unless "
    "what was seen is used again."
)

# %% [markdown]
# ### Explain
# In the valley only the bounce moves w along the floor. The slope along y is
#
# $$\partial L/\partial y = x^2\, y$$
#
# and at w + ε, where |x| is at least ρ, it is at least ρ²y: each step that looks goes down by about η x² y. A step that does
# not look falls to the floor, x = 0, where there is no slope, and stays. So `EveryK` travels in one step of k. `LookSAM`
# travels in the others as well, on what it remembers, and `MSAM` on its momentum, once that has started to bounce.
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

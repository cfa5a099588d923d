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
# # 07 · Does it help?
# **You can already**: train a network with SGD and with SAM, and give a mean with its interval (02, 03). **You will**: compare
# two optimizers so that the answer holds: tuned alike, at equal epochs and at equal gradients, on units that nobody has chosen
# by; fall into the commonest trap on the way; and find the mistake in other people's comparisons.

# %%
from functools import cache

import check
import check_07
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, study
from minisam.optim import cosine
from minisam.plot import COLOURS
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: is SAM better than SGD, or better tuned?
# MNIST-1D is a small cousin of MNIST: signals of 40 numbers, ten classes, made from templates that are stretched, moved and
# sheared at random. They come from a program, so there are as many data sets as one likes: `unit(k)` draws the k-th of them, a
# thousand signals to train on, a thousand to choose settings by, and a thousand to report.


# %%
@cache  # drawn once
def unit(k):
    return minisam.data.mnist1d(2000 + k, train=1000, validation=1000, test=1000)


signals = unit(0)
figure, axes = plt.subplots(1, 10, figsize=(9, 1.3), layout="constrained", sharey=True)
for label, ax in enumerate(axes):
    for x in signals.x_train[signals.y_train == label][:3]:
        ax.plot(x, range(40), linewidth=1)
    ax.set(title=label, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## What is equal?
# A step of SAM takes two gradients, one of SGD takes one. So there are two fair questions. At *equal epochs* both see the data
# equally often, and SAM computes twice as much. At *equal gradients* both compute as much, and SGD trains for twice the epochs.
# Neither is the right one; an answer that names only one of them is half of an answer.
#
# **Exercise 1.** How many gradients does a run take? `n` examples, batches of `batch` of which only full ones count, `epochs`
# passes, and `per_step` gradients a step.


# %% tags=["exercise"]
def gradients(n, batch, epochs, per_step):
    return ...


_ = check_07.spent(gradients)


# %% jupyter={"source_hidden": true} tags=["solution"]
def gradients(n, batch, epochs, per_step):
    return n // batch * epochs * per_step


_ = check_07.spent(gradients)

# %% [markdown]
# ## The trap
# Twelve settings for each. SGD: six step sizes, with λ = 0 and with λ = 0.004. SAM: the same six step sizes, λ = 0.004, and two
# radii. A grid is one run, its nets replicas side by side; here on two units.

# %%
epochs, batch, tuning_units = 20, 60, range(2)
lrs, model = [0.0125, 0.025, 0.05, 0.1, 0.2, 0.4], minisam.mlp([40, 64, 64, 10])


def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def sam(lr, l2, rho, steps):
    return SAM(sgd(lr, l2, steps), rho)


steps = gradients(1000, batch, epochs, per_step=1)
grids = {
    "SGD": (lambda lr, l2: sgd(lr, l2, steps), {"lr": lrs, "l2": [0.0, 0.004]}),
    "SAM": (lambda lr, rho: sam(lr, 0.004, rho, steps), {"lr": lrs, "rho": [0.05, 0.1]}),
}
# %%
runs = {
    name: [minisam.train(model, unit(k), make, epochs, batch, seed=[k], sweep=grid) for k in tuning_units]
    for name, (make, grid) in grids.items()
}

seen = {  # validation accuracy [%], (units, lr, λ or ρ)
    name: 100 * np.array([run.history["validation_accuracy"][-1][..., 0] for run in each])
    for name, each in runs.items()
}
by_lr = {name: accuracy.mean(axis=0).max(axis=-1) for name, accuracy in seen.items()}

# %% [markdown]
# ### Predict
# Some paper ran SGD with lr = 0.05 and no weight decay, and you take that over. SAM is new, so you tune it, over its whole grid.
# How many points of validation accuracy (1 is 1%) is SAM ahead?

# %% tags=["prediction"]
prediction = None

# %%
default = seen["SGD"].mean(axis=0)[lrs.index(0.05), 0]
check.predict(prediction, by_lr["SAM"].max() - default, "points")
print(f"of SGD, tuned by as many settings, SAM is ahead by {by_lr['SAM'].max() - by_lr['SGD'].max():+.1f} points")


# %%
def draw(sgd_up_to=0.05, sam_up_to=0.4):
    figure, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
    best = {}
    for colour, name, up_to in zip(COLOURS, ("SGD", "SAM"), (sgd_up_to, sam_up_to), strict=False):
        k, values = lrs.index(up_to) + 1, by_lr[name]
        best[name] = values[:k].max()
        ax.plot(lrs, values, "o-", color=colour, alpha=0.25)
        ax.plot(lrs[:k], values[:k], "o-", color=colour, label=f"{name}, lr up to {up_to:g}")
        ax.axhline(best[name], color=colour, linestyle=":", linewidth=1)
    ax.set_xscale("log")
    ax.set_xticks(lrs, lrs)
    ax.minorticks_off()
    ax.set(
        xlabel="lr", ylabel="best validation accuracy [%]", title=f"SAM − SGD = {best['SAM'] - best['SGD']:+.1f} points"
    )
    ax.legend(loc="lower center")
    return figure


# %%
check.keep(draw(), "07_tuning_trap")
plt.show()

# %% [markdown]
# Move the two limits. To try: let both go up to 0.4; then let SAM end at 0.05 and SGD at 0.4. What to look for: can you make SAM
# win by as much as you like? And can you make it lose?

# %%
slider = ipywidgets.SelectionSlider
_ = ipywidgets.interact(
    lambda **limits: draw(**limits) and plt.show(),
    sgd_up_to=slider(options=lrs, value=0.05),
    sam_up_to=slider(options=lrs, value=0.4),
)

# %% jupyter={"source_hidden": true}
most = {
    name: max((by_lr[name].max() - by_lr[other][: k + 1].max(), lrs[k]) for k in range(6))
    for name, other in (("SAM", "SGD"), ("SGD", "SAM"))
}
check.saw(
    f"Both. SAM wins by {most['SAM'][0]:.1f} points where SGD may go up to lr = {most['SAM'][1]:g} only, and SGD wins by "
    f"{most['SGD'][0]:.1f} where SAM may go up to {most['SGD'][1]:g} only; with all step sizes for both it is "
    f"{by_lr['SAM'].max() - by_lr['SGD'].max():+.1f}. Whoever chooses the grids chooses the winner."
)

# %% [markdown]
# ### Explain
# Nothing about the two optimizers changed, only where one was allowed to look:
#
# $$\text{gain} = \max_{\text{its grid}} \text{SAM} - \max_{\text{its grid}} \text{SGD}$$
#
# is a statement about grids, too. So a claim needs grids of the same size, whose best lies inside for both. Where it lies at the
# rim, a better one may lie beyond, and the grid has to grow.
#
# ## Choose here, report there
# **Exercise 2.** `validation` and `test` hold the accuracy of each setting, (k,). Which test accuracy may you report?


# %% tags=["exercise"]
def report(validation, test):
    return ...


_ = check_07.report(report)


# %% jupyter={"source_hidden": true} tags=["solution"]
def report(validation, test):
    return test[np.argmax(validation)]


_ = check_07.report(report)

# %% [markdown]
# How much does it matter? Of the twelve settings of each method, on each unit: what the setting that was chosen on the
# validation part gets on the test part, and what one gets who chooses on the test part itself. What to look for: which of the
# two is higher, and can it ever be the other way round?

# %%
flattered = {}
for name, each in runs.items():
    for k, run in zip(tuning_units, each, strict=True):
        data = unit(k)
        test = 100 * run.evaluate(data.x_test, data.y_test)["accuracy"].ravel()
        honest = report(run.history["validation_accuracy"][-1].ravel(), test)
        flattered[name, k] = test.max() - honest
        print(f"{name}, unit {k}: chosen on validation {honest:.1f}, chosen on the test part {test.max():.1f}")

# %% jupyter={"source_hidden": true}
check.saw(
    f"Choosing on the test part adds {min(flattered.values()):.1f} to {max(flattered.values()):.1f} points, and never takes any away: "
    "the best of twelve is at least any one of them. That is luck of these examples, and other examples do not repeat it. The more "
    "settings are tried, the more of it there is; and SAM, which has ρ besides, tempts one to try more."
)

# %% [markdown]
# ## Find the mistake
# Seeds that share one data set say how much the start matters, and nothing about other data (lesson 02). So a comparison needs
# *units*: here, sets of signals. Settings are chosen on some of them, and reported on others, which no choice has seen.
#
# **Exercise 3 (find the mistake).** Write a referee. It is told about a comparison:
#
# - `settings`: how many settings were tried, for each method,
# - `tuned`, `reported`: the numbers of the units on which settings were chosen, and on which the result stands,
# - `chosen`, `grids`: the step size that each method chose, and the list of those it chose from, in any order.
#
# It returns `"settings"`, `"units"` or `"rim"`, for what is wrong, or `"fair"`. No comparison has two mistakes.


# %% tags=["exercise"]
def referee(settings, tuned, reported, chosen, grids):
    return ...


_ = check_07.referee(referee)


# %% jupyter={"source_hidden": true} tags=["solution"]
def referee(settings, tuned, reported, chosen, grids):
    if len(set(settings)) > 1:
        return "settings"
    if set(tuned) & set(reported):
        return "units"
    if any(lr in (min(grid), max(grid)) for lr, grid in zip(chosen, grids, strict=True)):
        return "rim"
    return "fair"


_ = check_07.referee(referee)

# %% [markdown]
# `minisam.study` is such a referee, and does the work as well: it refuses methods with different numbers of settings, chooses
# on units of their own, makes a grid longer where the best lies at its rim, and reports both budgets. Here is where it refuses:

# %%
minisam.show(study.fairness.fair_methods)

# %%
methods = {
    "SGD": (sgd, {"lr": [0.1, 0.2, 0.4], "l2": [0.001, 0.002, 0.004, 0.008]}),
    "SAM": (sam, {"lr": [0.1, 0.2, 0.4], "l2": [0.004], "rho": [0.0125, 0.025, 0.05, 0.1]}),
}
small = study.compare(study.Problem(model, unit, epochs, batch), methods, delta=0.01, units=4, tuning=2)
print(small.table())

# %% [markdown]
# ## In pairs
# On each unit, SGD and SAM had the same signals, the same initial weights and the same batches. Some units are easier for both.
# So look at the differences unit by unit, and at the interval of their mean,
#
# $$\bar d \pm t \, \frac{s}{\sqrt n}$$
#
# What to look for: how much narrower does that make the interval on 30 recorded splits of the digits? And what do four units of
# your own decide?

# %%
at = check.recorded("clean_digits").budgets["equal epochs"]
scores = {name: 100 * np.array(outcome.scores) for name, outcome in at.items()}
apart = np.sqrt(sum(mean_and_interval(each)[1] ** 2 for each in scores.values()))
half = mean_and_interval(scores["SAM"] - scores["SGD"])[1]
print(f"30 recorded splits: SAM − SGD is known to ± {apart:.2f} points by two intervals, and to ± {half:.2f} in pairs")
print("four units here:", *small.verdicts(), sep="\n")

# %% jupyter={"source_hidden": true}
words = [f"{v.word} at {' and '.join(v.comparison.budgets)}" for v in small.verdicts()]
check.saw(
    f"In pairs the interval is {apart / half:.1f} times narrower, which without pairs would take {(apart / half) ** 2:.1f} times as many "
    f"units. Of the four units here the study says: {'; '.join(words)}. The word of so small a study hangs on the two units by which it "
    "chose, and on four more; where it is undecided, it tells how many would decide."
)

# %% [markdown]
# Four units, twenty epochs: see what the verdicts say of themselves, and do not believe more. Three recorded studies of the
# repository ask the same with more: [signals](../evidence/clean_signals.md) as here, [digits](../evidence/clean_digits.md), and
# [pictures of clothes](../evidence/clean_images.md) with a convolutional net. Each says how many units it has.
#
# ### Predict
# In the recorded study of the signals, how many points is SAM ahead of SGD at equal epochs? (Behind is negative.)

# %% tags=["prediction"]
prediction = None

# %%
recorded = {
    "signals": check.recorded("clean_signals"),
    "digits": check.recorded("clean_digits"),
    "clothes": check.recorded("clean_images"),
}
verdicts = {  # (data, budget): verdict
    (name, budget): v
    for name, result in recorded.items()
    for v in result.verdicts("SGD")
    for budget in v.comparison.budgets
}
check.predict(prediction, 100 * verdicts["signals", "equal epochs"].effect, "points")
print(recorded["signals"].table())

# %%
ours = {("signals", budget): v for v in small.verdicts() for budget in v.comparison.budgets}
figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
for colour, budget, up in ((COLOURS[0], "equal epochs", -0.12), (COLOURS[2], "equal gradients", 0.12)):
    for row, name in enumerate(recorded):
        v = verdicts[name, budget]
        ax.errorbar(100 * v.effect, row + up, xerr=100 * v.half_width, fmt="o", capsize=3, color=colour)
        if (name, budget) in ours:
            ax.plot(100 * ours[name, budget].effect, row + up, "o", mfc="none", markersize=11, color=colour)
    ax.plot([], [], "o", color=colour, label=budget)
ax.plot([], [], "o", mfc="none", markersize=11, color="grey", label="the small study")
ax.axvline(0, color="black", linewidth=0.8)
units = [len(verdicts[name, "equal epochs"].comparison.differences) for name in recorded]
ax.set_yticks(range(3), [f"{name}\n{n} units" for name, n in zip(recorded, units, strict=True)])
ax.set(xlabel="accuracy: SAM − SGD, points", ylim=(2.5, -0.5))
ax.legend(loc="lower left", fontsize=8)
check.keep(figure, "07_recorded")
plt.show()

# %% [markdown]
# Dots are means over units, with their 95% intervals. What to look for: is there a row in which SAM is ahead by more than its
# interval? Which of the two budgets is the worse one for SAM, and what does that say about SGD?

# %% jupyter={"source_hidden": true}
ahead = [f"{name} at {budget}" for (name, budget), v in verdicts.items() if v.effect > v.half_width]
told = "; ".join(
    f"{name} at {budget} {100 * v.effect:+.1f} ± {100 * v.half_width:.1f}" for (name, budget), v in verdicts.items()
)
gains = {
    name: 100 * np.mean(np.subtract(*(result.budgets[b]["SGD"].scores for b in ("equal gradients", "equal epochs"))))
    for name, result in recorded.items()
}
check.saw(
    f"Points by which SAM is ahead: {told}. Ahead by more than the interval: {', '.join(ahead) or 'nowhere'}. Twice the epochs bring SGD "
    + ", ".join(f"{gain:+.1f} points ({name})" for name, gain in gains.items())
    + ". Where that is much, the networks were not at their end, and a method that costs twice as much has to beat the longer training, "
    "too. On these clean data SAM does not."
)

# %% [markdown]
# ### Explain
# Small networks on few clean examples are held back by time and data, less by memorising: there a second gradient is better
# spent on a second step. The gains in the papers are from networks that can fit everything they are shown many times over, on
# far larger data; these toys neither show nor refute them. Where a toy may show a gain is where there is something one should
# not fit: wrong labels (lesson 08), or chance itself (lesson 10).
#
# A word on the words. *Equal* means shown to be within ±δ, here one point, or half a point for the digits; *undecided* means
# that neither a difference nor equality was shown, and then the verdict says how many units would do. "Not significant" is not
# a third kind of equal.
#
# **Turn a knob**: `units=8`, or `epochs = 40`. Which verdict changes, and which may you believe?
#
# ## What this leaves open
# You now have a protocol, and no win that came for free. Lesson 08 keeps the protocol and makes 40% of the labels wrong.
#
# ## Where this comes from
# - P. Foret et al., *Sharpness-Aware Minimization*, ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412): SGD may run
#   for twice the epochs there, too (section 3.1).
# - S. Greydanus, D. Kobak, *Scaling Down Deep Learning with MNIST-1D*, ICML 2024,
#   [arXiv:2011.14439](https://arxiv.org/abs/2011.14439).
# - D. Choi et al., *On Empirical Comparisons of Optimizers for Deep Learning*, 2019,
#   [arXiv:1910.05446](https://arxiv.org/abs/1910.05446) (the grid decides the ranking).
# - D. Schuirmann, *A comparison of the two one-sided tests procedure and the power approach*, 1987 (how to show equality).

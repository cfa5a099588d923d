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
# two optimizers so that the answer holds: tuned alike, at equal epochs and at equal gradients, in pairs; fall into the commonest
# trap on the way; and read the U-curve of ρ for a convolutional net and a transformer.

# %%
import check
import check_07
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, Adam
from minisam.optim import cosine
from minisam.plot import COLOURS, told
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: is SAM better than SGD, or better tuned?
# MNIST-1D is a small cousin of MNIST: signals of 40 numbers, ten classes, drawn from templates that are stretched, moved and
# sheared. A thousand to train on, and one hidden layer.

# %%
signals = minisam.data.subset(minisam.data.mnist1d(), 1000)
figure, axes = plt.subplots(1, 10, figsize=(9, 1.3), layout="constrained", sharey=True)
for label, ax in enumerate(axes):
    for x in signals.x_train[signals.y_train == label][:3]:
        ax.plot(x, range(40), linewidth=1)
    ax.set(title=label, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## What is equal?
# A step of SAM takes two gradients, one of SGD takes one. So there are two fair questions: equal epochs, which is what papers
# report, and equal gradients, where SGD runs for twice the epochs and costs the same.
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
# ## A grid, in one run
# Six step sizes and three λ for SGD, and for SGD with twice the epochs; for SAM three radii besides. Three seeds each. A grid is
# one run, its nets replicas side by side.

# %%
epochs, batch, seeds, tuning_seeds = 20, 50, range(10), range(100, 103)
lrs, l2s, rhos = [0.025, 0.05, 0.1, 0.2, 0.4, 0.8], [0.0, 0.002, 0.006], [0.1, 0.2, 0.4]
model, lr_l2 = minisam.mlp([40, 64, 10]), {"lr": lrs, "l2": l2s}


def sgd(lr, l2, longer=1):
    return SGD(cosine(lr, gradients(1000, batch, longer * epochs, 1)), momentum=0.9, l2=l2)


methods = {  # name: (optimizer, epochs, grid)
    "SGD": (lambda lr, l2: sgd(lr, l2), epochs, lr_l2),
    "SGD, twice the epochs": (lambda lr, l2: sgd(lr, l2, 2), 2 * epochs, lr_l2),
    "SAM": (lambda lr, l2, rho: SAM(sgd(lr, l2), rho), epochs, lr_l2 | {"rho": rhos}),
}
tuning, by_lr = {}, {}
for name, (make, length, grid) in methods.items():
    tuning[name] = run = minisam.train(model, signals, make, length, batch, tuning_seeds, sweep=grid)
    accuracy = 100 * run.history["validation_accuracy"][-1].mean(axis=-1)  # (lr, λ) or (lr, λ, ρ)
    by_lr[name] = accuracy.reshape(len(lrs), -1).max(axis=1)
    print(f"{name:22} {run.history['evaluations'][-1]} gradients, best {accuracy.max():.1f}% at {told(run.choose())}")

# %% [markdown]
# What "best" means there:

# %%
minisam.show(minisam.Run.choose)

# %% [markdown]
# ### Predict
# Some paper ran SGD with lr = 0.05 and no weight decay, and you take that over. SAM is new, so you tune it, over its whole grid.
# How many points of validation accuracy (1 is 1%) is SAM ahead?

# %% tags=["prediction"]
prediction = None

# %%
default = 100 * tuning["SGD"].select(lr=0.05, l2=0.0).history["validation_accuracy"][-1].mean()
check.predict(prediction, by_lr["SAM"].max() - default, "points")
for name in ("SGD", "SGD, twice the epochs"):
    print(f"of {name}, tuned over the same lr and λ, SAM is ahead by {by_lr['SAM'].max() - by_lr[name].max():+.1f}")


# %%
def draw(sgd_up_to=0.05, sam_up_to=0.8):
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

# %%
slider = ipywidgets.SelectionSlider
_ = ipywidgets.interact(
    lambda **limits: draw(**limits) and plt.show(),
    sgd_up_to=slider(options=lrs, value=0.05),
    sam_up_to=slider(options=lrs, value=0.8),
)

# %% [markdown]
# ### Explain
# Nothing about the two optimizers changed, only where one was allowed to look. What to look for in the sliders: can you make SAM
# win by as much as you like? And can you make it lose? A claim needs a grid whose best lies inside it for both, and the grid has
# to be shown: $\text{gain} = \max_{\text{its grid}} \text{SAM} - \max_{\text{its grid}} \text{SGD}$ is a statement about grids,
# too.
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

# %%
for name, run in tuning.items():
    test = 100 * run.evaluate(signals.x_test, signals.y_test)["accuracy"].mean(axis=-1).ravel()
    honest = report(run.history["validation_accuracy"][-1].mean(axis=-1).ravel(), test)
    print(
        f"{name:22} of {test.size:2} settings: chosen on validation {honest:.1f}, chosen on the test data {test.max():.1f}"
    )

# %% [markdown]
# The more settings one tries, the more the best of them on the test data owes to luck: and SAM, having ρ, tries more.
#
# ## In pairs
# Ten new seeds. Seed 3 of SGD and seed 3 of SAM have the same initial weights and the same batches: some seeds are luckier for
# both. So look at the differences seed by seed, whose spread is smaller than that of either.
#
# **Exercise 3.** Of accuracies a and b, (10,), the mean difference and the half-width of its 95% interval, as an array of two.
# The half-width is $t\,s/\sqrt{10}$ with $t = 2.262$ and s the standard deviation with n − 1 below it (`ddof=1`).


# %% tags=["exercise"]
def paired(a, b, t=2.262):
    return ...


_ = check_07.paired(paired)


# %% jupyter={"source_hidden": true} tags=["solution"]
def paired(a, b, t=2.262):
    d = a - b
    return np.array([d.mean(), t * d.std(ddof=1) / np.sqrt(len(d))])


_ = check_07.paired(paired)

# %%
points = {}
for name, (make, length, _) in methods.items():
    run = minisam.train(model, signals, make(**tuning[name].choose()), length, batch, seeds)
    points[name] = 100 * run.evaluate(signals.x_test, signals.y_test)["accuracy"]
    mean, half = mean_and_interval(points[name])
    print(f"{name:22} {mean:.1f} ± {half:.1f}")
for name in ("SGD", "SGD, twice the epochs"):
    mean, half = paired(points["SAM"], points[name])
    print(f"SAM − {name}: {mean:+.1f} ± {half:.1f}" + ("" if abs(mean) > half else ", not told apart"))

# %% [markdown]
# ### Explain
# Look at the signs. An answer to "does it help?" that names only one of the two rivals tells half of it. If SGD gains from twice
# the epochs, it was not at its end, and a method that costs twice as much has to beat that, too.
#
# ## A convolutional net and a transformer
# The same protocol, on three small problems with few examples: SGD for the convolutional nets, Adam for the transformer, which
# learns badly with SGD. Each of the base optimizer, the base with twice the epochs, and SAM gets its own best lr. SAM then
# chooses ρ on validation data, too.

# %%
digits = minisam.data.subset(minisam.data.digits(), 300)
few = minisam.data.subset(signals, 500)
problems = {  # name: (model, data, base optimizer, its lrs, epochs)
    "CNN, digits": (minisam.cnn((8, 16), stride=2, pool=1), digits, lambda lr: SGD(lr, 0.9), [0.05, 0.1, 0.2, 0.4], 30),
    "CNN, MNIST-1D": (minisam.cnn((8, 16), (1, 40)), few, lambda lr: SGD(lr, 0.9), [0.025, 0.05, 0.1], 20),
    "ViT, digits": (minisam.vit(patch=4, width=16, depth=1, heads=2), digits, Adam, [0.001, 0.003, 0.007, 0.015], 20),
}
radii = [0.0, 0.02, 0.05, 0.1]


# %%
def study(model, data, base, lrs, epochs):
    """Three runs, each at its best lr: SAM at every radius, the base, and the base with twice the epochs."""
    steps = epochs * (len(data.x_train) // batch)

    def run(make, longer=1, seeds=seeds, **sweep):
        return minisam.train(model, data, make, longer * epochs, batch, seeds, sweep=sweep or None)

    def optimizer(lr, rho=0.0, longer=1):
        plain = base(cosine(lr, longer * steps))
        return SAM(plain, rho) if rho else plain

    def best_lr(rho=0.0, longer=1):
        return run(lambda lr: optimizer(lr, rho, longer), longer, range(100, 104), lr=lrs).choose()["lr"]

    lr, lr_twice, lr_sam = best_lr(), best_lr(longer=2), best_lr(rho=0.05)
    print(f"lr = {lr}, for twice the epochs {lr_twice}, for SAM {lr_sam}, of {lrs}")
    over_rho = run(lambda rho: SAM(optimizer(lr_sam), rho), rho=radii)
    return over_rho, run(optimizer(lr)), run(optimizer(lr_twice, longer=2), 2)


# %%
studies = {name: study(*problem) for name, problem in problems.items()}

# %% [markdown]
# ### Predict
# On how many of the three does SAM, with ρ chosen on validation data, beat the base optimizer at equal epochs, by more than the
# interval?

# %% tags=["prediction"]
prediction = None

# %%
tests, chosen, verdicts = {}, {}, []
for name, runs in studies.items():
    data = problems[name][1]
    tests[name] = sam, base, twice = [100 * run.evaluate(data.x_test, data.y_test)["accuracy"] for run in runs]
    chosen[name] = k = 1 + np.argmax(runs[0].history["validation_accuracy"][-1, 1:].mean(axis=-1))
    verdicts.append((name, paired(sam[k], base), paired(sam[k], twice)))
check.predict(prediction, sum(mean > half for _, (mean, half), _ in verdicts), "of 3")
for name, (one, half), (two, half_two) in verdicts:
    print(
        f"{name:14} SAM − base: {one:+.1f} ± {half:.1f}, SAM − base with twice the epochs: {two:+.1f} ± {half_two:.1f}"
    )

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3.3), layout="constrained")
for ax, (name, (sam, *rivals)) in zip(axes, tests.items(), strict=True):
    k, (mean, half) = chosen[name], mean_and_interval(sam)
    ax.errorbar(range(len(radii)), mean, half, fmt="o-", capsize=3, color=COLOURS[1], label="SAM")
    ax.plot(k, mean[k], "o", color=COLOURS[1], markersize=11, markerfacecolor="none", label="ρ chosen")
    for rival, colour, label in zip(rivals, (COLOURS[0], COLOURS[2]), ("base", "base, twice the epochs"), strict=True):
        mean, half = mean_and_interval(rival)
        ax.axhspan(mean - half, mean + half, color=colour, alpha=0.25, linewidth=0, label=label)
    ax.set_xticks(range(len(radii)), radii)
    ax.set(title=name, xlabel="ρ")
axes[0].set_ylabel("test accuracy [%]")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
check.keep(figure, "07_u_curves")
plt.show()

# %% [markdown]
# ### Explain
# What to look for: where on the curve the best ρ lies, whether it is above the blue band, and whether the green band is above it.
# Small networks on few clean examples are held back by time and data, less by memorising: there a second gradient may be better
# spent on a second step. The gains in the papers are from networks that can fit everything they are shown many times over, on far
# larger data; this toy neither shows nor refutes them. Where a toy may show a gain is where there is something one should not
# fit: wrong labels (lesson 08), or chance itself (lesson 10).
#
# **Turn a knob**: set `digits` to all 900 training examples, or double all epochs. Which verdict changes?
#
# ## What this leaves open
# You now have a protocol, and no win that came for free. Lesson 08 keeps the protocol and makes 40% of the labels wrong.
#
# ## Where this comes from
# - P. Foret et al., *Sharpness-Aware Minimization*, ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412): SGD may run
#   for twice the epochs there, too (section 3.1).
# - X. Chen, C.-J. Hsieh, B. Gong, *When Vision Transformers Outperform ResNets without Pre-training or Strong Data
#   Augmentations*, ICLR 2022, [arXiv:2106.01548](https://arxiv.org/abs/2106.01548) (SAM for transformers).
# - S. Greydanus, D. Kobak, *Scaling Down Deep Learning with MNIST-1D*, ICML 2024,
#   [arXiv:2011.14439](https://arxiv.org/abs/2011.14439).
# - D. Choi et al., *On Empirical Comparisons of Optimizers for Deep Learning*, 2019,
#   [arXiv:1910.05446](https://arxiv.org/abs/1910.05446) (the grid decides the ranking).

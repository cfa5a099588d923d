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
# # 09 · Other data than you trained on
# **You can already**: compare two optimizers so that the answer holds (07). **You will**: shift the test data away from the
# training data, and let a network follow data that drift away step by step, without a label; and see where SAM helps with that,
# where it does not, and where twice the epochs do as well.

# %%
import check
import check_09
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from tqdm.auto import tqdm

import minisam
from minisam import SAM, SGD
from minisam.array_backend import asarray, asnumpy
from minisam.optim import cosine
from minisam.plot import COLOURS, told
from minisam.self_training import self_train
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: does what bears a push of the weights bear a push of the data?
# SAM looks for weights around which the loss stays low. A change of the input is, for the first layer, a change of its weights:
# there is an ε with
#
# $$(x + \delta)\,W = x\,(W + \epsilon)$$
#
# **Exercise 1.** Write the smallest such ε for one input x (i,), its change δ (i,), and the matrix W (i, o). (It has rank one: a
# column of x times the row of what is missing. `np.outer(a, b)` is $a\,b^\top$.)


# %% tags=["exercise"]
def same_as(x, delta, W):
    return ...


_ = check_09.same_as(same_as)


# %% jupyter={"source_hidden": true} tags=["solution"]
def same_as(x, delta, W):
    return np.outer(x, delta @ W) / (x @ x)


_ = check_09.same_as(same_as)

# %% [markdown]
# But each example would need an ε of its own, and SAM takes one for all of a batch. So it is a hope, not a theorem. Measure it.
#
# ## Six shifts
# The test digits, shifted in six ways, at five severities. Nothing of this is shown to the networks in training.

# %%
digits = minisam.data.subset(minisam.data.digits(), 600)
kinds, severities = list(minisam.data.SHIFTS), range(1, 6)
shifted = {
    (kind, severity): minisam.data.shifted(digits.x_test, digits.shape, kind, severity)
    for kind in kinds
    for severity in severities
}
figure, axes = plt.subplots(5, 6, figsize=(6, 5), layout="constrained")
for (kind, severity), x in shifted.items():
    ax = axes[severity - 1, kinds.index(kind)]
    ax.imshow(x[3].reshape(8, 8), cmap="Greys", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title=kind if severity == 1 else "")
plt.show()

# %% [markdown]
# SGD, and SGD with twice the epochs, tuned over lr × λ; and SAM at four radii. All choices fall on clean validation digits:
# whoever chooses on the shifts has seen them.

# %%
model, epochs, batch, seeds = minisam.mlp([64, 64, 64, 10]), 40, 60, range(10)


def sgd(lr, l2, longer=1):
    return SGD(cosine(lr, longer * epochs * len(digits.x_train) // batch), momentum=0.9, l2=l2)


def trained(make, longer=1, seeds=seeds, **sweep):
    return minisam.train(model, digits, make, longer * epochs, batch, seeds, sweep=sweep or None)


def tuned(longer):
    grid = {"lr": [0.05, 0.1, 0.2, 0.3], "l2": [0.0, 0.0005, 0.0015]}
    best = trained(lambda lr, l2: sgd(lr, l2, longer), longer, range(100, 102), **grid).choose()
    print(f"SGD, {longer * epochs} epochs: {told(best)}")
    return trained(sgd(**best, longer=longer), longer)


# %%
runs = {"SGD": tuned(1), "SGD, twice the epochs": tuned(2)}
over_rho = trained(lambda rho: SAM(sgd(0.1, 0.0005), rho), rho=[0.05, 0.1, 0.2, 0.3])
runs["SAM"] = over_rho.select(**over_rho.choose())
print(f"SAM: {told(over_rho.choose())}")


# %%
def on_shifts(run):
    """Test accuracy [%], (kind, severity, ..., seed)."""
    found = np.array([run.evaluate(x, digits.y_test)["accuracy"] for x in shifted.values()])
    return 100 * found.reshape(len(kinds), len(severities), *found.shape[1:])


clean = {name: 100 * run.evaluate(digits.x_test, digits.y_test)["accuracy"] for name, run in runs.items()}
points = {name: on_shifts(run) for name, run in runs.items()}
print({name: f"{accuracy.mean():.1f}% of the clean test digits" for name, accuracy in clean.items()})

# %% [markdown]
# ### Predict
# SGD's networks read the clean digits as you see. Of digits turned by 30 degrees (rotation, severity 3), what percentage do they
# read?

# %% tags=["prediction"]
prediction = None

# %%
check.predict(prediction, points["SGD"][kinds.index("rotation"), 2].mean(), "%")


# %%
def draw(kind="noise", severity=3):
    figure, axes = plt.subplots(1, 12, figsize=(10, 1.9), layout="constrained")
    accuracy = {name: p[kinds.index(kind), severity - 1] for name, p in points.items()}
    for ax, x in zip(axes, shifted[kind, severity], strict=False):
        ax.imshow(x.reshape(8, 8), cmap="Greys", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    figure.suptitle(",   ".join(f"{name}: {a.mean():.1f}%" for name, a in accuracy.items()), fontsize=11)
    plt.show()


draw()

# %%
_ = ipywidgets.interact(draw, kind=kinds, severity=(1, 5))

# %% [markdown]
# **Exercise 2.** Shifts differ in how hard they are. The measure of Hendrycks and Dietterich compares errors, not accuracies: for
# each kind, the sum of a method's errors over the severities, as a share of the baseline's; then the mean over the kinds. Both
# are (kinds, severities).


# %% tags=["exercise"]
def relative_error(errors, baseline):
    return ...


_ = check_09.relative_error(relative_error)


# %% jupyter={"source_hidden": true} tags=["solution"]
def relative_error(errors, baseline):
    return np.mean(errors.sum(axis=1) / baseline.sum(axis=1))


_ = check_09.relative_error(relative_error)

# %%
for name in runs:
    ratios = [relative_error(100 - points[name][..., k], 100 - points["SGD"][..., k]) for k in range(len(seeds))]
    mean, half = mean_and_interval(np.array(ratios))
    print(f"{name:22} error relative to SGD's {mean:.3f} ± {half:.3f}")

# %%
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
rows = ["clean", *kinds, "mean of the six"]
for colour, rival, offset in ((COLOURS[0], "SGD", -0.12), (COLOURS[2], "SGD, twice the epochs", 0.12)):
    gain = (points["SAM"] - points[rival]).mean(axis=1)  # (kind, seed)
    mean, half = mean_and_interval(np.array([clean["SAM"] - clean[rival], *gain, gain.mean(axis=0)]))
    where = np.arange(len(rows)) + offset
    ax.errorbar(mean, where, xerr=half, fmt="o", capsize=3, color=colour, label=f"SAM − {rival}")
    print(f"SAM − {rival}, mean of the six shifts: {mean[-1]:+.2f} ± {half[-1]:.2f} points")
ax.axvline(0, color="grey", linewidth=1)
ax.set_yticks(range(len(rows)), rows)
ax.invert_yaxis()
ax.set(xlabel="points of test accuracy, mean over the severities")
ax.legend(fontsize=8)
check.keep(figure, "09_shifts")
plt.show()

# %% [markdown]
# Was the radius that clean digits chose a good one? Here are all of them, by the mean over all shifts, beside the rivals:

# %%
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for colour, rival in ((COLOURS[0], "SGD"), (COLOURS[2], "SGD, twice the epochs")):
    mean, half = mean_and_interval(points[rival].mean(axis=(0, 1)))
    ax.axhspan(mean - half, mean + half, color=colour, alpha=0.25, linewidth=0, label=rival)
rhos, (mean, half) = over_rho.axes["rho"], mean_and_interval(on_shifts(over_rho).mean(axis=(0, 1)))
ax.errorbar(rhos, mean, half, fmt="o-", capsize=3, color=COLOURS[1], label="SAM")
k = rhos.index(over_rho.choose()["rho"])
ax.plot(rhos[k], mean[k], "o", color=COLOURS[1], markersize=12, markerfacecolor="none", label="chosen on clean digits")
ax.set(xlabel="ρ", ylabel="accuracy, mean of all shifts [%]")
ax.legend(fontsize=8)
plt.show()
best = on_shifts(over_rho).mean(axis=(0, 1)) - points["SGD"].mean(axis=(0, 1))
for rho, (mean, half) in zip(rhos, map(mean_and_interval, best), strict=True):
    print(f"ρ = {rho}: SAM − SGD, mean of all shifts {mean:+.2f} ± {half:.2f}")

# %% [markdown]
# ### Explain
# What to look for: the signs, kind by kind, and whether the intervals leave out zero. Shifts that are small pushes in many
# directions (noise, blur) are nearest to what SAM trains for, $\max_{\|\epsilon\| \le \rho} L(w + \epsilon)$; to move or to
# shrink a picture is a large push in one direction, and there flatness promises nothing. The mean depends on which six one takes.
# And clean digits, nearly all of them right, hardly tell one radius from another: a choice without a view of the shifts is made
# in the dark. **Turn a knob**: tune on the shifted digits themselves, at the same grids; who gains more from this?
#
# ## Data that drift away
# Now the data move on little by little, and no labels come with them. Two moons turn by 6 degrees at a time, to 90. A network
# that has learnt the first moons is wrong about the last ones. But it is right about most of the second, so it may label those
# itself, learn from its own labels, and go on from there.
#
# **Exercise 3.** Turn points x (m, 2), counterclockwise around the origin, by an angle in degrees.


# %% tags=["exercise"]
def turn(x, degrees):
    return ...


_ = check_09.turn(turn)


# %% jupyter={"source_hidden": true} tags=["solution"]
def turn(x, degrees):
    a = np.deg2rad(degrees)
    return x @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


_ = check_09.turn(turn)

# %%
minisam.show(self_train)


# %%
def moons(first):  # new points in each domain
    return [minisam.data.turned(minisam.data.two_moons(first + k, noise=0.1), 6 * k) for k in range(16)]


x = moons(0)[0].x_train
print("by yours and by minisam's:", np.abs(turn(x, 30) - minisam.data.turned(moons(0)[0], 30).x_train).max())
figure, axes = plt.subplots(1, 6, figsize=(10, 1.9), layout="constrained", sharex=True, sharey=True)
for ax, k in zip(axes, range(0, 16, 3), strict=True):
    domain = moons(0)[k]
    ax.scatter(*domain.x_train.T, c=np.array(COLOURS)[domain.y_train], s=3)
    ax.set(title=f"{6 * k}°", xticks=[], yticks=[], aspect="equal")
plt.show()

# %% [markdown]
# Two problems: the moons, and 300 digits that turn to 45 degrees. Six settings for each method are chosen among on a rehearsal
# with labels: other moons, another split of the digits, the same drift. Then it counts, and the true labels are only used to
# measure.


# %%
def turning(first):  # another split of the digits for the rehearsal
    half = minisam.data.subset(minisam.data.digits(seed=first), 300)
    return minisam.data.gradual(half, "rotation", 45, steps=9)


problems = {  # name: (model, domains, epochs on the first, epochs on each other)
    "two moons": (minisam.mlp([2, 32, 32, 2]), moons, 60, 20),
    "digits": (minisam.mlp([64, 64, 10]), turning, 40, 10),
}


# %%
def follow(name, make, longer, seeds, domains, sweep=None, learn=True):
    """Test accuracy in each domain, (domain, ..., seed), of a net that learns the first with labels and the others without."""
    model, _, first, each = problems[name]
    w = minisam.train(model, domains[0], make, longer * first, 50, seeds, sweep=sweep, progress=False).w
    optimizer, found = make(**columns(sweep)) if sweep else make, []
    for k, domain in enumerate(tqdm(domains, leave=False)):
        if k and learn:
            w = self_train(model, w, domain.x_train, optimizer, longer * each, 50, seed=k)
        found.append(minisam.accuracy(model.apply(w, asarray(domain.x_test)), asarray(domain.y_test)))
    return 100 * np.array([asnumpy(a) for a in found])


# %%
def columns(sweep):
    """The swept values as arrays that meet w (..., seed, n), each along an axis of its own."""
    ones = {name: [1] * (len(sweep) - k + 1) for k, name in enumerate(sweep)}
    return {name: asarray(np.reshape(values, (-1, *ones[name]))) for name, values in sweep.items()}


def plain(lr, l2):
    return SGD(lr, momentum=0.9, l2=l2)


lr_l2 = {"lr": [0.02, 0.05, 0.1], "l2": [0.002, 0.005]}
followers = {  # name: (optimizer, how many times the epochs, grid)
    "SGD": (plain, 1, lr_l2),
    "SGD, 2 × the epochs": (plain, 2, lr_l2),
    "SGD, 4 × the epochs": (plain, 4, lr_l2),
    "SAM": (lambda lr, rho: SAM(plain(lr, 0.002), rho), 1, {"lr": [0.05, 0.1], "rho": [0.1, 0.2, 0.3]}),
}


# %%
def chosen(name, make, longer, grid):
    """The setting with the best mean accuracy over all domains of the rehearsal."""
    found = follow(name, make, longer, range(100, 103), problems[name][1](100), grid).mean(axis=(0, -1))
    place = np.unravel_index(np.argmax(found), found.shape)
    return {key: values[k] for (key, values), k in zip(grid.items(), place, strict=True)}


# %% [markdown]
# ### Predict
# At 90 degrees, guessing gets half of the points right. What percentage does SGD get right there, having followed the moons?

# %% tags=["prediction"]
prediction = None

# %%
paths = {}
for problem, (_, domains, *_) in problems.items():
    for name, (make, longer, grid) in followers.items():
        best = chosen(problem, make, longer, grid)
        paths[problem, name] = follow(problem, make(**best), longer, seeds, domains(0))
        print(f"{problem:10} {name:20} {told(best)}")
    paths[problem, "SGD, not following"] = follow(problem, plain(0.05, 0.002), 1, seeds, domains(0), learn=False)
check.predict(prediction, paths["two moons", "SGD"][-1].mean(), "%")

# %%
colours = [COLOURS[0], COLOURS[5], COLOURS[2], COLOURS[1], "grey"]
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for ax, problem, most in zip(axes, problems, (90, 45), strict=True):
    for colour, name in zip(colours, (*followers, "SGD, not following"), strict=True):
        path = paths[problem, name]
        minisam.plot.draw_band(ax, np.linspace(0, most, len(path)), path, name, colour)
    ax.set(title=problem, xlabel="turned by [degrees]", ylabel="test accuracy [%]")
axes[0].legend(fontsize=8)
check.keep(figure, "09_following")
plt.show()

# %%
for problem in problems:
    for name in [name for name in followers if name != "SAM"]:
        d = paths[problem, "SAM"] - paths[problem, name]
        (mean, half), (end, half_end) = mean_and_interval(d.mean(axis=0)), mean_and_interval(d[-1])
        print(
            f"{problem:10} SAM − {name:20} on the way {mean:+5.1f} ± {half:.1f}, at the end {end:+5.1f} ± {half_end:.1f}"
        )

# %% [markdown]
# ### Explain
# A network that follows pays for each wrong label that it gives itself: it learns it, and passes it on. How many it gives depends
# on how far its boundary lies from the points, in steps of the drift: $\text{wrong in domain } k+1 \approx P(\text{margin} <
# \text{drift})$. More epochs make it surer of its labels; whether more right, the picture says. What to look for: whether SAM is
# ahead of SGD at equal epochs in both pictures, and whether it still is when SGD may train two and four times as long. Where it
# is not, time does what SAM did.
#
# One thing stays unsolved: ρ was chosen by labels, in a rehearsal. Where no labels come, nothing tells which ρ to take; and with
# a ρ too large a follower is lost early. **Turn a knob**: fix ρ = 0.4 for the moons; or let the moons take steps of 9 degrees
# instead of 6.
#
# ## What this leaves open
# Shifted data are seen once, and the training data many times. Does it matter how often? Lesson 10 counts.
#
# ## Where this comes from
# - D. Hendrycks, T. Dietterich, *Benchmarking Neural Network Robustness to Common Corruptions and Perturbations*, ICLR 2019,
#   [arXiv:1903.12261](https://arxiv.org/abs/1903.12261) (shifts, severities, and the error of section 4, there called mCE).
# - A. Kumar, T. Ma, P. Liang, *Understanding Self-Training for Gradual Domain Adaptation*, ICML 2020,
#   [arXiv:2002.11361](https://arxiv.org/abs/2002.11361).
# - P. Foret et al., *Sharpness-Aware Minimization*, ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412).

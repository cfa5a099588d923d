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
# # 08 · Noisy labels
# **You can already**: train a grid of networks in one run, and compare two methods fairly (02, 07). **You will**: see a network
# learn wrong labels by heart, see SAM keep it from that, read the curve of its accuracy over ρ, and find out how much of the gain
# is left once its rivals are tuned as hard.

# %%
from dataclasses import replace
from functools import partial

import autograd.numpy as anp
import check
import check_08
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, study
from minisam.array_backend import asarray, asnumpy, xp
from minisam.losses import generalised_cross_entropy
from minisam.noisy_labels import OtherLoss, SmallLoss
from minisam.optim import cosine
from minisam.plot import COLOURS
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: which of its labels does a network learn by heart?
# Labels are made by people, and people err. Take 600 digits and give 40% of them another label, drawn at random. A network that
# ends with training loss zero has learnt every lie. The test digits keep their true labels; each seed gets lies of its own.

# %%
digits = minisam.data.subset(minisam.data.digits(), 600)


def noisy(noise, seed):
    return minisam.data.symmetric_noise(digits, noise, seed)


lies = noisy(0.4, seed=0)
figure, axes = plt.subplots(1, 10, figsize=(9, 1.3), layout="constrained")
for ax, pixels, label, lie in zip(axes, lies.x_train, lies.y_train, lies.flipped, strict=False):
    ax.imshow(pixels.reshape(8, 8), cmap="Reds" if lie else "Greys")
    ax.set(title=label, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# **Exercise 1.** How much has it learnt by heart? Of the labels that were flipped, the share that the network now gives as its
# answer. `predicted` and `given` are labels (m,), `flipped` is true where the given label is a lie.


# %% tags=["exercise"]
def by_heart(predicted, given, flipped):
    return ...


_ = check_08.by_heart(by_heart)


# %% jupyter={"source_hidden": true} tags=["solution"]
def by_heart(predicted, given, flipped):
    return np.mean(predicted[flipped] == given[flipped])


_ = check_08.by_heart(by_heart)

# %% [markdown]
# **Exercise 2 (find the mistake).** The lies are made by a program, and programs err, too. A function `make(y, rate, seed)` promises
# this: it returns labels of which a share `rate` is wrong; what is wrong is any of the nine other classes, each as probable; and
# `y` itself (integers 0 to 9, any number of them, in any mixture) stays as it was. Write a test of it: True if the promise is
# broken. The check tries your test on functions that keep the promise, and on six that break it in one way each.


# %% tags=["exercise"]
def is_broken(make):
    return ...


_ = check_08.is_broken(is_broken)


# %% jupyter={"source_hidden": true} tags=["solution"]
def is_broken(make):
    truth = np.arange(20_000) % 10
    y, rate = truth.copy(), 0.4
    given = make(y, rate, 0)
    lie = given != truth
    pairs = np.bincount(10 * truth[lie] + given[lie], minlength=100).reshape(10, 10)
    told = pairs[~np.eye(10, dtype=bool)]  # how often each class was called each other one
    even = told.min() > 0.5 * told.mean() and told.max() < 1.5 * told.mean()
    return not (np.array_equal(y, truth) and abs(lie.mean() - rate) < 0.01 and even)


_ = check_08.is_broken(is_broken)


# %%
def by_minisam(y, rate, seed):
    some = replace(digits, x_train=np.zeros((len(y), 64)), y_train=y)
    return minisam.data.symmetric_noise(some, rate, seed).y_train


print("does minisam's break its promise?", is_broken(by_minisam))

# %% [markdown]
# ## First, no weight decay
# A net with two hidden layers, 40 epochs, a cosine step size: ρ = 0, which is SGD, and five radii, on 600 digits with six sets of
# lies. This is for a look at what happens, and no contest yet: SGD has no weight decay, and one step size.
#
# ### Predict
# What share of the lies does SGD know by heart in the end? Put a number from 0 to 1.

# %% tags=["prediction"]
prediction = None

# %%
model, epochs, batch, seeds = minisam.mlp([64, 64, 64, 10]), 40, 60, range(6)
rhos, steps = [0.0, 0.1, 0.2, 0.3, 0.4, 0.6], epochs * len(digits.x_train) // batch


def without_decay(rho):
    return SAM(SGD(cosine(0.1, steps), momentum=0.9), rho)


grid = {"noise": [0.4], "rho": rhos}
plain = minisam.train(model, noisy, without_decay, epochs, batch, seeds, sweep=grid).select(noise=0.4)

# %%
sets = [noisy(0.4, seed) for seed in seeds]
answers = asnumpy(xp().argmax(model.apply(plain.w, asarray(digits.x_train)), axis=-1))  # (ρ, seed, example)
heart = np.array([[by_heart(a, s.y_train, s.flipped) for a, s in zip(row, sets, strict=True)] for row in answers])
test = plain.evaluate(digits.x_test, digits.y_test)["accuracy"]
check.predict(prediction, heart[0].mean())
for k, rho in enumerate(rhos):
    (seen, s), (known, t) = mean_and_interval(test[k]), mean_and_interval(heart[k])
    print(f"ρ = {rho:.1f}: test accuracy {seen:.1%} ± {s:.1%}, lies known by heart {known:.0%} ± {t:.0%}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for colour, rho in zip(COLOURS, (0.0, 0.1, 0.3), strict=False):
    history = plain.select(rho=rho).history
    minisam.plot.draw_band(left, history["epoch"], history["validation_accuracy"], f"ρ = {rho:g}", colour)
left.set(xlabel="epoch", ylabel="validation accuracy", title="lies are learnt late")
left.legend()
for values, colour, name in ((test, COLOURS[2], "test accuracy"), (heart, COLOURS[3], "lies known by heart")):
    mean, half = mean_and_interval(values)
    right.errorbar(rhos, mean, half, fmt="o-", capsize=3, color=colour, label=name)
right.set(xlabel="ρ", ylabel="share", title="40% wrong labels, no weight decay", ylim=(-0.02, 1.2))
right.legend(loc="upper center", ncols=2)
check.keep(figure, "08_lies_by_heart")
plt.show()

# %% [markdown]
# What to look for at the left: SGD's accuracy rises first. Does it fall then? And does SAM's fall less, or later? At the right: do
# the lies that are known by heart go down with ρ, and does the test accuracy go up?

# %% jupyter={"source_hidden": true}
course = plain.history["validation_accuracy"].mean(axis=-1)  # (epoch, ρ)
top, peak = course.max(axis=0), test.mean(axis=-1).argmax()
check.saw(
    f"SGD is right on {top[0]:.0%} of the validation digits after {course[:, 0].argmax() + 1} epochs, and on {course[-1, 0]:.0%} in the end, when "
    f"it knows {heart[0].mean():.0%} of the lies by heart. With ρ = {rhos[peak]:g} it is {course[-1, peak]:.0%}, and {heart[peak].mean():.0%} of the lies; "
    f"test accuracy {test[0].mean():.1%} and {test[peak].mean():.1%}. With ρ = {rhos[-1]:g}, {heart[-1].mean():.0%} of the lies are known, and "
    f"{test[-1].mean():.0%} of the test digits: no lie is learnt where nothing is."
)

# %% [markdown]
# ### Explain
# The gradient of an example is $p - e_y$ in the logits: what its label asks for and the network does not give. True labels ask for
# the same as others like them, and are soon satisfied. A lie stands alone, and goes on pulling until it is learnt. So what the
# labels have in common, the truth, is learnt first, and the rest later.
#
# Stopping at the best epoch is a remedy, too. It is found on the validation digits, so its accuracy on the same digits flatters a
# little:

# %%
validation = 100 * plain.history["validation_accuracy"]  # (epoch, ρ, seed)
for k, rho in enumerate(rhos):
    (best, s), (last, t) = mean_and_interval(validation[:, k].max(axis=0)), mean_and_interval(validation[-1, k])
    print(
        f"ρ = {rho:.1f}: validation accuracy at the best epoch {best:.1f} ± {s:.1f}, at the last {last:.1f} ± {t:.1f}"
    )

# %% [markdown]
# ### What does it see?
# Thirty digits of the training set whose label is a lie, small numbers, and what the network says, red where it repeats the lie.
# To try: ρ = 0, then 0.2, then 0.6. How many red ones are left?


# %%
def draw(rho=0.0):
    k = rhos.index(rho)
    some = np.flatnonzero(lies.flipped)[:30]
    figure, axes = plt.subplots(3, 10, figsize=(9, 3.4), layout="constrained")
    for ax, i in zip(axes.ravel(), some, strict=True):
        says = answers[k, 0, i]
        colour = COLOURS[1] if says == lies.y_train[i] else COLOURS[2] if says == digits.y_train[i] else "grey"
        ax.imshow(digits.x_train[i].reshape(8, 8), cmap="Greys")
        ax.set(xticks=[], yticks=[], xlabel=f"told {lies.y_train[i]}")
        ax.set_title(f"says {says}", color=colour, fontsize=10)
    figure.suptitle(f"ρ = {rho:g}. Red: the lie, green: the truth, grey: neither")
    plt.show()


draw()

# %%
_ = ipywidgets.interact(draw, rho=ipywidgets.SelectionSlider(options=rhos, value=0.3))

# %% [markdown]
# ## What if the validation labels lie, too?
# Here they are clean, which is a luxury. A network is right on a share a of the digits; of the validation labels a share r is
# replaced by one of the nine other classes. It seems right where it is right and the label is true, and also where it is wrong and
# happens to say the lie:
#
# $$\text{seeming accuracy} = a\,(1 - r) + (1 - a)\,\frac{r}{9}$$
#
# Two cases to check a formula by: with r = 0 it has to be a; with r = 0.9 labels say nothing, and it has to be 0.1 for every a.

# %%
rng = np.random.default_rng(0)
hit = rng.random((1000, len(digits.y_test))) < 0.4  # a thousand times other lies
told = (digits.y_test + hit * rng.integers(1, 10, hit.shape)) % 10
says = asnumpy(xp().argmax(model.apply(plain.w[:, 0], asarray(digits.x_test)), axis=-1))
for rho, one in zip(rhos, says, strict=True):
    a = np.mean(one == digits.y_test)
    print(f"ρ = {rho:.1f}: right {a:.1%}, seems {np.mean(one == told):.1%}, formula {a * 0.6 + (1 - a) * 0.4 / 9:.1%}")

# %% [markdown]
# ### Explain
# The formula rises with a as long as r < 0.9: so lies in the validation data leave the order of the settings, in the mean, and only
# make it noisier. One can choose ρ without clean labels, given enough of them. From here on the validation labels are as wrong as
# those of the training part.
#
# ## Second, everyone tuned
# Weight decay, too, keeps weights from growing to where lies are told. And there are methods made for wrong labels: the generalised
# cross-entropy (GCE), $(1 - p_y^q)/q$, counts an example the less, the less the network believes its label; small-loss selection
# leaves the least believed ones of each batch out:

# %%
minisam.show(SmallLoss.step)

# %% [markdown]
# A small study, live: six settings for each of three methods, chosen on one unit and reported on four others. A unit is a split of
# the digits with lies of its own.


# %%
def unit(k):
    lying = minisam.data.symmetric_noise(minisam.data.digits(1000 + k, train=900), 0.4, k)
    x, y, flipped = lying.x_train, lying.y_train, lying.flipped[:600]
    return replace(lying, x_train=x[:600], y_train=y[:600], x_validation=x[600:], y_validation=y[600:], flipped=flipped)


def sgd(l2, steps, lr=0.1):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def gce(q, l2, steps):
    if q > 1:
        raise ValueError("q must be in (0, 1]")  # a grid that grows stops here
    return OtherLoss(sgd(l2, steps), partial(generalised_cross_entropy, q=q))


# %%
methods = {
    "SGD": (sgd, {"lr": [0.1, 0.2, 0.4], "l2": [0.0015, 0.005]}),
    "SAM": (lambda rho, l2, steps: SAM(sgd(l2, steps), rho), {"rho": [0.1, 0.2, 0.4], "l2": [0.0015, 0.005]}),
    "GCE": (gce, {"q": [0.4, 0.6, 0.8], "l2": [0.0005, 0.0015]}),
}
small = study.compare(study.Problem(model, unit, epochs, batch), methods, delta=0.01, units=4, tuning=1)
print(small.table())
print(*small.verdicts(), sep="\n")

# %% [markdown]
# Four units decide little. The recorded study ([its page](../evidence/label_noise.md)) has 30, and twelve settings for each of
# seven methods, in which SGD chooses its step size and λ, and each rival its own knob and λ. Where the best lay at the rim of a grid,
# the grid was made longer.
#
# ### Predict
# 40% wrong labels, SGD and SAM each at its best. How many points of test accuracy (1 is 1%) is SAM ahead at equal epochs, in the
# recorded study?

# %% tags=["prediction"]
prediction = None

# %%
large = check.recorded("label_noise")
ours, theirs = (
    {(v.comparison.method, budget): v for v in result.verdicts("SGD") for budget in v.comparison.budgets}
    for result in (small, large)
)
check.predict(prediction, 100 * theirs["SAM", "equal epochs"].effect, "points")
print(large.table())

# %%
names = [name for name in large.budgets["equal epochs"] if name != "SGD"]
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.2), sharey=True, sharex=True, layout="constrained")
for ax, budget in zip(axes, large.budgets, strict=True):
    for row, name in enumerate(names):
        v, colour = theirs[name, budget], COLOURS[1] if "SAM" in name else COLOURS[0]
        ax.errorbar(100 * v.effect, row, xerr=100 * v.half_width, fmt="o", capsize=3, color=colour)
        if (name, budget) in ours:
            ax.plot(100 * ours[name, budget].effect, row, "o", mfc="none", markersize=11, color=colour)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.axvspan(-1, 1, color="grey", alpha=0.15)
    ax.set(title=budget, xlabel="accuracy minus SGD's, points")
axes[0].set_yticks(range(len(names)), names)
axes[0].invert_yaxis()
check.keep(figure, "08_everyone_tuned")
plt.show()

# %% [markdown]
# Dots are means of 30 units with their 95% intervals, rings the small study; within the grey band a difference is too small to
# matter. What to look for: compare the gap between SAM and SGD here with the one between ρ = 0 and the best ρ in the first picture.
# Do twice the epochs help SGD, or is more time only time to learn lies? Which methods are ahead of SAM, and does SAM go together
# with one of them?

# %% jupyter={"source_hidden": true}
means = {
    budget: {name: np.mean(outcome.scores) for name, outcome in each.items()} for budget, each in large.budgets.items()
}
equal = means["equal epochs"]
v, w = theirs["SAM", "equal epochs"], theirs["SAM", "equal gradients"]
above = [f"{name} ({100 * (equal[name] - equal['SAM']):+.1f})" for name in names if equal[name] > equal["SAM"]]
check.saw(
    f"Without weight decay the best ρ brought {100 * (test[peak].mean() - test[0].mean()):.1f} points; against a tuned SGD it is "
    f"{100 * v.effect:+.1f} ± {100 * v.half_width:.1f} at equal epochs ({v.word}) and {100 * w.effect:+.1f} ± {100 * w.half_width:.1f} at equal "
    f"gradients ({w.word}), where SGD falls from {equal['SGD']:.1%} to {means['equal gradients']['SGD']:.1%}: more time was time to learn lies. "
    f"Above SAM in the mean, by so many points: {', '.join(above)}. So weight decay does nearly all of what SAM did, most methods that "
    "are made for wrong labels do more, and SAM adds to one of them."
)

# %% [markdown]
# ### Explain
# SAM and weight decay hold back what is learnt late; a robust loss changes which examples pull, and SAM where the gradient is taken,
# so the two can add up. Intervals of single methods would say little here, as all of them had the same starts and the same lies:
# the differences are taken unit by unit.
#
# ## How large a ball?
# Another recorded study ([its page](../evidence/radius.md)) tries eight radii on 30 units, with λ = 0.005, and nothing is chosen.
#
# ### Predict
# At which ρ, of 0.00625, 0.0125, … 0.8, each twice the one before, is the accuracy highest?

# %% tags=["prediction"]
prediction = None

# %%
curve = check.recorded("radius").budgets["equal epochs"].values()
radii = [outcome.settings["rho"] for outcome in curve]
height, half = mean_and_interval(100 * np.array([outcome.scores for outcome in curve]))
check.predict(prediction, radii[height.argmax()])
figure, ax = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
ax.errorbar(radii, height, half, fmt="o-", capsize=3, color=COLOURS[1], label="recorded, λ = 0.005")
mean, half_here = mean_and_interval(100 * test[1:])
ax.errorbar(rhos[1:], mean, half_here, fmt="s--", capsize=3, color="grey", label="above, λ = 0")
ax.axhline(100 * test[0].mean(), color="grey", linestyle=":", linewidth=1, label="above, ρ = 0")
ax.set_xscale("log")
ax.set_xticks(radii, [f"{rho:g}" for rho in radii])
ax.minorticks_off()
ax.set(xlabel="ρ", ylabel="test accuracy [%]", ylim=(0, 100))
ax.legend(loc="lower left", fontsize=8)
check.keep(figure, "08_u_curve")
plt.show()

# %% [markdown]
# What to look for: how flat is the curve to the left of its top, and how steep is it to the right? If you had to guess a ρ, would
# you guess too small or too large?

# %% jupyter={"source_hidden": true}
k = height.argmax()
check.saw(
    f"The top is at ρ = {radii[k]:g} with {height[k]:.1f} ± {half[k]:.1f}%. To the left the curve loses {height[k] - height[0]:.1f} points down to "
    f"ρ = {radii[0]:g}; to the right {height[k] - height[k + 1]:.1f} for twice the radius, and {height[k] - height[k + 2]:.0f} for four times. "
    "So guess too small: that costs little, as weight decay does the work; too large a ball is one in which nothing can be learnt."
)

# %% [markdown]
# ## Why does it resist?
# In a linear model, with two classes and one example of margin $z = y\,w \cdot x$, the gradient is $-\sigma(-z)\,y x$. SAM, which
# takes its step example by example here, looks where the margin is smaller by $\rho\|x\|$.
#
# **Exercise 3.** By which factor does it weigh the example more than SGD does? `sigma` is $\sigma(t) = 1/(1 + e^{-t})$, and shift
# is $\rho\|x\|$.


# %%
def sigma(t):
    return 1 / (1 + np.exp(-t))


# %% tags=["exercise"]
def factor(z, shift):
    return ...


_ = check_08.factor(factor)


# %% jupyter={"source_hidden": true} tags=["solution"]
def factor(z, shift):
    return sigma(shift - z) / sigma(-z)


_ = check_08.factor(factor)

# %%
x, rho = asarray(np.array([3.0, 4.0])), 0.2
z = np.linspace(-4, 4, 9)
w = asarray(z[:, None] / 25) * x  # nine models, for which the example has these margins
slope = minisam.value_and_grad(lambda w: anp.log(1 + anp.exp(-anp.sum(w * x, axis=-1))))
g = slope(w)[1]
g_adv = slope(w + minisam.epsilon(g, rho))[1]
measured = asnumpy(g_adv[:, 0] / g[:, 0])
for margin, one, formula in zip(z, measured, factor(z, rho * 5), strict=True):
    print(f"margin {margin:+.0f}: SAM weighs it {one:.3f} times as much, formula {formula:.3f}")

# %% [markdown]
# ### Explain
# An example with a large margin, one that agrees with the rest, counts up to $e^{\rho\|x\|}$ times as much as before; one that
# contradicts them, such as a lie not yet learnt, about once. So the truth stays in the majority for longer. Baek, Kolter and
# Raghunathan prove this for linear models, and then take the effect out of SAM on deep nets, where hardly anything changes: there
# it is mostly the other half of the gradient, how the outputs move with the weights, that differs at w + ε. What explains the toy
# need not explain the net.
#
# **Turn a knob**: in `unit`, replace `symmetric_noise` by `asymmetric_noise`, which mistakes each class for one other. At 40% that is
# much harder: do GCE and SAM still help?
#
# ## What this leaves open
# Lies in the labels are one way in which training and test differ. Lesson 09 leaves the labels true and moves the pictures.
#
# ## Where this comes from
# - P. Foret et al., *Sharpness-Aware Minimization*, ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.3
#   (SAM with noisy labels).
# - C. Baek, Z. Kolter, A. Raghunathan, *Why is SAM Robust to Label Noise?*, ICLR 2024,
#   [arXiv:2405.03676](https://arxiv.org/abs/2405.03676).
# - C. Zhang et al., *Understanding deep learning requires rethinking generalization*, ICLR 2017,
#   [arXiv:1611.03530](https://arxiv.org/abs/1611.03530) (nets learn any labels).
# - Z. Zhang, M. Sabuncu, *Generalized Cross Entropy Loss*, NeurIPS 2018, [arXiv:1805.07836](https://arxiv.org/abs/1805.07836).
# - B. Han et al., *Co-teaching*, NeurIPS 2018, [arXiv:1804.06872](https://arxiv.org/abs/1804.06872) (small losses).
# - H. Zhang et al., *mixup*, ICLR 2018, [arXiv:1710.09412](https://arxiv.org/abs/1710.09412).

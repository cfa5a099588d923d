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
# **You can already**: train a grid of networks in one run, and choose a setting on validation data (02, 07). **You will**: see a
# network learn wrong labels by heart, see SAM keep it from that, and find out how much of that is left once its rivals are tuned
# as hard.

# %%
import autograd.numpy as anp
import check
import check_08
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, cross_entropy
from minisam.array_backend import asarray, asnumpy, xp
from minisam.noisy_labels import Mixup, SmallLoss
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
# ## First, no weight decay
# A net with two hidden layers, 40 epochs, a cosine step size: ρ = 0, which is SGD, and five radii, ten seeds each.
#
# ### Predict
# What share of the lies does SGD know by heart in the end? Put a number from 0 to 1.

# %% tags=["prediction"]
prediction = None

# %%
model, epochs, batch, seeds = minisam.mlp([64, 64, 64, 10]), 40, 60, range(10)
rhos, steps = [0.0, 0.1, 0.2, 0.3, 0.4, 0.6], epochs * len(digits.x_train) // batch


def trained(optimizer, sweep=None, noise=(0.4,), seeds=seeds, epochs=epochs, **how):
    return minisam.train(model, noisy, optimizer, epochs, batch, seeds, sweep={"noise": noise} | (sweep or {}), **how)


plain = trained(lambda rho: SAM(SGD(cosine(0.1, steps), momentum=0.9), rho), {"rho": rhos}).select(noise=0.4)

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
# ### Explain
# What to look for at the left: SGD first learns what the labels have in common, which is the truth, and its accuracy rises. Then
# it learns the rest. Does the accuracy fall? And does SAM's fall less, or later? The gradient of an example is $p - e_y$ in the
# logits: what its label asks for and the network does not give. True labels ask for the same as others like them, and are soon
# satisfied. A lie stands alone, and goes on pulling until it is learnt. At the right: do the lies that are known by heart go down
# with ρ, and the test accuracy up, as long as the ball is not so large that nothing is learnt at all?
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
# Here they are clean, which is a luxury. **Exercise 2.** A network is right on a share a of the digits; of the validation labels
# a share r is replaced by one of the 9 other classes, each as likely. What accuracy does it seem to have? (A wrong answer may
# happen to be the lie.)


# %% tags=["exercise"]
def seeming(a, r):
    return ...


_ = check_08.seeming(seeming)


# %% jupyter={"source_hidden": true} tags=["solution"]
def seeming(a, r):
    return a * (1 - r) + (1 - a) * r / 9


_ = check_08.seeming(seeming)

# %%
rng = np.random.default_rng(0)
hit = rng.random((1000, len(digits.y_test))) < 0.4  # a thousand times other lies
told = (digits.y_test + hit * rng.integers(1, 10, hit.shape)) % 10
says = asnumpy(xp().argmax(model.apply(plain.w[:, 0], asarray(digits.x_test)), axis=-1))
for rho, one in zip(rhos, says, strict=True):
    a = np.mean(one == digits.y_test)
    print(f"ρ = {rho:.1f}: right {a:.1%}, seems {np.mean(one == told):.1%}, formula {seeming(a, 0.4):.1%}")

# %% [markdown]
# ### Explain
# $a(1-r) + (1-a)\,r/9$ rises with a as long as r < 0.9: so lies in the validation data leave the order of the settings, in the
# mean, and only make it noisier. One can choose ρ without clean labels, given enough of them.
#
# ## Second, everyone tuned
# Weight decay, too, keeps weights from growing to where lies are told. A claim for SAM has to hold against SGD with its own best
# step size and λ. And there are methods made for wrong labels. All get the same treatment: a grid, three seeds, chosen by the
# validation accuracy after the last epoch; then ten other seeds, reported on the test digits.

# %%
minisam.show(SmallLoss.step)


# %%
def base(l2, lr=0.1, longer=1):
    return SGD(cosine(lr, longer * steps), momentum=0.9, l2=l2)


def smooth(z, y):
    return cross_entropy(z, y, label_smoothing=0.3)


lr_l2 = {"lr": [0.05, 0.1, 0.2, 0.4], "l2": [0.0015, 0.005, 0.01]}
l2, gce = {"l2": [0.0, 0.0015, 0.005]}, {"loss": "generalised_cross_entropy"}
methods = {  # name: (optimizer, grid, what else)
    "SGD": (lambda lr, l2: base(l2, lr), lr_l2, {}),
    "SGD, twice the epochs": (lambda lr, l2: base(l2, lr, 2), lr_l2 | {"lr": [0.05, 0.2]}, {"epochs": 2 * epochs}),
    "SAM": (lambda rho, l2: SAM(base(l2), rho), {"rho": [0.1, 0.2, 0.3], "l2": [0.0015, 0.003, 0.005]}, {}),
    "label smoothing": (lambda l2: base(l2), l2, {"loss": smooth}),
    "mixup": (lambda l2: Mixup(base(l2)), l2, {}),
    "small-loss selection": (lambda l2: SmallLoss(base(l2), noise=0.4, warmup=steps // 4), l2, {}),
    "generalised CE": (lambda l2: base(l2), l2, gce),
    "SAM + generalised CE": (lambda rho, l2: SAM(base(l2), rho), {"rho": [0.05, 0.1, 0.2]} | l2, gce),
}

# %% [markdown]
# ### Predict
# 40% wrong labels, SGD and SAM each at its best. How many points of test accuracy (1 is 1%) is SAM ahead, if it is?

# %% tags=["prediction"]
prediction = None

# %%
noises, tuning, chosen, runs = (0.2, 0.4, 0.6), {}, {}, {}
for name, (make, grid, how) in methods.items():
    tuning[name] = trained(make, grid, seeds=range(100, 103), **how).select(noise=0.4)
    chosen[name] = tuning[name].choose()
    runs[name] = trained(make(**chosen[name]), noise=noises, **how)
    print(f"{name:22} {minisam.plot.told(chosen[name])}")
points = {name: 100 * run.evaluate(digits.x_test, digits.y_test)["accuracy"] for name, run in runs.items()}
check.predict(prediction, np.mean(points["SAM"][1] - points["SGD"][1]), "points")

# %% [markdown]
# SGD's grid, as chosen from. If the best were at a border, the grid would be too small:

# %%
grid = 100 * tuning["SGD"].history["validation_accuracy"][-1].mean(axis=-1)
figure, ax = plt.subplots(figsize=(4.4, 3), layout="constrained")
ax.imshow(grid, cmap="viridis")
for (row, column), value in np.ndenumerate(grid):
    ax.text(column, row, f"{value:.1f}", ha="center", va="center", color="white" if value < grid.mean() else "black")
ax.set_xticks(range(3), lr_l2["l2"])
ax.set_yticks(range(4), lr_l2["lr"])
ax.set(xlabel="λ", ylabel="lr", title="SGD: validation accuracy [%]")
plt.show()

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True, layout="constrained")
for k, (ax, noise) in enumerate(zip(axes, noises, strict=True)):
    for row, (name, accuracy) in enumerate(points.items()):
        mean, half = mean_and_interval(accuracy[k])
        colour = COLOURS[1] if "SAM" in name else COLOURS[0] if "SGD" in name else "grey"
        ax.errorbar(mean, row, xerr=half, fmt="o", capsize=3, color=colour)
    ax.set(title=f"{noise:.0%} wrong labels", xlabel="test accuracy [%]")
    ax.grid(axis="y", alpha=0.3)
axes[0].set_yticks(range(len(points)), points)
axes[0].invert_yaxis()
check.keep(figure, "08_everyone_tuned")
plt.show()

# %% [markdown]
# Intervals that overlap say little here, as all methods had the same starts and the same lies: look at the differences, seed by
# seed. They are twelve, and twelve intervals of 95% do not all hold with 95%: trust what is far from zero, or repeats.

# %%
for a, b in [
    ("SAM", "SGD"),
    ("SAM", "SGD, twice the epochs"),
    ("SAM", "generalised CE"),
    ("SAM + generalised CE", "SAM"),
]:
    told = []
    for k, noise in enumerate(noises):
        mean, half = mean_and_interval(points[a][k] - points[b][k])
        verdict = "not told apart" if abs(mean) < half else "more" if mean > 0 else "less"
        told.append(f"{noise:.0%}: {mean:+.1f} ± {half:.1f} ({verdict})")
    print(f"{a} − {b}:  " + ",  ".join(told))

# %% [markdown]
# ### Explain
# What to look for. Compare the gap between SAM and SGD here with the one between ρ = 0 and the best ρ in the first picture: how
# much of what SAM did can weight decay do? Do twice the epochs help SGD, or is more time only time to learn lies? Is any method
# made for wrong labels behind SAM? And does the generalised cross-entropy $(1 - p_y^q)/q$ go together with it? One changes which
# examples pull, the other where the gradient is taken. The settings were chosen at 40%; at 20% and 60% you see how they
# carry over, and selection, which was told to drop 40%, shows what a wrong guess of the noise costs. **Turn a knob**: tune at
# 60%; or replace `symmetric_noise` by `asymmetric_noise`, with at most 40%.
#
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

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
# # 18 · On real images
# **You can already**: compare two optimizers so that the answer holds (07). **You will**: train a convolutional network with batch
# norm on photographs; see what crops and flips do; say which of SAM's two passes batch norm should listen to; plan how many test
# pictures a comparison needs; and read what three recorded studies found.

# %%
import check
import check_18
import fashion
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, BatchLoss, epsilon, study
from minisam.array_backend import asarray, asnumpy
from minisam.optim import cosine
from minisam.plot import COLOURS

# %% [markdown]
# ## The question: does SAM help on photographs?
# The papers on SAM train large networks on millions of photographs. Fashion-MNIST has 70,000, of things to wear, in ten classes. A
# sample of 1,400 travels with the lessons, at half the size: 14×14 pixels. Each `draw(k)` splits it anew, into 600 pictures to
# train on, 300 to choose settings by, and 500 to report.

# %%
data = fashion.draw(0)
figure, axes = plt.subplots(3, 10, figsize=(9, 3.2), layout="constrained")
for k, column in enumerate(axes.T):
    for ax, pixels in zip(column, data.x_train[data.y_train == k], strict=False):
        ax.imshow(pixels.reshape(14, 14), cmap="Greys")
        ax.set(xticks=[], yticks=[])
    column[0].set_title(fashion.CLASSES[k], fontsize=8)
check.keep(figure, "18_fashion")
plt.show()

# %% [markdown]
# ## Crops and flips
# A coat that is moved by a pixel is a coat, and so is its mirror image. So one trains on moved and mirrored pictures, others at
# every step: there are 18 times as many, though they are not new things.
#
# **Exercise 1.** Put a frame of one zero pixel around the `picture` (h, w). Cut a window of the picture's size out of it, whose
# first row is row `dy` of the framed picture, and whose first column is column `dx` (both 0, 1 or 2). Then, if `mirror` is true,
# exchange left and right.


# %% tags=["exercise"]
def other_picture(picture, dy, dx, mirror):
    return ...


_ = check_18.other_picture(other_picture)


# %% jupyter={"source_hidden": true} tags=["solution"]
def other_picture(picture, dy, dx, mirror):
    h, w = picture.shape
    cut = np.pad(picture, 1)[dy : dy + h, dx : dx + w]
    return cut[:, ::-1] if mirror else cut


_ = check_18.other_picture(other_picture)

# %% [markdown]
# To try: which of them would you take for a picture of something else? And what would happen to a 2, or a 3?


# %%
def show_other(number=7, down=0, right=2, mirror=True):
    one = data.x_train[number].reshape(14, 14)
    figure, axes = plt.subplots(1, 2, figsize=(4, 2.1), layout="constrained")
    for ax, picture in zip(axes, (one, other_picture(one, down, right, mirror)), strict=True):
        ax.imshow(picture, cmap="Greys")
        ax.set(xticks=[], yticks=[], title=fashion.CLASSES[data.y_train[number]])
    plt.show()


_ = ipywidgets.interact(show_other, number=(0, 40), down=(0, 2), right=(0, 2), mirror=True)

# %% [markdown]
# The library's `crops_and_flips` draws the windows and mirrors for a whole batch, from seeds of its own, so a run can be repeated.
# Two networks from the same weights, on the same pictures in the same order, for 15 epochs: one sees the pictures as they are, the
# other crops and flips.
#
# ### Predict
# By how many points (1 is 1%) is the test accuracy with crops and flips above that without, after these 15 epochs? The mean of
# two draws.

# %% tags=["prediction"]
prediction = None

# %%
model, batch = minisam.cnn((8, 16), fashion.SHAPE, norm="batch"), 50
moved = minisam.data.crops_and_flips(fashion.SHAPE, padding=1)


def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def trained(k, epochs, augment):
    steps = epochs * 600 // batch
    return minisam.train(
        model, fashion.draw(k), sgd(0.1, 0.003, steps), epochs, batch, k, augment=augment, progress=False
    )


def accuracies(run, k):
    one = fashion.draw(k)
    parts = ((one.x_train, one.y_train), (one.x_test, one.y_test))
    return [float(run.evaluate(x, y)["accuracy"]) for x, y in parts]


# %%
lengths = [5, 15, 45]
found = {
    name: np.array([[accuracies(trained(k, epochs, augment), k) for k in range(2)] for epochs in lengths])
    for name, augment in (("as they are", None), ("crops and flips", moved))
}  # (epochs, draw, training or test)
check.predict(prediction, 100 * (found["crops and flips"] - found["as they are"])[1, :, 1].mean(), "points")

# %%
figure, ax = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
for colour, (name, values) in zip(COLOURS, found.items(), strict=False):
    for part, style in enumerate(("--", "-")):
        label = f"{name}, {('training', 'test')[part]}"
        ax.plot(lengths, 100 * values[..., part].mean(axis=1), f"o{style}", color=colour, label=label)
ax.set(xlabel="epochs", ylabel="accuracy [%]", xscale="log")
ax.set_xticks(lengths, lengths)
ax.minorticks_off()
ax.legend(fontsize=8)
check.keep(figure, "18_crops_and_flips")
plt.show()

# %% [markdown]
# Every point is a training of its own, whose step size falls to zero at its end. What to look for: how far is the accuracy on
# the training pictures above that on the test pictures, with and without? And which of the two is ahead after few epochs, and
# which after many?

# %% jupyter={"source_hidden": true}
plain, other = (100 * found[name].mean(axis=1) for name in ("as they are", "crops and flips"))  # (epochs, part)
ahead = other[:, 1] - plain[:, 1]
check.saw(
    f"After {lengths[-1]} epochs the network is right on {plain[-1, 0]:.0f}% of the pictures that it saw as they are, and on "
    f"{plain[-1, 1]:.0f}% of the test pictures; with crops and flips on {other[-1, 0]:.0f}% and {other[-1, 1]:.0f}%: "
    f"the gap is {plain[-1, 0] - plain[-1, 1]:.0f} points, and {other[-1, 0] - other[-1, 1]:.0f}. On test pictures, crops and flips are "
    + ", ".join(f"{points:+.1f} points after {epochs}" for epochs, points in zip(lengths, ahead, strict=True))
    + " epochs. So they hold back learning by heart, and they need time: to compare anything under them in few epochs compares how fast "
    "it trains."
)

# %% [markdown]
# ## Batch norm, which SAM passes twice
# Batch norm subtracts the mean of the batch from each channel, and divides by its standard deviation; for test pictures it uses
# running means, $m \leftarrow 0.9\,m + 0.1\,\mu_B$. SAM sends each batch through the network twice: at w, and at w + ε, where the
# channels have other means. If nobody takes care, both passes move m.
#
# **Exercise 2 (find the mistake).** "Both passes see true pictures, so let both move m" is what most first versions of SAM do. The
# network that is tested is the one at w. Return m after T steps as it should be, from m = 0; `at_w` and `at_up` (T,) are the batch
# means that the two passes saw.


# %% tags=["exercise"]
def running_mean(at_w, at_up):
    return ...


_ = check_18.running_mean(running_mean)


# %% jupyter={"source_hidden": true} tags=["solution"]
def running_mean(at_w, at_up):
    m = 0.0
    for mean in at_w:
        m = 0.9 * m + 0.1 * mean
    return m


_ = check_18.running_mean(running_mean)

# %% [markdown]
# In minisam a pass returns what batch norm saw of the batch, and a step reports that of its first look; nothing is written behind
# one's back:

# %%
minisam.show(minisam.training.epoch.Training.follow)

# %% [markdown]
# Does it matter? Train a network with SAM, and then test it three times: with the statistics of the passes at w, of those at
# w + ε, and with both mixed.

# %%
epochs, rho = 20, 0.2
run = minisam.train(
    model, data, SAM(sgd(0.1, 0.003, epochs * 600 // batch), rho), epochs, batch, 0, augment=moved, progress=False
)
up, down = [], []
for k in range(12):
    some = slice(50 * k, 50 * (k + 1))
    gradient = BatchLoss(model).on(asarray(data.x_train[some]), asarray(data.y_train[some])).gradient
    first = gradient(run.w)
    down.append(first.statistics)
    up.append(gradient(run.w + epsilon(first[1], rho)).statistics)

# %%
for name, seen in (("at w", down), ("at w + ε", up), ("both", down + up)):
    mean = {key: sum(one[key] for one in seen) / len(seen) for key in seen[0]}
    says = asnumpy(model.apply(run.w, asarray(data.x_test), mean)).argmax(axis=-1)
    off = max(float(abs(mean[key] - sum(one[key] for one in down) / len(down)).max()) for key in mean)
    print(
        f"{name:9}: right on {np.mean(says == data.y_test):.1%} of the test pictures; statistics off by up to {off:.2g}"
    )

# %% [markdown]
# ### Explain
# A channel's mean is $\mu = W\bar{x} + b$ for the mean input $\bar{x}$, so at w + ε it is off by about $\epsilon_W\,\bar{x}$, and
# ‖ε‖ = ρ bounds all of that together. The larger the ball, and the fewer the weights that share it, the more it matters; that a
# network still does well with the wrong statistics is luck of a small ball, and no reason to use them. In other libraries it is
# yours to see to: [lesson 17](17_is_your_sam_right.ipynb)'s checker tells of a loop in PyTorch how it moves them.
#
# ## How many test pictures?
# Two networks are tested on the same pictures. Where both are right, or both wrong, nothing is learnt about which is better: their
# difference on a picture is $d = [a\ \mathrm{right}] - [b\ \mathrm{right}]$, which is 1, 0 or −1.
#
# **Exercise 3 (design).** You have a pilot: `a` and `b` (n,) are 1.0 where network a, or b, is right, and 0.0 elsewhere. How many test
# pictures are needed until the 95% interval of the difference of their accuracies, ±1.96 standard errors, is ±`half`?


# %% tags=["exercise"]
def pictures_needed(a, b, half):
    return ...


_ = check_18.pictures_needed(pictures_needed)


# %% jupyter={"source_hidden": true} tags=["solution"]
def pictures_needed(a, b, half):
    return (1.96 / half) ** 2 * np.var(a - b)


_ = check_18.pictures_needed(pictures_needed)

# %% [markdown]
# The pilot: the network above, and one that SGD trained on the same pictures. One of each is no contest; they only show on how
# many pictures two such networks differ.

# %%
steps = epochs * 600 // batch
rival = minisam.train(model, data, sgd(0.1, 0.003, steps), epochs, batch, 0, augment=moved, progress=False)
right = [
    (asnumpy(model.apply(one.w, asarray(data.x_test), one.running)).argmax(axis=-1) == data.y_test).astype(float)
    for one in (run, rival)
]
print(
    f"SAM {right[0].mean():.1%}, SGD {right[1].mean():.1%}, on 500 pictures; they differ on {np.mean(right[0] != right[1]):.0%}"
)
for half in (0.02, 0.01, 0.005):
    print(f"for ±{100 * half:g} points: {pictures_needed(*right, half):,.0f} test pictures")

# %% [markdown]
# That is one source of doubt. Another network from other weights differs, too, and so does one trained on other pictures: no number
# of test pictures tells that. So a study draws all anew for each of its units, and its intervals are over units.
#
# ## SAM against SGD
# A small study, live: three settings each, chosen on one draw, reported on three others, crops and flips for both.

# %%
methods = {
    "SGD": (lambda lr, steps: sgd(lr, 0.001, steps), {"lr": [0.05, 0.1, 0.2]}),
    "SAM": (lambda rho, steps: SAM(sgd(0.1, 0.001, steps), rho), {"rho": [0.025, 0.05, 0.1]}),
}
problem = study.Problem(model, fashion.draw, 10, batch, augment=moved)
small = study.compare(problem, methods, delta=0.01, units=3, tuning=1)
print(small.table())
print(*small.verdicts(), sep="\n")

# %% [markdown]
# Three recorded studies, each over Fashion-MNIST drawn anew for every unit, with 12 settings for each method: a network like the
# one here on 2,000 pictures ([its page](../evidence/clean_images.md)); a small residual net on 800, without crops and flips
# ([page](../evidence/resnet_images.md)); and an MLP where 40% of the labels are wrong ([page](../evidence/images_noise.md)).
#
# ### Predict
# In how many of the three is SAM *better* than SGD at equal epochs, with its whole interval above 0?

# %% tags=["prediction"]
prediction = None

# %%
records = {
    "CNN, 2,000 pictures": "clean_images",
    "residual net, 800": "resnet_images",
    "MLP, 40% wrong labels": "images_noise",
}
theirs = {
    name: {
        budget: v
        for v in check.recorded(file).verdicts("SGD")
        if v.comparison.method == "SAM"
        for budget in v.comparison.budgets
    }
    for name, file in records.items()
}
check.predict(prediction, sum(each["equal epochs"].word == "better" for each in theirs.values()), "of 3")
for name, each in theirs.items():
    for budget, v in each.items():
        print(f"{name}, {budget}: {100 * v.effect:+.2f} ± {100 * v.half_width:.2f} points, {v.word}")

# %%
figure, ax = plt.subplots(figsize=(7.5, 3.2), layout="constrained")
for k, budget in enumerate(("equal epochs", "equal gradients")):
    for row, each in enumerate(theirs.values()):
        v = each[budget]
        place = row + 0.2 * (k - 0.5)
        label = budget if row == 0 else None
        ax.errorbar(100 * v.effect, place, xerr=100 * v.half_width, fmt="o", capsize=3, color=COLOURS[k], label=label)
ax.axvline(0, color="black", linewidth=0.8)
ax.axvspan(-1, 1, color="grey", alpha=0.15)
ax.set_yticks(range(len(theirs)), theirs)
ax.invert_yaxis()
ax.set(xlabel="SAM's accuracy minus SGD's, points")
ax.legend(fontsize=8)
check.keep(figure, "18_three_studies")
plt.show()

# %% [markdown]
# Means with 95% intervals over units; within the grey band a difference is too small to matter. What to look for: is there one answer
# to the question of this lesson? Where do the two budgets disagree, and why would twice the epochs help SGD in one place and harm it
# in another?

# %% jupyter={"source_hidden": true}
told = "; ".join(
    f"{name}: {100 * each['equal epochs'].effect:+.1f} ± {100 * each['equal epochs'].half_width:.1f} ({each['equal epochs'].word}) at equal epochs, "
    f"{100 * each['equal gradients'].effect:+.1f} ± {100 * each['equal gradients'].half_width:.1f} ({each['equal gradients'].word}) at equal gradients"
    for name, each in theirs.items()
)
means = {
    name: {budget: 100 * np.mean(outcomes["SGD"].scores) for budget, outcomes in check.recorded(file).budgets.items()}
    for name, file in records.items()
}
change = "; ".join(f"{name} {each['equal gradients'] - each['equal epochs']:+.1f}" for name, each in means.items())
check.saw(
    f"No: it depends. {told}. Twice the epochs change SGD's own accuracy by so many points: {change}. Where the network was not yet trained "
    "to its end, time is worth more than a second gradient; where the labels lie, time is spent on learning lies, and SAM, which may "
    "not have it, keeps what it has."
)

# %% [markdown]
# **Turn a knob**: the whole of Fashion-MNIST, in its full size. The switch below trains on 10,000 pictures of 28×28, some minutes on a
# CPU; with a GPU, put `minisam.array_backend.use("cupy")` above it. (It asks for Debian's `dataset-fashion-mnist`, or downloads the
# files.) The recorded studies are made anew by `make evidence CLAIM=clean_images`.

# %%
WHOLE = False
if WHOLE:
    large = minisam.data.subset(minisam.data.fashion_mnist(), 10_000)
    net, twice = minisam.cnn((16, 32), large.shape, norm="batch"), minisam.data.crops_and_flips(large.shape)
    steps = 15 * 10_000 // 100
    for name, optimizer in (("SGD", sgd(0.1, 0.001, steps)), ("SAM", SAM(sgd(0.1, 0.001, steps), 0.1))):
        run = minisam.train(net, large, optimizer, 15, 100, range(2), augment=twice)
        print(name, run.evaluate(large.x_test, large.y_test)["accuracy"])

# %% [markdown]
# ## What this leaves open
# These are small pictures and small networks: what holds for a large net on ImageNet, this does not tell. [The page of
# claims](../evidence/README.md) has all that was tried here, what held and what did not, and each can be run again.
#
# ## Where this comes from
# - H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST*, 2017, [arXiv:1708.07747](https://arxiv.org/abs/1708.07747).
# - P. Foret et al., *Sharpness-Aware Minimization*, ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), section 3.1
#   (images).
# - S. Ioffe, C. Szegedy, *Batch Normalization*, ICML 2015, [arXiv:1502.03167](https://arxiv.org/abs/1502.03167).
# - K. He et al., *Deep Residual Learning*, CVPR 2016, [arXiv:1512.03385](https://arxiv.org/abs/1512.03385) (crops and flips,
#   section 4.2).
# - The running statistics of SAM's two passes: davda54/sam, [issue 17](https://github.com/davda54/sam/issues/17).

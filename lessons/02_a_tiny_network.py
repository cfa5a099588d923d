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
# # 02 · A tiny network on real digits
# **You can already**: get a gradient and check it (01). **You will**: see all weights of a network as one vector, train it by
# hand on handwritten digits, with SGD and with Adam, and say how sure you are of its accuracy.

# %%
import check
import check_02
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SGD, Adam
from minisam.array_backend import asarray, asnumpy
from minisam.plot import COLOURS
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: what is there to train?
# 1,797 digits, written by hand, of 8×8 pixels, in three parts: to train on, to choose by, and to report. The last part is not
# looked at until the end.

# %%
digits = minisam.data.digits()
print("train", digits.x_train.shape, " validation", digits.x_validation.shape, " test", digits.x_test.shape)
figure, axes = plt.subplots(1, 10, figsize=(9, 1.3), layout="constrained")
for ax, pixels, label in zip(axes, digits.x_train, digits.y_train, strict=False):
    ax.imshow(pixels.reshape(8, 8), cmap="Greys")
    ax.set(title=label, xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## One vector
# The network takes 64 pixels to 32 hidden numbers and those to 10 *logits*, one a class. It has matrices and biases, but to an
# optimizer they are one flat vector w.
#
# **Exercise 1.** How many weights has a network with the layers `sizes` (matrices and biases)?


# %% tags=["exercise"]
def count(sizes):
    return ...


_ = check_02.size(count)


# %% jupyter={"source_hidden": true} tags=["solution"]
def count(sizes):
    return sum(i * o + o for i, o in zip(sizes[:-1], sizes[1:], strict=True))


_ = check_02.size(count)
# %%
model = minisam.mlp([64, 32, 10])
w = model.init(seed=0)
print("w has shape", w.shape)
for name, view in model.unflatten(w).items():
    print(f"{name}: {view.shape}")

# %% [markdown]
# ### Predict
# These are *views*: windows onto w, not copies. The vector is w = (W0, b0, W1, b1), one behind the other. If all of b1 is set to 7,
# how many entries of w change?

# %% tags=["prediction"]
prediction = None

# %%
before = w.copy()
model.unflatten(w)["b1"][...] = 7
check.predict(prediction, np.count_nonzero(asnumpy(w) != asnumpy(before)))
w = before

# %% [markdown]
# ### Explain
# The bias b1 of the last layer has one number a class, and a view writes through to w. A layer computes
#
# $$y = x W + b, \qquad W \in \mathbb{R}^{i \times o}, \; b \in \mathbb{R}^o$$
#
# and `model.unflatten` says where in w its numbers lie. Between the two layers stands $\mathrm{relu}(a) = \max(a, 0)$, entry by entry: without
# it, two layers would be one. That is the whole network:

# %%
p, x = model.unflatten(w), asarray(digits.x_train)
hidden = np.maximum(x @ p["W0"] + p["b0"], 0)
by_hand = hidden @ p["W1"] + p["b1"]
print("by hand and by model.apply differ by", float(abs(by_hand - model.apply(w, x)).max()))

# %% [markdown]
# An optimizer need not know of layers, nor SAM: to them w is a point in space.
#
# ## The loss
# The softmax makes probabilities of logits, $p_j = e^{z_j} / \sum_k e^{z_k}$, and the loss of an example is how surprised the
# network is by the true label: $-\log p_\text{label}$, its *cross-entropy*.
#
# **Exercise 2.** Write it, as the mean over a batch: z of shape (m, c), labels y of shape (m,). `z[np.arange(m), y]` picks an
# entry from each row.


# %% tags=["exercise"]
def cross_entropy(z, y):
    return ...


_ = check_02.cross_entropy(cross_entropy)


# %% jupyter={"source_hidden": true} tags=["solution"]
def cross_entropy(z, y):
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(y)), y])


_ = check_02.cross_entropy(cross_entropy)
# %% [markdown]
# The library's is the same, except that it survives logits of 10,000, where $e^z$ does not:

# %%
y = asarray(digits.y_train)
z = model.apply(w, x)
print("yours    ", cross_entropy(asnumpy(z), digits.y_train))
print("minisam's", minisam.cross_entropy(z, y), "  at logits 10,000 times as large:", minisam.cross_entropy(1e4 * z, y))
print("log 10 =", np.log(10), "is what guessing costs")

# %% [markdown]
# ## The step
# `minisam.value_and_grad(model)` gives the loss and the gradient as a vector like w, and then a step is one line.
#
# **Exercise 3.** Stochastic gradient descent: from weights w, gradient g and step size lr to the new weights.


# %% tags=["exercise"]
def sgd_step(w, g, lr):
    return ...


_ = check_02.sgd_step(sgd_step)


# %% jupyter={"source_hidden": true} tags=["solution"]
def sgd_step(w, g, lr):
    return w - lr * g


_ = check_02.sgd_step(sgd_step)
# %% [markdown]
# ### Predict
# Ten passes over the 900 training digits, in batches of 64. What share of the **validation** digits will the network get right?

# %% tags=["prediction"]
prediction = None

# %%
loss_and_grad = minisam.value_and_grad(model)
w, rng, losses = model.init(seed=0), np.random.default_rng(0), []
for _ in range(10):
    order = rng.permutation(len(x))
    for batch in order[: len(x) // 64 * 64].reshape(-1, 64):
        loss, g = loss_and_grad(w, x[batch], y[batch])
        w = sgd_step(w, g, lr=0.5)
        losses.append(float(loss))
outputs = model.apply(w, asarray(digits.x_validation))
check.predict(prediction, float(minisam.accuracy(outputs, asarray(digits.y_validation))))

# %% [markdown]
# ### Explain
# The loop has three ideas and no more: a shuffled pass, a gradient from a batch in place of the whole set, and a step against it,
#
# $$w \leftarrow w - \eta \, \nabla L_{\text{batch}}(w)$$
#
# `minisam.train` is this loop, with a record, checkpoints, and a progress bar. The library's SGD has your line, and besides it
# momentum, a running sum of gradients that is followed instead of the last one:

# %%
minisam.show(SGD.update)

# %% [markdown]
# ## How sure are you?
# Another seed, another accuracy. The honest answer is a mean and an interval over several seeds. Ten seeds are not ten programs:
# w of shape (10, n) is ten networks, each with its own start and its own order of the data, trained in one run.

# %%
optimizers = {"SGD": SGD(0.1, momentum=0.9), "Adam": Adam(0.003)}
runs = {
    name: minisam.train(model, digits, optimizer, epochs=20, seed=range(10), progress=False)
    for name, optimizer in optimizers.items()
}
for name, run in runs.items():
    mean, half = mean_and_interval(run.history["validation_accuracy"][-1])
    print(f"{name:5} validation accuracy {mean:.1%} ± {half:.1%}   (w has shape {run.w.shape})")

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for colour, (name, run) in zip(COLOURS, runs.items(), strict=False):
    for ax, key in zip(axes, ("train_loss", "validation_accuracy"), strict=True):
        mean, half = mean_and_interval(run.history[key])
        ax.plot(run.history["epoch"], mean, color=colour, label=name)
        ax.fill_between(run.history["epoch"], mean - half, mean + half, color=colour, alpha=0.25)
        ax.set(xlabel="epoch", ylabel=key.replace("_", " "))
axes[0].set_yscale("log")
axes[1].legend()
check.keep(figure, "02_two_optimizers")
plt.show()

# %% [markdown]
# ### Explain
# The band is the 95% interval of the mean, from how far the n = 10 seeds scatter around it,
#
# $$\bar a \pm t \, \frac{s}{\sqrt n}$$
#
# where t is 2.26 for ten. With ten other seeds, the mean would likely lie there. Two methods whose bands overlap much have not
# been told apart. (To add seeds until the bands part is no way out: who does so long enough will see them part by chance.)
#
# And with other digits? The seeds draw the start and the order. They share one split into digits to train on and digits to be
# tried on, and that was drawn, too. Take ten splits, with ten seeds each.
#
# ### Predict
# The interval above is around the mean of split 0. In how many of the nine other splits does the mean of ten seeds lie within it?

# %% tags=["prediction"]
prediction = None

# %%
mean, half = mean_and_interval(runs["SGD"].history["validation_accuracy"][-1])
means = []
for k in range(10):
    run = minisam.train(model, minisam.data.digits(k), optimizers["SGD"], epochs=20, seed=range(10), progress=False)
    means.append(run.history["validation_accuracy"][-1].mean())
check.predict(prediction, np.sum(np.abs(np.array(means[1:]) - mean) < half))
print("the means of the splits:", "  ".join(f"{each:.1%}" for each in means))
print(f"over seeds of split 0: {mean:.1%} ± {half:.1%};", end="  ")
print("over splits: {:.1%} ± {:.1%}".format(*mean_and_interval(np.array(means))))

# %% [markdown]
# ### Explain
# The first interval answers "what if I start this program again?", the second "what if I draw other digits?". Whoever reads of an
# accuracy wants to know the second. So the unit that one counts is the split, and seeds within it are only averaged. (Even that holds for
# splits of these 1,797 digits, and not yet for other handwriting.)
#
# ## Which digits does it get wrong?
# Now, once, the test part: the digits on which most of the ten networks fail.

# %%
test = runs["SGD"].evaluate(digits.x_test, digits.y_test)
mean, half = mean_and_interval(test["accuracy"])
print(f"SGD: test accuracy {mean:.1%} ± {half:.1%}")
logits = asnumpy(model.apply(runs["SGD"].w, asarray(digits.x_test)))  # (10 networks, examples, 10 classes)
wrong = np.mean(np.argmax(logits, axis=-1) != digits.y_test, axis=0)
hardest = np.argsort(-wrong, kind="stable")
figure, axes = plt.subplots(1, 8, figsize=(9, 1.6), layout="constrained")
for ax, i in zip(axes, hardest, strict=False):
    ax.imshow(digits.x_test[i].reshape(8, 8), cmap="Greys")
    ax.set(title=f"a {digits.y_test[i]}\nwrong {wrong[i]:.0%}", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# And how sure are the networks themselves? Each dot is a network's probability of a class. Move through the digits, from the one
# that most networks get wrong on. What to look for: do the ten agree when they are wrong?


# %%
def draw(place=0):
    i = hardest[place]
    odds = np.exp(logits[:, i] - logits[:, i].max(axis=-1, keepdims=True))
    odds = odds / odds.sum(axis=-1, keepdims=True)
    figure, axes = plt.subplots(1, 2, figsize=(7, 2.4), layout="constrained", width_ratios=(1, 3))
    axes[0].imshow(digits.x_test[i].reshape(8, 8), cmap="Greys")
    axes[0].set(title=f"a {digits.y_test[i]}", xticks=[], yticks=[])
    axes[1].plot(np.tile(np.arange(10), (10, 1)), odds, "o", color=COLOURS[0], alpha=0.4)
    axes[1].axvline(digits.y_test[i], color="grey", linestyle=":")
    axes[1].set(xlabel="class", ylabel="probability", xticks=range(10), ylim=(-0.05, 1.05))
    plt.show()


draw()

# %%
_ = ipywidgets.interact(draw, place=(0, 100))

# %% [markdown]
# ## What this leaves open
# Both optimizers go where the training loss is low. Many places have a low training loss: is one of them better than another?
# Lesson 03 looks at the neighbourhood.
#
# ## Where this comes from
# - E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository, 1998 (the data).
# - D. P. Kingma, J. Ba, *Adam*, ICLR 2015, [arXiv:1412.6980](https://arxiv.org/abs/1412.6980).
# - K. He et al., *Delving Deep into Rectifiers*, ICCV 2015, [arXiv:1502.01852](https://arxiv.org/abs/1502.01852) (the initial weights).

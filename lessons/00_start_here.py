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
# # 00 · Start here
# **You can already**: read Python with NumPy, and say what a gradient is. **You will**: run a lesson, make predictions, have
# exercises checked, and see in one picture what Sharpness-Aware Minimization (SAM) is about.
#
# Run a cell with Shift+Enter. A lesson runs from top to bottom as it stands: exercises that you leave open only say so.

# %%
import check
import check_00
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, array_backend
from minisam.array_backend import asarray, asnumpy
from minisam.plot import COLOURS

# %% [markdown]
# ## What it is about
# Here are 600 handwritten digits, 40% of which have been given a wrong label. Two networks learn from them for 40 epochs, that is, 40
# times through all of them: one by gradient descent (SGD), one by SAM, each with six sets of wrong labels. How many digits that they
# have not seen do they get right, epoch by epoch? (How all this is done comes in lessons 01 to 03.)

# %%
digits, model = minisam.data.subset(minisam.data.digits(), 600), minisam.mlp([64, 64, 64, 10])
sgd = SGD(minisam.optim.cosine(0.1, 40 * 600 // 60), momentum=0.9)  # its step size falls to 0


def wrong_labels(seed):
    return minisam.data.symmetric_noise(digits, 0.4, seed)


figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for colour, (name, optimizer) in zip(COLOURS, {"SGD": sgd, "SAM": SAM(sgd, rho=0.2)}.items(), strict=False):
    run = minisam.train(model, wrong_labels, optimizer, 40, 60, seed=range(6), progress=False)
    accuracy = run.history["validation_accuracy"]  # (epoch, seed)
    minisam.plot.draw_band(ax, run.history["epoch"], accuracy, name, colour)
    print(f"{name} ends at {accuracy[-1].mean():.0%}")
ax.set(xlabel="epoch", ylabel="right on new digits", title="40% of the labels are wrong")
ax.legend()
check.keep(figure, "00_wrong_labels")
plt.show()

# %% [markdown]
# SGD learns what the digits look like, and then learns the wrong labels by heart, which it pays for. SAM holds that back. Why? It
# looks for a place where the loss is low all around, a *flat* minimum; the idea is that a network which knows single labels by heart
# is not at one. Is the idea right? Does SAM always help? And is there nothing cheaper that does the same? The lessons ask that, and
# not all answers are in SAM's favour.
#
# All of it runs on NumPy, or on a GPU through CuPy: `asarray` takes numbers over to where the lesson runs, `asnumpy` brings them
# back, for printing and drawing. Lesson 15 shows the switch.

# %%
print("this lesson runs on:", array_backend.name())

# %% [markdown]
# ## The question: which of many minima do you end in?
# Here is a loss with two weights, $L(x, y) = (xy)^2/2$. All points with $x = 0$ are minima, and all are equally deep; but
# across the valley the curvature is $y^2$: far up the valley is sharp, near $y = 0$ it is flat. A function of `w` works on many
# weights at once: the last axis holds the weights of one run, the axes before it are *replicas*, separate runs done together.


# %%
def valley(w):
    return (w[..., 0] * w[..., 1]) ** 2 / 2


x, y = np.meshgrid(np.linspace(-1, 1, 101), np.linspace(0, 3.2, 101))
levels = np.geomspace(1e-3, 5, 12)
figure, ax = plt.subplots(figsize=(4.5, 3.6), layout="constrained")
ax.contour(x, y, valley(np.stack([x, y], axis=-1)), levels=levels, cmap="viridis", norm="log")
ax.axvline(0, color="black", linewidth=1)
ax.set(xlabel="x", ylabel="y", title="minima all along x = 0: sharp above, flat below")
plt.show()

# %% [markdown]
# ### Predict
# We start ten runs at $x = 0.3$ and $y$ between 1 and 2.5, and take 5,000 steps with gradient descent (SGD), and with SAM, which
# looks ρ = 0.05 uphill before each step. The highest run starts at $y = 2.5$, and SGD ends nearby. At which $y$ will **SAM** end
# from there? Put a number in the next cell. Whatever you put, run on: a prediction makes you look, and nobody marks it.

# %% tags=["prediction"]
prediction = None

# %%
loss_and_grad = minisam.value_and_grad(valley)
starts = asarray(np.stack([np.full(10, 0.3), np.linspace(1.0, 2.5, 10)], axis=-1))


def path(optimizer, steps=5000):
    w, state, way = starts, optimizer.init(starts), [asnumpy(starts)]
    for _ in range(steps):
        w, state, info = optimizer.step(w, state, loss_and_grad)
        way.append(asnumpy(w))
    return np.array(way)


paths = {"SGD": path(SGD(0.2)), "SAM": path(SAM(SGD(0.2), rho=0.05))}
print(f"SGD ends at y = {paths['SGD'][-1, -1, 1]:.3f}")
check.predict(prediction, paths["SAM"][-1, -1, 1])

# %% [markdown]
# ### Explain
# SGD falls to the floor of the valley and has no reason to go on: the gradient there is zero. SAM never rests: from either side
# of the floor it looks uphill, steps to the other side, and with each step a little down the valley, to where the walls are lower.
# It descends not the loss but
#
# $$\max_{\|\epsilon\| \le \rho} L(w + \epsilon)$$
#
# the worst loss within reach, and that is low only where the whole neighbourhood is.


# %%
def draw(paths):
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
    for ax, colour, (name, way) in zip(axes, COLOURS[:2], paths.items(), strict=True):
        ax.contour(x, y, valley(np.stack([x, y], axis=-1)), levels=levels, cmap="Greys_r", norm="log", linewidths=0.6)
        ax.plot(way[:, :, 0], way[:, :, 1], color=colour, linewidth=0.8, alpha=0.6)
        ax.plot(*way[0].T, "o", color="grey", markersize=4, label="starts")
        ax.plot(*way[-1].T, "o", color=colour, label="ends")
        ax.set(xlabel="x", xlim=(-0.6, 0.6), title=f"{name} from ten starts")
        ax.legend(loc="lower right")
    axes[0].set_ylabel("y: flat below, sharp above")
    return figure


figure = draw(paths)
check.keep(figure, "00_valley")
plt.show()

# %% [markdown]
# The picture makes sense of the step. Here it is as the library has it: it looks uphill (`eps`) and asks for the gradient there; a
# base optimizer then goes downhill with that gradient. `minisam.show` prints any function of the library.

# %%
minisam.show(SAM.direction)


# %% [markdown]
# **Turn a knob.** Move ρ and the number of steps. What to look for: how much faster does SAM travel when ρ is twice as large?
# With ρ = 0, whom do you see?


# %%
def turn(rho=0.05, steps=1000):
    draw({"SGD": path(SGD(0.2), steps), f"SAM, ρ = {rho:.2f},": path(SAM(SGD(0.2), rho), steps)})
    plt.show()


_ = ipywidgets.interact(turn, rho=(0.0, 0.2, 0.01), steps=(10, 2000, 10))

# %% [markdown]
# ### Exercises
# An exercise is a function with a hole, `...`. Fill it, run the cell, and read what the check says; a wrong answer is told what is
# wrong with it. The solution is folded under it.
#
# **1.** The simplest loss of all is a bowl, $L(w) = h w^2 / 2$. Write it.


# %% tags=["exercise"]
def bowl(h, w):
    return ...


_ = check_00.bowl(bowl)


# %% jupyter={"source_hidden": true} tags=["solution"]
def bowl(h, w):
    return h * w**2 / 2


_ = check_00.bowl(bowl)

# %% [markdown]
# **2.** A step of SAM asks for the gradient twice, at w and at w + ε. How many gradients do `steps` steps cost?


# %% tags=["exercise"]
def gradients(steps):
    return ...


_ = check_00.gradients(gradients)


# %% jupyter={"source_hidden": true} tags=["solution"]
def gradients(steps):
    return 2 * steps


_ = check_00.gradients(gradients)

# %% [markdown]
# **3.** In the bowl, where does SAM look from w? It goes ρ far, up the gradient (which is $h w$, with h > 0).


# %% tags=["exercise"]
def uphill(w, rho):
    return ...


_ = check_00.uphill(uphill)


# %% jupyter={"source_hidden": true} tags=["solution"]
def uphill(w, rho):
    return w + rho * np.sign(w)


_ = check_00.uphill(uphill)
# %% [markdown]
# ## What this leaves open
# Who found the gradient of the valley, and can one trust it? That is lesson 01. And the valley was made for SAM: being flat is
# not yet being good. Whether it helps on data is a question for experiments, with repetitions and intervals, from lesson 02 on.
#
# ## Where this comes from
# - P. Foret, A. Kleiner, H. Mobahi, B. Neyshabur, *Sharpness-Aware Minimization for Efficiently Improving Generalization*,
#   ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412).
# - Y. Dai, K. Ahn, S. Sra, *The Crucial Role of Normalization in Sharpness-Aware Minimization*, NeurIPS 2023 (the valley).
# - S. Hochreiter, J. Schmidhuber, *Flat Minima*, Neural Computation 9(1), 1997.

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
# # 16 · Your own variant, and whether it helps
# **You can already**: read a variant in the library (11, 12) and sweep one (15). **You will**: write one in five lines, check it
# before you believe it, tune it as hard as its rivals, and say honestly whether it helps.

# %%
from dataclasses import dataclass

import check
import check_16
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, BatchLoss, sam
from minisam.array_backend import asarray, asnumpy
from minisam.data import symmetric_noise
from minisam.optim import cosine
from minisam.plot import COLOURS
from minisam.sam import Variant
from minisam.sam.algebra import Look
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: you have an idea. Is it a better SAM?
# A variant says how it differs from SAM: `where` says where to look (it returns ε), and `take` what to take from there. In both,
# `look()` is $\nabla L(w)$, `look(eps)` is $\nabla L(w + \epsilon)$, and `look.uphill(g)` is SAM's own ε. The base optimizer, the
# L2 term and the count of gradients are the same for all variants:

# %%
minisam.show(sam.Variant.direction)
minisam.show(sam.Variant.step)
minisam.show(sam.StableSAM)

# %% [markdown]
# ## The idea
# SAM looks always exactly ρ far. A minimum could hide a wall at half that distance, or at twice. So let each step look a random
# part of the way: $\epsilon = 2 u \rho\, g/\|g\|$ with u drawn evenly from 0 to 1. In the mean it is ρ long, like SAM's, and
# costs the same.
#
# **Exercise 1.** Write that ε.


# %% tags=["exercise"]
def part_of_the_way(g, rho, u):
    return ...


_ = check_16.part_of_the_way(part_of_the_way)


# %% jupyter={"source_hidden": true} tags=["solution"]
def part_of_the_way(g, rho, u):
    return 2 * u * rho * g / np.linalg.norm(g)


_ = check_16.part_of_the_way(part_of_the_way)

# %% [markdown]
# As a variant it takes five lines. `look.uphill` is used in place of the division, because it knows what to do with a gradient of
# zero. The random number comes from a seed and the number of the step, so a training that was interrupted goes on with the same
# numbers; and each seed of a run draws its own.


# %%
@dataclass(frozen=True)
class RaySAM(Variant):
    """Look a random part of the way: ε = 2uρ g/‖g‖ with u ~ U(0, 1), one u per step and seed. 2 gradients."""

    seed: int = 0

    def where(self, g, look, state):
        u = look.uniform("ray", self.seed, state["t"])[..., :1]
        return 2 * u * look.uphill(g)


# %% [markdown]
# ## Is it what you meant?
# An idea that was coded wrong gives no error, only a number. Four questions find most mistakes. First, the limit: with ρ = 0 it
# has to be the base optimizer, bit for bit. Second, replicas: each has to be what it would be alone.

# %%
digits = minisam.data.digits(train=600)
small = minisam.mlp([64, 6, 10], "tanh")
batch = BatchLoss(small).on(asarray(digits.x_train[:64].astype("float64")), asarray(digits.y_train[:64]))


def after(optimizer, w, steps=20):
    state = optimizer.init(w)
    for _ in range(steps):
        w, state, info = optimizer.step(w, state, batch)
    return asnumpy(w)


pair, base = small.init([0, 1], "float64"), SGD(0.1, momentum=0.9)
print("ρ = 0, furthest from the base", np.abs(after(RaySAM(base, 0.0), pair) - after(base, pair)).max())
print(
    "second of two, furthest from alone",
    np.abs(after(RaySAM(base, 0.1), pair)[1] - after(RaySAM(base, 0.1), pair[1])).max(),
)

# %% [markdown]
# Third, the derivative: with ε held where it was found, what the variant takes has to be the gradient of what it says it
# descends, here $L(w + \epsilon)$. Central differences know. Fourth, the invariant: how long is ε, in the mean over many steps?

# %%
ray = RaySAM(base, 0.1)
look = Look(pair[0], batch, ray)
taken = ray.direction(look, {"t": 0})
print("the gradient is wrong by", minisam.check_grad(lambda w: (batch(w + look.eps)[0], taken), pair[0]))
lengths = []
for t in range(2000):
    look = Look(pair[0], batch, ray)
    ray.direction(look, {"t": t})
    lengths.append(float(look.info()["eps_norm"]) / 0.1)
print(f"‖ε‖/ρ is {np.mean(lengths):.3f} in the mean, from {min(lengths):.3f} to {max(lengths):.3f}")

# %% [markdown]
# ## Against whom?
# Against SAM, and against SGD, each tuned as hard as yours. And against SGD with as many gradients as yours spends.
#
# **Exercise 2.** Your variant trains for `epochs` and spends `evaluations` gradients a step. How many epochs may SGD have?


# %% tags=["exercise"]
def fair_epochs(epochs, evaluations):
    return ...


_ = check_16.fair_epochs(fair_epochs)


# %% jupyter={"source_hidden": true} tags=["solution"]
def fair_epochs(epochs, evaluations):
    return epochs * evaluations


_ = check_16.fair_epochs(fair_epochs)

# %% [markdown]
# The setting is one where SAM has something to do (lesson 08): 600 digits, 40% of whose labels are wrong, each seed with wrong
# labels of its own. Every method has twelve combinations to choose from. They are judged on validation digits, which are clean,
# by seeds that are not used again.

# %%
epochs, model = 50, minisam.mlp([64, 64, 64, 10])


def noisy(seed):
    return symmetric_noise(digits, 0.4, seed)


def base(lr, epochs, l2=0.0):
    return SGD(cosine(lr, epochs * (600 // 64)), momentum=0.9, l2=l2)


lr_l2 = {"lr": [0.1, 0.2, 0.3], "l2": [0.003, 0.005, 0.007, 0.01]}
rho_l2 = {"rho": [0.2, 0.3, 0.4], "l2": [0.001, 0.002, 0.003, 0.005]}
methods = {  # name: (optimizer, what is tuned, epochs)
    "SGD": (lambda lr, l2: base(lr, epochs, l2), lr_l2, epochs),
    "SGD, twice as long": (lambda lr, l2: base(lr, 2 * epochs, l2), lr_l2, 2 * epochs),
    "SAM": (lambda rho, l2: SAM(base(0.1, epochs), rho, l2=l2), rho_l2, epochs),
    "RaySAM": (lambda rho, l2: RaySAM(base(0.1, epochs), rho, l2=l2), rho_l2, epochs),
}

# %%
chosen = {}
for name, (make, grid, length) in methods.items():
    tuning = minisam.train(model, noisy, make, epochs=length, seed=range(100, 104), sweep=grid)
    chosen[name] = tuning.choose()
    first, second = grid
    print(f"{name}: validation accuracy [%], {first} down {grid[first]}, {second} across {grid[second]}")
    print(np.round(100 * tuning.history["validation_accuracy"][-1].mean(axis=-1), 1))
    print("    chosen:", chosen[name])

# %% [markdown]
# **Look at the edges**: where the best value lies at the rim of a grid, the grid was too small. And how far apart are neighbours?
# By less than the seeds scatter, and the choice is partly luck, for every method alike.
#
# ### Predict
# Now ten new seeds for each, on the test digits, once. By how many points of accuracy is RaySAM better than SAM? (Worse is
# negative.)

# %% tags=["prediction"]
prediction = None

# %%
accuracy = {}  # in %, one entry a seed
for name, (make, _, length) in methods.items():
    run = minisam.train(model, noisy, make(**chosen[name]), epochs=length, seed=range(10))
    accuracy[name] = 100 * run.evaluate(digits.x_test, digits.y_test)["accuracy"]
    mean, half = mean_and_interval(accuracy[name])
    print(f"{name:20} {mean:.2f} ± {half:.2f} %   {run.history['evaluations'][-1]:.0f} gradients")
check.predict(prediction, np.mean(accuracy["RaySAM"] - accuracy["SAM"]), "points")

# %% [markdown]
# ### Explain
# These intervals are wide, because each seed has other wrong labels, which are harder or easier for every method. But all methods
# had the same ten. So take the differences d, seed by seed, and what is the same for both cancels. Their mean lies, 19 times in
# 20, within
#
# $$\bar d \pm t \, \frac{s}{\sqrt n} \qquad s^2 = \frac{1}{n - 1} \sum_k (d_k - \bar d)^2$$
#
# **Exercise 3.** If even the lower end is above zero, there is something. Write it; t is given (2.26 for ten seeds).


# %% tags=["exercise"]
def lower_end(d, t):
    return ...


_ = check_16.lower_end(lower_end)


# %% jupyter={"source_hidden": true} tags=["solution"]
def lower_end(d, t):
    return np.mean(d) - t * np.std(d, ddof=1) / np.sqrt(len(d))


_ = check_16.lower_end(lower_end)

# %%
rivals = [name for name in methods if name != "RaySAM"]
gains = np.array([accuracy["RaySAM"] - accuracy[name] for name in rivals])
figure, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
for k, (name, gain) in enumerate(zip(rivals, gains, strict=True)):
    mean, half = mean_and_interval(gain)
    ax.plot(gain, np.full(len(gain), k), "o", color=COLOURS[k], alpha=0.35)
    ax.errorbar(mean, k, xerr=half, fmt="D", capsize=4, color=COLOURS[k])
    verdict = "above zero" if mean - half > 0 else "below zero" if mean + half < 0 else "not told from zero"
    print(f"RaySAM − {name:20} {mean:+.2f} ± {half:.2f} points: {verdict}")
ax.axvline(0, color="black", linewidth=0.8)
ax.set(yticks=range(3), yticklabels=rivals, ylim=(-0.6, 2.6), xlabel="RaySAM minus this one, points of test accuracy")
ax.set_title("ten seeds, and the 95% interval of their mean")
check.keep(figure, "16_own_variant")
plt.show()

# %% [markdown]
# ### Explain
# So does it help? Against SGD is one question, and SAM may pass it as well. The idea was the *random part of the way*, and what
# tells of the idea is the comparison with SAM alone. If that interval holds zero, the honest sentence is: "on this task, with ten
# seeds, RaySAM is not told from SAM; a difference of more than the interval's ends can be ruled out." That is a result, and worth
# writing down.
#
# **Turn a knob**: change `direction` to an idea of your own, and run on. Some to try: take `g_adv` only where its sign agrees
# with that of g, and 0 elsewhere; look along $\sqrt{|g|}$ with g's signs; look farther the later it is (`state["t"]`).
#
# ## How many ideas have you tried?
# If you try forty ideas that do nothing, each with ten seeds and an honest interval, some will "help".
#
# ### Predict
# How many of the forty intervals will leave zero out, on either side?

# %% tags=["prediction"]
prediction = None

# %%
scatter = float(np.std(gains[-1], ddof=1))  # as far as RaySAM and SAM scatter around each other


def tried(ideas=40, seeds=10, tries=0):
    """The mean gain of each idea and its interval; none of them does anything."""
    d = np.random.default_rng(tries).normal(0, scatter, (ideas, seeds))
    mean, half = mean_and_interval(d[np.argsort(d.mean(axis=1))])
    return mean, half, np.abs(mean) > half


# %%
def draw(ideas=40, seeds=10, tries=0):
    mean, half, lucky = tried(ideas, seeds, tries)
    figure, ax = plt.subplots(figsize=(8, 2.8), layout="constrained")
    for k in range(ideas):
        ax.errorbar(k, mean[k], half[k], fmt=".", color=COLOURS[1] if lucky[k] else "grey")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(xlabel="idea, from worst to best", ylabel="points")
    ax.set_title(f"{lucky.sum()} of {ideas} ideas that do nothing leave zero out")
    plt.show()


check.predict(prediction, np.sum(tried()[2]))
draw()

# %%
_ = ipywidgets.interact(draw, ideas=(1, 100), seeds=(3, 40), tries=(0, 20))

# %% [markdown]
# ### Explain
# Of k ideas that do nothing, at least one passes a 95% interval with probability
#
# $$1 - 0.95^k$$
#
# and the one that looks best looks better than it is, even if it is good. What to look for in the picture: more seeds make the
# intervals shorter, but not the lucky ones fewer. So count what you tried, say it, and measure the winner once more, with new
# seeds.
#
# ## Make it the library's
# [CONTRIBUTING](../CONTRIBUTING.md) has the steps: the class beside its relatives, with formula and source; an entry in
# `tests/protocol.py`, by which the tests ask the second question of above, and others that any optimizer has to answer; a test for
# each equation and each limit, such as the first question's; a change of the formula that the tests have to notice.
#
# ## What this leaves open
# Whether a variant helps depends on data, noise, network and budget; you have the tools to ask. Whether the SAM that somebody else
# wrote, in another framework, is SAM at all, lesson 17 asks.
#
# ## Where this comes from
# - Student, *The Probable Error of a Mean*, Biometrika 6(1), 1908.
# - D. Choi et al., *On Empirical Comparisons of Optimizers for Deep Learning*, 2019,
#   [arXiv:1910.05446](https://arxiv.org/abs/1910.05446) (the ranking depends on how hard each is tuned).
# - J. Dodge et al., *Show Your Work: Improved Reporting of Experimental Results*, EMNLP 2019,
#   [arXiv:1909.03004](https://arxiv.org/abs/1909.03004).
# - X. Bouthillier et al., *Accounting for Variance in Machine Learning Benchmarks*, MLSys 2021,
#   [arXiv:2103.03098](https://arxiv.org/abs/2103.03098).

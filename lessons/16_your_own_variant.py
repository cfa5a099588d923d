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
# **You can already**: read a variant in the library (11, 12) and sweep one (15). **You will**: write one in five lines, write the
# question that finds its mistakes, compare it by the rules of a fair study, and say honestly whether it helps.

# %%
from dataclasses import dataclass

import check
import check_16
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

import minisam
from minisam import SAM, SGD, BatchLoss, sam, study
from minisam.array_backend import asarray, asnumpy
from minisam.data import subset, symmetric_noise
from minisam.optim import cosine
from minisam.plot import COLOURS
from minisam.sam import Variant
from minisam.sam.algebra import Look
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: you have an idea. Is it a better SAM?
# A variant says how it differs from SAM: `where` says where to look (it returns ε), and `take` says what to take from there. In
# both, `look()` is $\nabla L(w)$, `look(eps)` is $\nabla L(w + \epsilon)$, and `look.uphill(g)` is SAM's own ε. The base
# optimizer, the L2 term and the count of gradients are the same for all variants:

# %%
minisam.show(sam.Variant.direction)
minisam.show(sam.Variant.step)
minisam.show(sam.StableSAM)

# %% [markdown]
# ## The idea
# SAM always looks exactly ρ far. A minimum could hide a wall at half that distance, or at twice. So let each step look a random
# part of the way: $\epsilon = 2 u \rho\, g/\|g\|$ with u drawn evenly from 0 to 1. Its mean length is ρ, as SAM's, and it costs
# the same.
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
# zero. The random number comes from the seed and the number of the step, so an interrupted training goes on with the same
# numbers.


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
# An idea that is coded wrong gives no error, only a number. Three questions that are often asked: with ρ = 0, is it the base
# optimizer, bit for bit? Is each replica what it would be alone? And, with ε held where it was found, is what it takes the
# gradient of $L(w + \epsilon)$? Central differences know the last one.

# %%
digits = minisam.data.digits(train=600)
small, base = minisam.mlp([64, 6, 10], "tanh"), SGD(0.1, momentum=0.9)
x, y = asarray(digits.x_train[:64].astype("float64")), asarray(digits.y_train[:64])
batch, pair = BatchLoss(small).on(x, y), small.init([0, 1], "float64")


def after(optimizer, w, steps=20):
    state = optimizer.init(w)
    for _ in range(steps):
        w, state, info = optimizer.step(w, state, batch)
    return asnumpy(w)


def looked(variant, t):
    """The look of step t from the first of the pair, and the direction that the variant takes."""
    look = Look(pair[0], batch, variant(base, 0.1))
    return look, look.rule.direction(look, {"t": t})


# %%
def limit(variant):
    return np.abs(after(variant(base, 0.0), pair) - after(base, pair)).max()


def replicas(variant):
    rule = variant(base, 0.1)
    return np.abs(after(rule, pair)[1] - after(rule, pair[1])).max()


def derivative(variant):
    look, taken = looked(variant, 0)
    return minisam.check_grad(lambda w: (batch(w + look.eps)[0], taken), pair[0])


# %% [markdown]
# Are three questions enough? Here are three ways to get the idea wrong: down instead of up, in any direction at all, and two
# gradients spent for nothing.


# %%
class Downhill(RaySAM):
    def where(self, g, look, state):
        return -super().where(g, look, state)


class Anywhere(RaySAM):
    def where(self, g, look, state):
        return super().where(look.normal("anywhere", self.seed, state["t"]), look, state)


class Wasteful(RaySAM):
    def direction(self, look, state):
        look(), look()
        return super().direction(look, state)


# %% [markdown]
# ### Predict
# How many of these three wrong variants do the three questions find?

# %% tags=["prediction"]
prediction = None

# %%
variants, found = (RaySAM, Downhill, Anywhere, Wasteful), []
print(f"{'':10}{'ρ = 0':>10}{'replicas':>10}{'gradient':>10}   (0 is right)")
for variant in variants:
    answers = [question(variant) for question in (limit, replicas, derivative)]
    found.append(max(answers) > 1e-5)
    print(f"{variant.__name__:10}" + "".join(f"{answer:10.1e}" for answer in answers))
check.predict(prediction, sum(found[1:]))

# %% [markdown]
# ### Explain
# With ρ = 0 every ε is 0, whatever its direction. A replica alone is wrong in the same way. And
#
# $$d = \nabla L(w + \epsilon)$$
#
# is a true gradient for every ε, a senseless one too. What is missing is a question about ε itself, and about the price. A formula
# is its own best test: compute ε once more, apart from the code, and compare.
#
# **Exercise 2 (find the mistakes).** Write that fourth question: True for a step that looks where the idea says and costs 2
# gradients, else False. Your `part_of_the_way` may be used.


# %% tags=["exercise"]
def as_meant(g, eps, rho, u, evaluations):
    return ...


_ = check_16.as_meant(as_meant)


# %% jupyter={"source_hidden": true} tags=["solution"]
def as_meant(g, eps, rho, u, evaluations):
    return bool(np.allclose(eps, part_of_the_way(g, rho, u)) and evaluations == 2)


_ = check_16.as_meant(as_meant)

# %%
g = asnumpy(batch(pair[0])[1])
for variant in variants:
    looks = [looked(variant, t)[0] for t in range(20)]
    us = [float(look.uniform("ray", 0, t)[0]) for t, look in enumerate(looks)]
    right = [as_meant(g, asnumpy(look.eps), 0.1, u, look.evaluations) for look, u in zip(looks, us, strict=True)]
    print(f"{variant.__name__:10} is as meant in {sum(right)} of 20 steps")

# %% [markdown]
# And is there one u for each step *and seed*? `train` tells each batch the seeds of the run. If all seeds shared one sequence of
# u, they would be lucky or unlucky together, and an interval over them would be too short.

# %%
two_seeds = BatchLoss(small).on(x, y, seeds=np.array([[0], [1]]))
us = np.array([asnumpy(Look(pair, two_seeds).uniform("ray", 0, t))[:, 0] for t in range(2000)])
print(f"u of two seeds: means {us.mean(axis=0).round(3)}, correlation {np.corrcoef(us.T)[0, 1]:+.3f}")

# %% [markdown]
# ## Against whom, and on what?
# Against SAM, and against SGD, each tuned as hard as yours; and against SGD with as many gradients as yours spends.
# `study.compare` holds to these rules (lesson 07), and refuses a study that breaks them. Each method has twelve settings, which
# are judged on the validation digits of two units; eight other units are reported. A unit is a split of the digits, with 40% of
# its training labels wrong in a way of its own. No other lesson has used these splits, so no choice was made on them.


# %%
def unit(k):
    return symmetric_noise(subset(minisam.data.digits(1600 + k), 600), 0.4, k)


def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def plain_sam(lr, l2, rho, steps):
    return SAM(sgd(lr, 0.0, steps), rho, l2=l2)


def ray_sam(lr, l2, rho, steps):
    return RaySAM(sgd(lr, 0.0, steps), rho, l2=l2)


# %%
with_rho = {"lr": [0.1, 0.2], "l2": [0.0025, 0.005, 0.01], "rho": [0.1, 0.2]}
result = study.compare(
    study.Problem(minisam.mlp([64, 64, 64, 10]), unit, epochs=25, batch_size=60),
    {
        "SGD": (sgd, {"lr": [0.05, 0.1, 0.2, 0.4], "l2": [0.0025, 0.005, 0.01]}),
        "SAM": (plain_sam, with_rho),
        "RaySAM": (ray_sam, with_rho),
    },
    delta=0.01,
    units=8,
    tuning=2,
)
print(result.table())

# %% [markdown]
# **Look at the settings** that were chosen. Where the best value lay at the rim of a grid, the grid was extended ("of" counts all
# settings that were tried), for each method alike.
#
# ### Predict
# By how many points of accuracy is RaySAM better than SAM on the eight units? (Worse is negative.)

# %% tags=["prediction"]
prediction = None

# %%
verdicts = result.verdicts(against="SAM")
ray = next(each for each in verdicts if each.comparison.method == "RaySAM")
d = 100 * np.array(ray.comparison.differences)  # in points, one number a unit
check.predict(prediction, d.mean(), "points")

# %% [markdown]
# ### Explain
# Some units are harder than others, for every method. But all methods had the same eight. So take the differences d, unit by unit,
# and what is the same for both cancels. If d is about normal, its true mean lies, in 19 of 20 studies, within
#
# $$\bar d \pm t \, \frac{s}{\sqrt n} \qquad s^2 = \frac{1}{n - 1} \sum_k (d_k - \bar d)^2$$
#
# **Exercise 3.** If even the lower end is above zero, and this was the only pair you looked at, there is something. Write it; t
# is given, the 97.5% quantile of Student's distribution with n − 1 degrees of freedom.


# %% tags=["exercise"]
def lower_end(d, t):
    return ...


_ = check_16.lower_end(lower_end)


# %% jupyter={"source_hidden": true} tags=["solution"]
def lower_end(d, t):
    return np.mean(d) - t * np.std(d, ddof=1) / np.sqrt(len(d))


_ = check_16.lower_end(lower_end)

# %%
print(f"yours {lower_end(d, 2.364624):+.3f}, the study's {100 * (ray.effect - ray.half_width):+.3f} points\n")
print(*verdicts, sep="\n")
figure = result.plot(against="SAM")
check.keep(figure, "16_own_variant")
display(figure)

# %% [markdown]
# A study gives a word for each pair. *Better* and *worse* need p < 0.05 after Holm's correction for all pairs of the study;
# *equal* needs the difference to be shown smaller than δ, here one point; else it is *undecided*, and the study says how many
# units would decide. What to look for: against SGD, does RaySAM win? Does SAM win, too? What tells of the *random part of the
# way* is the pair RaySAM and SAM alone.

# %% jupyter={"source_hidden": true}
told = {
    "better": "so on this task the random part of the way helps. The next step is other data, and other people.",
    "worse": "so on this task the random part of the way does harm.",
    "equal": "so the random part of the way makes no difference that matters on this task. That is a result, and worth writing down.",
    "undecided": "so nothing is shown in either direction: these units are too few to tell it from zero, or to call it equal.",
}
check.saw(
    f"RaySAM less SAM: {100 * ray.effect:+.2f} points, 95% interval {100 * (ray.effect - ray.half_width):+.2f} to "
    f"{100 * (ray.effect + ray.half_width):+.2f}, over {len(d)} units, p = {ray.p:.2g} after the correction: <b>{ray.word}</b>, {told[ray.word]}"
)

# %% [markdown]
# **Turn a knob**: change `where` to an idea of your own, and run on. Some to try: look along $\sqrt{|g|}$ with g's signs; look
# farther the later it is (`state["t"]`); in `take`, use `g_adv` only where its sign agrees with that of g, and 0 elsewhere. Your
# fourth question has to change with it.
#
# ## How many ideas have you tried?
# If you try forty ideas that do nothing, each with ten units and an honest interval, some will "help".
#
# ### Predict
# How many of the forty intervals will leave zero out, on either side?

# %% tags=["prediction"]
prediction = None

# %%
scatter = 100 * ray.comparison.spread  # as far as RaySAM and SAM scatter around each other, in points


def tried(ideas=40, units=10, tries=0):
    """The mean gain of each idea and its interval; none of them does anything."""
    d = np.random.default_rng(tries).normal(0, scatter, (ideas, units))
    mean, half = mean_and_interval(d[np.argsort(d.mean(axis=1))])
    return mean, half, np.abs(mean) > half


# %%
def draw(ideas=40, units=10, tries=0):
    mean, half, lucky = tried(ideas, units, tries)
    figure, ax = plt.subplots(figsize=(8, 2.8), layout="constrained")
    for k in range(ideas):
        ax.errorbar(k, mean[k], half[k], fmt=".", color=COLOURS[1] if lucky[k] else "grey")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(xlabel="idea, from worst to best", ylabel="points", ylim=(-3 * scatter, 3 * scatter))
    ax.set_title(f"{lucky.sum()} of {ideas} ideas that do nothing leave zero out")
    plt.show()


check.predict(prediction, np.sum(tried()[2]))
draw()

# %% [markdown]
# Move `tries` for other forty ideas, and `units` from 3 to 40. What to look for: more units make the intervals shorter. Do they
# make the lucky ones fewer?

# %%
_ = ipywidgets.interact(draw, ideas=(1, 100), units=(3, 40), tries=(0, 20))

# %% jupyter={"source_hidden": true}
shares = {units: np.mean([tried(1000, units, t)[2] for t in range(10)]) for units in (5, 10, 40)}
check.saw(
    "Of 10,000 ideas that do nothing, "
    + ", ".join(f"{share:.1%} leave zero out with {units} units" for units, share in shares.items())
    + ". More units shorten the intervals, and the share of lucky ones stays at one in twenty: an interval promises just that."
)

# %% [markdown]
# ### Explain
# An idea that does nothing leaves zero out with probability 0.05: by 0.025 it looks better, by 0.025 worse. If the k ideas are tried
# *independently*, each on units of its own, the probability that at least one of them looks better is
#
# $$1 - 0.975^k$$
#
# which is 0.64 for forty, and $1 - 0.95^k$ that one leaves zero out on either side. Ideas that share their units, or their
# rival, are not independent, and then these formulas do not hold. What always holds is that the probability is at most k ·
# 0.05; Holm's method, which the study uses, needs no more than that. And the idea that looks best looks better than it is, even
# if it is good. So count what you tried, say it, and measure the winner once more, on units that no one has seen.
#
# ## Make it the library's
# [CONTRIBUTING](../CONTRIBUTING.md) has the steps: the class beside its relatives, with formula and source; an entry in
# `tests/protocol.py`, by which the tests ask the questions about replicas and about the count of gradients, and others that any
# optimizer has to answer; a test for each equation and each limit; a change of the formula that the tests have to notice.
#
# ## What this leaves open
# Everything: whether a variant helps depends on data, noise, network and budget, and you have the tools to ask. The study of this
# lesson is small. Those in the folder `evidence` of the repository are larger, and a file of ten lines adds one.
#
# ## Where this comes from
# - Student, *The Probable Error of a Mean*, Biometrika 6(1), 1908.
# - S. Holm, *A Simple Sequentially Rejective Multiple Test Procedure*, Scandinavian Journal of Statistics 6(2), 1979.
# - D. Choi et al., *On Empirical Comparisons of Optimizers for Deep Learning*, 2019,
#   [arXiv:1910.05446](https://arxiv.org/abs/1910.05446) (the ranking depends on how hard each is tuned).
# - J. Dodge et al., *Show Your Work: Improved Reporting of Experimental Results*, EMNLP 2019,
#   [arXiv:1909.03004](https://arxiv.org/abs/1909.03004).
# - X. Bouthillier et al., *Accounting for Variance in Machine Learning Benchmarks*, MLSys 2021,
#   [arXiv:2103.03098](https://arxiv.org/abs/2103.03098).

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
# # 12 · Looking better
# **You can already**: say what a variant costs (11). **You will**: see which of SAM's choices others have changed, the ball,
# the gradient taken, the direction, the examples; write a score that is fair to rare classes; and measure, where a variant has
# its best chance, whether it beats SAM.

# %%
import check
import check_12
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, BatchLoss, sam, study
from minisam.array_backend import asarray, asnumpy, xp
from minisam.ops import dot, norm
from minisam.optim import cosine
from minisam.plot import COLOURS
from minisam.sam import across, epsilon
from minisam.sam.algebra import Look

# %% [markdown]
# ## The question: is SAM's the right ball, and the right gradient?
# SAM looks within a round ball, along the gradient of the batch, and takes the gradient that it finds. Each of these can be
# doubted.
#
# ## The ball: ASAM
# Take a ReLU network, multiply the first layer by c, and divide the second by c: the same function. But not to SAM, whose ball
# has the same size for small weights as for large ones. ASAM measures the ball in units of the weights, $\|\epsilon / T\| \le
# \rho$ with $T = |w|$. Call δ = ε/T: in δ the ball is round again, and the gradient is T g.
#
# **Exercise 1.** Write ASAM's ε. First δ, as SAM would, then ε = T δ.


# %% tags=["exercise"]
def adaptive(g, w, rho):
    return ...


_ = check_12.adaptive(adaptive)


# %% jupyter={"source_hidden": true} tags=["solution"]
def adaptive(g, w, rho):
    T = np.abs(w)
    return T * rho * (T * g) / np.linalg.norm(T * g)


_ = check_12.adaptive(adaptive)

# %%
minisam.show(sam.Adaptive)

# %% [markdown]
# Now a small trained network, and forty of its rescaled copies, with c from 1/10 to 10.

# %%
digits, model = minisam.data.digits(train=600), minisam.mlp([64, 32, 10])
run = minisam.train(model, digits, SGD(0.1, momentum=0.9), epochs=3, seed=0, progress=False)
batch = BatchLoss(model).on(asarray(digits.x_train), asarray(digits.y_train))
c = np.geomspace(0.1, 10, 41)
copies = xp().array(xp().broadcast_to(run.w, (41, model.size)))
parts, factor = model.unflatten(copies), asarray(c, dtype="float32")
for name, power in (("W0", 1), ("b0", 1), ("W1", -1)):
    shaped = factor.reshape(-1, *[1] * (parts[name].ndim - 1)) ** power
    parts[name][...] = parts[name] * shaped  # a view: the copies change
loss = asnumpy(batch(copies)[0])
print("the loss of all 41 copies, smallest and largest:", loss.min(), loss.max())

# %% [markdown]
# ### Predict
# With the first layer ten times as large and the second a tenth, the loss is the same. How many times as far does it rise at SAM's
# w + ε?

# %% tags=["prediction"]
prediction = None


# %%
def rise(variant):
    """L(w + ε) − L(w) for each copy, at the ε of a variant."""
    look = Look(copies, batch, variant)
    variant.direction(look, {"t": 0})
    return asnumpy(batch(copies + look.eps)[0]) - loss


base, one = SGD(0.1), len(c) // 2  # copy number `one` has c = 1
variants = {
    "SAM": sam.MultiStepSAM(base, 0.1, steps=1),  # with one step, SAM
    "ASAM": sam.ASAM(base, 0.5, eta=0.0),
    "ASAM, η = 0.01": sam.ASAM(base, 0.5, eta=0.01),
    "ASAM, filter by filter": sam.ASAM(base, 0.1, eta=0.0, model=model),
    "Fisher SAM": sam.FisherSAM(base, 0.1),
}
rises = {name: rise(variant) for name, variant in variants.items()}
check.predict(prediction, rises["SAM"][-1] / rises["SAM"][one])

# %%
figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for colour, (name, values), style in zip(COLOURS, rises.items(), ("-", "-", ":", "--", "-."), strict=False):
    ax.loglog(c, values / values[one], style, color=colour, label=name)
ax.set(xlabel="first layer times c, second divided by c", ylabel="rise of the loss, relative to c = 1")
ax.set_title("the same function, 41 times")
ax.legend()
check.keep(figure, "12_scale")
plt.show()

# %% [markdown]
# ### Explain
# If A rescales the weights without changing the function, gradients change by $A^{-1}$, and T by A. So T g stays as it is, and
# with it δ:
#
# $$\epsilon = T \, \rho\, \frac{T g}{\|T g\|} \quad \longrightarrow \quad A\, \epsilon$$
#
# With η = 0, ASAM's ε is rescaled exactly as the weights are, and the rise is the same. SAM sees a sharper minimum wherever one
# layer is small. What to look for: which of the others are level, and where does η begin to count?

# %% jupyter={"source_hidden": true}
check.saw(
    "Largest rise over smallest, among the 41 copies: "
    + ", ".join(f"{name} {values.max() / values.min():.3g}" for name, values in rises.items())
    + ". The measures in units of the weights or of the filters are level, the one with η = 0.01 only while most weights are larger than "
    "η. (Filter by filter, a factor that a whole layer shares cancels; one that differs from unit to unit would not.)"
)

# %% [markdown]
# **A ball for two weights.** Here are three balls around w, and the ε of each, on one landscape. Move w towards an axis, until
# one weight is nearly 0. What to look for: whose ball follows w?

# %%
bowl = minisam.Quadratic(asarray(np.array([[3.0, 1.0], [1.0, 2.0]])))
circle = np.stack([np.cos(np.linspace(0, 2 * np.pi, 200)), np.sin(np.linspace(0, 2 * np.pi, 200))], axis=-1)
grid = np.stack(np.meshgrid(np.linspace(-0.7, 3.3, 81), np.linspace(-0.7, 2.6, 81)), axis=-1)
height = asnumpy(bowl(asarray(grid)))
on_bowl = minisam.value_and_grad(bowl)


# %%
def draw(first=1.6, second=0.4, rho=0.4):
    w = asarray(np.array([first, second]))
    g = asnumpy(on_bowl(w)[1])
    shapes = {"SAM": np.ones(2), "ASAM": np.abs([first, second]), "Fisher SAM": 1 / np.sqrt(1 + g**2)}
    rules = (sam.MultiStepSAM(base, rho, steps=1), sam.ASAM(base, rho, eta=0.0), sam.FisherSAM(base, rho))
    figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
    ax.contour(*grid.T, height.T, levels=np.linspace(0.3, 5, 16) ** 2, colors="lightgrey", linewidths=0.7)
    for colour, (name, T), rule in zip(COLOURS, shapes.items(), rules, strict=False):
        look = Look(w, on_bowl, rule)
        rule.direction(look, {"t": 0})
        ax.plot(*(np.array([first, second]) + rho * T * circle).T, color=colour, label=name)
        ax.annotate("", asnumpy(w + look.eps), (first, second), arrowprops={"arrowstyle": "->", "color": colour})
    ax.set(aspect="equal", xlim=(-0.7, 3.3), ylim=(-0.7, 2.6), xlabel="first weight", ylabel="second weight")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    plt.show()


draw()

# %%
_ = ipywidgets.interact(draw, first=(0.0, 2.0, 0.1), second=(0.0, 1.5, 0.1), rho=(0.05, 0.6, 0.05))

# %% jupyter={"source_hidden": true}
balls = {"SAM": np.ones(2), "ASAM": np.abs([1.6, 0.4])}
check.saw(
    "At w = (1.6, 0.4) and ρ = 0.4 the half-axes are "
    + "; ".join(f"{name}: {0.4 * T[0]:.2f} and {0.4 * T[1]:.2f}" for name, T in balls.items())
    + ". ASAM's ball follows w, and is a line where a weight is 0: such a weight is never moved. Fisher SAM's follows the gradient: it is "
    "narrow where the gradient is large. SAM's is the same everywhere."
)

# %% [markdown]
# ## The gradient: GSAM
# At w + ε, SAM's gradient lowers the loss *there*. The gap between there and here, $h = L(w + \epsilon) - L(w)$, might stay. GSAM
# splits g into a part along `g_adv` and a part g⊥ across it, and subtracts α g⊥: along that, the loss at w + ε does not change.
#
# **Exercise 2.** Write GSAM's direction.


# %% tags=["exercise"]
def surrogate_gap_direction(g, g_adv, alpha):
    return ...


_ = check_12.surrogate_gap_direction(surrogate_gap_direction)


# %% jupyter={"source_hidden": true} tags=["solution"]
def surrogate_gap_direction(g, g_adv, alpha):
    return g_adv - alpha * (g - (g @ g_adv) / (g_adv @ g_adv) * g_adv)


_ = check_12.surrogate_gap_direction(surrogate_gap_direction)

# %% [markdown]
# ### Predict
# On the network from above: what share of g is orthogonal to `g_adv`, $\|g_\perp\|/\|g\|$, with ρ = 0.1?

# %% tags=["prediction"]
prediction = None

# %%
minisam.show(sam.GSAM.take)
g = batch(run.w)[1]
g_adv = batch(run.w + epsilon(g, 0.1))[1]
check.predict(prediction, float((norm(across(g, g_adv)) / norm(g))[0]))
for alpha in (0.0, 0.2, 0.4):
    d = g_adv - alpha * across(g, g_adv)
    slopes = [float(dot(d, a)[0]) for a in (g, g_adv, g_adv - g)]
    print(
        f"α = {alpha}: a step along −d lowers L(w) at the rate {slopes[0]:.3f}, L(w + ε) {slopes[1]:.3f}, the gap {slopes[2]:.3f}"
    )

# %% [markdown]
# ### Explain
# The middle number does not depend on α. The gap's does:
#
# $$\langle g_{\text{adv}} - g,\; d \rangle = \|g_{\text{adv}}\|^2 - \langle g, g_{\text{adv}} \rangle + \alpha \|g_\perp\|^2$$
#
# and what is gained on the gap is lost on L(w). (With ε held, as SAM always does.)
#
# ## The direction: F-SAM, and random ones
# The gradient of a batch is that of all data, plus noise. F-SAM holds that the noise is what helps, and takes a running mean m of
# gradients, which stands for the full gradient, out of the direction: along g − σ m. Random smoothing (`RWP`) goes to the other
# extreme, and looks along no gradient at all: ξ ~ N(0, σ²), at half the price.
#
# The length of ξ is about $\sqrt{n}\, \sigma$ with n weights, since the mean of $\|\xi\|^2$ is $n \sigma^2$. So
# $\sigma = \rho/\sqrt n$ makes it about ρ long.

# %%
minisam.show(sam.FriendlySAM.where)
minisam.show(sam.RWP.direction)

# %% [markdown]
# ### Predict
# On the network from above, for the same length ρ = 0.1: how many times as far does the loss rise along g as along random noise?

# %% tags=["prediction"]
prediction = None

# %%
sigma = 0.1 / model.size**0.5
random = minisam.sharpness.average_case(batch, run.w, sigma, samples=200)
along_g = minisam.sharpness.surrogate_gap(batch, run.w, 0.1)
print(f"along g {float(along_g):.5f}, along noise {random.value:.7f} ± {2 * random.error:.7f}")
check.predict(prediction, float(along_g) / random.value)

# %% [markdown]
# ### Explain
# In thousands of dimensions almost all directions are level. What noise of length ρ finds is the mean curvature, and what the
# gradient finds is the slope and the curvature along it:
#
# $$\mathbb{E}\, L(w + \xi) - L(w) \approx \frac{\rho^2}{2} \frac{\operatorname{tr} H}{n} \qquad
# L(w + \epsilon) - L(w) \approx \rho \|g\| + \frac{\rho^2}{2}\, \hat g^T H \hat g$$
#
# So random smoothing needs a much larger σ, and is another regulariser, not a cheap SAM.
#
# ## Where could a variant win?
# Where its idea meets the problem. `ImbSAM` was made for classes of very different sizes: the frequent ones have examples
# enough, so it perturbs the loss of the rare ones alone. So here are digits with a long tail: 80 zeros to train on, 57 ones,
# and so on down to 4 nines.

# %%
minisam.show(sam.ImbSAM.direction)


def unit(k):
    return minisam.data.long_tailed(minisam.data.digits(1200 + k, train=1100, validation=300), 80, 4, k)


counts = np.bincount(unit(0).y_train)
tail = np.flatnonzero(counts < 20).tolist()
print("training examples of each class:", counts, " the rare classes:", tail)

# %% [markdown]
# The test part has about as many examples of each class. But think of a test part with a long tail, too: who never says "9"
# loses next to nothing there.
#
# **Exercise 3 (design).** Write a score that is fair to all classes: every class counts the same, however many examples it has.
# `predicted` and `labels` are arrays (m,) of whole numbers; score the examples of a class by the share of them that is right.


# %% tags=["exercise"]
def fair_score(predicted, labels):
    return ...


_ = check_12.fair_score(fair_score)


# %% jupyter={"source_hidden": true} tags=["solution"]
def fair_score(predicted, labels):
    return np.mean([np.mean(predicted[labels == c] == c) for c in np.unique(labels)])


_ = check_12.fair_score(fair_score)

# %%
labels = unit(0).y_train
always_0, first_five = np.zeros_like(labels), np.where(labels < 5, labels, 0)
for name, guess in (("always 0", always_0), ("right on 0 to 4, else 0", first_five)):
    print(f"{name:24} accuracy {np.mean(guess == labels):.1%}   fair score {fair_score(guess, labels):.1%}")

# %% [markdown]
# Now a small study, live: SAM and four variants, six settings each, chosen on one unit and reported on four others. A unit is a
# split of the digits, with a long tail drawn from it. The score is the library's `balanced_accuracy`, which is yours. Under equal
# gradients, all train as long as it takes to spend what ImbSAM does, which needs three a step.


# %%
def score(run, data):
    return float(run.evaluate(data.x_test, data.y_test)["balanced_accuracy"])


def heavy(lr, steps):
    return SGD(cosine(lr, steps), momentum=0.9)


rules = {
    "SAM": (lambda lr, rho, steps: SAM(heavy(lr, steps), rho), [0.1, 0.2, 0.4]),
    "ASAM": (lambda lr, rho, steps: sam.ASAM(heavy(lr, steps), rho), [0.5, 1.0, 2.0]),
    "GSAM": (lambda lr, rho, steps: sam.GSAM(heavy(lr, steps), rho, alpha=0.2), [0.1, 0.2, 0.4]),
    "F-SAM": (lambda lr, rho, steps: sam.FriendlySAM(heavy(lr, steps), rho), [0.1, 0.2, 0.4]),
    "ImbSAM": (lambda lr, rho, steps: sam.ImbSAM(heavy(lr, steps), rho, tail=tail), [0.1, 0.2, 0.4]),
}
methods = {name: (make, {"lr": [0.1, 0.2], "rho": rhos}) for name, (make, rhos) in rules.items()}
problem = study.Problem(minisam.mlp([64, 64, 64, 10]), unit, epochs=30, batch_size=32, score=score)

# %% [markdown]
# ### Predict
# There are four variants. How many of them will this study call better or worse than SAM at equal gradients?

# %% tags=["prediction"]
prediction = None

# %%
small = study.compare(problem, methods, delta=0.01, units=4, tuning=1)
print(small.table())
here = [each for each in small.verdicts("SAM") if "equal gradients" in each.comparison.budgets]
check.predict(prediction, sum(each.word in ("better", "worse") for each in here))

# %% [markdown]
# Four units decide little. The recorded study of the repository ([its page](../evidence/long_tail.md)) has 20 of them, and
# twelve settings or more for each method; in place of the other variants it has SGD, and a rival that is older than SAM:
# *reweighting*, which counts each example's loss by how rare its class is.
#
# ### Predict
# In the recorded study, by how many points is ImbSAM better than SAM at equal gradients?

# %% tags=["prediction"]
prediction = None

# %%
large = check.recorded("long_tail")
there = [each for each in large.verdicts("SAM") if "equal gradients" in each.comparison.budgets]
by_name = {each.comparison.method: each for each in there}
check.predict(prediction, 100 * by_name["ImbSAM"].effect, "points")
print("recorded, at equal gradients:", *there, sep="\n  ")


# %%
def draw_against_sam(ax, verdicts, title):
    names = [each.comparison.method for each in verdicts]
    for k, each in enumerate(verdicts):
        points = 100 * np.array(each.comparison.differences)
        ax.plot(points, np.full(len(points), k), "o", color=COLOURS[5], markersize=4, alpha=0.6)
        ax.errorbar(100 * each.effect, k, xerr=100 * each.half_width, fmt="D", capsize=4, color=COLOURS[0])
    ax.axvspan(-1, 1, color="grey", alpha=0.15)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set(title=title, xlabel="points of balanced accuracy, minus SAM's", yticks=range(len(names)), yticklabels=names)
    ax.invert_yaxis()


figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), sharex=True, layout="constrained")
draw_against_sam(axes[0], here, f"here: {len(here[0].comparison.differences)} units")
draw_against_sam(axes[1], there, f"recorded: {len(there[0].comparison.differences)} units")
check.keep(figure, "12_against_sam")
plt.show()

# %% [markdown]
# Dots are units, bars 95% intervals of the mean, the grey band is the point that does not matter. What to look for: which variants are
# told from SAM here? What do more units change? And who wins in the recorded study?

# %% jupyter={"source_hidden": true}
apart = [each.comparison.method for each in here if each.word in ("better", "worse")]
winners = [f"{name} ({100 * each.effect:+.1f} points)" for name, each in by_name.items() if each.word == "better"]
check.saw(
    f"Here {len(apart)} of {len(here)} variants are told from SAM. In the recorded study ImbSAM is <b>{by_name['ImbSAM'].word}</b>: "
    f"{100 * by_name['ImbSAM'].effect:+.1f} ± {100 * by_name['ImbSAM'].half_width:.1f} points at equal gradients. Better than SAM are "
    f"{', '.join(winners)}. All winners count rare examples for more: on these data that helped more than any choice of where to look."
)

# %% [markdown]
# ### Explain
# Where an interval holds zero, no order between that variant and SAM has been shown, in either direction: not "equal", but
# "undecided". The study says *equal* only where the difference is shown to be below δ, a point. And the more pairs one looks
# at, the more of them leave zero out by luck: of m intervals that each hold the truth with probability 0.95, all do with at
# least
#
# $$1 - m \cdot 0.05$$
#
# which for eight pairs is 0.6. So the study corrects its p for all pairs that it looks at (Holm's method). The variants of
# lesson 11 were held against SAM under wrong labels: there one of them *is* better than SAM, and it costs half.
#
# **Turn a knob**: give `problem` the plain accuracy on a test part with a long tail as its score. Who wins now?
#
# ## What this leaves open
# All of these were measured by where they end. How do they get there, and do they ever arrive? Lesson 13 watches SAM move.
#
# ## Where this comes from
# - J. Kwon et al., *ASAM*, ICML 2021, [arXiv:2102.11600](https://arxiv.org/abs/2102.11600).
# - L. Dinh et al., *Sharp Minima Can Generalize for Deep Nets*, ICML 2017,
#   [arXiv:1703.04933](https://arxiv.org/abs/1703.04933) (the rescaled copies).
# - J. Zhuang et al., *Surrogate Gap Minimization Improves Sharpness-Aware Training* (GSAM), ICLR 2022,
#   [arXiv:2203.08065](https://arxiv.org/abs/2203.08065).
# - T. Li et al., *Friendly Sharpness-Aware Minimization* (F-SAM), CVPR 2024, [arXiv:2403.12350](https://arxiv.org/abs/2403.12350), and
#   *Revisiting Random Weight Perturbation* (RWP), 2024, [arXiv:2404.00357](https://arxiv.org/abs/2404.00357).
# - Y. Zhou et al., *ImbSAM: A Closer Look at Sharpness-Aware Minimization in Class-Imbalanced Recognition*, ICCV 2023,
#   [arXiv:2308.07815](https://arxiv.org/abs/2308.07815); Y. Cui et al., *Class-Balanced Loss Based on Effective Number of Samples*,
#   CVPR 2019, [arXiv:1901.05555](https://arxiv.org/abs/1901.05555) (reweighting).
# - M. Kim et al., *Fisher SAM*, ICML 2022, [arXiv:2206.04920](https://arxiv.org/abs/2206.04920).

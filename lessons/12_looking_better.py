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
# **You can already**: say what a variant costs (11). **You will**: see which of SAM's choices others have changed, the ball, the
# gradient taken, the direction, and measure whether any of them is told from SAM, without ranking what is not ranked.

# %%
import check
import check_12
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, BatchLoss, sam
from minisam.array_backend import asarray, asnumpy, xp
from minisam.data import symmetric_noise
from minisam.ops import dot, norm
from minisam.optim import cosine
from minisam.plot import COLOURS
from minisam.sam import across, epsilon
from minisam.sam.algebra import Look
from minisam.stats import mean_and_interval

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
# ASAM's ε is rescaled with the weights and the rise is the same, exactly with η = 0. SAM sees a sharper minimum wherever one
# layer is small. What to look for: which of the others are level, and where does η begin to count? (Filter by filter, a scale
# that is shared by a whole layer cancels; one that differs from unit to unit would not.)
#
# **A ball for two weights.** Here are three balls around w, and the ε of each, on one landscape. Move w: whose ball follows?

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
# **Exercise 3.** Which σ makes ξ about ρ long, with n weights?


# %% tags=["exercise"]
def noise_of_length(rho, n):
    return ...


_ = check_12.noise_of_length(noise_of_length)


# %% jupyter={"source_hidden": true} tags=["solution"]
def noise_of_length(rho, n):
    return rho / np.sqrt(n)


_ = check_12.noise_of_length(noise_of_length)

# %%
minisam.show(sam.FriendlySAM.where)
minisam.show(sam.RWP.direction)

# %% [markdown]
# ### Predict
# On the network from above, for the same length ρ = 0.1: how many times as far does the loss rise along g as along random noise?

# %% tags=["prediction"]
prediction = None

# %%
sigma = noise_of_length(0.1, model.size)
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
# ## Does any of them help?
# The setting of lessons 08 and 11, 40% wrong labels. Each chooses among six combinations by validation digits and seeds that are
# not used again, SGD among twelve.

# %%
epochs, wide = 40, minisam.mlp([64, 64, 64, 10])


def noisy(seed):
    return symmetric_noise(digits, 0.4, seed)


def base_of(lr=0.1, l2=0.0):
    return SGD(cosine(lr, epochs * (600 // 64)), momentum=0.9, l2=l2)


# %%
def measured(make, **swept):
    """Chosen on validation digits, ten accuracies on the test digits [%]."""
    tuning = minisam.train(wide, noisy, make, epochs=epochs, seed=range(100, 104), sweep=swept)
    chosen = tuning.choose()
    run = minisam.train(wide, noisy, make(**chosen), epochs=epochs, seed=range(10))
    accuracy = 100 * run.evaluate(digits.x_test, digits.y_test)["accuracy"]
    mean, half = mean_and_interval(accuracy)
    cost = run.history["evaluations"][-1] / (epochs * (600 // 64))
    print(f"{mean:.2f} ± {half:.2f} %   {cost:.0f} gradients a step   {chosen}")
    return accuracy


# %%
b, l2 = base_of(), [0.003, 0.005]
candidates = {  # name: ((rho, l2) -> optimizer, values of rho, or of sigma)
    "SAM": (lambda rho, l2: SAM(b, rho, l2=l2), [0.1, 0.2, 0.3]),
    "ASAM": (lambda rho, l2: sam.ASAM(b, rho, l2=l2), [0.5, 1.0, 1.5]),
    "GSAM": (lambda rho, l2: sam.GSAM(b, rho, alpha=0.2, l2=l2), [0.1, 0.2, 0.3]),
    "F-SAM": (lambda rho, l2: sam.FriendlySAM(b, rho, l2=l2), [0.2, 0.3, 0.4]),
    "RWP": (lambda rho, l2: sam.RWP(b, sigma=rho, l2=l2), [0.01, 0.02, 0.04]),
    "R-SAM": (lambda rho, l2: sam.RSAM(b, rho, sigma=0.001, l2=l2), [0.1, 0.2, 0.3]),
    "CR-SAM": (lambda rho, l2: sam.CRSAM(b, rho, l2=l2), [0.1, 0.2, 0.3]),
}
print("SGD:   ", end=" ")
accuracy = {"SGD": measured(lambda lr, l2: base_of(lr, l2), lr=[0.1, 0.2, 0.4], l2=[0.003, 0.005, 0.007, 0.01])}

# %% [markdown]
# ### Predict
# There are six variants. How many of them will be told from SAM, that is, have a 95% interval of the difference that leaves zero
# out?

# %% tags=["prediction"]
prediction = None

# %%
names = list(candidates)
for name in names[:4]:
    make, values = candidates[name]
    print(f"{name + ':':8}", end=" ")
    accuracy[name] = measured(make, rho=values, l2=l2)

# %%
for name in names[4:]:
    make, values = candidates[name]
    print(f"{name + ':':8}", end=" ")
    accuracy[name] = measured(make, rho=values, l2=l2)
rivals = [name for name in candidates if name != "SAM"]
intervals = {
    reference: {
        name: mean_and_interval(accuracy[name] - accuracy[reference]) for name in candidates if name != reference
    }
    for reference in ("SGD", "SAM")
}
apart = [name for name in rivals if abs(intervals["SAM"][name][0]) > intervals["SAM"][name][1]]
print("told from SAM:", ", ".join(apart) or "none")
check.predict(prediction, len(apart))

# %%
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.4), sharey=True, layout="constrained")
for ax, (reference, found) in zip(axes, intervals.items(), strict=True):
    for k, name in enumerate(candidates):
        if name in found:
            mean, half = found[name]
            seeds = accuracy[name] - accuracy[reference]
            ax.plot(seeds, np.full(10, k), "o", color=COLOURS[5], markersize=4, alpha=0.6)
            ax.errorbar(mean, k, xerr=half, fmt="D", capsize=4, color=COLOURS[0])
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set(title=f"minus {reference}, the same wrong labels", xlabel="points of test accuracy")
axes[0].set(yticks=range(len(candidates)), yticklabels=candidates)
axes[0].invert_yaxis()
check.keep(figure, "12_against_sam")
plt.show()

# %% [markdown]
# ### Explain
# On the left: which leave zero out, and does SAM? On the right, the question of this lesson. Where an interval holds zero, no
# order between that variant and SAM has been shown, in either direction: not "equal", but "not told apart by ten seeds". Six
# intervals were looked at; of six that hold the truth with probability 0.95 each, all do with at least
#
# $$1 - 6 \cdot 0.05 = 0.7$$
#
# so one that just leaves zero out is a reason to repeat it, and no more. And the price differs: `CR-SAM` spends three
# gradients a step, `RWP` one, the others two.
#
# **Turn a knob**: `seed=range(10)` to `range(30)`, for one variant of your choice. How many seeds would it take to see a
# difference of a quarter of a point?
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
# - Y. Liu et al., *Random Sharpness-Aware Minimization* (R-SAM), NeurIPS 2022.
# - T. Wu et al., *CR-SAM: Curvature Regularized Sharpness-Aware Minimization*, AAAI 2024,
#   [arXiv:2312.13555](https://arxiv.org/abs/2312.13555).
# - M. Kim et al., *Fisher SAM*, ICML 2022, [arXiv:2206.04920](https://arxiv.org/abs/2206.04920).

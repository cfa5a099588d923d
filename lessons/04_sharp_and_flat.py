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
# # 04 · Sharp and flat
# **You can already**: write a SAM step (03). **You will**: measure how sharp a minimum is in several ways, by hand and from the library,
# see them disagree, and draw slices of a loss landscape without being misled by them.

# %%
import autograd.numpy as anp
import check
import check_04
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, sharpness
from minisam.array_backend import asarray, asnumpy
from minisam.plot import COLOURS
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: which of two minima is sharper?
# Here are two minima with the same loss, 0. The left one is a ravine: steep across, almost level along. The right one is a round bowl.
# The numbers are the curvatures, the eigenvalues of the Hessian at each minimum.

# %%
curvatures = {"ravine": np.array([16.0, 1.0]), "bowl": np.array([9.0, 9.0])}
centres = asarray(np.array([[-1.0, 0.0], [1.0, 0.0]]))  # two replicas: one at each minimum


def landscape(w):
    ravine = 8.0 * (w[..., 0] + 1) ** 2 + 0.5 * w[..., 1] ** 2
    bowl = 4.5 * (w[..., 0] - 1) ** 2 + 4.5 * w[..., 1] ** 2
    return -0.1 * anp.log(anp.exp(-ravine / 0.1) + anp.exp(-bowl / 0.1))


across, up = np.meshgrid(np.linspace(-2, 2, 161), np.linspace(-1.2, 1.2, 97))
height = asnumpy(landscape(asarray(np.stack([across, up], axis=-1))))
figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
ax.contour(across, up, height, levels=np.linspace(0.2, 2.5, 14) ** 2, cmap="viridis", linewidths=0.8)
for x, (name, h) in zip((-1, 1), curvatures.items(), strict=True):
    ax.plot(x, 0, "o", color="black", markersize=4)
    ax.text(x, -1.1, f"{name}: {h[0]:g} and {h[1]:g}", ha="center", backgroundcolor="white")
ax.set(aspect="equal", title="two minima of the same loss")
plt.show()

# %% [markdown]
# ## At worst
# SAM's own measure is how far the loss can rise within a distance ρ: $\max_{\|\epsilon\| \le \rho} L(w + \epsilon) - L(w)$.
#
# **Exercise 1.** Near a minimum the loss is $\frac12 \sum_i h_i \epsilon_i^2$, with the curvatures h. How far does it rise at worst?


# %% tags=["exercise"]
def at_worst(h, rho):
    return ...


_ = check_04.at_worst(at_worst)


# %% jupyter={"source_hidden": true} tags=["solution"]
def at_worst(h, rho):
    return rho**2 * np.max(h) / 2


_ = check_04.at_worst(at_worst)

# %% [markdown]
# ## On average
# Or do not look for the worst: go in a random direction, $\epsilon \sim N(0, \sigma^2 I)$, and see how far the loss rises on average.
#
# **Exercise 2.** How far is that? Each $\epsilon_i^2$ has the mean σ².


# %% tags=["exercise"]
def on_average(h, sigma):
    return ...


_ = check_04.on_average(on_average)


# %% jupyter={"source_hidden": true} tags=["solution"]
def on_average(h, sigma):
    return sigma**2 * np.sum(h) / 2


_ = check_04.on_average(on_average)

# %% [markdown]
# ### Predict
# At worst, the ravine is 16/9 as sharp as the bowl. On average, how many times as sharp is it?

# %% tags=["prediction"]
prediction = None

# %%
loss_and_grad = minisam.value_and_grad(landscape)
worst = asnumpy(sharpness.worst_case(loss_and_grad, centres, rho=0.2))
average = sharpness.average_case(landscape, centres, sigma=0.05, samples=1000)
for k, (name, h) in enumerate(curvatures.items()):
    print(f"{name:6} at worst {worst[k]:.4f}, by hand {np.max(h) * 0.2**2 / 2:.4f}", end="   ")
    print(f"on average {average.value[k]:.5f} ± {2 * average.error[k]:.5f}, by hand {np.sum(h) * 0.05**2 / 2:.5f}")
check.predict(prediction, average.value[0] / average.value[1])

# %% [markdown]
# ### Explain
# To second order, with λ_max the largest eigenvalue of the Hessian and tr H the sum of them all,
#
# $$\max_{\|\epsilon\| \le \rho} L(w + \epsilon) - L(w) = \tfrac{\rho^2}{2} \lambda_{\max} \qquad
# \mathbb{E}\, L(w + \epsilon) - L(w) = \tfrac{\sigma^2}{2} \operatorname{tr} H$$
#
# So "which is sharper?" has no answer until one says how sharpness is measured: the ravine is sharper at worst, the bowl on average.
# Here is how the library finds the worst, with an ascent that stays in the ball, and the average, with pairs ±ε whose slopes cancel:

# %%
minisam.show(sharpness.single_step)
minisam.show(sharpness.average_case)

# %% [markdown]
# ### Predict
# SAM itself does not search: it takes one step along the gradient. Exactly at the bottom of a ravine, here alone in the world, what share
# of the worst rise does that single step find?

# %% tags=["prediction"]
prediction = None

# %%
ravine = minisam.value_and_grad(minisam.Quadratic(asarray(np.diag(curvatures["ravine"]))))
bottom = asarray(np.zeros(2))
gap, worst = sharpness.surrogate_gap(ravine, bottom, rho=0.2), sharpness.worst_case(ravine, bottom, rho=0.2)
check.predict(prediction, float(gap / worst))

# %% [markdown]
# At a minimum there is no gradient to follow. So the single step is no measure of sharpness there, and the library's `worst_case`
# makes 20 steps, the first of them in a random direction where the gradient is zero. Lesson 05 asks how good the single step is on the way.
#
# ## A network has thousands of curvatures
# Ten small networks by SGD and ten by SAM, trained on the same digits. (Both with one guess at their step size: this lesson measures
# sharpness. Which method predicts better needs tuning, and is lesson 07.)

# %%
digits, model = minisam.data.digits(), minisam.mlp([64, 32, 10])
optimizers = {"SGD": SGD(0.1, momentum=0.9), "SAM": SAM(SGD(0.1, momentum=0.9), rho=0.2)}
runs = {
    name: minisam.train(model, digits, optimizer, epochs=60, seed=range(10), progress=False)
    for name, optimizer in optimizers.items()
}
x, y = asarray(digits.x_train), asarray(digits.y_train)
loss = minisam.BatchLoss(model).on(x, y)  # w -> (loss, g) on all training digits
product_on = minisam.hvp(model)


def product(w, v):
    return product_on(w, v, x, y)


# %% [markdown]
# A product H v costs about two gradients, and a few products are enough: for λ_max by
# Lanczos (a power iteration that forgets nothing), for the trace by Hutchinson's $\mathbb{E}\, z^T H z$ with random signs z. With ten replicas
# in one vector, each measure is one call.

# %%
minisam.show(sharpness.trace)
measures = {
    "‖∇L‖": lambda w: sharpness.gradient_norm(loss, w),
    "single step, ρ = 0.2": lambda w: sharpness.surrogate_gap(loss, w, 0.2),
    "at worst, ρ = 0.2": lambda w: sharpness.worst_case(loss, w, 0.2),
    "at worst, parts of 45": lambda w: sharpness.m_sharpness(loss.parts(20), w, 0.2).value,
    "on average, σ = 0.02": lambda w: sharpness.average_case(loss, w, 0.02).value,
    "λ_max": lambda w: sharpness.lambda_max(product, w),
    "tr H": lambda w: sharpness.trace(product, w).value,
}
measured = {
    name: {way: np.asarray(asnumpy(measure(run.w)), dtype="float64") for way, run in runs.items()}
    for name, measure in measures.items()
}

# %% [markdown]
# ### Predict
# How many times as large is λ_max after SGD as after SAM?

# %% tags=["prediction"]
prediction = None

# %%
check.predict(prediction, measured["λ_max"]["SGD"].mean() / measured["λ_max"]["SAM"].mean())
print(f"{'':22}{'SGD':>14}{'SAM':>22}{'SGD/SAM':>17}")
for name, values in measured.items():
    told = ""
    for way in runs:
        mean, half = mean_and_interval(values[way])
        told += f"{mean:12.3g} ± {half:<7.1g}"
    print(f"{name:22}{told}{values['SGD'].mean() / values['SAM'].mean():7.1f}")
for way, run in runs.items():
    accuracy = run.evaluate(digits.x_test, digits.y_test)["accuracy"]
    print("test accuracy of {}: {:.2%} ± {:.2%}".format(way, *mean_and_interval(accuracy)))

# %% [markdown]
# What to look for: does every measure call SAM's minima flatter? Which one sees most of it, and which least?

# %% jupyter={"source_hidden": true}
ratios = {name: values["SGD"].mean() / values["SAM"].mean() for name, values in measured.items()}
most, least = max(ratios, key=ratios.get), min(ratios, key=ratios.get)
gained = [mean_and_interval(run.evaluate(digits.x_test, digits.y_test)["accuracy"]) for run in runs.values()]
check.saw(
    f"{sum(ratio > 1 for ratio in ratios.values())} of the {len(ratios)} measures are larger after SGD: “{most}” {ratios[most]:.1f} times, "
    f"“{least}” {ratios[least]:.1f} times. The test accuracies are {gained[0][0]:.2%} ± {gained[0][1]:.2%} and {gained[1][0]:.2%} ± "
    f"{gained[1][1]:.2%}: flatter by a factor is not better by a factor."
)

# %% [markdown]
# ### Explain
# By how much SAM is flatter depends on the measure. The worst case over parts of the data, each with an ε of its own, can only be
# larger than over all of them with one ε for all.
#
# **Turn a knob**: set `rho=0.05` and `rho=0.5` in SAM. Does the order of the measures stay?
#
# ## Most directions are flat
# A random direction of length one meets on average the curvature tr H / n. How does that compare with the worst direction?
#
# ### Predict
# How many times as large is λ_max as the curvature along a random direction, for the networks of SGD?

# %% tags=["prediction"]
prediction = None

# %%
along_random = measured["tr H"]["SGD"] / model.size
check.predict(prediction, float(np.mean(measured["λ_max"]["SGD"] / along_random)))

# %%
w = runs["SGD"].w[0]
toward = sharpness.worst_point(loss, w, rho=0.5)
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for seed in range(5):
    t, line = sharpness.profile(loss, w, radius=1.0, points=41, seed=seed)
    ax.plot(t, line, color=COLOURS[0], linewidth=0.8, label="random direction" if seed == 0 else None)
t, line = sharpness.profile(loss, w, radius=1.0, points=41, toward=toward)
ax.plot(t, line, color=COLOURS[1], label="toward the worst point")
ax.set(xlabel="distance from w", ylabel="training loss [nats]", title="one network, six lines through it")
ax.legend()
plt.show()

# %% [markdown]
# The same network looks like a plain along one line and like a canyon along another. A picture of a landscape shows two directions of
# thousands; ask of each such picture **which two**.
#
# ### All of them
# This network is small enough to write down its Hessian of 2,410² numbers: its rows are the products with the unit vectors. (For a
# network of a million weights it would fill four terabytes; products stay as cheap as they are.) How good were Lanczos and
# Hutchinson, and how many directions are steep at all?

# %%
units = np.eye(model.size, dtype="float32").reshape(10, -1, model.size)
rows = [asnumpy(product(asarray(np.broadcast_to(asnumpy(w), v.shape).copy()), asarray(v))) for v in units]
eigenvalues = np.linalg.eigvalsh(np.concatenate(rows).astype("float64"))
steep = eigenvalues > 0.01 * eigenvalues[-1]
print(f"λ_max: {eigenvalues[-1]:.4f}, by Lanczos {measured['λ_max']['SGD'][0]:.4f}")
print(f"tr H:  {eigenvalues.sum():.3f}, by Hutchinson {measured['tr H']['SGD'][0]:.3f}")
share = eigenvalues[steep].sum() / eigenvalues.sum()
print(f"{steep.sum()} of {model.size} are above a hundredth of λ_max, and hold {share:.0%} of tr H")
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.semilogy(np.sort(np.abs(eigenvalues))[::-1], ".", color=COLOURS[0], markersize=3)
ax.axhline(along_random[0], color="grey", linewidth=0.8)
ax.text(model.size, 1.3 * along_random[0], "their mean", color="grey", ha="right")
ax.set(xlabel="rank", ylabel="|eigenvalue|", ylim=(1e-8, 3), title="the curvatures of one network")
plt.show()

# %% [markdown]
# A few dozen directions are steep, and thousands are level: those the training data do not care about. So the loss rises fast
# toward the worst point, and hardly at all along a random line.
#
# ## A picture that lies
# With relu units, $\mathrm{relu}(c\,z) = c\,\mathrm{relu}(z)$ for c > 0. So one may multiply the first layer by c and divide the second by c:
# other weights, the same function, for every input.


# %%
def rescaled(w, c):
    p = model.unflatten(w)
    return model.flatten({"W0": c * p["W0"], "b0": c * p["b0"], "W1": p["W1"] / c, "b1": p["b1"]})


logits, theirs = model.apply(w, x), model.apply(rescaled(w, 10), x)
print("largest difference of their logits:", float(abs(logits - theirs).max()), " of logits up to", float(logits.max()))

# %% [markdown]
# A slice with directions of length one knows nothing of that. Li and others therefore measure each direction in units of the weights:
# each *filter* of the direction, what one unit sees, is made as long as the same filter of w.
#
# **Exercise 3.** Do it for one matrix of shape (in, out): scale each **column** of d to the length of that column of W.


# %% tags=["exercise"]
def normalised(W, d):
    return ...


_ = check_04.normalised(normalised)


# %% jupyter={"source_hidden": true} tags=["solution"]
def normalised(W, d):
    return d * np.linalg.norm(W, axis=0) / np.linalg.norm(d, axis=0)


_ = check_04.normalised(normalised)

# %%
minisam.show(sharpness.filter_normalised)


def draw(c=8.0, radius=0.6):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
    for ax, units, reach in ((axes[0], None, 20 * radius), (axes[1], model, radius)):
        for scale, colour, line in ((1.0, COLOURS[0], "-"), (c, COLOURS[1], "--")):
            t, values = sharpness.profile(loss, rescaled(w, scale), reach, points=61, model=units)
            ax.plot(t, values, line, color=colour, label=f"c = {scale:.3g}")
    axes[0].set(title="raw", xlabel="distance from w", ylabel="training loss [nats]", ylim=(-0.1, 3))
    axes[1].set(title="filter-normalised", xlabel="distance in lengths of each filter")
    axes[1].legend(loc="upper center")
    return figure


figure = draw()
check.keep(figure, "04_slices_of_one_function")
plt.show()


# %%
def moved(log_c, radius):
    draw(10**log_c, radius)
    plt.show()


slider = ipywidgets.FloatSlider(0.9, min=-1.5, max=1.5, step=0.1)
_ = ipywidgets.interact(moved, log_c=slider, radius=(0.1, 1.0, 0.1))

# %% [markdown]
# And the numbers? The same function, with the sharpness of three other networks:

# %%
print(f"{'c':>5}{'loss':>10}{'λ_max':>10}{'tr H':>10}{'at worst, ρ = 0.2':>20}")
for c in (0.1, 1.0, 8.0):
    at_c = rescaled(w, c)
    top, trace = sharpness.lambda_max(product, at_c), sharpness.trace(product, at_c).value
    worst = sharpness.worst_case(loss, at_c, 0.2)
    print(f"{c:5g}{float(loss(at_c)[0]):10.5f}{float(top):10.3f}{float(trace):10.2f}{float(worst):20.4f}")

# %% [markdown]
# What to look for, in the pictures: c below and above 1. Do the two curves at the right ever part?

# %% jupyter={"source_hidden": true}
parted = {}
for units, reach, side in ((None, 12.0, "left"), (model, 0.6, "right")):
    one = sharpness.profile(loss, w, reach, points=61, model=units)[1]
    others = [sharpness.profile(loss, rescaled(w, c), reach, points=61, model=units)[1] for c in (0.1, 8.0)]
    parted[side] = [float(np.abs(asnumpy(other) - asnumpy(one)).max()) for other in others]
check.saw(
    f"At the left the curves of c = 0.1 and c = 8 are up to {parted['left'][0]:.2g} and {parted['left'][1]:.2g} nats away from that of c = 1. At the "
    f"right they part by {max(parted['right']):.1g} nats at most, which is rounding."
)

# %% [markdown]
# ### Explain
# Both curves are of the same function. At the left the second one looks far sharper or far flatter, as you like it; at the right they
# lie on each other: with the weights, the units of the axis have grown.
#
# The numbers of the table depend on lengths in weight space too, and change with c. So a claim that one network is sharper than another
# has to say how their weights are to be compared. Lesson 14 takes that to its end, with measures that do not change.
#
# ## What this leaves open
# The worst case was found by 20 steps of ascent, and SAM has only one. How far from the worst does it look? That is lesson 05.
#
# ## Where this comes from
# - P. Foret et al., *Sharpness-Aware Minimization*, ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412) (worst case, parts).
# - M. Andriushchenko et al., *A Modern Look at the Relationship between Sharpness and Generalization*, ICML 2023,
#   [arXiv:2302.07011](https://arxiv.org/abs/2302.07011) (worst and average case).
# - H. Li et al., *Visualizing the Loss Landscape of Neural Nets*, NeurIPS 2018, [arXiv:1712.09913](https://arxiv.org/abs/1712.09913).
# - L. Dinh et al., *Sharp Minima Can Generalize for Deep Nets*, ICML 2017, [arXiv:1703.04933](https://arxiv.org/abs/1703.04933).
# - B. A. Pearlmutter, *Fast Exact Multiplication by the Hessian*, Neural Computation 6(1), 1994; M. F. Hutchinson, *A Stochastic
#   Estimator of the Trace*, 1990.

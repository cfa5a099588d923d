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
# # 14 · When flatness misleads
# **You can already**: measure sharpness (04), and say what SAM makes of it (13). **You will**: make a network as sharp or as
# flat as you like without changing what it does; build a network that is as flat as can be and knows nothing; and see what is
# left to say.

# %%
import check
import check_14
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from tqdm.auto import tqdm

import minisam
from minisam import SAM, SGD, BatchLoss, ops, sharpness, study
from minisam.array_backend import asarray, asnumpy, xp
from minisam.plot import COLOURS

# %% [markdown]
# ## The question: is flat good?
# A network trained on digits, with relu units between its two layers:

# %%
digits, model = minisam.data.digits(), minisam.mlp([64, 32, 10])
run = minisam.train(model, digits, SGD(0.1, momentum=0.9), epochs=60, progress=False)
w, x, y = run.w, asarray(digits.x_train), asarray(digits.y_train)
loss, product_on = BatchLoss(model).on(x, y), minisam.hvp(model)
print(model)

# %% [markdown]
# Relu has no scale of its own: $\mathrm{relu}(c z) = c\, \mathrm{relu}(z)$ for c > 0. So the first layer may be made c times as
# large, if the second makes up for it.
#
# **Exercise 1.** By which factors must W0, b0, W1 and b1 be multiplied, so that every logit stays as it is, and W0 becomes c W0? Return
# the four in this order.


# %% tags=["exercise"]
def factors(c):
    return ...


_ = check_14.factors(factors)


# %% jupyter={"source_hidden": true} tags=["solution"]
def factors(c):
    return np.array([c, c, 1 / c, 1])


_ = check_14.factors(factors)

# %%
cs = np.geomspace(0.1, 10, 9)


def rescaled(w, c):
    return model.flatten(
        {name: float(k) * a for (name, a), k in zip(model.unflatten(w).items(), factors(c), strict=True)}
    )


ws = xp().stack([rescaled(w, c) for c in cs])  # nine networks, one function
logits = model.apply(ws, x)
print(
    "largest difference of logits:", float(abs(logits - logits[4]).max()), " largest logit:", float(abs(logits).max())
)

# %% [markdown]
# ## How the curvature changes
# **Exercise 2.** The loss has the curvature h along a weight. Now that weight is multiplied by c, and the function stays the
# same. What is the curvature along it?


# %% tags=["exercise"]
def curvature(h, c):
    return ...


_ = check_14.curvature(curvature)


# %% jupyter={"source_hidden": true} tags=["solution"]
def curvature(h, c):
    return h / c**2


_ = check_14.curvature(curvature)

# %% [markdown]
# ### Predict
# Of the nine networks, the flattest has some λ_max. How many times as large is that of the sharpest? (c runs from 0.1 to 10.)

# %% tags=["prediction"]
prediction = None

# %%
rho = 0.05
measures = {
    "λ_max": lambda w: sharpness.lambda_max(lambda w, v: product_on(w, v, x, y), w),
    "tr H": lambda w: sharpness.trace(lambda w, v: product_on(w, v, x, y), w).value,
    "at worst": lambda w: sharpness.worst_case(loss, w, rho),
    "on average": lambda w: sharpness.average_case(loss, w, 0.01).value,
    "at worst, adaptive": lambda w: sharpness.worst_case(loss, w, 0.1, adaptive=True),
    "on average, adaptive": lambda w: sharpness.average_case(loss, w, 0.05, adaptive=True).value,
}
measured = {name: np.asarray(asnumpy(measure(ws)), dtype="float64") for name, measure in measures.items()}
check.predict(prediction, measured["λ_max"].max() / measured["λ_max"].min())

# %%
minisam.show(sharpness.ball.units)
figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
for colour, (name, values) in zip(COLOURS, measured.items(), strict=True):
    adaptive = "adaptive" in name
    ax.plot(cs, values / values[4], "s--" if adaptive else "o-", color=colour, label=name, markersize=4)
ax.set(xscale="log", yscale="log", xlabel="c", ylabel="sharpness, relative to c = 1")
ax.set(title="nine networks that compute the same function")
ax.legend(fontsize=8)
check.keep(figure, "14_same_function")
plt.show()


# %% [markdown]
# ### Explain
# Same function, same predictions for every input, and a sharpness of any size. So the size alone can say nothing about how well
# a network predicts (Dinh and others, 2017). The dashed lines do not move: they measure ε in units of the weights,
# $\|\epsilon/|w|\,\| \le \rho$. With $\delta_i = \epsilon_i/|w_i|$ a bowl of curvatures $h_i$ has the curvatures $h_i w_i^2$,
# and the worst rise is
#
# $$\max_{\|\delta\| \le \rho} \tfrac12 \sum_i h_i w_i^2 \delta_i^2 = \tfrac{\rho^2}{2} \max_i h_i w_i^2$$
#
# **Exercise 3 (design).** Somebody shows you a measure of sharpness, a function `measure(h, w)` of the curvatures and the weights of a
# minimum. Write the test that tells whether rescaling can fool it: True if the measure stays the same when each weight gets a factor of
# its own, else False. Your `curvature` may be used.


# %% tags=["exercise"]
def cannot_be_fooled(measure, h, w):
    return ...


_ = check_14.cannot_be_fooled(cannot_be_fooled)


# %% jupyter={"source_hidden": true} tags=["solution"]
def cannot_be_fooled(measure, h, w):
    c = np.random.default_rng(0).uniform(0.5, 2, len(w))
    return bool(np.isclose(measure(curvature(h, c), c * w), measure(h, w)))


_ = check_14.cannot_be_fooled(cannot_be_fooled)

# %%
candidates = {
    "max h": lambda h, w: np.max(h),
    "tr H · ‖w‖²": lambda h, w: np.sum(h) * np.sum(w**2),
    "max h w²": lambda h, w: np.max(h * w**2),
    "Σ h w²": lambda h, w: np.sum(h * w**2),
}
h, weights = np.array([8.0, 0.5, 2.0]), np.array([0.5, -3.0, 1.0])
for name, measure in candidates.items():
    print(f"{name:12} cannot be fooled: {cannot_be_fooled(measure, h, weights)}")

# %% [markdown]
# ## Scale is not the only freedom
# So adaptive measures settle it? Multiply all **logits** by α. Each prediction stays what it is, but surer: where the training
# digits are right, the loss falls.
#
# ### Predict
# After 60 epochs (nearly) every training digit is classified right. With α = 3, by which factor does the **adaptive** worst
# case change?

# %% tags=["prediction"]
prediction = None


# %%
def surer(w, alpha):
    p = model.unflatten(w)
    return model.flatten({"W0": p["W0"], "b0": p["b0"], "W1": alpha * p["W1"], "b1": alpha * p["b1"]})


def draw(alpha=3.0, c=1.0):
    two = xp().stack([w, surer(rescaled(w, c), alpha)])
    ratios = {}
    for name, measure in measures.items():
        before, after = asnumpy(measure(two)).astype("float64")
        ratios[name] = after / before
    figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
    colours = [COLOURS[2] if "adaptive" in name else COLOURS[0] for name in ratios]
    ax.barh(list(ratios), np.array(list(ratios.values())) - 1, left=1, color=colours)  # from 1, where nothing changed
    ax.axvline(1, color="black", linewidth=0.8)
    right = asnumpy(minisam.accuracy(model.apply(two, asarray(digits.x_test)), asarray(digits.y_test)))
    ax.set(xscale="log", xlabel="sharpness, after / before", xlim=(1e-4, 1e3))
    ax.set(title=f"α = {alpha:.2g}, c = {c:.2g}: test accuracy {right[0]:.2%} before, {right[1]:.2%} after")
    return figure, ratios


# %%
figure, ratios = draw()
check.predict(prediction, ratios["at worst, adaptive"])
plt.show()

# %% [markdown]
# Move one slider at a time. Green are the measures in units of the weights. What to look for: which bars move with c, the scale
# of the first layer, and which with α?


# %%
def moved(log_alpha=0.5, log_c=0.0):
    draw(10**log_alpha, 10**log_c)
    plt.show()


_ = ipywidgets.interact(moved, log_alpha=(-0.5, 1.0, 0.1), log_c=(-1.0, 1.0, 0.1))

# %% jupyter={"source_hidden": true}
by_scale = draw(alpha=1.0, c=3.0)[1]
plt.close("all")
check.saw(
    "With c = 3 the ordinary λ_max is {:.2g} times as large, and the adaptive worst case {:.2f} times. With α = 3 they are {:.2g} "
    "and {:.2g} times as large. So measures in units of the weights are blind to c, and no measure here is blind to α.".format(
        *(each[name] for each in (by_scale, ratios) for name in ("λ_max", "at worst, adaptive"))
    )
)

# %% [markdown]
# ### Explain
# A network that is surer of its training data has smaller gradients and curvatures there, and predicts the same classes. SGD
# without weight decay makes itself surer with every step: part of what looks like flatness is length of training. So sharpness
# should be compared at equal loss; the end of this lesson does that.
#
# ## As flat as can be, and ignorant
# Last, a problem where everything is known (after Wen, Li and Ma, 2023). Inputs of 20 signs, the target is the product of the
# first two; 100 examples; 100 relu units and the squared error. The library has no network without a bias at its output, so
# here is one:

# %%
d, width, examples = 20, 100, 100


def forward(p, x):
    return ops.matmul(ops.relu(ops.affine(x, p["W0"], p["b0"])), p["a"])


def first_weights(rng):
    W0, a = rng.standard_normal((d, width)) / d**0.5, rng.standard_normal((width, 1)) / width**0.5
    return {"W0": W0, "b0": np.zeros(width), "a": a}


def unit(k):
    x = np.random.default_rng(k).choice([-1.0, 1.0], (examples + 2000, d)).astype("float32")
    y, ends = x[:, :1] * x[:, 1:2], (examples, examples + 1000)
    parts = zip(np.split(x, ends), np.split(y, ends), strict=True)
    return minisam.data.Data("XOR", *(part for pair in parts for part in pair))


# %%
net = minisam.Model(
    {"model": "two layers"}, {"W0": (d, width), "b0": (width,), "a": (width, 1)}, forward, first_weights
)

# %% [markdown]
# How flat can such a network be? The Hessian of the mean squared error is
#
# $$H = \frac2n \sum_i \Big( \nabla f(x_i)\, \nabla f(x_i)^{\!\top} + (f(x_i) - y_i)\, \nabla^2 f(x_i) \Big)$$
#
# The output f is linear in each weight *alone*, but for the kinks of the relu: so each diagonal entry
# $\partial^2 f/\partial w_j^2$ is 0, and with them the trace of $\nabla^2 f$. What is left is
# $\operatorname{tr} H = \frac2n \sum_i \|\nabla f(x_i)\|^2$, whether the network fits or not. A unit with the activation z > 0
# and the outgoing weight a adds $z^2 + a^2 (d + 1) \ge 2\,|a z| \sqrt{d+1}$ to $\|\nabla f\|^2$. Where the network fits, the
# products a z of an example sum up to ±1, so
#
# $$\operatorname{tr} H \ge 4 \sqrt{d + 1}$$
#
# for every network of this form that fits.


# %%
def trace(w, x):
    """(2/n) Σ ‖∇f‖², of networks (..., n) on inputs x (..., examples, d)."""
    p = {name: asnumpy(a) for name, a in net.unflatten(w).items()}
    z = np.maximum(x @ p["W0"] + p["b0"][..., None, :], 0)
    a = np.swapaxes(p["a"], -1, -2) * (z > 0)
    return 2 * np.mean(np.sum(z**2 + a**2 * (d + 1), axis=-1), axis=-1)


def knows(w, data):
    """The share of new inputs whose sign the network tells; an output of 0 is right half the time."""
    out = asnumpy(net.apply(w, asarray(data.x_test))) * data.y_test
    return np.mean((out > 0) + 0.5 * (out == 0), axis=(-1, -2))


# %% [markdown]
# **The memoriser** has a unit for each example, which no other input wakes. **The generaliser** has four units, one for each
# pair of signs of the first two inputs. Both fit all examples exactly, with $z = \kappa = (d+1)^{1/4}$ and $a = \pm 1/\kappa$.

# %%
one, kappa = unit(0), (d + 1) ** 0.25
memoriser = {"W0": kappa * one.x_train.T, "b0": np.full(width, -kappa * (d - 1)), "a": one.y_train / kappa}
corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
generaliser = {"W0": np.zeros((d, width)), "b0": np.full(width, -1.0), "a": np.zeros((width, 1))}
generaliser["W0"][:2, :4], generaliser["b0"][:4] = kappa * corners.T, -kappa
generaliser["a"][:4, 0] = corners.prod(axis=1) / kappa
built = xp().stack(
    [net.flatten({name: asarray(a, dtype="float32") for name, a in p.items()}) for p in (memoriser, generaliser)]
)

# %% [markdown]
# ### Predict
# Which share of 1,000 new inputs does the memoriser get right?

# %% tags=["prediction"]
prediction = None

# %%
on_signs = BatchLoss(net, minisam.mse).on(asarray(one.x_train), asarray(one.y_train))
built_trace, built_knows = trace(built, one.x_train), knows(built, one)
check.predict(prediction, built_knows[0])
for k, name in enumerate(("memoriser", "generaliser")):
    loss_there = float(on_signs(built)[0][k])
    print(f"{name:12} training loss {loss_there:.1e}  tr H {built_trace[k]:.1f}  knows {built_knows[k]:.1%}")
print(f"{'4 √(d + 1)':39}{4 * (d + 1) ** 0.5:.1f}")

# %% [markdown]
# Both reach the bound: nothing that fits is flatter. Would SAM leave the memoriser, if it is pushed a little?

# %%
push = asarray(0.01 * np.random.default_rng(0).standard_normal(net.size), dtype="float32")
walker, optimizer = built + push, SAM(SGD(0.02), rho=0.05)
state = optimizer.init(walker)
for _ in tqdm(range(1000), unit="step", leave=False):
    walker, state, info = optimizer.step(walker, state, on_signs)
for k, name in enumerate(("memoriser", "generaliser")):
    print(f"SAM from the {name}: tr H {trace(walker, one.x_train)[k]:.1f}, knows {knows(walker, one)[k]:.1%}")

# %% [markdown]
# ## Which of them does training find?
# From random starts: SGD with weight decay, SGD without, and SAM. Each may choose among nine settings, on a set of data that is
# not reported; four other sets are. That is a small study. The recorded one below has 20 sets, and 1-SAM, with an ε for each example.


# %%
def score(run, data):
    return float(knows(run.w, data))


methods = {
    "SGD": (lambda lr, l2: SGD(lr, l2=l2), {"lr": [0.02, 0.04, 0.08], "l2": [0.005, 0.01, 0.02]}),
    "SAM": (lambda lr, rho: SAM(SGD(lr), rho), {"lr": [0.02, 0.04, 0.08], "rho": [0.1, 0.2, 0.4]}),
    "SGD, λ = 0": (
        lambda lr, momentum: SGD(lr, momentum=momentum),
        {"lr": [0.02, 0.04, 0.08], "momentum": [0.0, 0.5, 0.9]},
    ),
}
problem = study.Problem(net, unit, epochs=200, batch_size=20, loss="mse", score=score)
small = study.compare(problem, methods, delta=0.01, units=4, tuning=1)
print(small.table())

# %% [markdown]
# ### Predict
# In the recorded study: by how many points is SAM's accuracy above that of SGD with weight decay? (Negative, if below.)

# %% tags=["prediction"]
prediction = None

# %%
knowledge, flatness = check.recorded("xor"), check.recorded("xor_flatness")
sam_less_sgd = knowledge.verdicts(against="SGD")[0]
check.predict(prediction, 100 * sam_less_sgd.effect, "points")
print("here:     ", *small.verdicts(against="SGD"), sep="\n  ")
print("recorded: ", *knowledge.verdicts(against="SGD"), sep="\n  ")

# %% [markdown]
# And how flat are these networks? Each dot is one of the 20 recorded sets of data, at equal epochs.

# %%
figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
accuracies, traces = {}, {}
for colour, (name, outcome) in zip(COLOURS, knowledge.budgets["equal epochs"].items(), strict=False):
    accuracies[name] = np.array(outcome.scores)
    traces[name] = 0.5 ** np.array(flatness.budgets["equal epochs"][name].scores)  # the score was −log₂ tr H
    label = "SGD, λ > 0" if name == "SGD" else name
    ax.plot(traces[name], accuracies[name], "o", color=colour, label=label, alpha=0.6)
for k, (name, mark) in enumerate((("memoriser", "X"), ("generaliser", "*"))):
    ax.plot(built_trace[k], built_knows[k], mark, color="black", markersize=11, label=name)
ax.axvline(4 * (d + 1) ** 0.5, color="grey", linewidth=0.8, linestyle="--")
ax.set(xlabel="tr H (dashed: nothing that fits is flatter)", ylabel="accuracy on new inputs", xlim=(0, None))
ax.legend(fontsize=8)
check.keep(figure, "14_flat_and_ignorant")
plt.show()

# %% [markdown]
# What to look for: which network is the flattest, and what does it know? Of those that training finds, are the flattest the best?
# And are the sharpest the worst?

# %% jupyter={"source_hidden": true}
check.saw(
    f"The memoriser reaches the bound, tr H = {built_trace[0]:.1f}, and is right on {built_knows[0]:.0%}, which is guessing. "
    + "; ".join(f"{name}: tr H {traces[name].mean():.0f}, right on {accuracies[name].mean():.1%}" for name in traces)
    + f". Against SGD with weight decay, SAM is <b>{sam_less_sgd.word}</b> "
    f"({100 * sam_less_sgd.effect:+.1f} ± {100 * sam_less_sgd.half_width:.1f} points), though it is flatter by a factor of "
    f"{traces['SGD'].mean() / traces['SAM'].mean():.1f}. So flatness does not rank these networks."
)

# %% [markdown]
# ## At equal loss
# One doubt is left. Weight decay keeps SGD from fitting exactly, so its networks were measured at another loss than SAM's.
# Train both on four of the sets, with the settings that the recorded study chose, and then let gradient descent without decay
# bring each to the same loss, 0.001.
#
# ### Predict
# At the same loss, how many times as sharp (tr H) as SAM's are the networks of SGD with weight decay?

# %% tags=["prediction"]
prediction = None


# %%
def finished(w, x, y, until=1e-3):
    """Gradient descent, for each network until its loss is that small."""
    on_all = BatchLoss(net, minisam.mse).on(asarray(x), asarray(y))
    for _ in range(4000):
        loss, g = on_all(w)
        w = w - 0.02 * g * (loss > until)[..., None]
    return w


# %%
sets = {k: unit(k) for k in range(3, 7)}  # the first four that the recorded study reports
x_sets, y_sets = (np.stack([getattr(each, part) for each in sets.values()]) for part in ("x_train", "y_train"))
at_equal_loss = {}
for name in ("SGD", "SAM"):
    rule = methods[name][0](**knowledge.budgets["equal epochs"][name].settings)
    pairs = {k: (each.x_train, each.y_train) for k, each in sets.items()}
    runs = [minisam.train(net, pair, rule, 200, 20, k, loss="mse", progress=False) for k, pair in pairs.items()]
    ends = xp().stack([each.w for each in runs])
    at_equal_loss[name] = trace(finished(ends, x_sets, y_sets), x_sets)
    loss_at_end = np.mean([each.history["train_loss"][-1] for each in runs])
    before = f"training loss {loss_at_end:.4f}, tr H {trace(ends, x_sets).mean():.1f}"
    print(f"{name}: as trained, {before}; at equal loss, tr H {at_equal_loss[name].mean():.1f}")
check.predict(prediction, (at_equal_loss["SGD"] / at_equal_loss["SAM"]).mean())

# %% [markdown]
# ### Explain
# So flat is not enough, as the memoriser shows, and sharp is not bad, as the nine networks and SGD with weight decay show. On
# this problem what helped was weight decay: it makes weights small that no example needs. SAM has a rule of its own about which
# minimum it takes, and here another rule is the better one. (That is one problem, made to show it.)
#
# **Turn a knob**: with 60 training examples in place of 100 (`examples = 60`), who still finds the generaliser?
#
# ## What this leaves open
# If sharpness does not decide, only measuring does: test accuracy, units, equal budgets. How to run hundreds of such trainings
# at once is lesson 15.
#
# ## Where this comes from
# - L. Dinh, R. Pascanu, S. Bengio, Y. Bengio, *Sharp Minima Can Generalize for Deep Nets*, ICML 2017,
#   [arXiv:1703.04933](https://arxiv.org/abs/1703.04933).
# - J. Kwon et al., *ASAM: Adaptive Sharpness-Aware Minimization*, ICML 2021, [arXiv:2102.11600](https://arxiv.org/abs/2102.11600).
# - M. Andriushchenko et al., *A Modern Look at the Relationship between Sharpness and Generalization*, ICML 2023,
#   [arXiv:2302.07011](https://arxiv.org/abs/2302.07011) (adaptive measures; the scale of logits; no correlation that holds everywhere).
# - K. Wen, Z. Li, T. Ma, *Sharpness Minimization Algorithms Do Not Only Minimize Sharpness To Achieve Better Generalization*, NeurIPS
#   2023, [arXiv:2307.11007](https://arxiv.org/abs/2307.11007) (the memoriser).

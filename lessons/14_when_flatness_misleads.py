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
# **You can already**: measure sharpness (04), and say what SAM makes of it (13). **You will**: make a network as sharp or as flat as you
# like without changing what it does; build a network that is as flat as can be and knows nothing; and see what is left to say.

# %%
import check
import check_14
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from tqdm.auto import tqdm

import minisam
from minisam import SAM, SGD, BatchLoss, ops, sharpness
from minisam.array_backend import asarray, asnumpy, xp
from minisam.plot import COLOURS
from minisam.stats import mean_and_interval

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
# Relu has no scale of its own: $\mathrm{relu}(c z) = c\, \mathrm{relu}(z)$ for c > 0. So the first layer may be made c times as large, if the
# second makes up for it.
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
# **Exercise 2.** The loss has the curvature h along a weight. Now that weight is multiplied by c, and the function stays the same. What is
# the curvature along it?


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
# Same function, same predictions for every input, and a sharpness of any size. So the size alone can say nothing about how well a network
# predicts (Dinh and others, 2017). The dashed lines do not move: they measure ε in units of the weights, $\|\epsilon/|w|\,\| \le \rho$, and
# the weights grow with c as the curvatures shrink.
#
# **Exercise 3.** In a bowl with the curvatures h, at a minimum with the weights w: how far does the loss rise at worst, in the ball
# $\|\epsilon/|w|\,\|_2 \le \rho$?


# %% tags=["exercise"]
def adaptive_worst(h, w, rho):
    return ...


_ = check_14.adaptive_worst(adaptive_worst)


# %% jupyter={"source_hidden": true} tags=["solution"]
def adaptive_worst(h, w, rho):
    return rho**2 * np.max(h * w**2) / 2


_ = check_14.adaptive_worst(adaptive_worst)

# %%
h, weights, c = np.array([8.0, 0.5, 2.0]), np.array([0.5, -3.0, 1.0]), np.array([10.0, 0.1, 3.0])
print("before", adaptive_worst(h, weights, 0.1), " and after each weight has its own c", end=" ")
print(adaptive_worst(curvature(h, c), c * weights, 0.1))

# %% [markdown]
# ## Scale is not the only freedom
# So adaptive measures settle it? Multiply all **logits** by α. Each prediction stays what it is, but surer: where the training digits are
# right, the loss falls.
#
# ### Predict
# After 60 epochs (nearly) every training digit is classified right. With α = 3, by which factor does the **adaptive** worst case change?

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
    ax.barh(list(ratios), list(ratios.values()), color=[COLOURS[2] if "adaptive" in n else COLOURS[0] for n in ratios])
    ax.axvline(1, color="black", linewidth=0.8)
    right = asnumpy(minisam.accuracy(model.apply(two, asarray(digits.x_test)), asarray(digits.y_test)))
    ax.set(xscale="log", xlabel="sharpness, after / before", xlim=(1e-4, 1e3))
    ax.set(title=f"α = {alpha:.2g}, c = {c:.2g}: test accuracy {right[0]:.2%} before, {right[1]:.2%} after")
    return figure, ratios


# %%
figure, ratios = draw()
check.predict(prediction, ratios["at worst, adaptive"])
plt.show()


# %%
def moved(log_alpha, log_c):
    draw(10**log_alpha, 10**log_c)
    plt.show()


_ = ipywidgets.interact(moved, log_alpha=(-0.5, 1.0, 0.1), log_c=(-1.0, 1.0, 0.1))

# %% [markdown]
# ### Explain
# A network that is surer of its training data has smaller gradients and curvatures there, and predicts the same classes. SGD without weight
# decay makes itself surer with every step: part of what looks like flatness is length of training. So compare sharpness at equal loss, or
# with logits brought to one scale. What to look for: green bars move with α and not with c; blue ones with both.
#
# ## As flat as can be, and ignorant
# Last, a problem where everything is known (after Wen, Li and Ma, 2023). Inputs of 20 signs, the target is the product of the first two;
# 100 examples; 100 relu units and the squared error. The library has no network without a bias at its output, so here is one:

# %%
d, width = 20, 100


def forward(p, x):
    return ops.matmul(ops.relu(ops.affine(x, p["W0"], p["b0"])), p["a"])


def first_weights(rng):
    W0, a = rng.standard_normal((d, width)) / d**0.5, rng.standard_normal((width, 1)) / width**0.5
    return {"W0": W0, "b0": np.zeros(width), "a": a}


def signs(n, seed):
    x = np.random.default_rng(seed).choice([-1.0, 1.0], (n, d)).astype("float32")
    return x, x[:, :1] * x[:, 1:2]


# %%
shapes = {"W0": (d, width), "b0": (width,), "a": (width, 1)}
net = minisam.Model({"model": "two layers"}, shapes, forward, first_weights)
(x, y), (x_test, y_test) = signs(width, seed=0), signs(1000, seed=1)

# %% [markdown]
# **The memoriser** has a unit for each example, which no other input wakes. **The generaliser** has four units, one for each pair of signs
# of the first two inputs. Both fit all examples exactly. At such a minimum, $\operatorname{tr} H = \frac2n \sum_i \|\nabla f(x_i)\|^2$, and a
# unit with the activation z > 0 and the outgoing weight a gives $z^2 + a^2 (d + 1) \ge 2\,|a z| \sqrt{d+1}$. The products a z of an example
# have to sum up to ±1, so
#
# $$\operatorname{tr} H \ge 4 \sqrt{d + 1}$$
#
# for every network of this form that fits. With $z = \kappa = (d+1)^{1/4}$ both reach it: there is nothing flatter.

# %%
kappa = (d + 1) ** 0.25
memoriser = {"W0": kappa * x.T, "b0": np.full(width, -kappa * (d - 1)), "a": y / kappa}
corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
generaliser = {"W0": np.zeros((d, width)), "b0": np.full(width, -1.0), "a": np.zeros((width, 1))}
generaliser["W0"][:2, :4], generaliser["b0"][:4] = kappa * corners.T, -kappa
generaliser["a"][:4, 0] = corners.prod(axis=1) / kappa
built = xp().stack(
    [net.flatten({name: asarray(a, dtype="float32") for name, a in p.items()}) for p in (memoriser, generaliser)]
)

# %%
x, y, x_test, y_test = map(asarray, (x, y, x_test, y_test))
on_signs, H = BatchLoss(net, minisam.mse).on(x, y), minisam.hvp(net, minisam.mse)
output = minisam.value_and_grad(net, lambda z, y: ops.sum_last(z)[..., 0, 0])  # f and ∇f, of one example a replica


def measure(w):
    """Training loss, trace of the Hessian, and test accuracy; an output of 0 is right half the time."""
    out = asnumpy(net.apply(w, x_test) * y_test)
    trace = sharpness.trace(lambda w, v: H(w, v, x, y), w).value
    return asnumpy(on_signs(w)[0]), trace, np.mean((out > 0) + 0.5 * (out == 0), axis=(-1, -2))


def exact_trace(w):
    g = asnumpy(output(xp().stack([w] * len(x)), x[:, None, :], y)[1])  # (examples, n)
    return 2 * np.mean(np.sum(g**2, axis=1))


# %% [markdown]
# ### Predict
# Which share of 1,000 new inputs does the memoriser get right?

# %% tags=["prediction"]
prediction = None

# %%
loss_built, _, right_built = measure(built)
trace_built = [exact_trace(w) for w in built]
check.predict(prediction, right_built[0])
for k, name in enumerate(("memoriser", "generaliser")):
    print(f"{name:12} training loss {loss_built[k]:.1e}  tr H {trace_built[k]:.1f}  test accuracy {right_built[k]:.1%}")
print(f"{'4 √(d + 1)':46}{4 * (d + 1) ** 0.5:.1f}")

# %% [markdown]
# Would SAM leave the memoriser, if it is pushed a little? And does it find the generaliser from a random start? The rows below: SAM from both
# built networks, pushed by noise of 0.01 a weight; then ten random starts each by SGD and by SAM, with all examples in a step and with one.
# The step size is chosen on further inputs, for each way alone.

# %%
push = asarray(0.01 * np.random.default_rng(0).standard_normal(net.size), dtype="float32")
w, optimizer = built + push, SAM(SGD(0.02), rho=0.05)
state = optimizer.init(w)
for _ in tqdm(range(1000), unit="step", leave=False):
    w, state, info = optimizer.step(w, state, on_signs)
_, trace, right = measure(w)
print(f"SAM from the memoriser: tr H {trace[0]:.1f}, right {right[0]:.1%}")
print(f"SAM from the generaliser: tr H {trace[1]:.1f}, right {right[1]:.1%}")

# %%
full, single = [0.02, 0.04, 0.08], [0.0025, 0.005, 0.01]  # up to the edge: see the knob below
ways = {  # SGD has twice the epochs, so as many gradients as SAM
    "SGD, 100 a step": (lambda lr: SGD(lr), 100, 600, full),
    "SAM, 100 a step": (lambda lr: SAM(SGD(lr), 0.1), 100, 300, full),
    "SGD, 1 a step": (lambda lr: SGD(lr), 1, 120, single),
    "SAM, 1 a step": (lambda lr: SAM(SGD(lr), 0.1), 1, 60, single),
}
x_validation, y_validation = map(asarray, signs(1000, seed=2))
found = {}
for name, (rule, batch_size, epochs, lrs) in ways.items():
    pair = asnumpy(x), asnumpy(y)
    sweep = minisam.train(net, pair, rule, epochs, batch_size, seed=range(10), sweep={"lr": lrs}, loss="mse")
    chosen = asnumpy((net.apply(sweep.w, x_validation) * y_validation > 0).mean(axis=(-1, -2))).mean(axis=-1)
    found[name] = measure(sweep.select(lr=lrs[np.argmax(chosen)]).w)
    told = [f"{mean:.3g} ± {half:.2g}" for mean, half in map(mean_and_interval, found[name])]
    row = "{:17} loss {:18} tr H {:12} test accuracy {:16}".format(name, *told)
    print(row, "validation", dict(zip(lrs, chosen.round(3).tolist(), strict=True)))

# %%
figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
for colour, (name, (_, trace, right)) in zip(COLOURS, found.items(), strict=False):
    ax.plot(trace, right, "o", color=colour, label=name, alpha=0.8)
for k, (name, mark) in enumerate((("memoriser", "X"), ("generaliser", "*"))):
    ax.plot(trace_built[k], right_built[k], mark, color="black", markersize=11, label=name)
ax.axvline(4 * (d + 1) ** 0.5, color="grey", linewidth=0.8, linestyle="--")
ax.set(xlabel="tr H (dashed: no network that fits is flatter)", ylabel="test accuracy", xlim=(0, None))
ax.legend(fontsize=8)
check.keep(figure, "14_flat_and_ignorant")
plt.show()

# %% [markdown]
# ### Explain
# What to look for: the memoriser is the flattest network of all, with the generaliser, and knows nothing; no trained network that fits can
# be flatter. SAM has no reason to leave it. Of the networks **that training finds** from random starts, which are the flattest, and are
# those the best? Look at SAM with an ε for each example. And with one ε for all: are SAM's flatter than SGD's, and are they better? Compare
# the intervals. So flat is not enough, as the memoriser shows, and sharp is not bad, as the nine networks show. What counts is which flat
# minima a method happens on, and that depends on the start, on the batch and on the data.
#
# **Turn a knob**: `SGD(lr, l2=0.005)`. What does weight decay do to the trace, and to the accuracy? And add 0.02 to `single` for SGD: some
# runs may diverge, and a warning says so. Where do the others end in the picture?
#
# ## What this leaves open
# If sharpness does not decide, only measuring does: test accuracy, seeds, equal budgets. How to run hundreds of such trainings at once is
# lesson 15.
#
# ## Where this comes from
# - L. Dinh, R. Pascanu, S. Bengio, Y. Bengio, *Sharp Minima Can Generalize for Deep Nets*, ICML 2017,
#   [arXiv:1703.04933](https://arxiv.org/abs/1703.04933).
# - J. Kwon et al., *ASAM: Adaptive Sharpness-Aware Minimization*, ICML 2021, [arXiv:2102.11600](https://arxiv.org/abs/2102.11600).
# - M. Andriushchenko et al., *A Modern Look at the Relationship between Sharpness and Generalization*, ICML 2023,
#   [arXiv:2302.07011](https://arxiv.org/abs/2302.07011) (adaptive measures; the scale of logits; no correlation that holds everywhere).
# - K. Wen, Z. Li, T. Ma, *Sharpness Minimization Algorithms Do Not Only Minimize Sharpness To Achieve Better Generalization*, NeurIPS
#   2023, [arXiv:2307.11007](https://arxiv.org/abs/2307.11007) (the memoriser).

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
# # 17 · Is your SAM right?
# **You can already**: write a SAM step (03) and check the gradient that it takes (01). **You will**: find three mistakes in
# somebody's SAM with nothing but a report on it, repair them one by one, and hold your own SAM against the same report, in NumPy,
# PyTorch or optax.

# %%
import check
import check_17
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

import minisam
from minisam import conformance
from minisam.array_backend import asarray
from minisam.conformance import numpy_step
from minisam.conformance.watch import Oracle
from minisam.plot import COLOURS

# %% [markdown]
# ## The question: how would you know?
# Here is a SAM over SGD with momentum and weight decay, as somebody wrote it. It has three mistakes. Read it, and do not look for
# them too long: each line looks reasonable, and that is how such mistakes live for years.

# %%
RHO, LR, MU, L2 = 0.2, 0.1, 0.9, 0.001


def start(w):
    return {"v": np.zeros_like(w)}


def as_found(w, state, loss_and_grad):
    loss, g = loss_and_grad(w)
    v = MU * state["v"] + g + 2 * L2 * w
    eps = LR * RHO * g / (np.linalg.norm(g) + 1e-12)
    up = w + eps
    loss_adv, g_adv = loss_and_grad(up)
    v = MU * v + g_adv + 2 * L2 * w
    return up - LR * v, {"v": v}


# %% [markdown]
# ### Predict
# It trains a network on the digits for 200 steps, as `minisam.SAM` does with the same settings. How many points of test accuracy
# do the three mistakes cost? (A loss is negative.)

# %% tags=["prediction"]
prediction = None

# %%
digits, model = minisam.data.digits(), minisam.mlp([64, 16, 10], "tanh")
loss_and_grad = minisam.value_and_grad(model)
x, y = asarray(digits.x_train.astype("float64")), asarray(digits.y_train)


def trained(init, step, seed=0, steps=200):
    w = model.init(seed=seed, dtype="float64")
    state, losses = init(w), []
    for _ in range(steps):
        losses.append(float(loss_and_grad(w, x, y)[0]))
        w, state = step(w, state, lambda w: loss_and_grad(w, x, y))[:2]
    z = model.apply(w, asarray(digits.x_test.astype("float64")))
    return losses, 100 * float(minisam.accuracy(z, asarray(digits.y_test)))


sam = minisam.SAM(minisam.SGD(LR, momentum=MU), RHO, l2=L2)
gains = [trained(start, as_found, seed)[1] - trained(sam.init, sam.step, seed)[1] for seed in range(5)]
check.predict(prediction, np.mean(gains), "points")
print("of each seed:", np.round(gains, 1))

# %% [markdown]
# ### Explain
# Little, and a seed may even gain. The digits are read with the mistakes as without them: a network learns from almost anything
# that goes downhill. So accuracy is a poor witness. It says that *something* works, and not that it is SAM. If you then compare
# "SAM" with SGD, you compare something else, and never know. What is needed is a witness who looks at the steps:
#
# $$\epsilon = \rho\, \frac{\nabla L(w)}{\|\nabla L(w)\|} \qquad v \leftarrow \mu v + \nabla L(w + \epsilon) + 2 \lambda w \qquad
# w \leftarrow w - \eta v$$
#
# Each part of these lines can be wrong by itself, so each gives a statement that holds or not.
#
# ## The report
# `conformance.check` makes an implementation take steps on small problems, with a loss that notes where it was asked for a
# gradient. From the outside it sees this much of each step, and it is enough: w before and after, the points that were asked
# about, so $\epsilon$ is the second less the first, and both gradients.

# %%
minisam.show(Oracle.__call__)

# %%
SETTINGS = {"rho": RHO, "lr": LR, "momentum": MU, "weight_decay": 2 * L2}
report = conformance.check(numpy_step(as_found, start), "SAM", **SETTINGS)
display(report)

# %% [markdown]
# How to read a row: the statement; whether it holds; by how much it is missed, relative to its size; and the line of the formula
# it is about. A dash means that these settings cannot show it. What the statements mean, and what a step without them does:
#
# | of the formula | the statement says | without it |
# |---|---|---|
# | ∇L(w), ∇L(w + ε) | two gradients a step, the first at w, the second away from it | SGD, or SAM that looks from the wrong place |
# | ∇L_B | both are of the same batch | ε goes uphill for examples that the second gradient does not see |
# | ε = ρ g/‖g‖ | along ∇L(w) and nothing else, uphill, one norm for all tensors | another ball: perhaps a choice, then with a name |
# | ‖ε‖ = ρ | as long as was said | every ρ in your tables means something else |
# | ∇L(w + ε) | the base gets the second gradient, alone | descent at twice the price |
# | w ← w − … | the step starts at w | each step also *climbs* by ε |
# | + 2λw | the weight decay is that of w, once | another λ than you tuned |
# | v ← μ v + d | the momentum gets one gradient a step | twice the step size, nearly, and half of it plain SGD's |
# | ε = 0 at g = 0 | a gradient of zero does no harm | NaN, in the one batch in a million that has none |
# | the whole path | the weights are minisam's to many digits | something that no statement is about |
#
# ## Repair it
# From here on, the report is your only help. To exchange one piece at a time, these are the three lines of the step that compute
# something, as functions, and the step made of them. Is it still the same step? The losses may differ by
# rounding, and no more.


# %%
def look_as_found(g, rho, lr):
    return lr * rho * g / (np.linalg.norm(g) + 1e-12)


def move_as_found(w, eps, v, lr):
    return w + eps - lr * v


def feed_as_found(v, d, d_adv, mu):  # d and d_adv: the gradients at w and at w + ε, each with 2λw added
    return mu * (mu * v + d) + d_adv


# %%
def made_of(look, move, feed):
    def step(w, state, loss_and_grad):
        loss, g = loss_and_grad(w)
        eps = look(g, RHO, LR)
        loss_adv, g_adv = loss_and_grad(w + eps)
        v = feed(state["v"], g + 2 * L2 * w, g_adv + 2 * L2 * w, MU)
        return move(w, eps, v, LR), {"v": v}

    return step


same = made_of(look_as_found, move_as_found, feed_as_found)
print("losses differ by", np.abs(np.subtract(trained(start, same)[0], trained(start, as_found)[0])).max())

# %% [markdown]
# **Exercise 1.** The report's first mistake is about the length of ε. Write ε as it should be. `g` is ∇L(w); not every argument has
# to be used.


# %% tags=["exercise"]
def look(g, rho, lr):
    return ...


_ = check_17.look(look)


# %% jupyter={"source_hidden": true} tags=["solution"]
def look(g, rho, lr):
    return rho * g / (np.linalg.norm(g) + 1e-12)


_ = check_17.look(look)

# %% [markdown]
# One of three is repaired, and the other two are still there. The training loss after 200 steps on the digits, as it was found:

# %%
print("as found:", trained(start, as_found)[0][-1])

# %% [markdown]
# ### Predict
# With the first mistake repaired, is the loss lower or higher? Put the loss.

# %% tags=["prediction"]
prediction = None

# %%
first = made_of(look, move_as_found, feed_as_found)
check.predict(prediction, trained(start, first)[0][-1])
for mistake in conformance.check(numpy_step(first, start), "SAM", **SETTINGS).mistakes:
    print(mistake)

# %% [markdown]
# ### Explain
# It got *worse*. A step that is not restored climbs by ε each time, and ε was ten times too short: the first mistake had hidden
# the second one. Who repairs by watching the loss would undo a right repair here. The statements do not depend on each other in
# this way: what was seen of the other parts is taken as it is, so one more of them holds than before.
#
# **Exercise 2.** Write where the weights are after the step, from w, ε, the momentum v and the step size.


# %% tags=["exercise"]
def move(w, eps, v, lr):
    return ...


_ = check_17.move(move)


# %% jupyter={"source_hidden": true} tags=["solution"]
def move(w, eps, v, lr):
    return w - lr * v


_ = check_17.move(move)

# %% [markdown]
# **Exercise 3.** Write the momentum after the step. `v` is that before it; `d` is $\nabla L(w) + 2\lambda w$, and `d_adv` is
# $\nabla L(w + \epsilon) + 2\lambda w$.


# %% tags=["exercise"]
def feed(v, d, d_adv, mu):
    return ...


_ = check_17.feed(feed)


# %% jupyter={"source_hidden": true} tags=["solution"]
def feed(v, d, d_adv, mu):
    return mu * v + d_adv


_ = check_17.feed(feed)

# %% [markdown]
# ## Before and after
# All four versions side by side, statement by statement; and below, what the loss would have told of them.

# %%
versions = {
    "as found": as_found,
    "ε repaired": first,
    "and restored": made_of(look, move, feed_as_found),
    "and momentum": made_of(look, move, feed),
}
reports = [conformance.check(numpy_step(step, start), "SAM", **SETTINGS) for step in versions.values()]
colour_of = {True: COLOURS[2], False: COLOURS[1], None: "lightgrey"}


# %%
def table(ax, reports, names):
    texts = list(dict.fromkeys(s.text for report in reports for s in report.statements))
    for column, report in enumerate(reports):
        for s in report.statements:
            ax.barh(texts.index(s.text), 0.94, 0.9, column - 0.47, color=colour_of[s.holds])
            sign = {True: "yes", False: "other" if s.is_choice else "NO", None: "–"}[s.holds]
            ax.text(column, texts.index(s.text), sign, ha="center", va="center", color="white", fontsize=7)
    ax.set(xticks=range(len(names)), xticklabels=names, yticks=range(len(texts)), yticklabels=texts)
    ax.invert_yaxis()
    ax.tick_params(length=0, labelsize=7)
    ax.spines[:].set_visible(False)


# %%
figure, (top, below) = plt.subplots(2, 1, figsize=(7.2, 5.8), height_ratios=[2.2, 1], layout="constrained")
table(top, reports, list(versions))
top.xaxis.tick_top()
for colour, (name, step) in zip((COLOURS[1], COLOURS[4], COLOURS[0], COLOURS[2]), versions.items(), strict=True):
    below.plot(trained(start, step)[0], color=colour, label=name)
below.plot(trained(sam.init, sam.step)[0], ":", color="black", label="minisam.SAM")
below.set(yscale="log", xlabel="step", ylabel="training loss", title="the loss points at the wrong one")
below.legend(fontsize=8, ncols=2)
check.keep(figure, "17_before_and_after")
plt.show()

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Each repair turns one NO into a yes, and touches no other row. The last row, that the whole path is minisam's, is asked only
# when all others hold: then 20 steps on each of six problems agree to nine digits or more. The loss tells another story: the
# version with one repair has the worst curve of all, and the one with three mistakes looks like the right one.
#
# </details>
#
# **Turn a knob.** Which of the mistakes can be *seen* depends on the settings. Switch mistakes on and off, then put the momentum
# or the weight decay to 0. What to look for: which rows turn grey, and which mistake is then gone from the report though it is
# still in the code?


# %%
def turn(step_size_in_eps=True, not_restored=True, fed_twice=True, momentum=0.9, decay=0.01, rho=0.2):
    def step(w, state, loss_and_grad):
        loss, g = loss_and_grad(w)
        eps = (look_as_found if step_size_in_eps else look)(g, rho, LR)
        loss_adv, g_adv = loss_and_grad(w + eps)
        v = (feed_as_found if fed_twice else feed)(state["v"], g + decay * w, g_adv + decay * w, momentum)
        return (move_as_found if not_restored else move)(w, eps, v, LR), {"v": v}

    settings = {"rho": rho, "lr": LR, "momentum": momentum, "weight_decay": decay}
    report = conformance.check(numpy_step(step, start), "SAM", **settings)
    figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    table(ax, [report], ["this one"])
    plt.show()
    print("\n".join(report.mistakes) or "no mistake")


_ = ipywidgets.interact(turn, momentum=(0.0, 0.9, 0.1), decay=(0.0, 0.02, 0.005), rho=(0.05, 0.4, 0.05))

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Without momentum, one that is fed twice is not to be seen: μ = 0 makes both lines equal, $v = d$. Without weight decay nobody
# knows where it would be taken. Whatever ρ is, ε is too short by the same factor. So check with settings that are all different
# from zero, and from each other: what a report does not show, it does not clear.
#
# </details>
#
# ## A mistake, or a choice?
# Not everything that differs from SAM is wrong. Leave out the norm on purpose, and you have USAM, a variant with a name and an
# article of its own. The report says so, and counts no mistake; but its ρ is not SAM's ρ, and a table that mixes both is wrong.

# %%
usam = made_of(lambda g, rho, lr: rho * g, move, feed)
told = conformance.check(numpy_step(usam, start), "SAM", **SETTINGS)
print("ok:", told.ok, "| mistakes:", told.mistakes, "| choices:", told.choices)
print("as USAM:", conformance.check(numpy_step(usam, start), "USAM", **SETTINGS).choices)

# %% [markdown]
# ## Yours
# In PyTorch, an optimizer with `first_step` and `second_step`, or one that takes a closure, is watched as it is; `make` gets
# parameters and returns it. A training step written out by hand is a function of a model:
#
# ```python
# from minisam.conformance import assert_conforms, check, optax_transform, torch_loop, torch_optimizer
#
# print(check(torch_optimizer(lambda params: MySAM(params, torch.optim.SGD, rho=0.05, lr=0.1, momentum=0.9)),
#             "SAM", rho=0.05, lr=0.1, momentum=0.9))
#
# def make(model):
#     base = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
#     def step(loss):            # loss() is the loss on this step's batch, at the weights of the moment
#         base.zero_grad()
#         loss().backward()
#         ...                    # to w + ε, the second loss().backward(), and back
#         base.step()
#     return step
#
# print(check(torch_loop(make), "SAM", rho=0.05, lr=0.1, momentum=0.9))
# ```
#
# In optax, where SAM is a transformation around two others:
#
# ```python
# ascent = optax.chain(optax.contrib.normalize(), optax.sgd(0.05))
# sam = optax.contrib.sam(optax.sgd(0.1, momentum=0.9), ascent, opaque_mode=True)
# print(check(optax_transform(sam, mode="opaque"), "SAM", rho=0.05, lr=0.1, momentum=0.9))
# ```
#
# As a test of your project, so that it stays right; and from the command line, whose exit status is 1 if there is a mistake:
#
# ```python
# def test_my_sam():
#     assert_conforms(torch_optimizer(make), "SAM", rho=0.05, lr=0.1, momentum=0.9)
# ```
#
# ```
# minisam conform mine.py:make --framework torch --settings rho=0.05 lr=0.1 momentum=0.9
# ```
#
# ## What this leaves open
# A right SAM is one that does what its formula says. Whether that helps on your data is the question of lessons 07 and 16, and can
# only now be asked. And the report speaks of what it has driven: a schedule, mixed precision, several machines or a layer with a
# memory of its own can hold mistakes of their own. In a language without minisam, the [test vectors](../vectors/README.md) are the
# yardstick: twenty steps of each variant, as plain numbers. What the report says of implementations that can be installed is
# [written down](../conformance/README.md), with a short program for each deviation.
#
# ## Where this comes from
# - P. Foret, A. Kleiner, H. Mobahi, B. Neyshabur, *Sharpness-Aware Minimization for Efficiently Improving Generalization*,
#   ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412), algorithm 1 (what each statement is about).
# - M. Andriushchenko, N. Flammarion, *Towards Understanding Sharpness-Aware Minimization*, ICML 2022,
#   [arXiv:2206.06232](https://arxiv.org/abs/2206.06232) (SAM without the norm).
# - R. A. DeMillo, R. J. Lipton, F. G. Sayward, *Hints on Test Data Selection: Help for the Practicing Programmer*, Computer 11(4),
#   1978 (plant mistakes, and see whether they are found).

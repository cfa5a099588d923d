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
# # 03 · SAM in ten lines
# **You can already**: train a network by hand (02). **You will**: derive the step of Sharpness-Aware Minimization, write it, hold
# each piece against finite differences, watch it leave a sharp minimum, and say why it does.

# %%
import autograd.numpy as anp
import check
import check_03
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD
from minisam.array_backend import asarray, asnumpy
from minisam.plot import COLOURS

# %% [markdown]
# ## The question: how does one descend a maximum?
# SAM does not minimise the loss, but the worst loss within a distance ρ, and keeps the weights small besides:
#
# $$\min_w \; \max_{\|\epsilon\|_2 \le \rho} L(w + \epsilon) \; + \; \lambda \|w\|^2$$
#
# A maximum inside a minimum. To search for the inner one takes some twenty gradients in each step. So take the tangent: near w,
# $L(w + \epsilon) \approx L(w) + \langle g, \epsilon \rangle$ with $g = \nabla L(w)$, and a linear function is largest at the rim
# of the ball, straight uphill.
#
# **Exercise 1.** Write that ε, of length ρ.


# %% tags=["exercise"]
def epsilon(g, rho):
    return ...


_ = check_03.epsilon(epsilon)


# %% jupyter={"source_hidden": true} tags=["solution"]
def epsilon(g, rho):
    return rho * g / np.linalg.norm(g)


_ = check_03.epsilon(epsilon)

# %% [markdown]
# From w to this w + ε the loss rises by $\langle g, \epsilon \rangle = \rho \|g\|$, to first order. So SAM minimises
# $L(w) + \rho \|\nabla L(w)\|$, nearly. That does not yet say why it should prefer a flat minimum: at every minimum, sharp or
# flat, the gradient is zero. The reason is in the second order, and comes below.
#
# ### Other balls
# The ball need not be round. With another norm, $\|\epsilon\|_p \le \rho$, the worst corner is another one; `minisam.epsilon` knows
# it for every $1 \le p \le \infty$. The gradient is the same in all three pictures:

# %%
g = np.array([2.0, 1.0])
angle = np.linspace(0, 2 * np.pi, 400)
circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
figure, axes = plt.subplots(1, 3, figsize=(9, 3.1), layout="constrained")
for ax, p in zip(axes, (1, 2, np.inf), strict=True):
    rim = circle / np.linalg.norm(circle, ord=p, axis=-1, keepdims=True)
    eps = asnumpy(minisam.epsilon(asarray(g), rho=1.0, p=p))
    ax.fill(*rim.T, color=COLOURS[5], alpha=0.3)
    for end, colour, name in ((0.6 * g, "grey", "gradient"), (eps, COLOURS[1], "ε")):
        ax.annotate("", end, (0, 0), arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 2})
        ax.text(*(1.08 * end), name, color=colour)
    ax.set(title=f"p = {p}", xlim=(-1.4, 1.7), ylim=(-1.4, 1.7), aspect="equal")
plt.show()

# %% [markdown]
# ## The step
# With ε in hand, the outer minimum is descended with the gradient found at w + ε, applied at w. The term $\lambda \|w\|^2$ stands
# outside the maximum, so its gradient is taken at w.
#
# **Exercise 2.** Write the gradient with which SAM descends. `loss_and_grad(w)` returns the loss and its gradient; call it
# twice.


# %% tags=["exercise"]
def sam_gradient(loss_and_grad, w, rho, l2):
    return ...


_ = check_03.sam_gradient(sam_gradient)


# %% jupyter={"source_hidden": true} tags=["solution"]
def sam_gradient(loss_and_grad, w, rho, l2):
    loss, g = loss_and_grad(w)
    eps = rho * g / np.linalg.norm(g)  # ascent
    loss_adv, g_adv = loss_and_grad(w + eps)
    return g_adv + 2 * l2 * w  # descent


_ = check_03.sam_gradient(sam_gradient)
# %% [markdown]
# ## Is it the gradient of the objective?
# Take a small network on 64 digits, and measure the slope of the objective along each weight, by finite differences. Once with ε
# held where it was found; once with ε found anew at each point, as the objective has it.

# %%
digits, model, rho, l2 = minisam.data.digits(), minisam.mlp([64, 6, 10], "tanh"), 0.1, 0.01
x, y = asarray(digits.x_train[:64].astype("float64")), asarray(digits.y_train[:64])
w = model.init(seed=0, dtype="float64")
f = minisam.value_and_grad(model)


def batch(w):
    return f(w, x, y)


def slope(objective, h=1e-5):
    steps = asarray(h * np.eye(len(w)))  # one replica for each weight
    return (objective(w + steps) - objective(w - steps)) / (2 * h)


eps = minisam.epsilon(batch(w)[1], rho)
held = slope(lambda w: batch(w + eps)[0] + minisam.l2_penalty(w, l2))
anew = slope(lambda w: minisam.sam_objective(batch, w, rho, l2=l2))
sam = sam_gradient(batch, w, rho, l2)
print("SAM's gradient, and the slope with ε held: largest difference", float(np.abs(sam - held).max()))

# %% [markdown]
# ### Predict
# With ε held, they agree to the accuracy of the differences. When ε follows w, there is a second term, with the Hessian in it,
# which SAM drops. How large is it, as a share of the whole slope? Put a number from 0 to 1.

# %% tags=["prediction"]
prediction = None

# %%
sam, anew = asnumpy(sam), asnumpy(anew)
check.predict(prediction, np.linalg.norm(sam - anew) / np.linalg.norm(anew))
print("cosine of the angle between them:", sam @ anew / np.linalg.norm(sam) / np.linalg.norm(anew))

# %% [markdown]
# ### Explain
# With ε a function of w, the chain rule gives two terms, and SAM keeps the first:
#
# $$\nabla_w\, L(w + \epsilon(w)) = \nabla L(w + \epsilon) + \Big(\frac{\partial \epsilon}{\partial w}\Big)^{\!\top} \nabla L(w + \epsilon)$$
#
# Dropping the other makes the step cheap: two gradients, and no Hessian. What it costs in accuracy depends on ρ and on the place;
# lesson 06 is about it. **Turn a knob**: how does the share change with ρ = 0.01 and ρ = 0.5?
#
# ## Watch it move
# A landscape with a sharp minimum at the left and a flat one at the right, equally deep. In the small picture, black is w and
# orange ε, the look uphill, in the first steps. In the picture after the next, sliders set ρ and the step size η.


# %%
def landscape(w):
    sharp = 20 * (w[..., 0] + 1) ** 2 + 20 * w[..., 1] ** 2
    flat = (w[..., 0] - 1) ** 2 + w[..., 1] ** 2
    return -0.1 * anp.log(anp.exp(-sharp / 0.1) + anp.exp(-flat / 0.1))


on_landscape = minisam.value_and_grad(landscape)
start, lr = asarray(np.array([-1.15, 0.12])), 0.045


def walk(optimizer, steps=200, start=start, on_landscape=on_landscape):
    w, state, way = start, optimizer.init(start), [asnumpy(start)]
    for _ in range(steps):
        w, state, info = optimizer.step(w, state, on_landscape)
        way.append(asnumpy(w))
    return np.array(way)


# %% [markdown]
# ### Predict
# Plain gradient descent starts in the sharp basin and stays there. What is the smallest ρ, to one digit, with which SAM gets out?

# %% tags=["prediction"]
prediction = None

# %%
rhos = np.linspace(0.0, 0.1, 51)
starts = asarray(np.tile(asnumpy(start), (51, 1)))  # all radii at once: one replica for each
ends = walk(SAM(SGD(lr), rhos[:, None]), start=starts)[-1]
check.predict(prediction, rhos[np.argmax(ends[:, 0] > 0)])

# %% [markdown]
# Is it ρ alone that counts? **Predict**: of the 51 radii that were tried, with how many does SAM get out if the step size is halved?

# %% tags=["prediction"]
prediction = None

# %%
halved = walk(SAM(SGD(lr / 2), rhos[:, None]), 400, starts)[-1]
check.predict(prediction, (halved[:, 0] > 0).sum())

# %%
grid = np.stack(np.meshgrid(np.linspace(-1.8, 2, 200), np.linspace(-1, 1, 120)), axis=-1)


def draw(rho=0.06, lr=lr, steps=200):
    figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
    ax.contour(*grid.T, landscape(grid).T, levels=np.linspace(0, 4, 17), cmap="Greys_r", linewidths=0.7)
    for optimizer, colour in ((SGD(lr), COLOURS[0]), (SAM(SGD(lr), rho), COLOURS[2])):
        way = walk(optimizer, steps)
        ax.plot(*way.T, ".-", color=colour, linewidth=0.8, markersize=4, label=type(optimizer).__name__)
        ax.plot(*way[-1], "*", color=colour, markersize=14)
    ax.set(title=f"ρ = {rho:.3f}, η = {lr:.4f}, {steps} steps; stars: where they are", aspect="equal")
    ax.legend(loc="upper right")
    near = ax.inset_axes([0.02, 0.64, 0.28, 0.34], xlim=(-1.3, -0.7), ylim=(-0.22, 0.22), xticks=[], yticks=[])
    near.plot(*way[:6].T, "o-", color="black", markersize=3, linewidth=0.6)
    for w in way[:6]:
        eps = asnumpy(minisam.epsilon(on_landscape(asarray(w))[1], rho))
        near.annotate("", w + eps, w, arrowprops={"arrowstyle": "->", "color": COLOURS[1], "linewidth": 1.6})
    ax.indicate_inset_zoom(near)
    return figure


# %%
figure = draw()
check.keep(figure, "03_out_of_the_sharp_minimum")
plt.show()


# %%
def moved(rho, lr, steps):
    draw(rho, lr, steps)
    plt.show()


_ = ipywidgets.interact(
    moved,
    rho=ipywidgets.FloatSlider(0.044, min=0.0, max=0.1, step=0.002, readout_format=".3f", description="ρ"),
    lr=ipywidgets.FloatSlider(0.045, min=0.02, max=0.0475, step=0.0025, readout_format=".4f", description="η"),
    steps=ipywidgets.IntSlider(200, min=1, max=400),
)
# %% [markdown]
# ### Explain
# In a bowl of curvature h, SAM ends in bouncing from side to side, at a distance of
#
# $$\frac{\eta h \rho}{2 - \eta h}$$
#
# from the minimum (lesson 13 derives it).
# The sharp minimum has η h = 1.8, close to 2, so the bounce is many times ρ, and carries w over the ridge. In the flat one it is a
# small fraction of ρ. With half the step size η h is 0.9, the bounce is shorter than ρ, and none of these radii leaves. So this
# escape is the work of ρ and of the step size together. What to look for: with ρ = 0.044, just too small, the path fills the
# sharp basin and stays; with one notch more of ρ it leaves, and with one notch less of η it stays again.
#
# ## Why flat?
# The bounce is not all. Stand at a distance d from a minimum, in a direction of curvature h, where $L = \tfrac{h}{2} d^2$.
#
# **Exercise 3.** How large is the worst loss within a distance ρ of there?


# %% tags=["exercise"]
def worst_loss(d, h, rho):
    return ...


_ = check_03.worst_loss(worst_loss)


# %% jupyter={"source_hidden": true} tags=["solution"]
def worst_loss(d, h, rho):
    return h / 2 * (abs(d) + rho) ** 2


_ = check_03.worst_loss(worst_loss)

# %% [markdown]
# Let d become small: what is left is $\tfrac{h}{2} \rho^2$. Exactly at the minimum SAM has no direction to look in, as g = 0. But a
# step that never settles, for noise or for bouncing, is never exactly there. So it feels $\tfrac{h}{2} \rho^2$, and of two
# minima of equal loss the one with the smaller curvature is better. Where the curvature changes along a valley, that term has a
# slope, and SAM walks down it. Here the floor of the valley, u = 0, is the same height everywhere, and its curvature is 1 + s²:


# %%
def valley(w):
    u, s = w[..., 0], w[..., 1]
    return (1 + s**2) * u**2 / 2


for name, optimizer in {"SGD": SGD(0.3), "SAM": SAM(SGD(0.3), 0.2)}.items():
    way = walk(optimizer, 400, asarray(np.array([0.3, 1.5])), minisam.value_and_grad(valley))
    print(
        f"{name} ends at u = {way[-1, 0]:.3f}, s = {way[-1, 1]:.3f}, where the curvature is {1 + way[-1, 1] ** 2:.2f}"
    )

# %% [markdown]
# SGD settles on the floor, and stays where it is sharp: there nothing pushes it along. SAM goes on bouncing across the valley, at
# u ≠ 0, and drifts to its flattest place.
#
# **Say it in a sentence.** Why does SAM move to flatter places? Put the letter in place of None.
#
# - a: the term ρ‖∇L(w)‖ is larger at a sharp minimum than at a flat one
# - b: a step that does not settle pays ρ²h/2 for the curvature h around it, and a slope of h pushes it
# - c: its step is longer, by a factor of 1 + ρ, so it jumps over sharp minima
# - d: the penalty λ‖w‖² makes the landscape flat

# %%
_ = check_03.why(None)

# %% [markdown]
# Is a flat minimum a good one? There are arguments, and none is a proof. Foret et al. start from a PAC-Bayes bound: the loss on new
# data is, most likely, not above the *mean* loss under noise of size ρ on the weights, plus a term that grows with ‖w‖²/ρ². They
# then put the worst loss in place of the mean; and such bounds are far above the errors one measures. Keskar et al. saw that large
# batches end in sharper minima and predict worse. Dinh et al. answered that a network can be rescaled, layer by layer, so that it
# computes the same and is as sharp as one likes; lesson 04 does that. So flatness alone cannot be the cause. What SAM does for
# the accuracy is a question for experiments: lesson 07 asks it, and lesson 14 shows flat minima that predict badly.
#
# ## On the digits
# Your `sam_gradient` trains a network, beside gradient descent, which is SAM with ρ = 0. The curvature is λ_max, the largest
# eigenvalue of the Hessian.

# %%
net = minisam.mlp([64, 16, 10], "tanh")
x_train, y_train = asarray(digits.x_train.astype("float64")), asarray(digits.y_train)
on_training_data, product = minisam.value_and_grad(net), minisam.hvp(net)


def on_digits(w):
    return on_training_data(w, x_train, y_train)


for name, radius in (("gradient descent", 0.0), ("your SAM", 0.2)):
    w_digits = net.init(seed=0, dtype="float64")
    for _ in range(300):
        g = sam_gradient(on_digits, w_digits, radius, l2=0.0)
        w_digits = w_digits - 0.5 * g
    top = minisam.sharpness.lambda_max(lambda w, v: product(w, v, x_train, y_train), w_digits)
    print(f"{name}: loss {float(on_digits(w_digits)[0]):.4f}, λ_max {float(top):.2f}")

# %% [markdown]
# The losses are close, and the curvatures are not. The same in PyTorch, for a `model`, a `loss` function, a batch `x, y` and any `optimizer` of `torch.optim`:
#
# ```python
# def sam_step(model, loss, x, y, optimizer, rho):
#     loss(model(x), y).backward()
#     parameters = [p for p in model.parameters() if p.grad is not None]
#     norm = torch.stack([p.grad.norm() for p in parameters]).norm()
#     eps = [rho / (norm + 1e-12) * p.grad for p in parameters]
#     with torch.no_grad():
#         torch._foreach_add_(parameters, eps)
#     optimizer.zero_grad()
#     loss(model(x), y).backward()
#     with torch.no_grad():
#         torch._foreach_sub_(parameters, eps)
#     optimizer.step()
#     optimizer.zero_grad()
# ```
#
# ## The library's own
# Here is `minisam.SAM`: the lines of Exercise 2. `direction` says which gradient to descend; `step` adds the L2 term and hands the
# result to a base optimizer.

# %%
minisam.show(SAM.direction)
minisam.show(SAM.step)

# %%
optimizer, by_hand = SAM(SGD(0.1), rho, l2=l2), w
theirs, state = w, optimizer.init(w)
for _ in range(20):
    theirs, state, info = optimizer.step(theirs, state, batch)
    by_hand = by_hand - 0.1 * sam_gradient(batch, by_hand, rho, l2)
print("after 20 steps they differ by", float(np.abs(theirs - by_hand).max()))
print({name: float(value) for name, value in info.items()})

# %% [markdown]
# ## What this leaves open
# Does a flat minimum predict better than a sharp one? `minisam demo` trains both on the digits; lesson 07 asks the question with
# tuning and intervals, and does not always find a yes. How sharpness is measured is lesson 04; how good the single step is,
# lesson 05.
#
# ## Where this comes from
# - P. Foret, A. Kleiner, H. Mobahi, B. Neyshabur, *Sharpness-Aware Minimization for Efficiently Improving Generalization*,
#   ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412): equation 1 is the objective, 2 is ε, 3 the gradient,
#   algorithm 1 the step.
# - P. L. Bartlett, P. M. Long, O. Bousquet, *The Dynamics of Sharpness-Aware Minimization*, JMLR 24, 2023,
#   [arXiv:2210.01513](https://arxiv.org/abs/2210.01513) (the bounce, and the drift along a valley).
# - N. S. Keskar et al., *On Large-Batch Training for Deep Learning: Generalization Gap and Sharp Minima*, ICLR 2017,
#   [arXiv:1609.04836](https://arxiv.org/abs/1609.04836); L. Dinh et al., *Sharp Minima Can Generalize For Deep Nets*, ICML 2017,
#   [arXiv:1703.04933](https://arxiv.org/abs/1703.04933).

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
# # 15 · On the GPU, and sweeps of hundreds of runs
# **You can already**: train ten seeds in one run (02 onward). **You will**: train hundreds of runs in one call, say why that is
# faster and by how much, measure that without fooling yourself, and run all of it on a GPU where there is one.

# %%
import time

import check
import check_15
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from tqdm.auto import tqdm

import minisam
from minisam import SAM, SGD, BatchLoss, array_backend
from minisam.array_backend import asarray, asnumpy
from minisam.data import symmetric_noise
from minisam.plot import COLOURS
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The switch
# Everything in minisam runs on NumPy or on CuPy, which has NumPy's functions for arrays that live on a GPU. One call switches,
# from there on; as a context manager, for a block; and `MINISAM_BACKEND=cupy` in the environment does it from the start. Where
# CuPy cannot run, the error says what is missing, and this lesson goes on with what there is.

# %%
try:
    array_backend.use("cupy")
except array_backend.BackendError as error:
    print(error)
here = array_backend.name()
print("this lesson runs on:", here)

# %% [markdown]
# Only arrays live on the device: weights, batches, gradients, losses. What Python decides stays on the host, and what you want to
# print or to draw has to come across. `asarray` takes an array over, `asnumpy` brings it back, and mixing the two is an error
# rather than a slow surprise.

# %%
minisam.show(array_backend.asnumpy)
digits, model = minisam.data.digits(train=600), minisam.mlp([64, 16, 10])
x, y = asarray(digits.x_train[:64]), asarray(digits.y_train[:64])
w = model.init(seed=0)
loss, g = minisam.value_and_grad(model)(w, x, y)
print("data:", type(digits.x_train).__module__, "  weights and gradient:", type(w).__module__, type(g).__module__)
print("the loss comes across:", float(loss), "  and so does the gradient:", type(asnumpy(g)).__module__)

# %% [markdown]
# ## The question: what does a machine do all day?
# A step on a small net is a list of calls, each on a few thousand numbers. To start a call costs about as much as the numbers do,
# on a GPU more; and to find out which calls to make, costs most. So the machine waits for Python. There are two ways out.
#
# **First, do not ask again.** `value_and_grad` traces a gradient once and keeps the list of calls with buffers to write to; from
# then on it makes the calls, and nothing else. On a GPU the whole list becomes one *CUDA graph*, which is launched as a single
# call. There `train` goes further: a whole step of SAM, with both gradients, is one graph.

# %%
from minisam.array_backend.cuda_graph import captured, cuda_graph
from minisam.autodiff.program import in_turn

minisam.show(in_turn)
minisam.show(captured)
minisam.show(cuda_graph)

# %% [markdown]
# ## A clock that is not fooled
# A device computes *after* the call has returned: `launch()` only puts a step into its queue, and `synchronize()` waits until the queue
# is empty. And the first step of all takes longer than the others, because it compiles or traces.
#
# **Exercise 1 (design).** Write how to time a step: the mean over `repeats` steps, without the first one. `clock()` returns the time in
# seconds.


# %% tags=["exercise"]
def step_time(launch, synchronize, clock, repeats):
    return ...


_ = check_15.step_time(step_time)


# %% jupyter={"source_hidden": true} tags=["solution"]
def step_time(launch, synchronize, clock, repeats):
    launch()
    synchronize()
    begun = clock()
    for _ in range(repeats):
        launch()
    synchronize()
    return (clock() - begun) / repeats


_ = check_15.step_time(step_time)

# %% [markdown]
# ### Predict
# How many times as long does a gradient take that is traced anew each time (`recorded=False`)?

# %% tags=["prediction"]
prediction = None


# %%
def microseconds(f, repeats=40):
    return 1e6 * step_time(f, array_backend.synchronize, time.perf_counter, repeats)


recorded, eager = minisam.value_and_grad(model), minisam.value_and_grad(model, recorded=False)
ways = {"recorded": microseconds(lambda: recorded(w, x, y)), "traced anew": microseconds(lambda: eager(w, x, y))}
print({name: f"{t:.0f} µs" for name, t in ways.items()})
check.predict(prediction, ways["traced anew"] / ways["recorded"])

# %% [markdown]
# ## Second, ask for more at once
# Weights of shape (..., n) are many networks, *replicas*, and each call does its part for all of them. A sweep makes the axes:
# `sweep={"rho": [...], "lr": [...]}` with `seed=range(10)` gives w the shape (values of ρ, values of lr, 10, n): as many trainings
# as the product of the lengths.
#
# Nothing in an optimizer knows of sweeps. A radius ρ that is an array meets the weights by NumPy's rule: axes are matched from
# the last one, and an axis of length 1 is stretched.
#
# **Exercise 2.** The weights are (ρ, lr, seeds, n). Give the values of ρ, an array (k,), the shape in which they meet the first
# axis.


# %% tags=["exercise"]
def along_first_axis(values):
    return ...


_ = check_15.along_first_axis(along_first_axis)


# %% jupyter={"source_hidden": true} tags=["solution"]
def along_first_axis(values):
    return np.reshape(values, (-1, 1, 1, 1))


_ = check_15.along_first_axis(along_first_axis)

# %%
many = asarray(np.zeros((3, 2, 4, model.size), dtype="float32")) + w
rho = asarray(along_first_axis(np.array([0.0, 0.1, 0.2])), dtype="float32")
g_many = recorded(many, x, y)[1]
lengths = asnumpy((minisam.epsilon(g_many, rho) ** 2).sum(axis=-1)) ** 0.5
print("‖ε‖ for each ρ, down, and lr, across; the first seed:")
print(lengths[:, :, 0].round(6))

# %% [markdown]
# ## How much faster?
# Say a step costs `a` for the calls, however much they do, and `b` for the numbers of one network.
#
# **Exercise 3.** How many times as fast are R networks together as R networks one after the other?


# %% tags=["exercise"]
def speed_up(R, a, b):
    return ...


_ = check_15.speed_up(speed_up)


# %% jupyter={"source_hidden": true} tags=["solution"]
def speed_up(R, a, b):
    return R * (a + b) / (a + R * b)


_ = check_15.speed_up(speed_up)

# %% [markdown]
# ### Predict
# On this machine, with this small net: how many times as fast are 32 networks together?

# %% tags=["prediction"]
prediction = None

# %%
losses, optimizer, counts = BatchLoss(model).on(x, y), SAM(SGD(0.1), rho=0.05), [1, 2, 4, 8, 16, 32, 64, 128]
times = []
for R in tqdm(counts, unit="size", leave=False):
    w_R = model.init(range(R))
    state = optimizer.init(w_R)
    times.append(microseconds(lambda w=w_R, state=state: optimizer.step(w, state, losses)))
measured = np.array(counts) * times[0] / np.array(times)  # R steps one after the other, over one step for all
for R, t in zip(counts, times, strict=True):
    print(f"{R:4} networks: {t:8.0f} µs a step of SAM, {t / R:6.1f} µs a network")
check.predict(prediction, measured[counts.index(32)])

# %% [markdown]
# ### Explain
# The calls are paid once, so the speed-up grows with R, up to a limit at which the numbers are all that is left:
#
# $$\frac{R\,(a + b)}{a + R\,b} \;\longrightarrow\; \frac{a + b}{b}$$
#
# The dots below are this machine's, the line is the formula with a and b fitted. Move the sliders: a GPU has a larger a and a
# much smaller b. What to look for: with ten times the a and a tenth of the b, from which R on would it win? And where dots
# leave the line on the right, the numbers of so many networks no longer fit into the processor's cache.

# %%
b_fit = max(float(np.median(np.diff(times) / np.diff(counts))), 0.01)  # what one network more costs
a_fit = max(times[0] - b_fit, 1.0)
print(f"from the measurement: a = {a_fit:.0f} µs, b = {b_fit:.0f} µs")


def draw(a=a_fit, b=b_fit):
    R = np.geomspace(1, 512, 60)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    axes[0].semilogx(R, (a + R * b) / R, color=COLOURS[0], label="together, (a + R b)/R")
    axes[0].semilogx(counts, np.array(times) / counts, "o", color=COLOURS[1], label=f"measured here, on {here}")
    axes[0].axhline(a + b, color="grey", linestyle=":", label="one after the other, a + b")
    axes[0].set(xlabel="networks R", ylabel="µs a step and network", title=f"a = {a:.0f} µs, b = {b:.1f} µs")
    axes[0].legend(loc="center right")
    axes[1].semilogx(R, speed_up(R, a, b), color=COLOURS[0])
    axes[1].semilogx(counts, measured, "o", color=COLOURS[1])
    axes[1].axhline((a + b) / b, color="grey", linestyle=":")
    axes[1].set(xlabel="networks R", ylabel="times as fast", title="dotted: the limit (a + b)/b")
    return figure


# %%
figure = draw()
check.keep(figure, "15_replicas")
plt.show()


# %%
def turn(a=a_fit, b=b_fit):
    draw(a, b)
    plt.show()


ranges = {name: (fit / 10, 10 * fit, fit / 10) for name, fit in (("a", a_fit), ("b", b_fit))}
_ = ipywidgets.interact(turn, **ranges)

# %% jupyter={"source_hidden": true}
wins = (10 * a_fit - a_fit) / (b_fit - b_fit / 10)  # 10 a + R b/10 = a + R b
check.saw(
    f"Here a = {a_fit:.0f} µs and b = {b_fit:.1f} µs, so {counts[-1]} networks together are {measured[-1]:.1f} times as fast as one after the other; "
    f"the limit is {(a_fit + b_fit) / b_fit:.1f}. A machine with 10 a and b/10 wins from R = {wins:.0f} on, and its limit is "
    f"{(10 * a_fit + b_fit / 10) / (b_fit / 10):.0f}. So a GPU does not speed up one small network: it speeds up many."
)

# %% [markdown]
# Is each network what it would be alone? Train eight one after the other, and then in one run:

# %%
settings = {"optimizer": SAM(SGD(0.1, momentum=0.9), 0.1), "epochs": 10, "progress": False}
begun = time.perf_counter()
alone = [minisam.train(model, digits, seed=seed, **settings) for seed in range(8)]
between = time.perf_counter()
together = minisam.train(model, digits, seed=range(8), **settings)
ended = time.perf_counter()
gap = max(np.abs(asnumpy(together.w)[k] - asnumpy(run.w)).max() for k, run in enumerate(alone))
print(
    f"one after the other {between - begun:.2f} s, together {ended - between:.2f} s; the weights differ by at most {gap:.1e}"
)

# %% [markdown]
# ## Hundreds of runs in one call
# Which ρ is best may depend on how many labels are wrong. Five shares of wrong labels, six radii, ten seeds, each seed with its
# own wrong labels. The data may be a function of what is swept, too.
#
# ### Predict
# With 60% of the labels wrong, which of the radii 0, 0.02, 0.05, 0.1, 0.2, 0.3 will have the highest validation accuracy?

# %% tags=["prediction"]
prediction = None

# %%
sweep = minisam.train(
    minisam.mlp([64, 32, 10]),
    lambda noise, seed: symmetric_noise(digits, noise, seed),
    lambda rho: SAM(SGD(0.1, momentum=0.9), rho, l2=0.003),
    epochs=25,
    seed=range(10),
    sweep={"rho": [0, 0.02, 0.05, 0.1, 0.2, 0.3], "noise": [0.0, 0.15, 0.3, 0.45, 0.6]},
)
print("weights", sweep.w.shape, ":", np.prod(sweep.w.shape[:-1]), "trainings")
check.predict(prediction, sweep.select(noise=0.6).choose()["rho"])

# %%
figure = sweep.plot(against="rho")
check.keep(figure, "15_sweep")
display(figure)

# %% [markdown]
# Each line is a share of wrong labels, each point the mean of ten seeds with its 95% interval. What to look for: at which ρ is
# each line highest, and is the best told from the second best there?

# %% jupyter={"source_hidden": true}
told, apart, radii = [], 0, sweep.axes["rho"]
for noise in sweep.axes["noise"]:
    reached = 100 * sweep.select(noise=noise).history["validation_accuracy"][-1]  # (ρ, seed)
    first, second = np.argsort(-reached.mean(axis=1))[:2]
    mean, half = mean_and_interval(reached[first] - reached[second])
    gain, spread = mean_and_interval(reached[first] - reached[0])  # over ρ = 0
    apart += mean > half
    told.append(
        f"{noise:.0%} wrong: ρ = {radii[first]}, {mean:.1f} ± {half:.1f} points before ρ = {radii[second]}, {gain:.1f} ± {spread:.1f} before ρ = 0"
    )
check.saw(
    f"{'; '.join(told)}. The best is told from the second best in {apart} of {len(told)} lines, so ten seeds show a range of good radii, "
    "and not the best one."
)

# %% [markdown]
# ### Explain
# To first order SAM minimises
#
# $$L(w) + \rho \, \|\nabla L(w)\|$$
#
# which is a penalty, and too much of it lets little be learnt: see the largest ρ with 60% wrong labels. The seeds are the same
# for all ρ, so to compare two radii take differences, seed by seed. (Their intervals are about other starts and other wrong
# labels. They are not about other digits: see lesson 02.) `sweep.select(rho=0.1)` has the runs of one radius, and
# `sweep.choose()` names the best by validation data. **Turn a knob**: sweep `lr` as well. How many runs is that, and how much
# longer does it take?
#
# ## If you have a GPU
# `pip install 'minisam[cuda13]'` (or `cuda12`, for an older driver), and run this lesson again: its switch finds it. On a
# terminal, `minisam verify --backend cupy` computes every formula on the device in two ways, and `make gpu-check` measures. A
# step of SGD or SAM does not wait for the device, and `train` reads back once an epoch. `AESAM` does wait: whether to pay for
# the second gradient depends on the first one, so each of its steps reads that back. So what you measure is wrong unless
# `array_backend.synchronize()` stands before the clock, as it does above.
#
# ## What this leaves open
# You can read variants, train them by the hundred and compare them. In lesson 16 you write one.
#
# ## Where this comes from
# - R. Okuta et al., *CuPy: A NumPy-Compatible Library for NVIDIA GPU Calculations*, LearningSys at NIPS 2017.
# - A. Gray, *Getting Started with CUDA Graphs*, NVIDIA developer blog, 2019.
# - R. Frostig, M. J. Johnson, C. Leary, *Compiling Machine Learning Programs via High-Level Tracing*, SysML 2018 (trace once, run often).
# - C. R. Harris et al., *Array Programming with NumPy*, Nature 585, 2020 (broadcasting).

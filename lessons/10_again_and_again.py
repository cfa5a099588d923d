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
# # 10 · The same examples again and again, or each one once
# **You can already**: compare optimizers at equal epochs and at equal gradients (07). **You will**: train on a text whose entropy
# you know, with the same number of steps on few examples or on many; see when SAM's second gradient pays; and ask the same of a
# small GPT that reads each character once.

# %%
from dataclasses import replace

import check
import check_10
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, Adam
from minisam.models.gpt import generate
from minisam.optim import cosine
from minisam.plot import COLOURS, draw_band, told
from minisam.stats import mean_and_interval

# %% [markdown]
# ## The question: what is there to gain where nothing repeats?
# A network that sees an example once cannot learn it by heart: its loss there, before the step, is a test loss. One that sees it
# twenty times can. So make the length of the training fixed, and vary how many examples it is made of.
#
# **Exercise 1.** How many times does a training of `steps` batches of `batch` examples see each of n examples?


# %% tags=["exercise"]
def passes(steps, batch, n):
    return ...


_ = check_10.passes(passes)


# %% jupyter={"source_hidden": true} tags=["solution"]
def passes(steps, batch, n):
    return steps * batch / n


_ = check_10.passes(passes)

# %% [markdown]
# ## A text with a known floor
# Eight tokens; each depends on the two before it, by a table of probabilities drawn at random. What comes next is chance, in
# part: nobody can predict it better than one who knows the table, whose loss is the entropy of its rows.
#
# **Exercise 2.** The mean entropy in nats: `p` (contexts, tokens) holds the probabilities, and `share` (contexts,) how often each
# context occurs.


# %% tags=["exercise"]
def entropy(p, share):
    return ...


_ = check_10.entropy(entropy)


# %% jupyter={"source_hidden": true} tags=["solution"]
def entropy(p, share):
    return -np.sum(share * np.sum(p * np.log(p), axis=1))


_ = check_10.entropy(entropy)

# %%
steps, batch, seeds = 400, 64, range(10)
text = minisam.data.markov(train=2 * steps * batch)
tokens = text.x_test.reshape(-1, 3, 8).argmax(axis=-1)
contexts = np.bincount(tokens[:, -2] * 8 + tokens[:, -1], minlength=64) / len(tokens)
print("a piece of the text:", *tokens[:20, 0])
print(
    f"floor: {entropy(text.probabilities, contexts):.4f} nats by you, {text.floor:.4f} by minisam; guessing costs {np.log(8):.4f}"
)

# %% [markdown]
# ## Twenty passes, four, or one
# 400 steps in each case; SGD with 800 steps is the rival at equal gradients, by twice the passes, or in the case of one pass by
# twice the text. Each is tuned on validation data, by the loss: once with no weight decay, and once with λ in the grid.

# %%
minisam.show(minisam.data.single_pass)

# %%
model = minisam.mlp([24, 48, 48, 8])


def first(n):
    return replace(text, x_train=text.x_train[:n], y_train=text.y_train[:n])


def sgd(lr, l2, longer=1):
    return SGD(cosine(lr, longer * steps), momentum=0.9, l2=l2)


lr_l2 = {"lr": [0.05, 0.15, 0.3, 0.6], "l2": [0.0, 0.0015, 0.003]}
methods = {  # name: (optimizer, how many times the gradients of SGD with no more steps, grid)
    "SGD": (lambda lr, l2: sgd(lr, l2), 1, lr_l2),
    "SGD, twice the steps": (lambda lr, l2: sgd(lr, l2, 2), 2, lr_l2),
    "SAM": (lambda lr, l2, rho: SAM(sgd(lr, l2), rho), 1, lr_l2 | {"lr": [0.15, 0.3, 0.6], "rho": [0.05, 0.1, 0.2]}),
}


# %%
def trained(make, k, longer, seeds=seeds, sweep=None):
    """400 steps, or `longer` times as many, in k passes; in longer · k of them, or with one pass over more text."""
    n = steps * batch // k
    data, epochs = (first(longer * n), 1) if k == 1 else (first(n), longer * k)
    return minisam.train(model, data, make, epochs, batch, seeds, sweep=sweep, progress=False)


def best(run):
    return min(run.configurations(), key=lambda found: found[1].history["validation_loss"][-1].mean())[0]


runs, losses = {}, {}
for k in (20, 4, 1):
    for name, (make, longer, grid) in methods.items():
        tuning = trained(make, k, longer, range(100, 102), grid)
        for decay, labels in (("λ = 0", best(tuning.select(l2=0.0)) | {"l2": 0.0}), ("λ tuned", best(tuning))):
            runs[k, decay, name] = run = trained(make(**labels), k, longer)
            losses[k, decay, name] = run.evaluate(text.x_test, text.y_test)["loss"]
            print(f"passes {k:2}, {decay:7}, {name:20}: loss {losses[k, decay, name].mean():.4f} with {told(labels)}")

# %% [markdown]
# ### Predict
# At which numbers of passes, out of 1, 4 and 20, does SAM have a lower test loss than SGD with as many steps and no weight decay?
# Put how many of the three.

# %% tags=["prediction"]
prediction = None


# %%
def difference(k, decay, rival):
    return mean_and_interval(losses[k, decay, "SAM"] - losses[k, decay, rival])


ahead = sum(mean + half < 0 for mean, half in (difference(k, "λ = 0", "SGD") for k in (1, 4, 20)))
check.predict(prediction, ahead, "of 3")
for decay in ("λ = 0", "λ tuned"):
    for k in (20, 4, 1):
        (a, s), (b, t) = difference(k, decay, "SGD"), difference(k, decay, "SGD, twice the steps")
        print(
            f"{decay:7}, passes {k:2}: SAM − SGD {a:+.3f} ± {s:.3f},  SAM − SGD twice the steps {b:+.3f} ± {t:.3f} nats"
        )

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
for ax, decay in zip(axes, ("λ = 0", "λ tuned"), strict=True):
    for colour, rival in ((COLOURS[0], "SGD"), (COLOURS[2], "SGD, twice the steps")):
        mean, half = np.transpose([difference(k, decay, rival) for k in (1, 4, 20)])
        ax.errorbar([1, 4, 20], mean, half, fmt="o-", capsize=3, color=colour, label=f"SAM − {rival}")
    ax.axhline(0, color="grey", linewidth=1)
    ax.set_xscale("log")
    ax.set_xticks([1, 4, 20], [1, 4, 20])
    ax.minorticks_off()
    ax.set(title=decay, xlabel="passes over the examples")
axes[0].set_ylabel("test loss [nats], below 0: SAM is better")
axes[0].legend()
check.keep(figure, "10_passes")
plt.show()


# %%
def draw(passes=20, decay="λ = 0"):
    figure, ax = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
    for colour, name in zip((COLOURS[0], COLOURS[2], COLOURS[1]), methods, strict=True):
        history = runs[passes, decay, name].history
        mark = "o" if passes == 1 else None
        ax.plot(history["evaluations"], history["validation_loss"].mean(axis=-1), color=colour, marker=mark, label=name)
        ax.plot(history["evaluations"], history["train_loss"].mean(axis=-1), ":", color=colour, marker=mark)
    ax.axhline(text.floor, color="grey", linewidth=1, label="entropy")
    ax.set(xlabel="gradients", ylabel="loss [nats]", title=f"{passes} passes, {decay}; dotted: on the training text")
    ax.legend()
    plt.show()


draw()

# %%
_ = ipywidgets.interact(draw, passes=ipywidgets.SelectionSlider(options=[1, 4, 20]), decay=["λ = 0", "λ tuned"])

# %% [markdown]
# ### Explain
# The loss on the test text is at least the entropy, and what is above it has two parts: what is not learnt yet, and what was
# learnt by heart, $L_\text{test} = \text{entropy} + \text{not yet learnt} + \text{learnt by heart}$. Repetition feeds the second:
# does the dotted line go below the entropy, which no honest predictor does? SAM and weight decay may hold it back. With one pass
# there is only the first part, and a second gradient spent on looking uphill is one not spent on learning. What to look for at
# the right: how much of SAM's gain is left when SGD may choose λ.
#
# ## Delayed, or prevented?
# A constant step size, no weight decay, and a hundred passes.
#
# ### Predict
# The loss of SGD on new text falls, and may rise again. By how many nats is it at the end above its lowest point?

# %% tags=["prediction"]
prediction = None

# %%
n = steps * batch // 20
long = {
    name: minisam.train(model, first(n), optimizer, 100, batch, seeds)
    for name, optimizer in (("SGD", SGD(0.1, 0.9)), ("SAM", SAM(SGD(0.1, 0.9), rho=0.3)))
}
rise = {
    name: (run.history["validation_loss"][-1] - run.history["validation_loss"].min(axis=0))
    for name, run in long.items()
}
check.predict(prediction, rise["SGD"].mean(), "nats")

# %%
figure, ax = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
for colour, (name, run) in zip(COLOURS, long.items(), strict=False):
    lowest = run.history["validation_loss"].mean(axis=-1).argmin() + 1
    mean, half = mean_and_interval(rise[name])
    print(f"{name}: lowest after {lowest} passes, at the end {mean:.2f} ± {half:.2f} above its lowest")
    draw_band(ax, run.history["epoch"], run.history["validation_loss"], name, colour)
ax.axhline(text.floor, color="grey", linewidth=1, label="entropy")
ax.set(xlabel="passes", ylabel="loss on new text [nats]")
ax.legend()
check.keep(figure, "10_rise")
plt.show()

# %% [markdown]
# ### Explain
# What to look for: is SAM's curve flat in the end, or does it rise, too, later and less? Flatness of radius ρ is a limit on how
# sharp the net may fit, not on how long.
#
# ## A GPT that reads each character once
# This is how large language models are trained, or were: so much text that nothing repeats. Ours has 16 numbers a character and
# one block, and reads a part of Python's help.
#
# **Exercise 3.** Language models are measured by their perplexity: as if they had to guess among so many characters. From the
# losses of the characters, (n,), in nats.


# %% tags=["exercise"]
def perplexity(losses):
    return ...


_ = check_10.perplexity(perplexity)


# %% jupyter={"source_hidden": true} tags=["solution"]
def perplexity(losses):
    return np.exp(np.mean(losses))


_ = check_10.perplexity(perplexity)

# %%
english, read = minisam.data.text(context=16), 150  # steps of 16 windows
gpt = minisam.gpt(len(english.vocabulary), context=16, width=16, depth=1, heads=2)


def once(make, longer=1, seeds=seeds, sweep=None):
    n = longer * read * 16
    part = replace(english, x_train=english.x_train[:n], y_train=english.y_train[:n])
    part = replace(part, x_validation=english.x_validation[:150], y_validation=english.y_validation[:150])
    return minisam.train(gpt, part, make, 1, 16, seeds, sweep=sweep, progress=False)


def adam(lr, longer=1):
    return Adam(cosine(lr, longer * read))


# %%
lrs = {"lr": [0.005, 0.01, 0.02]}
readers = {
    "Adam": (lambda lr: adam(lr), 1, lrs),
    "Adam, twice the text": (lambda lr: adam(lr, 2), 2, lrs),
    "SAM over Adam": (lambda lr, rho: SAM(adam(lr), rho), 1, lrs | {"rho": [0.02, 0.05, 0.1]}),
}

# %% [markdown]
# ### Predict
# SAM over Adam, and Adam that reads twice the text for the same gradients. By what factor is SAM's perplexity larger (above 1) or
# smaller?

# %% tags=["prediction"]
prediction = None

# %%
heard, prompt = {}, english.encode("The ")
for name, (make, longer, grid) in readers.items():
    labels = best(once(make, longer, range(100, 102), grid))
    run = once(make(**labels), longer)
    heard[name] = run.evaluate(english.x_test[:300], english.y_test[:300])["loss"]
    mean, half = mean_and_interval(heard[name])
    wrote = english.decode(generate(gpt, run.w[0], prompt, 60, temperature=0.7)).replace("\n", " ")
    print(
        f"{name:20} {mean:.3f} ± {half:.3f} nats, perplexity {perplexity(heard[name]):.1f}, with {told(labels)}\n   {wrote}"
    )
for name in ("Adam", "Adam, twice the text"):
    mean, half = mean_and_interval(heard["SAM over Adam"] - heard[name])
    print(f"SAM over Adam − {name}: {mean:+.3f} ± {half:.3f} nats")
check.predict(prediction, perplexity(heard["SAM over Adam"]) / perplexity(heard["Adam, twice the text"]))

# %% [markdown]
# ### Explain
# What to look for: the sign of the last line. New text is a regulariser, too: where there is more of it, a gradient may be best
# spent on reading. Where text runs out and has to be read again, you are at the right end of the picture with the passes, and SAM
# or weight decay are worth a try. **Turn a knob**: let the GPT read the first 300 windows in 20 passes, with and without SAM (in
# `once`, `n = 300`, and 20 epochs where the 1 stands; in `adam`, 18 · 20 steps).
#
# ## What this leaves open
# SAM pays twice for each step. Lesson 11 asks how much cheaper one can have it.
#
# ## Where this comes from
# - C. E. Shannon, *A Mathematical Theory of Communication*, 1948 (sources, and their entropy).
# - P. Foret et al., *Sharpness-Aware Minimization*, ICLR 2021, [arXiv:2010.01412](https://arxiv.org/abs/2010.01412).
# - N. Muennighoff et al., *Scaling Data-Constrained Language Models*, NeurIPS 2023,
#   [arXiv:2305.16264](https://arxiv.org/abs/2305.16264) (how often text may be repeated).
# - P. Nakkiran, B. Neyshabur, H. Sedghi, *The Deep Bootstrap Framework*, ICLR 2021,
#   [arXiv:2010.08127](https://arxiv.org/abs/2010.08127) (training on fresh examples or on the same).

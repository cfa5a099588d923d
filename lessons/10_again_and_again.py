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
# **You can already**: compare optimizers at equal epochs and at equal gradients (07). **You will**: plan a training by its
# gradients; train on texts whose entropy you know, on few examples again and again or on many that are seen once; and see
# when SAM's second gradient pays.

# %%
import check
import check_10
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

import minisam
from minisam import SAM, SGD, study
from minisam.optim import cosine
from minisam.plot import COLOURS

# %% [markdown]
# ## The question: what is there to gain where nothing repeats?
# A network that sees an example once cannot learn it by heart: its loss there, before the step, is a test loss. One that sees it
# twenty times can. So make the length of the training fixed, and vary how many examples it is made of.
#
# **Exercise 1 (design).** You may spend so many `gradients`, in batches of `batch` examples, and every example is to be seen
# `passes` times. How many examples do you need for an optimizer that takes `per_step` gradients a step?


# %% tags=["exercise"]
def examples(gradients, batch, passes, per_step):
    return ...


_ = check_10.examples(examples)


# %% jupyter={"source_hidden": true} tags=["solution"]
def examples(gradients, batch, passes, per_step):
    return gradients / per_step * batch / passes


_ = check_10.examples(examples)

# %%
for name, per_step in (("SGD", 1), ("SAM", 2)):
    n = [f"{examples(1600, 64, passes, per_step):,.0f} in {passes}" for passes in (20, 1)]
    print(f"1,600 gradients of 64 examples, {name}: {' or '.join(n)} passes")

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
def text(k, n):
    """n examples from table k, each of eight tokens and the one that follows them, and new ones to validate and to test on."""
    return minisam.data.markov(7000 + k, 8, 8, train=n)


some = text(0, 2560)
tokens = some.x_test.reshape(-1, 8, 8).argmax(axis=-1)
contexts = np.bincount(tokens[:, -2] * 8 + tokens[:, -1], minlength=64) / len(tokens)
print("a piece of the text:", *tokens[:20, 0])
print(
    f"floor: {entropy(some.probabilities, contexts):.4f} nats by you, {some.floor:.4f} by minisam; guessing costs {np.log(8):.4f}"
)

# %% [markdown]
# **Exercise 3.** Language models are measured by their perplexity: as if they had to guess among so many tokens. From the losses
# of the tokens, (n,), in nats.


# %% tags=["exercise"]
def perplexity(losses):
    return ...


_ = check_10.perplexity(perplexity)


# %% jupyter={"source_hidden": true} tags=["solution"]
def perplexity(losses):
    return np.exp(np.mean(losses))


_ = check_10.perplexity(perplexity)

# %%
print(f"guessing: perplexity {perplexity([np.log(8)]):.1f}; who knows the table: {perplexity([some.floor]):.2f}")
minisam.show(minisam.data.single_pass)

# %% [markdown]
# ## Again and again: delayed, or prevented?
# First a look, and no contest: SGD and SAM with one step size, no weight decay, 30 passes over 1,280 examples of each of four tables.
#
# ### Predict
# The loss of SGD on new text falls, and may rise again. By how many nats is it at the end above its lowest point, in the mean of
# the tables?

# %% tags=["prediction"]
prediction = None

# %%
model, tables = minisam.mlp([64, 48, 48, 8]), range(4)
long = {}
for name, optimizer in (("SGD", SGD(0.1, 0.9)), ("SAM", SAM(SGD(0.1, 0.9), rho=0.2))):
    histories = [minisam.train(model, text(k, 1280), optimizer, 30, 64, k, progress=False).history for k in tables]
    long[name] = {key: np.array([history[key] for history in histories]) for key in ("train_loss", "validation_loss")}
rise = {name: losses["validation_loss"][:, -1] - losses["validation_loss"].min(axis=1) for name, losses in long.items()}
check.predict(prediction, rise["SGD"].mean(), "nats")


# %%
def draw(table=0):
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    floor = text(table, 1280).floor
    for ax, colour, (name, losses) in zip(axes, COLOURS, long.items(), strict=False):
        passes = np.arange(1, losses["train_loss"].shape[1] + 1)
        ax.plot(passes, losses["validation_loss"][table], color=colour, label="new text")
        ax.plot(passes, losses["train_loss"][table], ":", color=colour, label="the training text")
        ax.axhline(floor, color="grey", linewidth=1, label="entropy")
        ax.set(title=f"{name}, table {table}", xlabel="passes")
    axes[0].set_ylabel("loss [nats]")
    axes[0].legend(fontsize=8)
    return figure


# %%
check.keep(draw(), "10_rise")
plt.show()

# %% [markdown]
# Move through the tables. What to look for: does the dotted line go below the entropy, which no honest predictor does? Is SAM's curve
# on new text flat in the end, or does it rise, too, later and less?

# %%
_ = ipywidgets.interact(lambda table: draw(table) and plt.show(), table=(0, 3))

# %% jupyter={"source_hidden": true}
floors = np.array([text(k, 1280).floor for k in tables])
end = {name: np.mean(losses["train_loss"][:, -1] - floors) for name, losses in long.items()}
lowest = {name: losses["validation_loss"].mean(axis=0).argmin() + 1 for name, losses in long.items()}
check.saw(
    "; ".join(
        f"{name}: lowest on new text after {lowest[name]} passes, in the end {rise[name].mean():.2f} nats above its lowest, on the training "
        f"text {end[name]:+.2f} from the entropy"
        for name in long
    )
    + ". A training loss below the entropy has been learnt by heart. Where SAM's curve turns later and "
    "rises less, it delays that, and does not prevent it: a ball of radius ρ limits how sharp the net may fit, and not how long."
)

# %% [markdown]
# ### Explain
# The loss on new text is at least the entropy, and what is above it has two parts,
#
# $$L_\text{test} = \text{entropy} + \text{not yet learnt} + \text{learnt by heart}$$
#
# Repetition feeds the last one. With one pass there is only the other, and a second gradient that is spent on looking uphill is one not
# spent on learning.
#
# ## A contest: few examples again and again
# Now both tuned alike, weight decay among the settings, eight settings each, chosen on one table and reported on four others. A unit
# is a table, with texts of its own. The score is minus the loss on new text, so that more is better.


# %%
def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def sam(lr, l2, rho, steps):
    return SAM(sgd(lr, 0.0, steps), rho, l2=l2)


def minus_loss(run, data):
    return -float(run.evaluate(data.x_test, data.y_test)["loss"])


again = study.Problem(model, lambda k: text(100 + k, 1280), epochs=20, batch_size=64, score=minus_loss)
methods = {
    "SGD": (sgd, {"lr": [0.1, 0.2, 0.4, 0.8], "l2": [0.0025, 0.005]}),
    "SAM": (sam, {"lr": [0.1, 0.2, 0.4, 0.8], "l2": [0.005], "rho": [0.05, 0.1]}),
}
small = study.compare(again, methods, delta=0.005, units=4, tuning=1)
print(small.table())
print(*small.verdicts(), sep="\n")

# %% [markdown]
# Two recorded studies have 40 tables each: [the same text again and again](../evidence/repeated.md), 2,560 examples in 20 passes, and
# [each text once](../evidence/single_pass.md), as many steps, and 20 times as much text. At equal gradients, SGD goes over its text
# twice as often. Where the best setting lay at the rim of a grid, the grid was made longer.
#
# ### Predict
# In how many of these two is SAM better than SGD at equal epochs, by more than the interval?

# %% tags=["prediction"]
prediction = None

# %%
recorded = {"20 passes": check.recorded("repeated"), "1 pass": check.recorded("single_pass")}
verdicts = {
    (name, budget): v
    for name, result in recorded.items()
    for v in result.verdicts("SGD")
    for budget in v.comparison.budgets
}
equal = [verdicts[name, "equal epochs"] for name in recorded]
check.predict(prediction, sum(v.effect > v.half_width for v in equal), "of 2")
for name, result in recorded.items():
    print(f"--- {name}", result.table(), sep="\n")

# %%
figure, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
ours = {budget: v for v in small.verdicts() for budget in v.comparison.budgets}
for colour, budget, up in ((COLOURS[0], "equal epochs", -0.12), (COLOURS[2], "equal gradients", 0.12)):
    for row, name in enumerate(recorded):
        v = verdicts[name, budget]
        ax.errorbar(v.effect, row + up, xerr=v.half_width, fmt="o", capsize=3, color=colour)
    ax.plot(ours[budget].effect, up, "o", mfc="none", markersize=11, color=colour)
    ax.plot([], [], "o", color=colour, label=budget)
ax.plot([], [], "o", mfc="none", markersize=11, color="grey", label="the small study")
ax.axvline(0, color="black", linewidth=0.8)
ax.set_yticks(range(2), list(recorded))
ax.set(xlabel="by how many nats SAM's loss is lower than SGD's", ylim=(1.5, -0.5))
ax.legend(loc="lower right", fontsize=8)
check.keep(figure, "10_passes")
plt.show()

# %% [markdown]
# Dots are means over 40 tables with their 95% intervals. What to look for: on which side of zero is each row? Is the budget important
# for the answer? And how large are these differences, beside what is left above the entropy?

# %% jupyter={"source_hidden": true}
rows = [
    f"{name} at {budget}: {v.effect:+.3f} ± {v.half_width:.3f} nats ({v.word})"
    for (name, budget), v in verdicts.items()
]
factors = [np.exp(-v.effect) for v in verdicts.values()]
check.saw(
    f"{'; '.join(rows)}. In perplexity, SAM's is {min(factors):.3f} to {max(factors):.3f} times that of SGD. So the sign depends on the "
    "repetition, and under both budgets: where a text is read again and again SAM gains a little, against a rival that may choose its "
    "λ, too; where each text is read once there is nothing to hold back, and SAM loses."
)

# %% [markdown]
# ### Explain
# New text is a regulariser, too: where there is more of it, a gradient is best spent on reading. Language models were long trained
# so, on text of which nothing repeats. Where text runs out and has to be read again, you are in the upper row, and SAM or weight
# decay are worth a try. What a net of this size shows need not hold for a transformer: the recorded claims say where they come from.
#
# **Turn a knob**: in `again`, take 5 passes over four times the examples. On which side of zero is SAM then?
#
# ## What this leaves open
# SAM pays twice for each step. Lesson 11 asks how much cheaper one can have it.
#
# ## Where this comes from
# - C. E. Shannon, *A Mathematical Theory of Communication*, 1948 (sources, and their entropy).
# - D. Bahri, H. Mobahi, Y. Tay, *Sharpness-Aware Minimization Improves Language Model Generalization*, ACL 2022,
#   [arXiv:2110.08529](https://arxiv.org/abs/2110.08529).
# - S. P. Singh et al., *Avoiding spurious sharpness minimization broadens applicability of SAM*, 2025,
#   [arXiv:2502.02407](https://arxiv.org/abs/2502.02407) (SAM often degrades language models).
# - N. Muennighoff et al., *Scaling Data-Constrained Language Models*, NeurIPS 2023,
#   [arXiv:2305.16264](https://arxiv.org/abs/2305.16264) (how often text may be repeated).
# - P. Nakkiran, B. Neyshabur, H. Sedghi, *The Deep Bootstrap Framework*, ICLR 2021,
#   [arXiv:2010.08127](https://arxiv.org/abs/2010.08127) (training on fresh examples or on the same).

"""What all lessons share: predictions, figures worth keeping, and how a check speaks."""

from copy import deepcopy
from pathlib import Path

import numpy as np
from IPython.display import HTML, display

from minisam import study
from minisam.plot import save

HERE = Path(__file__).resolve().parent
FIGURES = HERE.parent / "figures"


def say(text):
    """Print a verdict; True if it is praise."""
    print(text)
    return text.startswith("✓")


def keep(figure, name):
    """Keep a figure as figures/NAME.png, where that folder is: in a clone, and not in a browser."""
    if FIGURES.is_dir():
        save(figure, FIGURES / f"{name}.png")


def predict(prediction, truth, unit=""):
    """Hold a prediction against what came out, without judging it."""
    shown = f"{truth:.4g} {unit}".strip()
    if prediction is None:
        print(f"It is {shown}. You made no prediction yet: put a number in the cell above, and run on.")
    elif np.isclose(prediction, truth, rtol=0.1):
        print(f"It is {shown}; you said {prediction}: close.")
    else:
        print(f"It is {shown}; you said {prediction}, off by {prediction - truth:+.4g}. What did you leave out?")


def recorded(name):
    """The recorded result of a claim in evidence/, over more units than a lesson has time for; see `minisam.study`."""
    for folder in (HERE.parent, HERE):  # in a clone and on the site; in a browser
        if (path := folder / "evidence" / f"{name}.json").exists():
            return study.load(path)
    raise FileNotFoundError(
        f"evidence/{name}.json must be in {HERE.parent} or in {HERE}; it comes with a clone, and with the site"
    )


def saw(text):
    """What came out, folded: it opens on a click, so that the reader looks first."""
    display(HTML(f"<details><summary>What we saw</summary><p>{text}</p></details>"))


def at(yours, points):
    """The answers at all points, which are tuples of arguments, in one array; None if there is no answer yet.

    If the function stops with an error, the error.
    """
    try:
        answers = [yours(*deepcopy(point)) for point in points]  # an answer may write into its arguments
        return None if any(map(is_missing, answers)) else np.array(answers)
    except Exception as error:
        return error


def is_missing(answer):
    """Whether it is the `...` of the exercise, alone or in a tuple, or nothing."""
    return answer is None or answer is Ellipsis or (isinstance(answer, tuple) and any(map(is_missing, answer)))


def probe(yours, points, right, mistakes, name):
    """Judge a function at points, by the right one and by those that are often written: {explanation: function}."""

    def of_each(f):
        return np.array([f(*deepcopy(point)) for point in points])

    return judge(at(yours, points), of_each(right), {why: of_each(f) for why, f in mistakes.items()}, name)


def sorts(yours, cases):
    """Judge a test that the reader wrote, yes or no, by cases (right answer, what to say of the wrong one, arguments)."""
    answers, right = at(yours, [arguments for *_, arguments in cases]), np.array([float(yes) for yes, *_ in cases])
    if np.shape(answers) == right.shape:
        for answer, (yes, wrong, _) in zip(answers, cases, strict=True):
            if bool(answer) != yes:
                return say(f"not quite: {wrong}")
    return judge(answers, right, {}, "array of answers, True or False")


def judge(answer, right, mistakes, name):
    """Compare an answer with the right one, and with the mistakes that are often made: {explanation: wrong answer}."""
    if answer is Ellipsis or answer is None:
        return say(f"· not yet: return the {name} instead of `...`")
    if isinstance(answer, Exception):
        return say(f"not quite: the function stops with {type(answer).__name__}: {answer}")
    try:
        answer = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return say(f"not quite: the {name} should be numbers, got {type(answer).__name__}")
    if answer.shape != np.shape(right):
        return say(f"not quite: the {name} should have shape {np.shape(right)}, got {answer.shape}")
    if np.allclose(answer, right, rtol=1e-6, atol=1e-12):
        return say("✓ right")
    for why, wrong in mistakes.items():
        if np.shape(wrong) == answer.shape and np.allclose(answer, wrong, rtol=1e-6, atol=1e-12):
            return say(f"not quite: {why}")
    gaps = np.abs(answer - right)
    worst = np.unravel_index(np.argmax(gaps), gaps.shape)
    where = f"entry {', '.join(map(str, worst))}" if worst else "the answer"
    return say(
        f"not quite: off by up to {gaps[worst]:.3g}; {where} is {answer[worst]:.6g}, and should be {np.asarray(right)[worst]:.6g}"
    )

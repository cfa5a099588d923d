"""What every lesson's checks share: `predict` compares a guess, `say` prints a verdict, `judge` runs an exercise's check."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def say(text: str, ok: bool = False) -> bool:
    """Print one line of verdict and return `ok`, so that a check ends with `return say(...)`."""
    print(("✓ " if ok else "· ") + text)
    return ok


def predict(prediction: float | str | None, truth: float | str, unit: str = "") -> None:
    """Print the truth beside the learner's prediction: how far off, in `unit` and as a ratio."""
    shown = f"{truth:.4g}" if isinstance(truth, (int, float, np.number)) else str(truth)
    shown = f"{shown} {unit}".strip()
    if prediction is None or prediction is ...:
        print(f"it is {shown}; no prediction yet")
        return
    if isinstance(truth, str):
        same = str(prediction).strip().lower() == truth.strip().lower()
        print(f"it is {shown}; you said {prediction}: " + ("right" if same else "not so"))
        return
    try:
        guess = float(prediction)
    except (TypeError, ValueError):
        print(f"it is {shown}; your prediction {prediction!r} is not a number")
        return
    off = f"{abs(guess - truth):.2g} {unit}".strip()
    ratio = f", {guess / truth:.3g} times the truth" if truth and guess / truth > 0 else ""
    print(f"it is {shown}; you said {guess:.4g} {unit}".rstrip() + f": off by {off}{ratio}")


def judge(answer: Any, right: Any, mistakes: Mapping[str, Any], rtol: float = 1e-6, atol: float = 1e-9) -> bool:
    """Say "right", or which of the `mistakes` {why: wrong answer} this is, or the first difference."""
    if answer is ... or answer is None:
        return say("not yet: return your answer instead of `...`")
    try:
        answer = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return say(f"not quite: a number or an array was expected, got {type(answer).__name__}")
    right = np.asarray(right, dtype=float)
    if answer.shape == right.shape and np.allclose(answer, right, rtol, atol):
        return say("right", ok=True)
    for why, wrong in mistakes.items():
        wrong = np.asarray(wrong, dtype=float)
        if answer.shape == wrong.shape and np.allclose(answer, wrong, rtol, atol):
            return say("not quite: " + why)
    if answer.shape != right.shape:
        return say(f"not quite: your answer has shape {answer.shape}, it should have {right.shape}")
    worst = np.unravel_index(np.argmax(np.abs(answer - right)), right.shape)
    return say(f"not quite: yours is {answer[worst]:.6g} where {right[worst]:.6g} was expected")


def attempt(function: Callable, *arguments: Any) -> Any:
    """function(*arguments), or the exception it raised: a check names it instead of stopping the notebook."""
    try:
        return function(*arguments)
    except Exception as error:
        return error

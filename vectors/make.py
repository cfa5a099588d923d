"""Write the vectors anew: python vectors/make.py, or make vectors. README.md beside this says what they are."""

import inspect
import json
import math
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
from table import EPSILONS, MEASURES, ORDERS, PATHS, STEPS

from minisam import Quadratic, epsilon, threads
from minisam.files import whole
from minisam.models.model import Model

HERE, FORMAT = Path(__file__).resolve().parent, 1


def everything():
    """Where each file lies -> what it holds."""
    made = {"epsilon.json": epsilons(), "measures.json": {"cases": [measured(entry) for entry in MEASURES]}}
    with threads.use(1):  # a step's gradients one after the other, so that their order is the same each time
        for folder, entries in PATHS.items():
            made |= {f"{folder}/{slug(name)}.json": {"name": name} | path(entry) for name, entry in entries.items()}
    return {where: plain({"format": FORMAT} | vectors) for where, vectors in made.items()}


def epsilons():
    cases = [{"name": name, "g": g, "rho": rho, "p": p} for name, (g, rho) in EPSILONS.items() for p in ORDERS]
    return {
        "formula": inspect.getdoc(epsilon).splitlines(),
        "cases": [case | {"epsilon": epsilon(case["g"], case["rho"], case["p"])} for case in cases],
    }


def path(entry):
    """Some steps of an optimizer: its loss, the ε of each gradient it took, its state and weights afterwards."""
    optimizer, problem, w = entry.optimizer, entry.problem, entry.problem.w
    batches, state, steps = problem.batches(STEPS), optimizer.init(w), []
    for rows in batches:
        before, log = w, []
        w, state, info = optimizer.step(w, state, problem.on(rows, log))
        kept = {name: a for name, a in state.items() if not name.endswith("_before")}  # but for batches
        told = {"loss": info["loss"], "evaluations": info["evaluations"]}
        steps.append(told | {"eps": [at - before for at in log], "state": kept, "w": w})
    return {
        "optimizer": optimizer,
        "formula": inspect.getdoc(type(optimizer)).splitlines(),
        "problem": problem.says,
        "batches": batches if problem.model else None,
        "draws": {name: [draw(t) for t in range(STEPS)] for name, draw in entry.draws.items()} or None,
        "lr": rates(optimizer),
        "w": problem.w,
        "steps": steps,
    }


def rates(optimizer):
    """The step size of each step: that of the base."""
    while not hasattr(optimizer, "lr"):
        optimizer = getattr(optimizer, "base", None) or optimizer.optimizer
    return [optimizer.lr(t) if callable(optimizer.lr) else optimizer.lr for t in range(STEPS)]


def measured(entry):
    """A measure on all examples, and the first lines of what it says of itself."""
    problem, settings = entry.problem, dict(entry.settings)
    loss, product = problem.whole()
    takes = {"loss_and_grad": loss, "loss": loss, "product": product}
    if "parts" in settings:
        takes["parts"] = loss.parts(settings.pop("parts"))
    if entry.settings.get("inner") == "exact":
        takes["loss"] = Quadratic(problem.says["H"], problem.says["b"])
    asked = [takes[name] for name in inspect.signature(entry.of).parameters if name in takes]
    return {
        "measure": entry.of.__name__,
        "formula": inspect.getdoc(entry.of).split("\n\nParameters")[0].splitlines(),
        "problem": problem.says,
        "w": problem.w,
        "settings": entry.settings,
        "draws": [entry.draws(k) for k in range(settings["samples"])] if entry.draws else None,
        "value": entry.of(*asked, problem.w, **settings),
    }


def plain(value):
    """As JSON has it: an optimizer, a schedule or a ball becomes its name and settings; ∞ becomes "inf"; None is left out."""
    if isinstance(value, Model):
        return "filters"
    if is_dataclass(value):
        given = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        return plain({"name": type(value).__name__} | given)
    if isinstance(value, dict):
        return {name: plain(a) for name, a in value.items() if a is not None}
    if isinstance(value, (list, tuple)):
        return [plain(a) for a in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return str(value) if value == math.inf else value


def text(value, indent=""):
    """JSON, with a list of numbers on one line. Each float has as few digits as give the same bits again."""
    inner, flat = indent + " ", json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict) and value:
        rows = [f"{json.dumps(name)}: {text(a, inner)}" for name, a in value.items()]
        return "{\n" + ",\n".join(inner + row for row in rows) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(a, (dict, list, str)) for a in value):
        return "[\n" + ",\n".join(inner + text(a, inner) for a in value) + f"\n{indent}]"
    return flat


def slug(name):
    """The file of a path of this name."""
    return re.sub("[^a-z0-9.]+", "-", name.lower())


def main():
    made = everything()
    for where, vectors in made.items():
        (HERE / where).parent.mkdir(exist_ok=True)
        with whole(HERE / where) as unfinished:
            unfinished.write_text(text(vectors) + "\n", encoding="utf-8")
    print(f"{len(made)} files in {HERE.name}/")


if __name__ == "__main__":
    main()

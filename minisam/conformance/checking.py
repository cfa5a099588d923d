"""`check`: is this implementation the variant that it says it is?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy

from .. import array_backend, sam
from ..arguments import checked, choice, methods
from ..checks import AT_LEAST_0, check_number
from ..optim import SGD
from .ascent import LOOK
from .guard import Guard, Guarded
from .in_numpy import NumpyStep
from .in_torch import TorchLoop, TorchOptimizer
from .of_torch import running_statistics, without_gradient
from .problems import Problem, problems
from .report import Path, Report, Statement
from .statements import statements
from .watch import Implementation, Step, apart, watched

STEPS, TOLD = 20, 6  # on each problem; those of the first from which statements are told
AGREES = 1e-6  # relative to the largest weight
BASE = {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0}
# the parts of the catalogue in which a variant is not SAM; None: its path alone is compared
VARIANTS: dict[str, dict[str, str] | None] = {
    "SAM": {},
    "USAM": {"norm": "none"},
    "ASAM": {"norm": "in units"},
    "GNP": {"taken": "mixture"},
    "GSAM": {"taken": "less across"},
    "StableSAM": {"taken": "first's length"},
    "MultiStepSAM": None,
    "SAGM": None,
    "FriendlySAM": None,
    "VaSSO": None,
    "MSAM": None,
    "WSAM": None,
    "CRSAM": None,
    "GAM": None,
    "EveryK": None,
    "AESAM": None,
    "LookSAM": None,
}


@checked(
    implementation=methods("begin", "what numpy_step, torch_optimizer, torch_loop or optax_transform returned"),
    variant=choice(VARIANTS),
)
def check(implementation: Implementation, variant: str = "SAM", **settings: float) -> Report:
    """Drive an implementation on small problems, watch where it takes gradients, and tell what is right and what is not.

        print(check(numpy_step(step, init), "SAM", rho=0.05, lr=0.1, momentum=0.9))

    Parameters
    ----------
    implementation
        What an adapter returned: `numpy_step`, `torch_optimizer`, `torch_loop`, `optax_transform`.
    variant : str
        What it should be: SAM, or another variant of `minisam.sam` that needs gradients alone and no random numbers.
    **settings : float
        Those that the implementation has: `lr`, `momentum` and `weight_decay` of its base, SGD, and those of the variant, such
        as `rho`. `weight_decay` is δ of the gradient's δw, so δ = 2λ. Settings that are 0 show less: a mistake in the weight
        decay cannot be seen where there is none.

    Returns
    -------
    Report
        Whether it is ok, its mistakes and choices in sentences; printed, all that was found.

    Raises
    ------
    ValueError, TypeError
        If the variant is not known, or a setting is none of its; if a step returns no weights, or computes in single precision.

    Truths: tests/test_conformance.py.
    """
    with array_backend.use("numpy"):
        return checked_on_numpy(implementation, variant, settings)


def checked_on_numpy(implementation: Implementation, variant: str, given: Mapping[str, Any]) -> Report:
    """What `check` finds; the problems and minisam's own variant are arrays of NumPy, whatever backend is in use."""
    reference, settings = made(variant, given)
    runs = [(problem, watched(implementation, problem, STEPS)) for problem in problems()]
    _check_double(runs[0][1])
    owes = _owes(variant, settings)
    told, guard = ([], Guard()) if owes is None else statements(runs[0][1][:TOLD], problems()[0], settings, owes)
    right = Guarded(reference, guard, settings.get("eta")) if guard.tau else reference
    paths, partings = zip(*(_path(p, steps, watched(right, p, STEPS)) for p, steps in runs), strict=True)
    told.append(_finite(runs))
    if isinstance(implementation, TorchOptimizer):
        told.append(without_gradient(implementation, runs[0][1]))
    if all(statement.holds is not False for statement in told):
        told.append(_whole(paths, partings))
    of_loop = running_statistics(implementation) if isinstance(implementation, TorchLoop) else []
    return Report(variant, settings, told, paths, [*guard.note(), *of_loop])


def assert_conforms(implementation: Implementation, variant: str = "SAM", **settings: float) -> None:
    """The same as a test: an AssertionError with the report, if there is a mistake or it is another variant.

    def test_my_sam():
        assert_conforms(torch_optimizer(lambda params: MySAM(params, rho=0.05, lr=0.1)), "SAM", rho=0.05, lr=0.1)
    """
    report = check(implementation, variant, **settings)
    if report.mistakes or report.choices:
        raise AssertionError(f"\n{report}")


def made(variant: str, settings: Mapping[str, Any]) -> tuple[NumpyStep, dict[str, Any]]:
    """minisam's own variant over SGD, and all settings, the defaults among them."""
    kind = getattr(sam, variant)
    own = {
        f.name: f.default
        for f in fields(kind)
        if f.name not in ("base", "l2") and type(f.default) in (int, float, bool)
    }
    for name, value in settings.items():
        if name not in BASE | own:
            raise ValueError(f"settings must be among {', '.join(BASE | own)}, got {name!r}")
        if not isinstance(value, bool):
            check_number(name, value, AT_LEAST_0, swept=False)
    whole: dict[str, Any] = BASE | own | dict(settings)
    base = SGD(whole["lr"], momentum=whole["momentum"])
    rule = kind(base, l2=whole["weight_decay"] / 2, **{name: whole[name] for name in own})
    return NumpyStep(rule.step, rule.init), whole


def _owes(variant: str, settings: Mapping[str, Any]) -> dict[str, str] | None:
    """What the variant owes where it is not SAM; None if its path alone can be compared."""
    known, p = VARIANTS[variant], settings.get("p", 2)
    if known is None or p == 2:
        return known
    return known | {"norm": "sign"} if p == numpy.inf and "norm" not in known else None


def _check_double(steps: Sequence[Step]) -> None:
    """A TypeError if the points of the gradients are rounded to single precision, in which little can be told."""
    asked = [step.asks for step in steps if step.asks]
    rounded = [all(numpy.array_equal(asks[k].w, asks[k].w.astype("float32")) for asks in asked) for k in (0, -1)]
    if asked and any(rounded):
        raise TypeError("implementation must compute in float64, as the weights it is given are, got points in float32")


# --- paths -----------------------------------------------------------------------------------------------------------


def _path(problem: Problem, steps: Sequence[Step], ours: Sequence[Step]) -> tuple[Path, str]:
    """How long the weights agree, and where they part, in words."""
    off = numpy.array([apart(a.after, b.after) for a, b in zip(steps, ours, strict=True)])
    agreed = int(numpy.argmax(off > AGREES)) if (off > AGREES).any() else len(off)
    digits = float(min(16, -numpy.log10(max(off.max(), 1e-16))))
    return Path(problem.name, len(steps), agreed, digits), "" if agreed == len(off) else _parting(
        problem, agreed, steps[agreed], ours[agreed]
    )


def _parting(problem: Problem, t: int, step: Step, our: Step) -> str:
    """What is different in the first step whose weights are."""
    for k, (ask, right) in enumerate(zip(step.asks, our.asks, strict=False)):
        if (off := apart(ask.w, right.w)) > AGREES:
            return f"On {problem.name}, step {t} asks for its gradient {k} at a point that is {off:.1e} away from minisam's."
    if len(step.asks) != len(our.asks):
        return f"On {problem.name}, step {t} asks for {len(step.asks)} gradients, minisam's for {len(our.asks)}."
    return f"On {problem.name}, step {t} asks for the same gradients as minisam's, and leads to other weights."


def _whole(paths: Sequence[Path], partings: Sequence[str]) -> Statement:
    """Whether all paths are minisam's."""
    parting = next((words for words in partings if words), "")
    off = 10.0 ** -min(path.digits for path in paths)
    return Statement("the whole path is minisam's", "20 steps on 6 problems", LOOK, not parting, off, parting)


def _finite(runs: Sequence[tuple[Problem, Sequence[Step]]]) -> Statement:
    """Whether weights are finite also where the gradient, or that of a tensor, is zero."""
    broken = [problem.name for problem, steps in runs if not numpy.isfinite(steps[-1].after).all()]
    says = f"The weights are not finite on {', '.join(broken)}: where the gradient is zero, ε is 0, and not 0/0."
    return Statement(
        "a zero gradient leaves the weights finite",
        "ε = 0 where ∇L(w) = 0",
        "05_the_inner_maximum",
        not broken,
        None,
        says,
    )

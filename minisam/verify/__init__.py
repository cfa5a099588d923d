"""Every formula, checked on the backend in use: `minisam verify`.

A check computes a formula in two ways and returns the largest relative error between the results. It passes if the error is
not above the bound of the check. All checks run in float64. The second way is a central difference, a closed form, or the same
computation on NumPy.

Truths: tests/test_verify.py (all checks pass; each of several wrong formulas fails its check).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .. import array_backend
from ..arguments import checked, instance, sequence
from .errors import Checks, above, apart, drawn
from .family import family
from .formulas import measures, objective, optimizers
from .gradients import networks, primitives

__all__ = ["GROUPS", "Result", "above", "apart", "drawn", "run", "table"]

GROUPS: dict[str, Callable[[], Checks]] = {
    "primitives": primitives,
    "networks": networks,
    "the objective and its step": objective,
    "base optimizers": optimizers,
    "the family": family,
    "sharpness": measures,
}


@dataclass(frozen=True)
class Result:
    """The result of one check: its group, its formula, the largest relative error and the bound on it."""

    group: str
    formula: str
    error: float
    bound: float

    @property
    def ok(self) -> bool:
        return self.error <= self.bound


def run() -> Iterator[Result]:
    """The results of all checks, one after the other."""
    for group, checks in GROUPS.items():
        for formula, bound, error in checks():
            yield Result(group, formula, error, bound)


@checked(results=sequence(instance(Result, "a Result of `run`")))
def table(results: list[Result]) -> str:
    """The results as text."""
    width = max(len(result.formula) for result in results)
    lines, group = [], ""
    for result in results:
        if result.group != group:
            group = result.group
            lines.append(f"{group}\n")
        mark = "ok" if result.ok else "WRONG"
        lines.append(f"    {result.formula:<{width}}  {result.error:8.1e} ≤ {result.bound:.0e}  {mark}\n")
    failed = sum(not result.ok for result in results)
    lines.append(f"{len(results)} formulas on {array_backend.name()}: {failed or 'none'} wrong")
    return "".join(lines)

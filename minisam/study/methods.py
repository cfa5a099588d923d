"""A method of a study: an optimizer made from settings, and the grid of settings to choose from."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature, signature
from typing import Any, TypeAlias

from ..checks import check_methods, shown
from ..optim import Optimizer
from ..training.sweep import Labels

Grid: TypeAlias = dict[str, list[Any]]  # name of a setting → its values
LENGTH = "steps"  # the argument of `make` that the study gives


@dataclass(frozen=True)
class Method:
    """`make(**settings) -> optimizer`; if it takes `steps`, it gets the number of steps of the training."""

    make: Callable[..., Optimizer]
    grid: Grid

    def for_steps(self, steps: int) -> Callable[..., Optimizer]:
        """A function of the settings in the grid alone, as `train` sweeps it."""
        length = {LENGTH: steps} if LENGTH in signature(self.make).parameters else {}

        def made(**settings: Any) -> Optimizer:
            return self.make(**length, **settings)

        taken = [Parameter(name, Parameter.KEYWORD_ONLY) for name in self.grid]
        made.__signature__ = Signature(taken)  # type: ignore[attr-defined]
        return made

    def takes(self, settings: Labels) -> bool:
        """Whether there is an optimizer with these settings: a share above 1, say, it refuses."""
        try:
            self.for_steps(1)(**settings)
        except (TypeError, ValueError):
            return False
        return True


def method(name: str, given: Any) -> Method:
    """The method of a pair (make, grid); or the error that says what is wrong with it."""
    if not isinstance(given, (tuple, list)) or len(given) != 2 or not isinstance(given[1], Mapping):
        raise TypeError(f"{name} must be a pair (make, grid), the grid a dict, got {shown(given)}")
    make, grid = given
    if not callable(make):
        raise TypeError(f"make of {name} must be a function of settings -> optimizer, got {shown(make)}")
    made = Method(make, {setting: _values(name, setting, values) for setting, values in grid.items()})
    _check_taken(name, signature(make).parameters, grid)
    first = next(combinations(made.grid))
    check_methods(
        f"what make of {name} returns", made.for_steps(1)(**first), "init step", "an optimizer such as SGD(lr)"
    )
    return made


def combinations(grid: Grid) -> Iterator[Labels]:
    """Each combination of a grid's values, the last name's changing fastest."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def count_of(grid: Grid) -> int:
    """How many combinations a grid has."""
    return math.prod(map(len, grid.values()))


def _check_taken(name: str, parameters: Mapping[str, Parameter], grid: Iterable[str]) -> None:
    """Raise a ValueError unless the grid has arguments of the function, and all without a default."""
    needed = {key for key, parameter in parameters.items() if parameter.default is Parameter.empty} - {LENGTH}
    wrong = sorted((set(grid) - parameters.keys()) | (needed - set(grid)) | ({LENGTH} & set(grid)))
    if wrong:
        raise ValueError(
            f"the grid of {name} must have arguments of its function ({', '.join(parameters)}), all that have no default and "
            f"not `steps`; look at {', '.join(wrong)}"
        )


def _values(name: str, setting: str, values: Sequence[Any]) -> list[Any]:
    plain = [getattr(value, "item", lambda value=value: value)() for value in values]
    of_kinds = all(isinstance(value, (bool, int, float, str)) for value in plain)
    if not plain or not of_kinds or len(set(plain)) < len(plain) or setting == "seed":
        raise ValueError(
            f"the grid of {name} must map names but 'seed' to different numbers or texts, at least one, "
            f"got {setting!r}: {plain}"
        )
    return plain

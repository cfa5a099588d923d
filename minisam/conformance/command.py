"""`minisam conform FILE.py:NAME`: an implementation that stands in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..study.from_file import definitions
from .checking import check
from .in_numpy import numpy_step
from .in_optax import optax_transform
from .in_torch import torch_optimizer
from .report import Report
from .watch import Implementation

ADAPTERS: dict[str, Callable[..., Implementation]] = {
    "numpy": numpy_step,
    "torch": torch_optimizer,
    "optax": optax_transform,
}


def run(target: str, framework: str | None, variant: str, settings: Sequence[str]) -> Report:
    """The report on NAME in FILE.py, with settings NAME=VALUE.

    NAME is what the adapter of the framework takes: numpy's a step, torch's a function params -> optimizer, optax's a
    transformation. Without a framework it is what an adapter returned, in the file itself.

    Raises a ValueError that names what is wrong with the target or a setting, or what `check` raises.
    """
    return check(_implementation(target, framework), variant, **dict(map(_setting, settings)))


def _implementation(target: str, framework: str | None) -> Implementation:
    file, _, name = target.rpartition(":")
    if not file or not name:
        raise ValueError(f"target must be FILE.py:NAME, got {target!r}")
    defined = definitions(Path(file))
    if name not in defined:
        raise ValueError(f"{file} defines no {name!r}")
    if framework is None and not hasattr(defined[name], "begin"):
        raise ValueError(f"--framework must be one of {', '.join(ADAPTERS)}, unless {name} is what an adapter returned")
    return defined[name] if framework is None else ADAPTERS[framework](defined[name])


def _setting(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, {"True": True, "False": False}[value] if value in ("True", "False") else float(value)
    except ValueError:
        raise ValueError(f"settings must be NAME=NUMBER, such as rho=0.05, got {text!r}") from None

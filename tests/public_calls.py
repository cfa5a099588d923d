"""What is public, and what one says of a public callable: a good call, and the kind of every argument.

A new public function or argument that is in no table fails `test_bad_calls.py`.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Kind = Callable[[Any], dict]


@dataclass(frozen=True)
class Public:
    """A callable; its arguments: name -> (kind, good value); and other words by which a message may call an argument."""

    f: Callable[..., Any]
    arguments: dict[str, tuple[Kind, Any]]
    terms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    positional: bool = False

    def call(self, changed: dict[str, Any] | None = None) -> Any:
        values = {name: good for name, (_, good) in self.arguments.items()} | (changed or {})
        return self.f(*values.values()) if self.positional else self.f(**values)


TABLE: dict[str, Public] = {}
PACKAGES = [
    "sam",
    "ops",
    "models",
    "data",
    "sharpness",
    "training",
    "autodiff",
    "verify",
    "plot",
    "study",
    "conformance",
]  # by their __all__
MODULES = [
    "optim",
    "losses",
    "batch",
    "noisy_labels",
    "long_tails",
    "self_training",
    "array_backend",
    "stats",
    "draws",
    "threads",
]
HELPERS = {  # of these modules: parts of the public functions, or types, which nobody calls
    "optim": "Optimizer Updater Base first_moments adam_moments seen adam_direction add_l2 lr_at",
    "losses": "each as_rows by_class check_labels is_right mean_recall weight",
    "batch": "Batch as_it_is of_mixture of_weighted anchored of_each at_rows cut penalty divergence",
    "noisy_labels": "a_batch",
    "array_backend": "Backend BackendError copy_each current switch xp name synchronize",
    "threads": "bar choose allowed",
    "sam": "Ball Composed Rule Sometimes Variant Look",
    "autodiff": "as_loss as_loss_and_grad check_weights",
    "": "DivergedError Model Run",
    "verify": "Result run",
    "sharpness": "Estimate SecondOrder SingleStepAccuracy Spectrum Search",
    "models": "NormStatistics Model",
    "data": "Data MarkovData TextData",
    "training": "DivergedError Run",
    "study": "Comparison Outcome Result Verdict",
    "conformance": "Path Report Statement assert_conforms",
}


def public_names() -> dict[str, Any]:
    """'module.name' -> each public callable, once, by the first name it has."""
    found: dict[str, Any] = {}
    for module in [*PACKAGES, *MODULES, ""]:
        where = importlib.import_module(f"minisam.{module}".rstrip("."))
        own = (name for name, value in vars(where).items() if getattr(value, "__module__", "") == where.__name__)
        for name in getattr(where, "__all__", [name for name in own if not name.startswith("_")]):
            value = getattr(where, name)
            helper = name in HELPERS.get(module, "").split()
            if callable(value) and not helper and not any(value is other for other in found.values()):
                found[f"{module}.{name}".lstrip(".")] = value
    return found


def parameters(f: Any) -> list[str]:
    """The names of the arguments of a callable; those of what was written, for a primitive."""
    for inner in ("fun", "written"):
        f = getattr(f, inner, f)
    names = inspect.signature(f).parameters
    return [name for name, p in names.items() if name not in ("out", "self") and p.kind not in (p.VAR_KEYWORD,)]


def add(
    key: str, f: Any, terms: dict[str, tuple[str, ...]] | None = None, /, positional: bool = False, **given: Any
) -> None:
    TABLE[key] = Public(f, given, terms or {}, positional)

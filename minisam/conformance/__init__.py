"""Is my SAM right? An implementation is watched at work, and told what is right and what is not.

    from minisam.conformance import check, torch_optimizer
    print(check(torch_optimizer(lambda params: MySAM(params, torch.optim.SGD, rho=0.05, lr=0.1)), "SAM", rho=0.05, lr=0.1))

An adapter says how the implementation makes a step: `numpy_step`, `torch_optimizer`, `torch_loop`, `optax_transform`. `watch`
drives it on the `problems` and notes where it takes gradients. `ascent` and `descent` are the catalogue: each part of a step, the
ways in which it can be computed, and a sentence for each that is not owed. `explain` finds those that were used, `statements`
tells them, `report` shows them. `command` is `minisam conform`.
"""

from .checking import assert_conforms, check
from .in_numpy import numpy_step
from .in_optax import optax_transform
from .in_torch import torch_loop, torch_optimizer
from .report import Path, Report, Statement

__all__ = [
    "Path",
    "Report",
    "Statement",
    "assert_conforms",
    "check",
    "numpy_step",
    "optax_transform",
    "torch_loop",
    "torch_optimizer",
]

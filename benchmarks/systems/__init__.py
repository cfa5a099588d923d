"""The systems that are measured, each a class of one protocol:

    system = System(job)        # builds the step of a `Job`; takes its time
    system.reset()              # back to the initial weights
    loss = system.run(steps)    # that many steps; the last one's loss (...,), taken before its update

`run` returns when the work is done, not when it is queued. With replicas a system makes one run of all of them if it can,
else one after the other.
"""

import importlib

SYSTEMS = {
    "hand": "hand:Hand",
    "minisam": "ours:Recorded",
    "minisam-eager": "ours:Eager",
    "minisam-singles": "ours:Singles",
    "torch": "pytorch:Eager",
    "torch-compile": "pytorch:Compiled",
    "jax": "jaxjit:Jit",
}
ON_DEVICE = {
    "minisam-gpu": "device:OnDevice",
    "minisam-gpu-singles": "device:SinglesOnDevice",
    "torch-gpu": "device:eager",
    "torch-gpu-graph": "device:graph",
    "jax-gpu": "jaxjit:Jit",
}
OF_VARIANTS = {"minisam-variants": "ours:OnBatch"}
OF_MODELS = {"minisam-models": "ours:Recorded", "torch-models": "models:pytorch", "jax-models": "models:jax"}
NAMES = {
    "hand": "NumPy by hand",
    "minisam": "minisam",
    "minisam-eager": "minisam, eager",
    "minisam-singles": "minisam, one by one",
    "torch": "PyTorch eager",
    "torch-compile": "torch.compile",
    "jax": "JAX jit",
    "minisam-variants": "minisam",
    "minisam-models": "minisam",
    "torch-models": "PyTorch eager",
    "jax-models": "JAX jit",
    "minisam-gpu": "minisam on CuPy",
    "minisam-gpu-singles": "minisam on CuPy, one by one",
    "torch-gpu": "PyTorch eager",
    "torch-gpu-graph": "PyTorch, CUDA graph",
    "jax-gpu": "JAX jit",
}
NEEDED = set(SYSTEMS) - {"torch-compile"}  # for a result that is kept; not everyone has a compiler
QUICK = ("hand", "minisam", "minisam-eager")
PACKAGES = {
    "torch": ("torch", "pytorch-optimizer"),
    "torch-compile": ("torch",),
    "jax": ("jax", "jaxlib", "optax"),
    "torch-models": ("torch", "pytorch-optimizer"),
    "jax-models": ("jax", "jaxlib", "optax"),
    "torch-gpu": ("torch", "pytorch-optimizer"),
    "torch-gpu-graph": ("torch",),
    "jax-gpu": ("jax", "jaxlib", "optax"),
}


def load(name: str) -> type:
    """The class of a system; an ImportError if what it needs is not installed."""
    module, attribute = (SYSTEMS | OF_VARIANTS | OF_MODELS | ON_DEVICE)[name].split(":")
    system = getattr(importlib.import_module(f"systems.{module}"), attribute)
    return system if isinstance(system, type) else system()

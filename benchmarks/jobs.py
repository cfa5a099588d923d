"""What is timed: nets, batches and the two steps. Every system sees the same weights and the same data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

import minisam

LR, MOMENTUM, RHO = 0.02, 0.9, 0.05


@dataclass(frozen=True)
class Job:
    """Training steps of a ReLU MLP with cross-entropy, in float32: SGD with momentum, or one of `VARIANTS` over it.

    With `replicas` = R it is R nets, each with weights and a batch of its own: arrays have a leading axis R.
    """

    sizes: tuple[int, ...]
    batch_size: int
    rule: str = "sam"
    replicas: int | None = None

    @property
    def lead(self) -> tuple[int, ...]:
        return () if self.replicas is None else (self.replicas,)

    @cached_property
    def model(self) -> minisam.Model:
        return minisam.mlp(list(self.sizes))

    @cached_property
    def w(self) -> np.ndarray:
        """Initial weights (..., n), layer by layer: W0, b0, W1, b1, …"""
        return self.model.init(0 if self.replicas is None else range(self.replicas))

    @cached_property
    def x(self) -> np.ndarray:
        """Inputs (..., m, d)."""
        shape = (*self.lead, self.batch_size, self.sizes[0])
        return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)

    @cached_property
    def y(self) -> np.ndarray:
        """Labels (..., m)."""
        return np.random.default_rng(2).integers(0, self.sizes[-1], (*self.lead, self.batch_size))

    def layers(self, w: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """The weights (n,) as [(W0, b0), (W1, b1), …]: views of w."""
        pairs, start = [], 0
        for i, o in zip(self.sizes, self.sizes[1:], strict=False):
            W, b = w[start : start + i * o].reshape(i, o), w[start + i * o : start + i * o + o]
            pairs.append((W, b))
            start += i * o + o
        return pairs

    def singles(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """(w, x, y) of each replica; of the only net if there are no replicas."""
        return [(self.w, self.x, self.y)] if self.replicas is None else list(zip(self.w, self.x, self.y, strict=True))


NETS = {"toy": ((2, 32, 32, 2), 64), "digits": ((64, 256, 256, 10), 128), "wide": ((784, 512, 512, 10), 128)}
REPLICAS = 32
VARIANTS = ("sgd", "sam", "looksam", "rst", "sampa")
BASE = {"width": 128, "batch": 64, "depth": 2, "replicas": 1}  # where the scaling curves cross
CURVES = {
    "width": (16, 32, 64, 128, 256, 512),
    "batch": (4, 16, 64, 256, 1024),
    "depth": (1, 2, 4, 8),
    "replicas": (1, 4, 16, 64),
}


def scaled(**change: int) -> Job:
    """A SAM step of the net of the scaling curves, with one of its sizes changed; replicas are of a smaller net."""
    size = BASE | change
    width = 32 if "replicas" in change else size["width"]
    return Job((64, *[width] * size["depth"], 10), size["batch"], replicas=change.get("replicas"))


# --- whole models ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ModelJob:
    """Training steps of one of minisam's models on batches of its kind of data: SGD with momentum, or SAM over it."""

    name: str
    rule: str = "sam"

    @cached_property
    def model(self) -> minisam.Model:
        return MODELS[self.name][0]()

    @property
    def batch_size(self) -> int:
        return MODELS[self.name][1]

    @cached_property
    def w(self) -> np.ndarray:
        """Initial weights (n,), with some noise: every parameter takes part."""
        noise = np.random.default_rng(0).standard_normal(self.model.size, dtype=np.float32)
        return self.model.init(0) + np.float32(0.02) * noise

    @cached_property
    def parameters(self) -> dict[str, np.ndarray]:
        return self.model.unflatten(self.w)

    @cached_property
    def x(self) -> np.ndarray:
        """Rows of images or signals (m, features), or tokens (m, t)."""
        rng, spec = np.random.default_rng(1), self.model.spec
        if self.model.tokens:
            return rng.integers(0, spec["vocabulary"], (self.batch_size, spec["context"]))
        return rng.standard_normal((self.batch_size, int(np.prod(spec["shape"]))), dtype=np.float32)

    @cached_property
    def y(self) -> np.ndarray:
        """Classes (m,), or the next tokens (m, t)."""
        rng, spec = np.random.default_rng(2), self.model.spec
        if self.model.tokens:
            return rng.integers(0, spec["vocabulary"], self.x.shape)
        return rng.integers(0, spec["classes"], self.batch_size)


MODELS = {
    "cnn, MNIST-1D": (
        lambda: minisam.cnn((25, 25, 25), (1, 40), 10, kernel=5, stride=2, pool=1),
        100,
        "3 × 25 channels, kernel 5, stride 2, batch 100",
    ),
    "cnn, digits": (lambda: minisam.cnn((16, 32), (1, 8, 8)), 64, "16 and 32 channels, 3×3, pooled, batch 64"),
    "cnn, 28×28": (lambda: minisam.cnn((16, 32), (1, 28, 28)), 64, "16 and 32 channels, 3×3, pooled, batch 64"),
    "resnet, 28×28": (
        lambda: minisam.resnet((16, 32), (1, 28, 28)),
        64,
        "16 and 32 channels, 3×3, a block each, batch norm, batch 64",
    ),
    "vit, digits": (lambda: minisam.vit(), 64, "16 patches, width 64, 2 blocks, 4 heads, batch 64"),
    "gpt": (lambda: minisam.gpt(100), 16, "context 64, width 64, 2 blocks, 4 heads, 100 characters, batch 16"),
}

"""Augmentation: at each step, other pictures of the same things, as `train(..., augment=...)` takes them.

A function of your own is given the rows x of a batch, (b, i), or (S, b, i) for S seeds; `draw(f)` is f(generator), an array (k,)
of random numbers, for each seed its own, (S, k):

    def brighter(x, draw):
        by = draw(lambda rng: rng.uniform(0.8, 1.2, x.shape[-2]))
        return x * array_backend.asarray(by[..., None], dtype=x.dtype)

Truths: tests/test_augmentation.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy

from ..array_backend import asarray, xp
from ..hyperparameters import Declared, count, image_shape, truth
from ..types import Array, Shape

Draw = Callable[[Callable[[numpy.random.Generator], numpy.ndarray]], numpy.ndarray]  # (generator -> (k,)) -> (..., k)


@dataclass(frozen=True)
class crops_and_flips(Declared):
    """Each image is cut anew from a frame of zeros around it, and every other one is mirrored.

        train(model, photographs, optimizer, 30, augment=crops_and_flips(photographs.shape, padding=4))

    The cut has the size of the image, so it moves by −padding … padding pixels along each axis in space, each as probable. Left
    and right are exchanged with probability ½. Signals are moved and mirrored along their only axis.

    Parameters
    ----------
    shape : sequence of int
        The shape of an image (channels, height, width), or of a signal (channels, length), as in `Data.shape`.
    padding : int
        Width of the frame [pixels], ≥ 0.
    flips : bool
        Whether images are mirrored; digits, for one, must not be.

    Source: He et al. 2016, arXiv:1512.03385, section 4.2 (padding 4 on images of 32×32).
    """

    shape: Shape = image_shape("of an image or a signal")
    padding: int = count(2, least=0, meaning="width of the frame of zeros")
    flips: bool = truth(True, "whether images are mirrored")

    def __call__(self, x: Array, draw: Draw) -> Array:
        """Other pictures x (..., b, c·space) of the same things."""
        if x.shape[-1] != math.prod(self.shape):
            raise ValueError(f"shape must be that of the images, rows of {x.shape[-1]} numbers, got {self.shape}")
        pixel, is_inside = self._pixels(x.shape[-2], draw)
        c, pixels = self.shape[0], pixel.shape[-1]
        channels = xp().arange(x.size // pixels).reshape(*x.shape[:-1], c, 1) * pixels  # where each begins in x
        return numpy.where(asarray(is_inside), x.reshape(-1).take(channels + asarray(pixel)), 0).reshape(x.shape)

    def _pixels(self, b: int, draw: Draw) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Which pixel of an image each pixel of its picture shows, and whether there is one: (..., b, 1, h·w) both."""
        _, *space = self.shape
        n = len(space)

        def moves(rng: numpy.random.Generator) -> numpy.ndarray:
            by = rng.integers(-self.padding, self.padding + 1, n * b)
            return numpy.append(by, rng.integers(0, 2, b))

        drawn = draw(moves)
        *by, mirrored = numpy.moveaxis(drawn.reshape(*drawn.shape[:-1], n + 1, b), -2, 0)
        pixel, is_inside = numpy.zeros((), dtype="int64"), numpy.ones((), dtype=bool)
        for k, size in enumerate(space):
            places = by[k][..., None] + numpy.arange(size)
            if self.flips and k == n - 1:
                places = numpy.where(mirrored[..., None] == 1, places[..., ::-1], places)
            places = places.reshape(*mirrored.shape, *[1] * k, size, *[1] * (n - 1 - k))
            pixel = pixel * size + places.clip(0, size - 1)
            is_inside = is_inside & (places >= 0) & (places < size)
        shape = (*mirrored.shape, 1, math.prod(space))
        pixel = pixel.astype("intp", copy=False)  # which `take` wants: 32 bits in a browser
        return pixel.reshape(shape), is_inside.reshape(shape)

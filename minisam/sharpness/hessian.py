"""Measures of the Hessian: its largest eigenvalues, its trace, and the density of its eigenvalues.

All are computed from products H v alone: product(w, v) -> H v, exact as `minisam.hvp` makes it, for a fixed batch. The
results are float64 NumPy arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy

from ..arguments import checked, count, number, one_seed, optional, truth
from ..array_backend import asarray, xp
from ..checks import ABOVE_0
from ..draws import signs, stream
from ..kinds import floats, host, product
from ..threads import bar
from ..types import Array
from ..vectors import dot, norm, over
from .estimate import Estimate, to_host

Product: TypeAlias = Callable[[Array, Array], Array]


@checked(product=product, w=floats(), steps=count(), seed=one_seed, progress=truth)
def lambda_max(product: Product, w: Array, steps: int = 30, seed: int = 0, progress: bool = False) -> numpy.ndarray:
    """The largest eigenvalue of the Hessian at w: `eigenvalues` with count = 1.   (..., n) -> (...,)."""
    return eigenvalues(product, w, 1, steps, seed, progress)[..., 0]


@checked(product=product, w=floats(), count=count(), steps=count(), seed=one_seed, progress=truth)
def eigenvalues(
    product: Product, w: Array, count: int = 5, steps: int = 30, seed: int = 0, progress: bool = False
) -> numpy.ndarray:
    """The largest eigenvalues of the Hessian at w, falling, by Lanczos with full reorthogonalisation: (..., n) -> (..., count).

    Each value is a lower bound. The largest eigenvalues converge first, and after n steps all are exact. With fewer steps a
    repeated eigenvalue is found only once. For the smallest eigenvalues, pass −H and change the signs of the result.

    Parameters
    ----------
    product : function
        (w, v) -> H v, as `hvp` makes it, for a fixed batch.
    w : float array (..., n)
        Weights.
    count : int
        Number of eigenvalues, 1 ≤ count ≤ min(steps, n).
    steps : int
        Number of Hessian-vector products, ≥ 1. At most n are computed.
    seed : int
        Seed of the random start, ≥ 0. All replicas share one start.
    progress : bool
        Show a progress bar over the steps.

    Returns
    -------
    float64 NumPy array (..., count)
        NaN for a replica whose products are not finite.

    Raises
    ------
    ValueError
        If count or steps is out of its range, or seed < 0.

    Source: Golub & Van Loan, "Matrix Computations", section 10.1.  Truths: tests/test_sharpness.py,
    tests/test_sharpness_hessian.py.
    """
    most = min(steps, w.shape[-1])
    if count > most:
        raise ValueError(f"count must be in 1 … {most}, the smaller of steps and n, got {count}")
    values, _ = _lanczos(product, w, steps, stream("eigenvalues", seed), progress)
    return values[..., : -count - 1 : -1]


@checked(product=product, w=floats(), samples=count(), seed=one_seed, progress=truth)
def trace(product: Product, w: Array, samples: int = 100, seed: int = 0, progress: bool = False) -> Estimate:
    """tr H = E zᵀHz with z of random signs (Hutchinson), from `samples` ≥ 1 products: (..., n) -> arrays (...,).

    The variance of a sample is 2 (‖H‖²_F − Σ H_ii²), so the trace of a diagonal Hessian is exact.

    Hutchinson 1990, "A stochastic estimator of the trace".  Truths: tests/test_sharpness_hessian.py.
    """
    forms = []
    for k in bar(range(samples), unit="sample", disable=not progress):
        z = xp().zeros_like(w) + signs("trace", seed, k, w)
        forms.append(dot(z, product(w, z))[..., 0])
    return Estimate.of(forms)


@dataclass(frozen=True)
class Spectrum:
    """The distribution of a Hessian's eigenvalues: for each random start, k values and their weights.

    values, weights : float64 NumPy arrays (samples, ..., k)
        The weights of one start sum to 1. Σ weight · value^j estimates tr(Hʲ)/n, without bias for j < 2k.
    """

    values: numpy.ndarray
    weights: numpy.ndarray

    @checked(j=count(0))
    def moment(self, j: int) -> Estimate:
        """The mean of λʲ over the n eigenvalues, tr(Hʲ)/n: arrays (...,)."""
        return Estimate.of((self.weights * self.values**j).sum(axis=-1))

    @checked(at=host(axes=1), width=optional(number(ABOVE_0)))
    def density(self, at: numpy.ndarray, width: float | None = None) -> Estimate:
        """The density of the eigenvalues at the points (m,), with a Gaussian in place of each value: arrays (..., m) [1/λ].

        Its integral is 1. `width` > 0 is the standard deviation of the Gaussians [λ]; the default is `self.width`.
        """
        width = self.width if width is None else width
        gap = (at - self.values[..., None]) / width
        bells = numpy.exp(-(gap**2) / 2) / (width * numpy.sqrt(2 * numpy.pi))
        return Estimate.of((self.weights[..., None] * bells).sum(axis=-2))

    @property
    def width(self) -> float:
        """A hundredth of the range of the values; of their size, if they are equal up to rounding."""
        low, high = float(numpy.nanmin(self.values)), float(numpy.nanmax(self.values))
        size = max(abs(low), abs(high))
        return 0.01 * (high - low if high - low > 1e-5 * size else size or 1.0)


@checked(product=product, w=floats(), steps=count(), samples=count(), seed=one_seed, progress=truth)
def spectral_density(
    product: Product, w: Array, steps: int = 30, samples: int = 10, seed: int = 0, progress: bool = False
) -> Spectrum:
    """The density of the Hessian's eigenvalues by stochastic Lanczos quadrature, from samples × steps products.

    From a random start v, Lanczos makes a tridiagonal matrix. Its eigenvalues, weighted by the squares of the first entries
    of its eigenvectors, have the moments vᵀHʲv for j < 2 steps; and E vᵀHʲv = tr(Hʲ)/n.

    Parameters
    ----------
    product : function
        (w, v) -> H v.
    w : float array (..., n)
        Weights.
    steps : int
        Steps from each start, ≥ 1. At most n are made.
    samples : int
        Number of random starts, ≥ 1. All replicas share them.
    seed : int
        Seed of the starts, ≥ 0.
    progress : bool
        Show a progress bar over the samples.

    Returns
    -------
    Spectrum

    Source: Ghorbani, Krishnan & Xiao 2019, arXiv:1901.10159, section 2.  Truths: tests/test_sharpness_hessian.py.
    """
    rng = stream("spectral density", seed)
    found = [_lanczos(product, w, steps, rng) for _ in bar(range(samples), unit="sample", disable=not progress)]
    values, weights = (numpy.stack(parts) for parts in zip(*found, strict=True))
    return Spectrum(values, weights)


def _lanczos(
    product: Product, w: Array, steps: int, rng: numpy.random.Generator, progress: bool = False
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Eigenvalues of the Hessian on a Krylov space, rising, and their weights in the random start.  (..., k) both.

    When the vectors so far already span the whole Krylov space of the start, a new random direction is added.
    """
    n, k = w.shape[-1], min(steps, w.shape[-1])
    basis = xp().zeros((*w.shape[:-1], k, n), dtype=w.dtype)
    v, size = xp().zeros_like(w) + _start(rng, w), 0.0
    diagonal, off_diagonal = [], []
    for j in bar(range(k), unit="product", disable=not progress):
        q = over(v, norm(v))
        basis[..., j, :] = q
        v = product(w, q)
        diagonal.append(dot(q, v)[..., 0])
        size = numpy.maximum(size, norm(v))
        v, fresh = (_across_all(u, basis[..., : j + 1, :]) for u in (v, xp().zeros_like(w) + _start(rng, w)))
        length = norm(v)
        ended = length <= numpy.finfo(w.dtype).eps * size  # what is left is rounding
        v = numpy.where(ended, fresh, v)
        off_diagonal.append(numpy.where(ended, 0, length)[..., 0])
    table = to_host(diagonal + off_diagonal)
    return _tridiagonal(numpy.moveaxis(table[:k], 0, -1), numpy.moveaxis(table[k:-1], 0, -1))


def _start(rng: numpy.random.Generator, w: Array) -> Array:
    """A random direction, the same for all replicas."""
    return asarray(rng.standard_normal(w.shape[-1]), dtype=w.dtype)


def _across_all(v: Array, basis: Array) -> Array:
    """v without its components along the rows of an orthonormal basis (..., j, n)."""
    row = v[..., None, :]
    for _ in range(2):  # twice is enough to be orthogonal in floating point
        row = row - row @ basis.swapaxes(-1, -2) @ basis
    return row[..., 0, :]


def _tridiagonal(a: numpy.ndarray, b: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Eigenvalues of the matrix with diagonal a (..., k) and off-diagonal b (..., k−1), rising, and the squares of the first
    entries of their eigenvectors. Both are NaN where a or b is not finite.
    """
    known = (numpy.isfinite(a).all(axis=-1) & numpy.isfinite(b).all(axis=-1))[..., None]
    k = numpy.arange(a.shape[-1])
    T = numpy.zeros((*a.shape, len(k)))
    T[..., k, k] = numpy.where(known, a, 0)
    T[..., k[1:], k[:-1]] = T[..., k[:-1], k[1:]] = numpy.where(known, b, 0)
    values, vectors = numpy.linalg.eigh(T)
    return numpy.where(known, values, numpy.nan), numpy.where(known, vectors[..., 0, :] ** 2, numpy.nan)

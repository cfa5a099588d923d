"""What the Hessian tells: its largest eigenvalues, its trace, and how its eigenvalues are spread.

All from products H v alone, exact ones as `minisam.hvp` makes them: product(w, v) -> H v with the batch filled in. The results
are float64 NumPy arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy

from ..array_backend import asarray, xp
from ..checks import check_at_least_1
from ..draws import signs, stream
from ..types import Array
from ..vectors import dot, norm, over
from .estimate import Estimate, bar, to_host

Product: TypeAlias = Callable[[Array, Array], Array]


def lambda_max(product: Product, w: Array, steps: int = 30, seed: int = 0, progress: bool = False) -> numpy.ndarray:
    """The largest eigenvalue of the Hessian at w: `eigenvalues` with count = 1.   (..., n) -> (...,)."""
    return eigenvalues(product, w, 1, steps, seed, progress)[..., 0]


def eigenvalues(
    product: Product, w: Array, count: int = 5, steps: int = 30, seed: int = 0, progress: bool = False
) -> numpy.ndarray:
    """The largest eigenvalues of the Hessian at w, falling, by Lanczos with full reorthogonalisation: (..., n) -> (..., count).

    Each is a lower bound; the largest are found first, and with n steps all are exact. Fewer steps see an eigenvalue that
    stands several times as one. The smallest are the largest of −H, with their signs changed.

    Parameters
    ----------
    product : function
        (w, v) -> H v, as `hvp` makes it, with the batch filled in.
    w : float array (..., n)
        Weights.
    count : int
        How many, 1 ≤ count ≤ min(steps, n).
    steps : int
        Hessian-vector products spent, ≥ 1; no more than n are.
    seed : int
        Of the random start, the same for all replicas.
    progress : bool
        Show a progress bar over the steps.

    Returns
    -------
    float64 NumPy array (..., count)
        NaN for a replica whose products are not finite.

    Source: Golub & Van Loan, "Matrix Computations", section 10.1.  Truths: tests/test_sharpness.py,
    tests/test_sharpness_hessian.py.
    """
    check_at_least_1(steps=steps)
    most = min(steps, w.shape[-1])
    if not 1 <= count <= most:
        raise ValueError(f"count must be in 1 … {most}, the smaller of steps and n, got {count}")
    values, _ = _lanczos(product, w, steps, stream("eigenvalues", seed), progress)
    return values[..., : -count - 1 : -1]


def trace(product: Product, w: Array, samples: int = 100, seed: int = 0, progress: bool = False) -> Estimate:
    """tr H = E zᵀHz with z of random signs (Hutchinson), from `samples` ≥ 1 products: (..., n) -> arrays (...,).

    A sample's variance is 2 (‖H‖²_F − Σ H_ii²): a diagonal Hessian is measured exactly.

    Hutchinson 1990, "A stochastic estimator of the trace".  Truths: tests/test_sharpness_hessian.py.
    """
    check_at_least_1(samples=samples)
    forms = []
    for k in bar(range(samples), "sample", progress):
        z = xp().zeros_like(w) + signs("trace", seed, k, w)
        forms.append(dot(z, product(w, z))[..., 0])
    return Estimate.of(to_host(forms))


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of a Hessian, as a distribution: a few values and their weights for each random start.

    values, weights : float64 NumPy arrays (samples, ..., k)
        The weights of one start sum to 1. Σ weight · value^j is an estimate of tr(Hʲ)/n, free of bias for j < 2k.
    """

    values: numpy.ndarray
    weights: numpy.ndarray

    def moment(self, j: int) -> Estimate:
        """The mean of λʲ over the n eigenvalues, tr(Hʲ)/n: arrays (...,)."""
        return Estimate.of((self.weights * self.values**j).sum(axis=-1))

    def density(self, at: numpy.ndarray, width: float | None = None) -> Estimate:
        """The density of the eigenvalues at the points (m,), each value drawn as a Gaussian: arrays (..., m) [1/λ].

        Its integral is 1. `width` > 0 is the Gaussian's standard deviation [λ]; without one, a hundredth of the range.
        """
        width = self.width if width is None else width
        if not width > 0:
            raise ValueError(f"width must be > 0, got {width}")
        gap = (numpy.asarray(at) - self.values[..., None]) / width
        bells = numpy.exp(-(gap**2) / 2) / (width * numpy.sqrt(2 * numpy.pi))
        return Estimate.of((self.weights[..., None] * bells).sum(axis=-2))

    @property
    def width(self) -> float:
        """A hundredth of the range of the values, or of their size where they are all one but for rounding."""
        low, high = float(numpy.nanmin(self.values)), float(numpy.nanmax(self.values))
        size = max(abs(low), abs(high))
        return 0.01 * (high - low if high - low > 1e-5 * size else size or 1.0)


def spectral_density(
    product: Product, w: Array, steps: int = 30, samples: int = 10, seed: int = 0, progress: bool = False
) -> Spectrum:
    """The density of the Hessian's eigenvalues by stochastic Lanczos quadrature, from samples × steps products.

    The eigenvalues of the tridiagonal matrix that Lanczos makes of a random start v, weighted by the squares of the first
    entries of its eigenvectors, have the moments vᵀHʲv for j < 2 steps; E vᵀHʲv = tr(Hʲ)/n.

    Parameters
    ----------
    product : function
        (w, v) -> H v.
    w : float array (..., n)
        Weights.
    steps : int
        Of each Lanczos, ≥ 1; no more than n are made.
    samples : int
        Random starts, ≥ 1, the same for all replicas.
    seed : int
        Of the starts.
    progress : bool
        Show a progress bar over the samples.

    Returns
    -------
    Spectrum

    Source: Ghorbani, Krishnan & Xiao 2019, arXiv:1901.10159, section 2.  Truths: tests/test_sharpness_hessian.py.
    """
    check_at_least_1(steps=steps, samples=samples)
    rng = stream("spectral density", seed)
    found = [_lanczos(product, w, steps, rng) for _ in bar(range(samples), "sample", progress)]
    values, weights = (numpy.stack(parts) for parts in zip(*found, strict=True))
    return Spectrum(values, weights)


def _lanczos(
    product: Product, w: Array, steps: int, rng: numpy.random.Generator, progress: bool = False
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Eigenvalues of the Hessian on a Krylov space, rising, and their weights in the random start.  (..., k) both.

    Where the vectors so far span all that H makes of the start, it goes on with a new random direction.
    """
    n, k = w.shape[-1], min(steps, w.shape[-1])
    basis = xp().zeros((*w.shape[:-1], k, n), dtype=w.dtype)
    v, size = xp().zeros_like(w) + _start(rng, w), 0.0
    diagonal, off_diagonal = [], []
    for j in bar(range(k), "product", progress):
        q = over(v, norm(v))
        basis[..., j, :] = q
        v = product(w, q)
        diagonal.append(dot(q, v)[..., 0])
        size = xp().maximum(size, norm(v))
        v, fresh = (_across_all(u, basis[..., : j + 1, :]) for u in (v, xp().zeros_like(w) + _start(rng, w)))
        length = norm(v)
        ended = length <= numpy.finfo(w.dtype).eps * size  # what is left is rounding
        v = xp().where(ended, fresh, v)
        off_diagonal.append(xp().where(ended, 0, length)[..., 0])
    table = to_host(diagonal + off_diagonal)
    return _tridiagonal(numpy.moveaxis(table[:k], 0, -1), numpy.moveaxis(table[k:-1], 0, -1))


def _start(rng: numpy.random.Generator, w: Array) -> Array:
    """A random direction, the same for all replicas."""
    return asarray(rng.standard_normal(w.shape[-1]), dtype=w.dtype)


def _across_all(v: Array, basis: Array) -> Array:
    """v without its components along the rows of an orthonormal basis (..., j, n)."""
    row = v[..., None, :]
    for _ in range(2):  # twice is enough to be orthogonal in floating point
        row = row - xp().matmul(xp().matmul(row, xp().swapaxes(basis, -1, -2)), basis)
    return row[..., 0, :]


def _tridiagonal(a: numpy.ndarray, b: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Eigenvalues, rising, and the squares of their vectors' first entries; NaN where a (..., k) or b (..., k−1) is."""
    known = (numpy.isfinite(a).all(axis=-1) & numpy.isfinite(b).all(axis=-1))[..., None]
    k = numpy.arange(a.shape[-1])
    T = numpy.zeros((*a.shape, len(k)))
    T[..., k, k] = numpy.where(known, a, 0)
    T[..., k[1:], k[:-1]] = T[..., k[:-1], k[1:]] = numpy.where(known, b, 0)
    values, vectors = numpy.linalg.eigh(T)
    return numpy.where(known, values, numpy.nan), numpy.where(known, vectors[..., 0, :] ** 2, numpy.nan)

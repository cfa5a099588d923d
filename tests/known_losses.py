"""Losses whose curvature is known in another way than by minisam."""

import autograd.numpy as anp
import numpy as np


def symmetric(eigenvalues, seed=0):
    """A matrix with these eigenvalues, in a random basis."""
    n = len(eigenvalues)
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))
    H = (basis * np.array(eigenvalues)) @ basis.T
    return (H + H.T) / 2


def plain_net(w, x, y):
    """3-4-2 tanh network and cross-entropy with autograd.numpy alone; b0 and b1 after W0 and W1."""
    h = anp.tanh(anp.dot(x, anp.reshape(w[:12], (3, 4))) + w[12:16])
    z = anp.dot(h, anp.reshape(w[16:24], (4, 2))) + w[24:26]
    log_p = z - anp.log(anp.sum(anp.exp(z), axis=1, keepdims=True))
    return -anp.mean(log_p[anp.arange(len(y)), y])


def rescaled(w, by):
    """A 3-4-2 relu network of the same function: the first layer times `by`, the matrix of the second over it.

    Dinh et al. 2017, arXiv:1703.04933, section 5.
    """
    scale = np.ones(26)
    scale[:16], scale[16:24] = by, 1 / by
    return scale * w

"""Measures of sharpness, for a loss and weights. All measures take replicas: the leading axes of w.

In a ball around w:          `worst_case`, `worst_point`, `m_sharpness`, `average_case`, `surrogate_gap`, `gradient_norm`
Of the Hessian:              `lambda_max`, `eigenvalues`, `trace`, `spectral_density`
Slices of the landscape:     `landscape`, `profile`, `interpolation`
What SAM approximates:       `single_step_accuracy`, `second_order`

The arguments of the measures in a ball are the fields of `Search`. A measure that samples returns an `Estimate` with its standard
error; its random numbers come from explicit seeds and are drawn on the host. Estimates, eigenvalues and slices are float64 NumPy
arrays. Measures that are a loss, a gradient or a perturbation stay on the backend in use.
"""

from .approximation import SecondOrder, SingleStepAccuracy, second_order, single_step_accuracy
from .ball import (
    Search,
    average_case,
    gradient_norm,
    m_sharpness,
    matrices,
    single_step,
    surrogate_gap,
    worst_case,
    worst_point,
)
from .estimate import Estimate
from .hessian import Spectrum, eigenvalues, lambda_max, spectral_density, trace
from .slices import filter_normalised, interpolation, landscape, profile

__all__ = [
    "Estimate",
    "Search",
    "SecondOrder",
    "SingleStepAccuracy",
    "Spectrum",
    "average_case",
    "eigenvalues",
    "filter_normalised",
    "gradient_norm",
    "interpolation",
    "lambda_max",
    "landscape",
    "m_sharpness",
    "matrices",
    "profile",
    "second_order",
    "single_step",
    "single_step_accuracy",
    "spectral_density",
    "surrogate_gap",
    "trace",
    "worst_case",
    "worst_point",
]

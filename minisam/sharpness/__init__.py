"""Measures of sharpness, for a loss and weights. All are batched over replicas.

In a ball around w:          `worst_case`, `m_sharpness`, `average_case`, `surrogate_gap`, `gradient_norm`
Of the Hessian:              `lambda_max`, `eigenvalues`, `trace`, `spectral_density`
Slices of the landscape:     `landscape`, `profile`, `interpolation`
What SAM approximates:       `single_step_accuracy`, `second_order`

What is sampled comes as an `Estimate`, with its standard error, drawn from explicit seeds on the host. Results that end here
(estimates, eigenvalues, slices) are float64 NumPy arrays; those that are a loss or a gradient stay on the backend in use.
"""

from .ball import (
    SecondOrder,
    SingleStepAccuracy,
    average_case,
    gradient_norm,
    m_sharpness,
    matrices,
    second_order,
    single_step,
    single_step_accuracy,
    surrogate_gap,
    worst_case,
    worst_point,
)
from .estimate import Estimate
from .hessian import Spectrum, eigenvalues, lambda_max, spectral_density, trace
from .slices import filter_normalised, interpolation, landscape, profile

__all__ = [
    "Estimate",
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

"""Pictures. Matplotlib is imported when the first one is drawn.

Of trainings:     `curves`, `against`
Of sharpness:     `measures`, `lines`, `single_step_accuracy`, `second_order`, `spectrum`
Of landscapes:    `landscape`, `profile`, `interpolation`

Each function takes labels with results of `minisam.sharpness` or `minisam.train`, and returns a matplotlib figure. The figure
opens no window; `save` writes it to a file. The functions `draw_…` draw the same on existing axes.
"""

from .figures import COLOURS, draw_band, new_figure, save, spread, told
from .runs import PANELS, against, curves, draw_curves
from .sharpness import (
    draw_landscapes,
    draw_lines,
    draw_spectra,
    interpolation,
    landscape,
    lines,
    measures,
    profile,
    second_order,
    single_step_accuracy,
    spectrum,
)

__all__ = [
    "COLOURS",
    "PANELS",
    "against",
    "curves",
    "draw_band",
    "draw_curves",
    "draw_landscapes",
    "draw_lines",
    "draw_spectra",
    "interpolation",
    "landscape",
    "lines",
    "measures",
    "new_figure",
    "profile",
    "save",
    "second_order",
    "single_step_accuracy",
    "spectrum",
    "spread",
    "told",
]

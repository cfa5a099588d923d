"""Pictures. Matplotlib is imported when one is drawn.

Of trainings:     `curves`, `against`
Of sharpness:     `measures`, `lines`, `single_step_accuracy`, `second_order`, `spectrum`
Of landscapes:    `landscape`, `profile`, `interpolation`

Each takes label → what `minisam.sharpness` (or `train`) returned, and makes a matplotlib figure that belongs to nobody's window;
`save` writes it. `draw_…` draws on axes that exist.
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

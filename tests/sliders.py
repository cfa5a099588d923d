"""Move the sliders of a lesson that has run: each of them to both ends, with the others as they are.

An error in a widget is only printed, so a run does not notice it; here it is raised.
"""

import contextlib
import io

from ipywidgets import Checkbox, interactive
from ipywidgets.widgets.widget import _instances  # all widgets of this session; the public names are deprecated


def move_all():
    """Call what each `interact` of this session would call; an error if there is none."""
    boxes = [widget for widget in _instances.values() if isinstance(widget, interactive)]
    assert boxes, "a lesson has a widget"
    with contextlib.redirect_stdout(io.StringIO()):
        for box in boxes:
            values = {knob._kwarg: knob.value for knob in box.kwargs_widgets}
            for knob in box.kwargs_widgets:
                for value in ends(knob):
                    box.f(**values | {knob._kwarg: value})


def ends(knob):
    """The first and the last value of a slider, or of a list of choices; a box is ticked or not."""
    if isinstance(knob, Checkbox):
        return False, True
    return (knob.min, knob.max) if hasattr(knob, "max") else (knob.options[0], knob.options[-1])

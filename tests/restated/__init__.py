"""Every optimizer and every measure restated from its formula in plain NumPy, of a vector file alone: what the vectors are held
against. Nothing here calls the library.
"""

from .measures import measure
from .paths import path, walk
from .steps import descend, epsilon, filter_lengths

__all__ = ["descend", "epsilon", "filter_lengths", "measure", "path", "walk"]

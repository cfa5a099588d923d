"""CuPy's own package on a machine without a GPU: its kernels are compiled by g++ and run on the CPU. See README.md.

Call `cupy_on_cpu.install()`, then `import cupy`.
"""

from .install import Unusable, install, is_installed
from .log import Event, counting, counts, forbidden, libraries_in_captures, logged

__all__ = [
    "Event",
    "Unusable",
    "counting",
    "counts",
    "forbidden",
    "install",
    "is_installed",
    "libraries_in_captures",
    "logged",
]

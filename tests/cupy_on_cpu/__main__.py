"""Run a program on the device: `python -m cupy_on_cpu script.py ...`, or `python -m cupy_on_cpu -m module ...`."""

import runpy
import sys

from .install import Unusable, install

try:
    install()
except Unusable as error:
    sys.exit(f"not run: {error}")
if sys.argv[1:2] == ["-m"]:
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")

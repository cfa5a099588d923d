"""The tests of the device are collected where it is installed: by `make test-cupy`."""

import cupy_on_cpu

if not cupy_on_cpu.is_installed():
    collect_ignore_glob = ["test_*.py"]

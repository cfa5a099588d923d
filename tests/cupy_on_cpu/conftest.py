"""The tests of the device are collected where it is installed: by `make test-cupy`."""

from pathlib import Path

import pytest

import cupy_on_cpu

if not cupy_on_cpu.is_installed():
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.gpu)

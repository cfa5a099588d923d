"""autograd's own tests, on NumPy, with our rules for devices registered: registering must change nothing.

    python tests/autograds_own.py [options of pytest]

Fetches the source of the installed autograd from PyPI, which has the tests, and runs them in about 10 seconds.
"""

import importlib.metadata
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path


def fetch(folder):
    """The tests of the installed version."""
    version = importlib.metadata.version("autograd")
    source = ["--no-deps", "--no-binary", ":all:", "--dest", str(folder), f"autograd=={version}"]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *source], check=True)
    with tarfile.open(next(folder.glob("autograd-*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"autograd-{version}" / "tests"


class WithOurRules:
    """A plugin for pytest that registers a device before any test is collected."""

    def pytest_configure(self):
        from minisam.array_backend.autograd_on_device import register

        register(type("Device", (), {}), None)


def main():
    import pytest

    with tempfile.TemporaryDirectory() as folder:
        tests = fetch(Path(folder))
        settings = Path(folder) / "pytest.ini"  # its own ask for plugins that measure coverage
        settings.write_text("[pytest]\n")
        where = ["-c", str(settings), "--rootdir", str(tests), "-p", "no:cacheprovider", str(tests)]
        return pytest.main(["-q", "-W", "ignore", *where, *sys.argv[1:]], plugins=[WithOurRules()])


if __name__ == "__main__":
    sys.exit(main())

"""Run CuPy's own tests on the device: `make test-cupys-own`, about twenty minutes.

They come from CuPy's source distribution, which pip downloads once. known_failures.txt lists what fails, and why. An unlisted
failure is an error, and so is a line of the list to which no failure belongs.
"""

import importlib.metadata
import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from fnmatch import fnmatchcase
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cupy_on_cpu import build  # noqa: E402

FILES = """
    core_tests/test_array_function.py core_tests/test_carray.py core_tests/test_core.py core_tests/test_flags.py
    core_tests/test_function.py core_tests/test_internal.py core_tests/test_iter.py core_tests/test_ndarray.py
    core_tests/test_ndarray_conversion.py core_tests/test_ndarray_copy_and_view.py core_tests/test_ndarray_get.py
    core_tests/test_ndarray_indexing.py core_tests/test_ndarray_owndata.py core_tests/test_ndarray_scatter.py
    core_tests/test_nep50_examples.py core_tests/test_scan.py core_tests/test_syncdetect.py core_tests/test_ufunc_methods.py
    creation_tests cuda_tests/test_graph.py cuda_tests/test_memory.py cuda_tests/test_stream.py
    indexing_tests linalg_tests/test_einsum.py linalg_tests/test_norms.py linalg_tests/test_product.py
    linalg_tests/test_solve.py logic_tests manipulation_tests math_tests/test_matmul.py sorting_tests statistics_tests
"""


def sources():
    """The folder of CuPy's tests, of the version that is installed."""
    version = importlib.metadata.version("cupy-cuda12x")
    folder = build.CACHE / f"cupy-{version}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=build.CACHE) as place:
            download = ["pip", "download", "--quiet", "--no-binary", "cupy", "--no-deps", f"cupy=={version}"]
            without_cuda = os.environ | {"CUPY_INSTALL_USE_STUB": "1"}
            subprocess.run([sys.executable, "-m", *download, "--dest", place], check=True, env=without_cuda)
            with tarfile.open(next(Path(place).glob("cupy-*.tar.gz"))) as archive:
                archive.extractall(place, [m for m in archive if "/tests/" in m.name], filter="data")
            (Path(place) / f"cupy-{version}").rename(folder)
    return folder / "tests" / "cupy_tests"


def outcomes(folder):
    """The names of all tests, and of those that fail."""
    report = build.CACHE / "cupys_own_tests.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-p", "cupy_on_cpu.plugin", "-p", "no:cacheprovider"]
    command += ["-W", "ignore", "--tb=no", "-m", "not slow and not multi_gpu", f"--junitxml={report}"]
    places = {"PYTHONPATH": str(HERE.parent), "CUPY_TEST_GPU_LIMIT": "1"}
    subprocess.run([*command, *FILES.split()], cwd=folder, env=os.environ | places, check=False)
    cases = {case: f"{case.get('classname')}.{case.get('name')}" for case in ElementTree.parse(report).iter("testcase")}
    failed = {
        name for case, name in cases.items() if case.find("failure") is not None or case.find("error") is not None
    }
    return set(cases.values()), failed


def main():
    lines = (HERE / "known_failures.txt").read_text(encoding="utf-8").splitlines()
    known = [line.split("  #")[0].strip() for line in lines if line and not line.startswith("#")]
    names, failed = outcomes(sources())
    surprises = sorted(name for name in failed if not any(fnmatchcase(name, pattern) for pattern in known))
    stale = [pattern for pattern in known if not any(fnmatchcase(name, pattern) for name in failed)]
    for name in surprises:
        print(f"fails, and known_failures.txt does not say why: {name}")
    for pattern in stale:
        print(f"known_failures.txt is wrong: nothing fails of {pattern}")
    print(
        f"{len(names)} of CuPy's own tests: {len(names) - len(failed)} pass, {len(failed)} fail, {len(surprises)} unknown"
    )
    sys.exit(bool(surprises or stale))


if __name__ == "__main__":
    main()

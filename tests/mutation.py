"""The mutation pass: small changes of formulas, each of which must turn a named test red.

    python tests/mutation.py [-j 2] [--only TEXT]

`mutants.toml` lists the changes. Each is made in a copy of the package; then only the tests that it names run, and one of
them has to fail. A mutant that survives shows a truth that no test states.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 300  # seconds for the tests of one mutant
FAILED = 1  # pytest's exit status when tests ran and some failed; others mean that they did not run


def load():
    """The mutants, with `test` as a list."""
    mutants = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))["mutant"]
    return [m | {"test": [m["test"]] if isinstance(m["test"], str) else m["test"]} for m in mutants]


def copy_to(folder):
    """The package, its tests and its vectors, on their own."""
    junk = shutil.ignore_patterns("__pycache__")
    for name in ("minisam", "tests", "vectors"):
        shutil.copytree(ROOT / name, folder / name, ignore=junk)
    shutil.copy(ROOT / "pyproject.toml", folder)


def run_tests(folder, tests, limit=None):
    """pytest's exit status and output, with the package in `folder` in place of the installed one.

    Without plugins, whose import would take longer than most of the tests, and without a search for the smallest example.
    """
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "HYPOTHESIS_PROFILE": "any-example",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return None, f"not done after {limit} s"
    return done.returncode, done.stdout + done.stderr


def try_mutant(mutant):
    """None if a named test fails because of the mutant, else what went wrong."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copy_to(folder)
        path = folder / mutant["file"]
        if not path.is_file():
            return f"there is no file {mutant['file']}"
        source = path.read_text(encoding="utf-8")
        if source.count(mutant["find"]) != 1:
            return f"`find` stands {source.count(mutant['find'])} times in {mutant['file']}"
        path.write_text(source.replace(mutant["find"], mutant["replace"]), encoding="utf-8")
        status, output = run_tests(folder, mutant["test"], LIMIT)
    if status == FAILED:
        return None
    return "survived" if status == 0 else f"its tests did not run (status {status}):\n{output[-2000:]}"


def check_unchanged(mutants):
    """All named tests pass on the unchanged package, from which the mutants are made."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        copy_to(folder)
        status, output = run_tests(folder, sorted({test for m in mutants for test in m["test"]}))
    if status:
        sys.exit(f"the named tests do not pass without any mutant:\n{output[-4000:]}")


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-j", "--jobs", type=int, default=os.cpu_count(), help="mutants tried at a time")
    options.add_argument("--only", default="", help="just the mutants whose file or reason holds this text")
    options = options.parse_args()
    mutants = [m for m in load() if options.only in m["file"] + m["why"]]
    if not mutants:
        sys.exit(f"no mutant has {options.only!r} in its file or reason")
    check_unchanged(mutants)
    survivors = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for i, (mutant, wrong) in enumerate(zip(mutants, pool.map(try_mutant, mutants), strict=True), start=1):
            survivors += wrong is not None
            print(f"[{i}/{len(mutants)}] {mutant['file']}: {mutant['why']}: {wrong or 'caught'}", flush=True)
    print(f"{len(mutants) - survivors} passed, {survivors} failed")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main())

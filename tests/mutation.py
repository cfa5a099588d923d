"""The mutation pass: small changes of formulas, each of which must turn a named test red.

    python tests/mutation.py [-j 2] [--only TEXT]

`mutants.toml` lists the changes. Each is made in a copy of the package; then only the tests that it names run, and one of
them has to fail. A mutant that survives shows a truth that no test states.
"""

import argparse
import gc
import multiprocessing
import os
import shutil
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 300  # seconds for the tests of one mutant
FAILED = 1  # pytest's exit status when tests ran and some failed; others mean that they did not run
RAN = 10  # is added to it where pytest ran: a process that breaks down before exits with 1, too
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HYPOTHESIS_PROFILE": "any-example"}

# A new process for each mutant. All are forked from one that has imported what takes longer than most of the tests.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    ["pytest", "hypothesis.extra.numpy", "autograd.numpy", "scipy.special", "sklearn.datasets"]
)


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


def changed(mutant, unchanged, folder):
    """A copy of the unchanged package with the mutant's change in it; its other files, compiled ones too, are the same files."""
    shutil.copytree(unchanged, folder, copy_function=os.link)
    path = folder / mutant["file"]
    if not path.is_file():
        return f"there is no file {mutant['file']}"
    source = path.read_text(encoding="utf-8")
    if source.count(mutant["find"]) != 1:
        return f"`find` stands {source.count(mutant['find'])} times in {mutant['file']}"
    path.unlink()  # this name of the file, not the file that the other copies share
    path.write_text(source.replace(mutant["find"], mutant["replace"]), encoding="utf-8")
    return None


def run_tests(folder, tests, limit=None):
    """pytest's exit status and output, with the package in `folder` in place of the installed one."""
    with tempfile.NamedTemporaryFile(mode="r", encoding="utf-8", errors="replace") as output:
        process = processes.Process(target=pytest_in, args=(folder, tests, output.name))
        process.start()
        process.join(limit)
        if process.exitcode is None:
            process.kill()
            return None, f"not done after {limit} s"
        return process.exitcode - RAN, output.read()


def pytest_in(folder, tests, output):
    """In a process of its own: without plugins, and without a search for the smallest example."""
    with open(output, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    gc.freeze()  # pytest collects garbage at its end, and need not search what was imported before
    sys.dont_write_bytecode = False  # the unchanged package is compiled once
    os.chdir(folder)
    os.environ |= ENVIRONMENT | {"PYTHONPATH": str(folder)}  # what a test starts finds this package, too
    sys.path.insert(0, str(folder))
    sys.exit(RAN + pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests]))


def try_mutant(mutant, unchanged):
    """None if a named test fails because of the mutant, else what went wrong."""
    with tempfile.TemporaryDirectory(dir=unchanged.parent) as temporary:
        folder = Path(temporary) / "package"
        wrong = changed(mutant, unchanged, folder)
        if wrong:
            return wrong
        status, output = run_tests(folder, mutant["test"], LIMIT)
    if status == FAILED:
        return None
    return "survived" if status == 0 else f"its tests did not run (status {status}):\n{output[-2000:]}"


def check_unchanged(folder, mutants, jobs):
    """All named tests pass on the unchanged package, from which the mutants are made."""
    tests = sorted({test for m in mutants for test in m["test"]})
    with ThreadPoolExecutor(jobs) as pool:
        for status, output in pool.map(
            partial(run_tests, folder), [tests[i::jobs] for i in range(min(jobs, len(tests)))]
        ):
            if status:
                sys.exit(f"the named tests do not pass without any mutant:\n{output[-4000:]}")


def survivors_of(mutants, unchanged, jobs):
    """How many mutants no test catches; each is told."""
    survivors = 0
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = pool.map(partial(try_mutant, unchanged=unchanged), mutants)
        for i, (mutant, wrong) in enumerate(zip(mutants, outcomes, strict=True), start=1):
            survivors += wrong is not None
            print(f"[{i}/{len(mutants)}] {mutant['file']}: {mutant['why']}: {wrong or 'caught'}", flush=True)
    return survivors


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-j", "--jobs", type=int, default=os.cpu_count(), help="mutants tried at a time")
    options.add_argument("--only", default="", help="just the mutants whose file or reason holds this text")
    options = options.parse_args()
    mutants = [m for m in load() if options.only in m["file"] + m["why"]]
    if not mutants:
        sys.exit(f"no mutant has {options.only!r} in its file or reason")
    with tempfile.TemporaryDirectory() as temporary:
        unchanged = Path(temporary) / "unchanged"
        copy_to(unchanged)
        check_unchanged(unchanged, mutants, options.jobs)
        survivors = survivors_of(mutants, unchanged, options.jobs)
    print(f"{len(mutants) - survivors} passed, {survivors} failed")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main())

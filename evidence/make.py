"""Try the claims, and write their pages. Computes what is missing, and goes on with what was stopped.

python evidence/make.py              # all of them
python evidence/make.py long_tail    # this one
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from measuring import measured
from page import OVERVIEW, load, overview, page

from minisam import plot
from minisam.files import whole
from minisam.study import from_file
from minisam.study.pieces import read

HERE = Path(__file__).resolve().parent


def claims():
    """The files that say what they predict, by name."""
    return {path.stem: path for path in sorted(HERE.glob("*.py")) if "\npredicted = " in path.read_text("utf-8")}


def tried(path):
    """Compute what is missing of a claim's result, and draw its picture; the result as text."""
    defined = from_file.definitions(path)
    if "measure" not in defined:
        return from_file.run(path, progress=sys.stderr.isatty())
    result = measured(defined, path.with_suffix(".json"))
    plot.save(result.plot(defined["against"]), path.with_suffix(".png"))
    return "\n".join([result.table(), "", *map(str, result.verdicts(defined["against"]))])


def ended(result):
    """Whether all of a claim's result is there; a study that was stopped has kept what it had."""
    return result.exists() and read(result).get("result") is not None


def write(path, text):
    with whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def main():
    there = claims()
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("claim", nargs="?", choices=there, help="its name (default: all)")
    claim = options.parse_args().claim
    for name in [claim] if claim else there:
        print(f"{name}\n{tried(there[name])}\n")
        write(HERE / f"{name}.md", page(load(there[name])))
    found = [load(path) for path in there.values() if ended(path.with_suffix(".json"))]
    write(HERE / "README.md", OVERVIEW.format(overview(found)))


if __name__ == "__main__":
    main()

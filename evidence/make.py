"""Try the claims, and write their pages. Computes what is missing, and goes on with what was stopped.

python evidence/make.py              # all of them
python evidence/make.py long_tail    # this one
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from measuring import measured
from page import TIMES, load, overview, page

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


def timed(path):
    """The same; the processor time of what was computed from its beginning to its end is kept."""
    is_whole, start = not path.with_suffix(".json").exists(), time.process_time()
    text = tried(path)
    if is_whole:
        minutes = json.loads(TIMES.read_text("utf-8")) | {path.stem: round((time.process_time() - start) / 60, 1)}
        write(TIMES, json.dumps(dict(sorted(minutes.items())), indent=1) + "\n")
    return text


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
        print(f"{name}\n{timed(there[name])}\n")
        write(HERE / f"{name}.md", page(load(there[name])))
    found = [load(path) for path in there.values() if ended(path.with_suffix(".json"))]
    write(HERE / "README.md", overview(found))


if __name__ == "__main__":
    main()

"""Draw every figure anew, and write the tables that belong to them.

python figures/make.py            # SAM explained: figures/sam.gif, sam.png; the demo: demo.png, demo.json, docs/demo.md
python figures/make.py --tune     # also the search that the demo's settings come from: figures/tuning.json
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import sam
from readme import splice

from minisam import SAM, SGD, data, demo, mlp, study
from minisam.cli import parser
from minisam.files import whole
from minisam.optim import cosine

FIGURES = Path(__file__).resolve().parent


def write(path, text):
    with whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def make_demo():
    """What `minisam demo` shows with its defaults."""
    options = parser().parse_args(["demo"])
    settings = {key: getattr(options, key) for key in ("seeds", "epochs", "rho", "base", "l2")}
    rows = demo.run(**settings, progress=sys.stderr.isatty())
    demo.picture(rows, options.rho, FIGURES / "demo.png")
    write(FIGURES / "demo.json", demo.dumps(rows, settings) + "\n")
    table = demo.table(rows, options.rho)
    splice("demo table", f"\n{indent(table)}\n")
    print(table)


def indent(text):
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def tune():
    """A study whose settings the demo has: SGD and SAM, 36 settings each, chosen on other splits than the demo's."""
    result = study.compare(PROBLEM, METHODS, delta=0.005, units=2, tuning=6, path=FIGURES / "tuning.json")
    print(result.table())


def sgd(lr, l2, steps):
    return SGD(cosine(lr, steps), momentum=0.9, l2=l2)


def sam_over_sgd(lr, l2, rho, steps):
    return SAM(sgd(lr, l2, steps), rho)


PROBLEM = study.Problem(mlp(demo.SIZES), lambda k: data.digits(1000 + k), epochs=40, batch_size=demo.BATCH)
METHODS = {
    "SGD": (sgd, {"lr": [0.0125, 0.025, 0.05, 0.1, 0.2, 0.4], "l2": [0.0, 0.0003, 0.001, 0.003, 0.006, 0.012]}),
    "SAM": (sam_over_sgd, {"lr": [0.1, 0.2, 0.4], "l2": [0.001, 0.003, 0.006], "rho": [0.025, 0.05, 0.1, 0.2]}),
}


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tune", action="store_true", help="search the demo's settings as well (about 2 minutes)")
    if options.parse_args().tune:
        tune()
    sam.draw()
    make_demo()


if __name__ == "__main__":
    main()

"""Draw every figure anew, and write the tables that belong to them.

python figures/make.py            # SAM explained: figures/sam.gif, sam.png; the demo: demo.png, demo.json, docs/demo.md
python figures/make.py --tune     # also the search that the demo's settings come from: figures/tuning.json
"""

import argparse
import json
import sys
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import sam
from readme import splice
from tqdm.auto import tqdm

from minisam import SAM, SGD, data, demo, mlp, train
from minisam.cli import parser
from minisam.files import whole
from minisam.optim import cosine

FIGURES = Path(__file__).resolve().parent
GRID = {"lr": [0.05, 0.1, 0.2, 0.4], "l2": [3e-4, 1e-3, 3e-3], "rho": [0.05, 0.1, 0.2]}


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


def tune(seeds=10, epochs=40):
    """Validation accuracy and loss of SGD, of SGD for twice the epochs, and of SAM, over the grid."""
    digits, model = data.digits(), mlp(demo.SIZES)
    steps = len(digits.x_train) // demo.BATCH
    found = []
    for lr, l2 in tqdm(list(product(GRID["lr"], GRID["l2"]))):
        tried = [("SGD", epochs, 0.0), ("SGD, twice the epochs", 2 * epochs, 0.0)]
        tried += [("SAM over SGD", epochs, rho) for rho in GRID["rho"]]
        for method, length, rho in tried:
            schedule = cosine(lr, length * steps)
            optimizer = SAM(SGD(schedule, 0.9), rho, l2=l2) if rho else SGD(schedule, 0.9, l2=l2)
            run = train(model, digits, optimizer, length, demo.BATCH, range(seeds), progress=False)
            last = {key: float(run.history[f"validation_{key}"][-1].mean()) for key in ("accuracy", "loss")}
            found.append({"method": method, "lr": lr, "l2": l2, "rho": rho} | last)
    write(FIGURES / "tuning.json", json.dumps({"seeds": seeds, "epochs": epochs, "found": found}, indent=1) + "\n")
    for method in dict.fromkeys(row["method"] for row in found):
        best = max((row for row in found if row["method"] == method), key=lambda row: row["accuracy"])
        print("best on validation data:", best)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tune", action="store_true", help="search the demo's settings as well (about 2 minutes)")
    if options.parse_args().tune:
        tune()
    sam.draw()
    make_demo()


if __name__ == "__main__":
    main()

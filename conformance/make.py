"""Hold the implementations against their variants, and write the page: python conformance/make.py, or make conformance."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import rendering
from implementations import BEYOND, IMPLEMENTATIONS
from tqdm.auto import tqdm

from minisam.conformance import check
from minisam.files import whole

HERE = Path(__file__).resolve().parent


def held(entry):
    """What the checker finds of an entry, as the page needs it: no numbers that are another on another machine."""
    report = check(entry.make(), entry.variant, **entry.settings)
    return {
        "name": entry.name,
        "package": entry.package,
        "version": version(entry.package),
        "variant": entry.variant,
        "settings": dict(report.settings),
        "driven": entry.driven,
        "remark": entry.remark,
        "statements": [
            {"text": s.text, "formula": s.formula, "holds": s.holds, "is_choice": s.is_choice, "says": s.says}
            for s in report.statements
        ],
        "problems": [path.problem for path in report.paths],
        "agreed": sum(path.agreed == path.steps for path in report.paths),
        "reproductions": list(entry.reproductions),
    }


def ran(name):
    """What a reproduction prints. A CalledProcessError if it fails."""
    program = [sys.executable, f"{name}.py"]
    done = subprocess.run(
        program, cwd=HERE / "reproductions", capture_output=True, text=True, encoding="utf-8", check=True
    )
    return done.stdout


def everything():
    """All that the page is made of."""
    beyond = [dict(one, version=version(one["package"])) for one in BEYOND]
    found = [held(entry) for entry in tqdm(IMPLEMENTATIONS, unit="implementation", leave=False, disable=None)]
    names = dict.fromkeys(name for one in [*found, *beyond] for name in one["reproductions"])
    return {"implementations": found, "beyond": beyond, "reproductions": {name: ran(name) for name in names}}


def main():
    results = everything()
    texts = {
        "results.json": json.dumps(results, indent=1, ensure_ascii=False) + "\n",
        "README.md": rendering.page(results, HERE / "reproductions"),
    }
    for name, text in texts.items():
        with whole(HERE / name) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    print(f"{len(results['implementations'])} implementations: {HERE.name}/README.md")


if __name__ == "__main__":
    main()

"""Run lessons on a device: `python tests/lessons_on_device.py strict lessons/03_sam_in_ten_lines.py ...`, or with `cupy`.

For CuPy on a CPU: `PYTHONPATH=tests python -m cupy_on_cpu tests/lessons_on_device.py cupy lessons/...`.
With `--epochs 2` no call of `minisam.train` takes more of them.
"""

import argparse
import os
import sys
from functools import wraps
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "lessons")]
os.environ["MPLBACKEND"] = "agg"

import check  # noqa: E402
import strict  # noqa: E402

import minisam  # noqa: E402
from minisam import array_backend  # noqa: E402


def shortened(train, most):
    """`minisam.train`, for at most so many epochs."""

    @wraps(train)
    def short(model, data, optimizer, epochs, *args, **options):
        return train(model, data, optimizer, min(epochs, most), *args, **options)

    return short


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("device")
    options.add_argument("lesson", nargs="+")
    options.add_argument("--epochs", type=int, help="of a training at most")
    options = options.parse_args()
    array_backend.BACKENDS["strict"] = strict.backend
    check.FIGURES = Path("no figures are kept from here")
    if options.epochs:
        minisam.train = shortened(minisam.train, options.epochs)
    for path in options.lesson:
        with array_backend.use(options.device):
            exec(compile(Path(path).read_text(encoding="utf-8"), path, "exec"), {"__name__": "__main__"})
        print(f"{path} ran on {options.device}")


if __name__ == "__main__":
    main()

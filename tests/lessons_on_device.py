"""Run lessons on a device: `python tests/lessons_on_device.py strict lessons/03_sam_in_ten_lines.py ...`, or with `cupy`.

For CuPy on a CPU: `PYTHONPATH=tests python -m cupy_on_cpu tests/lessons_on_device.py cupy lessons/...`.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "lessons")]
os.environ["MPLBACKEND"] = "agg"

import check  # noqa: E402
import strict  # noqa: E402

from minisam import array_backend  # noqa: E402


def main():
    array_backend.BACKENDS["strict"] = strict.backend
    check.FIGURES = Path("no figures are kept from here")
    device, *paths = sys.argv[1:]
    for path in paths:
        with array_backend.use(device):
            exec(compile(Path(path).read_text(encoding="utf-8"), path, "exec"), {"__name__": "__main__"})
        print(f"{path} ran on {device}")


if __name__ == "__main__":
    main()

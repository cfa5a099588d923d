"""Run lessons on the stand-in device: what it refuses, a GPU would refuse too.

python tests/lessons_on_strict.py lessons/03_sam_in_ten_lines.py ...
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
    for path in sys.argv[1:]:
        with array_backend.use("strict"):
            exec(compile(Path(path).read_text(encoding="utf-8"), path, "exec"), {"__name__": "__main__"})
        print(f"{path} ran on the stand-in device")


if __name__ == "__main__":
    main()

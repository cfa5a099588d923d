"""Kill trainings and corrupt files, many times: nothing may end otherwise, and nothing wrong may be read.

    python tests/faults.py --kills 1000 --corruptions 5000

The exit status is 1 if one training ended with other bits than one that nobody disturbed, or one file was read with other
values than were written. `tests/test_faults.py` does a little of it at each run of the tests.
"""

import argparse
import os
import sys

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import corruptions  # noqa: E402
import kills  # noqa: E402


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--kills", type=int, default=1000, help="disturbances of trainings (default: 1000)")
    options.add_argument("--corruptions", type=int, default=5000, help="damaged files (default: 5000)")
    options.add_argument("--seed", type=int, default=0, help="of the random choices (default: 0)")
    options = options.parse_args()
    wrong = []
    if options.kills:
        met, wrong = kills.run(options.kills, options.seed)
        print(f"{met.total()} disturbances ({told(met)}): {len(wrong)} trainings ended with other bits")
    if options.corruptions:
        for subject, (found, failures) in corruptions.run_all(options.corruptions, options.seed).items():
            print(f"{subject}: {found.total()} corruptions ({told(found)})")
            wrong += failures
    print(*wrong, sep="\n")
    return bool(wrong)


def told(counter):
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counter.items()))


if __name__ == "__main__":
    sys.exit(main())

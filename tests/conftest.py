"""How the tests run."""

import os

from hypothesis import settings

# The matrices here are small: threads would only wait for each other, for minutes where other processes want the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("minisam", deadline=None, print_blob=True)
settings.load_profile("minisam")

"""The optimizers that `test_protocol.py` puts through one suite: an entry here adds one."""

import numpy as np

from minisam import SAM, SGD, Adam, AdamW
from minisam.optim import cosine

BASES = {
    "SGD": lambda: SGD(0.1),
    "SGD with momentum": lambda: SGD(0.05, momentum=0.9),
    "SGD with Nesterov's momentum": lambda: SGD(0.05, momentum=0.9, nesterov=True),
    "SGD with L2": lambda: SGD(0.1, l2=0.01),
    "SGD with a schedule": lambda: SGD(cosine(0.1, 10)),
    "Adam": lambda: Adam(0.01),
    "AdamW": lambda: AdamW(0.01),
}
OPTIMIZERS = (
    BASES
    | {f"SAM over {name}": lambda base=base: SAM(base(), rho=0.1) for name, base in BASES.items()}
    | {f"SAM with p = {p}": lambda p=p: SAM(SGD(0.1), rho=0.1, p=p) for p in (1, 1.5, np.inf)}
    | {"SAM with L2": lambda: SAM(SGD(0.1), rho=0.1, l2=0.01)}
)

"""The optimizers that `test_protocol.py` puts through one suite: an entry here adds one.

They train `MODEL` on batches of EXAMPLES examples, which are all there are.
"""

import numpy as np

from minisam import SAM, SGD, Adam, AdamW, mlp
from minisam import sam as family
from minisam.optim import cosine

EXAMPLES, CLASSES = 8, 3
MODEL = mlp([4, 6, CLASSES], "tanh")

BASES = {
    "SGD": lambda: SGD(0.1),
    "SGD with momentum": lambda: SGD(0.05, momentum=0.9),
    "SGD with Nesterov's momentum": lambda: SGD(0.05, momentum=0.9, nesterov=True),
    "SGD with L2": lambda: SGD(0.1, l2=0.01),
    "SGD with a schedule": lambda: SGD(cosine(0.1, 10)),
    "Adam": lambda: Adam(0.01),
    "AdamW": lambda: AdamW(0.01),
}
BASE = SGD(0.05, momentum=0.9)
VARIANTS = {
    "USAM": lambda: family.USAM(BASE),
    "MultiStepSAM": lambda: family.MultiStepSAM(BASE, alpha=0.03),
    "MSharpnessSAM": lambda: family.MSharpnessSAM(BASE),
    "ASAM": lambda: family.ASAM(BASE),
    "ASAM with a mask": lambda: family.ASAM(BASE, mask=MODEL.mask("weights")),
    "ASAM filter by filter": lambda: family.ASAM(BASE, p=np.inf, rho=0.05, model=MODEL),
    "FisherSAM": lambda: family.FisherSAM(BASE),
    "GSAM": lambda: family.GSAM(BASE),
    "GNP": lambda: family.GNP(BASE),
    "WSAM": lambda: family.WSAM(BASE),
    "WSAM, coupled": lambda: family.WSAM(BASE, gamma=0.5, decoupled=False, l2=0.01),
    "SAGM": lambda: family.SAGM(BASE),
    "FriendlySAM": lambda: family.FriendlySAM(BASE),
    "VaSSO": lambda: family.VaSSO(BASE),
    "StableSAM": lambda: family.StableSAM(BASE),
    "SAMON": lambda: family.SAMON(BASE, mask=MODEL.mask("biases")),
    "SSAM with Fisher masks": lambda: family.SSAM(BASE, every=2, groups=4),
    "SSAM with dynamic masks": lambda: family.SSAM(BASE, masks="dynamic", every=2, steps=6),
    "ESAM": lambda: family.ESAM(BASE),
    "ImbSAM": lambda: family.ImbSAM(BASE, rho=0.1, tail=[2]),
    "ImbSAM over Adam": lambda: family.ImbSAM(Adam(0.01), tail=[0, 1], ball=family.Adaptive()),
    "RST": lambda: family.RST(BASE),
    "GRST": lambda: family.GRST(BASE, alpha=0.5),
    "EveryK": lambda: family.EveryK(BASE, k=2),
    "AESAM": lambda: family.AESAM(BASE, steps=4),
    "LookSAM": lambda: family.LookSAM(BASE, k=3),
    "MSAM": lambda: family.MSAM(BASE),
    "MSAM over Adam": lambda: family.MSAM(Adam(0.01)),
    "SAF": lambda: family.SAF(BASE, examples=EXAMPLES, classes=CLASSES, visits=2, start=0),
    "MESA": lambda: family.MESA(BASE, beta=0.9),
    "SAMPa": lambda: family.SAMPa(BASE),
    "AsyncSAM": lambda: family.AsyncSAM(BASE),
    "RWP": lambda: family.RWP(BASE),
    "RWP, mixed and filter by filter": lambda: family.RWP(BASE, lam=0.5, model=MODEL),
    "RSAM": lambda: family.RSAM(BASE, model=MODEL),
    "CRSAM": lambda: family.CRSAM(BASE),
    "GAM": lambda: family.GAM(BASE),
    "TraceSAM": lambda: family.TraceSAM(BASE, samples=2),
    "FrobeniusSAM": lambda: family.FrobeniusSAM(BASE),
    "BSAM": lambda: family.BSAM(lr=0.1, examples=EXAMPLES * 10),
    "SWA": lambda: family.SWA(BASE, start=1, every=2),
    "EMA": lambda: family.EMA(SAM(BASE), decay=0.9),
    "SWA over MESA": lambda: family.SWA(family.MESA(BASE, beta=0.9)),
}
OPTIMIZERS = (
    BASES
    | {f"SAM over {name}": lambda base=base: SAM(base(), rho=0.1) for name, base in BASES.items()}
    | {f"SAM with p = {p}": lambda p=p: SAM(SGD(0.1), rho=0.1, p=p) for p in (1, 1.5, np.inf)}
    | {"SAM with L2": lambda: SAM(SGD(0.1), rho=0.1, l2=0.01)}
    | VARIANTS
)
READS_BACK = {"AESAM": 1}  # numbers a step: whether any replica pays

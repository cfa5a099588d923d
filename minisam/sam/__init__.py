"""Sharpness-Aware Minimization: min_w max_{‖ε‖_p ≤ ρ} L(w + ε) + λ‖w‖²  (Foret et al. 2021, arXiv:2010.01412).

`SAM` in `step`; the pieces that its variants are made of in `algebra`; the variants by family, each the statement of where it
looks, what it takes from there, and when it pays.
"""

from ..vectors import across, along, mix
from .algebra import Composed, Look, Variant
from .averaging import EMA, SWA, averaged
from .bayes import BSAM
from .components import GNP, GSAM, SAGM, WSAM, FriendlySAM, StableSAM, VaSSO
from .curvature import CRSAM, GAM, FrobeniusSAM, TraceSAM
from .epsilon import epsilon
from .geometry import ASAM, FisherSAM
from .history import MESA, MSAM, SAF, LookSAM
from .intermittent import AESAM, RST, EveryK
from .objective import Quadratic, ascend, project, sam_objective
from .parallel import AsyncSAM, SAMPa
from .relatives import USAM, MSharpnessSAM, MultiStepSAM
from .smoothing import RSAM, RWP
from .step import SAM
from .subsets import ESAM, SAMON, SSAM

__all__ = [
    "AESAM",
    "ASAM",
    "BSAM",
    "CRSAM",
    "EMA",
    "ESAM",
    "GAM",
    "GNP",
    "GSAM",
    "MESA",
    "MSAM",
    "RSAM",
    "RST",
    "RWP",
    "SAF",
    "SAGM",
    "SAM",
    "SAMON",
    "SSAM",
    "SWA",
    "USAM",
    "WSAM",
    "AsyncSAM",
    "Composed",
    "EveryK",
    "FisherSAM",
    "FriendlySAM",
    "FrobeniusSAM",
    "Look",
    "LookSAM",
    "MSharpnessSAM",
    "MultiStepSAM",
    "Quadratic",
    "SAMPa",
    "StableSAM",
    "TraceSAM",
    "VaSSO",
    "Variant",
    "across",
    "along",
    "ascend",
    "averaged",
    "epsilon",
    "mix",
    "project",
    "sam_objective",
]

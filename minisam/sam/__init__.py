"""Sharpness-Aware Minimization: min_w max_{‖ε‖_p ≤ ρ} L(w + ε) + λ‖w‖²  (Foret et al. 2021, arXiv:2010.01412).

`step` defines SAM, `algebra` the parts of every variant, `balls` the shapes of the ball. Every variant says
where it looks, what it takes from there, and when it pays for that; "·" is as SAM does:

    variant        file           where it looks               what it takes                  when it pays   gradients
    SAM            step           up the gradient, ρ far       the gradient there             always         2
    ASAM           geometry       in units of |w|              ·                              ·              2
    FisherSAM      geometry       in units of F^(−½)           ·                              ·              2
    SAMON          geometry       along some weights only      ·                              ·              2
    USAM           where_to_look  ρ g, not normalised          ·                              ·              2
    MultiStepSAM   where_to_look  after K projected steps      ·                              ·              K + 1
    SAGM           where_to_look  up from w − αg               the mean with the first        ·              2
    FriendlySAM    where_to_look  along the batch's noise      ·                              ·              2
    VaSSO          where_to_look  along a running mean         ·                              ·              2
    MSAM           where_to_look  against the momentum         ·                              ·              1
    GSAM           what_to_take   ·                            less g's part across it        ·              2
    GNP            what_to_take   ·                            a mixture with the first       ·              2
    WSAM           what_to_take   ·                            a step past the base           ·              2
    StableSAM      what_to_take   ·                            its direction, of length ‖g‖   ·              2
    CRSAM          what_to_take   both ways                    with differences of the three  ·              3
    GAM            what_to_take   where ‖∇L‖ is largest        parts of four gradients        ·              4
    RST            when_to_pay    ·                            ·                              by chance      1 + p
    GRST           when_to_pay    ·                            a mixture with the first       by chance      1 + p
    EveryK         when_to_pay    ·                            ·                              every k        1 + 1/k
    AESAM          when_to_pay    ·                            ·                              ‖g‖ is large  1 + share
    LookSAM        when_to_pay    ·                            a part that is reused          every k        1 + 1/k
    SSAM           subsets        along a mask                 ·                              ·              2, 3
    ESAM           subsets        along random weights         of the worst examples          ·              1 + γ
    MSharpnessSAM  subsets        for each group of examples   ·                              ·              2
    ImbSAM         subsets        up the rare classes' loss    of the rare classes there      ·              3
    RWP            smoothing      at random                    ·                              ·              1
    RSAM           smoothing      up from a random start       ·                              ·              2
    TraceSAM       smoothing      at random, often             a mixture with the first       ·              1 + k
    FrobeniusSAM   smoothing      at random, often             a covariance                   ·              1 + k
    SAF            outputs        nowhere                      with a penalty on drift        ·              1
    MESA           outputs        nowhere                      with a penalty on drift        ·              1
    SAMPa          parallel       one step late                a mixture of both              ·              2
    AsyncSAM       parallel       some steps late              ·                              ·              2
    BSAM           bayes          ρ g/s from a posterior       by its own base                ·              2

Around any optimizer: `SWA` and `EMA` in `averaging`.
"""

from ..ops.checked import across, along, mix
from .algebra import Composed, Look, Rule, Variant
from .averaging import EMA, SWA
from .balls import Adaptive, Ball, Fisher, Only
from .bayes import BSAM
from .epsilon import epsilon
from .geometry import ASAM, SAMON, FisherSAM
from .objective import Quadratic, ascend, project, sam_objective
from .outputs import MESA, SAF
from .parallel import AsyncSAM, SAMPa
from .smoothing import RSAM, RWP, FrobeniusSAM, TraceSAM
from .step import SAM
from .subsets import ESAM, SSAM, ImbSAM, MSharpnessSAM
from .what_to_take import CRSAM, GAM, GNP, GSAM, WSAM, StableSAM
from .when_to_pay import AESAM, GRST, RST, EveryK, LookSAM, Sometimes
from .where_to_look import MSAM, SAGM, USAM, FriendlySAM, MultiStepSAM, VaSSO

__all__ = [
    "AESAM",
    "ASAM",
    "BSAM",
    "CRSAM",
    "EMA",
    "ESAM",
    "GAM",
    "GNP",
    "GRST",
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
    "Adaptive",
    "AsyncSAM",
    "Ball",
    "Composed",
    "EveryK",
    "Fisher",
    "FisherSAM",
    "FriendlySAM",
    "FrobeniusSAM",
    "ImbSAM",
    "Look",
    "LookSAM",
    "MSharpnessSAM",
    "MultiStepSAM",
    "Only",
    "Quadratic",
    "Rule",
    "SAMPa",
    "Sometimes",
    "StableSAM",
    "TraceSAM",
    "VaSSO",
    "Variant",
    "across",
    "along",
    "ascend",
    "epsilon",
    "mix",
    "project",
    "sam_objective",
]

"""The implementations that are held against their variant. Their versions are pinned in pyproject.toml."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import making
from making import BASE, RHO, loop

from minisam.conformance import torch_optimizer


@dataclass(frozen=True)
class Entry:
    """An implementation of a variant.

    Attributes
    ----------
    name, package, variant : str
        As it is shown; its distribution, as `pip install` takes it; what it is held against.
    settings : dict
        For `minisam.conformance.check`.
    make : function () -> what `check` drives
    driven : str
        How, in words.
    reproductions : tuple of str
        The programs that show each deviation by the package alone, in `reproductions/`.
    remark : str
        What there is to know besides.
    """

    name: str
    package: str
    variant: str
    settings: Mapping[str, float]
    make: Callable[[], object]
    driven: str
    reproductions: tuple[str, ...] = ()
    remark: str = ""


SETTINGS = BASE | {"rho": RHO}
PEER, ALONE = "pytorch-optimizer", {"rho": RHO, "lr": BASE["lr"]}
TWO_STEPS, CLOSURE = "first_step, second_step", "step(closure)"
SINGLE = "It keeps the norm in single precision, so double precision agrees to 7 to 9 digits."
POLYAK = f"{CLOSURE}; with f_star = −10⁶, so that Polyak's step size is always gamma_b"
LR_ALONE, SET = f"{CLOSURE}; over its LR alone", "set_closure, step()"
ONE = "Where all weights are one tensor, it is right."
GAM = {"rho": 0.1, "rho_norm": RHO, "beta1": 0.5, "beta2": 0.9, "beta3": 0.8, "gamma": 0.3}
IMPLEMENTATIONS = (
    Entry("SAM", PEER, "SAM", SETTINGS, lambda: making.peer("SAM"), TWO_STEPS, (), SINGLE),
    Entry(
        "SAM, use_gc=True",
        PEER,
        "SAM",
        SETTINGS,
        lambda: making.peer("SAM", use_gc=True),
        TWO_STEPS,
        ("pytorch_optimizer_centralized_norm",),
        "To centralize the gradient is a choice, and documented; ε is then shorter than ρ.",
    ),
    Entry(
        "SAM, adaptive=True",
        PEER,
        "ASAM",
        SETTINGS | {"rho": 0.5, "eta": 0.0},
        lambda: making.peer("SAM", rho=0.5, adaptive=True),
        TWO_STEPS,
    ),
    Entry(
        "GSAM", PEER, "GSAM", SETTINGS | {"alpha": 0.3}, lambda: loop(making.peer_gsam), f"{CLOSURE}; with a constant ρ"
    ),
    Entry(
        "WSAM",
        PEER,
        "WSAM",
        SETTINGS | {"gamma": 0.7},
        lambda: loop(lambda model: making.peer_wsam(model, True)),
        CLOSURE,
    ),
    Entry(
        "WSAM, decouple=False",
        PEER,
        "WSAM",
        SETTINGS | {"gamma": 0.7, "decoupled": False},
        lambda: loop(lambda model: making.peer_wsam(model, False)),
        CLOSURE,
    ),
    Entry(
        "LookSAM",
        PEER,
        "LookSAM",
        SETTINGS | {"k": 3, "alpha": 0.7},
        lambda: making.peer("LookSAM", k=3, alpha=0.7),
        TWO_STEPS,
        ("pytorch_optimizer_looksam_gradients", "pytorch_optimizer_looksam_tensors"),
        "Where all weights are one tensor it goes the article's way. It restores the weights after each look, and only then.",
    ),
    Entry(
        "FriendlySAM",
        PEER,
        "FriendlySAM",
        SETTINGS | {"sigma": 0.8, "lam": 0.7},
        lambda: making.peer("FriendlySAM", sigma=0.8, lmbda=0.7),
        TWO_STEPS,
    ),
    Entry(
        "sam, transparent",
        "optax",
        "SAM",
        SETTINGS,
        lambda: making.optax_sam("transparent"),
        "two updates a step",
        ("optax_zero_gradient",),
    ),
    Entry(
        "sam, opaque",
        "optax",
        "SAM",
        SETTINGS,
        lambda: making.optax_sam("opaque"),
        "one update, with grad_fn",
        ("optax_zero_gradient",),
    ),
    Entry(
        "Temperon",
        "temperon",
        "SAM",
        SETTINGS,
        lambda: torch_optimizer(making.temperon),
        f"{CLOSURE}; with tail_frac = 1, SAM from the first step",
    ),
    Entry(
        "unifiedSAM, lambd=1",
        "unifiedsam",
        "SAM",
        SETTINGS,
        lambda: torch_optimizer(lambda params: making.unified(params, 1.0)),
        TWO_STEPS,
    ),
    Entry(
        "unifiedSAM, lambd=0",
        "unifiedsam",
        "USAM",
        SETTINGS,
        lambda: torch_optimizer(lambda params: making.unified(params, 0.0)),
        TWO_STEPS,
    ),
    Entry(
        "SAM_SPS, lambd=1",
        "sam-sps",
        "SAM",
        ALONE | {"weight_decay": 0.01},
        lambda: loop(lambda model: making.polyak(model, 1.0)),
        POLYAK,
    ),
    Entry(
        "SAM_SPS, lambd=0",
        "sam-sps",
        "USAM",
        ALONE | {"weight_decay": 0.01},
        lambda: loop(lambda model: making.polyak(model, 0.0)),
        POLYAK,
    ),
    Entry(
        "SAM", "sam-pytorch", "SAM", SETTINGS, lambda: loop(making.sam_pytorch), CLOSURE, ("sam_pytorch_zero_gradient",)
    ),
    Entry(
        "SAMWrapper",
        "heavyball",
        "ASAM",
        ALONE | {"eta": 0.0},
        lambda: torch_optimizer(making.heavyball, "closure"),
        f"{CLOSURE}; over its SGD with beta = 0",
        ("heavyball_sam_norm",),
        "Its ε is that of USAM, which has no norm, in units of |p|.",
    ),
    Entry(
        "SAM",
        "torchzero",
        "SAM",
        ALONE,
        lambda: making.torchzero("SAM", RHO),
        LR_ALONE,
        ("torchzero_sam_tensors",),
        ONE,
    ),
    Entry(
        "ASAM",
        "torchzero",
        "ASAM",
        ALONE | {"rho": 0.5, "eta": 0.0},
        lambda: making.torchzero("ASAM", 0.5),
        LR_ALONE,
        ("torchzero_sam_tensors",),
        ONE,
    ),
    Entry("SAM", "infty", "SAM", SETTINGS, lambda: making.infty("SAM", rho=RHO), SET),
    Entry("GSAM", "infty", "GSAM", SETTINGS | {"alpha": 0.3}, lambda: making.infty("GSAM", rho=RHO, alpha=0.3), SET),
    Entry(
        "LookSAM",
        "infty",
        "LookSAM",
        SETTINGS | {"k": 3, "alpha": 0.7},
        lambda: making.infty("LookSAM", rho=RHO, k=3, alpha=0.7),
        SET,
        ("infty_looksam_reuse",),
        "Its first look is in step k, the article's in the first step.",
    ),
    Entry(
        "GAM",
        "infty",
        "GAM",
        SETTINGS | GAM,
        lambda: making.infty(
            "GAM", rho=RHO, norm_rho=0.1, grad_beta_1=0.5, grad_beta_2=0.9, grad_beta_3=0.8, grad_gamma=0.3
        ),
        SET,
        ("infty_gam_radius",),
        "With ρ = 1 on minisam's side, the path is the same to 10 digits on all problems.",
    ),
)
BEYOND = (  # what `check` does not drive: it draws random numbers
    {"name": "BSAM", "package": PEER, "variant": "BSAM", "reproductions": ["pytorch_optimizer_bsam"]},
)

"""The implementations that are held against their variant, and how each is driven. Their versions are pinned in pyproject.toml.

Each is an `Entry`; a package is imported when its entry is made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from minisam.conformance import optax_transform, torch_loop, torch_optimizer

RHO, BASE = 0.05, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}
SETTINGS = BASE | {"rho": RHO}


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


def sgd(params):
    import torch

    return torch.optim.SGD(params, **BASE)


# --- pytorch-optimizer -----------------------------------------------------------------------------------------------


def peer(kind, **settings):
    """One of pytorch_optimizer's that takes the parameters and the class of its base."""
    import pytorch_optimizer
    import torch

    make = getattr(pytorch_optimizer, kind)
    return torch_optimizer(lambda params: make(params, torch.optim.SGD, **BASE | {"rho": RHO} | settings))


def loop(make):
    """An optimizer whose `step(closure)` takes both gradients.

    `make(model)` returns it, and a function: what its closure returns of a loss.
    """

    def step_of(model):
        optimizer, returned = make(model)

        def step(loss):
            import torch

            def closure():
                with torch.enable_grad():
                    model.zero_grad()
                    value = loss()
                    value.backward()
                return returned(value)

            optimizer.step(closure)

        return step

    return torch_loop(step_of)


def peer_gsam(model):
    from types import SimpleNamespace

    from pytorch_optimizer import GSAM

    constant = SimpleNamespace(step=lambda: RHO)
    return GSAM(model.parameters(), sgd(model.parameters()), model, constant, alpha=0.3), lambda loss: (None, loss)


def peer_wsam(model, decouple):
    import torch
    from pytorch_optimizer import WSAM

    settings = BASE | {"rho": RHO, "gamma": 0.7, "decouple": decouple}
    return WSAM(model, model.parameters(), torch.optim.SGD, **settings), lambda loss: loss


# --- others ----------------------------------------------------------------------------------------------------------


def temperon(params):
    from temperon import Temperon

    return Temperon(sgd(params), total_steps=100, tail_frac=1.0, rho=RHO)


def unified(params, share):
    import torch
    from unifiedsam.unifiedsam import unifiedSAM

    return unifiedSAM(params, torch.optim.SGD, rho=RHO, lambd=share, **BASE)


def polyak(model, share):
    from sam_sps.sam_sps import SAM_SPS

    settings = {"rho": RHO, "gamma_b": BASE["lr"], "weight_decay": BASE["weight_decay"], "f_star": -1e6}
    return SAM_SPS(model.parameters(), lambd=share, **settings), lambda loss: loss


def sam_pytorch(model):
    from sam import SAM

    return SAM(model.parameters(), sgd(model.parameters()), rho=RHO), lambda loss: loss


def heavyball(params):
    import heavyball as package

    package.utils.compile_mode = None
    params = list(params)
    base = package.SGD(params, lr=BASE["lr"], beta=0.0)
    return package.SAMWrapper(params, base, ball=RHO)


def optax_sam(mode):
    import optax

    base = optax.chain(
        optax.add_decayed_weights(BASE["weight_decay"]), optax.sgd(BASE["lr"], momentum=BASE["momentum"])
    )
    ascent = optax.chain(optax.contrib.normalize(), optax.sgd(RHO))
    return optax_transform(optax.contrib.sam(base, ascent, opaque_mode=mode == "opaque"), mode)


# --- all of them -----------------------------------------------------------------------------------------------------

PEER, ALONE = "pytorch-optimizer", {"rho": RHO, "lr": BASE["lr"]}
TWO_STEPS, CLOSURE = "first_step, second_step", "step(closure)"
SINGLE = "It keeps the norm in single precision, so double precision agrees to 7 to 9 digits."
POLYAK = f"{CLOSURE}; with f_star = −10⁶, so that Polyak's step size is always gamma_b"
IMPLEMENTATIONS = (
    Entry("SAM", PEER, "SAM", SETTINGS, lambda: peer("SAM"), TWO_STEPS, (), SINGLE),
    Entry(
        "SAM, use_gc=True",
        PEER,
        "SAM",
        SETTINGS,
        lambda: peer("SAM", use_gc=True),
        TWO_STEPS,
        ("pytorch_optimizer_centralized_norm",),
        "To centralize the gradient is a choice, and documented; ε is then shorter than ρ.",
    ),
    Entry(
        "SAM, adaptive=True",
        PEER,
        "ASAM",
        SETTINGS | {"rho": 0.5, "eta": 0.0},
        lambda: peer("SAM", rho=0.5, adaptive=True),
        TWO_STEPS,
    ),
    Entry("GSAM", PEER, "GSAM", SETTINGS | {"alpha": 0.3}, lambda: loop(peer_gsam), f"{CLOSURE}; with a constant ρ"),
    Entry(
        "WSAM",
        PEER,
        "WSAM",
        SETTINGS | {"gamma": 0.7},
        lambda: loop(lambda model: peer_wsam(model, True)),
        CLOSURE,
    ),
    Entry(
        "WSAM, decouple=False",
        PEER,
        "WSAM",
        SETTINGS | {"gamma": 0.7, "decoupled": False},
        lambda: loop(lambda model: peer_wsam(model, False)),
        CLOSURE,
    ),
    Entry(
        "LookSAM",
        PEER,
        "LookSAM",
        SETTINGS | {"k": 3, "alpha": 0.7},
        lambda: peer("LookSAM", k=3, alpha=0.7),
        TWO_STEPS,
        ("pytorch_optimizer_looksam_gradients", "pytorch_optimizer_looksam_tensors"),
        "Where all weights are one tensor it goes the article's way. It restores the weights after each look, and only then.",
    ),
    Entry(
        "FriendlySAM",
        PEER,
        "FriendlySAM",
        SETTINGS | {"sigma": 0.8, "lam": 0.7},
        lambda: peer("FriendlySAM", sigma=0.8, lmbda=0.7),
        TWO_STEPS,
    ),
    Entry(
        "sam, transparent",
        "optax",
        "SAM",
        SETTINGS,
        lambda: optax_sam("transparent"),
        "two updates a step",
        ("optax_zero_gradient",),
    ),
    Entry(
        "sam, opaque",
        "optax",
        "SAM",
        SETTINGS,
        lambda: optax_sam("opaque"),
        "one update, with grad_fn",
        ("optax_zero_gradient",),
    ),
    Entry(
        "Temperon",
        "temperon",
        "SAM",
        SETTINGS,
        lambda: torch_optimizer(temperon),
        f"{CLOSURE}; with tail_frac = 1, SAM from the first step",
    ),
    Entry(
        "unifiedSAM, lambd=1",
        "unifiedsam",
        "SAM",
        SETTINGS,
        lambda: torch_optimizer(lambda params: unified(params, 1.0)),
        TWO_STEPS,
    ),
    Entry(
        "unifiedSAM, lambd=0",
        "unifiedsam",
        "USAM",
        SETTINGS,
        lambda: torch_optimizer(lambda params: unified(params, 0.0)),
        TWO_STEPS,
    ),
    Entry(
        "SAM_SPS, lambd=1",
        "sam-sps",
        "SAM",
        ALONE | {"weight_decay": 0.01},
        lambda: loop(lambda model: polyak(model, 1.0)),
        POLYAK,
    ),
    Entry(
        "SAM_SPS, lambd=0",
        "sam-sps",
        "USAM",
        ALONE | {"weight_decay": 0.01},
        lambda: loop(lambda model: polyak(model, 0.0)),
        POLYAK,
    ),
    Entry("SAM", "sam-pytorch", "SAM", SETTINGS, lambda: loop(sam_pytorch), CLOSURE, ("sam_pytorch_zero_gradient",)),
    Entry(
        "SAMWrapper",
        "heavyball",
        "ASAM",
        ALONE | {"eta": 0.0},
        lambda: torch_optimizer(heavyball, "closure"),
        f"{CLOSURE}; over its SGD with beta = 0",
        ("heavyball_sam_norm",),
        "It is the adaptive form of USAM, and complete as such.",
    ),
)
BEYOND = (  # what `check` does not drive: it draws random numbers
    {"name": "BSAM", "package": PEER, "variant": "BSAM", "reproductions": ["pytorch_optimizer_bsam"]},
)

"""How the optimizers of each package are made and driven; a package is imported when that is done."""

from minisam.conformance import optax_transform, torch_loop, torch_optimizer

RHO, BASE = 0.05, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}


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


def torchzero(name, rho):
    import torchzero as tz

    def step_of(model):
        optimizer = tz.Optimizer(model.parameters(), getattr(tz.m, name)(rho=rho), tz.m.LR(BASE["lr"]))

        def step(loss):
            def closure(backward=True):
                value = loss()
                if backward:
                    optimizer.zero_grad()
                    value.backward()
                return value

            optimizer.step(closure)

        return step

    return torch_loop(step_of)


def infty(name, **settings):
    import infty.optim

    def step_of(model):
        optimizer = getattr(infty.optim, name)(model.parameters(), sgd(model.parameters()), model, settings)

        def step(loss):
            optimizer.set_closure(lambda: (None, [loss()]))
            optimizer.step()

        return step

    return torch_loop(step_of)


def optax_sam(mode):
    import optax

    base = optax.chain(
        optax.add_decayed_weights(BASE["weight_decay"]), optax.sgd(BASE["lr"], momentum=BASE["momentum"])
    )
    ascent = optax.chain(optax.contrib.normalize(), optax.sgd(RHO))
    return optax_transform(optax.contrib.sam(base, ascent, opaque_mode=mode == "opaque"), mode)

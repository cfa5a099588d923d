"""Right implementations of SAM, written differently: none of them raises an alarm.

Each is SAM over SGD with ρ = 0.05, η = 0.1, μ = 0.9 and δ = 0.01.
"""

import numpy as np
import pytest

from minisam.conformance import assert_conforms, numpy_step, optax_transform, torch_loop, torch_optimizer

RHO, LR, MU, DELTA = 0.05, 0.1, 0.9, 0.01
SETTINGS = {"rho": RHO, "lr": LR, "momentum": MU, "weight_decay": DELTA}

# --- NumPy -----------------------------------------------------------------------------------------------------------


def descended(w, v, g):
    v = MU * v + g + DELTA * w
    return w - LR * v, v


def by_hypot(w, v, f):
    """The norm without squares that may overflow."""
    g = f(w)[1]
    return descended(w, v, f(w + RHO * g / (np.hypot.reduce(g) or 1.0))[1])


def divided_first(w, v, f):
    """The radius is divided by the norm before the gradient is met."""
    g = f(w)[1]
    return descended(w, v, f(w + g * (RHO / (np.sqrt(np.einsum("i,i", g, g)) + 1e-9)))[1])


def clipped_below(w, v, f):
    g = f(w)[1]
    return descended(w, v, f(w + RHO * g / np.clip(np.linalg.norm(g), 1e-12, None))[1])


def entry_by_entry(w, v, f):
    g = f(w)[1].tolist()
    size = sum(x * x for x in g) ** 0.5
    g = f(np.array([x + (RHO * y / size if size else 0.0) for x, y in zip(w.tolist(), g, strict=True)]))[1]
    return descended(w, v, g)


def largest_first(w, v, f):
    """The gradient is divided by its largest entry, then by its norm."""
    g = f(w)[1]
    g = g / (abs(g).max() or 1.0)
    return descended(w, v, f(w + RHO * g / (np.linalg.norm(g) or 1.0))[1])


def decay_apart(w, v, f):
    """The decay has a momentum of its own."""
    g = f(w)[1]
    g = f(w + RHO * g / (np.linalg.norm(g) + 1e-7))[1]
    v = MU * v + np.stack([g, DELTA * w])
    return w - LR * v[0] - LR * v[1], v


def under_the_root(w, v, f):
    g = f(w)[1]
    return descended(w, v, f(w + RHO * g / np.sqrt(g @ g + 1e-12))[1])


def moved_back(w, v, f):
    """The weights are moved to w + ε, and half of ε back at a time."""
    g = f(w)[1]
    eps = RHO * g / (np.linalg.norm(g) + 1e-5)
    g = f(w + eps)[1]
    return descended(((w + eps) - eps / 2) - eps / 2, v, g)


IN_NUMPY = [
    by_hypot,
    divided_first,
    clipped_below,
    entry_by_entry,
    largest_first,
    decay_apart,
    under_the_root,
    moved_back,
]


@pytest.mark.parametrize("step", IN_NUMPY)
def test_in_numpy(step):
    start = (lambda w: np.zeros((2, w.size))) if step is decay_apart else np.zeros_like
    assert_conforms(numpy_step(step, start), "SAM", **SETTINGS)


# --- PyTorch ---------------------------------------------------------------------------------------------------------


def by_grad(parameters, loss, base):
    """Functional: `torch.autograd.grad`, and no `backward`."""
    import torch

    g = torch.autograd.grad(loss(), parameters)
    size = torch.linalg.vector_norm(torch.cat([a.flatten() for a in g])).clamp_min(1e-12)
    old = [p.detach().clone() for p in parameters]
    for p, a in zip(parameters, g, strict=True):
        p.data = p.data + RHO * a / size
    found = torch.autograd.grad(loss(), parameters)
    for p, a, w in zip(parameters, found, old, strict=True):
        p.data, p.grad = w, a
    base.step()


def by_foreach(parameters, loss, base):
    import torch

    base.zero_grad()
    loss().backward()
    with torch.no_grad():
        eps = [p.grad.clone() for p in parameters]
        size = torch.stack(torch._foreach_norm(eps)).norm() + 1e-12
        torch._foreach_mul_(eps, RHO / size)
        torch._foreach_add_(parameters, eps)
    base.zero_grad()
    loss().backward()
    with torch.no_grad():
        torch._foreach_sub_(parameters, eps)
    base.step()


def by_clipping(parameters, loss, base):
    """The norm is what `clip_grad_norm_` returns, which clips nothing at ∞."""
    import torch

    base.zero_grad(set_to_none=True)
    loss().backward()
    size = torch.nn.utils.clip_grad_norm_(parameters, float("inf"))
    old = torch.nn.utils.parameters_to_vector(parameters).detach().clone()
    g = torch.nn.utils.parameters_to_vector([p.grad for p in parameters])
    torch.nn.utils.vector_to_parameters(old + RHO * g / (size + 1e-6), parameters)
    base.zero_grad(set_to_none=False)
    loss().backward()
    torch.nn.utils.vector_to_parameters(old, parameters)
    base.step()


def in_place(parameters, loss, base):
    """Each gradient becomes ε, and the next backward pass is given a fresh one."""
    import torch

    base.zero_grad()
    loss().backward()
    size = torch.sqrt(sum((p.grad**2).sum() for p in parameters) + 1e-16)
    moves = []
    for p in parameters:
        moves.append(p.grad.mul_(RHO).div_(size))
        p.data.add_(moves[-1])
        p.grad = None
    loss().backward()
    for p, move in zip(parameters, moves, strict=True):
        p.data.sub_(move)
    base.step()


LOOPS = [by_grad, by_foreach, by_clipping, in_place]


def sgd(parameters):
    import torch

    return torch.optim.SGD(parameters, lr=LR, momentum=MU, weight_decay=DELTA)


@pytest.mark.peer
@pytest.mark.parametrize("how", LOOPS)
def test_a_loop_in_pytorch(how):
    pytest.importorskip("torch")

    def make(model):
        parameters = list(model.parameters())
        base = sgd(parameters)
        return lambda loss: how(parameters, loss, base)

    assert_conforms(torch_loop(make), "SAM", **SETTINGS)


def two_steps(parameters, tau):
    """An optimizer with first_step, second_step and step(closure); each tensor is a group of its own."""
    import torch

    class Sam(torch.optim.Optimizer):
        def __init__(self):
            super().__init__([{"params": [p]} for p in parameters], {"rho": RHO})
            self.base = sgd(self.param_groups)

        @torch.no_grad()
        def first_step(self, zero_grad=False):
            every = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
            size = torch.norm(torch.stack([p.grad.norm(p=2) for p in every]), p=2)
            for p in every:
                self.state[p]["old"] = p.data.clone()
                p.add_(p.grad * (RHO / (size + tau)))
            if zero_grad:
                self.zero_grad()

        @torch.no_grad()
        def second_step(self, zero_grad=False):
            for group in self.param_groups:
                for p in group["params"]:
                    p.data = self.state[p].get("old", p.data)
            self.base.step()
            if zero_grad:
                self.zero_grad()

        def step(self, closure):
            closure()
            self.first_step(zero_grad=True)
            closure()
            self.second_step()

    return Sam()


@pytest.mark.peer
@pytest.mark.parametrize("drive", ["two steps", "closure"])
@pytest.mark.parametrize("tau", [1e-12, 1e-7, 1e-4])
def test_an_optimizer_in_pytorch(drive, tau):
    pytest.importorskip("torch")
    assert_conforms(torch_optimizer(lambda params: two_steps(list(params), tau), drive), "SAM", **SETTINGS)


# --- optax -----------------------------------------------------------------------------------------------------------


def ascent(tau):
    """ρ g/(‖g‖ + τ), to be subtracted by `optax.contrib.sam`."""
    import jax
    import optax

    def update(g, state, params=None):
        scale = -RHO / (jax.numpy.sqrt(sum((a * a).sum() for a in jax.tree.leaves(g))) + tau)
        return jax.tree.map(lambda a: scale * a, g), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


@pytest.mark.peer
@pytest.mark.parametrize("mode", ["transparent", "opaque"])
@pytest.mark.parametrize("tau", [1e-12, 1e-6])
def test_optax(mode, tau):
    optax = pytest.importorskip("optax")
    base = optax.chain(optax.add_decayed_weights(0.0), optax.sgd(LR, momentum=MU))
    transform = optax.contrib.sam(base, ascent(tau), opaque_mode=mode == "opaque")
    assert_conforms(optax_transform(transform, mode), "SAM", **SETTINGS | {"weight_decay": 0.0})

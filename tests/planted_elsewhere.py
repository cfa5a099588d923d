"""The faults of `planted` as steps in PyTorch and optax: gradients come from the framework, and weights go back to it."""

from types import SimpleNamespace

import numpy as np
from planted import Sam

from minisam.conformance import optax_transform, torch_loop
from minisam.conformance.problems import Problem


def made_of(tensors):
    """A problem whose weights are these arrays, by name."""
    return Problem("", {name: tensors[name].shape for name in sorted(tensors)}, joined(tensors), ())


def joined(tensors):
    """All entries, tensor by tensor in the order of their names, which JAX changes."""
    return np.concatenate([np.ravel(tensors[name]) for name in sorted(tensors)])


def in_torch(*faults):
    """A loop that sets the parameters, and takes each gradient by a backward pass."""
    import torch

    def make(model):
        parameters = dict(model.named_parameters())
        problem = made_of({name: p.detach().numpy() for name, p in parameters.items()})
        sam = Sam(problem, faults)

        @torch.no_grad()
        def put(w):
            for name, a in problem.split(w).items():
                parameters[name].copy_(torch.from_numpy(a))

        def backward(loss):
            def loss_and_grad(w):
                put(w)
                model.zero_grad()
                value = loss()
                value.backward()
                return value.item(), joined({name: p.grad.numpy() for name, p in parameters.items()})

            return loss_and_grad

        return lambda loss: put(sam(backward(loss)))

    return torch_loop(make)


def in_optax(*faults):
    """A transformation in the opaque mode, which is given ∇L(w), and calls for the other gradients."""

    def init(params):
        return Sam(made_of({name: np.array(a) for name, a in params.items()}), faults)

    def update(g, sam, params, grad_fn):
        w, given = joined(params), [joined(g)]

        def loss_and_grad(at):
            return 0.0, given.pop() if given else joined(grad_fn(sam.problem.split(at)))

        return sam.problem.split(sam(loss_and_grad) - w), sam

    return optax_transform(SimpleNamespace(init=init, update=update), mode="opaque")

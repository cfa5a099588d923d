"""Implementations in PyTorch and optax, others' and by hand, as the checker sees them."""

import subprocess
import sys

import pytest
from named import is_named
from planted import KNOWN, PAIRS
from planted_elsewhere import in_optax, in_torch

from minisam.conformance import assert_conforms, check, optax_transform, torch_loop, torch_optimizer


@pytest.mark.peer
@pytest.mark.parametrize("drive", [None, "two steps", "backward, closure"])
def test_pytorch_optimizers_sam_is_right(drive):
    torch = pytest.importorskip("torch")
    from pytorch_optimizer import SAM

    mine = torch_optimizer(lambda params: SAM(params, torch.optim.SGD, rho=0.05, lr=0.1, momentum=0.9), drive)
    assert_conforms(mine, "SAM", rho=0.05, lr=0.1, momentum=0.9)


@pytest.mark.peer
def test_a_closure_alone_gives_that_optimizer_no_gradient_at_w():
    torch = pytest.importorskip("torch")
    from pytorch_optimizer import SAM

    mine = torch_optimizer(lambda params: SAM(params, torch.optim.SGD, rho=0.05, lr=0.1), "closure")
    report = check(mine, "SAM", rho=0.05, lr=0.1)
    assert [mistake[:26] for mistake in report.mistakes] == ["One gradient a step is tak"]


def loop(ascent, restore, fresh):
    """A training step in PyTorch written by hand: make(model) -> step(loss)."""
    import torch

    def make(model):
        base = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
        parameters = list(model.parameters())

        def step(loss):
            base.zero_grad()
            loss().backward()
            norm = torch.stack([p.grad.norm() for p in parameters]).norm()
            eps = [ascent * 0.05 * p.grad / (norm + 1e-12) for p in parameters]
            with torch.no_grad():
                torch._foreach_add_(parameters, eps)
            if fresh:
                base.zero_grad()
            loss().backward()
            if restore:
                with torch.no_grad():
                    torch._foreach_sub_(parameters, eps)
            base.step()

        return step

    return make


@pytest.mark.peer
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((1, True, True), []),
        ((-1, True, True), ["goes downhill"]),
        ((1, False, True), ["not restored"]),
        ((1, True, False), ["set the gradient to zero"]),
        ((-1, False, True), ["goes downhill", "not restored"]),
        ((-1, True, False), ["goes downhill", "set the gradient to zero"]),
        ((1, False, False), ["not restored", "set the gradient to zero"]),
    ],
)
def test_a_loop_in_pytorch(options, says):
    pytest.importorskip("torch")
    report = check(torch_loop(loop(*options)), "SAM", rho=0.05, lr=0.1, momentum=0.9, weight_decay=0.01)
    assert len(report.mistakes) == len(says), str(report)
    assert all(any(words in mistake for mistake in report.mistakes) for words in says)


@pytest.mark.peer
@pytest.mark.parametrize("mode", ["transparent", "opaque"])
def test_optax_is_right_but_for_a_gradient_of_zero(mode):
    optax = pytest.importorskip("optax")
    ascent = optax.chain(optax.contrib.normalize(), optax.sgd(0.05))
    transform = optax.contrib.sam(optax.sgd(0.1, momentum=0.9), ascent, opaque_mode=mode == "opaque")
    report = check(optax_transform(transform, mode), "SAM", rho=0.05, lr=0.1, momentum=0.9)
    assert [mistake[:42] for mistake in report.mistakes] == ["The weights are not finite on a minimum, w"]


@pytest.mark.peer
def test_optax_with_one_update_a_step_is_told_to_make_two():
    optax = pytest.importorskip("optax")
    ascent = optax.chain(optax.contrib.normalize(), optax.sgd(0.05))
    report = check(optax_transform(optax.contrib.sam(optax.sgd(0.1), ascent), updates=1), "SAM", rho=0.05, lr=0.1)
    assert "2 of them make one step of SAM" in report.mistakes[0]
    assert not any("never switched on" in mistake for mistake in report.mistakes)


@pytest.mark.peer
def test_gradient_centralisation_is_named():
    torch = pytest.importorskip("torch")
    from pytorch_optimizer import SAM

    mine = torch_optimizer(lambda params: SAM(params, torch.optim.SGD, rho=0.05, lr=0.1, use_gc=True))
    report = check(mine, "SAM", rho=0.05, lr=0.1)
    assert any("SAM with gradient centralisation" in choice for choice in report.choices), str(report)


def test_frameworks_are_imported_only_where_they_are_used():
    program = "import sys, minisam.conformance; print({'torch', 'jax', 'optax'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# --- the catalogue ---------------------------------------------------------------------------------------------------

# an optax transformation is given the first gradient, at w and on the batch of the step: it cannot take another
OTHERWISE_IN_OPTAX = {"first elsewhere", "first on another batch", "one gradient, away"}


@pytest.mark.peer
def test_each_mistake_is_named_in_pytorch_alone_and_in_pairs():
    pytest.importorskip("torch")
    assert [faults for faults in [*alone(), *PAIRS] if not is_named(in_torch(*faults), faults)] == []


@pytest.mark.peer
def test_each_mistake_is_named_in_optax_alone_and_each_tenth_pair():
    pytest.importorskip("optax")
    some = [faults for faults in [*alone(), *PAIRS[::10]] if not OTHERWISE_IN_OPTAX & set(faults)]
    assert [faults for faults in some if not is_named(in_optax(*faults), faults)] == []


def alone():
    return [(name,) for name in KNOWN]

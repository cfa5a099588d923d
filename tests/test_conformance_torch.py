"""What only PyTorch has: parameters without a gradient, and batch norm's running statistics, which a SAM can get wrong."""

import pytest

from minisam.conformance import check, torch_loop, torch_optimizer

pytestmark = pytest.mark.peer
SETTINGS = {"rho": 0.05, "lr": 0.1, "weight_decay": 0.01}


def sam(params, missing):
    """An optimizer with closures, which meets a gradient that is None in this way."""
    import torch

    class Sam(torch.optim.SGD):
        @torch.no_grad()
        def step(self, closure):
            closure()
            every = [p for group in self.param_groups for p in group["params"]]
            if missing == "filled with ones":
                every = [p for p in every if p.requires_grad]
            with_gradient = [p for p in every if missing != "skipped" or p.grad is not None]
            for p in with_gradient:
                if missing.startswith("filled") and p.grad is None:
                    p.grad = torch.ones_like(p) if missing == "filled with ones" else torch.zeros_like(p)
            size = torch.stack([p.grad.norm() for p in with_gradient]).norm() + 1e-12
            eps = [0.05 * p.grad / size for p in with_gradient]
            torch._foreach_add_(with_gradient, eps)
            closure()
            torch._foreach_sub_(with_gradient, eps)
            for p in with_gradient:
                if missing.startswith("filled") and p.grad is None:
                    p.grad = torch.zeros_like(p)
            super().step()

    return Sam(params, lr=SETTINGS["lr"], weight_decay=SETTINGS["weight_decay"])


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("skipped", []),
        (
            "not looked for",
            ["A parameter whose .grad is None stops the step: AttributeError: 'NoneType' object has no"],
        ),
        ("filled with zeros", ["A parameter without a gradient is moved: the frozen and the unused one."]),
        ("filled with ones", ["A parameter without a gradient is moved: the unused one."]),
    ],
)
def test_parameters_without_a_gradient(missing, says):
    pytest.importorskip("torch")
    report = check(torch_optimizer(lambda params: sam(params, missing)), "SAM", **SETTINGS)
    assert len(report.mistakes) == len(says), str(report)
    assert all(words in mistake for words, mistake in zip(says, report.mistakes, strict=True))


def loop(first, second):
    """A loop whose passes at w, and at w + ε, move the running statistics or do not."""

    def make(model):
        import torch

        base = torch.optim.SGD(model.parameters(), lr=SETTINGS["lr"], weight_decay=SETTINGS["weight_decay"])
        norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm1d)]

        def gradient(loss, moves):
            for norm in norms:
                norm.momentum = 0.1 if moves else 0.0
            base.zero_grad()
            loss().backward()
            return [p.grad.clone() for p in model.parameters()]

        def step(loss):
            g = gradient(loss, first)
            size = torch.stack([a.norm() for a in g]).norm() + 1e-12
            eps = [0.05 * a / size for a in g]
            with torch.no_grad():
                torch._foreach_add_(list(model.parameters()), eps)
            gradient(loss, second)
            with torch.no_grad():
                torch._foreach_sub_(list(model.parameters()), eps)
            base.step()

        return step

    return torch_loop(make)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (True, False, None),
        (True, True, "they move twice, with the pass at w and again with that at w + ε"),
        (False, True, "they move with the pass at w + ε, and not with that at w"),
        (False, False, "they do not move at all"),
    ],
)
def test_running_statistics_of_a_loop(first, second, says):
    """No mistake, as a model may have no batch norm; a note."""
    pytest.importorskip("torch")
    report = check(loop(first, second), "SAM", **SETTINGS)
    assert report.mistakes == []
    notes = [note for note in report.notes if "batch norm" in note]
    assert len(notes) == (says is not None), str(report)
    assert all(says in note for note in notes)


def test_the_state_of_torchs_random_numbers_stays():
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    check(loop(True, False), "SAM", **SETTINGS)
    after = torch.rand(())
    torch.manual_seed(3)
    assert torch.rand(()) == after

"""heavyball's SAMWrapper does not divide by a norm: ε = ball · p² g, so it grows with the gradient.

Expected: its docstring names ASAM, where ε = rho p² g / ‖p g‖ has the length rho in units of |p|, and does not change when the
loss is multiplied by a number. Without the norm it is USAM in these units, which is a variant of its own.
"""

import heavyball
import torch

heavyball.utils.compile_mode = None


def eps(factor):
    w = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = heavyball.SAMWrapper([w], heavyball.SGD([w], lr=0.1, beta=0.0), ball=0.1)
    points = []

    def closure():
        points.append(w.detach().clone())
        optimizer.zero_grad()
        loss = factor * w.sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return points[1] - points[0]


for factor in (1, 10):
    in_units = (eps(factor) / torch.tensor([1.0, 2.0])).norm().item()
    print(f"loss times {factor}: ‖ε/p‖ = {in_units:.4f}, with ball = 0.1")

"""infty's GAM does not use norm_rho: the way to where the gradient is larger always has the length 1.

Expected: norm_rho is that length. GAM keeps it as `norm_rho`, and `grad_norm_ascent` looks for `grad_norm_rho`, and takes 1
without it.
"""

import torch
from infty.optim import GAM

curvature = torch.tensor([1.0, 4.0, 9.0])


def length(norm_rho):
    w = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
    model = torch.nn.ParameterList([w])
    optimizer = GAM([w], torch.optim.SGD([w], lr=0.05), model, {"rho": 0.1, "norm_rho": norm_rho})
    points = []

    def loss():
        points.append(w.detach().clone())
        return None, [(curvature * w**2).sum() / 2]

    optimizer.set_closure(loss)
    optimizer.step()
    return (points[2] - points[0]).norm().item()


for norm_rho in (0.02, 0.2):
    print(f"norm_rho = {norm_rho}: the third gradient is taken {length(norm_rho):.4f} away from w")

"""infty's LookSAM does not use g_v again: alpha changes nothing.

Expected: between two looks, the article's algorithm 1 adds alpha times g_v, scaled, to the gradient, so that alpha matters. Here
`perturb_weights` keeps the gradient as "old_g", and `compute_gv` looks for it as "old_grad". Behind that, `apply_gv` calls
`alpha.to`, which a float, such as the default, does not have.
"""

import torch
from infty.optim import LookSAM


def after(alpha):
    w = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
    model = torch.nn.ParameterList([w])
    optimizer = LookSAM([w], torch.optim.SGD([w], lr=0.05), model, {"rho": 0.5, "k": 2, "alpha": alpha})
    curvature = torch.tensor([1.0, 4.0, 9.0])
    optimizer.set_closure(lambda: (None, [(curvature * w**2).sum() / 2]))
    for _ in range(6):
        optimizer.step()
    return [round(a, 4) for a in w.tolist()]


for alpha in (0.0, 0.7):
    print(f"alpha = {alpha}: w after 6 steps with k = 2 is {after(alpha)}")

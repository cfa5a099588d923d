"""sam_pytorch's SAM gives NaN where the gradient is zero: rho / grad_norm divides by 0.

Expected: no ascent where there is no direction, so the weights stay. Most implementations add 1e-12 to the norm.
"""

import torch
from sam import SAM

w = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
optimizer = SAM([w], torch.optim.SGD([w], lr=0.1), rho=0.05)


def closure():
    optimizer.zero_grad()
    loss = (0 * w).sum()
    loss.backward()
    return loss


optimizer.step(closure)
print("w after a step:", w.tolist())

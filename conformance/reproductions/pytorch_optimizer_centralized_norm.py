"""pytorch_optimizer's SAM with use_gc=True: the norm is that of the gradient before it is centralized, so ε is shorter than rho.

Expected: ‖ε‖ = rho = 0.1, as without use_gc. LookSAM with use_gc=True has the same order of lines.
"""

import torch
from pytorch_optimizer import SAM, LookSAM

for kind in (SAM, LookSAM):
    for use_gc in (False, True):
        w = torch.nn.Parameter(torch.zeros(1, 3))
        optimizer = kind([w], torch.optim.SGD, rho=0.1, use_gc=use_gc, lr=0.1)
        (w * torch.tensor([[1.0, 2.0, 3.0]])).sum().backward()
        optimizer.first_step()
        print(f"{kind.__name__}, use_gc={use_gc}: the length of ε is {w.norm().item():.4f}")

"""torchzero's SAM and ASAM take a norm of each tensor by itself, so ε is √(number of tensors) times as long.

Expected: the article's equation 2 has one norm, over all weights, so that ‖ε‖ = rho = 0.1 whatever tensors they are kept in. A
norm for each tensor makes a variant of its own, layer-wise SAM, whose rho means something else.
"""

import torch
import torchzero as tz


def eps(module, sizes):
    w = torch.tensor([1.0, 2.0, -1.0, 0.5])
    tensors = [torch.nn.Parameter(a.clone()) for a in w.split(sizes)]
    optimizer = tz.Optimizer(tensors, module(rho=0.1), tz.m.LR(0.1))
    points = []

    def closure(backward=True):
        points.append(torch.cat([a.detach().clone() for a in tensors]))
        loss = (torch.cat(tensors) ** 2).sum()
        if backward:
            optimizer.zero_grad()
            loss.backward()
        return loss

    optimizer.step(closure)
    return points[1] - points[0], w


for sizes in ([4], [2, 2], [1, 1, 1, 1]):
    sam, _ = eps(tz.m.SAM, sizes)
    asam, w = eps(tz.m.ASAM, sizes)
    print(f"tensors of {sizes}: ‖ε‖ = {sam.norm().item():.4f} for SAM, ‖ε/w‖ = {(asam / w).norm().item():.4f} for ASAM")

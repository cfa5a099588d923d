"""pytorch_optimizer's LookSAM splits and scales each tensor's gradient by itself, so its path depends on what tensors there are.

Expected: the article's algorithm 1 takes g_v and its norm of the gradient of all weights (its layer-wise form, Look-LayerSAM, is
another algorithm), so the same weights in one tensor or in two go the same way. They do for SAM.
"""

import torch
from pytorch_optimizer import SAM, LookSAM

curvature = torch.tensor([1.0, 4.0, 2.0, 9.0])


def after(kind, sizes, **settings):
    tensors = [torch.nn.Parameter(a) for a in torch.tensor([1.0, 0.5, -1.0, 0.2]).split(sizes)]
    optimizer = kind(tensors, torch.optim.SGD, rho=0.5, lr=0.05, **settings)

    def closure():
        optimizer.zero_grad()
        loss = (curvature * torch.cat(tensors) ** 2).sum() / 2
        loss.backward()
        return loss

    for _ in range(6):
        closure()
        optimizer.step(closure)
    return [round(a, 4) for a in torch.cat(tensors).tolist()]


for kind, settings in ((SAM, {}), (LookSAM, {"k": 3})):
    for sizes in ([4], [2, 2]):
        print(f"{kind.__name__}, tensors of {sizes}: w = {after(kind, sizes, **settings)}")

"""pytorch_optimizer's LookSAM takes two gradients in every step, if it is driven as its docstring shows.

Expected: the article's algorithm 1 takes the second gradient in one step of k only, which is what makes LookSAM cheap. For k = 5
and 10 steps these are 12. Here `step` calls the closure in the other steps, too, at the same weights as before.
"""

import torch
from pytorch_optimizer import LookSAM

w = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
optimizer = LookSAM([w], torch.optim.SGD, k=5, lr=0.1)
gradients = 0


def closure():
    global gradients
    gradients += 1
    optimizer.zero_grad()
    loss = (w**2).sum()
    loss.backward()
    return loss


for _ in range(10):
    closure()
    optimizer.step(closure)
print(gradients, "gradients in 10 steps with k = 5")

"""pytorch_optimizer's BSAM differs from the article's algorithm 1 (arXiv:2210.01620) in four lines.

What is expected is also what its authors' code does (github.com/team-approx-bayes/bayesian-sam).

1. Noise and ε are added to the weights for good. Expected: the gradients are taken at w + noise and at w + ε, and the step starts
   at w; so with lr = 0 the weights stay where they are.
2. The noise has the standard deviation 1 / (num_data s). Expected: that is its variance; so for num_data = 100 and s = 1 its
   standard deviation is 0.1.
3. The momentum is fed with weight_decay * gradient. Expected: gradient + weight_decay * w; so that with weight_decay = 0 there is
   a descent, by lr * gradient / s = 0.5 in the first step without momentum.
4. s is fed with (√s |g| + weight_decay + damping)². Expected: without the square; so for s = 4, |g| = 1 and none of the other two
   it is fed with 2.
"""

import torch
from pytorch_optimizer import BSAM


def one_step(w, s=1.0, num_data=10**9, **settings):
    """w and s after a step on the sum of w, whose gradient is 1; the noise of a billion examples is nearly none."""
    w = torch.nn.Parameter(w.clone())
    optimizer = BSAM([w], num_data=num_data, betas=(0.0, 0.0), **settings)

    def closure():
        optimizer.zero_grad()
        loss = w.sum()
        loss.backward()
        return loss

    closure()
    optimizer.init_group(optimizer.param_groups[0])
    optimizer.state[w]["s"].fill_(s)
    optimizer.step(closure)
    return w.detach(), optimizer.state[w]["s"]


torch.manual_seed(0)
one, many = torch.ones(1), torch.ones(100_000)
print(f"1. lr = 0: w goes from 1 to {one_step(one, lr=0.0, rho=0.5)[0].item():.4f}")
noisy, _ = one_step(many, num_data=100, lr=0.0, rho=0.0)
print(f"2. num_data = 100, s = 1: the noise has the standard deviation {noisy.std().item():.3f}")
still, _ = one_step(one, lr=0.5, rho=0.0, weight_decay=0.0)
print(f"3. weight_decay = 0, lr = 0.5: w goes from 1 to {still.item():.4f}")
_, s = one_step(one, s=4.0, lr=0.5, rho=0.0, weight_decay=0.0, damping=0.0)
print(f"4. s = 4, |g| = 1: s is fed with {s.item():.4f}")

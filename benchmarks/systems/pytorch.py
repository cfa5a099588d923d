"""PyTorch: eager, with SAM from pytorch-optimizer; and the whole step as one function under torch.compile."""

import os

import numpy as np
import torch
from jobs import LR, MOMENTUM, RHO
from torch.nn.functional import cross_entropy

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


class Sequential:
    """Replicas one after the other; `one(job, w, x, y)` is a net with `reset` and `step`."""

    def __init__(self, job):
        self.nets = [self.one(job, w, torch.from_numpy(x), torch.from_numpy(y)) for w, x, y in job.singles()]
        self.lead = job.lead

    def reset(self):
        for net in self.nets:
            net.reset()

    def run(self, steps):
        losses = []
        for net in self.nets:
            for _ in range(steps):
                loss = net.step()
            losses.append(loss.item())
        return np.reshape(losses, self.lead)


class EagerNet:
    def __init__(self, job, w, x, y):
        self.job, self.w, self.x, self.y = job, w, x, y
        modules = []
        for i, o in zip(job.sizes, job.sizes[1:], strict=False):
            modules += [torch.nn.Linear(i, o), torch.nn.ReLU()]
        self.net = torch.nn.Sequential(*modules[:-1])
        self.step = self.sam_step if job.rule == "sam" else self.sgd_step

    def reset(self):
        linear = [module for module in self.net if isinstance(module, torch.nn.Linear)]
        with torch.no_grad():
            for module, (W, b) in zip(linear, self.job.layers(self.w), strict=True):
                module.weight.copy_(torch.from_numpy(W.T))
                module.bias.copy_(torch.from_numpy(b))
        parameters = self.net.parameters()
        if self.job.rule == "sam":
            from pytorch_optimizer import SAM

            self.optimizer = SAM(parameters, torch.optim.SGD, rho=RHO, lr=LR, momentum=MOMENTUM)
        else:
            self.optimizer = torch.optim.SGD(parameters, lr=LR, momentum=MOMENTUM)

    def backward(self):
        self.optimizer.zero_grad()
        loss = cross_entropy(self.net(self.x), self.y)
        loss.backward()
        return loss

    def sgd_step(self):
        loss = self.backward()
        self.optimizer.step()
        return loss

    def sam_step(self):
        loss = self.backward()
        self.optimizer.step(self.backward)
        return loss


class Eager(Sequential):
    one = EagerNet


class CompiledNet:
    def __init__(self, job, w, x, y):
        self.job, self.w, self.x, self.y = job, w, x, y
        self.fused = torch.compile(_sam if job.rule == "sam" else _sgd)

    def reset(self):
        self.p = [torch.tensor(a) for pair in self.job.layers(self.w) for a in pair]
        self.v = [torch.zeros_like(a) for a in self.p]

    @torch.no_grad()
    def step(self):
        return self.fused(self.p, self.v, self.x, self.y)


class Compiled(Sequential):
    one = CompiledNet


def _loss(p, x, y):
    for W, b in zip(p[:-2:2], p[1:-2:2], strict=True):
        x = torch.relu(torch.addmm(b, x, W))
    return cross_entropy(torch.addmm(p[-1], x, p[-2]), y)


_grad_and_loss = torch.func.grad_and_value(_loss)


def _sgd(p, v, x, y):
    g, loss = _grad_and_loss(p, x, y)
    return _descend(p, v, g, loss)


def _sam(p, v, x, y):
    g, loss = _grad_and_loss(p, x, y)
    scale = RHO / torch.sqrt(sum((a * a).sum() for a in g))
    g, _ = _grad_and_loss([w + scale * a for w, a in zip(p, g, strict=True)], x, y)
    return _descend(p, v, g, loss)


def _descend(p, v, g, loss):
    for w, u, a in zip(p, v, g, strict=True):
        u.mul_(MOMENTUM).add_(a)
        w.sub_(u, alpha=LR)
    return loss

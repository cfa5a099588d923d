"""The experiment in PyTorch, all seeds at once: torch.func's vmap over stacked parameters, the step written out."""

import torch
from pytorch import mlp
from setting import BATCH, LR, MOMENTUM, RHO, arguments, tell
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn import functional as F


def trained(net, p, x, y, epochs, seeds):
    def loss(p, x, y):
        return F.cross_entropy(functional_call(net, p, x), y)

    gradients = vmap(grad(loss))
    v = {name: torch.zeros_like(a) for name, a in p.items()}
    for _ in range(epochs):
        order = torch.rand(seeds, len(x)).argsort(1)
        for k in range(0, len(x) - BATCH + 1, BATCH):
            i = order[:, k : k + BATCH]
            g = gradients(p, x[i], y[i])
            norm = torch.sqrt(sum((a * a).flatten(1).sum(1) for a in g.values()))
            scale = {name: (RHO / norm).view(-1, *[1] * (a.ndim - 1)) for name, a in g.items()}
            g = gradients({name: w + scale[name] * g[name] for name, w in p.items()}, x[i], y[i])
            for name, w in p.items():
                v[name].mul_(MOMENTUM).add_(g[name])
                w.sub_(v[name], alpha=LR)
    return p


def main():
    arrays, _, epochs, seeds = arguments()
    x, y, x_test, y_test = map(torch.from_numpy, arrays)
    torch.manual_seed(0)
    nets = [mlp() for _ in range(seeds)]
    with torch.no_grad():
        p = {name: a.detach() for name, a in stack_module_state(nets)[0].items()}
        p = trained(nets[0], p, x, y, epochs, seeds)
        logits = vmap(lambda p: functional_call(nets[0], p, x_test))(p)
    tell((logits.argmax(-1) == y_test).numpy())


if __name__ == "__main__":
    main()

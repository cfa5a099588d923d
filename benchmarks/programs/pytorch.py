"""The experiment in PyTorch: eager, with SAM from pytorch-optimizer, one seed after the other."""

import itertools
import os

import numpy as np
import torch
from pytorch_optimizer import SAM
from setting import BATCH, CHANNELS, LR, MOMENTUM, RHO, WIDTHS, arguments, tell
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))


def mlp():
    layers = []
    for i, o in itertools.pairwise(WIDTHS):
        layers += [nn.Linear(i, o), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn():
    layers, i = [nn.Unflatten(1, (1, 28, 28))], 1
    for o in CHANNELS:
        layers += [nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        i = o
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(i * 7 * 7, 10))


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(i), nn.Conv2d(i, o, 3, stride, 1)
        self.norm2, self.conv2 = nn.BatchNorm2d(o), nn.Conv2d(o, o, 3, 1, 1)
        self.skip = nn.Conv2d(i, o, 1, stride) if (i, stride) != (o, 1) else nn.Identity()

    def forward(self, x):
        h = self.conv1(F.relu(self.norm1(x)))
        return self.conv2(F.relu(self.norm2(h))) + self.skip(x)


def resnet():
    a, b = CHANNELS
    stages = Block(a, a, 1), Block(a, b, 2), nn.BatchNorm2d(b), nn.ReLU()
    ends = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(b, 10)
    return nn.Sequential(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, a, 3, padding=1), *stages, *ends)


def trained(net, x, y, epochs):
    optimizer = SAM(net.parameters(), torch.optim.SGD, rho=RHO, lr=LR, momentum=MOMENTUM)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for k in range(0, len(x) - BATCH + 1, BATCH):
            i = order[k : k + BATCH]
            batch, labels = x[i], y[i]

            def backward(batch=batch, labels=labels):
                optimizer.zero_grad()
                F.cross_entropy(net(batch), labels).backward()

            backward()
            optimizer.step(backward)
    return net.eval()


def main():
    arrays, model, epochs, seeds = arguments()
    x, y, x_test, y_test = map(torch.from_numpy, arrays)
    right = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        net = trained({"mlp": mlp, "cnn": cnn, "resnet": resnet}[model](), x, y, epochs)
        with torch.no_grad():
            right.append((net(x_test).argmax(1) == y_test).numpy())
    tell(np.stack(right))


if __name__ == "__main__":
    main()

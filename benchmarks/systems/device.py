"""The same steps on a GPU: minisam on CuPy, PyTorch eager and as a CUDA graph, JAX."""

import numpy as np

from minisam import array_backend

from .ours import Recorded


class OnDevice(Recorded):
    """minisam on CuPy, its records launched as CUDA graphs."""

    backend = "cupy"

    def __init__(self, job):
        array_backend.use(self.backend)
        super().__init__(job)
        self.w0, self.x, self.y = map(array_backend.asarray, (self.w0, self.x, self.y))

    def run(self, steps):
        return array_backend.asnumpy(super().run(steps))  # waits until they are done


class SinglesOnDevice(OnDevice):
    """Replicas as runs of one net each, in sequence."""

    def __init__(self, job):
        super().__init__(job)
        self.nets = list(zip(self.w0, self.x, self.y, strict=True))

    def reset(self):
        self.runs = [(w, self.optimizer.init(w)) for w, _, _ in self.nets]

    def run(self, steps):
        losses = []
        for k, (_, x, y) in enumerate(self.nets):
            self.x, self.y = x, y
            self.w, self.state = self.runs[k]
            losses.append(Recorded.run(self, steps))
            self.runs[k] = self.w, self.state
        return np.array([array_backend.asnumpy(loss) for loss in losses])


def eager():
    """PyTorch with a SAM from the package registry."""
    import torch

    from . import pytorch

    class EagerNet(pytorch.EagerNet):
        def __init__(self, job, w, x, y):
            super().__init__(job, w, x.cuda(), y.cuda())
            self.net = self.net.cuda()

    class Eager(pytorch.Sequential):
        one = EagerNet

    return _waiting(Eager, torch)


def graph():
    """PyTorch, the whole step captured as one CUDA graph."""
    import torch

    from . import pytorch

    class GraphNet:
        def __init__(self, job, w, x, y):
            self.layers = [torch.tensor(a, device="cuda") for pair in job.layers(w) for a in pair]
            self.p, self.v = [a.clone() for a in self.layers], [torch.zeros_like(a) for a in self.layers]
            step = pytorch._sam if job.rule == "sam" else pytorch._sgd
            x, y, stream = x.cuda(), y.cuda(), torch.cuda.Stream()
            with torch.no_grad():
                with torch.cuda.stream(stream):  # a few steps first, as PyTorch asks
                    for _ in range(3):
                        step(self.p, self.v, x, y)
                torch.cuda.current_stream().wait_stream(stream)
                self.graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(self.graph):
                    self.loss = step(self.p, self.v, x, y)

        def reset(self):
            for a, first in zip(self.p, self.layers, strict=True):
                a.copy_(first)
            for a in self.v:
                a.zero_()

        def step(self):
            self.graph.replay()
            return self.loss

    class Graph(pytorch.Sequential):
        one = GraphNet

    return _waiting(Graph, torch)


def _waiting(sequential, torch):
    """The same system, whose `run` returns when the device has done its work."""

    class Waiting(sequential):
        def run(self, steps):
            losses = super().run(steps)
            torch.cuda.synchronize()
            return losses

    return Waiting

"""Six steps beside the PyTorch package pytorch_optimizer, in double precision, where it follows the articles.

It keeps the norm of the gradient in single precision, so its ε has a relative error of up to 2⁻²⁴ = 6e-8, which ρ and the step
size make smaller. Its BSAM is another method (noise and ε stay in the weights), and has no test here.
"""

from importlib.metadata import version

import numpy as np
import pytest
from variants import MODEL, batches, run

from minisam import SAM, SGD, Adam
from minisam.sam import ASAM, GSAM, WSAM, FriendlySAM, LookSAM

torch = pytest.importorskip("torch")
peer = pytest.importorskip("pytorch_optimizer")
if tuple(map(int, version("pytorch_optimizer").split(".")[:2])) < (4, 1):
    pytest.skip("pytorch_optimizer is older than 4.1, which follows more of the articles", allow_module_level=True)

pytestmark = pytest.mark.peer
STEPS, RHO = 6, 0.05
W = MODEL.init(0, "float64") + 0.05
BASES = {
    "SGD with momentum": (SGD(0.03, momentum=0.9), torch.optim.SGD, {"lr": 0.03, "momentum": 0.9}),
    "Adam": (Adam(0.01), torch.optim.Adam, {"lr": 0.01}),
}


class Net(torch.nn.Module):
    """MODEL with its own four tensors, or with all weights in one."""

    def __init__(self, in_one=False):
        super().__init__()
        tensors = [W] if in_one else MODEL.unflatten(W).values()
        self.tensors = torch.nn.ParameterList([torch.tensor(a) for a in tensors])

    def flat(self):
        return torch.cat([a.reshape(-1) for a in self.tensors])

    def forward(self, x):
        views, w, start = {}, self.flat(), 0
        for name, shape in MODEL.shapes.items():
            stop = start + int(np.prod(shape))
            views[name], start = w[start:stop].reshape(shape), stop
        return torch.tanh(x @ views["W0"] + views["b0"]) @ views["W1"] + views["b1"]


def same_path(ours, make, in_one=False, two_gradients=True):
    """Both pass through the same weights; `make` a peer of a net. It wants the first gradient taken, or takes it itself."""
    expected, _, _ = run(ours, W, batches(STEPS))
    net = Net(in_one)
    theirs = make(net)
    for batch, w in zip(batches(STEPS), expected, strict=True):
        x, y = torch.tensor(batch.x), torch.tensor(batch.y)

        def closure(x=x, y=y):
            net.zero_grad()
            with torch.enable_grad():
                z = net(x)
                loss = torch.nn.functional.cross_entropy(z, y)
            loss.backward()
            return z, loss

        if two_gradients:
            closure()
        theirs.step(closure)
        np.testing.assert_allclose(net.flat().detach().numpy(), w, rtol=0, atol=1e-8)
    assert np.abs(expected[-1] - W).max() > 0.03  # a way to go


@pytest.fixture(params=BASES)
def base(request):
    return BASES[request.param]


def test_sam(base):
    ours, kind, settings = base
    same_path(SAM(ours, RHO), lambda net: peer.SAM(net.parameters(), kind, rho=RHO, **settings))


def test_asam(base):
    """With η = 0 on all weights."""
    ours, kind, settings = base
    asam = ASAM(ours, 5 * RHO, eta=0)
    same_path(asam, lambda net: peer.SAM(net.parameters(), kind, rho=5 * RHO, adaptive=True, **settings))


def test_gsam(base):
    ours, kind, settings = base

    class Constant:
        step = staticmethod(lambda: RHO)

    same_path(
        GSAM(ours, RHO, alpha=0.4),
        lambda net: peer.GSAM(net.parameters(), kind(net.parameters(), **settings), net, Constant(), alpha=0.4),
        two_gradients=False,
    )


@pytest.mark.parametrize("decoupled", [True, False])
def test_wsam(base, decoupled):
    ours, kind, settings = base
    same_path(
        WSAM(ours, RHO, gamma=0.7, decoupled=decoupled),
        lambda net: peer.WSAM(net, net.parameters(), kind, rho=RHO, gamma=0.7, decouple=decoupled, **settings),
        two_gradients=False,
    )


def test_friendly_sam(base):
    """As in the article since release 4.1; earlier ones fed what is left of the gradient to the running mean."""
    ours, kind, settings = base
    same_path(
        FriendlySAM(ours, RHO, sigma=0.8, lam=0.7),
        lambda net: peer.FriendlySAM(net.parameters(), kind, rho=RHO, sigma=0.8, lmbda=0.7, **settings),
    )


def test_look_sam(base):
    """On a net whose weights are one tensor: its norms are the tensors' own, where the article's are those of all weights.

    A large ρ, and so a large g_v: it divides by ‖g_v‖ + 1e-8.
    """
    ours, kind, settings = base
    same_path(
        LookSAM(ours, 1.0, k=3, alpha=0.7),
        lambda net: peer.LookSAM(net.parameters(), kind, rho=1.0, k=3, alpha=0.7, **settings),
        in_one=True,
    )

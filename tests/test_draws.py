"""Every purpose has random numbers of its own: the streams of one seed are uncorrelated, and no two purposes share a name."""

import re
import zlib
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from variants import Watched

from minisam import SGD, BatchLoss, data, draws, mlp, sam, streams, train
from minisam.data.sets import _generator
from minisam.noisy_labels import Mixup

PACKAGE = Path(draws.__file__).parent
SEED, N = 3, 100_000
DIGITS = data.digits()
SMALL = {"train": 20, "validation": 20, "test": 20}
# each function of `minisam.data` that draws, by what it draws
DRAWS = {
    "two moons": lambda: data.two_moons(SEED, **SMALL),
    "spirals": lambda: data.spirals(SEED, **SMALL),
    "blobs": lambda: data.blobs(SEED, **SMALL),
    "linear teacher": lambda: data.linear_teacher(SEED, **SMALL),
    "diagonal regression": lambda: data.diagonal_regression(SEED, **SMALL),
    "digits": lambda: data.digits(SEED),
    "mnist": lambda: in_three("mnist"),
    "fashion-mnist": lambda: in_three("fashion-mnist"),
    "cifar-10": lambda: in_three("cifar-10"),
    "cifar-100": lambda: in_three("cifar-100"),
    "markov": lambda: data.markov(SEED, **SMALL),
    "symmetric noise": lambda: data.symmetric_noise(DIGITS, 0.2, SEED),
    "asymmetric noise": lambda: data.asymmetric_noise(DIGITS, 0.2, SEED),
    "instance-dependent noise": lambda: data.instance_dependent_noise(DIGITS, 0.2, SEED),
    "dominoes": lambda: data.dominoes(DIGITS, 0.9, SEED),
    "subset": lambda: data.subset(DIGITS, 100, SEED),
    "shift": lambda: data.shift(DIGITS, "noise", 1, SEED),
    "gradual": lambda: data.gradual(DIGITS, "noise", 0.1, 1, SEED),
}


def in_three(name):
    from minisam.data.files import _in_three

    part = np.zeros((20, 1, 1), "uint8"), np.zeros(20, "uint8")
    return _in_three(name, [part, part], (1, 1, 1), 10, SEED)


def purposes_of(make, monkeypatch):
    """The purposes for which `make()` opens a stream."""
    seen = []

    def crc32(name):
        seen.append(name.decode())
        return zlib.crc32(name)

    with monkeypatch.context() as patched:
        patched.setattr(streams, "zlib", SimpleNamespace(crc32=crc32))
        make()
    return seen


def purposes_in_code():
    """The purposes that stand in the code of the rest of the library, each as often as it stands there."""
    code = "".join(p.read_text(encoding="utf-8") for p in PACKAGE.rglob("*.py") if p.parent.name != "data")
    return re.findall(r'\b(?:stream|normal|uniform|signs)\(\s*"([^"]+)"', code)


def all_purposes(monkeypatch):
    return [*purposes_in_code(), *(p for make in DRAWS.values() for p in dict.fromkeys(purposes_of(make, monkeypatch)))]


def test_no_two_purposes_share_a_name_or_a_key(monkeypatch):
    names = all_purposes(monkeypatch)
    assert len(names) > 25
    assert len(set(names)) == len(names), sorted(names)
    assert len({zlib.crc32(name.encode()) for name in names}) == len(names)


@pytest.mark.parametrize("steps", [(), (0,), (1,)], ids=str)
def test_all_streams_of_a_seed_are_uncorrelated(monkeypatch, steps):
    """|r| < 5/√n for each pair: of independent numbers, r has deviation 1/√n."""
    of_purpose = {name: draws.stream(name, SEED, *steps) for name in all_purposes(monkeypatch)}
    of_purpose["initial weights"] = np.random.default_rng(SEED)
    of_purpose |= {f"batches of epoch {epoch}": _generator(SEED, epoch) for epoch in (0, 1)}
    r = np.corrcoef([rng.standard_normal(N) for rng in of_purpose.values()])
    for (i, a), (j, b) in combinations(enumerate(of_purpose), 2):
        assert abs(r[i, j]) < 5 / np.sqrt(N), (a, b)


def test_no_code_draws_from_a_seed_past_the_streams():
    """`default_rng(seed)` is the stream of the initial weights; whoever else calls it draws the same numbers."""
    callers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"default_rng\((?!\d+\))", path.read_text(encoding="utf-8"))
    }
    assert callers == {"streams.py", "models/model.py", "data/sets.py"}  # the streams, the initial weights, the batches


# --- what the numbers are used for -----------------------------------------------------------------------------------


def test_a_teacher_holds_other_numbers_than_the_initial_weights():
    teacher = data.linear_teacher(SEED, noise=0.0, features=1000, train=2000)
    A = np.linalg.lstsq(teacher.x_train, teacher.y_train, rcond=None)[0][:, 0]
    w = mlp((1000, 10)).init(SEED)[: len(A)]
    assert abs(np.corrcoef(A, w)[0, 1]) < 5 / np.sqrt(len(A))


@pytest.mark.parametrize("kind", ["symmetric", "asymmetric", "instance_dependent"])
def test_a_subset_holds_its_share_of_the_wrong_labels(kind):
    noisy = getattr(data, f"{kind}_noise")(data.blobs(0, classes=2, train=4000), 0.25, SEED)
    share = data.subset(noisy, 1000, SEED).flipped.mean()
    assert abs(share - noisy.flipped.mean()) < 5 * np.sqrt(0.25 * 0.75 / 1000)


def test_the_parts_of_a_domain_are_shifted_by_noise_of_their_own():
    d = data.gradual(DIGITS, "noise", 0.5, 1, SEED)[1]
    noise = [
        getattr(d, f"x_{part}")[:300] - getattr(DIGITS, f"x_{part}")[:300] for part in ("train", "validation", "test")
    ]
    r = np.corrcoef([a.ravel() for a in noise])
    assert np.abs(r - np.eye(3)).max() < 5 / np.sqrt(noise[0].size)


# --- the draws themselves --------------------------------------------------------------------------------------------


def test_a_replica_draws_what_it_would_draw_alone():
    w = np.zeros((3, 50))
    together = draws.normal("a test", np.array([[4], [5], [6]]), 7, w)
    assert together.shape == (3, 50)
    for k, seed in enumerate((4, 5, 6)):
        np.testing.assert_array_equal(together[k], draws.normal("a test", seed, 7, w[k]))


def test_kinds_of_numbers():
    w = np.zeros(N, "float32")
    normal, uniform, signs = (draw("a test", 0, 0, w) for draw in (draws.normal, draws.uniform, draws.signs))
    assert normal.dtype == uniform.dtype == signs.dtype == np.float32
    assert abs(normal.mean()) < 5 / np.sqrt(N)
    assert abs(normal.var() - 1) < 5 * np.sqrt(2 / N)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 5 / np.sqrt(12 * N)
    assert set(signs.tolist()) == {-1, 1}
    assert abs(signs.mean()) < 5 / np.sqrt(N)


# --- what optimizers draw --------------------------------------------------------------------------------------------

BASE = SGD(0.05, momentum=0.9)
DRAWING = {
    "RST": lambda: sam.RST(BASE, 0.3),
    "GRST": lambda: sam.GRST(BASE, 0.3, alpha=0.5),
    "RWP": lambda: sam.RWP(BASE),
    "RWP, mixed": lambda: sam.RWP(BASE, lam=0.5),
    "RSAM": lambda: sam.RSAM(BASE),
    "TraceSAM": lambda: sam.TraceSAM(BASE, samples=2),
    "FrobeniusSAM": lambda: sam.FrobeniusSAM(BASE),
    "BSAM": lambda: sam.BSAM(0.1),
    "SSAM": lambda: sam.SSAM(BASE, masks="dynamic", every=2),
    "ESAM": lambda: sam.ESAM(BASE),
    "Mixup": lambda: Mixup(BASE),
    "Mixup of RWP": lambda: Mixup(sam.RWP(BASE)),
}
SMALL_NET = mlp((3, 5, 4), "tanh")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 3)), RNG.integers(0, 4, 40)


def after(optimizer, seeds, steps=8):
    """The weights after some steps from equal ones, on equal batches, in a run of these seeds."""
    w, batch = SMALL_NET.init([0, 0, 0], "float64"), BatchLoss(SMALL_NET).on(X[:8], Y[:8], seeds=seeds)
    state = optimizer.init(w)
    for _ in range(steps):
        w, state, _ = optimizer.step(w, state, batch)
    return w


@pytest.mark.parametrize("name", DRAWING)
def test_each_seed_of_a_run_draws_its_own_numbers(name):
    """And none but the seeds is to blame: without any, or with equal ones, all replicas go one way."""
    for same in (0, np.array([[5], [5], [5]])):
        w = after(DRAWING[name](), same)
        np.testing.assert_array_equal(w, w[[0, 0, 0]])
    w = after(DRAWING[name](), np.array([[5], [6], [7]]))
    for i, j in combinations(range(3), 2):
        assert np.abs(w[i] - w[j]).max() > 1e-6


@pytest.mark.parametrize("name", DRAWING)
def test_the_optimizers_own_seed_draws_others(name):
    optimizer = DRAWING[name]()
    w = [after(replace(optimizer, seed=seed), np.array([[5], [6], [7]])) for seed in (0, 1, 0)]
    np.testing.assert_array_equal(w[0], w[2])
    assert np.all(np.abs(w[0] - w[1]).max(axis=-1) > 1e-6)


@pytest.mark.parametrize("name", DRAWING)
def test_each_replica_of_a_training_is_the_run_of_its_seed_alone(name):
    settings = {"epochs": 3, "batch_size": 8, "progress": False}
    together = train(SMALL_NET, (X, Y), DRAWING[name](), seed=[0, 1, 2], **settings)
    for k in range(3):
        alone = train(SMALL_NET, (X, Y), DRAWING[name](), seed=k, **settings)
        np.testing.assert_array_equal(together.w[k], alone.w)


@pytest.mark.parametrize("name", ["RWP", "RSAM", "TraceSAM", "FrobeniusSAM", "BSAM"])
def test_noise_at_the_first_step_is_uncorrelated_with_the_initial_weights(name):
    """|r| < 5/√n: the weights of seed s, and what an optimizer adds to them in a run of seed s."""
    model = mlp((30, 40, 4))
    batch = BatchLoss(model).on(RNG.standard_normal((8, 30)), Y[:8], seeds=np.array([[0], [1], [2]]))
    w, optimizer, watched = model.init([0, 1, 2], "float64"), DRAWING[name](), Watched(batch)
    optimizer.step(w, optimizer.init(w), watched)
    noise = next(point - w for point in watched.points if not np.array_equal(point, w))
    for k in range(3):
        drawn = w[k] != 0  # the biases begin at 0
        assert abs(np.corrcoef(noise[k, drawn], w[k, drawn])[0, 1]) < 5 / np.sqrt(drawn.sum())

"""Any variant in any ball: ε lies on the rim; and the variants named after balls are SAM in them."""

import math
import re
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from variants import BASES, LINEAR, MODEL, Watched, assert_same_bits, assert_sweeps, batches, gradient, run, start

from minisam import SAM, SGD, sam
from minisam.sam import ASAM, GSAM, SAMON, Adaptive, Fisher, FisherSAM, MultiStepSAM, Only

INF = math.inf
N = MODEL.size
MASK = MODEL.mask("weights", "float64")
BALLS = {  # and T by the formula
    "none": (None, lambda g, w: 1 + 0 * w),
    "Adaptive": (Adaptive(0.1), lambda g, w: np.abs(w) + 0.1),
    "Adaptive, masked": (Adaptive(0.1, MASK), lambda g, w: np.where(MASK, np.abs(w) + 0.1, 1)),
    "Adaptive, by filter": (Adaptive(0.1, model=MODEL), lambda g, w: MODEL.filter_norms(w) + 0.1),
    "Fisher": (Fisher(50.0), lambda g, w: (1 + 50 * g**2) ** -0.5),
    "Only": (Only(MASK), lambda g, w: MASK + 0 * w),
    "Only of Adaptive": (Only(MASK, Adaptive(0.1)), lambda g, w: MASK * (np.abs(w) + 0.1)),
    "Only of Fisher": (Only(MASK, Fisher(50.0)), lambda g, w: MASK * (1 + 50 * g**2) ** -0.5),
}
VARIANTS = {  # all that may have a ball
    name: kind
    for name, kind in vars(sam).items()
    if isinstance(kind, type)
    and issubclass(kind, sam.Variant)
    and kind not in (sam.Sometimes, ASAM, FisherSAM, SAMON)  # the last three have one
} | {"ImbSAM": partial(sam.ImbSAM, tail=[1, 2])}
UP = {  # those that look up the gradient at w, with settings by which the first step does
    **{name: {} for name in ("Variant", "SAM", "GSAM", "GNP", "WSAM", "StableSAM", "CRSAM", "EveryK", "LookSAM")},
    "RST": {"prob": 1.0},
    "GRST": {"prob": 1.0, "alpha": 0.3},
    "AESAM": {"lam1": -INF, "lam2": -INF},
}
IS_SAM = {
    "Variant": {},
    "GSAM": {"alpha": 0.0},
    "GNP": {"alpha": 1.0},
    "CRSAM": {"gamma": 0.0, "beta": 0.0},
    "MultiStepSAM": {"steps": 1},
    "FriendlySAM": {"sigma": 0.0},
    "VaSSO": {"theta": 1.0},
    "RST": {"prob": 1.0},
    "GRST": {"prob": 1.0, "alpha": 1.0},
    "EveryK": {"k": 1},
    "AESAM": {"lam1": -INF, "lam2": -INF},
    "LookSAM": {"k": 1},
    "SSAM": {"sparsity": 0.0},
    "MSharpnessSAM": {"groups": 1},
    "AsyncSAM": {"delay": 0},
    "RSAM": {"sigma": 0.0},
}
MOMENTUM = SGD(0.1, momentum=0.9)


def looked_at(optimizer, w, batch):
    """The ε of each gradient of a first step."""
    watched = Watched(batch)
    optimizer.step(w, optimizer.init(w), watched)
    return [point - w for point in watched.points]


@pytest.mark.parametrize("p", [1, 1.5, 2, INF])
@pytest.mark.parametrize("ball", BALLS)
@pytest.mark.parametrize("name", UP)
def test_epsilon_lies_on_the_rim_and_nothing_in_the_ball_rises_more(name, ball, p):
    """‖T⁻¹ε‖_p = ρ, and ε = 0 where T is 0; ⟨g, ε⟩ = ρ ‖T g‖_q with 1/p + 1/q = 1 is the most that Hölder allows."""
    its, unit = BALLS[ball]
    w, batch = start(), batches()[0]
    g = batch(w)[1]
    T, q = unit(g, w), {1: INF, INF: 1}.get(p) or p / (p - 1)
    eps = looked_at(VARIANTS[name](SGD(0.1), 0.3, p=p, ball=its, **UP[name]), w, batch)[-1]
    assert np.all(eps[T == 0] == 0)
    np.testing.assert_allclose(np.linalg.norm(eps / np.where(T == 0, 1, T), p, axis=-1), 0.3, rtol=1e-12)
    np.testing.assert_allclose(np.sum(g * eps, axis=-1), 0.3 * np.linalg.norm(T * g, q, axis=-1), rtol=1e-12)


@pytest.mark.parametrize("ball", BALLS)
@pytest.mark.parametrize("name", IS_SAM)
def test_what_is_sam_without_a_ball_is_sam_in_any_ball(name, ball):
    settings = {"l2": 0.01, "ball": BALLS[ball][0]}
    assert_same_bits(VARIANTS[name](MOMENTUM, 0.3, **IS_SAM[name], **settings), SAM(MOMENTUM, 0.3, **settings))


@pytest.mark.parametrize("ball", [Adaptive(mask=np.zeros(N)), Fisher(0.0), Only(np.ones(N))], ids=["A", "F", "O"])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_ball_whose_units_are_1_is_none_bit_for_bit(name, ball):
    for p in (2, INF):
        assert_same_bits(*(VARIANTS[name](MOMENTUM, 0.3, p=p, ball=unit) for unit in (ball, None)))


@pytest.mark.parametrize("ball", ["Adaptive", "Fisher"])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_heeds_its_ball(name, ball):
    """After the second step at the latest: some first look along what an earlier step has left."""
    paths = [
        run(VARIANTS[name](MOMENTUM, 0.3, ball=unit, **UP.get(name, {})), start(), batches(2))[0]
        for unit in (BALLS[ball][0], None)
    ]
    assert np.abs(paths[0][-1] - paths[1][-1]).max() > 1e-6


@pytest.mark.parametrize("base", BASES)
def test_variants_named_after_a_ball_are_sam_in_it_bit_for_bit(base):
    base, settings = BASES[base], {"l2": 0.01}
    for p in (1, 2, 3, INF):
        assert_same_bits(ASAM(base, 0.3, p, **settings), SAM(base, 0.3, p, ball=Adaptive(), **settings))
        assert_same_bits(
            ASAM(base, 0.3, p, eta=0.2, mask=MASK, **settings), SAM(base, 0.3, p, ball=Adaptive(0.2, MASK), **settings)
        )
        assert_same_bits(ASAM(base, 0.3, p, model=MODEL), SAM(base, 0.3, p, ball=Adaptive(model=MODEL)))
        assert_same_bits(FisherSAM(base, 0.3, p, eta=9.0), SAM(base, 0.3, p, ball=Fisher(9.0)))
        assert_same_bits(SAMON(base, 0.3, p, mask=MASK), SAM(base, 0.3, p, ball=Only(MASK)))


def test_some_weights_only_in_units_of_their_size_is_asam_on():
    """Mueller et al. 2023, section 3: ASAM-ON is ASAM with the other weights left where they are."""
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0] + 0.1
    mask, g = LINEAR.mask("weights", "float64"), gradient(w, batch.x, batch.y)
    T = mask * (np.abs(w) + 0.01)
    eps = 0.3 * T**2 * g / np.linalg.norm(T * g)
    path, (info,), _ = run(SAM(SGD(0.1), 0.3, ball=Only(mask, Adaptive())), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * gradient(w + eps, batch.x, batch.y), rtol=1e-13)
    np.testing.assert_allclose(info["eps_norm"], np.linalg.norm(eps), rtol=1e-13)


def test_gsam_over_asams_ball_is_its_formula():
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0] + 0.1
    g = gradient(w, batch.x, batch.y)
    T = np.abs(w) + 0.02
    g_adv = gradient(w + 0.3 * T**2 * g / np.linalg.norm(T * g), batch.x, batch.y)
    d = g_adv - 0.4 * (g - (g @ g_adv) / (g_adv @ g_adv) * g_adv)
    path, _, _ = run(GSAM(SGD(0.1), 0.3, ball=Adaptive(0.02), l2=0.05), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (d + 0.1 * w), rtol=1e-12)


@pytest.mark.parametrize("ball", BALLS)
@given(steps=st.integers(1, 5), alpha=st.floats(0, 1), rho=st.floats(0, 1), p=st.sampled_from([2, INF]))
def test_no_step_of_ascent_leaves_the_ball(ball, steps, alpha, rho, p):
    its, unit = BALLS[ball]
    w, batch = start(), batches()[0]
    T = unit(batch(w)[1], w)
    for eps in looked_at(MultiStepSAM(SGD(0.1), rho, p=p, steps=steps, alpha=alpha, ball=its), w, batch):
        assert np.all(eps[T == 0] == 0)
        assert np.all(np.linalg.norm(eps / np.where(T == 0, 1, T), p, axis=-1) <= rho * (1 + 1e-12) + 1e-14)


@pytest.mark.parametrize("p", [2, INF])
def test_several_ascent_steps_in_a_ball_are_the_formula(p):
    """δ ← Π(δ + `epsilon(T g, α, p)`), ε = T δ, with T of w: Fisher's units are those of the first gradient."""
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    T = (1 + 3 * gradient(w, batch.x, batch.y) ** 2) ** -0.5
    delta = np.zeros(16)
    for _ in range(5):
        d = T * gradient(w + T * delta, batch.x, batch.y)
        delta = delta + 0.1 * (np.sign(d) if p == INF else d / np.linalg.norm(d))
        delta = np.clip(delta, -0.25, 0.25) if p == INF else delta * min(1, 0.25 / np.linalg.norm(delta))
    optimizer = MultiStepSAM(SGD(0.1), 0.25, p=p, steps=5, alpha=0.1, ball=Fisher(3.0))
    np.testing.assert_allclose(looked_at(optimizer, w, batch)[-1], T * delta, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda eta: SAM(SGD(0.1), 0.3, ball=Adaptive(eta)), {"eta": [0.0, 0.1]}),
        (lambda rho, eta: GSAM(SGD(0.1), rho, ball=Only(MASK, Fisher(eta))), {"rho": [0.1, 0.3], "eta": [0.0, 9.0]}),
        (lambda alpha: MultiStepSAM(SGD(0.1), 0.3, alpha=alpha, ball=Adaptive(mask=MASK)), {"alpha": [0.1, 0.2]}),
    ],
)
def test_they_sweep(make, values, device):
    assert_sweeps(device, make, **values)


def test_only_asks_which_weights():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'mask'"):
        Only()
    with pytest.raises(TypeError, match=r"mask must be an array \(n,\) of numbers, got None"):
        Only(None)


def test_fisher_units_of_a_gradient_whose_square_is_above_the_largest_float():
    T = Fisher(1.0).unit(np.array([2e19, 0.0], dtype="float32"), None)
    np.testing.assert_allclose(T, [5e-20, 1], rtol=1e-6)
    assert T.dtype == np.float32


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Only(MASK, of="x"), "of must be a ball such as Adaptive(), got 'x'"),
        (lambda: Adaptive(model="x"), "model must be a model such as mlp((2, 32, 2)) or None, got 'x'"),
        (lambda: ASAM(SGD(0.1), model=np.ones(3)), "model must be a model such as mlp((2, 32, 2)) or None"),
    ],
)
def test_what_is_no_ball_and_no_model_is_named(make, says):
    with pytest.raises(TypeError, match=re.escape(says)):
        make()

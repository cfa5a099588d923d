"""Look somewhere at random: smoothed losses, and measures of curvature that random looks estimate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from restated import filter_lengths
from variants import (
    BASES,
    LINEAR,
    MODEL,
    Watched,
    assert_same_bits,
    assert_sweeps,
    batches,
    by_hand,
    gradient,
    run,
    start,
    unit,
)

from minisam import SAM, SGD, Quadratic, value_and_grad
from minisam.draws import stream
from minisam.sam import RSAM, RWP, FrobeniusSAM, TraceSAM

H = np.diag([5.0, 3.0, 1.0, 0.2])
W4 = np.random.default_rng(1).standard_normal((3, 4))
BOWL = value_and_grad(Quadratic(H))


def normal(seed, t, n):
    """The library's numbers of step t."""
    return stream("weight noise", seed, 0, t).standard_normal(n)


def random_look(seed, t, n):
    """The numbers of look t, of which a step has several."""
    return stream("random looks", seed, 0, t).standard_normal(n)


def noise(w, t, per_filter):
    return 0.3 * normal(5, t, 16) * (filter_lengths(w) if per_filter else 1)


def taken(optimizer, w, loss_and_grad):
    """What the first step takes, at a step size of 1."""
    return w - optimizer.step(w, optimizer.init(w), loss_and_grad)[0]


# --- random weight perturbation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("model", [None, MODEL])
def test_without_noise_it_is_the_base_bit_for_bit(base, model):
    assert_same_bits(RWP(BASES[base], sigma=0, model=model), BASES[base])


@pytest.mark.parametrize("per_filter", [False, True])
def test_a_plain_step_is_the_gradient_at_a_random_point(per_filter):
    w = start(LINEAR)[0] + 0.1
    model = LINEAR if per_filter else None
    path, told, _ = run(RWP(SGD(0.1), sigma=0.3, seed=5, model=model, l2=0.05), w, batches(model=LINEAR))
    for t, batch in enumerate(batches(model=LINEAR)):
        xi = noise(w, t, per_filter)
        w = w - 0.1 * (gradient(w + xi, batch.x, batch.y) + 0.1 * w)
        np.testing.assert_allclose(path[t], w, rtol=1e-11)
        np.testing.assert_allclose(told[t]["eps_norm"], np.linalg.norm(xi), rtol=1e-11)
        assert told[t]["evaluations"] == 1


@pytest.mark.parametrize("per_filter", [False, True])
def test_a_mixed_step_takes_half_the_batch_at_w_and_half_at_the_random_point(per_filter):
    w = start(LINEAR)[0] + 0.1
    optimizer = RWP(SGD(0.1), sigma=0.3, lam=0.7, seed=5, model=LINEAR if per_filter else None)
    path, told, _ = run(optimizer, w, batches(model=LINEAR))
    for t, batch in enumerate(batches(model=LINEAR)):
        xi = noise(w, t, per_filter)
        g, g_noisy = gradient(w, batch.x[:4], batch.y[:4]), gradient(w + xi, batch.x[4:], batch.y[4:])
        w = w - 0.1 * (0.3 * g + 0.7 * g_noisy)
        np.testing.assert_allclose(path[t], w, rtol=1e-11)
        np.testing.assert_allclose(told[t]["eps_norm"], np.linalg.norm(xi), rtol=1e-11)
        assert told[t]["evaluations"] == 1  # half a batch is half a gradient


def test_with_lambda_0_it_is_the_base_on_half_of_each_batch():
    halves = [batch.parts(2)[0] for batch in batches()]
    path, _, _ = run(RWP(SGD(0.1), sigma=0.3, lam=0), start(), batches())
    np.testing.assert_array_equal(path, run(SGD(0.1), start(), halves)[0])


@pytest.mark.parametrize("lam", [1.0, 0.4])
def test_on_average_it_descends_the_smoothed_loss(lam):
    """For L = Σ wᵢ⁴/4, E L(w + ξ) has the gradient w³ + 3σ² w, exactly; within four standard errors."""
    k, sigma, w = 4000, 0.3, np.array([1.0, -0.5, 2.0])

    class Quartic:
        def __init__(self, examples):
            self.x = np.zeros((examples, 1))

        def __call__(self, v):
            return np.sum(v**4, axis=-1) / 4, v**3

        def parts(self, k):
            return [Quartic(1)] * k

    optimizer = RWP(SGD(1.0), sigma=sigma, lam=lam, seed=np.arange(k)[:, None])
    d = taken(optimizer, np.broadcast_to(w, (k, 3)), Quartic(2))
    assert np.all(np.abs(d.mean(axis=0) - (w**3 + lam * 3 * sigma**2 * w)) < 4 * d.std(axis=0) / np.sqrt(k))


def test_the_smoothed_quadratic_is_higher_by_the_trace():
    """E L(w + ξ) − L(w) = ½ Σ σ²‖f‖² tr H_ff, with the model's filters; within four standard errors."""
    w, k = start(LINEAR)[0] + 0.1, 4000
    root = np.random.default_rng(3).standard_normal((16, 16))
    full = Quadratic(root @ root.T)
    watched = Watched(value_and_grad(full))
    optimizer = RWP(SGD(1.0), sigma=0.2, model=LINEAR, seed=np.arange(k)[:, None])
    taken(optimizer, np.broadcast_to(w, (k, 16)), watched)
    rise = full(watched.points[0]) - full(w)
    expected = 0.5 * 0.2**2 * np.sum(filter_lengths(w) ** 2 * np.diag(full.H))
    assert abs(rise.mean() - expected) < 4 * rise.std() / np.sqrt(k)


# --- random SAM ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("model", [None, MODEL])
def test_without_a_random_start_it_is_sam_bit_for_bit(base, model):
    assert_same_bits(RSAM(BASES[base], 0.3, sigma=0, model=model, l2=0.01), SAM(BASES[base], 0.3, l2=0.01))
    assert_same_bits(RSAM(BASES[base], 0.0, model=model), BASES[base])


@pytest.mark.parametrize("per_filter", [False, True])
def test_a_step_of_random_sam_is_its_formula(per_filter):
    w = start(LINEAR)[0] + 0.1
    optimizer = RSAM(SGD(0.1), 0.2, sigma=0.3, lam=0.7, seed=5, model=LINEAR if per_filter else None, l2=0.05)
    path, told, _ = run(optimizer, w, batches(model=LINEAR))
    for t, batch in enumerate(batches(model=LINEAR)):
        delta = noise(w, t, per_filter)
        eps = 0.2 * unit(delta + 0.7 * gradient(w + delta, batch.x, batch.y))
        w = w - 0.1 * (gradient(w + eps, batch.x, batch.y) + 0.1 * w)
        np.testing.assert_allclose(path[t], w, rtol=1e-11)
        np.testing.assert_allclose(told[t]["eps_norm"], 0.2, rtol=1e-12)
        assert told[t]["evaluations"] == 2


def test_without_a_gradient_the_direction_is_chance_alone_and_favours_none():
    """λ = 0: ε is uniform on the sphere, so E ε = 0 and E εεᵀ = ρ²/n; within four standard errors."""
    k, rho = 4000, 0.5
    watched = Watched(BOWL)
    taken(RSAM(SGD(1.0), rho, lam=0, seed=np.arange(k)[:, None]), np.zeros((k, 4)), watched)
    eps = watched.points[1]
    np.testing.assert_allclose(np.linalg.norm(eps, axis=-1), rho, rtol=1e-13)
    assert np.all(np.abs(eps.mean(axis=0)) < 4 * eps.std(axis=0) / np.sqrt(k))
    squares = eps**2
    assert np.all(np.abs(squares.mean(axis=0) - rho**2 / 4) < 4 * squares.std(axis=0) / np.sqrt(k))


# --- the trace -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("variant", [TraceSAM, FrobeniusSAM])
def test_lambda_0_is_the_base_bit_for_bit(base, variant):
    assert_same_bits(variant(BASES[base], 0.3, lam=0, samples=3), BASES[base])


def test_with_lambda_1_and_one_look_it_is_the_gradient_there_and_nothing_else():
    batch, w = batches()[0], start()
    watched = Watched(batch)
    d = taken(TraceSAM(SGD(1.0), 0.3, lam=1, seed=5), w, watched)
    np.testing.assert_array_equal(watched.points[1], w + 0.3 * random_look(5, 0, w.shape[-1]))
    np.testing.assert_array_equal(w - d, w - batch(watched.points[1])[1])


@pytest.mark.parametrize("samples", [1, 3])
def test_a_step_of_trace_sam_is_its_formula(samples):
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    optimizer = TraceSAM(SGD(0.1), 0.3, lam=0.7, samples=samples, seed=5, l2=0.05)
    path, told, _ = run(optimizer, w, [batch] * 2)
    for t in range(2):
        looks = [w + 0.3 * random_look(5, t * samples + k, 16) for k in range(samples)]
        g, *there = (gradient(v, batch.x, batch.y) for v in (w, *looks))
        w = w - 0.1 * (g + 0.7 * (sum(there) / samples - g) + 0.1 * w)
        np.testing.assert_allclose(path[t], w, rtol=1e-11)
        assert told[t]["evaluations"] == 1 + samples


def test_the_mean_gradient_at_random_looks_is_that_of_the_loss_plus_half_the_trace():
    """For L = Σ wᵢ⁴/4, E ∇L(w + ρx) = w³ + 3ρ² w = ∇(L + ρ² tr H/2), exactly; within four standard errors."""
    rho, k = 0.3, 4000
    w = np.array([1.0, -0.5, 2.0])
    quartic = lambda v: (np.sum(v**4, axis=-1) / 4, v**3)  # noqa: E731
    optimizer = TraceSAM(SGD(1.0), rho, seed=np.arange(k)[:, None])
    d = taken(optimizer, np.broadcast_to(w, (k, 3)), quartic)
    assert np.all(np.abs(d.mean(axis=0) - (w**3 + 3 * rho**2 * w)) < 4 * d.std(axis=0) / np.sqrt(k))


# --- the Frobenius norm ----------------------------------------------------------------------------------------------


def test_a_step_of_frobenius_sam_is_the_gradient_of_the_variance():
    """∇[L + λ/(2ρ²) Var L(w + ρ xᵢ)] over the looks xᵢ, Var with n − 1, by central differences."""
    batch, w = batches(model=LINEAR)[0], start(LINEAR)[0]
    rho, lam, x = 0.3, 0.2, [random_look(5, k, 16) for k in range(4)]

    def loss(v):
        return by_hand(v, batch.x, batch.y)[0].mean()

    def objective(v):
        return loss(v) + lam / (2 * rho**2) * np.var([loss(v + rho * a) for a in x], ddof=1)

    slope = [(objective(w + h) - objective(w - h)) / 2e-5 for h in 1e-5 * np.eye(16)]
    path, (info,), _ = run(FrobeniusSAM(SGD(0.1), rho, lam=lam, samples=4, seed=5, l2=0.05), w, [batch])
    np.testing.assert_allclose(path[0], w - 0.1 * (np.array(slope) + 0.1 * w), rtol=1e-8)
    assert info["evaluations"] == 5


def test_on_a_quadratic_the_expected_penalty_is_a_gradient_norm():
    """Var = ρ²‖g‖² + ρ⁴‖H‖²_F/2, so the mean step is g + λ H g; within four standard errors."""
    k, lam, w = 4000, 0.3, W4[0]
    optimizer = FrobeniusSAM(SGD(1.0), 0.1, lam=lam, samples=2, seed=np.arange(k)[:, None])
    d = taken(optimizer, np.broadcast_to(w, (k, 4)), BOWL)
    assert np.all(np.abs(d.mean(axis=0) - (w @ H + lam * w @ H @ H)) < 4 * d.std(axis=0) / np.sqrt(k))


@given(st.integers(0, 100), st.integers(2, 4))
def test_a_constant_added_to_the_loss_changes_nothing(seed, samples):
    frobenius = FrobeniusSAM(SGD(1.0), 0.3, lam=0.2, samples=samples, seed=seed)
    shifted = lambda w: (BOWL(w)[0] + 3.0, BOWL(w)[1])  # noqa: E731
    np.testing.assert_allclose(taken(frobenius, W4, shifted), taken(frobenius, W4, BOWL), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("variant", [TraceSAM, FrobeniusSAM])
def test_looks_are_drawn_from_the_seed_anew_each_step(variant):
    def looks(seed):
        watched = Watched(BOWL)
        run(variant(SGD(0.0), 0.3, samples=2, seed=seed), W4, [watched] * 2)
        return np.array(watched.points) - W4

    eps = looks(3)
    assert len({float(e) for e in eps[[1, 2, 4, 5], 0, 0]}) == 4
    np.testing.assert_allclose(eps[:, 0], eps[:, 1], atol=1e-15)  # one seed, the same for all replicas
    each_its_own = looks(np.array([[3], [4], [5]]))
    np.testing.assert_array_equal(each_its_own[:, 0], eps[:, 0])
    assert np.abs(each_its_own[1, 0] - each_its_own[1, 1]).max() > 0.01


# --- what they take --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [lambda seed: RWP(SGD(0.1), sigma=0.3, seed=seed), lambda seed: RSAM(SGD(0.1), seed=seed)]
)
def test_an_array_of_seeds_gives_each_replica_its_own(make):
    def path(seed, w):
        return run(make(seed), w, [BOWL] * 3)[0]

    together = path(np.array([[3], [4], [5]]), W4)
    for k, seed in enumerate([3, 4, 5]):
        np.testing.assert_array_equal(together[:, k], path(seed, W4[k]))
    same = path(3, np.array([W4[0], W4[0]]))
    np.testing.assert_array_equal(same[:, 0], same[:, 1])  # one seed, the same for all replicas


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda sigma: RWP(SGD(0.1), sigma=sigma), {"sigma": [0.0, 0.1, 0.3]}),
        (lambda sigma: RWP(SGD(0.1), sigma=sigma, lam=0.5, model=MODEL), {"sigma": [0.0, 0.3]}),
        (
            lambda rho, sigma, lam: RSAM(SGD(0.1), rho, sigma=sigma, lam=lam),
            {"rho": [0.1], "sigma": [0.1], "lam": [0.3, 1.0]},
        ),
        (lambda rho, lam: TraceSAM(SGD(0.1), rho, lam=lam), {"rho": [0.0, 0.1], "lam": [0.3, 1.0]}),
        (lambda rho, lam: FrobeniusSAM(SGD(0.1), rho, lam=lam), {"rho": [0.005, 0.1], "lam": [0.0, 0.005]}),
    ],
)
def test_they_sweep(make, values, device):
    assert_sweeps(device, make, **values)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RWP(SGD(0.1), sigma=-1.0), "sigma must be ≥ 0, got -1.0"),
        (lambda: RWP(SGD(0.1), lam=1.5), r"lam must be in \[0, 1\], got 1.5"),
        (
            lambda: RWP(SGD(0.1), lam=np.array([0.5])),
            r"lam must be a number in \[0, 1\], not an array, got shape \(1,\)",
        ),
        (lambda: RWP(SGD(0.1), seed=0.5), r"seed must be a whole number ≥ 0, or an array \(..., 1\) of them, got 0.5"),
        (lambda: RSAM(SGD(0.1), -1.0), "rho must be ≥ 0, got -1.0"),
        (lambda: RSAM(SGD(0.1), sigma=-1.0), "sigma must be ≥ 0, got -1.0"),
        (lambda: RSAM(SGD(0.1), lam=-1.0), "lam must be ≥ 0, got -1.0"),
        (lambda: TraceSAM(SGD(0.1), samples=0), "samples must be a whole number ≥ 1, got 0"),
        (lambda: TraceSAM(SGD(0.1), lam=-1.0), "lam must be ≥ 0, got -1.0"),
        (
            lambda: TraceSAM(SGD(0.1), seed=-1),
            r"seed must be a whole number ≥ 0, or an array \(..., 1\) of them, got -1",
        ),
        (lambda: FrobeniusSAM(SGD(0.1), samples=1), "samples must be a whole number ≥ 2, got 1"),
        (lambda: FrobeniusSAM(SGD(0.1), 0), "rho must be > 0, got 0"),
        (lambda: FrobeniusSAM(SGD(0.1), -1.0), "rho must be > 0, got -1.0"),
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=f"^{says}$"):
        make()

"""Look somewhere at random."""

import numpy as np
import pytest
from variants import BASES, LINEAR, MODEL, Watched, assert_same_bits, assert_sweeps, batches, gradient, run, start, unit

from minisam import SAM, SGD, Quadratic, value_and_grad
from minisam.draws import stream
from minisam.sam import RSAM, RWP

H = np.diag([5.0, 3.0, 1.0, 0.2])
W4 = np.random.default_rng(1).standard_normal((3, 4))
BOWL = value_and_grad(Quadratic(H))


def normal(seed, t, n):
    """The library's numbers of step t."""
    return stream("weight noise", seed, 0, t).standard_normal(n)


def filter_scale(w):
    """‖f‖ at each weight of softmax regression's filters, the columns of W; |b| at biases."""
    return np.concatenate([np.tile(np.linalg.norm(w[:12].reshape(3, 4), axis=0), 3), np.abs(w[12:])])


def noise(w, t, per_filter):
    return 0.3 * normal(5, t, 16) * (filter_scale(w) if per_filter else 1)


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
        def __call__(self, v):
            return np.sum(v**4, axis=-1) / 4, v**3

        def parts(self, k):
            return [self] * k

    optimizer = RWP(SGD(1.0), sigma=sigma, lam=lam, seed=np.arange(k)[:, None])
    d = taken(optimizer, np.broadcast_to(w, (k, 3)), Quartic())
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
    expected = 0.5 * 0.2**2 * np.sum(filter_scale(w) ** 2 * np.diag(full.H))
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
    ],
)
def test_they_sweep(make, values):
    assert_sweeps(make, **values)


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
    ],
)
def test_a_wrong_argument_is_named(make, says):
    with pytest.raises(ValueError, match=f"^{says}$"):
        make()

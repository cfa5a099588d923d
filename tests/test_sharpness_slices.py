"""The truths of slices: closed forms, ends, and pictures that do not change where the function does not."""

import re

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_losses import rescaled, symmetric

from minisam import BatchLoss
from minisam.autodiff import value_and_grad
from minisam.models import cnn, mlp, vit
from minisam.sam import Quadratic
from minisam.sharpness import filter_normalised, interpolation, landscape, profile, worst_point

EPS = np.finfo("float64").eps
NET = mlp([3, 4, 2])
X, Y = np.random.default_rng(2).standard_normal((12, 3)), np.random.default_rng(3).integers(0, 2, 12)
ON_NET = BatchLoss(NET).on(X, Y)
W = np.random.default_rng(4).standard_normal((3, NET.size))
H, B = symmetric([0.5, 1.0, 4.0, -2.0]), np.array([1.0, -2.0, 0.5, 0.0])
BOWL = Quadratic(H, B)


# --- directions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [NET, cnn((4, 8), norm="batch"), vit(width=8, depth=1, heads=2)])
def test_each_filter_of_a_direction_is_as_long_as_that_of_the_weights(model):
    rng = np.random.default_rng(0)
    w, d = rng.standard_normal((2, model.size)), rng.standard_normal((2, model.size))
    found, of_w, of_d = (model.unflatten(a) for a in (filter_normalised(model, w, d), w, d))
    for name, shape in model.shapes.items():
        if len(shape) == 1:
            np.testing.assert_array_equal(found[name], 0.0)
            continue
        filters = range(shape[1] if len(shape) == 2 else shape[0])
        for replica in range(2):
            for f in filters:
                a, b, c = (
                    np.ravel(p[name][replica][:, f] if len(shape) == 2 else p[name][replica][f])
                    for p in (found, of_w, of_d)
                )
                np.testing.assert_allclose(np.linalg.norm(a), np.linalg.norm(b), rtol=1e-13)
                np.testing.assert_allclose(a * np.linalg.norm(c), c * np.linalg.norm(a), rtol=1e-13)


def test_a_filter_of_zeros_gives_no_direction():
    w = W[0].copy()
    w[:12].reshape(3, 4)[:, 1] = 0  # what the second hidden unit sees
    d = np.ones(NET.size)
    found = NET.unflatten(filter_normalised(NET, w, d))["W0"]
    np.testing.assert_array_equal(found[:, 1], 0.0)
    assert np.all(found[:, ::2] > 0)
    d[:12].reshape(3, 4)[:, 1] = 0
    assert np.isfinite(filter_normalised(NET, W[0], d)).all()


@pytest.mark.parametrize("by", [0.25, 3.0])
def test_filter_normalised_slices_are_the_same_for_the_same_function_in_other_weights(by):
    other = rescaled(W, by)
    for shape_of in (
        lambda w, model: profile(ON_NET, w, 1.0, 7, model=model)[1],
        lambda w, model: landscape(ON_NET, w, 1.0, 5, model=model)[1],
    ):
        before, after = shape_of(W, NET), shape_of(other, NET)
        np.testing.assert_allclose(after, before, rtol=1e-10)
        before, after = shape_of(W, None), shape_of(other, None)
        assert np.abs(after / before - 1).max() > 0.01


def test_a_random_direction_has_a_stream_of_its_own():
    """`model.init(seed)` draws from `default_rng(seed)`; a direction made of the same numbers would follow the weights."""
    seed, seen = 3, []
    profile(lambda w: seen.append(w) or w[..., 0], np.zeros(2000), 1.0, 3, seed)
    direction, raw = seen[0][2], np.random.default_rng(seed).standard_normal(4000)
    for other in (raw[:2000], raw[2000:], raw[::2], raw[1::2]):
        assert abs(direction @ other) / np.linalg.norm(other) < 5 / np.sqrt(
            2000
        )  # five standard deviations of a cosine


# --- landscapes and profiles -----------------------------------------------------------------------------------------


@given(n=st.integers(2, 9), lead=st.sampled_from([(), (1,), (2,), (2, 3)]), seed=st.integers(0, 99))
def test_slices_are_the_loss_on_a_line_and_a_plane_of_right_angles_for_each_replica(n, lead, seed):
    rng = np.random.default_rng(seed)
    w, toward = rng.standard_normal((*lead, n)), rng.standard_normal((*lead, n))
    first = toward / np.linalg.norm(toward, axis=-1, keepdims=True)

    def waves(v):
        return np.sum(np.cos(v), axis=-1)

    t, line = profile(waves, w, 1.5, 5, seed, toward)
    expected = np.stack([waves(w + s * first) for s in t], axis=-1)
    np.testing.assert_allclose(line, expected, rtol=1e-12, atol=1e-13)
    _, plane = landscape(waves, w, 1.5, 5, seed, toward)
    assert plane.shape == (*lead, 5, 5)
    np.testing.assert_allclose(plane[..., 2, :], line, rtol=1e-12, atol=1e-13)
    _, round_plane = landscape(lambda v: np.sum((v - w) ** 2, axis=-1), w, 1.5, 5, seed, toward)
    circles = np.broadcast_to(t**2 + t[:, None] ** 2, round_plane.shape)
    np.testing.assert_allclose(round_plane, circles, rtol=1e-12, atol=1e-13)


def test_a_landscape_of_a_quadratic_is_a_quadratic_in_two_numbers():
    w, toward = np.array([1.0, 0.5, -1.0, 2.0]), np.array([0.0, 1.0, 1.0, 0.0])
    t, values = landscape(BOWL, w, 2.0, 5, toward=toward)
    slope, bend = [], []
    for line in (values[2], values[:, 2]):  # along the first direction, and along the second
        a, b, _ = np.polyfit(t, line, 2)
        bend.append(2 * a)
        slope.append(b)
    u = toward / np.sqrt(2)
    np.testing.assert_allclose([slope[0], bend[0]], [(H @ w + B) @ u, u @ H @ u], rtol=1e-12)
    mixed = (values[4, 4] - values[4, 0] - values[0, 4] + values[0, 0]) / (4 * 2.0 * 2.0)  # uᵀHv
    np.testing.assert_allclose(
        values,
        BOWL(w) + slope[0] * t + slope[1] * t[:, None] + bend[0] * t**2 / 2 + bend[1] * t[:, None] ** 2 / 2
        + mixed * t * t[:, None],
        rtol=1e-11,
    )  # fmt: skip


def test_toward_the_worst_point_the_loss_at_distance_rho_is_the_worst():
    eps = worst_point(ON_NET, W, 0.3)
    t, values = profile(ON_NET, W, 0.3, 3, toward=eps)
    np.testing.assert_allclose(t, [-0.3, 0.0, 0.3], rtol=1e-15)
    np.testing.assert_allclose(values[:, 2], ON_NET(W + eps)[0], rtol=1e-12)
    np.testing.assert_allclose(values[:, 1], ON_NET(W)[0], rtol=1e-14)


def test_one_weight_has_one_direction():
    t, values = landscape(lambda w: w[..., 0] ** 2, np.array([1.0]), 2.0, 5, toward=np.array([3.0]))
    np.testing.assert_allclose(values, np.tile((1 + t) ** 2, (5, 1)), rtol=1e-14)


def test_one_point_is_the_centre():
    t, values = profile(BOWL, np.ones(4), 0.0, 1)
    assert t.tolist() == [0.0]
    np.testing.assert_allclose(values, BOWL(np.ones(4)), rtol=1e-14)


# --- interpolation ---------------------------------------------------------------------------------------------------


def test_an_interpolation_has_the_losses_of_its_ends():
    t, values = interpolation(ON_NET, W, W[::-1], points=5)
    np.testing.assert_allclose(t, [-0.5, 0.0, 0.5, 1.0, 1.5], atol=1e-15)
    assert values.shape == (3, 5)
    np.testing.assert_allclose(values[:, 1], ON_NET(W)[0], rtol=1e-14)
    np.testing.assert_allclose(values[:, 3], ON_NET(W[::-1])[0], rtol=1e-14)
    np.testing.assert_allclose(values[:, 2], ON_NET((W + W[::-1]) / 2)[0], rtol=1e-14)


def test_between_two_points_of_a_quadratic_the_loss_is_a_parabola():
    a, b = np.array([1.0, 2.0, 0.0, -1.0]), np.array([0.0, 1.0, 1.0, 3.0])
    t, values = interpolation(BOWL, a, b, 9, beyond=1.0)
    np.testing.assert_allclose(t, np.linspace(-1, 2, 9), atol=1e-15)
    d = b - a
    np.testing.assert_allclose(values, BOWL(a) + t * (d @ (H @ a + B)) + t**2 * (d @ H @ d) / 2, rtol=1e-12)


def test_backwards_it_is_the_same_line():
    (_, there), (_, back) = interpolation(ON_NET, W[0], W[1]), interpolation(ON_NET, W[1], W[0])
    np.testing.assert_allclose(there, back[::-1], rtol=1e-12)


# --- replicas, progress, errors --------------------------------------------------------------------------------------

SLICES = {
    "landscape": lambda w: landscape(ON_NET, w, 1.0, 3)[1],
    "landscape, filter-normalised": lambda w: landscape(ON_NET, w, 1.0, 3, model=NET)[1],
    "profile": lambda w: profile(ON_NET, w, 1.0, 3)[1],
    "interpolation": lambda w: interpolation(ON_NET, w, 0 * w, 3)[1],
}


@pytest.mark.parametrize("name", SLICES)
def test_replicas_equal_separate_slices(name):
    together = SLICES[name](W.reshape(3, 1, -1))
    assert together.dtype == "float64"
    np.testing.assert_allclose(together[:, 0], [SLICES[name](w) for w in W], rtol=1e-12)


def test_a_loss_may_come_with_its_gradient():
    f = value_and_grad(lambda w: anp.sum(w**4, axis=-1))
    for slice_of in (
        lambda loss: landscape(loss, W[0], 1.0, 3)[1],
        lambda loss: profile(loss, W[0], 1.0, 3)[1],
        lambda loss: interpolation(loss, W[0], W[1], 3)[1],
    ):
        np.testing.assert_array_equal(slice_of(f), slice_of(lambda w: f(w)[0]))


def test_progress_is_shown_where_it_is_asked_for(capsys):
    landscape(BOWL, np.ones(4), 1.0, 3)
    assert capsys.readouterr().err == ""
    landscape(BOWL, np.ones(4), 1.0, 3, progress=True)
    shown = capsys.readouterr().err
    assert "/3 [" in shown
    assert "row/s" in shown


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: landscape(BOWL, np.ones(4), 1.0, 0), "points must be a whole number ≥ 1, got 0"),
        (lambda: profile(BOWL, np.ones(4), 1.0, -1), "points must be a whole number ≥ 1, got -1"),
        (lambda: profile(BOWL, np.ones(4), np.nan), "radius must be ≥ 0, got nan"),
        (lambda: landscape(BOWL, np.ones(4), -1.0), "radius must be ≥ 0, got -1.0"),
        (lambda: landscape(BOWL, np.ones(4), 1.0, seed=-1), "seed must be a whole number ≥ 0, got -1"),
        (lambda: interpolation(BOWL, np.ones(4), np.zeros(4), 0), "points must be a whole number ≥ 1, got 0"),
        (lambda: interpolation(BOWL, np.ones(4), np.zeros(4), beyond=-0.1), "beyond must be ≥ 0, got -0.1"),
        (lambda: filter_normalised(NET, np.ones(4), np.ones(4)), "w must have shape (..., 26), got (4,)"),
    ],
)
def test_what_is_refused_is_named(draw, says):
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        draw()

"""Models: flat weights and their views, initial weights, the forward pass."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minisam import mlp
from minisam.models import glorot, he
from minisam.ops import gelu


def plain(activation, parameters, x, layers):
    """An MLP written out in NumPy."""
    act = {"relu": lambda z: np.where(z > 0, z, 0), "tanh": np.tanh, "gelu": gelu}[activation]
    for k in range(layers):
        x = x @ parameters[f"W{k}"] + parameters[f"b{k}"]
        if k < layers - 1:
            x = act(x)
    return x


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_an_mlp_is_affine_layers_with_an_activation_between(activation):
    model = mlp([4, 6, 5, 3], activation)
    x = np.random.default_rng(0).standard_normal((7, 4))
    w = model.init(0, "float64") + 0.1  # so that biases count
    expected = plain(activation, model.unflatten(w), x, 3)
    np.testing.assert_allclose(model.apply(w, x), expected, rtol=1e-12)


def test_names_and_shapes():
    model = mlp([4, 6, 3])
    assert model.shapes == {"W0": (4, 6), "b0": (6,), "W1": (6, 3), "b1": (3,)}
    assert model.size == 4 * 6 + 6 + 6 * 3 + 3
    assert model.init(0).dtype == np.float32
    assert mlp([4, 3]).shapes == {"W0": (4, 3), "b0": (3,)}


@pytest.mark.parametrize("lead", [(), (3,), (2, 2)])
def test_parameters_are_views_of_the_flat_vector(lead):
    model = mlp([4, 6, 3])
    w = np.zeros((*lead, model.size))
    views = model.unflatten(w)
    for name, shape in model.shapes.items():
        assert views[name].shape == (*lead, *shape)
        assert np.shares_memory(views[name], w)
    views["b1"][...] = 5
    np.testing.assert_array_equal(w[..., -3:], 5)
    assert np.count_nonzero(w) == w[..., -3:].size


@settings(max_examples=25)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=4), st.sampled_from([(), (3,), (2, 2)]))
def test_flatten_is_the_opposite_of_unflatten(sizes, lead):
    model = mlp(sizes)
    w = np.random.default_rng(0).standard_normal((*lead, model.size))
    np.testing.assert_array_equal(model.flatten(model.unflatten(w)), w)


def test_a_sequence_of_seeds_gives_the_weights_of_each():
    model = mlp([4, 6, 3])
    many = model.init([5, 6, 7])
    assert many.shape == (3, model.size)
    for row, seed in zip(many, [5, 6, 7], strict=True):
        np.testing.assert_array_equal(row, model.init(seed))
    assert not np.array_equal(model.init(5), model.init(6))
    np.testing.assert_array_equal(model.init(np.array([[5, 6], [7, 8]]))[1, 0], model.init(7))


def test_replicas_are_separate_models():
    model = mlp([4, 6, 3])
    w, x = model.init([0, 1], "float64"), np.random.default_rng(0).standard_normal((2, 5, 4))
    both = model.apply(w, x)
    for k in range(2):
        np.testing.assert_allclose(both[k], model.apply(w[k], x[k]), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("draw", "variance"), [(he, 2 / 200), (glorot, 2 / (200 + 300))])
def test_initial_weights_have_the_variance_of_the_paper(draw, variance):
    sample = draw(np.random.default_rng(0), 200, 300)
    # the variance of 60,000 draws is within 4 standard errors, √(2/60,000) each (less for the uniform)
    assert abs(sample.var() / variance - 1) < 4 * np.sqrt(2 / sample.size)
    assert abs(sample.mean()) < 4 * np.sqrt(variance / sample.size)
    if draw is glorot:
        assert np.abs(sample).max() <= np.sqrt(6 / 500)


def test_biases_start_at_zero_and_the_initialiser_is_used():
    model = mlp([200, 300, 2], init="glorot")
    drawn = model.unflatten(model.init(0))
    np.testing.assert_array_equal(drawn["b0"], 0)
    assert np.abs(drawn["W0"]).max() <= np.float32(np.sqrt(6 / 500))
    assert np.abs(mlp([200, 300, 2]).unflatten(mlp([200, 300, 2]).init(0))["W0"]).max() > np.sqrt(6 / 500)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mlp([4]), r"sizes must be a sequence of at least 2 whole numbers ≥ 1, got \[4\]"),
        (lambda: mlp([4, 0, 2]), r"sizes must be .*got \[4, 0, 2\]"),
        (lambda: mlp([4, 2], "swish"), "activation must be one of 'relu', 'tanh', 'gelu', got 'swish'"),
        (lambda: mlp([4, 2], init="zeros"), "init must be one of 'he', 'glorot', got 'zeros'"),
        (lambda: mlp([4, 2]).apply(np.zeros(9), np.zeros((3, 4))), r"w must have shape \(\.\.\., 10\), got \(9,\)"),
        (
            lambda: mlp([4, 2]).apply(np.zeros(10), np.zeros((3, 5))),
            r"x must have shape \(\.\.\., m, 4\), got \(3, 5\)",
        ),
        (lambda: mlp([4, 2]).apply(np.zeros(10), np.zeros(4)), r"x must have shape \(\.\.\., m, 4\), got \(4,\)"),
        (lambda: mlp([4, 2]).flatten({"W0": np.zeros((4, 2))}), "parameters must be named W0, b0, got W0"),
        (
            lambda: mlp([4, 2]).flatten({"W0": np.zeros((2, 4)), "b0": np.zeros(2)}),
            r"W0 must have shape \(\.\.\., 4, 2\), got \(2, 4\)",
        ),
    ],
)
def test_what_is_refused_is_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()

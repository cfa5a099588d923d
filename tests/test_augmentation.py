"""Augmentation: what crops and flips make of an image, who draws what, and that it changes nothing else in a training."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam import SAM, SGD, array_backend, cnn, data, mlp, train
from minisam.data import crops_and_flips
from minisam.draws import per_seed
from minisam.training.augment import augmented

RNG = np.random.default_rng(0)
SHAPE, MODEL = (2, 4, 5), mlp((40, 6, 3), "tanh")
X, Y = RNG.standard_normal((24, 40)).astype("float32"), RNG.integers(0, 3, 24)
CROPS = crops_and_flips(SHAPE, padding=2)
SETTINGS = {"epochs": 2, "batch_size": 8, "progress": False}


def pictures(image, padding, flips):
    """All that may become of an image (c, *space), cut out of a frame of zeros as anyone would, mirrored or not."""
    space, frame = image.shape[1:], np.pad(image, [(0, 0), *[(padding, padding)] * (image.ndim - 1)])
    for corner in np.ndindex(*[2 * padding + 1] * len(space)):
        cut = frame[(slice(None), *(slice(a, a + size) for a, size in zip(corner, space, strict=True)))]
        yield cut
        if flips:
            yield cut[..., ::-1]


def brighter(x, draw):
    by = draw(lambda rng: rng.uniform(0.8, 1.2, x.shape[-2]))
    return x * array_backend.asarray(by[..., None], dtype=x.dtype)


# --- crops and flips -------------------------------------------------------------------------------------------------


@given(
    st.sampled_from([(1, 3, 4), (2, 4, 3), (3, 2, 2), (2, 5)]), st.integers(0, 3), st.booleans(), st.integers(0, 1000)
)
def test_each_image_becomes_one_of_its_crops_mirrored_or_not(shape, padding, flips, seed):
    x = np.random.default_rng(seed).standard_normal((6, np.prod(shape)))
    found = augmented(crops_and_flips(shape, padding, flips), x, seed, 3)
    assert found.dtype == x.dtype
    for image, picture in zip(x.reshape(6, *shape), found.reshape(6, *shape), strict=True):
        assert any(np.array_equal(picture, one) for one in pictures(image, padding, flips))


@pytest.mark.parametrize("flips", [False, True])
def test_every_crop_is_as_probable_as_any_other(flips):
    """χ² over the pictures of 20,000 copies of one image, whose pixels all differ, within five deviations of its mean."""
    shape, many = (1, 3, 2), 20_000
    image = np.arange(1.0, 7).reshape(shape)
    kinds = [one.tobytes() for one in (np.ascontiguousarray(p) for p in pictures(image, 1, flips))]
    assert len(set(kinds)) == len(kinds) == (18 if flips else 9)
    found = augmented(crops_and_flips(shape, 1, flips), np.tile(image.ravel(), (many, 1)), 0, 0)
    seen = [row.tobytes() for row in found]
    n = np.array([seen.count(kind) for kind in kinds])
    assert n.sum() == many
    mean = many / len(kinds)
    chi2, degrees = ((n - mean) ** 2 / mean).sum(), len(kinds) - 1
    assert abs(chi2 - degrees) < 5 * np.sqrt(2 * degrees)


def test_without_frame_and_flips_nothing_moves():
    np.testing.assert_array_equal(augmented(crops_and_flips(SHAPE, 0, flips=False), X, 0, 0), X)


def test_all_channels_of_an_image_move_together():
    same = np.tile(RNG.standard_normal((9, 1, 20)), (1, 2, 1)).reshape(9, 40)
    found = augmented(CROPS, same, 0, 0).reshape(9, 2, 20)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])


def test_images_of_a_batch_move_apart():
    found = augmented(CROPS, np.tile(X[:1], (20, 1)), 0, 0)
    assert len({row.tobytes() for row in found}) > 10


@pytest.mark.parametrize("augment", [CROPS, brighter])
def test_on_a_device_the_pictures_are_the_same(augment, device):
    expected = augmented(augment, X, 5, 7)
    with device.in_use():
        device.assert_close(augmented(augment, array_backend.asarray(X), 5, 7), expected, rtol=1e-6)


# --- in a training ---------------------------------------------------------------------------------------------------


def test_each_seed_and_step_draws_its_own_and_a_seed_what_it_draws_alone():
    x = np.stack([X[:8]] * 3)
    together = augmented(CROPS, x, [4, 5, 6], 9)
    for k, seed in enumerate([4, 5, 6]):
        np.testing.assert_array_equal(together[k], augmented(CROPS, X[:8], seed, 9))
    assert not np.array_equal(together[0], together[1])
    assert not np.array_equal(augmented(CROPS, X[:8], 4, 10), together[0])


@pytest.mark.parametrize("augment", [CROPS, brighter])
def test_a_replica_is_trained_as_alone(augment):
    together = train(
        MODEL,
        (X, Y),
        lambda rho: SAM(SGD(0.1), rho),
        seed=[3, 4],
        sweep={"rho": [0.0, 0.1]},
        augment=augment,
        **SETTINGS,
    )
    for rho in (0.0, 0.1):
        for seed in (3, 4):
            alone = train(MODEL, (X, Y), SAM(SGD(0.1), rho), seed=seed, augment=augment, **SETTINGS)
            np.testing.assert_array_equal(together.select(rho=rho, seed=seed).w, alone.w)
    plain = train(MODEL, (X, Y), SAM(SGD(0.1), 0.1), seed=4, **SETTINGS)
    assert not np.array_equal(together.select(rho=0.1, seed=4).w, plain.w)


def test_both_passes_of_sam_see_the_same_pictures():
    """One epoch of one batch is a step on the pictures of step 0."""
    run = train(MODEL, (X, Y), SAM(SGD(0.1), 0.1), 1, 24, augment=CROPS, dtype="float64", progress=False)
    i = data.batches(24, 24, 0, 0)[0]
    rows = augmented(CROPS, X[i].astype("float64"), 0, 0)
    by_hand = train(MODEL, (rows, Y[i]), SAM(SGD(0.1), 0.1), 1, 24, dtype="float64", progress=False)
    np.testing.assert_allclose(run.w, by_hand.w, rtol=1e-9, atol=1e-12)  # its batch is in another order


def test_steps_are_counted_from_the_first_epoch_on():
    seen = []

    def watched(x, draw):
        seen.append(draw(lambda rng: rng.random(2)))
        return x

    train(MODEL, (X, Y), SGD(0.1), seed=7, augment=watched, **SETTINGS)
    steps = [per_seed(lambda rng: rng.random(2), "augmentation", 0, t, 7) for t in range(6)]
    np.testing.assert_array_equal(seen, steps)


def test_replicas_with_labels_of_their_own_are_trained_as_alone():
    digits = data.digits(train=40)

    def noisy(noise, seed):
        return data.symmetric_noise(digits, noise, seed)

    options = SETTINGS | {"augment": crops_and_flips(digits.shape, 1, flips=False)}
    run = train(mlp((64, 10)), noisy, SGD(0.1), seed=[0, 1], sweep={"noise": [0.0, 0.4]}, **options)
    alone = train(mlp((64, 10)), noisy(0.4, 1), SGD(0.1), seed=1, **options)
    np.testing.assert_array_equal(run.select(noise=0.4, seed=1).w, alone.w)


def test_validation_data_stay_as_they_are():
    digits = data.digits(train=40, validation=50)
    run = train(mlp((64, 10)), digits, SGD(0.1), augment=crops_and_flips(digits.shape), **SETTINGS)
    measured = run.evaluate(digits.x_validation, digits.y_validation)
    for key, value in measured.items():
        assert run.history[f"validation_{key}"][-1] == value


@pytest.mark.parametrize("augment", [CROPS, brighter])
def test_a_resumed_training_ends_with_the_same_bits(augment, tmp_path):
    options = {"seed": [0, 1], "augment": augment, "batch_size": 8, "progress": False}
    whole = train(MODEL, (X, Y), SAM(SGD(0.1)), 3, **options)
    train(MODEL, (X, Y), SAM(SGD(0.1)), 1, **options, checkpoint=tmp_path / "run.npz")
    resumed = train(MODEL, (X, Y), SAM(SGD(0.1)), 3, **options, checkpoint=tmp_path / "run.npz")
    np.testing.assert_array_equal(resumed.w, whole.w)
    for other in (None, crops_and_flips(SHAPE, padding=1), lambda x, draw: x):
        with pytest.raises(ValueError, match=r"belongs to another training: .*\(augment was .*, is "):
            train(MODEL, (X, Y), SAM(SGD(0.1)), 3, **options | {"augment": other}, checkpoint=tmp_path / "run.npz")


def test_on_a_device_a_training_is_the_same(device):
    model = cnn((3,), SHAPE, 3)
    expected = train(model, (X, Y), SAM(SGD(0.1)), seed=[0, 1], augment=CROPS, dtype="float64", **SETTINGS)
    with device.in_use():
        run = train(model, (X, Y), SAM(SGD(0.1)), seed=[0, 1], augment=CROPS, dtype="float64", **SETTINGS)
        device.assert_close(run.w, expected.w, rtol=1e-9, atol=1e-12)


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("augment", "error", "says"),
    [
        ("flip", TypeError, r"augment must be a function \(x, draw\) -> x such as crops_and_flips"),
        (lambda x: x, TypeError, r"augment must be a function \(x, draw\) -> x such as .*, got "),
        (crops_and_flips, TypeError, r"augment must be a function \(x, draw\) -> x"),
        (lambda x, draw: x[..., :3], ValueError, r"augment must return rows as x has, \(8, 40\) float32, got \(8, 3\)"),
        (lambda x, draw: x.astype("float64"), ValueError, r"augment must return .*float32, got \(8, 40\) float64"),
        (lambda x, draw: None, ValueError, r"augment must return rows as x has, \(8, 40\) float32, got None"),
        (lambda x, draw: draw(3), TypeError, r"draw must be a function generator -> array \(k,\), got 3"),
        (
            crops_and_flips((1, 4, 5)),
            ValueError,
            r"shape must be that of the images, rows of 40 numbers, got \(1, 4, 5\)",
        ),
    ],
)
def test_what_is_no_augmentation_is_named(augment, error, says):
    with pytest.raises(error, match=says):
        train(MODEL, (X, Y), SGD(0.1), augment=augment, **SETTINGS)


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        (
            {"shape": (40,)},
            ValueError,
            r"shape must be \(channels, height, width\) or \(channels, length\), got \(40,\)",
        ),
        ({"shape": 40}, ValueError, "shape must be a sequence of at least 1 whole numbers ≥ 1, got 40"),
        ({"shape": SHAPE, "padding": -1}, ValueError, "padding must be a whole number ≥ 0, got -1"),
        ({"shape": SHAPE, "flips": 1}, TypeError, "flips must be True or False, got 1"),
    ],
)
def test_what_are_no_crops_is_named(settings, error, says):
    with pytest.raises(error, match=says):
        crops_and_flips(**settings)

"""The main job: three methods, a fair number of gradients each, and every number of the table from its own samples."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from minisam import SAM, data, demo, hvp, mlp, train, value_and_grad
from minisam.stats import mean_and_interval

SETTINGS = {"seeds": 3, "epochs": 2, "rho": 0.1, "base": "sgd", "l2": 1e-3}
STEPS = 900 // demo.BATCH


@pytest.fixture(scope="module")
def rows():
    return demo.run(**SETTINGS, progress=False)


def test_three_methods_are_compared_and_the_third_spends_as_much_as_sam(rows):
    assert [row.method for row in rows] == ["SGD", "SAM over SGD", "SGD, twice the epochs"]
    assert [row.evaluations for row in rows] == [2 * STEPS, 4 * STEPS, 4 * STEPS]
    assert all(row.seconds > 0 for row in rows)


def test_each_measure_has_one_sample_a_split(rows):
    for row in rows:
        assert row.accuracy.shape == row.worst_case.shape == row.lambda_max.shape == (3,)
        assert (row.accuracy > 0.3).all()
        assert (row.accuracy <= 1).all()
        assert (row.worst_case > 0).all()
        assert (row.lambda_max > 0).all()
    assert rows[2].accuracy.mean() > rows[0].accuracy.mean()  # twice as long is better, that early


def test_accuracy_is_on_the_test_data_of_each_split_and_sharpness_on_its_training_data(rows):
    model = rows[0].run.model
    for row, k in itertools.product(rows, range(3)):
        digits, w = data.digits(seed=k), row.run.w[k]
        hits = model.apply(w, digits.x_test).argmax(axis=-1) == digits.y_test
        np.testing.assert_allclose(row.accuracy[k], hits.mean(), rtol=1e-6)
        loss, g = value_and_grad(model)(w, digits.x_train, digits.y_train)
        up = w + 0.1 * g / np.linalg.norm(g)
        single_step = value_and_grad(model)(up, digits.x_train, digits.y_train)[0] - loss
        assert row.worst_case[k] >= single_step * (1 - 1e-4)


def test_replica_k_is_trained_on_split_k_alone(rows):
    sam = SAM(demo.base_optimizer("sgd", 2 * STEPS, 1e-3), 0.1)
    run = train(mlp(demo.SIZES), data.digits(seed=2), sam, 2, demo.BATCH, seed=2, progress=False)
    assert rows[1].run.axes == {"seed": [0, 1, 2]}
    assert rows[1].run.w[2].tobytes() == run.w.tobytes()
    np.testing.assert_array_equal(rows[1].run.history["train_loss"][:, 2], run.history["train_loss"])


def test_lambda_max_is_at_least_the_curvature_along_any_direction(rows):
    rng = np.random.default_rng(0)
    for row, k in itertools.product(rows, range(3)):
        digits, w, product = data.digits(seed=k), row.run.w[k], hvp(row.run.model)
        _, v = value_and_grad(row.run.model)(w, digits.x_train, digits.y_train)
        for _ in range(5):
            curvature = np.sum(v * product(w, v, digits.x_train, digits.y_train)) / np.sum(v * v)
            assert curvature <= row.lambda_max[k] * (1 + 1e-3)
            v = rng.standard_normal(v.shape).astype("float32")


def test_the_numbers_are_told_by_their_seeds(rows):
    again = demo.run(**SETTINGS, progress=False)
    fewer = demo.run(**SETTINGS | {"seeds": 2}, progress=False)
    for row, same, part in zip(rows, again, fewer, strict=True):
        assert row.run.w.tobytes() == same.run.w.tobytes()
        np.testing.assert_array_equal(row.accuracy, same.accuracy)
        np.testing.assert_array_equal(row.accuracy[:2], part.accuracy)


def test_with_rho_0_sam_ends_where_its_base_ends():
    base, sam, _ = demo.run(**SETTINGS | {"rho": 0.0, "seeds": 1}, progress=False)
    assert base.run.w.tobytes() == sam.run.w.tobytes()


@pytest.mark.parametrize(("base", "name"), [("adam", "Adam"), ("adamw", "AdamW")])
def test_other_bases(base, name):
    rows = demo.run(**SETTINGS | {"base": base, "seeds": 2}, progress=False)
    assert [row.method for row in rows] == [name, f"SAM over {name}", f"{name}, twice the epochs"]
    assert rows[1].evaluations == rows[2].evaluations


def test_adamw_decays_by_what_l2_takes_off():
    """The gradient of λ‖w‖² is 2λw."""
    assert demo.base_optimizer("adamw", 10, l2=0.01).weight_decay == 0.02
    assert demo.base_optimizer("sgd", 10, l2=0.01).l2 == 0.01
    assert demo.base_optimizer("adam", 10, l2=0.01).l2 == 0.01


def test_an_unknown_base_is_named():
    with pytest.raises(ValueError, match=r"^base must be one of 'sgd', 'adam', 'adamw', got 'lion'$"):
        demo.run(**SETTINGS | {"base": "lion"}, progress=False)


@pytest.mark.parametrize(("name", "value"), [("seeds", 0), ("epochs", 0.5)])
def test_a_count_out_of_its_range_is_named(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be a whole number ≥ 1, got {value}$"):
        demo.run(**SETTINGS | {name: value}, progress=False)


def test_on_a_device_the_table_is_the_same(rows, device, tmp_path):
    with device.in_use():
        there = demo.run(**SETTINGS, progress=False)
        demo.picture(there, 0.1, tmp_path / "demo.png")
    for row, other in zip(rows, there, strict=True):
        np.testing.assert_array_equal(row.accuracy, other.accuracy)
        np.testing.assert_allclose(row.worst_case, other.worst_case, rtol=1e-5)
        np.testing.assert_allclose(row.lambda_max, other.lambda_max, rtol=1e-5)


# --- what is told ----------------------------------------------------------------------------------------------------


def test_the_table_shows_mean_and_interval(rows):
    head, *lines = demo.table(rows, 0.1).split("\n")
    assert head.split("  ")[-1] == "seconds"
    assert "sharpness at ρ = 0.1" in head
    assert len({len(line) for line in (head, *lines)}) == 1
    for row, line in zip(rows, lines, strict=True):
        mean, half = mean_and_interval(row.accuracy)
        assert line.startswith(row.method)
        assert f" {100 * mean:.2f} ± {100 * half:.2f} % " in line
        for samples, form in [(row.worst_case, "{:.4f}"), (row.lambda_max, "{:.2f}")]:
            mean, half = mean_and_interval(samples)
            assert f" {form.format(mean)} ± {form.format(half)} " in line
        assert f" {row.evaluations:,} " in line


def test_the_json_holds_the_samples_and_what_follows_from_them(rows):
    told = json.loads(demo.dumps(rows, SETTINGS))
    assert told["settings"] == SETTINGS
    for row, entry in zip(rows, told["rows"], strict=True):
        assert entry["method"] == row.method
        assert entry["gradient_evaluations"] == row.evaluations
        for key, samples in [
            ("test_accuracy", row.accuracy),
            ("worst_case", row.worst_case),
            ("lambda_max", row.lambda_max),
        ]:
            assert entry[key]["samples"] == samples.tolist()
            mean, half = mean_and_interval(entry[key]["samples"])
            np.testing.assert_allclose([entry[key]["mean"], entry[key]["half_width_95"]], [mean, half], rtol=1e-12)


def test_json_knows_neither_nan_nor_infinity():
    """One seed has no interval, and a loss that overflows in the ball no number: they are null."""
    (row, _, _) = demo.run(**SETTINGS | {"seeds": 1, "epochs": 1}, progress=False)
    assert "±" not in demo.table([row], 0.1)
    entry = json.loads(demo.dumps([row], SETTINGS))["rows"][0]
    assert entry["test_accuracy"] == {"mean": row.accuracy[0], "half_width_95": None, "samples": row.accuracy.tolist()}
    far = replace(row, worst_case=np.array([np.inf]))
    assert json.loads(demo.dumps([far], SETTINGS))["rows"][0]["worst_case"]["samples"] == [None]


def test_the_picture_has_curves_of_all_and_landscapes_of_two(rows, tmp_path):
    demo.picture(rows, 0.1, tmp_path / "demo.png")
    with Image.open(tmp_path / "demo.png") as image:
        assert image.format == "PNG"
        assert image.width > 1500
        assert image.height > 400
        assert np.asarray(image.convert("L")).std() > 10

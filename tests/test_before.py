"""Files that earlier versions wrote still load: runs with the same numbers, checkpoints to go on from.

`tests/before/make.py` says which library wrote them, and how.
"""

import shutil

import numpy as np
import pytest
from before.make import EARLY, HERE, LATE, TRAININGS, trained

from minisam import Run

each_training = pytest.mark.parametrize("name", TRAININGS)


def stored(name):
    """The arrays of a file, read by NumPy alone."""
    with np.load(HERE / f"{name}.npz") as file:
        return {key: file[key] for key in file.files if key != "meta"}


def assert_equal(a, b):
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


@each_training
def test_a_run_of_before_loads_with_the_same_numbers(name):
    run, arrays = Run.load(HERE / f"{name}.run.npz"), stored(f"{name}.run")
    model, _, _, options = TRAININGS[name]
    assert run.model.spec == model.spec
    assert run.axes == options.get("sweep", {}) | ({"seed": options["seed"]} if "seed" in options else {})
    assert not run.interrupted
    assert_equal(run.w, arrays.pop("w"))
    assert len(run.history) + len(run.running) == len(arrays)
    for group, values in (("history", run.history), ("running", run.running)):
        for key, a in values.items():
            assert_equal(a, arrays[f"{group}/{key}"])
    assert len(run.history["epoch"]) == LATE


@each_training
def test_a_checkpoint_of_before_goes_on_to_where_its_own_library_went(name, tmp_path):
    path = shutil.copy(HERE / f"{name}.checkpoint.npz", tmp_path)
    run, expected = trained(name, LATE, checkpoint=path), Run.load(HERE / f"{name}.run.npz")
    close = {"rtol": 1e-9, "atol": 1e-12} if run.w.dtype == "float64" else {"rtol": 1e-4, "atol": 1e-6}
    for parameter, weights in run.model.unflatten(run.w).items():
        if not parameter.endswith("key.b"):  # softmax ignores it: its gradient is 0, and Adam steps along the rounding
            theirs = run.model.unflatten(expected.w)[parameter]
            np.testing.assert_allclose(weights, theirs, **close, err_msg=parameter)
    for key, values in stored(f"{name}.checkpoint").items():
        if key.startswith("history/"):
            assert_equal(run.history[key.removeprefix("history/")][:EARLY], values)
    for key, values in expected.history.items():
        np.testing.assert_allclose(run.history[key], values, **close, err_msg=key)
    for key, values in expected.running.items():
        np.testing.assert_allclose(run.running[key], values, **close, err_msg=key)


def test_a_checkpoint_of_before_belongs_to_its_own_training(tmp_path):
    path = shutil.copy(HERE / "sgd.checkpoint.npz", tmp_path)
    with pytest.raises(ValueError, match=r"belongs to another training: .*\(seed was 0, is 1\)$"):
        trained("sgd", LATE, seed=1, checkpoint=path)

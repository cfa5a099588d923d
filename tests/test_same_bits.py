"""Which results are the same bits: every line of the table in docs/machines.md."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import strict
from small_models import MODELS, data
from test_batch import INNER

from minisam import SAM, SGD, Adam, array_backend, train, value_and_grad, whole_step
from minisam import sam as family
from minisam.array_backend import asnumpy
from minisam.long_tails import Reweighted
from minisam.sam import AsyncSAM, SAMPa

BASE = SGD(0.05, momentum=0.9)
MADE_FOR = {  # a model: what needs to know of it
    "SAF": lambda model: family.SAF(BASE, 24, 3, visits=1, start=0, rows=6 if model.tokens else 1),
    "SAMON": lambda model: family.SAMON(BASE, mask=model.mask("biases")),
    "Reweighted": lambda model: Reweighted(SAM(BASE), np.ones(3)),
}
NOT_OF_TEXTS = {
    "Mixup": "x must be floating point to be mixed",
    "ImbSAM": "y must be one class for each example",
    "Reweighted": "y must be one class for each example",
}
PAGE = Path(__file__).parents[1].joinpath("docs", "machines.md").read_text(encoding="utf-8")
HELD = []  # the lines of the table that a test holds


def holds(line):
    HELD.append(line)
    return lambda test: test


def test_every_line_of_the_table_has_a_test():
    table = PAGE.split("## Which results are the same bits")[1].split("\n## ")[0]
    assert re.findall(r"^\| (.*?) +\|", table, re.MULTILINE)[1:] == HELD


def trained(name, optimizer, seed=(0, 1), epochs=2, batch_size=8, **options):
    return train(MODELS[name], data(name), optimizer, epochs, batch_size, seed, progress=False, **options)


def assert_same(run, other):
    np.testing.assert_array_equal(run.w, other.w)
    for mine, its in ((run.running, other.running), (run.history, other.history), (run.state, other.state)):
        assert mine.keys() == its.keys()
        for key in mine:
            np.testing.assert_array_equal(np.squeeze(mine[key]), np.squeeze(its[key]))


@holds("a training, and the same once more")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", INNER)
def test_five_equal_trainings(name, model):
    make = MADE_FOR.get(name, lambda model: INNER[name]())
    if model == "gpt" and name in NOT_OF_TEXTS:
        with pytest.raises(TypeError, match=NOT_OF_TEXTS[name]):
            trained(model, make(MODELS[model]))
        return
    first, *others = [trained(model, make(MODELS[model])) for _ in range(5)]
    for run in others:
        assert_same(run, first)


@holds("a training without a break, and one that went on from a checkpoint")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("make", [lambda: SAM(BASE), lambda: SAMPa(BASE), lambda: family.EMA(family.RST(Adam(0.01)))])
def test_a_resumed_training(model, make, tmp_path):
    whole = trained(model, make(), epochs=3)
    trained(model, make(), epochs=1, checkpoint=tmp_path / "run.npz")
    assert_same(trained(model, make(), epochs=3, checkpoint=tmp_path / "run.npz"), whole)


@holds("a replica, of several seeds or of a sweep, and its training alone: weights, history, state")
@pytest.mark.parametrize("batch_size", [1, 2, 5, 24])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("model", MODELS)
def test_a_replica(model, dtype, batch_size):
    options = {"dtype": dtype, "batch_size": batch_size}
    run = trained(model, lambda rho: SAM(BASE, rho), seed=[0, 3], sweep={"rho": [0.05, 0.2]}, **options)
    for rho in (0.05, 0.2):
        for seed in (0, 3):
            assert_same(run.select(rho=rho, seed=seed), trained(model, SAM(BASE, rho), seed=seed, **options))


@holds("a recorded gradient, and a traced one")
@pytest.mark.parametrize("model", MODELS)
def test_a_recorded_gradient(model):
    recorded, eager = value_and_grad(MODELS[model]), value_and_grad(MODELS[model], recorded=False)
    w = MODELS[model].init([0, 1])
    for scale in (1, 2, 3):
        for one, other in zip(recorded(scale * w, *data(model)), eager(scale * w, *data(model)), strict=True):
            np.testing.assert_array_equal(one, other)


@holds("`SAMPa` or `AsyncSAM` on two threads, and on one")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("variant", [SAMPa, AsyncSAM])
def test_two_threads(model, variant, monkeypatch):
    on_two = trained(model, variant(BASE))
    monkeypatch.setattr("minisam.threads.CAN_START", False)
    assert_same(trained(model, variant(BASE)), on_two)


@holds("a training on one thread, and on several, of minisam or of BLAS")
def test_the_number_of_threads(tmp_path):
    """BLAS would share out these products otherwise, inside `train` or not."""
    program = f"""
import sys, numpy as np
from minisam import SAM, SGD, mlp, train, value_and_grad
rng, model = np.random.default_rng(0), mlp((300, 400, 3))
x, y = rng.standard_normal((256, 300)).astype("float32"), rng.integers(0, 3, 256)
run = train(model, (x, y), SAM(SGD(0.05)), 2, 64, progress=False)
np.save(r"{tmp_path}/" + sys.argv[1], [run.w, value_and_grad(model)(run.w, x, y)[1]])
"""
    for n in ("1", "2"):
        variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MINISAM_THREADS"), n)
        subprocess.run([sys.executable, "-c", program, n], env=os.environ | variables, check=True)
    np.testing.assert_array_equal(*(np.load(tmp_path / f"{n}.npy") for n in "12"))


@holds("a sweep on an executor, and in this process")
@pytest.mark.parametrize("model", MODELS)
def test_an_executor(model):
    sweep = {"sweep": {"rho": [0.05, 0.2]}}
    with ThreadPoolExecutor(2) as pool:
        here = trained(model, lambda rho: SAM(BASE, rho), **sweep)
        assert_same(trained(model, lambda rho: SAM(BASE, rho), executor=pool, **sweep), here)


@holds("NumPy, and CuPy")
@pytest.mark.parametrize("backend", ["strict", pytest.param("cupy", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("model", MODELS)
def test_a_device(model, backend, monkeypatch):
    monkeypatch.setitem(array_backend.BACKENDS, "strict", strict.backend)
    here = trained(model, SAM(BASE), dtype="float64")
    with array_backend.use(backend):
        there = array_backend.asnumpy(trained(model, SAM(BASE), dtype="float64").w)
    np.testing.assert_allclose(there, here.w, rtol=1e-9, atol=1e-12)


@holds("on CuPy: a recorded step, and a traced one; a training without a break, and one that went on")
@pytest.mark.gpu
@pytest.mark.parametrize("model", MODELS)
def test_a_device_that_goes_on(model, tmp_path, monkeypatch):
    """The first steps of each training are made as they are written, the others are one graph."""
    options = {"dtype": "float64", "batch_size": 4}
    with array_backend.use("cupy"):
        whole = asnumpy(trained(model, SAM(BASE), epochs=4, **options).w)
        monkeypatch.setattr(whole_step, "PLAIN", 10**6)
        written = asnumpy(trained(model, SAM(BASE), epochs=4, **options).w)
        monkeypatch.undo()
        trained(model, SAM(BASE), epochs=2, checkpoint=tmp_path / "run.npz", **options)
        resumed = asnumpy(trained(model, SAM(BASE), epochs=4, checkpoint=tmp_path / "run.npz", **options).w)
    np.testing.assert_allclose(written, whole, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(resumed, whole, rtol=1e-9, atol=1e-12)

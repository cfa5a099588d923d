"""The picture that explains SAM shows what its words say."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minisam import SAM, SGD, value_and_grad

FIGURES = Path(__file__).resolve().parent.parent / "figures"
specification = importlib.util.spec_from_file_location("sam_picture", FIGURES / "sam.py")
picture = importlib.util.module_from_spec(specification)
specification.loader.exec_module(picture)


def test_both_minima_are_equally_deep_and_one_is_sharp():
    loss_and_grad = value_and_grad(picture.landscape)
    for place in (picture.SHARP, picture.FLAT):
        loss, g = loss_and_grad(place)
        assert loss == pytest.approx(0, abs=1e-12)
        assert np.abs(g).max() < 1e-12
    sharp, flat = picture.worst(np.stack([picture.SHARP, picture.FLAT]))
    assert sharp > 5 * flat


def test_sgd_ends_in_the_sharp_minimum_and_sam_in_the_flat_one():
    sgd, sam = picture.walk(SGD(picture.LR)), picture.walk(SAM(SGD(picture.LR), picture.RHO))
    assert np.array_equal(sgd[0], sam[0])
    assert np.linalg.norm(sgd[-1] - picture.SHARP) < 0.05
    assert np.linalg.norm(sam[-1] - picture.FLAT) < 0.05


def test_the_picture_moves_and_is_small():
    with Image.open(FIGURES / "sam.gif") as moving, Image.open(FIGURES / "sam.png") as still:
        assert moving.n_frames == len(list(picture.moments()))
        assert moving.size == still.size
    assert (FIGURES / "sam.gif").stat().st_size < 300_000

"""`minisam verify` passes here and on devices, and sees what is wrong."""

import math

import numpy as np
import pytest

from minisam import array_backend, cli, mlp, ops, sam, vectors, verify
from minisam.verify.family import PIECES, variants
from minisam.verify.family import _walked as walked_on


def test_every_formula_holds(capsys):
    assert cli.main(["verify"]) == 0
    told = capsys.readouterr().out
    assert told.endswith("formulas on numpy: none wrong\n")
    assert "∂² attention by q" in told


@pytest.mark.parametrize("group", verify.GROUPS)
def test_every_formula_holds_on_a_device(group, device):
    with device.in_use():
        results = {formula: (bound, error) for formula, bound, error in verify.GROUPS[group]()}
    assert [formula for formula, (bound, error) in results.items() if not error <= bound] == []
    if group == "the family":
        assert {f"{name}, three steps, here = on NumPy" for name in ("LookSAM", "SAMPa")} <= results.keys()


epsilon, norm = sam.epsilon, vectors.norm
WRONG = {
    "a gradient": (ops.losses, "lift", lambda g, axes: 1.001 * ops.lift(g, axes), "∂ cross-entropy"),
    "a radius": (sam, "epsilon", lambda g, rho, p=2.0: 1.001 * epsilon(g, rho, p), "‖ε‖ = ρ, p = 2"),
    "a norm": (vectors, "norm", lambda a, p=2.0: math.nan * norm(a, p), "‖ε‖ = ρ, p = 2"),
}


@pytest.mark.parametrize(("where", "name", "wrong", "formula"), WRONG.values(), ids=WRONG)
def test_a_wrong_formula_is_seen(where, name, wrong, formula, monkeypatch, capsys):
    monkeypatch.setattr(where, name, wrong)
    with pytest.raises(SystemExit) as status:
        cli.main(["verify"])
    assert status.value.code == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip().startswith(formula)]
    assert any(line.endswith("WRONG") for line in lines)


def test_no_variant_is_checked_near_an_edge():
    """SSAM's ranks, ESAM's examples and AESAM's threshold do not flip by rounding: else devices would differ by a flip."""
    model, x, y = mlp((5, 6, 3), "tanh"), array_backend.asnumpy(verify.drawn(8, 5)), np.arange(8) % 3
    for name in variants(model):
        here, nudged = walked_on(name, model, x, y), walked_on(name, model, x * (1 + 1e-11), y)
        assert verify.apart(nudged, here) < 1e-9, name


def test_shapes_that_differ_are_infinitely_far_apart():
    assert verify.apart(np.ones(3), np.ones(4)) == math.inf
    assert verify.apart(np.array([1.0, math.nan]), np.ones(2)) == math.inf
    assert verify.apart(np.array([1.0, 3.0]), np.array([1.0, 2.0])) == 0.5
    assert verify.above(np.array([1.0, 3.0]), np.array([2.0, 2.0])) == 0.5


def test_an_unusable_backend_is_one_line(capsys):
    assert cli.main(["verify", "--backend", "torch"]) == 2
    assert capsys.readouterr().err.startswith("minisam verify: backend must be one of")


def test_the_family_is_all_of_it():
    """Every class of `sam` whose step is its own or a rule's, but for the pieces that variants are made of."""
    classes = {name for name, kind in vars(sam).items() if isinstance(kind, type) and hasattr(kind, "step")}
    assert set(variants(mlp((2, 3)))) == classes - PIECES

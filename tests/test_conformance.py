"""The checker names every mistake of its catalogue, alone and in pairs, and none in what is right.

The yardstick is `planted`: SAM written tensor by tensor, with faults, which shares no code with the checker.
"""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from named import exactly, is_named
from planted import CHOICES, FAULTS, KNOWN, PAIRS, SETTINGS, Planted, centred

from minisam import SGD, Adam, sam
from minisam.conformance import (
    assert_conforms,
    check,
    checking,
    numpy_step,
)
from minisam.conformance.problems import problems
from minisam.conformance.statements import statements
from minisam.conformance.watch import watched


@pytest.mark.parametrize("name", KNOWN)
def test_each_is_named_alone(name):
    report = check(Planted(name), "SAM", **SETTINGS)
    assert (report.mistakes, report.choices) != ([], [])
    found = report.mistakes if name in FAULTS else report.choices
    assert exactly(found, [name]), str(report)
    assert report.ok is (name in CHOICES)


def test_each_is_named_in_pairs():
    assert [pair for pair in PAIRS if not is_named(Planted(*pair), pair)] == []


def test_the_page_says_how_many_there_are():
    page = (Path(__file__).resolve().parent.parent / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert f"{len(FAULTS)} mistakes and {len(CHOICES)} choices" in page
    assert f"{len(PAIRS):,} pairs" in page


# --- what is right ---------------------------------------------------------------------------------------------------


def length(g):
    return np.sqrt(sum(float(a) ** 2 for a in g)) or 1.0


def in_place(w, state, f):
    """The weights are moved to w + ε and back."""
    g = f(w)[1]
    eps = SETTINGS["rho"] / length(g) * g
    w += eps
    _, g = f(w)
    w -= eps
    g += SETTINGS["weight_decay"] * w
    state["v"] = SETTINGS["momentum"] * state.get("v", 0) + g
    w -= SETTINGS["lr"] * state["v"]
    return w, state


def kept_copy(w, state, f):
    """The weights are kept, and put back, in place of subtracting ε."""
    old, g = w.copy(), f(w)[1]
    w = w + SETTINGS["rho"] * (g / (np.linalg.norm(g) + 1e-12))
    g = f(w)[1] + SETTINGS["weight_decay"] * old
    v = state.get("v", np.zeros_like(w))
    v = SETTINGS["momentum"] * v + g
    return old - SETTINGS["lr"] * v, {"v": v}


def heavy_ball(w, state, f):
    """The momentum is kept as the last move of the weights."""
    g = f(w)[1]
    g = f(w + SETTINGS["rho"] * g / max(length(g), 1e-30))[1]
    move = SETTINGS["momentum"] * state.get("move", 0) - SETTINGS["lr"] * (g + SETTINGS["weight_decay"] * w)
    return w + move, {"move": move}


def velocity_in_units_of_lr(w, state, f):
    """η is multiplied into what the momentum adds up."""
    g = f(w)[1]
    scale = SETTINGS["rho"] * (0.0 if not g.any() else float(g @ g) ** -0.5)
    d = f(w + scale * g)[1] + SETTINGS["weight_decay"] * w
    v = SETTINGS["momentum"] * state.get("v", 0) + SETTINGS["lr"] * d
    return w - v, {"v": v}


def norm_in_single_precision(w, state, f):
    g = f(w)[1]
    size = np.float32(np.linalg.norm(g)) + np.float32(1e-12)
    d = f(w + SETTINGS["rho"] * g / float(size))[1] + SETTINGS["weight_decay"] * w
    v = SETTINGS["momentum"] * state.get("v", 0) + d
    return w - SETTINGS["lr"] * v, {"v": v}


def with_more_to_tell(w, state, f):
    """It returns more than is looked at, and looks at the loss at another place."""
    w, state = kept_copy(w, state, f)
    return w, state, {"loss": 1.0}


RIGHT = [in_place, kept_copy, heavy_ball, velocity_in_units_of_lr, norm_in_single_precision, with_more_to_tell]


@pytest.mark.parametrize("step", RIGHT)
@pytest.mark.parametrize("start", [dict, lambda: {"v": 0.0, "move": 0.0}], ids=["empty", "zeros"])
def test_no_false_alarm(step, start):
    report = check(numpy_step(step, lambda w: start()), "SAM", **SETTINGS)
    assert report.ok, str(report)
    assert report.choices == []
    assert all(path.agreed == path.steps == 20 for path in report.paths)
    assert all(statement.holds for statement in report.statements)


@pytest.mark.parametrize("variant", checking.VARIANTS)
@pytest.mark.parametrize(("lr", "momentum", "decay"), [(0.1, 0.9, 0.01), (0.05, 0.0, 0.0)])
def test_minisams_own_variants_are_right(variant, lr, momentum, decay):
    if variant == "MSAM":
        momentum = momentum or 0.5  # it looks along the momentum
    own = getattr(sam, variant)(SGD(lr, momentum=momentum), l2=decay / 2)
    report = check(numpy_step(own.step, own.init), variant, lr=lr, momentum=momentum, weight_decay=decay)
    assert report.ok, str(report)
    assert report.choices == []


# --- a small number beside the norm ----------------------------------------------------------------------------------


def with_tau(tau, power=1, side=1, eta=None, decay=0.0):
    """SAM, or ASAM with this η, whose norm has τ beside it, or under its root; it may go downhill, or along the decay, too."""

    def step(w, state, f):
        g = f(w)[1] + decay * w
        T = 1.0 if eta is None else abs(w) + eta
        eps = T**2 * g / (((T * g) @ (T * g)) ** (power / 2) + tau) ** (1 / power)
        return w - 0.1 * (f(w + side * 0.05 * eps)[1] + decay * w), state

    return numpy_step(step)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("eta", [None, 0.01])
@pytest.mark.parametrize("tau", [1e-12, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3])
def test_a_small_number_in_the_norm_is_a_note_and_no_mistake(tau, power, eta):
    variant, more = ("SAM", {}) if eta is None else ("ASAM", {"eta": eta})
    report = check(with_tau(tau, power, eta=eta), variant, lr=0.1, rho=0.05, **more)
    assert report.ok, str(report)
    assert report.choices == []
    assert len(report.notes) == (tau > 1e-9)
    assert all(f"τ ≈ {tau:.3g} is added" in note and note in str(report) for note in report.notes)
    assert all(("under the root" in note) is (power == 2) for note in report.notes)


def test_a_number_that_is_no_longer_small_is_a_mistake():
    report = check(with_tau(0.1), "SAM", lr=0.1, rho=0.05)
    assert not report.ok
    assert list(report.notes) == []


@pytest.mark.parametrize("power", [1, 2])
def test_mistakes_are_named_beside_a_small_number_in_the_norm(power):
    report = check(with_tau(1e-5, power, side=-1), "SAM", lr=0.1, rho=0.05)
    assert len(report.mistakes) == 1
    assert "goes downhill" in report.mistakes[0]
    report = check(with_tau(1e-5, power, decay=0.3), "SAM", lr=0.1, rho=0.05, weight_decay=0.3)
    assert len(report.mistakes) == 1
    assert "The weight decay is part of the gradient that ε goes along" in report.mistakes[0]


def test_a_norm_that_was_taken_before_the_gradient_was_centred_is_named():
    net = problems()[0]

    def step(w, state, f):
        g = f(w)[1]
        eps = np.concatenate([a.ravel() for a in centred(list(net.split(g).values()))])
        return w - 0.1 * f(w + 0.05 * eps / np.linalg.norm(g))[1], state

    found, _ = statements(
        watched(numpy_step(step), net, checking.TOLD),
        net,
        {"rho": 0.05, "lr": 0.1, "momentum": 0, "weight_decay": 0},
        {},
    )
    says = [s.says for s in found if s.holds is False]
    assert [words[:38] for words in says] == [
        "ε goes along the centred gradient, les",
        "The norm that divides is that of ∇L(w)",
    ]


# --- updates that are not steps --------------------------------------------------------------------------------------


@pytest.mark.parametrize("period", [2, 3])
def test_an_update_that_is_only_a_part_of_a_step_is_not_called_a_base_without_sam(period):
    def update(w, state, f):
        g, t = f(w)[1], state.get("t", 0)
        start = state.get("w", w) if t else w
        if t < period - 1:
            return w + 0.05 * g / (np.linalg.norm(g) or 1), {"t": t + 1, "w": start}
        return start - 0.1 * g, {}

    report = check(numpy_step(update), "SAM", lr=0.1, rho=0.05)
    assert len(report.mistakes) == 1, str(report)
    assert f"{period} of them make one step of SAM" in report.mistakes[0]


def test_another_variant_is_called_by_its_name():
    asam = sam.ASAM(SGD(0.1), 0.5)
    report = check(numpy_step(asam.step, asam.init), "SAM", lr=0.1, rho=0.5)
    assert report.ok
    assert report.choices == ["The ball is measured in units of |w| + 0.01: ASAM."]
    assert "another variant" in str(report)


def test_what_the_settings_do_not_show_is_not_told():
    report = check(numpy_step(sam.SAM(SGD(0.1), 0.05).step, SGD(0.1).init), "SAM", lr=0.1, rho=0.05)
    hidden = {s.text for s in report.statements if s.holds is None}
    assert hidden == {"the weight decay is taken at w, outside the maximum", "the momentum is fed once a step"}
    assert report.ok


def test_without_a_radius_nothing_is_told_of_epsilon():
    """A right SAM takes both gradients at w then; it is no mistake."""
    right = sam.SAM(SGD(0.1), rho=0.0)
    report = check(numpy_step(right.step, right.init), "SAM", rho=0.0, lr=0.1)
    assert report.mistakes == []
    hidden = [s.text for s in report.statements if s.holds is None]
    assert hidden[:2] == ["the second is taken at w + ε", "ε lies along ∇L(w)"]


def test_it_computes_with_numpy_whatever_the_backend_is(device):
    with device.in_use():
        assert_conforms(numpy_step(in_place), "SAM", **SETTINGS)


def test_another_base_is_told_as_a_step_that_is_not_in_the_catalogue():
    adam = sam.SAM(Adam(0.01), 0.05)
    report = check(numpy_step(adam.step, adam.init), "SAM", lr=0.01, rho=0.05)
    assert not report.ok
    assert any("none that the catalogue's steps lead to" in mistake for mistake in report.mistakes)


# --- the report ------------------------------------------------------------------------------------------------------


def test_a_report_can_be_read_and_written():
    report = check(Planted("down", "no decay"), "SAM", **SETTINGS)
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert (told["ok"], len(told["mistakes"]), told["choices"]) == (False, 2, [])
    assert told["settings"]["rho"] == SETTINGS["rho"]
    text = str(report)
    assert text.startswith("SAM with lr = 0.07, momentum = 0.9, weight_decay = 0.01, rho = 0.06, p = 2: 2 mistakes")
    assert all(mistake in text for mistake in report.mistakes)
    assert "<table>" in report._repr_html_()


def test_as_a_test_it_fails_with_the_report():
    assert_conforms(Planted(), "SAM", **SETTINGS)
    with pytest.raises(AssertionError, match="goes downhill"):
        assert_conforms(Planted("down"), "SAM", **SETTINGS)
    with pytest.raises(AssertionError, match="layer-wise SAM"):
        assert_conforms(Planted("per tensor"), "SAM", **SETTINGS)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"rho": -1}, "rho must be .*≥ 0, got -1"),
        ({"rh": 0.1}, "settings must be among lr, momentum, weight_decay, rho, p, got 'rh'"),
        ({"variant": "SAN"}, "variant must be .*'SAN'"),
        ({"implementation": 3}, "implementation must be .*got 3"),
    ],
)
def test_bad_calls(settings, says):
    with pytest.raises((ValueError, TypeError), match=says):
        check(**({"implementation": Planted(), "variant": "SAM"} | settings))


def single(w, state, f):
    return kept_copy(w.astype("float32"), state, f)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (lambda w, state, f: w, "step must return .w, state., got "),
        (lambda w, state, f: None, "step must return .w, state., got None"),
        (lambda w, state, f: (w[:3], state), "a step must leave w of shape .39,., got .3,."),
        (lambda w, state, f: (w - f(w[:3])[1], state), "loss_and_grad needs w of shape .39,., got .3,."),
        (single, "implementation must compute in float64, .*, got points in float32"),
    ],
)
def test_a_step_that_cannot_be_watched(step, says):
    with pytest.raises((ValueError, TypeError), match=says):
        check(numpy_step(step), "SAM", **SETTINGS)


def test_every_statement_names_a_lesson_that_is_there():
    from test_lessons import FOLDER

    for statement in check(Planted(), "SAM", **SETTINGS).statements:
        assert (FOLDER / f"{statement.lesson}.ipynb").exists()


# --- the command -----------------------------------------------------------------------------------------------------

MINE = """
    import numpy as np
    def step(w, state, loss_and_grad):
        g = loss_and_grad(w)[1]
        g = loss_and_grad(w + SIGN * 0.05 * g / max(np.linalg.norm(g), 1e-12))[1]
        return w - 0.1 * g, state
"""


def conform(*arguments):
    command = [sys.executable, "-m", "minisam", "conform", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.mark.parametrize(("sign", "status"), [("1", 0), ("-1", 1)])
def test_the_command_tells_and_ends_with_a_status(sign, status, tmp_path):
    (tmp_path / "mine.py").write_text(dedent(MINE).replace("SIGN", sign), encoding="utf-8")
    call = [f"{tmp_path / 'mine.py'}:step", "--framework", "numpy", "--settings", "lr=0.1", "rho=0.05"]
    done = conform(*call)
    assert (done.returncode, done.stderr) == (status, "")
    assert ("goes downhill" in done.stdout) is (status == 1)
    done = conform(*call, "--json")
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (status, status == 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mine.py"], "target must be FILE.py:NAME, got 'mine.py'"),
        (["none.py:step"], "must be a Python file"),
        (["mine.py:stop"], "defines no 'stop'"),
        (["mine.py:step"], "--framework must be one of numpy, torch, optax"),
        (["mine.py:step", "--framework", "numpy", "--settings", "rho=a"], "settings must be NAME=NUMBER"),
        (["mine.py:step", "--framework", "numpy", "--variant", "SAN"], "variant must be"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(arguments, says, tmp_path):
    (tmp_path / "mine.py").write_text(dedent(MINE).replace("SIGN", "1"), encoding="utf-8")
    target = arguments[0] if ":" not in arguments[0] else f"{tmp_path}/{arguments[0]}"
    done = conform(target, *arguments[1:])
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1

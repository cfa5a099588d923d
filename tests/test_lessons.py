"""The lessons: text and notebook agree, nothing is stored that running makes, and checks know the usual mistakes.

That every lesson runs is tested by `make lessons-run`.
"""

import re
from itertools import pairwise
from pathlib import Path

import check_00
import check_01
import check_02
import check_03
import jupytext
import nbformat
import numpy as np
import pytest
from check import predict

FOLDER = Path(__file__).resolve().parent.parent / "lessons"
TEXTS = sorted(FOLDER.glob("[0-9]*.py"))


@pytest.fixture(params=TEXTS, ids=lambda path: path.stem)
def text(request):
    return request.param


def cells(path):
    return jupytext.read(path).cells


def test_there_are_lessons():
    assert [path.stem[:2] for path in TEXTS] == [f"{k:02}" for k in range(len(TEXTS))]


def test_text_and_notebook_hold_the_same(text):
    notebook = nbformat.read(text.with_suffix(".ipynb"), as_version=4)
    assert [(c.cell_type, c.source, c.metadata.get("tags")) for c in notebook.cells] == [
        (c.cell_type, c.source, c.metadata.get("tags")) for c in cells(text)
    ]


def test_nothing_is_stored_that_running_makes(text):
    for cell in nbformat.read(text.with_suffix(".ipynb"), as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


def test_cells_are_short(text):
    for cell in cells(text):
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 20, cell.source


def test_a_lesson_predicts_exercises_and_folds_its_solutions(text):
    tagged = [cell.metadata.get("tags", []) for cell in cells(text)]
    assert ["prediction"] in tagged
    assert tagged.count(["exercise"]) == tagged.count(["solution"]) == 3
    for cell, tags, tags_next in zip(cells(text), tagged, [*tagged[1:], []], strict=True):
        if tags == ["prediction"]:
            assert cell.source == "prediction = None"
        if tags == ["exercise"]:
            assert "..." in cell.source
            assert tags_next == ["solution"]
        if tags == ["solution"]:
            assert "..." not in cell.source
            assert cell.metadata["jupyter"]["source_hidden"] is True


def test_a_lesson_says_where_it_comes_from_and_what_it_leaves_open(text):
    prose = "\n".join(c.source for c in cells(text) if c.cell_type == "markdown")
    for part in (
        "**You can already**",
        "**You will**",
        "### Predict",
        "## What this leaves open",
        "## Where this comes from",
    ):
        assert part in prose


def test_no_other_cell_holds_a_solution(text):
    returned = [
        line.strip()
        for cell in cells(text)
        if cell.metadata.get("tags") == ["solution"]
        for line in cell.source.splitlines()
        if line.strip().startswith("return ")
    ]
    assert len(returned) >= 3
    for cell in cells(text):
        if cell.metadata.get("tags") != ["solution"]:
            assert not set(returned) & {line.strip() for line in cell.source.splitlines()}, cell.source


def test_links_in_a_lesson_resolve(text):
    for cell in cells(text):
        for link in re.findall(r"\]\(([^)#]+)\)", cell.source if cell.cell_type == "markdown" else ""):
            assert link.startswith("http") or (FOLDER / link).exists(), link


@pytest.mark.parametrize("page", ["lessons/README.md", "README.md", "CONTRIBUTING.md"])
def test_links_resolve(page):
    path = FOLDER.parent / page
    for link in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if not link.startswith("http"):
            assert (path.parent / link).exists(), link


# --- predictions and checks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prediction", "says"),
    [(None, "You made no prediction yet"), (0.5, "close"), (0.9, "off by +0.4")],
)
def test_a_prediction_is_answered(prediction, says, capsys):
    predict(prediction, 0.5)
    assert says in capsys.readouterr().out


def norm(g):
    return np.linalg.norm(g)


def sam(loss_and_grad, w, rho, l2, at=lambda w, a: w, lam=2, look=1.0):
    g = loss_and_grad(w)[1]
    a = w + look * rho * g / norm(g)
    return loss_and_grad(a)[1] + lam * l2 * at(w, a)


CASES = [
    (check_00.bowl, lambda h, w: h * w**2 / 2, None),
    (check_00.bowl, lambda h, w: h * w**2, "half is missing"),
    (check_00.bowl, lambda h, w: h * w, "that is the gradient"),
    (check_00.bowl, lambda h, w: h**2 * w / 2, "square w, and not h"),
    (check_00.gradients, lambda n: 2 * n, None),
    (check_00.gradients, lambda n: n, "that is SGD"),
    (check_00.gradients, lambda n: 3 * n, "needs no third"),
    (check_00.gradients, lambda n: n + 1, "in every step, not once"),
    (check_00.uphill, lambda w, rho: w + rho * np.sign(w), None),
    (check_00.uphill, lambda w, rho: w + rho, "left of the minimum"),
    (check_00.uphill, lambda w, rho: w - rho * np.sign(w), "that is downhill"),
    (check_00.uphill, lambda w, rho: w + rho * w, "divide the gradient by its size"),
    (check_01.product_rule, lambda a, b, g: (g * b, g * a), None),
    (check_01.product_rule, lambda a, b, g: (g * a, g * b), "*other* factor"),
    (check_01.product_rule, lambda a, b, g: (b, a), "arrives from above"),
    (check_01.product_rule, lambda a, b, g: (g * (a + b), g * (a + b)), "nothing is added up"),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h), None),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x)) / h, "forward difference"),
    (check_01.central, lambda f, x, h: (f(x + h) - f(x - h)) / h, "2h apart"),
    (check_01.central, lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h), "turned round"),
    (check_01.square_vjp, lambda x, g: 2 * g * x, None),
    (check_01.square_vjp, lambda x, g: g * x, "the derivative of x² is 2x"),
    (check_01.square_vjp, lambda x, g: 2 * x, "arrives from above, is missing"),
    (check_01.square_vjp, lambda x, g: g * x**2, "that is x², the value"),
    (check_02.size, lambda s: sum(i * o + o for i, o in pairwise(s)), None),
    (check_02.size, lambda s: sum(i * o for i, o in pairwise(s)), "has a bias as well"),
    (check_02.size, lambda s: sum(i + o for i, o in pairwise(s)), "a matrix of i·o numbers"),
    (check_02.size, lambda s: sum(i * o + o for i, o in pairwise(s)) + s[0], "input layer has no bias"),
    (check_02.cross_entropy, lambda z, y: -log_p(z)[range(2), y].mean(), None),
    (check_02.cross_entropy, lambda z, y: log_p(z)[range(2), y].mean(), "the sign"),
    (check_02.cross_entropy, lambda z, y: -log_p(z)[range(2), y].sum(), "not the sum"),
    (check_02.cross_entropy, lambda z, y: -np.exp(log_p(z))[range(2), y].mean(), "take the logarithm"),
    (check_02.cross_entropy, lambda z, y: -z[range(2), y].mean(), "no probability until"),
    (check_02.sgd_step, lambda w, g, lr: w - lr * g, None),
    (check_02.sgd_step, lambda w, g, lr: w + lr * g, "uphill"),
    (check_02.sgd_step, lambda w, g, lr: w - g, "step size is missing"),
    (check_02.sgd_step, lambda w, g, lr: -lr * g, "subtract from w"),
    (check_03.epsilon, lambda g, rho: rho * g / norm(g), None),
    (check_03.epsilon, lambda g, rho: rho * g, "did you normalise"),
    (check_03.epsilon, lambda g, rho: -rho * g / norm(g), "that is downhill"),
    (check_03.epsilon, lambda g, rho: g / norm(g), "multiply by ρ"),
    (check_03.epsilon, lambda g, rho: rho * np.sign(g), "this ball is round"),
    (check_03.rise, lambda g, rho: rho * norm(g), None),
    (check_03.rise, lambda g, rho: rho, "size of the gradient matters"),
    (check_03.rise, lambda g, rho: rho * g @ g, "one ‖g‖ cancels"),
    (check_03.rise, lambda g, rho: norm(g), "radius 1"),
    (check_03.sam_gradient, sam, None),
    (check_03.sam_gradient, lambda *a: sam(*a, at=lambda w, a: a), "at w, not at w + ε"),
    (check_03.sam_gradient, lambda *a: sam(*a, lam=1), "has the gradient 2λw"),
    (check_03.sam_gradient, lambda *a: sam(*a, look=0.0), "found at w + ε"),
    (check_03.sam_gradient, lambda *a: sam(*a, lam=0), "L2 term is missing"),
]


def log_p(z):
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


@pytest.mark.parametrize(("verdict", "yours", "says"), CASES, ids=lambda v: getattr(v, "__name__", v))
def test_a_check_knows_the_answer_and_the_usual_mistakes(verdict, yours, says, capsys):
    assert verdict(yours) is (says is None)
    assert (says or "✓ right") in capsys.readouterr().out


CHECKS = sorted({case[0] for case in CASES}, key=lambda f: (f.__module__, f.__name__))


@pytest.mark.parametrize("verdict", CHECKS, ids=lambda f: f.__name__)
def test_a_check_says_not_yet_to_a_placeholder(verdict, capsys):
    assert verdict(lambda *arguments: ...) is False
    assert "not yet" in capsys.readouterr().out


@pytest.mark.parametrize("verdict", CHECKS, ids=lambda f: f.__name__)
def test_a_check_shows_how_far_off_an_answer_is_that_it_does_not_know(verdict, capsys):
    right = next(yours for check, yours, says in CASES if check is verdict and says is None)
    assert verdict(lambda *arguments: np.asarray(right(*arguments)) * 1.37) is False
    assert "off by up to" in capsys.readouterr().out

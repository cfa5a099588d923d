"""The lessons: text and notebook agree, nothing is stored that running makes, and checks know the usual mistakes.

That every lesson runs is tested by `make lessons-run`.
"""

import importlib.util
import re
import subprocess
from pathlib import Path

import ipywidgets
import jupytext
import nbformat
import numpy as np
import pytest
import sliders
from check import judge, predict, recorded

FOLDER = Path(__file__).resolve().parent.parent / "lessons"
TEXTS = sorted(FOLDER.glob("[0-9]*.py"))
FIGURES = FOLDER.parent / "figures"


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


def test_a_lesson_opens_with_its_title_and_no_cell_is_empty(text):
    assert cells(text)[0].source.startswith(f"# {text.stem[:2]} · ")
    assert all(cell.source.strip() for cell in cells(text))


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


def code(text):
    return "\n".join(cell.source for cell in cells(text) if cell.cell_type == "code")


def test_a_lesson_keeps_a_figure_and_it_is_there(text):
    kept = re.findall(r'check\.keep\([^"]+"(\w+)"\)', code(text))
    assert kept
    for name in kept:
        assert name.startswith(text.stem[:3])
        assert 1_000 < (FIGURES / f"{name}.png").stat().st_size < 150_000, name


def test_a_lesson_has_a_widget_and_shows_the_librarys_code(text):
    assert "ipywidgets.interact(" in code(text)
    assert "minisam.show(" in code(text)


def test_a_lesson_explains_what_came_out(text):
    """In words and at least one formula."""
    parts = re.split(r"^#+ ", "\n".join(c.source for c in cells(text) if c.cell_type == "markdown"), flags=re.MULTILINE)
    explained = [part for part in parts if part.startswith("Explain\n")]
    assert explained
    assert any("$" in part for part in explained)


def test_every_lesson_figure_is_kept_by_a_lesson():
    kept = {name for text in TEXTS for name in re.findall(r'check\.keep\([^"]+"(\w+)"\)', code(text))}
    assert {path.stem for path in FIGURES.glob("[0-9]*.png")} == kept


def test_lesson_00_says_on_what_it_runs_and_lesson_15_shows_the_switch():
    assert "array_backend.name()" in code(TEXTS[0])
    for part in ("array_backend.name()", 'array_backend.use("cupy")', "array_backend.BackendError"):
        assert part in code(TEXTS[15])


@pytest.mark.parametrize("text", [TEXTS[0], TEXTS[3], TEXTS[15]], ids=["00", "03", "15"])
def test_a_lesson_runs_on_a_device(text, device):
    """The first, SAM itself, and that of GPUs, with short trainings.

    `python tests/lessons_on_device.py strict lessons/*.py` runs all, as they are.
    """
    found = subprocess.run(
        [*device.python(), Path(__file__).with_name("lessons_on_device.py"), device.name, text, "--epochs", "2"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert f"ran on {device.name}" in found.stdout


def test_pictures_are_shown_in_the_way_of_every_backend(text):
    """`plt.show(figure)` works inline by luck alone, and an error inside a widget fails no run."""
    for cell in cells(text):
        assert not re.search(r"plt\.show\([^)]", cell.source), cell.source


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


def test_a_recorded_result_is_there(text):
    """And the site carries it: see tests/test_site.py."""
    for name in re.findall(r'check\.recorded\("(\w+)"\)', code(text)):
        assert recorded(name).budgets


def words_of(name, against):
    """The verdicts of a recorded study: method → its words under all budgets."""
    words = {}
    for verdict in recorded(name).verdicts(against):
        words.setdefault(verdict.comparison.method, set()).add(verdict.word)
    return words


def test_what_lessons_conclude_from_recorded_results_still_holds():
    cheaper, budgets = words_of("cheaper", "SAM"), recorded("cheaper").budgets
    assert [name for name, words in cheaper.items() if words == {"better"}] == ["MSAM"]  # lesson 11
    assert max(map(np.mean, (each["SGD"].scores for each in budgets.values()))) == np.mean(
        budgets["equal epochs"]["SGD"].scores
    )
    winners = [name for name, words in words_of("long_tail", "SAM").items() if "better" in words]  # lesson 12
    assert winners == ["reweighted SGD", "reweighted SAM", "reweighted ImbSAM"]
    bias = words_of("implicit_bias", "GD, α = 1")  # lesson 13
    assert all((words == {"better"}) == name.startswith(("GD", "1-SAM")) for name, words in bias.items())
    assert words_of("xor", "SGD")["SAM"] == {"worse"}  # lesson 14
    assert words_of("xor_flatness", "SGD")["SAM"] == {"better"}
    assert words_of("clean_images", "SGD")["SAM"] == {"undecided", "worse"}  # lesson 18: there is no one answer
    assert words_of("images_noise", "SGD")["SAM"] == {"equal", "better"}


def test_a_slider_that_a_later_cell_broke_is_found():
    w = [2]
    box = ipywidgets.interactive(lambda x: w[0] / x, x=(1, 3))
    sliders.move_all()
    w.clear()
    with pytest.raises(IndexError):
        sliders.move_all()
    box.close()


@pytest.mark.parametrize("knob", [(1, 3), ["one", "other"], False])
def test_every_kind_of_knob_is_moved(knob):
    seen = []
    box = ipywidgets.interactive(lambda x: seen.append(x), x=knob)
    seen.clear()  # it was called once as it stands
    sliders.move_all()
    assert seen == (list(knob) if knob else [False, True])
    box.close()


def test_each_way_through_the_lessons_has_what_its_lessons_need():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    needs = {here: re.findall(r"\d\d", there) for here, there in re.findall(r"\| \[(\d\d) ·.*?\|.*?\| (.*?) \|", page)}
    ways = re.findall(r"\*: ((?:\d\d, )+\d\d)\.", page)
    assert len(needs) == len(TEXTS)
    assert len(ways) == 4
    for way in ways:
        taken = way.split(", ")
        for k, lesson in enumerate(taken):
            assert set(needs[lesson]) <= set(taken[:k]), (way, lesson)


def test_links_in_a_lesson_resolve(text):
    for cell in cells(text):
        for link in re.findall(r"\]\(([^)#]+)\)", cell.source if cell.cell_type == "markdown" else ""):
            assert link.startswith("http") or (FOLDER / link).exists(), link


PAGES = [
    "lessons/README.md",
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in FOLDER.parent.glob("docs/*.md")),
]


@pytest.mark.parametrize("page", sorted(PAGES))
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


def answers(path):
    """The answers that a file in `lesson_cases` lists."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.CASES


CASES = [case for path in sorted(Path(__file__).with_name("lesson_cases").glob("cases_*.py")) for case in answers(path)]


@pytest.mark.parametrize(("verdict", "yours", "says"), CASES, ids=lambda v: getattr(v, "__name__", v))
def test_a_check_knows_the_answer_and_the_usual_mistakes(verdict, yours, says, capsys):
    assert verdict(yours) is (says is None)
    assert (says or "✓ right") in capsys.readouterr().out


def test_every_exercise_has_its_answers_and_mistakes(text):
    """Right answers in several ways, and wrong ones of many kinds."""
    source = "\n".join(c.source for c in cells(text) if c.metadata.get("tags") == ["exercise"])
    for name in re.findall(rf"check_{text.stem[:2]}\.(\w+)\(", source):
        said = [says for verdict, _, says in CASES if verdict.__name__ == name]
        assert said.count(None) >= 4, name
        assert len(said) - said.count(None) >= 8, name


CHECKS = sorted({case[0] for case in CASES}, key=lambda f: (f.__module__, f.__name__))


@pytest.mark.parametrize("verdict", CHECKS, ids=lambda f: f.__name__)
def test_a_check_says_not_yet_to_a_placeholder(verdict, capsys):
    assert verdict(lambda *arguments: ...) is False
    assert "not yet" in capsys.readouterr().out


NUMBERS = [verdict for verdict in CHECKS if verdict.__name__ not in ("referee", "is_broken")]  # those answer in words


@pytest.mark.parametrize("verdict", NUMBERS, ids=lambda f: f.__name__)
def test_a_check_shows_how_far_off_an_answer_is_that_it_does_not_know(verdict, capsys):
    right = next(yours for check, yours, says in CASES if check is verdict and says is None)
    assert verdict(lambda *arguments: np.asarray(right(*arguments)) * 1.37) is False
    assert "off by up to" in capsys.readouterr().out


@pytest.mark.parametrize("verdict", CHECKS, ids=lambda f: f.__name__)
def test_a_check_turns_an_error_into_a_sentence(verdict, capsys):
    def stops(*arguments):
        raise ZeroDivisionError("division by zero")

    assert verdict(stops) is False
    assert "stops with ZeroDivisionError: division by zero" in capsys.readouterr().out


def test_a_check_shows_the_worst_entry(capsys):
    assert judge([[1.0, 2.0], [3.0, 9.0]], np.array([[1.0, 2.1], [3.0, 4.0]]), {}, "table") is False
    assert "off by up to 5; entry 1, 1 is 9, and should be 4" in capsys.readouterr().out
    assert judge(3.0, 2.5, {}, "number") is False
    assert "the answer is 3, and should be 2.5" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("letter", "says"),
    [
        ("b", "✓ right"),
        (" B ", "✓ right"),
        ("a", "g = 0"),
        ("c", "how far it looks"),
        ("d", "λ was 0"),
        (None, "not yet"),
        ("e", "got 'e'"),
        (3, "got '3'"),
    ],
)
def test_each_wrong_reason_is_told_what_is_wrong_with_it(letter, says, capsys):
    import check_03

    assert check_03.why(letter) is (says == "✓ right")
    assert says in capsys.readouterr().out


def test_the_three_mistakes_of_lesson_17_are_named_until_they_are_repaired():
    """By the functions that stand in the lesson: its report is all that the reader has."""
    from minisam.conformance import check, numpy_step

    names: dict = {"np": np}
    for cell in cells(TEXTS[17]):
        if re.search(r"^def (start|\w+_as_found|made_of|look|move|feed)\(", cell.source, flags=re.MULTILINE):
            kept = [line for line in cell.source.splitlines() if "check_17" not in line and not line.startswith("same")]
            exec("\n".join(line for line in kept if not line.startswith("print")), names)
    look, move, feed = ([names[f"{name}_as_found"], names[name]] for name in ("look", "move", "feed"))
    settings = {"rho": names["RHO"], "lr": names["LR"], "momentum": names["MU"], "weight_decay": 2 * names["L2"]}
    says = ["ε is multiplied by the step size", "The weights are not restored", "The momentum is fed with ∇L(w), too"]
    for repaired in range(4):
        step = names["made_of"](look[repaired > 0], move[repaired > 1], feed[repaired > 2])
        report = check(numpy_step(step, names["start"]), "SAM", **settings)
        assert report.choices == []
        assert [m[: len(s)] for m, s in zip(report.mistakes, says[repaired:], strict=True)] == says[repaired:]

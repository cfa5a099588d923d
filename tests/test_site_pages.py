"""The page of formulas, the claims' commands, and the release: all is of what is there."""

import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "site"))

import alternatives  # noqa: E402
import claims_page  # noqa: E402
import formulas_page  # noqa: E402
import mending  # noqa: E402
import sources  # noqa: E402

PAGE = formulas_page.page(sources.documented())


# --- formulas --------------------------------------------------------------------------------------------------------


def test_each_equation_that_a_docstring_names_by_its_number_is_there_with_its_formula():
    shown = re.findall(
        r"^### (.*?): (\w+)\n\n(?:```text|``)\s(.*?)\s``+\n\nCode: \[\w+\]\(#([\w.]+)\)", PAGE, re.M | re.DOTALL
    )
    assert len(shown) > 30
    for number, name, formula, full in shown:
        module, _, last = full.rpartition(".")
        docstring = inspect.getdoc(getattr(importlib.import_module(module), last))
        assert last == name
        assert number.lower() in " ".join(docstring.lower().split())
        for line in formula.splitlines():
            assert line.strip() in docstring
    assert {("Eq. 1", "sam_objective"), ("Eq. 2", "epsilon"), ("Algorithm 1", "SAM")} < {each[:2] for each in shown}


def test_each_test_of_an_article_is_there():
    papers = sorted((ROOT / "tests" / "papers").glob("test_*.py"))
    written = [name for path in papers for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.M)]
    assert len(re.findall(r"^- .*tests/papers/test_\w+\.py\)\)$", PAGE, re.M)) == len(written) > 40
    for path in papers:
        assert f"[arXiv:{formulas_page.arxiv_of(path)}]" in PAGE
    numbered = [name for name in written if formulas_page.NUMBERED.match(name)]
    assert len(re.findall(r"^- \*\*", PAGE, re.M)) == len(numbered)


def test_the_code_the_tests_and_the_lessons_of_a_formula_are_there():
    documented = sources.documented()
    assert set(re.findall(r"\(#([\w.]+)\)", PAGE)) <= documented.keys()
    for path in re.findall(r"\]\(((?:tests|lessons)/[\w./]+)\)", PAGE):
        assert (ROOT / path).is_file(), path
    of_epsilon = PAGE.split("### Eq. 2: epsilon\n")[1].split("\n##")[0]
    assert "tests/test_epsilon.py" in of_epsilon
    assert "lessons/03_sam_in_ten_lines.ipynb" in of_epsilon


def test_a_name_becomes_a_sentence_and_only_what_a_test_calls_is_its_code():
    assert formulas_page.in_words("uses_usam_and_0_05", {"USAM", "SAM"}) == "Uses USAM and 0.05"
    path = ROOT / "tests" / "papers" / "test_foret_2021.py"
    of = {test.name: formulas_page.used_by(path, test) for test in formulas_page.tests_in(path)}
    assert of["test_algorithm_1"] == {"SAM"}
    assert of["test_surrogate_gap_of_a_quadratic_has_two_terms"] == {"sam_objective"}


# --- claims ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [claim.path.stem for claim in claims_page.found()])
def test_the_page_of_a_claim_says_how_to_run_it(name):
    text = claims_page.with_command("", name)
    assert f"rm evidence/{name}.json\nmake evidence CLAIM={name}\n" in text
    assert (f"path=claim_{name}.ipynb" in text) == (name in claims_page.SMALL)


@pytest.mark.parametrize("name", claims_page.SMALL)
def test_a_small_claim_run_in_a_notebook_finds_what_is_recorded(name, capsys):
    namespace = {}
    for cell in claims_page.notebook(name).cells:
        if cell.cell_type == "code":
            exec(cell.source.replace("result.plot(against);", ""), namespace)
    recorded = next(claim for claim in claims_page.found() if claim.path.stem == name)
    assert [verdict.word for verdict in namespace["result"].verdicts(namespace["against"])] == [
        verdict.word for verdict in recorded.verdicts
    ]
    assert recorded.result.table() in capsys.readouterr().out


# --- pages -----------------------------------------------------------------------------------------------------------


def test_what_the_theme_lacks_is_added():
    page = '<aside class="sidebar-drawer"><pre>x</pre><summary aria-label="Toggle hidden content"><p>Show</p></summary>'
    assert mending.mended(page) == (
        '<aside class="sidebar-drawer" aria-label="All pages"><pre tabindex="0">x</pre><summary><p>Show</p></summary>'
    )


# --- releases --------------------------------------------------------------------------------------------------------


def version():
    return re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)[1]


def test_a_tag_that_is_not_the_version_is_refused():
    build = ["bash", ROOT / ".github" / "release" / "build.sh"]
    done = subprocess.run(
        build, env={"PATH": "/usr/bin:/bin", "GITHUB_REF_NAME": "v9.9"}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == f"the tag must be v{version()}, as pyproject.toml says; it is v9.9\n"


def test_a_citation_names_the_version():
    assert f"\nversion: {version()}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_axe_is_pinned():
    package = json.loads((ROOT / "site" / "package.json").read_text("utf-8"))
    assert re.fullmatch(r"[\d.]+", package["devDependencies"]["axe-core"])


# --- alternative texts -----------------------------------------------------------------------------------------------


def test_a_figure_s_text_is_its_section_and_what_is_written_on_it():
    cells = [
        nbformat.v4.new_markdown_cell("# 1 · A lesson\n\n## How far is $w$?"),
        nbformat.v4.new_code_cell('def draw(rho):\n    ax.set(xlabel="ρ", ylabel="loss", title=f"{rho}")'),
        nbformat.v4.new_markdown_cell("### Predict"),
        nbformat.v4.new_code_cell("draw(0.1)"),
        nbformat.v4.new_code_cell("interact(draw, rho=(0, 1))"),
        nbformat.v4.new_code_cell('ax.plot(x, label="SAM")'),
        nbformat.v4.new_code_cell("imshow(x)"),
    ]
    alternatives.describe(nbformat.v4.new_notebook(cells=cells))
    found = [cell.metadata["mystnb"]["image"]["alt"] for cell in cells if cell.cell_type == "code"]
    where = "Figure in “How far is w?”"
    assert found == [*[f"{where}: ρ; loss"] * 3, f"{where}: SAM", where]


def test_every_figure_of_a_lesson_has_a_text():
    for path in sources.lessons():
        page = sources.page_of(nbformat.read(path, as_version=4), path.name)
        for cell in page.cells:
            if cell.cell_type == "code":
                assert re.fullmatch(r"Figure in “[^“”$]{8,}”(: .+)?", cell.metadata["mystnb"]["image"]["alt"]), (
                    cell.source
                )

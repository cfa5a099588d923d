"""The site's sources: every public name is in the reference, every link leads somewhere, formulas keep their look.

The pages as a browser shows them are tested by `make browser-test`.
"""

import ast
import importlib
import inspect
import json
import pkgutil
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

import minisam

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "site"))

import claims_page  # noqa: E402
import make  # noqa: E402
import sources  # noqa: E402
import variants_page  # noqa: E402


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """All sources, in a folder."""
    folder = tmp_path_factory.mktemp("pages")
    sources.gather(folder)
    return folder


# --- the reference ---------------------------------------------------------------------------------------------------

MODULES = ["minisam", *(module.name for module in pkgutil.walk_packages(minisam.__path__, "minisam."))]
INNER = ("minisam.__main__", "minisam.ops.primitives")  # the second: those of minisam.ops, without checks of arguments
EXPORTING = [name for name in MODULES if name not in INNER and hasattr(importlib.import_module(name), "__all__")]


@pytest.mark.parametrize("name", EXPORTING)
def test_every_exported_name_is_in_the_reference(name):
    module = importlib.import_module(name)
    text = sources.reference()[name if name in sources.modules() else ".".join(name.split(".")[:2])]
    for exported in module.__all__:
        if exported in vars(module) and f"{name}.{exported}" in sources.modules():
            assert f"{name}.{exported}" in sources.reference()
        else:
            directive = rf"\.\. auto(class|function|data):: {re.escape(name)}\.{exported}\n"
            link = f":py:obj:`{name}.{exported} <"
            assert re.search(directive, text) or link in text, exported


@pytest.mark.parametrize("part", sources.modules()[1:])
def test_every_function_and_class_of_a_part_is_in_the_reference(part):
    module, text = importlib.import_module(part), sources.reference()[part]
    for name, thing in vars(module).items():
        if callable(thing) and thing.__module__ == part and not name.startswith("_") and not hasattr(module, "__all__"):
            assert re.search(rf":: {re.escape(part)}\.{name}\n", text), name


def test_a_link_of_the_first_page_leads_to_what_is_documented():
    reference = sources.reference()
    links = re.findall(r":py:obj:`minisam\.\w+ <((minisam\.\w+)\.\w+)>`", reference["minisam"])
    assert len(links) == len([name for name in minisam.__all__ if f"minisam.{name}" not in sources.modules()]) + sum(
        callable(getattr(minisam, name)) for name in minisam.__all__ if f"minisam.{name}" in sources.modules()
    )
    for name, part in links:
        assert re.search(rf":: {re.escape(name)}\n", reference[part]), name


# --- docstrings ------------------------------------------------------------------------------------------------------


def test_a_formula_keeps_its_look_and_prose_means_itself():
    docstring = """\
    The norm |ε|, and a product a * b.

        ε = ρ g / ‖g‖_p    for |g| > 0
        w ← w − ε

    More of `x_` and g_.

    Parameters
    ----------
    g : array
        Indented, and no formula.
    """
    lines = [line[4:] for line in docstring.splitlines()[:-1]]
    assert sources.as_rst(lines) == [
        "The norm \\|ε\\|, and a product a \\* b.",
        "",
        "::",
        "",
        "    ε = ρ g / ‖g‖_p    for |g| > 0",
        "    w ← w − ε",
        "",
        "More of `x_` and g\\_.",
        "",
        "Parameters",
        "----------",
        "g : array",
        "    Indented, and no formula.",
    ]


# --- pages -----------------------------------------------------------------------------------------------------------


def prose(path):
    """What a reader reads of a source."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")


def test_the_recorded_results_are_where_lessons_look_for_them(pages, tmp_path):
    sources.copy_records(tmp_path)  # in the browser, beside the lessons
    for folder in (pages, tmp_path):
        assert {path.name for path in (folder / "evidence").glob("*.json")} >= {"cheaper.json", "xor.json"}
    assert (pages / "lessons" / "check.py").exists()


def test_links_between_pages_resolve(pages):
    found = 0
    for path in [*pages.rglob("*.md"), *pages.rglob("*.ipynb")]:
        for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
            if not re.match(r"https?:|#", link):
                assert (path.parent / link.partition("#")[0]).exists(), f"{path.name}: {link}"
                found += 1
    assert found >= 20


def test_the_reference_links_its_pages(pages):
    index = (pages / "reference" / "index.rst").read_text(encoding="utf-8")
    for page in re.findall(r":doc:`([\w.]+)`", index):
        assert (pages / "reference" / f"{page}.rst").exists()


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("[a](minisam/sam/step.py)", "[a](reference/minisam.sam.rst)"),
        ("[a](minisam/optim.py)", "[a](reference/minisam.optim.rst)"),
        ("[a](lessons/)", "[a](lessons/index.md)"),
        ("[a](CONTRIBUTING.md#x)", "[a](contributing.md#x)"),
        ("![a](figures/demo.png)", "![a](figures/demo.png)"),
        ("[a](https://host/x) [b](#x)", "[a](https://host/x) [b](#x)"),
        ("[a](tests/strict.py)", "a"),
    ],
)
def test_a_link_leads_to_the_page_that_shows_it(text, becomes, monkeypatch):
    monkeypatch.setattr(sources, "REPOSITORY", None)
    assert sources.relink(text, "README.md") == becomes


def test_what_has_no_page_is_linked_in_the_repository(monkeypatch):
    monkeypatch.setattr(sources, "REPOSITORY", "owner/name")
    assert (
        sources.relink("[a](tests/strict.py)", "README.md")
        == "[a](https://github.com/owner/name/blob/main/tests/strict.py)"
    )


def test_every_lesson_is_a_page_with_a_link_to_where_it_runs(pages):
    lessons = sources.lessons()
    assert len(lessons) == len(list((ROOT / "lessons").glob("[0-9]*.ipynb"))) > 3
    for path in lessons:
        page = nbformat.read(pages / "lessons" / path.name, as_version=4)
        assert f"lite/notebooks/index.html?path={path.name}" in page.cells[1].source
        for cell in page.cells:
            if "solution" in cell.metadata.get("tags", []):
                assert "hide-input" in cell.metadata["tags"]
            elif "hide-input" in cell.metadata.get("tags", []):
                assert cell.metadata["mystnb"]["code_prompt_show"] == "Show the code"  # it is no solution


def test_the_first_page_counts_what_there_is(pages):
    index = (pages / "index.md").read_text(encoding="utf-8")
    assert f"{len(sources.lessons())} short lessons" in index
    assert f"{len(claims_page.found())} claims" in index
    assert f"{len(variants_page.TABLE)} variants" in index
    assert "$" not in index


# --- claims and variants ---------------------------------------------------------------------------------------------


def test_every_claim_is_a_card_with_all_that_it_predicted(pages):
    page = (pages / "evidence" / "index.md").read_text(encoding="utf-8")
    shown = re.findall(r'<article class="claim (\w+)">(.*?)</article>', page, re.DOTALL)
    assert len(shown) == len(claims_page.found()) == len(list((ROOT / "evidence").glob("*.md"))) - 1  # README
    assert [kind for kind, _ in shown] == sorted([kind for kind, _ in shown], key=list(claims_page.LABELS).index)
    for (kind, card), claim in zip(shown, claims_page.found(), strict=True):
        assert f'<p class="outcome">{claim.outcome}</p>' in card
        assert card.count("<svg") == len(claim.predicted)
        right = sum(verdict.word == word for verdict, word in claim.predicted)
        assert card.count('<span class="held">') == right
        assert {"no": right == 0, "open": right == 0, "yes": right == len(claim.predicted)}.get(kind, right > 0)
        assert f"make evidence CLAIM={claim.path.stem}" in card
    assert "| claim |" not in page


def test_an_interval_is_drawn_where_it_is():
    drawn = claims_page.interval(SimpleNamespace(effect=0.5, half_width=0.25), 0.1, 1.0, "held")
    low, high = map(float, re.search(r'd="M([\d.]+) 11.0H([\d.]+)"', drawn).groups())
    middle = claims_page.WIDTH / 2
    assert (high - middle) / (low - middle) == pytest.approx(3, rel=1e-2)  # 0.75 and 0.25
    assert f'cx="{(low + high) / 2:g}"' in drawn
    assert 0 < high < claims_page.WIDTH


def test_the_code_of_a_variant_is_its_class_without_the_docstring():
    for name in variants_page.TABLE:
        shown, written = (
            ast.parse(text).body[0]
            for text in (variants_page.code(name), inspect.getsource(getattr(minisam.sam, name)))
        )
        assert ast.dump(shown) == ast.dump(ast.ClassDef(**vars(written) | {"body": written.body[1:]})), name
        assert '"""' not in variants_page.code(name).split("def ")[0], name


def test_a_variant_shows_its_formula_its_article_and_what_it_reached():
    page = variants_page.page()
    for name in variants_page.TABLE:
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        formula = section.split("```text\n")[1].split("\n```")[0]
        for line in formula.splitlines():
            assert line.strip() in inspect.getdoc(getattr(minisam.sam, name))
        assert formula.strip()
    assert len(re.findall(r"https://arxiv.org/abs/\d+\.\d+", page)) >= 25
    row = next(line for line in page.splitlines() if 'href="#msam"' in line)
    table = (ROOT / "docs" / "family.md").read_text(encoding="utf-8")
    told = re.search(r"^\| MSAM \|.*$", table, re.MULTILINE)[0].split(" | ")
    assert f"<td>{told[8].strip('*')} ▲</td>" in row
    assert f"<td>{told[4]}</td>" in row


def test_a_widget_stands_still_on_a_page():
    def model(name, **state):
        return {name: {"model_name": "", "state": state}}

    picture = {"output_type": "display_data", "data": {"image/png": "x"}, "metadata": {}}
    widgets = model("box", children=["IPY_MODEL_slider", "IPY_MODEL_output"])
    widgets |= model("slider", value=1) | model("output", outputs=[picture]) | model("bar", children=[])
    views = [{"application/vnd.jupyter.widget-view+json": {"model_id": name}} for name in ("box", "bar")]
    outputs = [nbformat.v4.new_output("display_data", view) for view in views]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("interact()", outputs=outputs)])
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": widgets}}
    note, shown = make.still(notebook).cells[0].outputs
    assert note.data["text/markdown"] == make.STILL
    assert shown.data == picture["data"]
    assert "widgets" not in notebook.metadata


# --- versions --------------------------------------------------------------------------------------------------------


def test_pyodide_is_the_same_on_the_site_and_in_the_test():
    version = json.loads((ROOT / "site" / "package.json").read_text(encoding="utf-8"))["dependencies"]["pyodide"]
    assert make.PACKAGES.endswith(f"/v{version}/full/")
    driver = (ROOT / "tests" / "browser" / "lite.test.mjs").read_text(encoding="utf-8")
    assert make.PACKAGES in driver


def test_the_runtime_is_from_npm_and_its_packages_are_verified(tmp_path, monkeypatch):
    npm = tmp_path / "npm" / "pyodide"
    npm.mkdir(parents=True)
    for name in make.RUNTIME:
        (npm / name).write_text(name)
    package = {"file_name": "numpy-2.0.2.whl", "sha256": 64 * "0"}
    (npm / "pyodide-lock.json").write_text(json.dumps({"info": {}, "packages": {"numpy": package}}))
    monkeypatch.setattr(make, "NPM", tmp_path / "npm")
    make.pyodide(tmp_path / "site")
    assert {path.name for path in (tmp_path / "site").iterdir()} == {*make.RUNTIME, "pyodide-lock.json"}
    lock = json.loads((tmp_path / "site" / "pyodide-lock.json").read_text())
    there = package | {"file_name": make.PACKAGES + "numpy-2.0.2.whl"}
    assert lock == {"info": {}, "packages": {"numpy": there}}


def test_all_that_npm_installs_is_in_its_lock_with_its_hash():
    package, lock = (json.loads((ROOT / "site" / name).read_text()) for name in ("package.json", "package-lock.json"))
    root, others = lock["packages"][""], [each for name, each in lock["packages"].items() if name]
    for kind in ("dependencies", "devDependencies"):
        assert root[kind] == package[kind]
    assert all(each["integrity"].startswith("sha512-") for each in others)
    assert "npm ci --ignore-scripts" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_everything_is_pinned():
    extra = re.search(r"^site = (\[.*\])$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)[1]
    for requirement in [*json.loads(extra), *make.PINNED]:
        assert re.fullmatch(r"[\w-]+==[\d.]+", requirement), requirement
    wheels = [line for line in make.WHEELS_TXT.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"\S+ --hash=sha256:[0-9a-f]{64}", line) for line in wheels)

"""The pages' sources, gathered in one folder: the first page and the other texts, the lessons, the reference."""

import importlib
import inspect
import os
import pkgutil
import re
import shutil
from pathlib import Path
from string import Template

import alternatives
import claims_page
import formulas_page
import nbformat
import variants_page

import minisam

ROOT = Path(__file__).resolve().parent.parent
TEXTS = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "lessons/README.md": "lessons/index.md",
    "evidence/README.md": "evidence/index.md",
    "conformance/README.md": "implementations.md",
}
TEXTS |= {f"docs/{path.name}": path.name for path in sorted((ROOT / "docs").glob("*.md"))}
TEXTS |= {f"evidence/{path.name}": f"evidence/{path.name}" for path in sorted((ROOT / "evidence").glob("[a-z]*.md"))}
REPOSITORY = os.environ.get("GITHUB_REPOSITORY")  # owner/name, where GitHub builds the site
BASE = "https://{}.github.io/{}/".format(*REPOSITORY.split("/")) if REPOSITORY else "/"

TOCTREES = {
    "README.md": "lessons/index\nevidence/index\nvariants\nformulas\nconformance\nimplementations\ncode\nfamily\n"
    "demo\nspeed\nmachines\nreference/index\ncontributing\nchangelog",
    "lessons/README.md": "[0-9]*",
    "evidence/README.md": "\n".join(Path(name).stem for name in TEXTS if re.match("evidence/[a-z]", name)),
}
TOCTREE = "\n```{{toctree}}\n:hidden:\n:glob:\n{maxdepth}\n{pages}\n```\n"
RUN = '<a class="run" href="../lite/notebooks/index.html?path={name}">▶ Run this lesson in the browser</a>'


def gather(folder):
    """Write all sources below the folder."""
    write(folder / "index.md", first_page())
    write(folder / "variants.md", variants_page.page())
    write(folder / "formulas.md", relink(formulas_page.page(documented()), "formulas.md"))
    for source, target in TEXTS.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        if target == "evidence/index.md":
            text = claims_page.with_cards(text)
        elif target.startswith("evidence/"):
            text = claims_page.with_command(text, Path(target).stem)
        write(folder / target, relink(text, source) + toctree(source))
    for path in lessons():
        write(folder / "lessons" / path.name, nbformat.writes(page_of(nbformat.read(path, as_version=4), path.name)))
    for path in beside_lessons():
        shutil.copy(path, folder / "lessons")
    shutil.copytree(
        ROOT / "figures", folder / "figures", ignore=shutil.ignore_patterns("*.py", "*.json", "__pycache__")
    )
    for path in (ROOT / "evidence").glob("*.png"):
        shutil.copy(path, folder / "evidence")
    copy_records(folder)
    for name, text in reference().items():
        write(folder / "reference" / f"{name}.rst", text)


def beside_lessons():
    """What the lessons import and read, but for the recorded results."""
    return [*(ROOT / "lessons").glob("check*.py"), *(ROOT / "lessons").glob("fashion.*")]


def copy_records(folder):
    """The recorded results, in the folder beside or above the lessons where `check.recorded` looks for them."""
    (folder / "evidence").mkdir(exist_ok=True)
    for path in (ROOT / "evidence").glob("*.json"):
        shutil.copy(path, folder / "evidence")


def first_page():
    """site/index.md, with how many there are of what it names."""
    counts = {"lessons": len(lessons()), "claims": len(claims_page.found()), "variants": len(variants_page.TABLE)}
    text = Template((ROOT / "site" / "index.md").read_text(encoding="utf-8")).substitute(counts)
    return text + toctree("README.md")


def toctree(source):
    return TOCTREE.format(maxdepth=":maxdepth: 2", pages=TOCTREES[source]) if source in TOCTREES else ""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def lessons():
    return sorted((ROOT / "lessons").glob("[0-9]*.ipynb"))


def page_of(notebook, name):
    """A lesson with a link to its version in the browser, hidden code folded, and an alternative text for each figure."""
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(RUN.format(name=name), id="run"))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = relink(cell.source, f"lessons/{name}")
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
            if "solution" not in cell.metadata["tags"]:
                cell.metadata["mystnb"] = {"code_prompt_show": "Show the code", "code_prompt_hide": "Hide the code"}
    alternatives.describe(notebook)
    return notebook


# --- links -----------------------------------------------------------------------------------------------------------


def relink(text, source):
    """A text's relative links, as they are between pages. What has no page is linked in the repository, or not at all."""

    def replaced(match):
        mark, label, target = match.groups()
        if re.match(r"https?:|#", target):
            return match[0]
        path, _, anchor = target.partition("#")
        path = os.path.normpath(Path(source).parent / path)
        if page := page_at(path):
            page = os.path.relpath(page, Path(TEXTS.get(source, source)).parent)
            return f"{mark}[{label}]({page}{'#' * bool(anchor)}{anchor})"
        return f"[{label}](https://github.com/{REPOSITORY}/blob/main/{path})" if REPOSITORY else label

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", replaced, text)


def page_at(path):
    """The source of the page, or the picture, that shows a file of the repository; None if there is none."""
    if path == "README.md":
        return "index.md"
    if path in ("lessons", "evidence"):
        return TEXTS[f"{path}/README.md"]
    if path in TEXTS:
        return TEXTS[path]
    if re.fullmatch(r"lessons/\d.*\.ipynb|evidence/.*\.png|figures/.*\.(png|gif)", path):
        return path
    module = ".".join(Path(path).with_suffix("").parts[:2])
    return f"reference/{module}.rst" if module in modules() else None


# --- the reference ---------------------------------------------------------------------------------------------------


def modules():
    """The library and its parts, by name."""
    parts = [name for _, name, _ in pkgutil.iter_modules(minisam.__path__) if not name.startswith("_")]
    return ["minisam", *(f"minisam.{name}" for name in parts)]


def public(module):
    """A module's public names: those in `__all__`, or the functions and classes that are written in it."""
    module = importlib.import_module(module)
    if hasattr(module, "__all__"):
        return [name for name in module.__all__ if not inspect.ismodule(getattr(module, name))]
    return [name for name in vars(module) if not name.startswith("_") and home(module, name) == module.__name__]


def documented():
    """The functions and classes of the reference, by their names there."""
    found = {
        f"{part}.{name}": getattr(importlib.import_module(part), name)
        for part in modules()[1:]
        for name in public(part)
    }
    return {name: thing for name, thing in found.items() if callable(thing)}


def home(module, name):
    """The module in which an object is written; a constant's is the one that has it."""
    thing = getattr(module, name)
    thing = getattr(thing, "fun", thing)  # a primitive wraps the function that was written
    if inspect.ismodule(thing) or not callable(thing):
        return module.__name__ if hasattr(module, "__all__") else None
    return thing.__module__


def reference():
    """The reference's pages, in reStructuredText: {page: text}."""
    parts = modules()[1:]
    rows = [f":doc:`{part}`\n   {summary(importlib.import_module(part))}" for part in parts]
    index = [*headed("Reference", "="), ":doc:`minisam` lists what `import minisam` gives. Its parts:", "", *rows, ""]
    index += [".. toctree::", "   :hidden:", "", "   minisam", *[f"   {part}" for part in parts], ""]
    return {"index": "\n".join(index), "minisam": overview()} | {part: page(part) for part in parts}


def overview():
    """The names that `import minisam` gives, each with a line and a link."""
    lines = [*headed("minisam", "="), ".. automodule:: minisam", ""]
    for name in public("minisam"):
        thing = getattr(minisam, name)
        part = ".".join(home(minisam, name).split(".")[:2])
        lines += [f":py:obj:`minisam.{name} <{part}.{name}>`", f"   {summary(thing)}", ""]
    return "\n".join(lines)


def page(part):
    """A part of the library: its names under the modules in which they are written."""
    module = importlib.import_module(part)
    lines = [*headed(part, "="), f".. automodule:: {part}", ""]
    homes = {}
    for name in public(part):
        homes.setdefault(home(module, name), []).append(name)
    for inner, names in sorted(homes.items()):
        if inner != part:
            lines += [*headed(inner, "-"), f".. automodule:: {inner}", "   :no-index:", ""]
        for name in names:
            lines += auto(getattr(module, name), f"{part}.{name}")
    return "\n".join(lines)


def auto(thing, name):
    """The directive that documents one object."""
    if inspect.isclass(thing):
        return [f".. autoclass:: {name}", "   :members:", ""]
    return [f".. auto{'function' if callable(thing) else 'data'}:: {name}", ""]


def summary(thing):
    """The first line of a docstring."""
    return escaped((inspect.getdoc(thing) or "").split("\n", 1)[0])


def headed(title, line):
    return [title, line * len(title), ""]


# --- docstrings ------------------------------------------------------------------------------------------------------


def escaped(line):
    """A line of prose, safe in reStructuredText: `|ε|`, `*` and `‖·‖_` mean themselves. What is in backticks stays."""
    pieces = line.split("`")
    pieces[::2] = [re.sub(r"([*|\\]|_(?!\w))", r"\\\1", piece) for piece in pieces[::2]]
    return "`".join(pieces)


def as_rst(lines):
    """A docstring with its formulas, which are the indented blocks before the numpydoc sections, kept as they look."""
    found, literal, prose = [], False, True
    for k, line in enumerate(lines):
        if k + 1 < len(lines) and re.fullmatch(r"-{3,}", lines[k + 1]):
            prose = False
        indented = line.startswith("    ")
        if prose and indented and not literal and not (k and lines[k - 1].strip()):
            found += ["::", ""]
            literal = True
        elif line.strip() and not indented:
            literal = False
        found.append(line if literal or re.fullmatch(r"-{3,}", line) else escaped(line))
    return found

"""The page of formulas: an equation of an article, its code, its tests, its lessons.

Made of the library's docstrings, which name equations by their numbers, and of tests/papers, which state what articles say.
"""

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import variants_page

ROOT = Path(__file__).resolve().parent.parent
NUMBER = r"(?:eq\.|algorithm|definition) \d+(?:(?:,| and| to) \d+)*"
CITED = re.compile(rf"([A-Z][^.;:()]*?(?: et al\.)? \d{{4}}), arXiv:(\d+\.\d+), ({NUMBER})")
NUMBERED = re.compile(r"test_(eq|algorithm|section)_(\d+)_?")
PLAIN = {"SGD", "Quadratic", "BatchLoss", "value_and_grad", "hvp", "train", "mlp", "cnn", "gpt"}  # tools of the tests
PAGE = """# The formulas

Each equation that the library names by its number: the formula as the library writes it, its code, the tests that call it most,
the first lessons that call it. Under *Tested* stands what the tests of an article's statements say, in their own words.

{}
"""
PAPER = "## {title}\n\n[arXiv:{arxiv}](https://arxiv.org/abs/{arxiv}){lessons}\n\n{entries}\n{tested}\n"
ENTRY = "### {number}: {name}\n\n{formula}\n\nCode: [{name}](#{full}). {tests}{lessons}\n"


def page(public):
    """The whole page, in Markdown; `public` is {full name: function or class}, all that the reference documents."""
    found = {}  # {arXiv: [(title, number, full name)]}
    once = {thing: full for full, thing in reversed(public.items())}  # some stand in two parts
    for thing, full in reversed(once.items()):
        for title, arxiv, number in cited(thing):
            found.setdefault(arxiv, []).append((title, number, full))
    stated = {arxiv_of(path): path for path in sorted((ROOT / "tests" / "papers").glob("test_*.py"))}
    names = {full.rpartition(".")[2]: full for full in public}
    titles = {arxiv: rows[0][0] for arxiv, rows in found.items()}
    titles |= {arxiv: title_of(path) for arxiv, path in stated.items()}
    papers = sorted(titles, key=lambda arxiv: (arxiv not in stated, arxiv))
    return PAGE.format("\n".join(paper(a, titles[a], found.get(a, []), stated.get(a), names, public) for a in papers))


def paper(arxiv, title, rows, path, names, public):
    """All that the library has of an article."""
    rows = sorted(rows, key=lambda row: int(re.search(r"\d+", row[1])[0]))
    entries = "\n".join(entry(number, full, public[full]) for _, number, full in rows)
    tested = (
        "" if path is None else "**Tested**\n\n" + "\n".join(statement(path, each, names) for each in tests_in(path))
    )
    cites = lessons_with(re.escape(arxiv))
    lessons = f", cited by {'lesson' if len(cites) == 1 else 'lessons'} {', '.join(cites)}" if cites else ""
    return PAPER.format(title=title, arxiv=arxiv, lessons=lessons, entries=entries, tested=tested)


# --- what the library names by its number ------------------------------------------------------------------------------


def cited(thing):
    """(authors and year, arXiv number, equation) of each that a docstring names by its number."""
    return CITED.findall(" ".join((inspect.getdoc(thing) or "").split()))


def entry(number, full, thing):
    """An equation: formula, code, tests, lessons."""
    name = full.rpartition(".")[2]
    used = rf"\b{name}\("
    files = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if re.search(used, text_of(path))]
    files.sort(key=lambda path: -len(re.findall(used, text_of(path))))
    tests = f"Tests: {', '.join(map(linked, files[:3]))}. " if files else ""
    lessons = lessons_with(used)
    told = f"Lessons: {', '.join(lessons[:4])}." if lessons else ""
    formula = variants_page.formula_of(inspect.getdoc(thing))
    is_line = formula == inspect.getdoc(thing).partition("\n")[0]  # of words, it may be: so it wraps
    shown = f"`` {formula} ``" if is_line else f"```text\n{formula}\n```"
    return ENTRY.format(number=number.capitalize(), name=name, full=full, formula=shown, tests=tests, lessons=told)


def linked(path):
    return f"[{path.name}]({path.relative_to(ROOT)})"


def lessons_with(pattern):
    """Links to the lessons whose text has it."""
    paths = sorted((ROOT / "lessons").glob("[0-9]*.py"))
    return [f"[{p.stem[:2]}](lessons/{p.stem}.ipynb)" for p in paths if re.search(pattern, text_of(p))]


# --- what tests/papers states ------------------------------------------------------------------------------------------


@cache
def text_of(path):
    return path.read_text(encoding="utf-8")


def arxiv_of(path):
    return re.search(r"arXiv:(\d+\.\d+)", text_of(path))[1]


def title_of(path):
    """Authors, year and title, as the test file's docstring begins."""
    return (
        " ".join(re.match(r'"""(.*?"[^"]*")', text_of(path), re.DOTALL)[1].split())
        .replace('."', '"')
        .replace(',"', '"')
    )


def tests_in(path):
    return [node for node in ast.parse(text_of(path)).body if getattr(node, "name", "").startswith("test_")]


def statement(path, test, names):
    """A test of an article: what it states, in words and as a formula, and of which code."""
    number = NUMBERED.match(test.name)
    words = in_words(test.name[number.end() if number else len("test_") :], names)
    head = f"**{number[1].replace('eq', 'eq.').capitalize()} {number[2]}**" if number else ""
    said = (ast.get_docstring(test) or "").partition("\n")[0]
    told = ": ".join(filter(None, [" ".join(filter(None, [head, words])), said and f"`{said}`"]))
    of = [f"[{name}](#{names[name]})" for name in sorted(used_by(path, test) & names.keys())]
    return f"- {told} ({', '.join([*of, linked(path)])})"


def in_words(name, names):
    """A test's name as a sentence, with the names of methods as they are written."""
    written = {each.lower(): each for each in names if each[1:].isupper() or each.endswith("SAM")}
    words = [written.get(word, word) for word in re.sub(r"_0_(\d)", r"_0.\1", name).split("_")]
    sentence = " ".join(words)
    return sentence[:1].upper() + sentence[1:]


def used_by(path, test):
    """What a test uses of the formulas' code, itself or through the functions of its file."""
    body = ast.parse(text_of(path)).body
    imports = [node for node in body if isinstance(node, ast.ImportFrom) and node.module.startswith("minisam")]
    mine = {alias.name for node in imports for alias in node.names} - PLAIN
    return mine & reached(test, {node.name: node for node in body if isinstance(node, ast.FunctionDef)})


def reached(test, functions):
    """The names that a test, and what it calls, mention."""
    seen, left = set(), [test]
    while left:
        used = {node.id for node in ast.walk(left.pop()) if isinstance(node, ast.Name)}
        left += [functions[name] for name in used - seen if name in functions]
        seen |= used
    return seen

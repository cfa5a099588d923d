"""The page on the implementations, rendered from what was found of them.

Truths: tests/test_implementations.py.
"""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PAGE = """<!-- made by `make conformance`, from results.json beside it -->
# SAM as it can be installed

Implementations of SAM and its relatives from the Python Package Index, each driven for 20 steps on six small problems in
double precision and watched by `minisam.conformance`: at which points it takes gradients, on which batch, and where it leaves the
weights. A statement holds or it does not; what makes another variant is marked as such, and is no mistake. Each deviation
has a short program that shows it by the package alone, and stands below with what it printed.

Of {many} that were driven, {right} do all that was asked of them. The page says what these versions do with these settings, and
is no ranking. If an entry is wrong or out of date, please say so.

{overview}

## Statement by statement

✓ holds · ✗ does not · ○ makes another variant · – cannot be told: another deviation hides it, or its setting is 0 · empty: not
asked, since some variants are compared by their path alone, and the path where all else holds.

{matrix}

{legend}

## What was found

{findings}

## How each was driven

{driven}

Schedules, mixed precision, batch norm, dropout and several devices are not part of this page. `torch-optimizer` 0.3.0 was looked
into and has no SAM; that of `mosaicml` 0.32.1 needs its trainer, and was not run.
"""
MARKS = {True: "✓", False: "✗", None: "–"}


def page(results, folder):
    """The whole page; `folder` holds the reproductions."""
    found, everyone = results["implementations"], [*results["implementations"], *results["beyond"]]
    programs = {name: Program(name, folder, printed) for name, printed in results["reproductions"].items()}
    return PAGE.format(
        many=len(found),
        right=sum(not one["reproductions"] for one in found),
        overview=overview(everyone, programs),
        matrix=matrix(found),
        legend=legend(found),
        findings="\n\n".join(finding(program, everyone) for program in programs.values()),
        driven="\n".join(f"- {title(one)}: {one['driven']}. {one['remark']}".rstrip() for one in found),
    )


def title(one):
    """Its name with that of its package."""
    return f"`{one['package']}` {one['version']}, {one['name']}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def overview(everyone, programs):
    """Each implementation with what there is to say of it, in a sentence."""
    rows = [[title(one), one["variant"], outcome(one, programs)] for one in everyone]
    return table(["implementation", "held against", "outcome"], rows)


def outcome(one, programs):
    if not one["reproductions"]:
        return f"**all that was asked holds**; the same path on all {len(one['problems'])} problems"
    headlines = " ".join(f"[{programs[name].headline}]({programs[name].path})" for name in one["reproductions"])
    if "problems" not in one:
        return headlines
    return f"{headlines} The same path on {one['agreed']} of {len(one['problems'])} problems"


# --- statement by statement ------------------------------------------------------------------------------------------


def texts(found):
    """Every statement once, with its formula, in the order of the reports."""
    longest = sorted(found, key=lambda one: -len(one["statements"]))
    return dict((s["text"], s["formula"]) for one in longest for s in one["statements"])


def matrix(found):
    numbers = [str(k + 1) for k in range(len(texts(found)))]
    return table(["implementation", *numbers], [[title(one), *marks(one, texts(found))] for one in found])


def marks(one, asked):
    """One mark a statement."""
    told = {s["text"]: "○" if s["is_choice"] else MARKS[s["holds"]] for s in one["statements"]}
    return [told.get(text, "") for text in asked]


def legend(found):
    return table(
        ["", "statement", "formula"],
        [[str(k + 1), text, formula.replace("|", "\\|")] for k, (text, formula) in enumerate(texts(found).items())],
    )


# --- what was found --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """A reproduction: its docstring's first line is what it shows, the rest what is expected; and what it printed."""

    name: str
    folder: Path
    printed: str

    @property
    def path(self):
        return f"{self.folder.name}/{self.name}.py"

    @cached_property
    def source(self):
        return (self.folder / f"{self.name}.py").read_text(encoding="utf-8")

    @property
    def headline(self):
        return self._doc.partition("\n")[0]

    @property
    def expected(self):
        return self._doc.partition("\n")[2].strip()

    @property
    def code(self):
        return self.source.split('"""', 2)[2].strip()

    @property
    def _doc(self):
        return ast.get_docstring(ast.parse(self.source))


def finding(program, everyone):
    """What a program shows, what was expected, the program, and what it printed."""
    of = next(one for one in everyone if program.name in one["reproductions"])
    with_what = f"With `{of['package']}` {of['version']}, [{program.name}.py]({program.path})"
    code, printed = f"```python\n{program.code}\n```", f"```text\n{program.printed.strip()}\n```"
    return "\n\n".join([f"### {program.headline}", program.expected, with_what, code, "prints", printed])

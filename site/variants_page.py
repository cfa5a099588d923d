"""The page of variants: what each looks at and takes, its formula, its code as it stands, its cost, what it reached.

Made of the table in `minisam.sam`, of the classes, and of benchmarks/family.json.
"""

import ast
import inspect
import json
import re
import sys
import textwrap
from html import escape
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.append(str(BENCHMARKS))

import family  # noqa: E402

from minisam import sam  # noqa: E402

LINES = next(part for part in sam.__doc__.split("\n\n") if part.lstrip().startswith("variant")).splitlines()
TABLE = {cells[0]: cells[1:] for cells in (re.split(" {2,}", line.strip()) for line in LINES[1:])}
HEADS = {"variant": "", "where it looks": "", "what it takes": "", "when it pays": "", "∇ a step": ""}
HEADS |= {"noisy digits": "down", "MNIST-1D": "down", "λ_max": "", "year": "down"}
HEAD = '<th scope="col"{}><button type="button">{}</button></th>'
PAGE = """# The variants

Every variant of SAM in the library: where it looks, what it takes from there, when it pays for it (“·” is as SAM
does), and what it reached. Click on a head to sort, on a name for formula and code.

<p class="filter"><label>Show those with
<input type="search" data-filters="variants" placeholder="momentum, 2024, by chance"></label></p>
<div class="table-wrapper" tabindex="0" role="region" aria-label="All variants"><table id="variants" class="sorted docutils">
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody></table></div>
<script type="module" src="_static/sorted.mjs"></script>

Test accuracy in percent, mean ± 95% interval over ten seeds, with as many gradients as SAM spends; ▲ better and ▼ worse
than SGD, seed by seed, at a level of 5% that all comparisons share. SGD: {sgd}. λ_max is on the noisy digits. How it was tuned:
[the family](family.md).

{sections}
"""
SECTION = """## {name}

{summary} [Reference](#minisam.sam.{name})

```text
{formula}
```

<details><summary>The class, as it stands in minisam/sam/{file}.py</summary>

```python
{code}
```

</details>

{source}
"""


def page():
    """The whole page, in Markdown."""
    results = json.loads(family.RESULTS.read_text(encoding="utf-8"))
    heads = "".join(HEAD.format(' data-down="1"' * bool(down), name) for name, down in HEADS.items())
    rows = "\n".join(row(name, results) for name in TABLE)
    told = [
        f"{family.percent(results['rows'][f'{p}: SGD']['equal_gradients'])} on {family.SHORT[p]}"
        for p in ("digits", "mnist1d")
    ]
    sections = "\n".join(section(name) for name in TABLE)
    return PAGE.format(heads=heads, rows=rows, sgd=" and ".join(told), sections=sections)


def row(name, results):
    """A line of the table."""
    _, where, what, when, gradients = TABLE[name]
    link = f'<th scope="row"><a href="#{name.lower()}">{name}</a></th>'
    cells = [escape(where), escape(what), escape(when), escape(gradients)]
    cells += [reached(results, "digits", name), reached(results, "mnist1d", name), flatness(results, name), year(name)]
    return f"<tr>{link}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def measured(results, problem, name):
    """The first row of the results that is of this class, or None."""
    of_class = (each for each in family.whole_rows(results) if each.split(",")[0] == name)
    return next((results["rows"][f"{problem}: {each}"] for each in of_class), None)


def reached(results, problem, name):
    """Its accuracy, and whether that differs from SGD's."""
    found = measured(results, problem, name)
    if found is None:
        return "–"
    mine, its = found["equal_gradients"], results["rows"][f"{problem}: SGD"]["equal_gradients"]
    sure = family.apart(mine, its, len(family.whole_rows(results)) - 1)
    return family.percent(mine) + ((" ▲" if sum(mine) > sum(its) else " ▼") if sure else "")


def flatness(results, name):
    found = measured(results, "digits", name)
    return "–" if found is None else f"{sum(found['lambda_max']) / len(found['lambda_max']):.1f}"


def docstring(name):
    return inspect.getdoc(getattr(sam, name))


def source(name):
    """The sentence of the docstring that names the article."""
    found = re.search(r"Source: (.*?)(?:\n\n|\Z)", docstring(name), re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def year(name):
    found = re.search(r"(?:19|20)\d\d", source(name))
    return found[0] if found else "–"


def formula_of(text):
    """The formulas of a docstring, which are its indented blocks before the sections; its first line if it has none."""
    first, _, rest = text.partition("\n")
    formulas = re.findall(r"(?:^    .*\n?|^\n(?=    ))+", rest.split("\nParameters\n")[0], re.MULTILINE)
    return "\n\n".join(textwrap.dedent(each).strip("\n") for each in formulas) or first


def section(name):
    """Formula and code of a variant."""
    linked = re.sub(r"arXiv:(\d+\.\d+)", r"[arXiv:\1](https://arxiv.org/abs/\1)", source(name))
    told = f"Source: {linked}" if linked else ""
    first, formula = docstring(name).partition("\n")[0], formula_of(docstring(name))
    return SECTION.format(name=name, summary=first, formula=formula, file=TABLE[name][0], code=code(name), source=told)


def code(name):
    """The class without its docstring."""
    text = textwrap.dedent(inspect.getsource(getattr(sam, name)))
    (defined,) = ast.parse(text).body
    said = defined.body[0]
    lines = text.rstrip().splitlines()
    del lines[said.lineno - 1 : said.end_lineno + (not lines[said.end_lineno].strip())]
    return "\n".join(lines)

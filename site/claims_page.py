"""The claims as cards: what each came to, with its intervals drawn. Made of the results in evidence/."""

import re
import sys
from functools import cache
from html import escape
from pathlib import Path

EVIDENCE = Path(__file__).resolve().parent.parent / "evidence"
sys.path.append(str(EVIDENCE))

import nbformat  # noqa: E402
import page  # noqa: E402

from minisam.study.verdicts import UNDECIDED  # noqa: E402

OUTCOMES = {"Not": "no", "Undecided": "open", "Reproduced in": "part", "Reproduced": "yes"}  # how it begins: its class
LABELS = {"no": "not reproduced", "open": "undecided", "part": "in part", "yes": "reproduced"}
WIDTH, HEIGHT = 220, 22  # of a drawn interval
SMALL = ("bounce", "slope")  # seconds of work, in a browser too
COMMAND = """
## Run it anew

In a clone of the repository, this computes the result from nothing, and writes this page:

```sh
rm evidence/{name}.json
make evidence CLAIM={name}
```
"""
HERE = """
It is small: <a href="../lite/notebooks/index.html?path=claim_{name}.ipynb">run it here</a>, in the browser, with nothing
installed.
"""
SHOWN = """\
from minisam import study

result = study.Result(measure(units), delta)
print(result.table())
print(*result.verdicts(against), sep="\\n")
result.plot(against);"""
CARD = """<article class="claim {kind}">
<h2><a href="{name}.html">{title}</a></h2>
<p class="outcome">{outcome}</p>
<div class="effects">
{effects}
</div>
<p>{units} units; the score is {scale}. <code>make evidence CLAIM={name}</code></p>
<details><summary>The picture</summary>
<img loading="lazy" src="../_images/{name}.png" alt="{title} Scores of each method."></details>
</article>"""
EFFECT = '<span>{name}</span>{drawn}<span class="number">{number}</span><span class="{kind}">{word}</span>'


@cache
def found():
    """All claims whose result is there, what did not reproduce first."""
    claims = [
        page.load(path.with_suffix(".py"))
        for path in sorted(EVIDENCE.glob("*.json"))
        if path.with_suffix(".py").exists()
    ]
    return sorted(claims, key=lambda claim: list(LABELS).index(kind_of(claim)))


def kind_of(claim):
    return next(kind for begin, kind in OUTCOMES.items() if claim.outcome.startswith(begin))


def with_cards(text):
    """The overview, with cards in place of its table."""
    return re.sub(r"(^\|.*\|\n)+", lambda table: cards(), text, count=1, flags=re.MULTILINE)


def with_command(text, name):
    """The page of a claim, with how to run it again."""
    return text + COMMAND.format(name=name) + (HERE.format(name=name) if name in SMALL else "")


def notebook(name):
    """A small claim as a notebook: its program as it stands, and what it finds."""
    claim = next(claim for claim in found() if claim.path.stem == name)
    told = f"# {claim.title}\n\n{claim.stated}"
    program = claim.path.read_text(encoding="utf-8").split('"""\n', 2)[-1].strip()
    cells = [nbformat.v4.new_markdown_cell(told, id="claim"), nbformat.v4.new_code_cell(program, id="program")]
    return nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell(SHOWN, id="result")])


def cards():
    """All of them, and what chooses among them; no script is needed for it."""
    kinds = [kind_of(claim) for claim in found()]
    choices = {"all": f"all {len(kinds)}"} | {kind: f"{kinds.count(kind)} {label}" for kind, label in LABELS.items()}
    radios = "".join(
        f'<label><input type="radio" name="only" id="only-{kind}"{" checked" * (kind == "all")}> {label}</label>'
        for kind, label in choices.items()
    )
    choose = f'<fieldset class="choose"><legend>Show</legend>{radios}</fieldset>'
    key = "<p>Each line is a difference with its 95% interval; grey is what does not matter, right is more.</p>"
    return "\n".join(['<div class="claims">', choose, key, *map(card, found()), "</div>", ""])


def card(claim):
    widest = max([abs(v.effect) + v.half_width for v, _ in claim.predicted] + [claim.defined["delta"] or 0])
    return CARD.format(
        kind=kind_of(claim),
        name=claim.path.stem,
        title=escape(claim.title),
        outcome=escape(claim.outcome),
        effects="\n".join(effect(claim, verdict, word, widest) for verdict, word in claim.predicted),
        units=claim.defined["units"],
        scale=escape(claim.defined["scale"]),
    )


def effect(claim, verdict, predicted, widest):
    """One comparison: between whom, its interval, in numbers, and what came out, and if it was not what was predicted."""
    at = f" at {' and '.join(verdict.comparison.budgets)}" if len(claim.result.budgets) > 1 else ""
    kind = "held" if verdict.word == predicted else "open" if verdict.word == UNDECIDED else "failed"
    word = verdict.word if kind == "held" else f"{verdict.word}, not {predicted}"
    name = f"{verdict.comparison.method} less {claim.defined['against']}{at}"
    drawn = interval(verdict, claim.defined["delta"] or 0, widest, kind)
    return EFFECT.format(name=escape(name), drawn=drawn, number=page.shown(verdict), kind=kind, word=word)


def interval(verdict, delta, widest, kind):
    """The interval on a line through 0; what does not matter is grey."""

    def x(value):
        return round(WIDTH / 2 + 0.47 * WIDTH * value / (widest or 1), 1)

    low, high = verdict.effect - verdict.half_width, verdict.effect + verdict.half_width
    band = f'<rect x="{x(-delta)}" width="{x(delta) - x(-delta):.1f}" height="{HEIGHT}"/>'
    zero = f'<path class="zero" d="M{x(0)} 0V{HEIGHT}"/>'
    bar = f'<path d="M{x(low)} {HEIGHT / 2}H{x(high)}"/><circle cx="{x(verdict.effect)}" cy="{HEIGHT / 2}" r="4.5"/>'
    return f'<svg class="interval {kind}" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{band}{zero}{bar}</svg>'

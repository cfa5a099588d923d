"""The pages of the evidence: what a claim's file states, and what its committed result says about it.

Truths: tests/test_evidence.py.
"""

import inspect
import json
from dataclasses import dataclass
from pathlib import Path

from minisam import study
from minisam.study.from_file import definitions
from minisam.study.result import digits_of
from minisam.study.verdicts import UNDECIDED

MADE = "<!-- made by `make evidence`, from {} -->\n"
HEAD = ("claim", "outcome", "difference, with 95% interval", "units", "gradients a training", "minutes")
TIMES = Path(__file__).with_name("times.json")  # minutes of a processor; of claims that were computed in one go
OVERVIEW = f"""{MADE.format("the results beside it")}
# Evidence

What the articles claim, tried on problems small enough to run anew. Each file states the claim, its source, the problem, the
methods and what is predicted, before it is run where its page does not say otherwise; the page is written from the result. What
did not reproduce stands first.

{{table}}

`make evidence` computes what is missing and writes the pages, `make evidence CLAIM=bounce` those of one claim; delete its JSON to
compute it anew. A claim is *reproduced* if each comparison that it predicts came out as predicted, *undecided* if these units
decide none of them. Intervals are paired, over units; a verdict holds at a level of 5% that all comparisons of a study share.
Minutes are those of one processor, where a claim was computed from its beginning to its end in one go:
{{timed}}.

A claim of your own is a Python file here. Its docstring is a question, and what is stated before the run; `predicted` names the
word of each verdict, `against` the base, `scale` the score, `delta` and `units` the rest. It defines `problem` and `methods`, as
`minisam study` takes them, or, where nothing is tuned, `measure(units)`, as [bounce.py](bounce.py) does.
"""
PAGE = """{made}
# {title}

**{outcome}.** {saw}

The score is {scale}{delta}. The program: [{name}.py]({name}.py); all that it found: [{name}.json]({name}.json).

![{title}]({name}.png)

## Stated before the run

{stated}

## What each method reached

```text
{table}
```

{verdicts}
"""


@dataclass(frozen=True)
class Claim:
    """A claim's file, and its result."""

    path: Path
    defined: dict
    result: study.Result

    @property
    def title(self):
        return self._text.partition("\n")[0]

    @property
    def stated(self):
        return self._text.partition("\n")[2].strip()

    @property
    def _text(self):
        return inspect.cleandoc(self.defined["__doc__"])

    @property
    def verdicts(self):
        return self.result.verdicts(self.defined["against"])

    @property
    def predicted(self):
        """The verdicts on the comparisons that the claim predicts, as it orders them, each with the word that it predicts."""
        words = self.defined["predicted"]
        return [(v, words[name]) for name in words for v in self.verdicts if v.comparison.method == name]

    @property
    def outcome(self):
        words = [(verdict.word, word) for verdict, word in self.predicted]
        right = sum(found == word for found, word in words)
        if 0 < right < len(words):
            return f"Reproduced in part, in {right} of {len(words)} comparisons"
        if right:
            return "Reproduced"
        return "Undecided" if all(found == UNDECIDED for found, _ in words) else "Not reproduced"


def load(path):
    """The claim of a file whose result is there."""
    return Claim(path, definitions(path), study.load(path.with_suffix(".json")))


def page(claim):
    """The page of a claim, in Markdown."""
    delta = claim.defined["delta"]
    return PAGE.format(
        made=MADE.format(f"{claim.path.name} and {claim.path.stem}.json"),
        title=claim.title,
        outcome=claim.outcome,
        saw=saw(claim),
        name=claim.path.stem,
        stated=claim.stated,
        scale=claim.defined["scale"],
        delta=f"; a difference within ±{delta:g} does not matter" if delta else "",
        table=claim.result.table(),
        verdicts="\n".join(f"- {verdict}" for verdict in claim.verdicts),
    )


def saw(claim):
    """What was seen of what was predicted, in words: first what came out otherwise."""
    told = {}
    for verdict, word in sorted(claim.predicted, key=lambda each: each[0].word == each[1]):
        said = "as predicted" if verdict.word == word else f"where *{word}* was predicted"
        at = f" at {' and '.join(verdict.comparison.budgets)}" if len(claim.result.budgets) > 1 else ""
        seen = f"{verdict.comparison.method}{at}: {shown(verdict)}"
        told.setdefault(f"*{verdict.word.capitalize()}*, {said}", []).append(seen)
    sentences = [f"{words}: {'; '.join(seen)}." for words, seen in told.items()]
    return " ".join(
        [f"What we saw over {claim.defined['units']} units, against {claim.defined['against']}.", *sentences]
    )


def shown(verdict):
    """The effect and its interval."""
    digits = digits_of(verdict.half_width)
    low, high = verdict.effect - verdict.half_width, verdict.effect + verdict.half_width
    return f"{verdict.effect:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def overview(claims):
    """The page of all claims, in Markdown."""
    return OVERVIEW.format(table=table(claims), timed=timed(claims))


def timed(claims):
    """How many of them have a time, and its sum."""
    known = [minutes_of(claim) for claim in claims if minutes_of(claim) is not None]
    return f"{len(known)} of {len(claims)} claims, {sum(known):.0f} minutes in all"


def minutes_of(claim):
    """Of one processor, for all of a claim; None where it is not known."""
    return json.loads(TIMES.read_text("utf-8")).get(claim.path.stem)


def table(claims):
    """A line for each claim, what did not reproduce first."""
    order = ("Not", "Undecided", "Reproduced in", "Reproduced")
    ranked = sorted(claims, key=lambda claim: next(k for k, word in enumerate(order) if claim.outcome.startswith(word)))
    lines = [HEAD, ("---",) * len(HEAD), *(row(claim) for claim in ranked)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def row(claim):
    """A line of it. Differences and costs are those of the first method that the claim predicts something of, and of the base."""
    name, against = next(iter(claim.defined["predicted"])), claim.defined["against"]
    effects, costs = [], []
    for verdict in [verdict for verdict, _ in claim.predicted if verdict.comparison.method == name]:
        budgets = verdict.comparison.budgets
        effects.append(f"{shown(verdict)} at {' and '.join(budgets)}")
        costs.append(" / ".join(f"{claim.result.budgets[budgets[0]][each].gradients:,.0f}" for each in (name, against)))
    effect = f"{name} less {against}: {'; '.join(effects)} ({claim.defined['scale']})"
    link = f"[{claim.title}]({claim.path.stem}.md)"
    return (
        link,
        f"**{claim.outcome}**",
        effect,
        str(claim.defined["units"]),
        "; ".join(costs),
        in_words(minutes_of(claim)),
    )


def in_words(minutes):
    """As the table has it: times are known to a tenth of a minute."""
    return "–" if minutes is None else f"{minutes:g}" if minutes else "under 0.1"

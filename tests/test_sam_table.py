"""The table of all variants in `minisam.sam` is true: each column is compared with what the class does."""

import re

import numpy as np
import pytest
from variants import MODEL, batches, start, unit

from minisam import SGD, BatchLoss, sam, train

COLUMNS = ["variant", "file", "where it looks", "what it takes", "when it pays", "gradients"]
LINES = next(part for part in sam.__doc__.split("\n\n") if part.lstrip().startswith("variant")).splitlines()
HEADER, *CELLS = (re.split(" {2,}", line.strip()) for line in LINES)
TABLE = {cells[0]: dict(zip(COLUMNS, cells, strict=True)) for cells in CELLS}
MOMENTUM, STEPS = 0.9, 12
BASE = SGD(0.1, momentum=MOMENTUM)
MADE = {  # what needs more than a base, or is another variant at its defaults
    "SAMON": lambda: sam.SAMON(BASE, mask=MODEL.mask("weights", "float64")),
    "ImbSAM": lambda: sam.ImbSAM(BASE, tail=[1, 3]),
    "SAF": lambda: sam.SAF(BASE, 40, 4, visits=1, start=0),
    "BSAM": lambda: sam.BSAM(0.1),
    "GRST": lambda: sam.GRST(BASE, alpha=0.5),
    "TraceSAM": lambda: sam.TraceSAM(BASE, lam=0.5),
}
each_variant = pytest.mark.parametrize("name", TABLE)


def made(name):
    return MADE.get(name, lambda: getattr(sam, name)(BASE))()


class Seen(BatchLoss):
    """Remembers at which weights, and on which examples, gradients were taken."""

    def __init__(self, model):
        super().__init__(model)
        self.seen = []

    def gradient(self, *kind, **named):
        of_kind = super().gradient(*kind, **named)

        class Watched:
            def on(_, x, y, *others):
                def gradient(w):
                    self.seen.append((w, x, y))
                    return of_kind.on(x, y, *others)(w)

                return gradient

            def __call__(_, w, x, y, *others):
                self.seen.append((w, x, y))
                return of_kind(w, x, y, *others)

        return Watched()


def steps(name):
    """Of twelve steps of one replica: w, the batch, where gradients were taken, and the direction that the base took."""
    optimizer, w = made(name), start()[0]
    state = optimizer.init(w)
    for t in range(STEPS):
        plain, losses = batches()[t % 2], Seen(MODEL)
        before, at = state, w
        w, state, _ = optimizer.step(w, state, losses.on(plain.x, plain.y, plain.examples))
        yield at, plain, losses.seen, state["v"] - MOMENTUM * before["v"] if "v" in state else None


def test_every_variant_has_a_row():
    abstract = {sam.Rule, sam.Composed, sam.Variant, sam.Sometimes}
    kinds = {kind for kind in vars(sam).values() if isinstance(kind, type) and hasattr(kind, "step")} - abstract
    assert HEADER == COLUMNS
    assert len(TABLE) == len(CELLS)
    assert set(TABLE) | {"SWA", "EMA"} == {kind.__name__ for kind in kinds}


@each_variant
def test_it_stands_in_its_file(name):
    assert getattr(sam, name).__module__ == f"minisam.sam.{TABLE[name]['file']}"


@each_variant
def test_a_dot_says_that_it_looks_where_sam_does(name):
    """At w and at w + ρ g/‖g‖, and nowhere else."""
    optimizer, far, elsewhere = made(name), 0, 0
    for w, batch, seen, _ in steps(name):
        eps = getattr(optimizer, "rho", 0.05) * unit(batch(w)[1])
        assert seen
        for point, _, _ in seen:
            is_far = np.allclose(point - w, eps, rtol=1e-9, atol=1e-12)
            far += is_far
            elsewhere += not is_far and not np.array_equal(point, w)
    where = TABLE[name]["where it looks"]
    assert (where in ("·", "up the gradient, ρ far")) == (far > 0 and elsewhere == 0)
    assert (where == "nowhere") == (far + elsewhere == 0)


@each_variant
def test_a_dot_says_that_it_takes_what_sam_does(name):
    """The gradient of the whole batch where it looked last, or at w if it looked nowhere else."""
    alike = []
    for w, batch, seen, d in steps(name):
        looks, g, share = [s for s in seen if not np.array_equal(s[0], w)] or seen, 0, 0
        while share < 1 and looks:
            point, x, y = looks.pop()
            g, share = g + BatchLoss(MODEL).on(x, y)(point)[1] * len(x) / len(batch.x), share + len(x) / len(batch.x)
        alike.append(d is not None and share == 1 and np.allclose(d, g, rtol=1e-9, atol=1e-12))
    assert (TABLE[name]["what it takes"] in ("·", "the gradient there")) == all(alike)


@each_variant
def test_always_says_that_it_pays_at_every_step(name):
    sometimes = issubclass(getattr(sam, name), sam.Sometimes) or name == "LookSAM"
    when = TABLE[name]["when it pays"]
    assert (when not in ("·", "always")) == sometimes
    assert (when == "always") == (name == "SAM")


@each_variant
def test_a_training_spends_the_gradients_that_the_table_says(name):
    optimizer, rng = made(name), np.random.default_rng(0)
    if name == "SAMON":
        optimizer = sam.SAMON(BASE, mask=MODEL.mask("weights"))
    data = rng.standard_normal((40, 3)), rng.integers(0, 4, 40)
    history = train(MODEL, data, optimizer, 12, batch_size=8, seed=[0, 1, 2], progress=False).history
    spent, says = history["evaluations"][-1] / 60, TABLE[name]["gradients"]
    letters = {"K": "steps", "p": "prob", "γ": "gamma", "k": "samples" if hasattr(optimizer, "samples") else "k"}
    values = {letter: getattr(optimizer, field) for letter, field in letters.items() if hasattr(optimizer, field)}
    if says == "2, 3":
        assert 2 < spent < 3
    elif says == "1 + share":
        assert 1 < spent < 2
    elif says == "1 + p":
        p = values["p"]
        assert abs(spent - (1 + p)) < 4 * np.sqrt(p * (1 - p) / 180)
    else:
        without = 1 if name == "SAMPa" else 0  # its first step has no earlier gradient to look along
        assert spent == pytest.approx(eval(says, {}, values) - without / 60, rel=1e-12)

"""Whether the checker tells the faults of an implementation, no more and no less."""

from planted import CHOICES, FAULTS, KNOWN, SETTINGS

from minisam.conformance import checking
from minisam.conformance.problems import problems
from minisam.conformance.statements import statements
from minisam.conformance.watch import watched


def is_named(implementation, faults):
    """From its first steps on a net: each fault by its sentence, as a mistake or as a choice."""
    net = problems()[0]
    found, _ = statements(watched(implementation, net, checking.TOLD), net, SETTINGS, {})
    wrong = [s for s in found if s.holds is False]
    mistakes, choices = ({s.says for s in wrong if s.is_choice is is_choice} for is_choice in (False, True))
    return exactly(mistakes, [f for f in faults if f in FAULTS]) and exactly(
        choices, [f for f in faults if f in CHOICES]
    )


def exactly(found, faults):
    """Whether these sentences are those of these faults, no more and no less."""
    return len(found) == len(faults) and all(any(KNOWN[f][1] in s for s in found) for f in faults)

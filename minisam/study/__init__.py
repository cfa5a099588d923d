"""Fair comparisons: methods tuned equally, on units of evidence, under equal budgets, with verdicts.

    result = study.compare(problem, {"SGD": (make, grid), "SAM": (make, grid)}, delta=0.005, path="study.json")
    print(result.table(), *result.verdicts(against="SGD"), sep="\\n")

`problem` says what is trained and draws the units, `fairness` refuses unfair studies, `measure` trains one piece, `tuning`
chooses settings, `protocol` puts the pieces together, `pieces` keeps them in a file; `statistics` holds the tests, `verdicts`
the words, `result` table and picture.
"""

from .problem import Problem
from .protocol import compare
from .result import Outcome, Result, load
from .verdicts import Comparison, Verdict

__all__ = ["Comparison", "Outcome", "Problem", "Result", "Verdict", "compare", "load"]

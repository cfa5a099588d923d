"""The list of mutants fits the code; that each is caught is for `python tests/mutation.py` to show."""

import mutation
import pytest


@pytest.mark.parametrize("mutant", mutation.load(), ids=lambda m: m["why"])
def test_a_mutant_changes_one_place_and_names_tests_that_exist(mutant):
    source = (mutation.ROOT / mutant["file"]).read_text(encoding="utf-8")
    assert source.count(mutant["find"]) == 1
    assert mutant["replace"] != mutant["find"]
    for test in mutant["test"]:
        file, name = test.split("::")
        function = name.split("[")[0]
        assert f"def {function}(" in (mutation.ROOT / file).read_text(encoding="utf-8")


def test_a_mutant_without_its_file_counts_as_a_failure_in_one_line():
    mutant = {"file": "minisam/nowhere.py", "find": "a", "replace": "b", "test": []}
    assert mutation.try_mutant(mutant) == "there is no file minisam/nowhere.py"

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


@pytest.fixture
def package(tmp_path):
    """A package of one line, with a test of it."""
    folder = tmp_path / "unchanged"
    folder.mkdir()
    (folder / "one.py").write_text("ONE = 1\n", encoding="utf-8")
    (folder / "test_one.py").write_text("import one\n\n\ndef test_one():\n    assert one.ONE == 1\n", encoding="utf-8")
    return folder


def mutant(file="one.py", find="= 1", replace="= 2"):
    return {"file": file, "find": find, "replace": replace, "test": ["test_one.py::test_one"]}


def test_a_mutant_is_caught_or_survives_and_the_package_stays_as_it_was(package):
    assert mutation.try_mutant(mutant(), package) is None
    assert mutation.try_mutant(mutant(replace="= 1.0"), package) == "survived"
    assert (package / "one.py").read_text(encoding="utf-8") == "ONE = 1\n"


def test_a_mutant_that_cannot_be_made_or_tried_counts_as_a_failure(package):
    assert mutation.try_mutant(mutant(file="nowhere.py"), package) == "there is no file nowhere.py"
    assert mutation.try_mutant(mutant(find="= 3"), package) == "`find` stands 0 times in one.py"
    assert "did not run (status 4)" in mutation.try_mutant(mutant(replace="= ("), package)


def test_a_process_that_breaks_down_before_its_tests_is_no_red_test(tmp_path):
    assert mutation.run_tests(tmp_path / "nowhere", ["test_one.py"])[0] not in (0, mutation.FAILED)

"""The workflows that run elsewhere name what is here: make's targets, scripts, folders that the build writes."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M)[1].split()) | {".venv/.ready"}


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request):
    return yaml.safe_load(request.param.read_text(encoding="utf-8"))


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_are_workflows():
    assert [path.stem for path in WORKFLOWS] == ["ci", "newest", "pages", "release"]


def test_it_has_the_form(workflow):
    assert workflow["name"]
    assert workflow[True]  # "on", which YAML 1.1 takes for a truth value
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["runs-on"] == "ubuntu-latest"
        assert set(job.get("needs", "").split()) <= set(workflow["jobs"])
    for step in steps(workflow):
        assert ("uses" in step) != ("run" in step)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_their_commits(path):
    """A tag can be moved to other code; the comment says which version the commit is."""
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_what_it_runs_is_here(workflow):
    for command in [step["run"] for step in steps(workflow) if "run" in step]:
        program, *arguments = command.split()
        if program == "make":
            assert set(arguments) <= TARGETS, command
        elif program == "bash":
            assert (ROOT / arguments[0]).is_file(), command
        else:
            assert program == ".venv/bin/python", command


def test_what_it_uploads_is_what_the_build_writes(workflow):
    written = (ROOT / "site" / "make.py").read_text(encoding="utf-8")
    shown = (ROOT / "tests" / "browser" / "browser.mjs").read_text(encoding="utf-8")
    for step in steps(workflow):
        if "/upload-" in step.get("uses", "") and step["with"]["path"] != "dist":  # of release/build.sh
            folder = step["with"]["path"].removeprefix("build/")
            assert f'"{folder}"' in written or f'"build/{folder}"' in shown

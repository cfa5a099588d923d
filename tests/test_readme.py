"""The README and the pages of docs/ tell the truth: their code runs, their tables come from the committed results."""

import inspect
import json
import re
from pathlib import Path

import pytest

from minisam import SAM, demo, study

ROOT = Path(__file__).resolve().parent.parent
README, CODE, CONFORMANCE, DEMO = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/code.md", "docs/conformance.md", "docs/demo.md")
)


def blocks(page):
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


def test_the_step_shown_is_the_step():
    source = inspect.getsource(SAM.direction) + inspect.getsource(SAM.step)
    for line in blocks(CODE)[0].splitlines():
        assert line in source


def test_the_examples_run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in [*blocks(README), *blocks(CODE)[1:], *blocks(CONFORMANCE)]:
        exec(block, namespace)
    assert namespace["run"].w.shape[0] == namespace["sgd"].w.shape[0] == 10
    assert namespace["run"].history["evaluations"][-1] == namespace["sgd"].history["evaluations"][-1]
    assert namespace["error"] < 1e-6
    (said,) = namespace["report"].choices
    assert f"print(report)  # {said}" in CONFORMANCE
    assert len(namespace["result"].verdicts(against="SGD")) == 2
    assert (tmp_path / "study.png").exists()
    assert (namespace["run"].history["validation_accuracy"][-1] > 0.9).all()


def test_the_demo_table_is_the_committed_result():
    result = json.loads((ROOT / "figures" / "demo.json").read_text(encoding="utf-8"))
    shown = DEMO.split("<!-- demo table: begin")[1].split("<!-- demo table: end")[0]
    for row in result["rows"]:
        accuracy = row["test_accuracy"]
        assert len(accuracy["samples"]) >= 10
        line = next(line for line in shown.splitlines() if line.strip().startswith(f"{row['method']}  "))
        assert f"{100 * accuracy['mean']:.2f} ± {100 * accuracy['half_width_95']:.2f} %" in line
        assert f"{row['lambda_max']['mean']:.2f} ± {row['lambda_max']['half_width_95']:.2f}" in line
        assert f"{row['gradient_evaluations']:,}" in line


def test_the_demos_settings_are_those_found():
    """SGD's and SAM's agree in the step size, and in λ to within a fifth."""
    chosen = {
        name: outcome.settings
        for name, outcome in study.load(ROOT / "figures" / "tuning.json").budgets["equal epochs"].items()
    }
    settings = json.loads((ROOT / "figures" / "demo.json").read_text(encoding="utf-8"))["settings"]
    assert chosen["SAM"]["rho"] == settings["rho"]
    for each in chosen.values():
        assert each["lr"] == demo.LR["sgd"]
        assert each["l2"] == pytest.approx(settings["l2"], rel=0.2)

"""A little of what `python tests/faults.py` does, which kills trainings and corrupts files many times."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(sys.platform == "win32", reason="children are forked")
def test_no_kill_changes_a_bit_and_no_corruption_is_read_as_data():
    """In a process of its own, without threads, which is to be forked."""
    command = [sys.executable, HERE / "faults.py", "--kills", "30", "--corruptions", "600"]
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"3\d disturbances \(.*\): 0 trainings ended with other bits\n", done.stdout)
    assert sum(map(int, re.findall(r"refused (\d+)", done.stdout))) > 500


def test_the_tool_sees_a_file_that_is_read_with_other_values(monkeypatch):
    """Without the digest of an archive and the published hashes, wrong data are read, and reported."""
    import corruptions

    monkeypatch.setattr("minisam.training.archive.digest", lambda arrays, meta: "0")
    monkeypatch.setattr("minisam.data.files._refuse_others", lambda *_: None)
    ends = corruptions.run_all(300)
    for name in ("run", "IDX, images", "CIFAR-10"):
        assert any("other values are read" in line for line in ends[name][1])

"""A little of what `python tests/hostile.py` does, which has hostile files read for hours."""

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def output_of(*command):
    """In a process of its own, because an audit hook stays for good."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_hostile_files_do_no_harm():
    lines = output_of(HERE / "hostile.py", "--hours", "0", "--seed", "0").splitlines()[1:]
    assert [line.split(":")[0] for line in lines] == ["pickle", "IDX", "CIFAR", "run", "checkpoint"]
    for line in lines:
        total, refused, read = map(int, re.findall(r"\d+", line.split(":")[1]))
        assert total == refused + read >= 200
        assert read  # some are whole


WATCHED = """
import pickle, sys
from pathlib import Path
from hostile import MEMORY, watch, watched

def fills_the_memory(path):
    return bytes(2 * MEMORY)

def says_much(path):
    raise ValueError("two\\nlines")

sys.addaudithook(watch)
path = Path(sys.argv[1])
of_content = [lambda path, f=f: f(path.read_bytes()) for f in (pickle.loads, exec, len)]
for read in (*of_content, fills_the_memory, says_much, lambda path: path.write_bytes(b""), lambda path: 1 / 0):
    done, refused = watched(read, path)
    print(*[event.split("(")[0].split()[0] for event in done])
"""


def test_harm_is_seen(tmp_path):
    """Code that is run, memory that is filled, a message of two lines, a file that is written, another error; but not `len`."""
    path = tmp_path / "file"
    path.write_bytes(pickle.dumps(os.getcwd, 0).replace(b"\n.", b"\n)R."))
    lines = output_of("-c", WATCHED, path).splitlines()
    assert "pickle.find_class" in lines[0]
    assert lines[1:] == ["compile raises", "", "takes", "says", "open", "raises"]

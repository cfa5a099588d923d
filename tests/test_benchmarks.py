"""What is compared in benchmarks/ is the same arithmetic; the suite runs; the pages show the committed results."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minisam
from minisam import array_backend, data

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
UNIT = 2.0**-24  # relative rounding error of one float32 operation
STEPS = 3


@pytest.fixture(autouse=True)
def suite(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)


def rounding(job):
    """Relative error of a step's change of w: roundings on the longest path through it, twice a pass, in either system."""
    layers = zip(job.sizes, job.sizes[1:], strict=False)
    path = sum(i + o + job.batch_size for i, o in layers)
    return 2 * (2 * path * UNIT)


@pytest.mark.parametrize("rule", ["sgd", "sam"])
@pytest.mark.parametrize("replicas", [None, 3])
def test_the_step_by_hand_is_minisams(rule, replicas):
    from jobs import NETS, Job
    from systems import load

    job = Job(*NETS["toy"], rule=rule, replicas=replicas)
    hand, ours = load("hand")(job), load("minisam")(job)
    for system in (hand, ours):
        system.reset()
    for step in range(1, STEPS + 1):
        np.testing.assert_allclose(hand.run(1), ours.run(1), rtol=step * rounding(job))
        by_hand = np.reshape([net.w for net in hand.nets], job.w.shape)
        change = np.linalg.norm(ours.w - job.w, axis=-1)
        allowed = step * (rounding(job) * change + UNIT * np.linalg.norm(job.w, axis=-1))
        assert (np.linalg.norm(by_hand - ours.w, axis=-1) <= allowed).all()


@pytest.mark.parametrize(("rule", "gradients"), [("sgd", 10), ("sam", 20), ("looksam", 12), ("rst", 15), ("sampa", 20)])
def test_ten_timed_steps_of_a_variant_spend_its_share_of_gradients(rule, gradients):
    from jobs import NETS, Job
    from systems import load

    system, spent = load("minisam-variants")(Job(*NETS["toy"], rule=rule)), []
    step = system.optimizer.step

    class Counted:
        init = system.optimizer.init

        @staticmethod
        def step(*arguments):
            w, state, info = step(*arguments)
            spent.append(info["evaluations"])
            return w, state, info

    system.optimizer = Counted
    system.reset()
    system.run(1)  # as a worker does before it looks at the clock
    del spent[:]
    system.run(10)
    assert sum(spent) == gradients


def test_the_sam_step_of_the_variants_is_the_sam_step():
    from jobs import NETS, Job
    from systems import load

    for rule in ("sgd", "sam"):
        one, other = (load(name)(Job(*NETS["toy"], rule=rule)) for name in ("minisam", "minisam-variants"))
        for system in (one, other):
            system.reset()
            system.run(STEPS)
        np.testing.assert_array_equal(one.w, other.w)


@pytest.mark.peer
@pytest.mark.parametrize("name", ["cnn, digits", "cnn, MNIST-1D", "resnet, 28×28", "vit, digits", "gpt"])
@pytest.mark.parametrize("peer", ["torch-models", "jax-models"])
def test_the_models_of_the_peers_are_minisams(name, peer):
    from jobs import ModelJob
    from systems import load

    pytest.importorskip("torch" if peer == "torch-models" else "jax")
    job = ModelJob(name)
    systems = [load(system)(job) for system in ("minisam-models", peer)]
    for system in systems:
        system.reset()
    for _ in range(STEPS):
        ours, theirs = (float(system.run(1)) for system in systems)
        assert ours == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize("name", ["minisam-gpu", "minisam-gpu-singles"])
def test_the_step_on_a_device_is_the_one_on_the_host(name, device, monkeypatch):
    from jobs import NETS, Job
    from systems import load

    job = Job(*NETS["toy"], replicas=3)
    with array_backend.use("numpy"):
        host, on_device = load("minisam")(job), load(name)
        monkeypatch.setattr(on_device, "backend", device.name)
        host.reset()
        losses = [host.run(1) for _ in range(STEPS)]
        there = on_device(job)
        there.reset()
        np.testing.assert_allclose([there.run(1) for _ in range(STEPS)], losses, rtol=1e-5)


def test_without_a_device_the_gpu_benchmark_says_what_is_missing():
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(BENCHMARKS / "gpu.py")]
    done = subprocess.run(command, env=hidden, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("benchmark: backend 'cupy' is not usable: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["hand", "minisam", "minisam-eager", "minisam-singles"])
def test_reset_goes_back_to_the_start(name):
    from jobs import Job
    from systems import load

    system = load(name)(Job((2, 3, 2), 4, replicas=2))
    system.reset()
    first = [system.run(2) for _ in range(2)]
    system.reset()
    np.testing.assert_array_equal(first, [system.run(2) for _ in range(2)])
    assert not np.array_equal(*first)


def test_systems_that_disagree_are_not_timed():
    from jobs import Job
    from measure import Disagreement, check_agreement

    job = Job((2, 3, 2), 4)
    with pytest.raises(Disagreement, match="jax and hand differ"):
        check_agreement({"hand": [1.0, 0.5], "jax": [1.0, 0.502]}, {"hand": job, "jax": job})


def test_the_quick_run_prints_its_table_and_writes_nothing():
    before = {path: path.stat().st_mtime_ns for path in [BENCHMARKS / "results.json", ROOT / "README.md"]}
    done = subprocess.run(
        [sys.executable, "-m", "minisam.cli", "bench", "--quick"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    rows = {line.split(" | ")[0].strip("| "): line for line in done.stdout.splitlines() if line.startswith("| ")}
    assert {"NumPy by hand", "minisam", "minisam, eager", "minisam / NumPy by hand", "SAM step / SGD step"} <= set(rows)
    assert "JAX jit" not in rows
    assert before == {path: path.stat().st_mtime_ns for path in before}


def against(other, *options):
    command = [sys.executable, str(BENCHMARKS / "against.py"), str(other), "--rounds", "1", *options]
    env = os.environ | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env, check=False)


@pytest.fixture
def other_checkout(tmp_path):
    shutil.copytree(ROOT / "minisam", tmp_path / "minisam", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_two_checkouts_take_the_same_steps_of_every_net(other_checkout):
    done = against(other_checkout)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    assert [row[0].split(":")[0] for row in rows] == ["toy", "digits", "wide", "cnn", "vit", "gpt"]


def test_a_checkout_that_computes_something_else_is_found_out(other_checkout):
    """So it is the other checkout that runs in its process."""
    with open(other_checkout / "minisam" / "__init__.py", "a", encoding="utf-8") as file:
        file.write('\nmlp = lambda sizes, relu=mlp: relu(sizes, "tanh")\n')
    done = against(other_checkout, "--only", "toy")
    assert done.returncode == 1
    assert done.stderr.startswith("benchmark: other and this differ in the first losses of Job(")


def test_an_earlier_checkout_has_its_loss_on_batches_elsewhere(monkeypatch):
    from jobs import NETS, Job
    from systems import load

    monkeypatch.setattr(minisam.batch, "BatchLoss", minisam.BatchLoss, raising=False)
    monkeypatch.delattr(minisam, "BatchLoss")
    monkeypatch.delitem(sys.modules, "systems.ours", raising=False)
    system = load("minisam-variants")(Job(*NETS["toy"]))
    system.reset()
    assert np.isfinite(system.run(1))


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    done = against(tmp_path)
    assert done.returncode == 2
    assert f"OTHER must be a folder with a folder minisam in it, got {tmp_path}" in done.stderr


def test_a_row_shows_the_medians_and_the_ratios_of_rounds():
    from against import row

    shown = row("toy", [(100.0, 200.0), (300.0, 200.0), (90.0, 100.0)])
    assert shown == "| toy: 2-32-32-2, batch 64 | 100.0 | 200.0 | 0.900 | 0.500 to 1.500 |"


def test_both_numbers_of_blas_threads_are_measured_in_both_checkouts(other_checkout):
    command = [
        sys.executable,
        str(BENCHMARKS / "two_threads.py"),
        str(other_checkout),
        "--rounds",
        "1",
        "--only",
        "toy",
    ]
    env = os.environ | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env, check=False)
    assert done.returncode == 0, done.stderr
    heads, times, ratio_heads, ratios = (
        line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")
    )
    assert [heads[0], *heads[1:5]] == ["SGD step, ms", "other, 2", "other, 1", "this, 2", "this, 1"]
    assert ratio_heads[1:] == heads[1:5]
    assert times[0] == ratios[0] == "toy"
    assert all(float(cell.split()[0]) > 0 for cell in ratios[1:5])  # how large they are is no matter of a test


def test_a_system_that_is_not_installed_is_left_out_with_a_line(monkeypatch):
    import measure
    import systems

    def worker(name):
        raise measure.Unavailable("ModuleNotFoundError: No module named 'jax'")

    monkeypatch.setattr(measure, "Worker", worker)
    lines = []
    suite = measure.Suite(["jax"], warn=lines.append)
    assert lines == ["jax left out: ModuleNotFoundError: No module named 'jax'"]
    assert (suite.workers, set(suite.missing)) == ({}, {"jax"})
    assert set(systems.NAMES) == set(systems.SYSTEMS | systems.OF_VARIANTS | systems.OF_MODELS | systems.ON_DEVICE)


def test_the_page_shows_the_committed_result():
    import readme
    import report

    results = json.loads((BENCHMARKS / "results.json").read_text(encoding="utf-8"))
    assert readme.spliced("benchmark table") == report.table(results)


def test_the_page_shows_how_well_the_models_learnt():
    import accuracy
    import readme

    rows = json.loads((BENCHMARKS / "accuracy.json").read_text(encoding="utf-8"))["rows"]
    assert readme.spliced("accuracy table") == accuracy.table(rows)
    assert rows.keys() == accuracy.CASES.keys()
    assert all(len(row["test"]) == len(accuracy.SEEDS) for row in rows.values())


# --- whole experiments -----------------------------------------------------------------------------------------------


def seconds(**by_program):
    """Times as `experiments.measure` keeps them: 1, 10 and 64 seeds on the digits; 1 and 3 epochs of each net on images."""
    import experiments

    there = experiments.experiments()
    return {each.key: by_program[each.program](each) for each in there}


def test_the_page_shows_the_result():
    import experiments
    import readme

    there = json.loads(experiments.RESULTS.read_text(encoding="utf-8"))
    assert readme.spliced("experiments") == experiments.table(there)


def test_an_epoch_is_three_less_one_halved_and_counted_up_to_all_images():
    import experiments

    def linear(once, image):  # the second round takes twice as long
        def of(each):
            seconds = once + image * experiments.IMAGES.get(each.model, 0) * each.epochs
            return [seconds, 2 * seconds]

        return of

    times = seconds(
        ours=linear(1, 1.2e-4),
        pytorch=linear(4, 2),
        pytorch_at_once=linear(9, 9),
        jax_scan=linear(2, 1),
        jax_images=linear(1, 1),
    )
    for net in ("cnn", "resnet"):
        assert experiments.epoch_and_rest(times, "ours", net) == ("9 (6 to 12)", "1.5 (1.0 to 2.0)")
    assert experiments.ratio(times, 10) == "0.50"  # of medians, to the fastest


@pytest.mark.peer
@pytest.mark.parametrize("program", ["ours", "pytorch", "pytorch_at_once", "jax_scan", "jax_images"])
def test_a_program_learns(program, tmp_path, monkeypatch):
    """What it is timed for is done: digits in 30 epochs, stripes in images in two."""
    import experiments

    pytest.importorskip({"ours": "minisam", "jax_scan": "jax", "jax_images": "jax"}.get(program, "torch"))
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 640)
    x = (rng.random((640, 28, 28)) < 0.2).astype("float32")
    x[np.arange(640), 7 * y + 3] = 1  # class k has a bright row in the k-th quarter
    rows = x.reshape(640, -1)
    for net in ("cnn", "resnet"):
        np.savez(tmp_path / f"{net}.npz", x_train=rows, y_train=y, x_test=rows, y_test=y)
    digits = data.digits()
    arrays = {f"{what}_{part}": getattr(digits, f"{what}_{part}") for what in "xy" for part in ("train", "test")}
    np.savez(tmp_path / "digits.npz", **arrays)
    for file, model in (("digits", "mlp"), ("cnn", "cnn"), ("resnet", "resnet")):
        if program in (experiments.OF_DIGITS if file == "digits" else experiments.OF_IMAGES):
            each = experiments.Experiment(program, file, model, 30 if file == "digits" else 4, 1 + (file == "digits"))
            assert experiments.timed(each, tmp_path) > 0


def test_a_program_that_has_not_learnt_is_not_timed(tmp_path):
    import experiments

    rng = np.random.default_rng(0)
    x, y = rng.random((640, 64), dtype="float32"), rng.integers(0, 10, 640)
    np.savez(tmp_path / "digits.npz", x_train=x, y_train=y, x_test=x[::-1], y_test=y)
    with pytest.raises(SystemExit, match=r"ours.*has not learnt"):
        experiments.timed(experiments.Experiment("ours", "digits", "mlp", 1), tmp_path)

"""Figures: they show the numbers they were given, say what their axes are, and belong to nobody's window."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from minisam import SGD, Run, mlp, plot, train
from minisam.stats import mean_and_interval

MODEL = mlp((3, 5, 4))
RNG = np.random.default_rng(0)
T = np.linspace(-1, 1, 5)


def run(epochs, replicas, validation=True, loss="cross_entropy"):
    lead = (epochs, replicas)
    history = {"evaluations": 10 * np.arange(1, epochs + 1), "train_loss": RNG.uniform(0.1, 2, lead)}
    if validation:
        history["validation_accuracy"] = RNG.uniform(0, 1, lead)
    return Run(MODEL, MODEL.init(range(replicas)), history, loss)


def drawn(figure, path):
    """The figure as pixels, by way of a file."""
    plot.save(figure, path)
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("L"))


def test_curves_show_mean_and_interval_against_gradient_evaluations(tmp_path):
    runs = {"SGD": run(6, 4), "SAM": run(6, 4)}
    figure = plot.curves(runs)
    for ax, key in zip(figure.axes, ["train_loss", "validation_accuracy"], strict=True):
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["SGD", "SAM"]
        for line, band, one in zip(ax.lines, ax.collections, runs.values(), strict=True):
            mean, half = mean_and_interval(one.history[key])
            np.testing.assert_array_equal(line.get_xdata(), one.history["evaluations"])
            np.testing.assert_allclose(line.get_ydata(), mean, rtol=1e-14)
            rim = band.get_paths()[0].vertices[:, 1]
            np.testing.assert_allclose([rim.min(), rim.max()], [(mean - half).min(), (mean + half).max()], rtol=1e-14)
    assert drawn(figure, tmp_path / "curves.png").shape == (432, 1080)


def test_axes_say_what_they_measure_and_in_which_unit():
    labels = [(ax.get_xlabel(), ax.get_ylabel()) for ax in plot.curves({"SGD": run(3, 2)}).axes]
    x = "gradient evaluations"
    assert labels == [(x, "training loss [nats]"), (x, "validation accuracy")]
    assert [ax.get_ylabel() for ax in plot.curves({"SGD": run(3, 2, False, "mse")}).axes] == ["training loss"]


@pytest.mark.parametrize(("epochs", "replicas", "validation"), [(1, 1, True), (1, 3, False), (4, 1, True)])
def test_short_and_single_runs_are_drawn_as_well(epochs, replicas, validation, tmp_path):
    assert drawn(plot.curves({"SGD": run(epochs, replicas, validation)}), tmp_path / "curves.png").std() > 0


def test_one_epoch_is_a_point_one_can_see():
    (ax, _) = plot.curves({"SGD": run(1, 2)}).axes
    assert ax.lines[0].get_marker() == "o"


def test_a_run_stopped_before_its_first_epoch_has_an_empty_picture(tmp_path):
    figure = Run(MODEL, MODEL.init(0), {}, interrupted=True).plot()
    assert [ax.get_ylabel() for ax in figure.axes] == ["training loss [nats]"]
    drawn(figure, tmp_path / "curves.png")


def test_a_run_draws_itself():
    x, y = RNG.standard_normal((40, 3)), RNG.integers(0, 4, 40)
    trained = train(MODEL, (x, y), SGD(0.1), 3, 8, progress=False)
    np.testing.assert_array_equal(trained.plot().axes[0].lines[0].get_ydata(), trained.history["train_loss"])


def test_no_run_is_left_out_where_there_are_more_runs_than_colours():
    runs = {str(k): run(3, 2) for k in range(len(plot.COLOURS) + 2)}
    for ax in plot.curves(runs).axes:
        assert len(ax.lines) == len(runs)


# --- landscapes ------------------------------------------------------------------------------------------------------


def landscapes(**values):
    figure, axes = plot.new_figure(1, len(values), width=8.0)
    plot.draw_landscapes(axes, {name: (T, value) for name, value in values.items()})
    return figure, axes


def test_landscapes_are_drawn_side_by_side_with_the_same_levels(tmp_path):
    figure, axes = landscapes(SGD=RNG.uniform(1, 100, (5, 5)), SAM=RNG.uniform(2, 3, (5, 5)))
    left, right = (ax.collections[0] for ax in axes)
    assert left.levels.tolist() == right.levels.tolist()
    assert [ax.get_title() for ax in axes] == ["SGD", "SAM"]
    assert all("distance" in ax.get_xlabel() for ax in axes)
    assert "distance" in axes[0].get_ylabel()
    assert figure.axes[-1].get_ylabel() == "training loss [nats]"
    assert drawn(figure, tmp_path / "landscapes.png").std() > 0


@pytest.mark.parametrize("odd", [np.inf, np.nan, 0.0, 1e-30, 1e30])
def test_a_landscape_may_leave_the_range_of_numbers(odd, tmp_path):
    values = RNG.uniform(0.1, 1, (5, 5))
    values[0, 0] = odd
    figure, axes = landscapes(odd=values, flat=np.ones((5, 5)))
    levels = axes[0].collections[0].levels
    assert np.isfinite(levels).all()
    assert (np.diff(levels) > 0).all()
    drawn(figure, tmp_path / "landscapes.png")


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_flat_landscape_is_drawn(level, tmp_path):
    drawn(landscapes(flat=np.full((5, 5), level))[0], tmp_path / "landscapes.png")


# --- files -----------------------------------------------------------------------------------------------------------


class Unlucky:
    """A figure whose writing fails half-way."""

    def savefig(self, path, **_):
        path.write_bytes(b"\x89PNG")
        raise OSError("no space left on device")


def test_a_picture_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "demo.png"
    plot.save(plot.curves({"SGD": run(3, 2)}), path)
    before = path.read_bytes()
    with pytest.raises(OSError, match="no space left"):
        plot.save(Unlucky(), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["demo.png"]


def test_a_picture_cannot_be_saved_into_a_folder_that_is_not_there(tmp_path):
    path = tmp_path / "missing" / "demo.png"
    with pytest.raises(FileNotFoundError) as error:
        plot.save(plot.curves({"SGD": run(3, 2)}), path)
    assert str(error.value) == f"cannot write {path}: there is no folder {path.parent}"


def test_drawing_needs_no_pyplot_and_opens_no_window(tmp_path):
    script = """
import sys
import numpy as np
from minisam import Run, mlp, plot
model = mlp((3, 4))
plot.save(Run(model, model.init(0), {"evaluations": np.arange(1, 3), "train_loss": np.ones(2)}).plot(), sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script, tmp_path / "run.png"], check=True)

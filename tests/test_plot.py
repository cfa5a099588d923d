"""Figures: they show the numbers they were given, say what their axes are, and belong to nobody's window."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minisam import SGD, Run, mlp, plot, train
from minisam.sharpness import Estimate, SecondOrder, SingleStepAccuracy, spectral_density
from minisam.stats import mean_and_interval

MODEL = mlp((3, 5, 4))
RNG = np.random.default_rng(0)
T = np.linspace(-1, 1, 5)
DIAGONAL = np.array([-1.0, 0.0, 0.5, 2.0, 7.0])


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


# --- sharpness -------------------------------------------------------------------------------------------------------


def spans(ax):
    """(middle, half-width) of each interval that an errorbar drew along x."""
    ends = [collection.get_segments()[0][:, 0] for collection in ax.collections]
    return [((a + b) / 2, (b - a) / 2) for a, b in ends]


def test_measures_are_a_panel_each_and_a_row_a_run(tmp_path):
    found = {
        "SGD": {"λ_max": RNG.uniform(1, 2, 5), "trace": Estimate(RNG.uniform(1, 2, 5), np.full(5, 0.1))},
        "SAM": {"λ_max": RNG.uniform(0, 1, 5)},
    }
    figure = plot.measures(found)
    assert [ax.get_xlabel() for ax in figure.axes] == ["λ_max", "trace"]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["SGD", "SAM"]
    samples = [found["SGD"]["λ_max"], found["SAM"]["λ_max"]], [found["SGD"]["trace"].value]
    for ax, of_panel in zip(figure.axes, samples, strict=True):
        expected = [mean_and_interval(of_run) for of_run in of_panel]
        np.testing.assert_allclose([line.get_xdata()[0] for line in ax.lines[::3]], [mean for mean, _ in expected])
        np.testing.assert_allclose(spans(ax), expected, rtol=1e-12)
    low, high = figure.axes[0].get_ylim()
    assert low > high  # the first run on top
    assert drawn(figure, tmp_path / "measures.png").std() > 0


def test_one_estimate_alone_is_drawn_with_two_standard_errors():
    (ax,) = plot.measures({"w": {"trace": Estimate(np.array(3.0), np.array(0.25))}}).axes
    np.testing.assert_allclose(spans(ax), [(3.0, 0.5)])


def test_a_number_alone_is_a_dot_without_an_interval(tmp_path):
    figure = plot.measures({"w": {"‖g‖": 2.0}})
    assert figure.axes[0].lines[0].get_xdata().tolist() == [2.0]
    assert figure.axes[0].collections[0].get_segments()[0].size == 0
    assert drawn(figure, tmp_path / "measures.png").std() > 0


def test_lines_are_means_over_the_replicas_in_a_band(tmp_path):
    x, values = np.array([0.1, 0.2, 0.4]), RNG.uniform(0, 1, (2, 4, 3))
    figure = plot.lines({"SGD": (x, values), "SAM": (x, values[0, 0])}, "ρ", "worst case")
    (ax,) = figure.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("ρ", "worst case")
    mean, half = mean_and_interval(values.reshape(8, 3), axis=0)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), mean, rtol=1e-14)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), values[0, 0], rtol=1e-14)
    rim = ax.collections[0].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([rim.min(), rim.max()], [(mean - half).min(), (mean + half).max()], rtol=1e-14)
    assert drawn(figure, tmp_path / "lines.png").std() > 0


def test_the_single_step_and_what_it_drops_are_drawn_over_a_training(tmp_path):
    one = [SingleStepAccuracy(RNG.uniform(0, 1, 2), RNG.uniform(0, 1, 2)) for _ in range(3)]
    two = [SecondOrder(RNG.standard_normal((2, 5)), RNG.standard_normal((2, 5))) for _ in range(3)]
    for figure, found, names in (
        (plot.single_step_accuracy({"SAM": ([1, 2, 3], one)}), one, ("ratio", "cosine")),
        (plot.second_order({"SAM": ([1, 2, 3], two)}), two, ("share", "cosine")),
    ):
        for ax, name in zip(figure.axes, names, strict=True):
            assert ax.get_xlabel() == "epoch"
            means = [getattr(at, name).mean() for at in found]
            np.testing.assert_allclose(ax.lines[0].get_ydata(), means, rtol=1e-13)
        assert drawn(figure, tmp_path / "single.png").std() > 0


def test_spectra_are_densities_with_their_error_and_a_line_a_replica(tmp_path):
    spectra = {name: spectral_density(lambda w, v: DIAGONAL * v, np.zeros((2, 5)), 3, 4) for name in ("SGD", "SAM")}
    figure = plot.spectrum(spectra, points=50)
    (ax,) = figure.axes
    assert len(ax.lines) == 4
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["SGD", "SAM"]
    at = ax.lines[0].get_xdata()
    found = np.concatenate([one.values.ravel() for one in spectra.values()])
    assert at[0] < found.min() < found.max() < at[-1]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), spectra["SGD"].density(at).value[1], rtol=1e-13)
    low, high = ax.get_ylim()
    assert 0 < low < ax.lines[0].get_ydata().max() < high
    assert drawn(figure, tmp_path / "spectrum.png").std() > 0


@pytest.mark.parametrize("hessian", [DIAGONAL, np.full(5, 2.0)])
def test_a_spectrum_of_one_start_or_of_one_value_is_drawn(hessian, tmp_path):
    one = spectral_density(lambda w, v: hessian * v, np.zeros(5), 3, 1)
    assert drawn(plot.spectrum({"one": one}), tmp_path / "spectrum.png").std() > 0


# --- landscapes ------------------------------------------------------------------------------------------------------


def test_a_profile_marks_its_centre_and_an_interpolation_its_ends(tmp_path):
    values = RNG.uniform(0, 1, (3, 5))
    for figure, marks in (
        (plot.profile({"SAM": (T, values)}), {"w": 0.0}),
        (plot.interpolation({"SAM": (T, values)}, ends=("SGD", "SAM")), {"SGD": 0.0, "SAM": 1.0}),
    ):
        (ax,) = figure.axes
        np.testing.assert_allclose(ax.lines[0].get_ydata(), values.mean(axis=0), rtol=1e-14)
        assert {text.get_text(): text.get_position()[0] for text in ax.texts} == marks
        assert [line.get_xdata()[0] for line in ax.lines[1:]] == list(marks.values())
        assert drawn(figure, tmp_path / "line.png").std() > 0


def landscapes(**values):
    figure = plot.landscape({name: (T, value) for name, value in values.items()})
    return figure, figure.axes[: len(values)]


def test_landscapes_are_drawn_side_by_side_with_the_same_levels(tmp_path):
    figure, axes = landscapes(SGD=RNG.uniform(1, 100, (5, 5)), SAM=RNG.uniform(2, 3, (5, 5)))
    left, right = (ax.collections[0] for ax in axes)
    assert left.levels.tolist() == right.levels.tolist()
    assert [ax.get_title() for ax in axes] == ["SGD", "SAM"]
    assert all("distance" in ax.get_xlabel() for ax in axes)
    assert "distance" in axes[0].get_ylabel()
    assert figure.axes[-1].get_ylabel() == "loss"
    assert drawn(figure, tmp_path / "landscapes.png").std() > 0


def test_a_landscape_names_its_points():
    slices = {"SAM": (T, RNG.uniform(0, 1, (5, 5)))}
    figure = plot.landscape(slices, {"w": (0, 0), "w + ε": (0.5, 0)}, "toward ε", "at random", "loss [nats]")
    ax, bar = figure.axes
    assert {text.get_text(): text.xy for text in ax.texts} == {"w": (0, 0), "w + ε": (0.5, 0)}
    assert (ax.get_xlabel(), ax.get_ylabel(), bar.get_ylabel()) == ("toward ε", "at random", "loss [nats]")


@pytest.mark.parametrize("odd", [np.inf, np.nan, 0.0, 1e-30, 1e30, -3.0])
def test_a_landscape_may_leave_the_range_of_numbers(odd, tmp_path):
    values = RNG.uniform(0.1, 1, (5, 5))
    values[0, 0] = odd
    figure, axes = landscapes(odd=values, flat=np.ones((5, 5)))
    levels = axes[0].collections[0].levels
    assert np.isfinite(levels).all()
    assert (np.diff(levels) > 0).all()
    drawn(figure, tmp_path / "landscapes.png")


@pytest.mark.parametrize("level", [0.0, 1.0, -2.0])
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


@pytest.mark.parametrize("room", ["plot", "sharpness"])
def test_pictures_and_measures_know_no_models_and_no_training(room):
    """Not even for their types: they take any object with the methods of a `Layout` or a `Drawable`."""
    for path in (Path(plot.__file__).parents[1] / room).glob("*.py"):
        assert not re.search(r"\.(models|data|training|batch)\b.* import ", path.read_text(encoding="utf-8")), path


def test_no_points_are_refused():
    spectra = {"SGD": spectral_density(lambda w, v: DIAGONAL * v, np.zeros(5), 3, 4)}
    with pytest.raises(ValueError, match=r"^points must be a whole number ≥ 1, got 0$"):
        plot.spectrum(spectra, points=0)

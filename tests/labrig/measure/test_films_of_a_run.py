"""A film, a row; only rows of films whose pulses came and that can be trusted are ``ok``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from labrig.frames.film_store import write_film
from labrig.measure import films as films_module
from labrig.measure.closing import tables_so_far
from labrig.measure.films import COLUMNS, FilmJob, measure_film, measure_films
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.film import render_film
from labrig_analysis.synthetic.scene import make_scene

UM = 1.3
SIDE = 320
PULSES_S = (-0.3, 0.2, 0.7)
SETTINGS = MeasureSettings()


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """Writes a film of one culture that contracts by so much; returns its job."""
    folder = tmp_path_factory.mktemp("films")
    scene = make_scene(20, "B3", 0, height_um=SIDE * UM, width_um=SIDE * UM)

    def make(contraction_um: float, defocus_um: float = 0.0, **changes: object) -> FilmJob:
        state = CultureState(contraction_um=contraction_um, defocus_um=defocus_um)
        film = render_film(
            scene, state, (SIDE, SIDE), UM,
            pulses_s=np.array(PULSES_S), frame_rate_hz=50.0, n_frames=55, rng_seed=2,
        )  # fmt: skip
        written = write_film(
            folder, f"film_{contraction_um:g}_{defocus_um:g}", film.frames, UM, 50.0
        )
        job = FilmJob(
            path=folder.parent / written.path, well="B3", field=0, film=0, round=2, offset_s=3970.6,
            shows="phase", pixel_size_um=UM, frame_rate_hz=50.0, frames=55, stimulus="twitch",
            pulses_s=PULSES_S, doubts=(),
        )  # fmt: skip
        return replace(job, **changes)

    return make


def test_a_film_gives_its_contraction(filmed):
    row = measure_film(filmed(2.0), SETTINGS)
    assert tuple(row) == COLUMNS
    assert (row["status"], row["reasons"]) == ("ok", "")
    assert row["amplitude_um"] == pytest.approx(2.0, rel=0.06)
    assert row["time_to_peak_s"] == pytest.approx(0.08, abs=0.01)
    assert (row["pulses"], row["followed"], row["capture_fraction"]) == (2, 2, 1.0)
    assert row["definition"].startswith("optical contraction")


def test_pulses_given_and_not_followed_are_a_contraction_of_nothing(filmed):
    row = measure_film(filmed(0.0), SETTINGS)
    assert (row["status"], row["amplitude_um"], row["capture_fraction"]) == ("ok", 0.0, 0.0)
    assert "no pulse was followed" in row["remarks"]


@pytest.mark.parametrize("contraction_um", [0.0, 0.6, 2.0])
def test_a_film_out_of_focus_is_neither_weak_nor_still(filmed, contraction_um):
    row = measure_film(filmed(contraction_um, defocus_um=60.0), SETTINGS)
    assert (row["status"], row["remarks"]) == ("flagged", "")
    assert row["amplitude_um"] != 0.0
    assert row["noise_um"] > 0.1
    least_um = float(row["reasons"].split("below ")[1].split(" µm")[0])
    assert least_um == pytest.approx(3 * row["noise_um"], abs=0.006)


DOUBTS = {
    "pulses that did not come": ({"pulses_s": (), "doubts": ("no pulse came",)}, "no pulse came"),
    "frames lost": ({"frames": 60}, "55 of 60 frames"),
    "pulses at the very end": ({"pulses_s": (1.05,)}, "no pulse has its whole response"),
}


@pytest.mark.parametrize("case", DOUBTS)
def test_a_doubtful_film_is_flagged_and_measured(filmed, case):
    changes, says = DOUBTS[case]
    row = measure_film(filmed(2.0, **changes), SETTINGS)
    assert row["status"] == "flagged"
    assert says in row["reasons"]


def test_a_film_that_is_not_there_or_torn_is_a_row_with_its_reason(filmed, tmp_path):
    missed = measure_film(filmed(2.0, path=None, doubts=("the camera timed out",)), SETTINGS)
    assert (missed["status"], missed["reasons"]) == ("failed", "the camera timed out")
    torn = tmp_path / "torn.ome.tif"
    torn.write_bytes(filmed(2.0).path.read_bytes()[:1000])
    row = measure_film(filmed(2.0, path=torn), SETTINGS)
    assert row["status"] == "failed"
    assert "torn.ome.tif" in row["reasons"]
    assert row["amplitude_um"] is None


def table_of(out):
    tables_so_far(out)
    return (out / "contractions.csv").read_bytes()


def test_a_film_is_measured_again_only_when_something_changed(filmed, tmp_path, monkeypatch):
    job = filmed(2.0)
    measure_films([job], SETTINGS, tmp_path)
    before = table_of(tmp_path)

    def refuse(*_):
        raise AssertionError("it was measured again")

    monkeypatch.setattr(films_module, "measure_film", refuse)
    measure_films([job], SETTINGS, tmp_path)
    assert table_of(tmp_path) == before
    with pytest.raises(AssertionError, match="measured again"):
        measure_films([replace(job, pulses_s=(0.2,))], SETTINGS, tmp_path)


def test_films_measured_twice_are_not_doubled(filmed, tmp_path):
    jobs = [filmed(2.0), filmed(2.0, well="B4", path=None, doubts=("missed",))]
    assert measure_films(jobs, SETTINGS, tmp_path) == 2
    measure_films([filmed(2.0, film=1)], SETTINGS, tmp_path)
    before = table_of(tmp_path)
    measure_films(jobs[:1], SETTINGS, tmp_path)
    assert table_of(tmp_path) == before
    table = pd.read_csv(tmp_path / "contractions.csv")
    assert list(zip(table["film"], table["well"], strict=True)) == [
        (0, "B3"), (0, "B4"), (1, "B3"),
    ]  # fmt: skip

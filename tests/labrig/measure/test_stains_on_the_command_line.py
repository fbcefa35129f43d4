"""`labrig-measure --stain`: files to stains.csv, and what is refused."""

import csv

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from labrig.cli import app
from labrig_analysis.synthetic.stain_planes import StainLook, draw_spots
from labrig_measure.errors import MeasureError
from labrig_measure.options import patterns_by_channel


@pytest.fixture
def images(tmp_path):
    """Two fields of one straight tube, the second with more clusters."""
    folder = tmp_path / "images"
    folder.mkdir()
    tubes = np.zeros((300, 300), np.uint16)
    tubes[120:170, 10:290] = 1
    rng = np.random.default_rng(1)
    stain = 200 + 1500 * tubes + rng.normal(0, 20, tubes.shape)
    for name, count in (("A1", 4), ("B1", 12)):
        tifffile.imwrite(folder / f"{name}_myhc.tif", stain.astype(np.uint16))
        spots = draw_spots(tubes, 0.5, count, StainLook(seed=count))
        tifffile.imwrite(folder / f"{name}_btx.tif", spots.plane)
    return folder


def run(images, out, *more):
    command = ["measure", str(images), "--tubes", "*_myhc.tif", "--out", str(out), "--workers", "1",
               "--pixel-size-um", "0.5", *more]  # fmt: skip
    return CliRunner().invoke(app, command)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_stains_make_their_tables_and_pictures(images, tmp_path):
    out = tmp_path / "results"
    result = run(images, out, "--stain", "clusters=*_btx.tif")
    assert result.exit_code == 0, result.output
    counts = {r["field"]: r["value"] for r in rows_of(out / "stains.csv")
              if r["readout"] == "clusters"}  # fmt: skip
    assert counts == {"A1": "4", "B1": "12"}
    assert [row["clusters"] for row in rows_of(out / "tubes.csv")] == ["4", "12"]
    assert len(rows_of(out / "stain_clusters.csv")) == 16
    assert (out / "overlays" / "stains" / "B1_clusters.png").exists()
    # The same line measures nothing anew; without the stain its tables go.
    again = run(images, out, "--stain", "clusters=*_btx.tif")
    assert "0 measured now" in again.output
    assert run(images, out).exit_code == 0
    assert not (out / "stains.csv").exists()


def test_a_stain_that_lacks_a_file_is_told(images, tmp_path):
    (images / "A1_btx.tif").unlink()
    out = tmp_path / "results"
    assert run(images, out, "--stain", "clusters=*_btx.tif").exit_code == 0
    fields = {row["field"]: row for row in rows_of(out / "fields.csv")}
    assert fields["A1"]["reasons"] == "clusters is missing: no file for this field"
    assert fields["B1"]["status"] == "ok"


@pytest.mark.parametrize(
    ("stains", "told"),
    [
        (["achr=*_btx.tif"], "does not begin with what it shows: say clusters=, terminals="),
        (["clusters"], "names no files"),
        (["clusters=*a.tif", "clusters=*b.tif"], "--stain clusters is given twice"),
        (["marker:=*_edu.tif"], "does not begin with what it shows"),
    ],
)
def test_a_stain_that_is_said_otherwise_is_refused(stains, told):
    with pytest.raises(MeasureError, match=told):
        patterns_by_channel("*_myhc.tif", None, None, stains)


def test_a_pattern_of_a_stain_that_matches_nothing_is_named(images, tmp_path):
    result = run(images, tmp_path / "results", "--stain", "clusters=*_none.tif")
    assert result.exit_code == 1
    assert "--stain clusters '*_none.tif' matches no file" in " ".join(result.output.split())

"""`labrig measure`, `review` and `agree` as a person and as a script call them."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile
import typer
from typer.testing import CliRunner

from labrig.commands import exit_codes
from labrig.commands.measure import measure
from labrig.commands.review import agree, review


@pytest.fixture
def run():
    app = typer.Typer()
    for command in (measure, review, agree):
        app.command()(command)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in "ab":
        plane = np.full((200, 240), 10, np.float32)
        for x, y in ((60, 60), (160, 70), (70, 150), (170, 150)):
            cv2.ellipse(plane, (x, y), (13, 9), 25, 0, 360, 120, -1)
        plane = cv2.GaussianBlur(plane, (0, 0), 1.2)
        noise = np.random.default_rng(ord(name)).normal(0, 1, plane.shape)
        cv2.imwrite(str(folder / f"{name}_dapi.png"), np.clip(plane + noise, 0, 255).astype("u1"))
    return folder


def measure_it(run, images, *more):
    return run("measure", images, "--nuclei", "*_dapi.png", "--out", images.parent / "out", *more)


def test_outcome_for_a_script(run, images):
    done = measure_it(run, images, "--pixel-size-um", 0.65, "--json")
    assert done.exit_code == exit_codes.OK, done.output
    told = json.loads(done.stdout)
    assert (told["fields"], told["measured_now"], told["failed"]) == (2, 2, {})
    again = json.loads(measure_it(run, images, "--pixel-size-um", 0.65, "--json").stdout)
    assert again["measured_now"] == 0


def test_missing_calibration_is_refused_with_the_remedy(run, images):
    refused = measure_it(run, images)
    assert refused.exit_code == exit_codes.REFUSED
    assert "--pixel-size-um X" in refused.output


def test_a_spoilt_image_is_told_and_the_rest_is_done(run, images):
    (images / "a_dapi.png").write_bytes(b"no image")
    done = measure_it(run, images, "--pixel-size-um", 0.65)
    assert done.exit_code == exit_codes.PARTLY
    assert "a_dapi.png" in done.output
    fields = pd.read_csv(images.parent / "out" / "fields.csv")
    assert fields["status"].tolist() == ["failed", "ok"]


def test_a_plate_map_and_a_contact_sheet(run, images):
    for name, well in (("a", "A01"), ("b", "B1")):
        (images / f"{name}_dapi.png").rename(images / f"day5_{well}_dapi.png")
    out, plate = images.parent / "out", images.parent / "map.csv"
    asked = ("--pixel-size-um", 0.65, "--plate-map", plate, "--control", "rest", "--contact-sheet")
    plate.write_text("well;arm;donor\nA1;rest;D1\nB2;tonic;D1\n")
    refused = measure_it(run, images, *asked)
    assert refused.exit_code == exit_codes.REFUSED
    assert "day5_B1: B1 is not in the map" in refused.output
    assert not out.exists(), "something was measured before it was refused"
    plate.write_text("well;arm;donor\nA1;rest;D1\nB1;tonic;D1\n")
    done = measure_it(run, images, *asked)
    assert done.exit_code == exit_codes.OK, done.output
    assert "fusion_index, tonic over rest: not measured in both arms of any donor" in done.output
    assert pd.read_csv(out / "plate_wells.csv")["nuclei"].tolist() == [4, 4]
    assert "A1, rest, donor D1" in (out / "contact_sheet.html").read_text(encoding="utf-8")
    told = json.loads(measure_it(run, images, *asked, "--json").stdout)
    assert {row["arm"] for row in told["comparisons"]} == {"tonic"}
    alone = measure_it(run, images, "--pixel-size-um", 0.65, "--control", "rest")
    assert alone.exit_code == exit_codes.REFUSED
    assert "give --plate-map too" in alone.output


def test_review_and_agree(run, images):
    measure_it(run, images, "--pixel-size-um", 0.65)
    out = images.parent / "out"
    assert "2 files to edit" in run("review", out).output
    assert "No label image" in run("review", out).output
    path = out / "review" / "a_nuclei.tif"
    labels = tifffile.imread(path)
    tifffile.imwrite(path, cv2.dilate(labels, np.ones((3, 3), np.uint8)))
    assert run("review", out).exit_code == exit_codes.REFUSED
    told = run("review", out, "--by", "Ada", "--why", "too tight", "--json")
    assert json.loads(told.stdout)["corrections"][0]["field"] == "a"
    tables = (out / "nuclei.csv", out / "reviewed" / "nuclei.csv")
    found = json.loads(run("agree", *tables, "--column", "area_um2", "--json").stdout)
    assert (found["n"], found["only_in_first"], found["only_in_second"]) == (8, 0, 0)
    assert found["bias"] > 0
    assert "ICC(3,1)" in run("agree", *tables, "--column", "area_um2").output


def test_agree_names_the_columns_there_are(run, images):
    measure_it(run, images, "--pixel-size-um", 0.65)
    table = images.parent / "out" / "nuclei.csv"
    refused = run("agree", table, table, "--column", "width")
    assert refused.exit_code == exit_codes.REFUSED
    assert "area_um2" in refused.output
    slipped = run("agree", table, table, "--column", "area_um")
    assert "Did you mean 'area_um2'?" in " ".join(slipped.output.split())


def test_agree_compares_no_numbers_of_objects(run, images, tmp_path):
    table = tmp_path / "tubes.csv"
    table.write_text("field,tube,area_um2\na,1,5\na,2,6\nb,1,7\n")
    refused = run("agree", table, table, "--column", "tube")
    assert refused.exit_code == 1
    assert "tube names the rows" in refused.output
    assert "area_um2" in refused.output


@pytest.mark.parametrize("mark", [";", "\t"])
def test_agree_says_that_a_table_has_other_separators(run, images, tmp_path, mark):
    table = tmp_path / "tubes.csv"
    table.write_text("field,tube,area_um2\na,1,5\n".replace(",", mark))
    refused = run("agree", table, table, "--column", "area_um2")
    assert refused.exit_code == 1
    assert "semicolons or tabs" in refused.output


def compared(run, tmp_path, first, second, *more):
    """`labrig agree` of two tables of field, tube, area_um2, given without their first lines."""
    paths = tmp_path / "one.csv", tmp_path / "other.csv"
    for path, rows in zip(paths, (first, second), strict=True):
        path.write_text("field,tube,area_um2\n" + rows)
    return run("agree", *paths, "--column", "area_um2", *more)


def test_agree_counts_what_only_one_rater_has(run, tmp_path):
    rows = [f"a,{tube},{10 * tube}\n" for tube in range(1, 9)]
    first, second = "".join(rows[:6]) + "b,1,\n", "".join(rows[1:]) + "b,1,5\n"
    found = json.loads(compared(run, tmp_path, first, second, "--json").stdout)
    assert (found["n"], found["bias"]) == (5, 0.0)
    left = (found["only_in_first"], found["only_in_second"], found["pairs_without_value"])
    assert left == (1, 2, 1)
    told = compared(run, tmp_path, first, second).output
    assert "1 rows of the first table and 2 of the second without a partner, 1 pairs" in told


ROWS = "1,1,5\n2,1,6\n3,1,7\n"
NOT_COMPARED = {
    "a row without a name": (ROWS, "1,1,5\n2,,6\n3,,7\n", "other.csv, line 3, 4: field + tube"),
    "words for numbers": (ROWS, ROWS.replace(",1,", ",one,"), "tube is a number in"),
    "numbers for words": (ROWS.replace(",1,", ",one,"), ROWS, "tube is words in"),
    "no pair": (ROWS, ROWS.replace(",1,", ",2,"), "3 rows are in the first only, 3 in the second"),
    "names that only look alike": ("001,1,5\n", ROWS, "1 rows are in the first only, 3"),
    "decimal commas": (ROWS, '1,1,5\n2,1,"6,5"\n', "such as '6,5'"),
}


@pytest.mark.parametrize(
    ("first", "second", "says"), NOT_COMPARED.values(), ids=NOT_COMPARED.keys()
)
def test_agree_says_what_hinders_pairing(run, tmp_path, first, second, says):
    refused = compared(run, tmp_path, first, second)
    assert refused.exit_code == exit_codes.REFUSED
    assert says in refused.output


def test_agree_pairs_fields_named_by_numbers_with_those_named_by_words(run, tmp_path):
    mixed = compared(run, tmp_path, ROWS, ROWS + "b,1,8\n", "--json")
    assert json.loads(mixed.stdout)["n"] == 3

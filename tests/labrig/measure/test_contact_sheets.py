"""One page of all overlays, with what a person should look at first in front."""

from __future__ import annotations

import base64
import re

import cv2
import numpy as np

from labrig.measure.contact_sheet import SIDE_PX, write_contact_sheet
from labrig.measure.oddness import by_oddness
from labrig_measure.batch import measure_folder


def row(field, status="ok", **values):
    return {"field": field, "status": status, "reasons": "", "nuclei": 50, "tubes": 9} | values


ALIKE = [row(f"f{n}", nuclei=50 + n) for n in range(-3, 4)]


def test_failed_and_flagged_come_first_and_then_the_furthest_from_the_median():
    rows = [
        *ALIKE, row("many", nuclei=90), row("few", nuclei=5), row("doubt", "flagged"),
        row("gone", "failed", nuclei=None, tubes=None),
    ]  # fmt: skip
    found = by_oddness(rows)
    assert [oddness.field for _, oddness in found[:4]] == ["gone", "doubt", "few", "many"]
    few = found[2][1]
    # median 50 of -3..3, 90, 5 and 50 about it; the deviations' median is 2
    assert (few.readout, few.usual) == ("nuclei", 50)
    assert few.score == (50 - 5) / (1.4826 * 2.0)
    assert found[0][1].score == 0


def test_where_most_are_alike_the_mean_deviation_tells():
    rows = [*(row(f"f{n}") for n in range(9)), row("odd", tubes=19)]
    (_, first), *others = by_oddness(rows)
    assert (first.field, first.readout) == ("odd", "tubes")
    assert first.score == 10 / (1.2533 * 1.0)
    assert {oddness.score for _, oddness in others} == {0.0}


def test_few_fields_and_unknown_cells_tell_nothing():
    assert {o.score for _, o in by_oddness(ALIKE[:4])} == {0.0}
    blank = [row(f"f{n}", nuclei=None, tubes=None) for n in range(9)]
    assert {(o.score, o.readout) for _, o in by_oddness(blank)} == {(0.0, "")}


def test_the_page_holds_every_field_with_its_flags_and_needs_no_other_file(
    folder, patterns, tmp_path
):
    (folder / "b_dapi.png").write_bytes(b"nothing")
    (folder / "x&b_myhc.png").write_bytes(b"nothing")
    (folder / "x&b_dapi.png").write_bytes(b"nothing")
    out = tmp_path / "out"
    result = measure_folder(folder, out, patterns, 0.65)
    page = write_contact_sheet(out, result.rows, {"a": "A1, tonic & more, donor D1"}).read_text()
    assert re.findall(r'<figure class="(\w+)">', page) == ["failed", "flagged", "ok", "ok"]
    assert re.findall(r"<b>(.*?)</b>", page)[:2] == ["x&amp;b", "b"]
    assert "tonic &amp; more" in page
    assert "b_dapi.png is no image" in page
    assert 'href="overlays/a.png"' in page
    pictures = re.findall(r"base64,([^\"]+)", page)
    assert len(pictures) == 3
    image = cv2.imdecode(np.frombuffer(base64.b64decode(pictures[0]), np.uint8), 1)
    assert max(image.shape) == SIDE_PX

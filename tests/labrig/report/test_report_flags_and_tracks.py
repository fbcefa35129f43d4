"""What the report says of pictures that a rule flagged, and of tubes followed through the night."""

from __future__ import annotations

import html
import re
import shutil

import pandas as pd
import pytest

from labrig.plan.experimental_units import Unit
from labrig.report.analysis import analyse
from labrig.report.build import build_report
from labrig.report.flags import counted
from labrig.report.record import read_record
from labrig.report.tracks import tracks_by_arm
from labrig.run_folder import RunFolder

UNITS = (
    Unit("c 1", "c", "d", ("A1", "A2")),
    Unit("c 2", "c", "d", ("A3",)),
    Unit("t 1", "t", "d", ("B1",)),
)


def track(well, rounds=10, slope=0.1, began="present", ended="present"):
    return {
        "well": well, "field": 0, "kind": "tube-like object", "track": 1, "rounds": rounds,
        "began": began, "ended": ended, "log_slope_per_day": slope,
    }  # fmt: skip


def test_tracks_are_gathered_to_wells_then_units_then_arms():
    tracks = pd.DataFrame(
        [
            track("A1", slope=0.1), track("A1", slope=0.3), track("A2", slope=0.0),
            track("A3", slope=0.5), track("A3", rounds=4, slope=9.0, ended="lost"),
            track("B1", slope=float("nan"), began="split", ended="fused"),
        ]
    )  # fmt: skip
    control, test = tracks_by_arm(tracks, UNITS, ("c", "t"), 10)
    assert (control.tubes, control.lasting, control.lost) == (5, 4, 1)
    # c 1: mean of its wells' 0.2 and 0.0; c 2: 0.5. The short track's rate counts for nothing.
    assert control.growth_percent_day == pytest.approx(
        ((10.517 + 64.872) / 2, 10.517, 64.872), abs=1e-3
    )
    assert (test.fused, test.split, test.growth_percent_day) == (1, 1, None)
    assert tracks_by_arm(tracks.iloc[:0], UNITS, ("c", "t"), 10) == ()


def test_flags_are_counted_by_kind_of_reason_and_arm():
    rows = pd.DataFrame(
        {
            "well": ["A1", "B1", "B1"],
            "why": ["dark: light 0.31", "dark: light 0.40; moved: 40 µm", "moved: 31 µm"],
        }
    )
    flags = counted(rows, "why", {"A1": "c", "B1": "t"})
    assert [(f.reason, f.count, dict(f.by_arm)) for f in flags] == [
        ("dark", 2, {"c": 1, "t": 1}),
        ("moved", 2, {"t": 2}),
    ]


@pytest.fixture
def checked_night(write_run, story, tmp_path):
    """A night whose frames were judged and whose tubes were followed."""
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(write_run(story).root, folder.root)
    fields = pd.read_csv(folder.measures / "fields.csv")
    bad = (fields["well"] == "A1") & (fields["round"] == 2)
    fields["quality"] = ["flagged" if flag else "good" for flag in bad]
    fields["quality_reasons"] = ["dark: light 0.31 of the first hour's" if b else "" for b in bad]
    fields["kind"] = "tube"
    fields.to_csv(folder.measures / "fields.csv", index=False)
    wells = sorted(fields["well"].unique())
    tracks = pd.DataFrame([track(well, rounds=2) | {"kind": "tube"} for well in wells])
    tracks.to_csv(folder.measures / "tracks.csv", index=False)
    return folder


def test_flagged_pictures_are_kept_and_the_page_says_so(checked_night):
    analysis = analyse(read_record(checked_night))
    assert analysis.frames_checked == 48
    assert [(flag.reason, flag.count) for flag in analysis.frames_flagged] == [("dark", 1)]
    assert analysis.itt["wells"].sum() == 48, "no well was dropped"
    page = build_report(checked_night).read_text(encoding="utf-8")
    said = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
    assert "1 of 48 pictures of a field are flagged" in said
    assert "All of them are kept" in said
    assert "Pictures flagged, and why" in said
    assert "Tubes followed through the night" in said
    assert "+10.5 % (+10.5 to +10.5)" in said


def test_pictures_in_which_tubes_cannot_be_seen_count_for_nothing_and_are_told_by_arm(
    write_run, story, tmp_path
):
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(write_run(story).root, folder.root)
    before = analyse(read_record(folder))
    fields = pd.read_csv(folder.measures / "fields.csv")
    tubes = pd.read_csv(folder.measures / "tubes.csv")
    unseen = (fields["well"] == "A1") & (fields["round"] == 2)
    measures = ["tube_area_fraction", "fusion_index"]
    fields["tubes"] = 5.0
    fields.loc[unseen, ["tubes", *measures]] = float("nan")
    fields.to_csv(folder.measures / "fields.csv", index=False)
    tubes[~((tubes["well"] == "A1") & (tubes["round"] == 2))].to_csv(
        folder.measures / "tubes.csv", index=False
    )
    after = analyse(read_record(folder))
    assert [flag.count for flag in after.not_seen] == [int(unseen.sum())]
    (arm,) = after.not_seen[0].by_arm
    assert arm == next(w.arm for w in after.record.plan.wells if w.well == "A1")
    seen = (after.wells["well"] != "A1") | (after.wells["round"] != 2)
    other = (before.wells["well"] != "A1") | (before.wells["round"] != 2)
    pd.testing.assert_frame_equal(
        after.wells[seen].reset_index(drop=True), before.wells[other].reset_index(drop=True)
    )
    assert not (after.wells["coverage"] == 0).any()
    assert "Pictures in which tubes cannot be seen" in build_report(folder).read_text("utf-8")

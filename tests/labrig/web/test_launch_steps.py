"""What a start waits for, who ticked what, and when it is due: without a page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from labrig.plan.alike import FindingGroup, alike
from labrig.plan.compile import compile as compile_plan
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig
from labrig.web.launch_draft import STALE_AFTER, Draft, Drafts
from labrig.web.launch_steps import (
    due,
    first_hour,
    plate_map,
    reasons_of_blocks,
    reasons_of_loading,
    reasons_of_signing,
    reasons_of_warnings,
    seen_id,
    signed_lines,
)
from labrig.web.loading_checklist import checklist

CATALOGUE = Path(__file__).parents[3] / "protocols"
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
LOTS = {"differentiation": "7", "nerve-vehicle": "8", "nerve-cocktail": "9"}


@pytest.fixture(scope="module")
def rig():
    return load_rig(CATALOGUE / "rigs" / "example-bench.yaml")


@pytest.fixture(scope="module")
def plan(rig):
    protocol = load_protocol(CATALOGUE / "first-real-night.yaml")
    return compile_plan(protocol, rig, today=date(2026, 3, 1), free_bytes=10**12)


@pytest.fixture
def lines(plan, rig):
    return checklist(plan, rig.model, 10**12)


def test_every_reservoir_line_and_electrode_of_the_plan_is_asked_for(plan, rig, lines):
    ids = [line.id for line in lines]
    assert len(set(ids)) == len(ids)
    assert {i for i in ids if i.startswith("fill:")} == {
        f"fill:{r.reservoir}" for r in plan.loading
    }
    primed = " ".join(line.detail for line in lines if line.group == "Prime")
    assert all(name in primed for row in plan.loading for name in row.lines)
    assert {"electrodes:row_A", "electrodes:row_B", "plate", "air", "disk", "sleep"} <= set(ids)
    assert [line.solution for line in lines if line.solution] == list(LOTS)


def test_a_full_disk_is_a_reason_that_no_tick_takes_away(plan, rig):
    lines = checklist(plan, rig.model, 10**6)
    draft = Draft()
    draft.settle({line.id: True for line in lines}, "A. Jansen", NOW)
    reasons = [r.text for r in reasons_of_loading(lines, draft.standing(NOW), LOTS)]
    assert len(reasons) == 1
    assert "not enough" in reasons[0]


def test_what_is_not_ticked_and_has_no_lot_is_counted(lines):
    assert [r.text for r in reasons_of_loading(lines, {}, {})] == [
        f"{len(lines)} lines not ticked", "3 solutions without a lot",
    ]  # fmt: skip
    draft = Draft()
    draft.settle({line.id: True for line in lines[1:]}, "A. Jansen", NOW)
    assert [r.text for r in reasons_of_loading(lines, draft.standing(NOW), LOTS)] == [
        "1 line not ticked"
    ]


def test_blocks_stay_and_warnings_go_when_they_are_seen():
    block = FindingGroup("block", "a.b", "w", "r", True, ("x",))
    warn = FindingGroup("warn", "c.d", "w", "r", False, ("x",))
    draft = Draft()
    assert [r.text for r in reasons_of_blocks([block, warn])] == [
        "a.b blocks the start: mend it, or answer for it"
    ]
    assert [r.step for r in reasons_of_warnings([block, warn], {})] == [3]
    draft.settle({seen_id(warn): True, seen_id(block): True}, "A. Jansen", NOW)
    assert list(reasons_of_warnings([block, warn], draft.standing(NOW))) == []
    assert len(list(reasons_of_blocks([block, warn]))) == 1


@pytest.mark.parametrize(
    ("names", "pilot", "refused"),
    [
        ((), True, True), (("A. Jansen",), True, False), (("A. Jansen",), False, True),
        (("Anna Jansen", "B. Okoro"), False, False), (("Anna Jansen", "A. Jansen"), False, True),
        ((" ",), True, True),
    ],
)  # fmt: skip
def test_who_has_to_sign(names, pilot, refused):
    assert bool(list(reasons_of_signing(names, pilot=pilot))) is refused


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ("", "2026-03-01T17:00:00+01:00"), ("18:30", "2026-03-01T18:30:00+01:00"),
        ("16.59", "2026-03-02T16:59:00+01:00"), ("7:05", "2026-03-02T07:05:00+01:00"),
    ],
)  # fmt: skip
def test_the_next_such_time_on_the_wall(at, found):
    assert due(at, NOW, BERLIN) == datetime.fromisoformat(found)


@pytest.mark.parametrize("at", ["24:00", "18", "18:30+02:00", "six", "18:60"])
def test_what_is_no_time_of_day_is_refused(at):
    with pytest.raises(ValueError, match="no time of day"):
        due(at, NOW, BERLIN)


def test_a_time_that_the_clock_is_put_forward_over_is_refused():
    evening = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)
    with pytest.raises(ValueError, match="put forward"):
        due("02:30", evening, BERLIN)
    assert due("03:30", evening, BERLIN).astimezone(UTC).hour == 1


def test_who_ticked_first_stays_and_an_old_tick_counts_no_more():
    draft = Draft()
    draft.settle({"lid": True, "plate": False}, "A. Jansen", NOW)
    draft.settle({"lid": True}, "B. Okoro", NOW + timedelta(hours=1))
    assert draft.standing(NOW)["lid"].by == "A. Jansen"
    late = NOW + STALE_AFTER + timedelta(seconds=1)
    assert draft.standing(late) == {}
    draft.settle({"lid": True}, "B. Okoro", late)
    assert draft.standing(late)["lid"].by == "B. Okoro"
    draft.settle({"lid": False}, "B. Okoro", late)
    assert draft.standing(late) == {}


def test_a_draft_outlives_the_page_and_belongs_to_its_files(tmp_path):
    with Drafts(tmp_path).changing(("night", "bench", "v1")) as draft:
        draft.settle({"lid": True}, "A. Jansen", NOW)
        draft.lots["medium"] = "7"
    assert Drafts(tmp_path).read(("night", "bench", "v1")).lots == {"medium": "7"}
    assert Drafts(tmp_path).read(("night", "bench", "v2")) == Draft()
    for path in (tmp_path / ".launch").iterdir():
        path.write_text("half a file")
    assert Drafts(tmp_path).read(("night", "bench", "v1")) == Draft()


def test_the_journal_learns_who_saw_to_what_group_by_group(plan, lines):
    draft, groups = Draft(names=("A. Jansen", "B. Okoro"), lots=LOTS), alike(plan.findings)
    fill = {line.id: True for line in lines if line.group == "Fill"}
    draft.settle(fill, "A. Jansen", NOW)
    draft.settle({"plate": True}, "B. Okoro", NOW)
    draft.settle({seen_id(group): True for group in groups[:1]}, "B. Okoro", NOW)
    said = {(line.by, line.text.partition(":")[0]): line.text for line in
            signed_lines(draft, lines, groups, NOW)}  # fmt: skip
    assert set(said) == {
        ("A. Jansen", "before the start, fill"), ("B. Okoro", "before the start, plate"),
        ("B. Okoro", "before the start, warnings seen"),
        ("A. Jansen", "signed for the start"), ("B. Okoro", "signed for the start"),
    }  # fmt: skip
    told = said["A. Jansen", "before the start, fill"]
    assert all(row.reservoir in told for row in plan.loading)
    assert told.count("(lot ") == len(LOTS)


def test_the_first_hour_and_the_map(plan):
    rows = first_hour(plan, NOW)
    assert rows[0].at == NOW
    assert all(row.at <= NOW + timedelta(hours=1) for row in rows)
    map_ = plate_map(plan)
    assert (map_.columns, [row for row, _ in map_.rows]) == (("1", "2", "3"), ["A", "B"])
    assert set(map_.arms.values()) == {"a", "b"}

"""What `labrig check` says of steps of people, and what they compile to."""

from __future__ import annotations

from datetime import date

import pytest
from ruamel.yaml import YAML

from labrig.catalogue import catalogue_folder
from labrig.plan.budget import budget
from labrig.plan.compile import compile
from labrig.plan.timeline import Frame, PersonStep
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig

YAML_ = YAML(typ="safe")
FEED = {"name": "feed", "at": "5 h", "do": "change-medium", "to": "differentiation"}
STAIN = {"name": "endpoint", "at": "end", "do": "stain", "with": ["Hoechst"],
         "then": {"image": ["nuclei"]}}  # fmt: skip


@pytest.fixture
def planned(tmp_path):
    """The plan of the demonstration night with these steps, and other keys as given."""
    catalogue = catalogue_folder()
    base = YAML_.load((catalogue / "demo-night.yaml").read_text(encoding="utf-8"))
    rig = load_rig(catalogue / "rigs" / "simulated-bench.yaml")

    def plan(*steps, **changes):
        protocol = {**base, "steps": [dict(step) for step in steps], **changes}
        path = tmp_path / "night.yaml"
        with path.open("w", encoding="utf-8") as out:
            YAML_.dump(protocol, out)
        return compile(load_protocol(path), rig, today=date(2026, 11, 30))

    return plan


def codes(plan):
    return {f.code: f for f in plan.findings if f.code.startswith(("step.", "design.unlike"))}


def test_a_step_in_the_day_says_nothing_but_what_it_washes_out(planned):
    found = codes(planned({**FEED, "at": "5.1 h"}))
    assert set(found) == {"step.washes-out", "step.at-night"}
    assert "CNTF" in found["step.washes-out"].why


@pytest.mark.parametrize(
    ("steps", "code", "severity", "said"),
    [
        ([{**FEED, "at": "1.1 h"}], "step.meets-films", "warn", "films are due"),
        ([{**FEED, "takes": "20 min"}], "step.meets-pictures", "note", "pictures are due"),
        ([{**FEED, "at": "6.9 h", "pumps": "hold"}], "step.meets-bolus", "block", "nerve_01"),
        ([FEED, {**STAIN, "at": "5.1 h"}], "step.at-once", "warn", "one person cannot do both"),
        ([{**FEED, "at": [f"{h} h" for h in range(1, 13)]}], "step.too-many", "warn", "limit 8"),
        ([STAIN | {"at": "7 h"}], "step.dead-cells", "warn", "ends the culture"),
        ([{**STAIN, "then": None}], "step.never-pictured", "warn", "stains"),
        ([{**FEED, "arms": ["nerve-sham"]}], "design.unlike-handling", "warn", "vehicle-sham"),
        ([{**FEED, "wells": ["A1"]}], "design.unlike-handling", "warn", "hands were at the wells"),
        ([{**FEED, "at": ["0 h", "12 h"]}], "step.at-night", "note", "about 7:00, 8:00"),
        ([{**FEED, "at": ["0 h", "5 h", "11 h", "13.5 h"]}], "step.at-night", "note", "whenever"),
        ([{**FEED, "do": "sample", "of": "medium", "to": None},
          {**FEED, "name": "two", "do": "sample", "of": "medium", "to": None}],
         "step.labels-twice", "block", "demo-night-A1-5"),
    ],
)  # fmt: skip
def test_what_speaks_against_a_step_is_said(planned, steps, code, severity, said):
    steps = [{k: v for k, v in step.items() if v is not None} for step in steps]
    found = codes(planned(*steps))
    assert code in found, found
    assert found[code].severity == severity
    assert said in found[code].why, found[code].why


def test_wells_that_hold_no_cells_block(planned):
    donors = [{"id": "d", "wells": ["A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4"]}]
    found = codes(planned({**FEED, "wells": ["C1"]}, donors=donors))
    assert found["step.no-well"].severity == "block"


def test_steps_are_entries_in_order_with_labels_of_each_tube(planned):
    plan = planned({"do": "sample", "of": "effluent", "at": ["1 h", "6 h"], "arms": ["nerve-sham"]})
    steps = [entry for entry in plan.timeline if isinstance(entry, PersonStep)]
    wells = tuple(well.well for well in plan.wells if well.arm == "nerve-sham")
    assert [step.offset_s for step in steps] == [3600.0, 21600.0]
    assert set(steps[0].wells) == set(wells)
    assert steps[1].labels == tuple(f"demo-night-{well}-6" for well in steps[1].wells)


def test_pictures_after_a_step_are_one_more_round_that_waits(planned):
    plan = planned(STAIN)
    frames = [entry for entry in plan.timeline if isinstance(entry, Frame)]
    after = [frame for frame in frames if frame.after]
    assert {frame.after for frame in after} == {"step/endpoint/0"}
    assert {frame.round for frame in after} == {1 + max(f.round for f in frames if not f.after)}
    assert {frame.channel for frame in after} == {"nuclei"}
    assert len(after) == 24
    assert min(frame.offset_s for frame in after) >= plan.forecast.duration_s


def test_without_steps_a_plan_is_what_it_was(planned):
    assert planned().timeline == planned(results=[]).timeline
    assert not [
        e for e in planned().timeline if isinstance(e, PersonStep) or getattr(e, "after", "")
    ]


def test_codes_stand_on_tubes_and_no_solution_in_the_question_of_a_blinded_run(planned):
    blinding = {"arms": "coded", "handlers": ["Hanna Berg"], "judges": ["Jan Vos"]}
    take = {"name": "take", "do": "sample", "of": "effluent", "at": "1 h"}
    plan = planned(take, {**FEED, "arms": ["nerve-sham"]}, blinding=blinding)
    take, feed = [entry for entry in plan.timeline if isinstance(entry, PersonStep)]
    assert len(set(take.labels)) == 24
    assert all(label.startswith("S-") and "-A1-" not in label for label in take.labels)
    assert "differentiation" in feed.what
    assert "differentiation" not in feed.unnamed


def test_a_moment_of_a_programme_is_each_arms_own(planned, tmp_path):
    base = YAML_.load((catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8"))
    arms = base["arms"]
    for arm, at in (("nerve-sham", "4 h"), ("nerve-tonic", "8 h")):
        own = arms[arm]
        own["program"] = [
            {"from": "0 h", "targets": own.pop("targets"), "pattern": own.pop("pattern")},
            {"from": at, "targets": "none", "label": "gap"},
        ]
    step = {**FEED, "at": ["gap + 30 min", "end"], "arms": ["nerve-sham", "nerve-tonic"]}
    plan = planned(step, arms=arms)
    steps = [entry for entry in plan.timeline if isinstance(entry, PersonStep)]
    arm_of = {well.well: well.arm for well in plan.wells}
    assert [(s.offset_s / 3600, {arm_of[w] for w in s.wells}) for s in steps] == [
        (4.5, {"nerve-sham"}), (8.5, {"nerve-tonic"}), (14.0, {"nerve-sham", "nerve-tonic"}),
    ]  # fmt: skip
    assert [s.key for s in steps] == [f"step/feed/{n}" for n in range(3)]


def test_pumps_that_keep_their_flow_may_meet_a_bolus(planned):
    assert "step.meets-bolus" not in codes(planned({**FEED, "at": "6.9 h"}))
    late = {**FEED, "at": "7.1 h", "pumps": "hold"}
    assert "step.meets-bolus" not in codes(planned(late))


def test_medium_that_the_lines_bring_back_is_told(planned):
    media = {
        "differentiation": {"description": "DMEM"}, "rich": {"description": "DMEM, rich"},
    }  # fmt: skip
    plan = planned({**FEED, "to": "rich"}, media=media)
    (found,) = [f for f in plan.findings if f.code == "medium.washed-back"]
    assert "bringing differentiation" in found.why
    assert not [f for f in planned(FEED).findings if f.code == "medium.washed-back"]


def test_a_bottle_that_is_changed_too_is_planned(planned):
    media = {
        "differentiation": {"description": "DMEM"}, "rich": {"description": "DMEM, rich"},
    }  # fmt: skip
    step = {**FEED, "to": "rich", "bottles": "change", "pumps": "hold"}
    plan, before = planned(step, media=media), planned(media=media)
    told = {f.code for f in plan.findings}
    assert "step.bottle-tube" in told
    assert not {"medium.washed-back", "step.bottle-shared", "step.bottle-running"} & told
    (feed,) = [e for e in plan.timeline if isinstance(e, PersonStep)]
    assert "change each of the bottles" in feed.what
    assert "of rich" in feed.what
    first = {row.reservoir: row.volume_ml for row in plan.loading if row.solution != "rich"}
    whole = {row.reservoir: row.volume_ml for row in before.loading}
    unusable_ml = 50.0
    for name, volume_ml in feed.bottles:
        need_ml = whole[name] - unusable_ml
        # people may come late, so what the two hold overlaps
        both_ml = volume_ml + first[name] - 2 * unusable_ml
        assert need_ml < both_ml < 1.3 * need_ml
        assert first[name] < whole[name]
    assert budget(plan, {}).solutions_ml["rich"] == pytest.approx(sum(dict(feed.bottles).values()))


def test_a_bottle_that_feeds_other_wells_is_not_changed_for_some(planned):
    found = codes(planned({**FEED, "arms": ["nerve-sham"], "bottles": "change"}))
    assert found["step.bottle-shared"].severity == "block"
    assert found["step.bottle-running"].remedy == "write `pumps: hold`"

"""A picture at the top of its camera's scale is told of while the night can still be mended."""

from __future__ import annotations

from dataclasses import replace

from labrig.error_rules import ErrorRule
from labrig.run.control_client import connect


def test_an_over_exposed_picture_is_a_deviation_and_an_alarm_until_the_next_good_one(
    rehearse, script
):
    night, _, seen = _three_pictures(rehearse, script, "bright")
    assert seen == {150.0: ["saturated"], 250.0: []}
    (told,) = [row for row in night.rows("deviation") if row.key == "saturated"]
    assert (told.detail["instrument"], told.detail["fraction"]) == ("cam phase", 0.4)
    frames = [row.detail for row in night.rows("frame") if row.state == "confirmed"]
    assert frames[1]["saturated_fraction"] == 0.4


def test_a_picture_of_no_use_is_kept_and_told_of_and_may_be_taken_again_by_a_rule(rehearse, script):
    night, plan, seen = _three_pictures(rehearse, script, "frozen")
    assert seen == {150.0: ["bad-picture"], 250.0: []}
    (told,) = [row for row in night.rows("deviation") if row.key == "bad-picture"]
    assert told.detail["doubts"] == ["frozen"]
    frames = [row.detail for row in night.rows("frame") if row.state == "confirmed"]
    assert [frame.get("doubts") for frame in frames] == [None, ["frozen"], None]

    again = rehearse("again", instruments={"stage": ("asi_ms2000", {})})
    again.camera = [*script.camera, "frozen", "2"]
    rule = ErrorRule("picture", "bad_picture", retries=1)
    again.run(replace(plan, errors=(rule,)))
    assert [row.key for row in again.rows("deviation") if row.key == "bad-picture"] == []


def _three_pictures(rehearse, script, spoilt):
    """A night whose second picture is spoilt, its plan, and the alarms after that and the third."""
    night = rehearse(instruments={"stage": ("asi_ms2000", {})})
    night.camera = [*script.camera, spoilt, "2"]
    plan = script.plan([script.frame(at, i, 100.0) for i, at in enumerate((0, 100, 200))], 300.0)
    runner = night.make(plan)
    seen = {}
    for at_s in (150.0, 250.0):
        night.visit(at_s, lambda at_s=at_s: seen.update({at_s: _alarms(night)}))
    runner.run()
    return night, plan, seen


def _alarms(night):
    return [alarm["code"] for alarm in connect(night.folder / "control.json").status()["alarms"]]

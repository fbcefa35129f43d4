"""A running protocol is amended: from a boundary on, by one plan, whoever dies before or after."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from labrig.plan.amending import Kept
from labrig.plan.store import read_plan, to_json
from labrig.record.gist import gist_of
from labrig.record.kinds.runs import RunAmended
from labrig.record.origin import file_sha256
from labrig.record.reading import read_journal
from labrig.record.said import said
from labrig.record.virtual_clock import VirtualClock
from labrig.report.evidence import faults_of_ledger
from labrig.run.amendments import offered
from labrig.run.control_client import CommandRefused, connect
from labrig.run_folder import RunFolder

DURATION_S = 1800.0
FROM_S = 620.0
"""In the midst of the dose of 600 s, which takes a minute."""


def old_plan(script):
    return script.plan(
        [
            script.flow(0.0, 30.0),
            script.flow(0.0, 0.0, "dose"),
            script.stimulate(0.0),
            *(script.dose(at_s) for at_s in (600.0, 900.0, 1200.0)),
            *(script.frame(at_s, i) for i, at_s in enumerate((300.0, 700.0, 1100.0))),
        ],
        DURATION_S,
    )


def new_plan(script, old, from_s=FROM_S, number=2, **changes):
    """More flow and another dose from now on, two pictures instead of two others, no impulses."""
    planned = script.plan(
        [
            script.flow(0.0, 60.0),
            script.flow(0.0, 0.0, "dose"),
            *(script.dose(at_s) for at_s in (600.0, 900.0)),
            script.dose(1500.0, 10.0),
            *(script.frame(at_s, i) for i, at_s in enumerate((300.0, 800.0, 1100.0))),
        ],
        DURATION_S,
    )
    kept = Kept(old, from_s, number)
    return replace(planned, timeline=kept.joined(planned.timeline, planned.phases), **changes)


def offer(night, plan, number=2, from_s=FROM_S):
    folder = RunFolder(night.folder)
    text = to_json(plan)
    path = offered(folder.amended_plan(number), sha256(text.encode()).hexdigest())
    path.write_text(text, encoding="utf-8")
    return {
        "number": str(number), "from_s": repr(from_s), "plan_sha256": file_sha256(path),
        "before_sha256": file_sha256(folder.plan_in_force), "protocol_sha256": "0" * 64,
        "changed": json.dumps(["perfusion.flow"]), "differences": json.dumps(["flow: more"]),
        "by": "A. Miller", "reason": "the tubes grow faster",
    }  # fmt: skip


def amend(night, plan, **where):
    args = offer(night, plan, **where)
    connect(night.folder / "control.json").amend(args)


def amended_night(rehearse, script, name="run"):
    night = rehearse(name)
    old = old_plan(script)
    new = new_plan(script, old)
    return night, old, new


def is_as_amended(night, new):
    """What was done is the old plan up to the boundary and the new one after it."""
    night.plants["base"].settle(DURATION_S)
    night.plants["dose"].settle(DURATION_S)
    confirmed = [r.key for r in night.rows("dose") if r.state == "confirmed"]
    assert confirmed == ["dose-600", "dose-900", "dose-1500@2"]
    assert night.plants["dose"].moved_ul == pytest.approx(50.0, rel=1e-3)
    last = {r.key: r.state for r in night.rows() if r.kind in ("dose", "frame")}
    assert last.get("dose-1200", "skipped") == "skipped"
    assert {k for k, s in last.items() if s == "confirmed" and k.startswith("frame")} == {
        "frame-0", "frame-1@2", "frame-2",
    }  # fmt: skip
    assert read_plan(RunFolder(night.folder)).timeline == new.timeline


def test_it_takes_effect_at_its_boundary_and_a_dose_under_way_is_finished(rehearse, script):
    night, old, new = amended_night(rehearse, script)
    night.make(old)
    night.visit(500.0, lambda: amend(night, new))
    outcome = night.runner.run()

    assert (outcome.condition, outcome.failures) == ("finished", ())
    is_as_amended(night, new)
    moved_ul = 30.0 * FROM_S / 60.0 + 60.0 * (DURATION_S - FROM_S) / 60.0
    assert night.plants["base"].moved_ul == pytest.approx(moved_ul, rel=1e-2)
    assert not [at_s for at_s, _ in night.plants["pulses"].trains if at_s > FROM_S]
    [told] = [said(r) for r in night.rows("run") if r.key == "amended"]
    assert isinstance(told, RunAmended)
    assert (told.by, told.reason) == ("A. Miller", "the tubes grow faster")
    assert "gap" not in night.deviations()
    ledger = json.loads((night.folder / "ledger.json").read_text(encoding="utf-8"))
    planned = {p["pump"]: p["planned_ul"] for p in ledger["pumps"]}
    assert planned["dose"] == pytest.approx(50.0)
    assert planned["base"] == pytest.approx(moved_ul)


def rows_until(night, key):
    return next(n for n, row in enumerate(night.rows(), 1) if (row.kind, row.key) == ("run", key))


def die(night, old, new, death):
    """One runner is told of the amendment, and dies as scripted; when."""
    open_transport = night.open_transport
    runner = night.make(old, connect=death.connect)
    death.clock = night.clock
    runner._open_transport = lambda port: death.wire(open_transport(port))
    night.visit(500.0, lambda: amend(night, new))
    runner.run()
    assert death.at_s is not None
    for name in ("outcome.json", "ledger.json", "control.json"):
        (night.folder / name).unlink(missing_ok=True)
    for simulator in night.simulators.values():
        simulator.advance(death.at_s)
    return death.at_s


@pytest.mark.parametrize("after", ["amended", "replanned"])
@pytest.mark.parametrize("more", [0, 6])
def test_whoever_dies_around_the_boundary_leaves_the_amended_plan(rehearse, script, after, more):
    sound, old, new = amended_night(rehearse, script, "sound")
    sound.make(old)
    sound.visit(500.0, lambda: amend(sound, new))
    sound.runner.run()

    night, old, new = amended_night(rehearse, script)
    died_s = die(night, old, new, script.Death(after_rows=rows_until(sound, after) + more))
    assert night.run(old, VirtualClock(start_s=died_s + 10.0)).condition == "finished"
    assert read_plan(RunFolder(night.folder)).timeline == new.timeline
    given = {r.key for r in night.rows("dose") if r.state == "confirmed"}
    assert "dose-1500@2" in given
    assert "dose-1200" not in given


REFUSED = {
    "what has passed": (
        lambda script, old: replace(old, timeline=old.timeline[1:]), {}, "has passed",
    ),
    "too near": (lambda script, old: new_plan(script, old, 505.0), {"from_s": 505.0}, "too late"),
    "out of turn": (
        lambda script, old: new_plan(script, old, number=3), {"number": 3}, "another one came",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_and_nothing_changes(rehearse, script, case):
    make, where, words = REFUSED[case]
    night, old, _ = amended_night(rehearse, script)
    wrong = []

    def try_it():
        with pytest.raises(CommandRefused) as refused:
            amend(night, make(script, old), **where)
        wrong.append(str(refused.value))

    night.make(old)
    night.visit(500.0, try_it)
    assert night.runner.run().condition == "finished"
    assert words in wrong[0]
    assert not [r for r in night.rows("run") if r.key == "amended"]
    assert read_plan(RunFolder(night.folder)).timeline == old.timeline


def test_a_held_run_is_not_amended_and_a_second_amendment_waits_for_the_first(rehearse, script):
    night, old, new = amended_night(rehearse, script)
    said_no = []

    def try_it(act):
        try:
            act()
        except CommandRefused as error:
            said_no.append(str(error))

    night.make(old)
    night.visit(400.0, lambda: connect(night.folder / "control.json").hold("look", by="A"))
    night.visit(410.0, lambda: try_it(lambda: amend(night, new)))
    night.visit(420.0, lambda: connect(night.folder / "control.json").resume(by="A"))
    night.visit(500.0, lambda: amend(night, new))
    night.visit(510.0, lambda: try_it(lambda: amend(night, new)))
    assert night.runner.run().condition == "finished"
    assert "held" in said_no[0]
    assert "takes effect" in said_no[1]
    is_as_amended(night, new)


def test_a_later_end_is_told_as_soon_as_it_is_accepted(rehearse, script):
    night, old, new = amended_night(rehearse, script)
    later = replace(new, forecast=replace(new.forecast, duration_s=DURATION_S + 600.0))
    ends_s = []

    def look():
        ends_s.append(connect(night.folder / "control.json").status()["duration_s"])

    night.make(old)
    night.visit(490.0, look)
    night.visit(500.0, lambda: amend(night, later))
    night.visit(510.0, look)
    outcome = night.runner.run()
    assert (outcome.condition, outcome.failures) == ("finished", ())
    assert ends_s == [DURATION_S, DURATION_S + 600.0]


def test_one_that_is_stopped_before_the_boundary_has_the_ledger_of_the_accepted_plan(
    rehearse, script
):
    night, old, new = amended_night(rehearse, script)
    later = replace(new, forecast=replace(new.forecast, duration_s=DURATION_S + 600.0))
    night.make(old)
    night.visit(500.0, lambda: amend(night, later))
    night.visit(540.0, lambda: connect(night.folder / "control.json").stop("test", by="A"))
    assert night.runner.run().condition == "stopped"
    folder = RunFolder(night.folder)
    rows = read_journal(folder.journal)
    assert list(faults_of_ledger(folder, gist_of(read_plan(folder), rows))) == []

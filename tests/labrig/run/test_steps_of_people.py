"""What people do during a run: asked once, signed, late, refused, missed; what pauses meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labrig.plan.timeline import PersonStep
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import CommandRefused, connect

FEED = "step/feed/0"


def step(at_s=600.0, name="feed", **changes):
    parts = {
        "key": f"step/{name}/0", "offset_s": at_s, "phase": "night", "step": name,
        "do": "change-medium", "what": "change the medium to dm", "unnamed": "change the medium",
        "within_s": 600.0, "wait_s": 1200.0, "takes_s": 300.0, "hold_s": 0.0, "signatures": 1,
        "if_missed": "flag", "wells": ("A1", "A2"), "exchange": 1.0, "medium": "dm",
    }  # fmt: skip
    return PersonStep(**(parts | changes))


def visit(night, at_s, act):
    box = night.clock.mailbox("operator")

    def come() -> None:
        box.get(at_s)
        act(connect(night.folder / "control.json"))

    night.clock.start(f"operator at {at_s}", come)


def say(night, at_s, act, by="Anna Vos", key=FEED, **more):
    visit(night, at_s, lambda client: client.step(key, act, by, **more))


def states(night, key=FEED):
    return [row.state for row in night.rows("step") if row.key == key]


def test_a_step_that_is_begun_and_signed_in_time_is_done(rehearse, script):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 20.0), step()], 1800.0))
    say(night, 700.0, "begin")
    say(night, 900.0, "done", done_s=880.0)
    night.runner.run()
    assert states(night) == ["intent", "sent", "confirmed"]
    done = night.rows("step")[-1].detail
    assert (done["by"], done["done_s"], done["late_s"], done["begun_s"]) == (
        ["Anna Vos"], 880.0, 0.0, pytest.approx(700.0),
    )  # fmt: skip
    assert night.rows("step")[-1].run_s == pytest.approx(900.0), "entered later than it happened"
    assert [row.state for row in night.rows("question")] == ["asked", "answered"]
    assert night.deviations() == []


def test_pumps_stand_while_hands_are_at_the_plate_and_impulses_are_silent(rehearse, script):
    night = rehearse()
    plan = script.plan([script.flow(0.0, 60.0), script.stimulate(0.0), step(hold_s=1800.0)], 1800.0)
    night.make(plan)
    say(night, 660.0, "begin")
    say(night, 1020.0, "done")
    night.runner.run()
    night.plants["base"].settle(1800.0)
    assert night.plants["base"].moved_ul == pytest.approx(60.0 * (1800 - 360) / 60.0, rel=0.01)
    trains = [at_s for at_s, _ in night.plants["pulses"].trains]
    assert not [at_s for at_s in trains if 661.0 < at_s < 1019.0]
    assert [at_s for at_s in trains if at_s > 1019.0]
    assert not [row for row in night.rows("train") if row.state == "missed"], "it was planned so"


def test_pumps_that_stood_as_long_as_cells_can_bear_go_on(rehearse, script):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 60.0), step(hold_s=300.0)], 1800.0))
    say(night, 660.0, "begin")
    say(night, 1500.0, "done")
    night.runner.run()
    night.plants["base"].settle(1800.0)
    assert night.plants["base"].moved_ul == pytest.approx(60.0 * (1800 - 300) / 60.0, rel=0.02)
    assert night.deviations() == ["step-held-too-long", "step-late"]


def test_of_two_with_one_name_the_first_lets_nothing_go_on_that_pauses_for_the_second(
    rehearse, script
):
    night = rehearse()
    later = step(700.0, key="step/feed/1", wells=("A2",), hold_s=1800.0)
    night.make(script.plan(
        [script.flow(0.0, 60.0), script.stimulate(0.0), step(hold_s=1800.0), later], 1800.0
    ))  # fmt: skip
    say(night, 660.0, "begin")
    say(night, 720.0, "begin", key="step/feed/1")
    say(night, 900.0, "done")
    say(night, 1020.0, "done", key="step/feed/1")
    night.runner.run()
    trains = [at_s for at_s, _ in night.plants["pulses"].trains]
    assert not [at_s for at_s in trains if 661.0 < at_s < 1019.0]
    assert [at_s for at_s in trains if at_s > 1019.0]
    night.plants["base"].settle(1800.0)
    assert night.plants["base"].moved_ul == pytest.approx(60.0 * (1800 - 360) / 60.0, rel=0.01)


def test_pumps_that_keep_their_flow_keep_it(rehearse, script):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 60.0), step()], 1800.0))
    say(night, 660.0, "begin")
    say(night, 1020.0, "done")
    night.runner.run()
    night.plants["base"].settle(1800.0)
    assert night.plants["base"].moved_ul == pytest.approx(1800.0, rel=0.01)


def test_nobody_came(rehearse, script):
    night = rehearse()
    night.run(script.plan([script.flow(0.0, 20.0), step(if_missed="censor")], 3600.0))
    assert states(night) == ["intent", "missed"]
    assert night.deviations() == ["step-missed", "censored"]
    censored = night.rows("deviation")[-1].detail
    assert (censored["wells"], censored["from_s"]) == (["A1", "A2"], 1200.0)
    raised = [row for row in night.rows("alarm") if row.state == "raised"]
    assert [(row.key, row.run_s) for row in raised] == [("step:feed", pytest.approx(1200.0))]
    assert [row.state for row in night.rows("question")] == ["asked", "withdrawn"]


def test_a_late_one_is_a_deviation_by_its_event_not_by_its_entry(rehearse, script):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 20.0), step(if_missed="censor")], 3600.0))
    say(night, 1500.0, "done", done_s=1190.0)
    night.runner.run()
    assert night.deviations() == []
    other = rehearse("late")
    other.make(script.plan([script.flow(0.0, 20.0), step(if_missed="censor")], 3600.0))
    say(other, 1500.0, "done", done_s=1260.0)
    other.runner.run()
    assert other.deviations() == ["step-late", "censored"]
    assert other.rows("deviation")[0].detail["late_s"] == pytest.approx(60.0)


def test_a_refusal_needs_a_reason_and_stops_the_run_if_its_rule_says_so(rehearse, script):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 20.0), step(if_missed="stop")], 3600.0))
    refused = []

    def refuse(client):
        with pytest.raises(CommandRefused) as error:
            client.step(FEED, "refuse", "Anna Vos")
        refused.append(str(error.value))
        client.step(FEED, "refuse", "Anna Vos", reason="the medium was cloudy")

    visit(night, 700.0, refuse)
    outcome = night.runner.run()
    assert "say why" in refused[0]
    assert states(night) == ["intent", "refused"]
    assert outcome.condition == "stopped"
    assert night.rows("deviation")[0].detail["refused_by"] == "Anna Vos"
    assert night.plants["base"].rate_ul_min == pytest.approx(20.0), "the cells are fed on"


def test_two_people_sign_and_one_cannot_sign_twice(rehearse, script):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 20.0), step(signatures=2)], 3600.0))
    refused = []

    def again(client):
        with pytest.raises(CommandRefused) as error:
            client.step(FEED, "done", "A. Vos")
        refused.append(str(error.value))

    say(night, 700.0, "done", done_s=690.0)
    visit(night, 720.0, again)
    say(night, 900.0, "done", by="Bo Lund")
    night.runner.run()
    assert "second person" in refused[0]
    assert states(night) == ["intent", "acknowledged", "confirmed"]
    assert night.rows("step")[-1].detail["by"] == ["Anna Vos", "Bo Lund"]
    assert night.rows("step")[-1].detail["done_s"] == 690.0


def test_a_second_signature_that_never_comes_is_told(rehearse, script):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 20.0), step(signatures=2)], 3600.0))
    say(night, 700.0, "done")
    night.runner.run()
    assert night.deviations() == ["step-one-signature"]
    assert states(night)[-1] == "confirmed"


def test_what_one_person_signed_was_done_whenever_the_run_is_stopped(rehearse, script):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 20.0), step(signatures=2)], 3600.0))
    say(night, 650.0, "begin")
    say(night, 700.0, "done")
    visit(night, 720.0, lambda client: client.stop("fire drill"))
    night.runner.run()
    assert night.deviations() == ["step-one-signature"]
    assert states(night) == ["intent", "sent", "acknowledged", "confirmed"]
    assert night.rows("step")[-1].detail["done_s"] == 700.0


def test_a_stop_at_the_boundary_waits_for_no_second_signature(rehearse, script):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 20.0), step(signatures=2)], 3600.0))
    say(night, 650.0, "begin")
    say(night, 700.0, "done")
    visit(night, 720.0, lambda client: client.stop_at_boundary("fire drill"))
    assert night.runner.run().condition == "stopped"
    assert night.rows("run")[-1].run_s <= 900.0
    assert states(night)[-1] == "confirmed"


def test_pictures_wait_for_the_step_and_the_run_for_both(rehearse, script):
    night = rehearse()
    frames = [
        replace(script.frame(1800.0 + n, n, 500.0 * n), key=f"frame/r009/{n}", after="step/end/0")
        for n in range(2)
    ]
    end = step(1800.0, "end")
    night.make(script.plan([script.flow(0.0, 20.0), end, *frames], 1800.0))
    say(night, 2400.0, "begin", key=end.key)
    say(night, 2700.0, "done", key=end.key)
    outcome = night.runner.run()
    taken = [row for row in night.rows("frame") if row.state == "confirmed"]
    assert [row.key for row in taken] == ["frame/r009/0", "frame/r009/1"]
    assert all(row.run_s > 2700.0 for row in taken)
    assert outcome.condition == "finished"
    assert night.plants["base"].rate_ul_min == pytest.approx(20.0), "fed while people came"


def test_pictures_of_a_step_that_was_not_done_are_not_taken(rehearse, script):
    night = rehearse()
    frame = replace(script.frame(1800.0, 0), after="step/end/0")
    night.run(script.plan([script.flow(0.0, 20.0), step(1800.0, "end"), frame], 1800.0))
    assert [row.state for row in night.rows("frame")] == ["skipped"]
    assert "was not done" in night.rows("frame")[0].detail["reason"]


def test_later_entries_keep_their_time(rehearse, script):
    night = rehearse()
    entries = [script.flow(0.0, 20.0), script.flow(0.0, 0.0, "dose"), script.dose(1500.0)]
    night.make(script.plan([*entries, step()], 3600.0))
    say(night, 1700.0, "done")
    night.runner.run()
    [sent] = [row for row in night.rows("dose") if row.state == "sent"]
    assert sent.run_s == pytest.approx(1500.0, abs=2.0)


def test_a_step_is_asked_once_whoever_asks(rehearse, script):
    """The first runner dies while hands are at the plate, the second asks no more than is open."""
    night = rehearse()
    plan = script.plan([script.flow(0.0, 60.0), script.stimulate(0.0), step(hold_s=1800.0)], 3600.0)
    death = script.Death(after_rows=10_000)
    night.make(plan, death.clock, death.connect)
    say(night, 660.0, "begin")
    visit(night, 720.0, lambda client: death._die_if(True))
    say(night, 730.0, "done")
    night.runner.run()
    assert states(night) == ["intent", "sent"], "the first runner died before it was signed"
    night.make(plan, VirtualClock(start_s=800.0))
    say(night, 900.0, "done")
    night.runner.run()
    assert states(night) == ["intent", "sent", "confirmed"]
    assert [row.state for row in night.rows("question")] == ["asked", "answered"]
    assert night.rows("step")[-1].detail["begun_s"] == pytest.approx(660.0)


def test_a_step_that_was_done_is_not_asked_again(rehearse, script):
    night = rehearse()
    plan = script.plan([script.flow(0.0, 60.0), step()], 3600.0)
    death = script.Death(after_rows=10_000)
    night.make(plan, death.clock, death.connect)
    say(night, 700.0, "done")
    visit(night, 750.0, lambda client: death._die_if(True))
    night.runner.run()
    assert states(night) == ["intent", "confirmed"]
    night.run(plan, VirtualClock(start_s=900.0))
    assert states(night) == ["intent", "confirmed"]
    assert [row.state for row in night.rows("question")].count("asked") == 1


@pytest.mark.parametrize(
    ("act", "more", "said"),
    [
        ("done", {"done_s": 9e9}, "later than now"),
        ("done", {"done_s": 10.0}, "long before it was due"),
        ("done", {"by": ""}, "say who"),
        ("dance", {}, "no answer to it"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(rehearse, script, act, more, said):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 20.0), step(1000.0)], 2400.0))
    found = []

    def come(client):
        with pytest.raises(CommandRefused) as error:
            client.step("step/feed/0", act, **{"by": "Anna Vos", **more})
        found.append(str(error.value))

    visit(night, 1100.0, come)
    night.runner.run()
    assert said in found[0]


def test_a_stop_feeds_cells_whose_pumps_stood_for_a_step(rehearse, script):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 60.0), step(hold_s=1800.0)], 3600.0))
    say(night, 660.0, "begin")
    visit(night, 720.0, lambda client: client.stop("fire drill"))
    night.runner.run()
    assert night.plants["base"].rate_ul_min == pytest.approx(60.0)
    assert states(night) == ["intent", "sent", "skipped"]


def test_wells_that_were_given_up_are_not_asked_for(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("silent", 590.0, 900.0),)})
    late = replace(script.dose(600.0), lateness=script.Lateness("abort_arm"))
    frame = replace(script.frame(1800.0, 0), after="step/feed/0")
    entries = [script.flow(0.0, 20.0), script.flow(0.0, 0.0, "dose"), late, step(1500.0), frame]
    night.run(script.plan(entries, 2400.0))
    assert "arm-aborted" in night.deviations()
    assert states(night)[-1] == "skipped"
    assert night.rows("frame")[-1].state == "skipped"


@pytest.fixture
def told(rehearse, script):
    """A true night with a step in it, and what the truth checker says of it once it is edited."""
    from labrig.truth.check import check_truth

    night = rehearse()
    entries = [script.flow(0.0, 60.0), script.stimulate(0.0), step(hold_s=1800.0)]
    night.make(script.plan(entries, 3600.0))
    say(night, 700.0, "begin")
    say(night, 1300.0, "done")
    night.runner.run()
    assert night.untrue() == []
    journal = night.folder / "journal.sqlite"
    physical = night.folder / "twin" / "physical.jsonl"
    kept = {path: path.read_bytes() for path in (journal, physical)}

    def edited(sql="", lines=()):
        import json
        import sqlite3

        if sql:
            connection = sqlite3.connect(journal)
            connection.executescript(
                f"DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete; {sql};"
            )
            connection.close()
        known = [json.loads(line) for line in physical.read_text().splitlines()]
        known = sorted([*known, *lines], key=lambda line: line[1])
        physical.write_text("".join(json.dumps(line) + "\n" for line in known))
        return {violation.rule for violation in check_truth(night.folder)}

    yield edited
    for path, content in kept.items():
        path.write_bytes(content)


def test_the_checker_sees_a_pump_that_moved_at_a_persons_hands(told):
    assert "pump at a person's hands" in told(lines=[["base", 755.0, "flow", 60.0]])


def test_the_checker_sees_a_step_that_was_late_and_untold(told):
    late = "UPDATE journal SET detail = json_set(detail, '$.done_s', 1290.0)"
    assert "step untold" in told(f"{late} WHERE kind = 'step' AND state = 'confirmed'; "
                                 "DELETE FROM journal WHERE key = 'step-late'")  # fmt: skip


def test_the_checker_sees_a_step_that_never_ended(told):
    assert "step without an end" in told(
        "DELETE FROM journal WHERE kind = 'step' AND state = 'confirmed'"
    )

"""What was said to a person, and what the person said, stands in the journal."""

from __future__ import annotations

import pytest

from labrig.record.alarms import alarm_spans
from labrig.record.recovery import fold
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect


def _die_at(night, script, plan, at_s, *visits, start_s=0.0):
    """One runner that is killed; visits are (time, act on the client)."""
    death = script.Death()
    runner = night.make(plan, VirtualClock(start_s=start_s), connect=death.connect)
    death.clock, open_transport = night.clock, night.open_transport
    runner._open_transport = lambda port: death.wire(open_transport(port))
    for visit_s, act in visits:
        night.visit(visit_s, lambda act=act: act(connect(night.folder / "control.json")))
    night.visit(at_s, lambda: death._die_if(True))
    runner.run()


def _stalled_for_good(rehearse, script, duration_s=3600.0):
    night = rehearse(faults={"dose": (script.Fault("stall", 300.0),)})
    return night, script.plan([script.flow(0.0, 30.0), script.flow(0.0, 5.0, "dose")], duration_s)


def test_a_link_that_was_lost_and_came_back_is_an_alarm_from_then_to_then(rehearse, script):
    night = rehearse(unplugged={"dose": (200.0, 300.0)})
    night.run(script.plan([script.flow(0.0, 5.0, "dose")], 600.0))
    (span,) = alarm_spans(night.rows())
    assert (span.code, span.about) == ("link", "dose")
    assert span.from_s == pytest.approx(240.0, abs=60.0)
    assert 300.0 <= span.to_s <= 335.0
    assert "unplugged" in span.what


def test_standing_alarms_and_open_questions_outlive_their_runner(rehearse, script):
    night, plan = _stalled_for_good(rehearse, script)
    _die_at(night, script, plan, 1000.0)
    before = fold(night.rows())
    assert "stall:dose" in before.alarms
    assert before.questions["stall:dose"].choice is None
    shown = {}
    runner = night.make(plan, VirtualClock(start_s=1100.0))
    night.visit(1100.5, lambda: shown.update(connect(night.folder / "control.json").status()))
    runner.run()
    assert ("stall", before.alarms["stall:dose"].since_s) in [
        (alarm["code"], alarm["since_s"]) for alarm in shown["alarms"]
    ]
    assert [question["id"] for question in shown["questions"]] == ["stall:dose"]
    asked = [row for row in night.rows("question") if row.state == "asked"]
    assert len(asked) == 1
    assert night.rows("question")[-1].state == "withdrawn"


@pytest.mark.parametrize("runners", [1, 3])
def test_a_question_that_was_answered_leave_is_not_asked_again(rehearse, script, runners):
    night, plan = _stalled_for_good(rehearse, script)
    _die_at(
        night, script, plan, 1000.0, (900.0, lambda client: client.answer("stall:dose", "leave"))
    )
    for index in range(runners - 1):
        start_s = 1100.0 + 200.0 * index
        _die_at(night, script, plan, start_s + 150.0, start_s=start_s)
    shown = {}
    runner = night.make(plan, VirtualClock(start_s=2000.0))
    night.visit(2200.0, lambda: shown.update(connect(night.folder / "control.json").status()))
    runner.run()
    assert shown["questions"] == []
    assert "stall" in {alarm["code"] for alarm in shown["alarms"]}
    assert [row.state for row in night.rows("question")] == ["asked", "answered"]
    assert not [row for row in night.rows("deviation") if row.key == "restarted-by-operator"]


def test_an_answer_that_its_runner_did_not_live_to_carry_out_is_carried_out(rehearse, script):
    """Killed between the row of the answer and what follows from it."""
    night = rehearse()
    late = script.Lateness("ask")
    timeline = [script.flow(0.0, 0.0, "dose"), script.dose(300.0, lateness=late)]
    plan = script.plan(timeline, 1800.0)
    hold = (290.0, lambda client: client.hold())
    resume = (400.0, lambda client: client.resume())
    death = script.Death()
    runner = night.make(plan, VirtualClock(), connect=death.connect)
    death.clock, open_transport = night.clock, night.open_transport
    runner._open_transport = lambda port: death.wire(open_transport(port))
    for at_s, act in (hold, resume, (500.0, lambda client: client.answer("dose-300", "do"))):
        night.visit(at_s, lambda act=act: act(connect(night.folder / "control.json")))
    board_answer = None

    def die_after_the_answer() -> None:
        board = runner._workers[0]._desk.board
        board_answer = board._listener

        def heard(entry):
            board_answer(entry)
            death._die_if(entry.state == "answered")

        board.listen(heard)

    night.visit(450.0, die_after_the_answer)
    runner.run()
    assert board_answer is None
    assert fold(night.rows()).questions["dose-300"].choice == "do"
    assert not [row for row in night.rows("dose") if row.state == "sent"]
    night.run(plan, VirtualClock(start_s=600.0))
    assert night.rows("dose")[-1].state == "confirmed"
    assert [row.state for row in night.rows("question")] == ["asked", "answered"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [("sensor_error", "environment-unseen"), ("drift", "environment-off")],
)
def test_air_that_nobody_watched_until_the_end_is_on_record_at_once(rehearse, script, fault, code):
    night = rehearse(faults={"probe": (script.Fault(fault, 500.0, value=3.0),)})
    plan = script.plan([script.reading(at_s) for at_s in range(0, 3600, 300)], 3600.0)
    _die_at(night, script, plan, 1300.0)
    (found,) = [row for row in night.rows("deviation") if row.key == code]
    assert found.run_s == pytest.approx(600.0, abs=1.0)
    assert {row.detail["code"] for row in night.rows("alarm")} & {"probe", "environment"}

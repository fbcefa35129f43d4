"""Stop, hold, resume, answers: from outside, by id, safe to repeat."""

from __future__ import annotations

import http.client
import json
import sqlite3
import stat
import sys

import pytest

from labrig.run.control_client import CommandRefused, NoRunner, RunnerClient, connect


@pytest.fixture
def at(request):
    """Someone at the bench who does something at a time of the run."""

    def plan_visit(night, at_s, act):
        box = night.clock.mailbox("operator")

        def visit() -> None:
            box.get(at_s)
            act(connect(night.folder / "control.json"))

        night.clock.start(f"operator at {at_s}", visit)

    return plan_visit


def test_stop_silences_stimulation_and_doses_and_keeps_perfusion(rehearse, script, at):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 5.0, "dose"), script.stimulate(0.0)]
    timeline += [script.dose(600.0), script.dose(900.0)]
    runner = night.make(script.plan(timeline, 1800.0))
    at(night, 652.0, lambda client: client.stop("smoke"))
    outcome = runner.run()
    assert outcome.condition == "stopped"
    assert outcome.unsafe == ()
    assert night.plants["base"].rate_ul_min == pytest.approx(30.0)
    assert night.plants["dose"].rate_ul_min == 0.0
    assert max(at_s for at_s, _ in night.plants["pulses"].trains) <= 652.0
    assert night.plants["pulses"].stopped[-1][0] == pytest.approx(652.0)
    given, never = (
        [row for row in night.rows("dose") if row.key == key] for key in ("dose-600", "dose-900")
    )
    assert given[-1].detail["resolution"] == "cut off by a stop"
    assert given[-1].detail["delivered_ul"] == pytest.approx(52.0 / 3.0, abs=0.05)
    assert "sent" not in {row.state for row in never}
    assert night.rows("run")[-1].detail["reason"] == "smoke"


def test_stop_raises_the_epoch_before_anything_else(rehearse, script, at):
    night = rehearse()
    seen = []
    runner = night.make(script.night())
    at(night, 1000.0, lambda client: (client.stop(), seen.append(client.status()["epoch"])))
    runner.run()
    assert seen == [2]
    (command,) = night.rows("command")
    assert command.epoch == 2


def test_an_order_of_an_older_epoch_never_reaches_the_wire(rehearse, script):
    """A stop between the dispatcher's giving and the worker's taking."""
    from labrig.run.lease import Fence, StaleEpoch

    fence = Fence(1)
    fence.check(1)
    assert fence.raise_epoch() == 2
    with pytest.raises(StaleEpoch):
        fence.check(1)
    fence.check(2)

    night = rehearse()
    plan = script.plan([script.flow(0.0, 0.0, "dose"), script.dose(300.0)], 600.0)
    runner = night.make(plan)
    box = night.clock.mailbox("operator")

    def raise_only() -> None:
        box.get(299.0)
        for worker in runner._workers:
            worker._desk.fence.raise_epoch()
            break

    night.clock.start("operator", raise_only)
    runner.run()
    assert night.rows("dose")[-1].state == "refused"
    assert night.plants["dose"].moved_ul == 0.0


def test_hold_pauses_trains_and_frames_and_resume_goes_on(rehearse, script, at):
    night = rehearse()
    late = script.Lateness("once_within", 100.0)
    frames = [script.frame(100.0 * i, i, lateness=late) for i in range(12)]
    timeline = [script.flow(0.0, 30.0), script.flow(500.0, 60.0), script.stimulate(0.0), *frames]
    runner = night.make(script.plan(timeline, 1200.0))
    at(night, 320.0, lambda client: client.hold("changing the plate"))
    at(night, 720.0, lambda client: client.resume())
    outcome = runner.run()
    assert outcome.condition == "finished"
    starts = [at_s for at_s, _ in night.plants["pulses"].trains]
    assert not [at_s for at_s in starts if 320.0 < at_s < 750.0]
    assert 750.0 in starts
    ends = {r.key: r.state for r in night.rows("frame") if r.state in ("confirmed", "missed")}
    assert [ends[f"frame-{i}"] for i in (3, 4, 5, 6, 7, 8)] == [
        "confirmed", "missed", "missed", "missed", "confirmed", "confirmed",
    ]  # fmt: skip
    night.plants["base"].settle(1200.0)
    assert night.plants["base"].moved_ul == pytest.approx(30 * 500 / 60 + 60 * 700 / 60, rel=1e-3)


def test_a_command_repeated_with_its_id_is_carried_out_once(rehearse, script, at):
    night = rehearse()
    runner = night.make(script.night(1200.0))
    replies = []

    def twice(client):
        replies.extend(client.note("door opened", "MK", command_id="n-1") for _ in range(2))

    at(night, 500.0, twice)
    runner.run()
    assert replies[0] == replies[1]
    assert len(night.rows("note")) == 1
    assert len(night.rows("command")) == 1


def test_a_late_event_that_asks_is_done_when_the_operator_says_so(rehearse, script, at):
    night = rehearse()
    asks = script.Lateness("ask")
    doses = [script.dose(at_s, lateness=asks) for at_s in (300.0, 400.0)]
    runner = night.make(script.plan([script.flow(0.0, 0.0, "dose"), *doses], 1800.0))
    questions = []
    at(night, 290.0, lambda client: client.hold())
    at(night, 700.0, lambda client: client.resume())
    at(
        night,
        800.0,
        lambda client: (
            questions.extend(client.status()["questions"]),
            client.answer("dose-300", "do"),
            client.answer("dose-400", "skip"),
        ),
    )
    runner.run()
    assert [question["id"] for question in questions] == ["dose-300", "dose-400"]
    ends = {row.key: row.state for row in night.rows("dose")}
    assert ends == {"dose-300": "confirmed", "dose-400": "skipped"}


def test_an_event_too_late_for_its_arm_gives_its_wells_up(rehearse, script, at):
    night = rehearse()
    last = script.dose(300.0, lateness=script.Lateness("abort_arm"))
    timeline = [script.flow(0.0, 30.0), last, script.dose(900.0), script.frame(1000.0, 1),
                script.flow(1100.0, 60.0)]  # fmt: skip
    runner = night.make(script.plan(timeline, 1200.0))
    at(night, 290.0, lambda client: client.hold())
    at(night, 500.0, lambda client: client.resume())
    runner.run()
    ends = {row.key: row.state for row in night.rows("dose", "frame")}
    assert ends == {"dose-300": "missed", "dose-900": "skipped", "frame-1": "skipped"}
    assert "arm-aborted" in night.deviations()
    # Their perfusion goes on as planned: nobody lets cells dry out because a dose was late.
    assert night.plants["base"].rate_ul_min == 60.0
    assert night.rows("level")[-1].key == "flow-base-1100"


def test_status_shows_what_a_person_wants_to_know(rehearse, script, at):
    night = rehearse()
    runner = night.make(script.night())
    shown = {}
    at(night, 1000.0, lambda client: shown.update(client.status()))
    runner.run()
    assert shown["condition"] == "running"
    assert shown["phase"] == "night"
    assert shown["now_s"] == 1000.0
    assert shown["upcoming"][0] == {
        "key": "frame-4", "at_s": 1200, "kind": "frame", "instrument": "stage",
        "what": "picture of A1 (phase)",
    }  # fmt: skip
    bottle = shown["reservoirs"][0]
    assert bottle["left_ml"] == pytest.approx(50.0 - 0.48, abs=0.02)  # last poll at 960 s
    assert bottle["dry_at_s"] == pytest.approx(1000.0 + bottle["left_ml"] / 0.03 * 60.0)
    assert shown["readings"]["base"]["rate_ul_min"] == pytest.approx(30.0)
    assert shown["readings"]["stage"]["at_s"] > 900.0, "where it rested last, not at the start"
    assert not (night.folder / "control.json").exists()


def _ask(client: RunnerClient, headers: dict[str, str], method="GET", path="/status", body=None):
    connection = http.client.HTTPConnection(client.host, client.port, timeout=5)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_the_door_opens_only_to_this_machine_and_its_token(rehearse, script, at):
    night = rehearse()
    runner = night.make(script.night(600.0))
    seen = {}

    def knock(client):
        good = {"Authorization": f"Bearer {client.token}"}
        seen["good"] = _ask(client, good)[0]
        seen["no token"] = _ask(client, {})[0]
        seen["wrong token"] = _ask(client, {"Authorization": "Bearer x"})[0]
        seen["foreign host"] = _ask(client, {**good, "Host": "evil.example"})[0]
        seen["foreign origin"] = _ask(client, {**good, "Origin": "https://evil.example"})[0]
        seen["unknown command"] = _ask(client, good, "POST", "/explode", '{"command_id": "1"}')[0]
        seen["no id"] = _ask(client, good, "POST", "/hold", "{}")[0]
        seen["not json"] = _ask(client, good, "POST", "/hold", "hold!")[0]
        seen["mode"] = stat.S_IMODE((night.folder / "control.json").stat().st_mode)

    at(night, 100.0, knock)
    runner.run()
    mode = seen.pop("mode")
    assert seen == {
        "good": 200, "no token": 401, "wrong token": 401, "foreign host": 403,
        "foreign origin": 403, "unknown command": 400, "no id": 400, "not json": 400,
    }  # fmt: skip
    if sys.platform != "win32":
        assert mode == 0o600


def test_the_client_says_why(rehearse, script, at, tmp_path):
    with pytest.raises(NoRunner, match="no runner lives"):
        connect(tmp_path / "control.json")
    with pytest.raises(NoRunner, match="labrig resume"):
        RunnerClient("127.0.0.1", 1, "x").status()
    night = rehearse()
    runner = night.make(script.night(600.0))
    refused = []

    def answer_nothing(client):
        with pytest.raises(CommandRefused, match="no question 'q' stands"):
            client.answer("q", "do")
        refused.append(True)

    at(night, 100.0, answer_nothing)
    runner.run()
    assert refused == [True]


def test_a_door_taken_over_by_another_program_is_no_runner(rehearse, script, at):
    night = rehearse()
    runner = night.make(script.night(600.0))
    seen = []

    def ask_with_an_old_token(client):
        with pytest.raises(NoRunner, match="labrig resume"):
            RunnerClient(client.host, client.port, "of a runner that died").status()
        seen.append(True)

    at(night, 100.0, ask_with_an_old_token)
    runner.run()
    assert seen == [True]


def test_two_runners_do_not_share_a_folder(rehearse, script, at):
    from labrig.run.lease import LeaseHeld, runner_lives, take_lease

    night = rehearse()
    runner = night.make(script.night(600.0))
    seen = []

    def second(client):
        with pytest.raises(LeaseHeld, match="labrig status"):
            take_lease(night.folder)
        assert runner_lives(night.folder)
        seen.append(True)

    at(night, 100.0, second)
    runner.run()
    assert seen == [True]
    assert not runner_lives(night.folder)
    take_lease(night.folder).release()


def test_a_stop_that_overtakes_a_resume_is_still_carried_out(rehearse, script, at):
    """The epoch is raised already, and the stop itself is next in the mailbox."""
    night = rehearse()
    runner = night.make(script.plan([script.flow(0.0, 30.0), script.stimulate(0.0)], 900.0))
    at(night, 100.0, lambda client: client.hold())
    at(
        night,
        200.0,
        lambda client: (client.resume(), runner._workers[0]._desk.fence.raise_epoch()),
    )
    at(night, 200.5, lambda client: client.stop())
    outcome = runner.run()
    assert outcome.failures == ()
    assert outcome.condition == "stopped"
    assert outcome.unsafe == ()
    assert max(at_s for at_s, _ in night.plants["pulses"].trains) < 100.0


def test_a_stop_on_a_full_disk_is_written_once_the_disk_is_free(rehearse, script, at):
    """Unwritten, it would be undone by whoever takes the run over."""
    night = rehearse()

    class Connection(sqlite3.Connection):
        def executemany(self, sql, rows):  # type: ignore[no-untyped-def]
            if 100.0 <= night.clock.now_s() < 4000.0:
                raise sqlite3.OperationalError("database or disk is full")
            return super().executemany(sql, rows)

    def connect_database(*args, **settings):
        return sqlite3.connect(*args, factory=Connection, **settings)

    plan = script.plan([script.flow(0.0, 30.0), script.stimulate(0.0)], 3600.0)
    runner = night.make(plan, connect=connect_database)
    at(night, 110.0, lambda client: client.stop("smoke"))
    outcome = runner.run()
    assert outcome.condition == "stopped"
    ends = [row for row in night.rows("run") if row.key == "stopped"]
    assert [row.detail["reason"] for row in ends] == ["smoke"]
    assert ends[0].run_s == pytest.approx(110.0, abs=5.0)
    assert max(at_s for at_s, _ in night.plants["pulses"].trains) <= 110.0


def test_a_stop_that_comes_while_the_disk_writes_sent_keeps_the_dose_from_the_wire(
    rehearse, script
):
    night = rehearse()
    raised = []

    class Connection(sqlite3.Connection):
        def executemany(self, sql, rows):  # type: ignore[no-untyped-def]
            if any(row[3] == "sent" for row in rows) and not raised:
                raised.append(runner._workers[0]._desk.fence.raise_epoch())
            return super().executemany(sql, rows)

    def connect(*args, **settings):
        return sqlite3.connect(*args, factory=Connection, **settings)

    plan = script.plan([script.flow(0.0, 0.0, "dose"), script.dose(300.0)], 600.0)
    runner = night.make(plan, connect=connect)
    runner.run()
    assert [row.state for row in night.rows("dose")] == ["intent", "sent", "refused"]
    assert night.plants["dose"].moved_ul == 0.0


def test_a_run_that_nobody_follows_says_so_until_somebody_does(rehearse, script, at):
    night = rehearse()
    runner = night.make(script.night())
    alarms = []

    def look(client):
        alarms.append([a["code"] for a in client.status()["alarms"]])

    at(night, 1000.0, lambda client: client.unfollowed())
    at(night, 1001.0, look)
    at(night, 1100.0, lambda client: client.unfollowed())
    at(night, 1101.0, look)
    at(night, 1200.0, lambda client: client.followed())
    at(night, 1201.0, look)
    assert runner.run().condition == "finished"
    assert alarms == [["unfollowed"], ["unfollowed"], []]
    rows = [(row.key, row.run_s) for row in night.rows("run") if "follow" in row.key]
    assert [key for key, _ in rows] == ["unfollowed", "unfollowed", "followed"]
    assert rows[0][1] == pytest.approx(1000.0)

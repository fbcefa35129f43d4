"""The keeper of a rig: brings a dead runner back, with patience, and starts nothing beside it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from labrig.commands import rig_service
from labrig.commands.rig_service import Looks, unfinished_run
from labrig.launch import keeper as keeper_module
from labrig.launch.bench_ready import say_ready
from labrig.launch.keeper import REVIVE_AFTER_S, SOUND_AFTER_S, Keeper
from labrig.launch.offers import Offer, OfferRefused, await_answer, make_offer, offered_by
from labrig.launch.runner_child import RunnerDied, RunnerOptions
from labrig.launch.served import NotServed, Served
from labrig.night.unfollowed import FollowWatch
from labrig.record.journal import open_journal
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock
from labrig.run.lease import take_lease
from labrig.run_folder import RunFolder

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


class Child:
    """A runner that lives until told otherwise."""

    returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode


def identify(folder, **changes):
    known = {"simulated": True, "rehearsal": False, "protocol": "night"}
    folder.identity.write_text(json.dumps(known | changes))


def conclude(folder, condition="finished", ago_s=0.0):
    """Leave the outcome of a run that ended so long ago by the clock on the wall."""
    folder.outcome.write_text(json.dumps({"condition": condition}))
    then = time.time() - ago_s
    os.utime(folder.outcome, (then, then))


@dataclass
class Bench:
    """A folder of runs, a clock, and the runners that were started on it."""

    runs: object
    now_s: float = 0.0
    children: list[Child] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    starts_fail: bool = False

    def start(self, folder, options) -> Child:
        self.children.append(Child())
        return self.children[-1]

    def wait(self, child, folder) -> None:
        if self.starts_fail:
            raise RunnerDied("scripted")

    def keeper(self) -> Keeper:
        return Keeper(self.runs, self.said.append, lambda: self.now_s)

    def offer(self, name: str) -> RunFolder:
        return self.offer_due(name, datetime.now(UTC))

    def offer_due(self, name: str, due: datetime, **identity) -> RunFolder:
        folder = RunFolder(self.runs / name)
        folder.root.mkdir()
        identify(folder, **identity)
        make_offer(folder, Offer(due_utc=due.isoformat(), grace_s=600.0, by=name, speed=1.0))
        return folder


@pytest.fixture
def bench(tmp_path, monkeypatch):
    bench = Bench(tmp_path)
    monkeypatch.setattr(keeper_module, "start_runner", bench.start)
    monkeypatch.setattr(keeper_module, "wait_until_ready", bench.wait)
    return bench


@pytest.fixture(autouse=True)
def one_hour(monkeypatch):
    """Every run's plan."""
    plan = SimpleNamespace(forecast=SimpleNamespace(duration_s=3600.0))
    monkeypatch.setattr(rig_service, "read_plan", lambda folder: plan)


def begin(folder, **changes):
    """Leave a journal as a runner that was killed leaves it."""
    folder.root.mkdir(exist_ok=True)
    identify(folder, **changes)
    journal = open_journal(folder.journal, VirtualClock(epoch=NOW))
    journal.note(JournalEntry("run", "started", "noted", {}))
    journal.close()


def test_a_runner_that_dies_is_taken_over(bench):
    keeper = bench.keeper()
    folder = bench.offer("night")
    assert keeper.tick() == folder
    bench.children[0].returncode = -9
    keeper.tick()
    assert len(bench.children) == 1, "not before its time"
    bench.now_s += REVIVE_AFTER_S[0]
    keeper.tick()
    assert len(bench.children) == 2
    assert keeper.running() == folder
    assert "died (exit status -9)" in bench.said[0]


def test_a_runner_that_dies_again_and_again_is_brought_back_again_and_again(bench):
    keeper = bench.keeper()
    folder = bench.offer("night")
    keeper.tick()
    waits = [*REVIVE_AFTER_S, *[REVIVE_AFTER_S[-1]] * 20]
    for wait_s in waits:
        bench.children[-1].returncode = 1
        keeper.tick()
        bench.now_s += wait_s * 0.99
        keeper.tick()
        assert keeper.running() is None, "not before its time"
        bench.now_s += wait_s * 0.02
        keeper.tick()
        assert keeper.running() == folder
    assert sum(REVIVE_AFTER_S[:3]) <= 5.0, "the cells wait"
    assert any(said.startswith("ALARM") for said in bench.said)

    other = bench.offer("other night")
    keeper.tick()
    with pytest.raises(OfferRefused, match="busy"):
        await_answer(other, 1.0)
    conclude(folder, ago_s=1.0)  # somebody has ended it
    bench.children[-1].returncode = 0
    third = bench.offer("third night")
    assert keeper.tick() == third


@pytest.mark.parametrize("hours", [0.1, 1.0, 48.0])
def test_a_take_over_is_tried_for_as_long_as_it_takes(bench, hours):
    """As with a clock that is behind the last row, until somebody sets it."""
    keeper = bench.keeper()
    folder = RunFolder(bench.runs / "night")
    begin(folder)
    bench.starts_fail = True
    keeper.take_over(folder, RunnerOptions())
    tries, until_s = 0, hours * 3600.0
    while bench.now_s < until_s:
        keeper.tick()
        bench.now_s += REVIVE_AFTER_S[-1]
        tries += 1
    assert len(bench.children) >= tries - 1
    bench.starts_fail = False
    keeper.tick()
    assert keeper.running() == folder


def test_a_runner_that_failed_is_brought_back_though_it_left_an_outcome(bench):
    keeper = bench.keeper()
    folder = bench.offer("night")
    keeper.tick()
    conclude(folder, "failed")
    bench.children[-1].returncode = 4
    keeper.tick()
    bench.now_s += REVIVE_AFTER_S[0]
    keeper.tick()
    assert keeper.running() == folder


def test_a_run_that_came_to_its_end_and_failed_is_over(bench):
    """It missed most of its plan; there is nothing to go on with."""
    keeper = bench.keeper()
    folder = bench.offer("night")
    keeper.tick()
    folder.outcome.write_text(json.dumps({"condition": "failed", "over": True}))
    bench.children[-1].returncode = 4
    keeper.tick()
    bench.now_s += 1e6
    keeper.tick()
    assert len(bench.children) == 1
    assert keeper.kept() is None


def test_a_damaged_outcome_keeps_nobody_from_the_cells(bench):
    keeper = bench.keeper()
    folder = RunFolder(bench.runs / "night")
    begin(folder)
    keeper.take_over(folder, RunnerOptions())
    keeper.tick()
    folder.outcome.write_text("{")
    bench.children[-1].returncode = -9
    keeper.tick()
    bench.now_s += REVIVE_AFTER_S[0]
    keeper.tick()
    assert keeper.running() == folder


@pytest.mark.parametrize("end", ["finished", "stopped"])
@pytest.mark.parametrize("conclusion", ["written", "impossible"])
def test_a_run_killed_after_its_last_row_blocks_nothing(bench, monkeypatch, end, conclusion):
    folder = RunFolder(bench.runs / "night")
    begin(folder)
    journal = open_journal(folder.journal, VirtualClock(epoch=NOW))
    journal.note(JournalEntry("run", end, "noted", {"reason": ""}))
    journal.close()
    found = unfinished_run(bench.runs, NOW + timedelta(days=3), bench.said.append)
    assert found == folder, "whose conclusion is to be written"
    concluded = []
    if conclusion == "written":
        monkeypatch.setattr(keeper_module, "conclude_if_ended", concluded.append)
    keeper = bench.keeper()
    keeper.take_over(folder, RunnerOptions())
    bench.starts_fail = True  # the runner says that it has ended already
    keeper.tick()
    bench.starts_fail = False
    assert concluded == ([folder] if conclusion == "written" else [])
    assert conclusion in bench.said[-1] or "could not be written" in bench.said[-1]
    time.sleep(0.02)
    say_ready(bench.runs, "somebody")
    other = bench.offer("other night")
    assert keeper.tick() == other


def test_a_long_life_earns_new_patience(bench):
    keeper = bench.keeper()
    bench.offer("night")
    keeper.tick()
    for _ in range(2 * len(REVIVE_AFTER_S)):
        bench.now_s += SOUND_AFTER_S
        bench.children[-1].returncode = -9
        keeper.tick()
        bench.now_s += REVIVE_AFTER_S[0]
        keeper.tick()
    assert len(bench.children) == 1 + 2 * len(REVIVE_AFTER_S)


def test_a_take_over_that_fails_is_tried_again_later(bench):
    keeper = bench.keeper()
    folder = RunFolder(bench.runs / "night")
    begin(folder)
    bench.starts_fail = True
    keeper.take_over(folder, RunnerOptions())
    keeper.tick()
    assert keeper.running() is None
    bench.starts_fail = False
    bench.now_s += REVIVE_AFTER_S[0]
    keeper.tick()
    assert keeper.running() == folder


@pytest.mark.parametrize("who", ["outcome", "lease"])
def test_a_run_that_ended_or_that_another_has_taken_over_is_left_alone(bench, who):
    keeper = bench.keeper()
    folder = bench.offer("night")
    keeper.tick()
    lease = None
    if who == "outcome":
        conclude(folder)
    else:
        lease = take_lease(folder.root)
    bench.children[0].returncode = 0 if who == "outcome" else -9
    keeper.tick()
    bench.now_s += 1e6
    keeper.tick()
    assert len(bench.children) == 1
    other = bench.offer("other night")
    started = keeper.tick()
    if lease is None:
        assert started == other
        return
    with pytest.raises(OfferRefused, match="busy with night"):
        await_answer(other, 1.0)
    lease.release()
    keeper.tick()
    bench.now_s += REVIVE_AFTER_S[0]
    keeper.tick()
    assert keeper.running() == folder, "when that runner has died too"


def test_a_start_that_an_earlier_keeper_made_is_accepted_once(bench):
    folder = bench.offer("night")
    begin(folder)
    bench.keeper().tick()
    await_answer(folder, 1.0)
    assert bench.children == []
    assert offered_by(bench.runs, "night") == folder
    assert offered_by(bench.runs, "somebody else") is None


def test_a_start_that_was_refused_is_not_made_up_for(bench):
    folder = RunFolder(bench.runs / "night")
    folder.root.mkdir()
    open_journal(folder.journal, VirtualClock()).close()  # its instrument was missing
    assert unfinished_run(bench.runs, NOW, bench.said.append) is None


def test_an_unfinished_run_is_found_unless_it_ended(bench):
    folder = RunFolder(bench.runs / "night")
    begin(folder)
    assert unfinished_run(bench.runs, NOW, bench.said.append) == folder
    lease = take_lease(folder.root)
    assert unfinished_run(bench.runs, NOW, bench.said.append) == folder, "watched while it lives"
    lease.release()
    conclude(folder)
    assert unfinished_run(bench.runs, NOW, bench.said.append) is None


@pytest.mark.parametrize(("later_min", "found"), [(50, True), (70, False)])
def test_a_real_run_whose_time_is_over_is_not_put_back_on_the_bench(bench, later_min, found):
    folder = RunFolder(bench.runs / "night")
    begin(folder, simulated=False)
    now = NOW + timedelta(minutes=later_min)
    assert (unfinished_run(bench.runs, now, bench.said.append) is not None) is found
    assert found or "labrig resume" in bench.said[0]


@pytest.mark.parametrize(
    "damage",
    [{"due_utc": v} for v in (None, 5, "tomorrow", "2026-03-01T00:00", [])]
    + [{"grace_s": v} for v in (None, "long", [])]
    + [{"speed": v} for v in (None, "fast", {})]
    + [{"unknown": 1}],
)  # fmt: skip
def test_an_offer_that_is_none_is_answered_and_does_not_end_the_keeping(bench, damage):
    folder = bench.offer("night")
    offer = json.loads(folder.offer.read_text()) | damage
    folder.offer.write_text(json.dumps(offer))
    assert bench.keeper().tick() is None
    answer = json.loads(folder.answer.read_text())
    assert not answer["accepted"]
    assert "damaged" in answer["reason"]
    assert bench.children == []


def test_a_damaged_offer_is_refused_and_nothing_else_suffers(bench):
    folder = RunFolder(bench.runs / "a night")
    folder.root.mkdir()
    (folder.root / "offer.json").write_text("{")
    other = bench.offer("other night")
    assert bench.keeper().tick() == other
    with pytest.raises(OfferRefused, match="damaged"):
        await_answer(folder, 1.0)


# What may not begin by itself.

NOT_WANTED = "before night ended"


@pytest.mark.parametrize("condition", ["finished", "stopped"])
@pytest.mark.parametrize("due_before_end_s", [0.5, 30.0, 500.0])
def test_what_was_due_before_the_last_run_ended_is_not_made_up_for(
    bench, condition, due_before_end_s
):
    """A queued schedule, a second click on Run: within their grace, on wells that were used."""
    folder = RunFolder(bench.runs / "night")
    begin(folder)
    conclude(folder, condition, ago_s=10.0)
    say_ready(bench.runs, "somebody")  # said of the bench now, not of what was wanted then
    due = datetime.now(UTC) - timedelta(seconds=10.0 + due_before_end_s)
    late = bench.offer_due("late night", due)
    assert bench.keeper().tick() is None
    with pytest.raises(OfferRefused, match=NOT_WANTED):
        await_answer(late, 1.0)
    fresh = bench.offer("fresh night")
    assert bench.keeper().tick() == fresh


def test_after_a_stop_nothing_begins_until_a_person_says_that_the_bench_is_ready(bench):
    folder = RunFolder(bench.runs / "night")
    begin(folder)
    say_ready(bench.runs, "somebody")  # before the stop: of another day
    time.sleep(0.02)
    conclude(folder, "stopped")
    time.sleep(0.02)
    for number in range(3):
        early = bench.offer(f"early night {number}")
        assert bench.keeper().tick() is None
        with pytest.raises(OfferRefused, match=r"labrig ready --runs"):
            await_answer(early, 1.0)
    say_ready(bench.runs, "somebody")
    assert bench.keeper().tick() is None, "refused is refused"
    wanted = bench.offer("wanted night")
    assert bench.keeper().tick() == wanted


@pytest.mark.parametrize("how", ["never ended", "damaged", "failed"])
def test_after_a_run_that_nobody_ended_nothing_begins_by_itself(bench, how):
    folder = RunFolder(bench.runs / "night")
    begin(folder)
    if how == "damaged":
        folder.journal.write_bytes(b"no journal any more" * 100)
    if how == "failed":
        conclude(folder, how)
    other = bench.offer("other night")
    assert bench.keeper().tick() is None
    with pytest.raises(OfferRefused, match=r"labrig ready"):
        await_answer(other, 1.0)
    time.sleep(0.02)
    say_ready(bench.runs, "somebody")
    third = bench.offer("third night")
    assert bench.keeper().tick() == third


def test_a_start_that_was_refused_for_want_of_an_instrument_bars_nothing(bench):
    folder = RunFolder(bench.runs / "night")
    folder.root.mkdir()
    identify(folder)
    open_journal(folder.journal, VirtualClock()).close()
    other = bench.offer("other night")
    assert bench.keeper().tick() == other


@pytest.mark.parametrize("other", [{"rehearsal": True}, {"simulated": False}])
def test_the_end_of_a_run_elsewhere_says_nothing_of_this_bench(bench, other):
    folder = RunFolder(bench.runs / "night")
    begin(folder, **other)
    conclude(folder, "stopped")
    wanted = bench.offer("wanted night")
    assert bench.keeper().tick() == wanted


@pytest.mark.parametrize("damage", ["identity", "outcome", "no identity"])
def test_a_damaged_neighbour_starts_nothing_and_ends_nothing(bench, damage):
    folder = RunFolder(bench.runs / "night")
    begin(folder)
    conclude(folder)
    if damage == "no identity":
        folder.identity.unlink()
    else:
        (folder.identity if damage == "identity" else folder.root / "outcome.json").write_text("{")
    other = bench.offer("other night")
    assert bench.keeper().tick() is None
    with pytest.raises(OfferRefused, match="night"):
        await_answer(other, 1.0)


@pytest.fixture
def served(bench, tmp_path_factory):
    files = tmp_path_factory.mktemp("files")
    (files / "rig.yaml").write_text("name: ours\n")
    return Served(
        {"night": str(files / "night.yaml")}, str(files / "rig.yaml"), str(bench.runs), True, False
    )


@pytest.mark.parametrize(
    ("identity", "rig", "reason"),
    [
        ({}, "name: ours\n", ""),
        ({"protocol": "another"}, "name: ours\n", "is not served"),
        ({"simulated": False}, "name: ours\n", "only the simulated bench"),
        ({}, "name: theirs\n", "rig file"),
    ],
)
def test_a_keeper_starts_only_what_it_serves(bench, served, identity, rig, reason):
    keeper = Keeper(bench.runs, bench.said.append, lambda: bench.now_s, served)
    folder = bench.offer_due("offered", datetime.now(UTC), **identity)
    folder.rig.write_text(rig)
    started = keeper.tick()
    if not reason:
        assert started == folder
        return
    assert bench.children == []
    with pytest.raises(OfferRefused, match=reason):
        await_answer(folder, 1.0)


def test_a_keeper_starts_no_run_that_lies_elsewhere(bench, served, tmp_path_factory):
    elsewhere = RunFolder(tmp_path_factory.mktemp("elsewhere"))
    identify(elsewhere)
    elsewhere.rig.write_text("name: ours\n")
    now = datetime.now(UTC).isoformat()
    make_offer(elsewhere, Offer(due_utc=now, grace_s=60.0, by="me", speed=1.0))
    (bench.runs / "link").symlink_to(elsewhere.root)
    assert Keeper(bench.runs, bench.said.append, lambda: 0.0, served).tick() is None
    with pytest.raises(OfferRefused, match="does not lie in"):
        await_answer(elsewhere, 1.0)


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../night", "night.yaml", "Night"])
def test_only_names_of_what_is_served_are_known(served, name):
    assert served.protocol("night").name == "night.yaml"
    with pytest.raises(NotServed, match="labrig serve"):
        served.protocol(name)


class DyingPrefect:
    """A Prefect that has something to say at every look."""

    def tend(self, now_s) -> list[str]:
        return ["the Prefect server ended"]


def test_a_night_and_the_next_outlive_prefect(bench):
    keeper, watch = bench.keeper(), FollowWatch(bench.said.append, lambda folder: None)
    looks = Looks(keeper, watch, DyingPrefect(), bench.said.append)
    folder = bench.offer("night")
    for _ in range(5):
        looks.look()
    assert keeper.running() == folder
    conclude(folder, ago_s=1.0)
    bench.children[-1].returncode = 0
    other = bench.offer("other night")
    looks.look()
    assert keeper.running() == other


@pytest.mark.parametrize("trouble", ["full disk", "no Prefect", "a bug"])
def test_what_goes_wrong_in_one_look_is_told_once_and_ends_nothing(bench, monkeypatch, trouble):
    keeper, watch = bench.keeper(), FollowWatch(bench.said.append, lambda folder: None)
    prefect = DyingPrefect()
    prefect.tend = lambda now_s: []
    looks = Looks(keeper, watch, prefect, bench.said.append)
    folder = bench.offer("night")
    looks.look()
    with monkeypatch.context() as broken:
        match trouble:
            case "full disk":
                bench.offer("other night")
                error = OSError(28, "No space left on device")
                broken.setattr(keeper_module, "write_json", lambda *_: (_ for _ in ()).throw(error))
            case "no Prefect":
                error = OSError(11, "Resource temporarily unavailable")
                prefect.tend = lambda now_s: (_ for _ in ()).throw(error)
            case "a bug":
                bug = KeyError("what nobody foresaw")
                prefect.tend = lambda now_s: (_ for _ in ()).throw(bug)
        for _ in range(5):
            looks.look()
    assert len([said for said in bench.said if said.startswith("ALARM")]) == 1
    assert keeper.running() == folder

"""The keeper of a rig: brings a dead runner back, with patience, and starts nothing beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from labrig.commands import rig_service
from labrig.commands.rig_service import RigService, unfinished_run
from labrig.flows.services import ServiceFailed
from labrig.launch import keeper as keeper_module
from labrig.launch.keeper import REVIVE_AFTER_S, SOUND_AFTER_S, Keeper
from labrig.launch.offers import Offer, OfferRefused, await_answer, make_offer, offered_by
from labrig.launch.runner_child import RunnerDied, RunnerOptions
from labrig.record.journal import Entry, open_journal
from labrig.record.virtual_clock import VirtualClock
from labrig.run.lease import take_lease
from labrig.run_folder import RunFolder

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


class Child:
    """A runner that lives until told otherwise."""

    returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode


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
        folder = RunFolder(self.runs / name)
        folder.root.mkdir()
        due = datetime.now(UTC).isoformat()
        make_offer(folder, Offer(due_utc=due, grace_s=60.0, by=name, speed=1.0))
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
    folder.identity.write_text(json.dumps({"simulated": True} | changes))
    journal = open_journal(folder.journal, VirtualClock(epoch=NOW))
    journal.note(Entry("run", "started", "noted", {}))
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


def test_a_runner_that_dies_again_and_again_is_left_to_a_person_and_bars_the_rig(bench):
    keeper = bench.keeper()
    folder = bench.offer("night")
    keeper.tick()
    for wait_s in REVIVE_AFTER_S:
        bench.children[-1].returncode = 1
        keeper.tick()
        bench.now_s += wait_s
        keeper.tick()
    assert len(bench.children) == 1 + len(REVIVE_AFTER_S)
    bench.children[-1].returncode = 1
    keeper.tick()
    bench.now_s += 1e6
    keeper.tick()
    assert len(bench.children) == 1 + len(REVIVE_AFTER_S)
    assert "given up" in bench.said[-1]

    other = bench.offer("other night")
    keeper.tick()
    with pytest.raises(OfferRefused, match="labrig resume"):
        await_answer(other, 1.0)
    (folder.root / "outcome.json").write_text("{}")  # somebody has ended it
    third = bench.offer("third night")
    assert keeper.tick() == third


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
        (folder.root / "outcome.json").write_text("{}")
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
    else:
        with pytest.raises(OfferRefused, match="busy with night"):
            await_answer(other, 1.0)
        lease.release()


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


def test_an_unfinished_run_is_found_unless_it_lives_or_ended(bench):
    folder = RunFolder(bench.runs / "night")
    begin(folder)
    assert unfinished_run(bench.runs, NOW, bench.said.append) == folder
    lease = take_lease(folder.root)
    assert unfinished_run(bench.runs, NOW, bench.said.append) is None
    lease.release()
    (folder.root / "outcome.json").write_text("{}")
    assert unfinished_run(bench.runs, NOW, bench.said.append) is None


@pytest.mark.parametrize(("later_min", "found"), [(50, True), (70, False)])
def test_a_real_run_whose_time_is_over_is_not_put_back_on_the_bench(bench, later_min, found):
    folder = RunFolder(bench.runs / "night")
    begin(folder, simulated=False)
    now = NOW + timedelta(minutes=later_min)
    assert (unfinished_run(bench.runs, now, bench.said.append) is not None) is found
    assert found or "labrig resume" in bench.said[0]


def test_a_damaged_offer_is_refused_and_nothing_else_suffers(bench):
    folder = RunFolder(bench.runs / "a night")
    folder.root.mkdir()
    (folder.root / "offer.json").write_text("{")
    other = bench.offer("other night")
    assert bench.keeper().tick() == other
    with pytest.raises(OfferRefused, match="damaged"):
        await_answer(folder, 1.0)


class DeadPrefect:
    """A server that has died, and a person who stops serving after some looks."""

    def __init__(self, keeper, looks) -> None:
        self.keeper, self.looks = keeper, looks

    def check(self) -> None:
        raise ServiceFailed("the Prefect server ended")

    def wait(self, timeout_s) -> bool:
        self.looks -= 1
        if self.looks == 1:
            (self.keeper._kept.folder.root / "outcome.json").write_text("{}")
            self.keeper._kept.child.returncode = 0
        return False


def test_a_night_outlives_prefect_and_is_kept_to_its_end(bench):
    keeper = bench.keeper()
    bench.offer("night")
    dead = DeadPrefect(keeper, looks=5)
    service = RigService((), bench.runs, bench.runs, True, True, None, None, 0)
    with pytest.raises(ServiceFailed):
        service._look_after(keeper, dead, dead, bench.said.append)
    assert dead.looks == 1, "not given up before the night was over"
    assert len([said for said in bench.said if "needs no Prefect" in said]) == 1

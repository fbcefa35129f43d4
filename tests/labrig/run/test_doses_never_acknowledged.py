"""A dose whose bytes went out and of which nothing was heard: never given twice, never a hit."""

from __future__ import annotations

import json

import pytest

from labrig.record.journal import open_journal
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock
from labrig.report.outcome import outcome_of
from labrig.run.control_client import connect
from labrig_drivers.errors import PortLost, PortMissing

DUE_S, END_S, FOREVER_S = 610.0, 1800.0, float("inf")
RULES = ("assume_done", "redo", "ask")


class Cut:
    """The pump's cable breaks right after the command to run, and may be mended.

    Args:
        due_s: from then on the first command to run counts as the dose's.
        heard: the pump gets that command; else it is lost on the way.
        mended_s: when the port is there again.
    """

    def __init__(self, night, due_s: float, heard: bool, mended_s: float) -> None:
        self._night, self._due_s = night, due_s
        self._heard, self._mended_s = heard, mended_s
        self.at_s: float | None = None

    @property
    def is_cut(self) -> bool:
        return self.at_s is not None and self._night.clock.now_s() < self._mended_s

    def open(self, port):
        if port.name != "dose-port":
            return self._night.open_transport(port)
        if self.is_cut:
            raise PortMissing("dose", "there is no such port (scripted).")
        inner = self._night.open_transport(port)
        write, read = inner.write, inner.read

        def send(data: bytes) -> None:
            if self.is_cut:
                raise PortLost("dose", "unplugged (scripted).")
            breaks = (
                self.at_s is None and b"RUN" in data and self._night.clock.now_s() >= self._due_s
            )
            if not breaks or self._heard:
                write(data)
            if breaks:
                self.at_s = self._night.clock.now_s()

        inner.write = send
        inner.read = lambda size, timeout_s: b"" if self.is_cut else read(size, timeout_s)
        return inner


@pytest.fixture
def cut_short(rehearse, script):
    """Runs a night whose one dose is cut off from its pump; gives the night and its outcome."""

    def run(
        rule: str,
        *,
        heard: bool,
        mended_s: float,
        stop_s: float | None = None,
        due_s: float = DUE_S,
        level_ul_min: float = 0.0,
    ):
        night = rehearse()
        levels = [script.flow(0.0, 30.0), script.flow(0.0, level_ul_min, "dose")]
        plan = script.plan([*levels, script.dose(due_s, on_unknown=rule)], END_S)
        runner = night.make(plan)
        runner._open_transport = Cut(night, due_s, heard, mended_s).open
        if stop_s is not None:
            box = night.clock.mailbox("operator")

            def stop() -> None:
                box.get(stop_s)
                connect(night.folder / "control.json").stop("enough")

            night.clock.start("operator", stop)
        outcome = runner.run()
        night.simulators["dose"].advance(END_S)
        night.plants["dose"].settle(END_S)
        return night, plan, outcome

    return run


def states(night) -> list[str]:
    return [row.state for row in night.rows("dose")]


def tally_of(plan, rows) -> dict[str, int]:
    return dict(outcome_of(plan, rows, 300.0).tally["dose"])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("stop_s", [None, 900.0])
def test_a_pump_that_never_answers_again_leaves_its_dose_unknown(cut_short, rule, heard, stop_s):
    night, plan, outcome = cut_short(rule, heard=heard, mended_s=FOREVER_S, stop_s=stop_s)
    assert outcome.condition == ("finished" if stop_s is None else "stopped")
    assert states(night) == ["intent", "sent", "unknown"]
    last = night.rows("dose")[-1].detail
    assert last["resolution"] == "the run ended before the pump said what came"
    assert last["delivered_ul"] is None
    assert night.plants["dose"].moved_ul == pytest.approx(20.0 if heard else 0.0, abs=0.05)
    counters = outcome.counters
    assert counters["unknown"] == 1
    assert not {"hits", "late"} & set(counters)
    assert tally_of(plan, night.rows()) == {"uncertain": 1}
    (dose,) = json.loads((night.folder / "ledger.json").read_text())["doses"]
    assert (dose["classification"], dose["delivered_ul"]) == ("unknown", None)


@pytest.mark.parametrize("rule", RULES)
def test_a_dose_that_came_unheard_is_confirmed_and_not_given_again(cut_short, rule):
    night, plan, _ = cut_short(rule, heard=True, mended_s=900.0)
    assert states(night) == ["intent", "sent", "confirmed"]
    assert night.plants["dose"].moved_ul == pytest.approx(20.0, abs=0.05)
    assert tally_of(plan, night.rows()) == {"on time": 1}


@pytest.mark.parametrize("rule", RULES)
def test_a_dose_of_which_the_pump_says_nothing_came_is_given_once(cut_short, rule):
    night, _, outcome = cut_short(rule, heard=False, mended_s=700.0)
    assert states(night) == ["intent", "sent", "intent", "sent", "acknowledged", "confirmed"]
    assert night.plants["dose"].moved_ul == pytest.approx(20.0, abs=0.05)
    assert outcome.counters["late"] == 1
    assert "hits" not in outcome.counters


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("level_ul_min", [0.0, 5.0])
def test_a_dose_under_way_in_a_pump_that_is_back_as_the_run_ends_is_waited_for(
    cut_short, rule, level_ul_min
):
    """Its pump alone knows; and the level, which starves the cells if it stays off, comes after."""
    night, plan, outcome = cut_short(
        rule, heard=True, due_s=1780.0, mended_s=1799.9, level_ul_min=level_ul_min
    )
    assert states(night) == ["intent", "sent", "confirmed"]
    assert night.rows("dose")[-1].run_s == pytest.approx(1842.0, abs=5.0)
    assert tally_of(plan, night.rows()) == {"on time": 1}
    levels = [row for row in night.rows("level") if row.key == "flow-dose-0"]
    assert (levels[-1].state, levels[-1].detail["rate_ul_min"]) == ("confirmed", level_ul_min)
    assert levels[-1].run_s >= night.rows("dose")[-1].run_s
    assert night.plants["dose"].rate_ul_min == pytest.approx(level_ul_min)
    assert outcome.unsafe == ()


@pytest.mark.parametrize("rule", RULES)
def test_a_dose_that_the_pump_never_heard_of_is_not_begun_as_the_run_ends(cut_short, rule):
    night, _, _ = cut_short(rule, heard=False, due_s=1780.0, mended_s=1799.9)
    assert states(night) == ["intent", "sent", "missed"]
    assert night.plants["dose"].moved_ul == 0.0


def test_a_stop_finds_a_pump_that_is_back_and_cuts_its_dose_off(cut_short):
    night, _, _ = cut_short("assume_done", heard=True, mended_s=640.0, stop_s=650.0)
    assert states(night) == ["intent", "sent", "unknown"]
    last = night.rows("dose")[-1].detail
    assert last["resolution"] == "cut off by a stop"
    assert last["delivered_ul"] == pytest.approx(night.plants["dose"].moved_ul, abs=0.05)
    assert 12.0 < last["delivered_ul"] < 15.0


@pytest.mark.parametrize(("last", "fate"), [("sent", "uncertain"), ("acknowledged", "under way")])
def test_the_report_of_a_run_whose_runner_died_doubts_what_was_not_acknowledged(
    cut_short, last, fate
):
    """What was acknowledged may still be under way."""
    night, plan, _ = cut_short("ask", heard=False, mended_s=700.0)
    rows = night.rows()
    end = next(i for i, row in enumerate(rows) if row.kind == "dose" and row.state == last)
    outcome = outcome_of(plan, rows[: end + 1], 300.0)
    assert outcome.condition == "unfinished"
    assert outcome.tally["dose"] == {fate: 1}
    why = [slip.why for slip in outcome.slips if slip.kind == "dose"]
    assert why == [f"{last}, and the journal does not say what came"]


def adopted(night, plan, last: str, at_s: float):
    """Another runner goes on from the journal as it stood at the dose's row ``last``."""
    rows = night.rows()
    end = next(i for i, row in enumerate(rows) if row.kind == "dose" and row.state == last)
    night.folder = night.folder.with_name("adopted")
    night.folder.mkdir()
    journal = open_journal(night.folder / "journal.sqlite", VirtualClock(start_s=DUE_S))
    journal.epoch = 1
    journal.note(*(JournalEntry(r.kind, r.key, r.state, r.detail) for r in rows[: end + 1]))
    journal.close()
    return night.run(plan, VirtualClock(start_s=at_s))


@pytest.mark.parametrize("last", ["sent", "acknowledged"])
def test_a_dose_of_a_dead_runner_whose_pump_stays_silent_is_unknown_at_last(
    cut_short, rehearse, last
):
    night, plan, _ = cut_short("redo", heard=False, mended_s=700.0)
    night.unplugged = {"dose": (0.0, FOREVER_S)}
    outcome = adopted(night, plan, last, 900.0)
    assert states(night)[-1] == "unknown"
    told = night.rows("dose")[-1].detail
    assert (told["instrument"], told["wells"], told["volume_ul"]) == ("dose", ["A1", "A2"], 20.0)
    assert told["resolution"] == "the run ended before the pump said what came"
    assert outcome.counters["unknown"] == 1
    assert tally_of(plan, night.rows()) == {"uncertain": 1}
    (dose,) = json.loads((night.folder / "ledger.json").read_text())["doses"]
    assert (dose["classification"], dose["delivered_ul"]) == ("unknown", None)


def test_a_pump_that_is_back_some_time_after_an_adoption_is_asked_before_its_level_is_set(
    rehearse, script
):
    """Its level would cut off the dose that it still gives."""
    night = rehearse()
    levels = [script.flow(0.0, 30.0), script.flow(0.0, 5.0, "dose")]
    plan = script.plan([*levels, script.dose(DUE_S)], END_S)
    first = night.make(plan)
    open_transport = night.open_transport
    died_s = DUE_S + 10.0

    def open_until_death(port):
        inner = open_transport(port)
        write = inner.write
        inner.write = lambda data: write(data) if night.clock.now_s() < died_s else None
        inner.read = lambda size, timeout_s, read=inner.read: (
            read(size, timeout_s) if night.clock.now_s() < died_s else b""
        )
        return inner

    first._open_transport = open_until_death
    first.run()
    for simulator in night.simulators.values():
        simulator.advance(died_s)
    night.unplugged = {"dose": (died_s, DUE_S + 25.0)}
    adopted(night, plan, "acknowledged", DUE_S + 15.0)
    assert states(night) == ["intent", "sent", "acknowledged", "confirmed"]


@pytest.mark.parametrize("rule", RULES)
def test_the_runner_after_a_death_asks_the_pump_and_gives_nothing_twice(cut_short, rule):
    """The journal of the dead runner ends with the dose sent; the pump had heard it."""
    night, plan, _ = cut_short(rule, heard=True, mended_s=FOREVER_S)
    adopted(night, plan, "sent", END_S - 60.0)
    assert states(night) == ["intent", "sent", "confirmed"]
    night.plants["dose"].settle(END_S)
    assert night.plants["dose"].moved_ul == pytest.approx(20.0, abs=0.05)

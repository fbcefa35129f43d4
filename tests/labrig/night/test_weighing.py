"""A bottle weighed before and after: the one witness of the medium."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labrig.night.weighing import UnknownReservoir, weigh
from labrig.plan.dose_model import ChamberPlan, Draw, FactorLoss, Inlet
from labrig.plan.foreseen import Forecast
from labrig.plan.plan import PhaseSpan, Plan
from labrig.plan.store import to_json
from labrig.plan.timeline import FlowLevel
from labrig.record.journal import open_journal
from labrig.record.ledger import dose_ledger
from labrig.record.reading import read_journal
from labrig.record.recovery import fold
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock
from labrig.run_folder import RunFolder

HOURS, RATE_UL_MIN = 10, 30.0
DRAWN_UL = HOURS * 60 * RATE_UL_MIN


def _plan() -> Plan:
    end_s = HOURS * 3600.0
    inlet = Inlet("line", "base", 1.0, "medium", (), 0.0, 0.0, None)
    return Plan(
        protocol_name="night", protocol_sha256="0" * 64, rig_name="bench", rig_sha256="1" * 64,
        pilot=True, seed=1, plate="24-well", wells=(), loading=(),
        phases=(PhaseSpan("night", 0.0, end_s),),
        timeline=(FlowLevel("flow", 0.0, "night", "base", RATE_UL_MIN, ("A1",)),),
        findings=(), forecast=Forecast(end_s, 0, 0, 0, (), (), ()),
        factors=(FactorLoss("CNTF", 12.0, 6.0, 24.0, "assumed"),),
        chambers=(ChamberPlan("A1", 1.0, (inlet,)),),
        draws=(Draw("bottle", "base", "medium", 1),),
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run that has ended; its pump believes that it moved all that was planned."""
    plan = _plan()
    (tmp_path / "run.json").write_text(json.dumps({"simulated": True}), encoding="utf-8")
    found = RunFolder.at(tmp_path)
    found.plan.write_text(to_json(plan), encoding="utf-8")
    for at_s in (0.0, HOURS * 3600.0):
        journal = open_journal(found.journal, VirtualClock(start_s=at_s))
        journal.epoch = 1
        if at_s == 0.0:
            journal.note(JournalEntry("run", "started", "noted", {}))
        journal.sample(
            "base",
            {"running": True, "rate_ul_min": RATE_UL_MIN, "delivered_ul": at_s / 60 * RATE_UL_MIN},
        )
        if at_s:
            journal.note(JournalEntry("run", "finished", "noted", {}))
        journal.close()
    found.ledger.write_text("{}", encoding="utf-8")
    return found


@pytest.mark.parametrize(
    ("lost_ml", "agrees"), [(18.0, True), (19.5, True), (5.0, False), (40.0, False)]
)
def test_the_weight_witnesses_or_contradicts_what_the_pump_believes(folder, lost_ml, agrees):
    first = weigh(folder, "bottle", "before", 500.0, "kim")
    assert (first.weighed_ul, first.agrees) == (None, None)
    balance = weigh(folder, "bottle", "after", 500.0 - lost_ml, "kim")
    assert balance.believed_ul == pytest.approx(DRAWN_UL)
    assert balance.weighed_ul == pytest.approx(lost_ml * 1000.0)
    assert balance.agrees == agrees
    rows = read_journal(folder.journal)
    assert ("mass-balance" in [row.key for row in rows]) == (not agrees)
    ledger = json.loads(folder.ledger.read_text(encoding="utf-8"))
    assert ledger["pumps"][0]["witnessed_ul"] == pytest.approx(lost_ml * 1000.0)
    assert ledger["reservoirs"][0]["agrees"] == agrees
    assert fold(rows).ended, "a weight does not open a run again"


def test_a_slip_is_put_right_by_weighing_again(folder):
    weigh(folder, "bottle", "before", 5000.0, "kim")
    weigh(folder, "bottle", "after", 482.0, "kim")
    assert weigh(folder, "bottle", "before", 500.0, "kim").agrees


def test_without_weights_nothing_is_witnessed(folder):
    ledger = dose_ledger(_plan(), read_journal(folder.journal), HOURS * 3600.0)
    assert ledger.pumps[0].witnessed_ul is None
    assert ledger.pumps[0].believed_ul == pytest.approx(DRAWN_UL)
    assert not ledger.pumps[0].drive_watched
    assert ledger.reservoirs == ()


def test_an_unknown_reservoir_lists_those_there_are(folder):
    before = len(read_journal(folder.journal))
    with pytest.raises(UnknownReservoir, match="bottle"):
        weigh(folder, "flask", "before", 500.0, "kim")
    assert len(read_journal(folder.journal)) == before

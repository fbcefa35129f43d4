"""What the door says is the status itself, and no deep copy of it."""

from __future__ import annotations

from dataclasses import asdict

from labrig.record.alarms import Alarm, Question
from labrig.record.consumption import ReservoirNow
from labrig.record.supplies_now import SupplyNow
from labrig.run.at_boundary import Waiting
from labrig.run.grace import StandingStop
from labrig.run.liveness import ThreadState
from labrig.run.mode import Mode
from labrig.run.status import Status

STATUS = Status(
    protocol="night", pilot=False, now_s=60.0, utc="2026-11-23T18:00:00+00:00", duration_s=120.0,
    epoch=2, condition="running", phase="growth", held=False,
    stop=StandingStop(1.0, 2.0, "Ada", "leak"), alive=True,
    threads=(ThreadState("dispatcher", True, "waiting", 0.1, 0.0),), journal_works=True,
    alarms=(Alarm("stall", "P1", 3.0, "stands", "look"),),
    questions=(Question("q1", "was it given?", ("yes", "no"), 4.0, {"volume_ul": 12.0}),),
    counters={"missed": 1}, readings={"P1": {"rate_ul_min": 2.0, "at_s": 59.0}},
    modes={"P1": Mode("suspended", ("warm",))}, censored_from_s={"A1": 30.0},
    upcoming=({"key": "frame/1", "at_s": 61.0},), reservoirs=(ReservoirNow("R1", 2.0, None),),
    supplies=(SupplyNow("R1", "reservoir", 2.0, "mL", None),),
    at_boundary=Waiting("hold", 90.0, "Ada", "", "c1", ""),
)  # fmt: skip


def test_it_says_what_a_copy_of_all_its_parts_says():
    assert STATUS.to_json() == asdict(STATUS)

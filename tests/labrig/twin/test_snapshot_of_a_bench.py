"""A bench rebuilt from a snapshot is the one that every byte from the first would rebuild."""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict, deque

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from labrig.rig.bench import BenchSpec, InstrumentSpec, PortSpec, open_bench
from labrig.twin import bench as twin_bench
from labrig.twin.bench import _KEPT, TwinBench
from labrig.twin.snapshot import NoSnapshot, capture, restore
from labrig.twin.spec import (
    ElectrodeSpec,
    FactorSpec,
    FaultSpec,
    LineSpec,
    ReservoirSpec,
    TwinSpec,
    WellSpec,
)
from labrig_drivers.errors import InstrumentError
from labrig_drivers.kinds import PulseTrain

SPEC = TwinSpec(
    seed=3,
    chamber_volume_ul=1000.0,
    stage="stage",
    wells=(WellSpec("A1", "d", "unknown", ((0.0, 0.0),)),),
    reservoirs=(ReservoirSpec("bottle", 1e5, {"CNTF": 5.0}, True),),
    lines=(
        LineSpec("one", "bottle", "pump", ("A1",), 30.0, False),
        LineSpec("two", "bottle", "medium", ("A1",), 0.0, True),
    ),
    electrodes=(ElectrodeSpec("stim", 1, ("A1",)),),
    factors=(FactorSpec("CNTF", "growth", 6.0, 0.9),),
    faults=(
        FaultSpec("probe", "corrupt_reply", 0.0, 1e9, 0.3),
        FaultSpec("other", "reboot", 700.0, 1e9),
    ),
)
BENCH = BenchSpec(
    ports=tuple(PortSpec(n, "sim", None) for n in ("chain", "rtu", "pulse", "stage", "probe")),
    instruments=(
        InstrumentSpec("pump", "new_era_ne1000", "chain", {"address": 0, "watchdog_s": 120}, ""),
        InstrumentSpec("other", "new_era_ne1000", "chain", {"address": 1}, ""),
        InstrumentSpec("medium", "leadfluid_bt", "rtu", {"address": 1}, ""),
        InstrumentSpec("stim", "pulse_pal_2", "pulse", {}, ""),
        InstrumentSpec("stage", "asi_ms2000", "stage", {}, ""),
        InstrumentSpec("probe", "vaisala_gmp25x", "probe", {}, ""),
    ),
    hosted=(),
)
TRAIN = PulseTrain(0.4, 9.0, True, 10.0, 10.0, 0.0, 10.0)
ACTIONS = {
    "dispense": lambda d, now_s: d["pump"].dispense(5.0, 20.0),
    "flow": lambda d, now_s: d["pump"].set_rate(7.0),
    "other": lambda d, now_s: d["other"].set_rate(3.0),
    "halt": lambda d, now_s: d["pump"].stop(),
    "medium": lambda d, now_s: d["medium"].set_rate(300.0),
    "ask": lambda d, now_s: [d[name].state() for name in ("pump", "other", "medium")],
    "programme": lambda d, now_s: d["stim"].program({1: TRAIN}),
    "trigger": lambda d, now_s: d["stim"].trigger((1,), now_s),
    "silence": lambda d, now_s: d["stim"].stop(),
    "move": lambda d, now_s: d["stage"].move_to(100.0 * (now_s % 7), -300.0),
    "air": lambda d, now_s: d["probe"].read(),
}
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(ACTIONS)), st.sampled_from([0.0, 1.0, 15.0, 130.0, 700.0])),
    min_size=1, max_size=12,
)  # fmt: skip


class Hands:
    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def now(self) -> float:
        return self.now_s


def act(drivers, clock, steps) -> list[str]:
    said = []
    for name, wait_s in steps:
        clock.now_s += wait_s
        try:
            said.append(repr(ACTIONS[name](drivers, clock.now_s)))
        except InstrumentError as error:
            said.append(repr(error))
    return said


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(before=STEPS, after=STEPS, every_s=st.sampled_from([0.0, 20.0, 500.0]))
def test_the_rest_of_the_night_is_the_same_byte_for_byte(
    tmp_path_factory, monkeypatch, before, after, every_s
):
    monkeypatch.setattr(twin_bench, "SNAPSHOT_EVERY_S", every_s)
    folder = tmp_path_factory.mktemp("twin")
    clock = Hands()
    first = TwinBench(SPEC, BENCH, folder, clock.now)
    drivers = open_bench(BENCH, first.open_transport).drivers
    act(drivers, clock, before)
    first.close()
    apart = folder.with_name(folder.name + "-from-the-first-byte")
    shutil.copytree(folder, apart)
    (apart / "snapshot.json").unlink(missing_ok=True)
    ends, truths = [], []
    for where in (folder, apart):
        now = Hands(clock.now_s + 50.0)
        again = TwinBench(SPEC, BENCH, where, now.now)
        last_s = again.rebuild()
        drivers = open_bench(BENCH, again.open_transport).drivers
        said = act(drivers, now, after)
        truth = again.truth()
        again.close()
        told = (where / "physical.jsonl").read_text() if (where / "physical.jsonl").exists() else ""
        factors = truth["A1"].pop("factors_ng_ml")
        ends.append((last_s, said, sorted(told.splitlines())))
        truths.append({**truth["A1"], **factors})
    assert ends[0] == ends[1]
    assert truths[0] == pytest.approx(truths[1])


def test_what_was_restored_is_what_was_captured(tmp_path):
    clock = Hands()
    first = TwinBench(SPEC, BENCH, tmp_path / "a", clock.now)
    (tmp_path / "a").mkdir()
    act(open_bench(BENCH, first.open_transport).drivers, clock, [(n, 3.0) for n in ACTIONS])
    captured = json.loads(json.dumps(capture(first._state(), _KEPT)))
    other = TwinBench(SPEC, BENCH, tmp_path / "b", clock.now)
    assert capture(other._state(), _KEPT) != captured
    restore(other._state(), captured)
    state = other._state()
    for name, port in state["ports"].items():
        port.update({key: first._ports[name].state[key] for key in ("unasked", "wake_s")})
    assert capture(state, _KEPT) == captured
    first.close()


def test_only_what_came_after_the_snapshot_is_replayed(tmp_path, monkeypatch):
    monkeypatch.setattr(twin_bench, "SNAPSHOT_EVERY_S", 100.0)
    clock = Hands()
    first = TwinBench(SPEC, BENCH, tmp_path, clock.now)
    drivers = open_bench(BENCH, first.open_transport).drivers
    act(drivers, clock, [("ask", 10.0)] * 200)
    first.close()
    lines = sum(1 for _ in first.history.read())
    again = TwinBench(SPEC, BENCH, tmp_path, clock.now)
    replayed = []
    receive = twin_bench.TwinPort.receive

    def counted(port, data, now_s):
        replayed.append(now_s)
        return receive(port, data, now_s)

    monkeypatch.setattr(twin_bench.TwinPort, "receive", counted)
    assert again.rebuild() == pytest.approx(2000.0)
    assert len(replayed) <= 0.06 * lines
    again.close()


@pytest.mark.parametrize("damage", [b"", b"{", b'{"now_s": 1}', b"\xff"])
def test_a_damaged_snapshot_costs_time_not_the_bench(tmp_path, monkeypatch, caplog, damage):
    monkeypatch.setattr(twin_bench, "SNAPSHOT_EVERY_S", 0.0)
    clock = Hands()
    first = TwinBench(SPEC, BENCH, tmp_path, clock.now)
    act(open_bench(BENCH, first.open_transport).drivers, clock, [("flow", 1.0), ("move", 1.0)])
    truth = first.truth()
    first.close()
    (tmp_path / "snapshot.json").write_bytes(damage)
    again = TwinBench(SPEC, BENCH, tmp_path, clock.now)
    assert again.rebuild() == pytest.approx(2.0)
    assert again.truth() == truth
    assert "is passed over" in caplog.text
    again.close()


class Thing:
    __slots__ = ("held", "same")

    def __init__(self, held):
        self.held = held
        self.same = held


def test_shared_and_circular_parts_stay_shared_and_circular():
    held = [1.5, {"a": (1, 2)}, {3, 4}, deque([1], 4), Counter("aa"), b"\x00", bytearray(b"\x01")]
    held.append(defaultdict(list, {"k": [1]}))
    held.append(held)
    other = [0.0, {}, set(), deque(), Counter(), b"", bytearray(), defaultdict(list)]
    made = Thing(other)
    restore(made, json.loads(json.dumps(capture(Thing(held), ()))))
    assert made.held is made.same
    assert made.held[:8] == held[:8]
    assert made.held[8] is made.held
    made.held[7]["new"].append(2)


def test_what_cannot_be_written_down_is_said_so():
    with pytest.raises(NoSnapshot, match="generator"):
        capture(Thing(number for number in range(3)), ())


def test_a_bench_that_is_another_is_noticed():
    with pytest.raises(NoSnapshot):
        restore(
            Thing(None),
            json.loads(json.dumps(capture(Thing(test_a_bench_that_is_another_is_noticed), ()))),
        )


def test_a_snapshot_of_an_older_labrig_in_which_nothing_wakes_by_itself(tmp_path, monkeypatch):
    """It wrote null where a port waits for nothing."""
    monkeypatch.setattr(twin_bench, "SNAPSHOT_EVERY_S", 0.0)
    clock = Hands()
    first = TwinBench(SPEC, BENCH, tmp_path, clock.now)
    act(open_bench(BENCH, first.open_transport).drivers, clock, [("medium", 10.0), ("air", 1.0)])
    first.close()
    path = tmp_path / "snapshot.json"
    text = path.read_text(encoding="utf-8")
    old = text.replace('["wake_s", {"float": "inf"}]', '["wake_s", null]')
    assert old != text
    path.write_text(old, encoding="utf-8")
    again = TwinBench(SPEC, BENCH, tmp_path, clock.now)
    assert again.rebuild() == pytest.approx(11.0)
    again.happen_until(100.0)
    assert json.loads(path.read_text(encoding="utf-8"))["now_s"] == pytest.approx(11.0)
    again.close()

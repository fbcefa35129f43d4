"""A run folder, read without labrig."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from labrig.run_folder import RunFolder

GATHERED = "gathered"
"""State of a row that several share."""


@dataclass(frozen=True)
class Violation:
    """One thing that is not as the run says."""

    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


@dataclass(frozen=True)
class Fault:
    """A scripted fault, as ``twin/spec.json`` has it."""

    instrument: str
    name: str
    from_s: float
    until_s: float = float("inf")
    value: float = 0.0
    of: str = ""

    def active(self, from_s: float, until_s: float) -> bool:
        """Whether it was on at some time between."""
        return self.from_s < until_s and from_s < self.until_s


@dataclass(frozen=True)
class Row:
    """One of the journal."""

    seq: int
    kind: str
    key: str
    state: str
    run_s: float
    detail: dict[str, Any]


@dataclass(frozen=True)
class Train:
    """A train as it physically was; ``until_s`` is its end or its cut."""

    at_s: float
    until_s: float
    channel: int
    phase_ms: float
    amplitude_v: float | None
    biphasic: bool
    frequency_hz: float
    burst_s: float
    gap_s: float
    duration_s: float
    amplitude_ma: float | None = None

    @property
    def live(self) -> bool:
        """Whether it gave anything."""
        return bool(self.amplitude_v or self.amplitude_ma)

    def pulses_s(self, before_s: float = float("inf")) -> Iterator[float]:
        """When each pulse that really came began."""
        if self.frequency_hz == 0:
            return
        end_s = min(self.until_s, before_s)
        begin_s = self.at_s
        while begin_s < self.at_s + self.duration_s - 1e-9:
            burst_s = self.burst_s if self.gap_s > 0 else self.duration_s
            count = 0
            while count / self.frequency_hz < burst_s - 1e-9:
                pulse_s = begin_s + count / self.frequency_hz
                if pulse_s >= end_s - 1e-6 or pulse_s >= self.at_s + self.duration_s - 1e-9:
                    return
                yield pulse_s
                count += 1
            if self.gap_s <= 0:
                return
            begin_s += burst_s + self.gap_s


_T = TypeVar("_T")
_PLACE = itemgetter(0)


@dataclass
class Physical:
    """``twin/physical.jsonl``, by instrument."""

    flows: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    trains: dict[str, list[Train]] = field(default_factory=dict)
    volts: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=dict)
    stands: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)
    held: dict[tuple[str, str], list[tuple[float, str | float]]] = field(default_factory=dict)

    def moved_ul(self, pump: str, from_s: float, until_s: float) -> float:
        """µL that the pump really moved."""
        steps = self.flows.get(pump, [(0.0, 0.0)])
        ends = [*(at_s for at_s, _ in steps[1:]), float("inf")]
        return sum(
            rate * max(min(end_s, until_s) - max(at_s, from_s), 0.0) / 60.0
            for (at_s, rate), end_s in zip(steps, ends, strict=True)
        )

    def rate_ul_min(self, pump: str, at_s: float) -> float:
        """What the pump really moved then."""
        steps = self.flows.get(pump, [])
        place = bisect_right(steps, at_s + 1e-6, key=itemgetter(0))
        return steps[place - 1][1] if place else 0.0


@dataclass
class Night:
    """All of one run."""

    folder: Path
    plan: dict[str, Any]
    types: dict[str, str]
    settings: dict[str, dict[str, Any]]
    ports: dict[str, str]
    rows: list[Row]
    chain_breaks: list[int]
    ledger: dict[str, Any] | None
    outcome: dict[str, Any] | None
    physical: Physical
    faults: tuple[Fault, ...]

    @cached_property
    def planned_ever(self) -> set[str]:
        """Keys of every entry, also of those that an amendment has left out."""
        folder = RunFolder(self.folder)
        plans = [_json(path)["plan"] for path in (folder.plan, *folder.amended_plans)]
        return {entry["key"] for plan in (self.plan, *plans) for entry in plan["timeline"]}

    @cached_property
    def until_s(self) -> float:
        """How far the record goes."""
        # Rows that had to wait for the disk stand behind later ones.
        return max((row.run_s for row in self.rows), default=0.0)

    @cached_property
    def end(self) -> Row | None:
        """The row that says how the run ended."""
        ends = [r for r in self.rows if r.kind == "run" and r.key in ("finished", "stopped")]
        return ends[-1] if ends else None

    def entries(self, *kinds: str) -> list[dict[str, Any]]:
        """Of these kinds, what was planned, in its order."""
        return _in_order(self._entries_by_kind, kinds)

    def of(self, *kinds: str) -> list[Row]:
        """Rows of these kinds, in the order in which they were written."""
        return _in_order(self._rows_by_kind, kinds)

    @cached_property
    def most_counted_ul(self) -> dict[str, float]:
        """The most that the counter of each pump has shown."""
        found: dict[str, float] = {}
        for row in self.of("sample"):
            counted_ul = row.detail.get("delivered_ul")
            if counted_ul is not None:
                found[row.key] = max(found.get(row.key, 0.0), counted_ul)
        return found

    # Both are asked for thousands of times, and a week has half a million rows.
    @cached_property
    def _rows_by_kind(self) -> dict[str, list[tuple[int, Row]]]:
        return _by_kind(self.rows, lambda row: row.kind)

    @cached_property
    def _entries_by_kind(self) -> dict[str, list[tuple[int, dict[str, Any]]]]:
        return _by_kind(self.plan["timeline"], lambda entry: str(entry["kind"]))

    def deviations(self, *codes: str) -> list[Row]:
        """Rows that tell of these deviations."""
        return [row for row in self.of("deviation") if row.key in codes]

    def unseen(self, pump: str, from_s: float, until_s: float) -> bool:
        """Whether a fault ran that the pump itself cannot know of."""
        return any(
            fault.instrument == pump
            and fault.active(from_s, until_s)
            and (
                fault.name in ("rate_error", "drift")
                or (fault.name == "stall" and self.types[pump].startswith("leadfluid"))
            )
            for fault in self.faults
        )

    def most_off(self, pump: str, from_s: float, until_s: float) -> float:
        """By what part the pump may move more than it can know of."""
        wrong = [
            fault.value for fault in self.faults
            if fault.instrument == pump and fault.name in ("rate_error", "drift")
            and fault.active(from_s, until_s)
        ]  # fmt: skip
        return max([0.0, *wrong])

    def factor(self, pump: str, at_s: float) -> float:
        """What really moves, in parts of what the pump believes to move."""
        factor = 1.0
        for fault in self.faults:
            if fault.instrument == pump and fault.from_s <= at_s + 1e-6 < fault.until_s + 1e-6:
                factor *= 1 + fault.value if fault.name in ("rate_error", "drift") else 1.0
        return factor


def _by_kind(given: Iterable[_T], kind_of: Callable[[_T], str]) -> dict[str, list[tuple[int, _T]]]:
    found: dict[str, list[tuple[int, _T]]] = {}
    for place, one in enumerate(given):
        found.setdefault(kind_of(one), []).append((place, one))
    return found


def _in_order(by_kind: Mapping[str, list[tuple[int, _T]]], kinds: Sequence[str]) -> list[_T]:
    found = [by_kind.get(kind, []) for kind in kinds]
    return [one for _, one in (found[0] if len(found) == 1 else merge(*found, key=_PLACE))]


def read_night(folder: Path, faults: Sequence[Fault] = ()) -> Night:
    """Read a run folder as it lies."""
    bench = _json(folder / "bench.json") or {"instruments": []}
    spec = _json(folder / "twin" / "spec.json") or {"faults": []}
    rows, breaks = _rows(folder / "journal.sqlite")
    plan = _json(RunFolder(folder).plan_in_force)
    assert plan is not None, f"{folder} has no plan"
    return Night(
        folder=folder,
        plan=plan["plan"],
        types={i["name"]: i["type"] for i in bench["instruments"]},
        settings={i["name"]: i["settings"] for i in bench["instruments"]},
        ports={i["name"]: i["port"] for i in bench["instruments"]},
        rows=rows,
        chain_breaks=breaks,
        ledger=_json(folder / "ledger.json"),
        outcome=_json(folder / "outcome.json"),
        physical=_physical(folder / "twin" / "physical.jsonl"),
        faults=(*(Fault(**fault) for fault in spec["faults"]), *faults),
    )


def _json(path: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _rows(path: Path) -> tuple[list[Row], list[int]]:
    """Every row, and the numbers of those that do not follow from the one before."""
    from hashlib import sha256

    if not path.exists():
        return [], []
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    rows, breaks, last, number = [], [], "0" * 64, 0
    try:
        for *fields, digest in connection.execute("SELECT * FROM journal ORDER BY seq"):
            number += 1
            expected = sha256(f"{last}{tuple(fields)!r}".encode()).hexdigest()
            if digest != expected or fields[0] != number:
                breaks.append(fields[0])
            last = digest
            seq, kind, key, state, _, run_s, _, _, _, detail = fields
            row = Row(seq, kind, key, state, run_s, json.loads(detail))
            rows += _apart(row) if state == GATHERED else [row]
    finally:
        connection.close()
    return rows, breaks


def _apart(row: Row) -> list[Row]:
    """Those that share a row, by what docs/journal.md says and not by labrig's own reader."""
    names, said = row.detail["names"], row.detail["said"]
    details = [dict(zip(names[index], values, strict=True)) for index, values in said]
    return [
        Row(row.seq, row.kind, key, row.detail["state"], run_s, details[index])
        for run_s, index, *keys in row.detail["rows"]
        for key in keys
    ]


def _physical(path: Path) -> Physical:
    found = Physical()
    if not path.exists():
        return found
    open_trains: dict[tuple[str, int], list[Any]] = {}
    begun: dict[str, list[list[Any]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, at_s, what, *values = json.loads(line)
        match what:
            case "flow":
                found.flows.setdefault(name, []).append((at_s, values[0]))
            case "train":
                channel, *shape = values
                train = [at_s, at_s + shape[-1], channel, *shape]
                open_trains[name, channel] = train
                begun.setdefault(name, []).append(train)
            case "cut":
                train = open_trains.pop((name, values[0]), [at_s, at_s])
                train[1] = min(train[1], at_s)
            case "volts":
                found.volts.setdefault((name, values[0]), []).append((at_s, values[1]))
            case "held":
                found.held.setdefault((name, values[0]), []).append((at_s, values[1]))
            case "at":
                found.stands.setdefault(name, []).append((at_s, *values))
    found.trains = {name: [Train(*train) for train in trains] for name, trains in begun.items()}
    return found

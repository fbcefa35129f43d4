"""A night of a whole protocol on a whole rig, with liquid, cells, air and people behind it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from labrig.documents import Loaded
from labrig.launch.twin_spec import twin_spec
from labrig.plan.compile import compile as compile_plan
from labrig.plan.plan import Plan
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol
from labrig.rig.bench import BenchSpec, bench_spec
from labrig.rig.loading import load_rig
from labrig.rig.models import Rig
from labrig.soak.night import Death, Visit
from labrig.soak.shrinking import NotPlayable, Part
from labrig.twin.spec import FaultSpec, TwinSpec

TODAY = date(2026, 1, 1)
"""On which every soaked night is planned: calibrations age."""
_PLENTY_BYTES = 10**13


@dataclass
class ProtocolNight:
    """All of it; ``protocol`` and ``rig`` are the documents of their files."""

    seed: int
    protocol: dict[str, Any]
    rig: dict[str, Any]
    faults: list[FaultSpec] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        """As compiled. Raises NotPlayable."""
        return self._compiled[2]

    @property
    def bench(self) -> BenchSpec:
        """Ports and instruments. Raises NotPlayable."""
        return bench_spec(self._compiled[1].model)

    def world(self) -> TwinSpec:
        """What is behind the instruments. Raises NotPlayable."""
        protocol, rig, plan = self._compiled
        return twin_spec(protocol.model, rig.model, plan, tuple(self.faults))

    @cached_property
    def _compiled(self) -> tuple[Loaded[Protocol], Loaded[Rig], Plan]:
        with tempfile.TemporaryDirectory() as scratch:
            files = [Path(scratch) / "protocol.yaml", Path(scratch) / "rig.yaml"]
            for path, document in zip(files, (self.protocol, self.rig), strict=True):
                # JSON is YAML; its quotes keep every text a text.
                path.write_text(json.dumps(document, default=str), encoding="utf-8")
            try:
                protocol, rig = load_protocol(files[0]), load_rig(files[1])
            except FileProblems as error:
                raise NotPlayable(str(error)) from None
        plan = compile_plan(protocol, rig, today=TODAY, free_bytes=_PLENTY_BYTES)
        # Nobody's cells are at stake: what a person may answer for need not be answered.
        blocks = [f for f in plan.findings if f.severity == "block" and not f.overridable]
        if blocks:
            raise NotPlayable("; ".join(f"{f.code}: {f.why}" for f in blocks))
        return protocol, rig, plan

    def story(self) -> str:
        """In a few lines, what happens in this night."""
        plan = self.plan
        lines = [
            f"seed {self.seed}: {plan.forecast.duration_s / 3600.0:g} h, {len(plan.wells)} wells, "
            f"{len(self.rig['instruments'])} instruments, arms {', '.join(self.protocol['arms'])}"
        ]
        for name in ("faults", "deaths", "visits"):
            if value := getattr(self, name):
                lines.append(f"  {name}: {value}")
        return "\n".join(lines)

    def parts(self) -> tuple[Part, ...]:
        """What may be left out, the likeliest to be idle first."""
        single = [
            (sort, number)
            for sort in ("faults", "visits", "deaths")
            for number in range(len(getattr(self, sort)))
        ]
        optional = [("key", key) for key in ("steps",) if key in self.protocol]
        boluses = {
            number for arm in self.protocol["arms"].values()
            for number in range(len(arm.get("boluses", ())))
        }  # fmt: skip
        arms = [("arm", name) for name in self.protocol["arms"]]
        return (*single, *optional, *(("bolus", n) for n in sorted(boluses)), *arms)

    def without(self, left_out: frozenset[Part]) -> ProtocolNight:
        """The same night without these."""
        arms = {
            name: {**arm, "boluses": [
                one for n, one in enumerate(arm.get("boluses", ())) if ("bolus", n) not in left_out
            ]}
            for name, arm in self.protocol["arms"].items()
            if ("arm", name) not in left_out
        }  # fmt: skip
        protocol = {k: v for k, v in self.protocol.items() if ("key", k) not in left_out}
        return ProtocolNight(
            self.seed,
            {**protocol, "arms": arms},
            self.rig,
            _kept(self.faults, "faults", left_out),
            _kept(self.deaths, "deaths", left_out),
            _kept(self.visits, "visits", left_out),
        )

    def until(self, end_s: float) -> ProtocolNight:
        """The same night, over at this time, but no sooner than its first phase."""
        *before, last = self.protocol["phases"]
        begins_s = sum(span.end_s - span.start_s for span in self.plan.phases[:-1])
        left_s = max(600.0, end_s - begins_s)
        protocol = {**self.protocol, "phases": [*before, {**last, "duration": f"{left_s:g} s"}]}
        until_s = begins_s + left_s
        return ProtocolNight(
            self.seed,
            protocol,
            self.rig,
            [fault for fault in self.faults if fault.from_s < until_s],
            self.deaths,
            [visit for visit in self.visits if visit.at_s < until_s],
        )


def _kept(items: list[Any], sort: str, left_out: frozenset[Part]) -> list[Any]:
    return [item for number, item in enumerate(items) if (sort, number) not in left_out]

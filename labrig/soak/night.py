"""What is played: a plan on a small bench, and everything that happens to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose
from labrig.soak.shrinking import Part
from labrig.twin.spec import FaultSpec


@dataclass(frozen=True)
class Death:
    """How a runner dies: ``at_s``, ``after_rows`` on disk, or ``after_writes`` to any wire."""

    how: str
    count: float
    back_after_s: float


@dataclass(frozen=True)
class Visit:
    """What an operator does, and when."""

    at_s: float
    what: str
    text: str = ""


@dataclass
class SeededNight:
    """All of it.

    Attributes:
        instruments: by name, type and settings; each has a port of its own unless
            ``shared_port`` names one.
        counted_ul: what a pump's counter shows at the start.
        faults: of instruments and of the computer.
        deaths: one a runner, in order.
    """

    seed: int
    plan: Plan
    instruments: dict[str, tuple[str, dict[str, Any]]]
    shared_port: dict[str, str]
    counted_ul: dict[str, float]
    faults: list[FaultSpec] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    def port(self, instrument: str) -> str:
        """Through which it is reached."""
        return self.shared_port.get(instrument, instrument)

    def story(self) -> str:
        """In a few lines, what happens in this night."""
        doses = [e for e in self.plan.timeline if isinstance(e, Dose)]
        lines = [f"seed {self.seed}: {self.plan.forecast.duration_s:.0f} s"]
        lines += [f"  {name}: {kind} {settings}" for name, (kind, settings) in
                  self.instruments.items()]  # fmt: skip
        lines += [f"  {d.key} at {d.offset_s:.0f} s: {d.volume_ul:g} µL at {d.rate_ul_min:g} by "
                  f"{d.instrument}, {d.on_unknown}, {d.lateness.rule}" for d in doses]  # fmt: skip
        for name in ("counted_ul", "shared_port", "faults", "deaths", "visits"):
            if value := getattr(self, name):
                lines.append(f"  {name}: {value}")
        return "\n".join(lines)

    def parts(self) -> tuple[Part, ...]:
        """What may be left out, the likeliest to be idle first."""
        return tuple(self._parts())

    def _parts(self) -> Iterator[Part]:
        for sort in ("faults", "visits", "deaths"):
            yield from ((sort, number) for number in range(len(getattr(self, sort))))
        yield from (("instrument", name) for name in self.instruments)
        yield from (("entry", entry.key) for entry in self.plan.timeline)

    def without(self, left_out: frozenset[Part]) -> SeededNight:
        """The same night without these; an instrument takes all that is its own along."""
        gone = {which for sort, which in left_out if sort == "instrument"}
        kept = {name: its for name, its in self.instruments.items() if name not in gone}
        timeline = tuple(
            entry
            for entry in self.plan.timeline
            if ("entry", entry.key) not in left_out and _instrument(entry) not in gone
        )
        plan = replace(
            self.plan,
            timeline=timeline,
            safe=tuple(safe for safe in self.plan.safe if safe.instrument in kept),
            draws=tuple(draw for draw in self.plan.draws if draw.pump not in gone),
            chambers=tuple(
                replace(c, inlets=tuple(i for i in c.inlets if i.pump not in gone))
                for c in self.plan.chambers
            ),
        )
        ports = {self.shared_port.get(name, name) for name in kept}

        def here(fault: FaultSpec) -> bool:
            return fault.instrument not in gone and (not fault.of or fault.of in ports)

        return replace(
            self,
            plan=plan,
            instruments=kept,
            shared_port={n: p for n, p in self.shared_port.items() if n in kept},
            counted_ul={n: ul for n, ul in self.counted_ul.items() if n in kept},
            faults=[f for f in _kept(self.faults, "faults", left_out) if here(f)],
            deaths=_kept(self.deaths, "deaths", left_out),
            visits=_kept(self.visits, "visits", left_out),
        )

    def until(self, end_s: float) -> SeededNight:
        """The same night, over at this time; what would come later is left out."""
        phases = tuple(replace(p, end_s=min(p.end_s, end_s)) for p in self.plan.phases)
        plan = replace(
            self.plan,
            timeline=tuple(e for e in self.plan.timeline if e.offset_s < end_s),
            phases=phases,
            forecast=replace(self.plan.forecast, duration_s=end_s),
        )
        return replace(
            self,
            plan=plan,
            faults=[fault for fault in self.faults if fault.from_s < end_s],
            visits=[visit for visit in self.visits if visit.at_s < end_s],
        )


def _kept(items: list[Any], sort: str, left_out: frozenset[Part]) -> list[Any]:
    return [item for number, item in enumerate(items) if (sort, number) not in left_out]


def _instrument(entry: Any) -> str:  # noqa: ANN401 - any entry of a timeline
    """Whose it is: a picture needs its stage, a step nobody."""
    return str(getattr(entry, "stage", None) or getattr(entry, "instrument", ""))

"""Curves of a run for the page: made of the folds that the report is made of, and of no others.

Pure: plan, rows of the journal and tables of measures in, panels out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from labrig.display.concentrations import scale_of
from labrig.plan.foreseen import Curve
from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose
from labrig.record.kinds.doses import DoseSent
from labrig.record.kinds.levels import AirRead, Train
from labrig.record.kinds.pictures import FilmTaken, FrameTaken
from labrig.record.lateness import PUNCTUAL_S
from labrig.record.ledger import Ledger
from labrig.record.rows import Row
from labrig.record.said import said

if TYPE_CHECKING:
    import pandas as pd

Role = Literal["planned", "delivered", "mean", "unit", "value"]
Values = tuple[float | None, ...]
P = TypeVar("P", int, float)
LATE_BIN_S = 600.0
_SHARES = {"percent": "%", "c": "°C"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel.

    Attributes:
        arm: whose it is, in the name that may be shown; "" of none.
        values: one for each of the panel's hours; None where there is none.
        low, high: the band around it; empty without one.
    """

    name: str
    role: Role
    arm: str
    values: Values
    low: Values = ()
    high: Values = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over one time axis.

    Attributes:
        key: in addresses; letters, digits and hyphens.
        unit: of the values.
        note: what the lines are, in a sentence.
        hours: since the start of the run, rising.
        limits: between which values should lie; None: there are no limits.
    """

    key: str
    title: str
    unit: str
    note: str
    hours: tuple[float, ...]
    lines: tuple[Line, ...]
    limits: tuple[float, float] | None = None


@dataclass(slots=True)
class Seen:
    """Gathers from rows, in one pass, what no ledger keeps: the air, and what came late.

    Attributes:
        plan: of the run.
        air: by quantity and instrument, ``(hours, value)``; None where the probe stood not by it.
        late: by what came late, and by bin of :data:`LATE_BIN_S`, the worst s.
        until_s: the run's clock at the last row.
    """

    plan: Plan
    air: dict[tuple[str, str], list[tuple[float, float | None]]] = field(default_factory=dict)
    late: dict[str, dict[int, float]] = field(default_factory=dict)
    until_s: float = 0.0

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows, seen on their way."""
        due_s = {
            entry.key: entry.offset_s for entry in self.plan.timeline if isinstance(entry, Dose)
        }
        for row in rows:
            self.until_s = max(self.until_s, row.run_s)
            if row.kind in ("reading", "frame", "film", "dose", "train"):
                self._see(row, due_s)
            yield row

    def _see(self, row: Row, due_s: Mapping[str, float]) -> None:
        match said(row):
            case AirRead() as read:
                for name, value in read.values.items():
                    known = value if read.trusted else None
                    own = self.air.setdefault((name, read.instrument), [])
                    own.append((row.run_s / 3600.0, known))
            case FrameTaken(stored=stored):
                self._late("pictures", row.run_s, stored.lateness_s)
            case FilmTaken(stored=stored):
                self._late("films", row.run_s, stored.lateness_s)
            case DoseSent() if row.key in due_s:
                self._late("doses", row.run_s, row.run_s - due_s[row.key])
            case Train(late_s=late_s) if row.state == "acknowledged":
                self._late("impulses", row.run_s, late_s)

    def _late(self, what: str, at_s: float, late_s: float) -> None:
        bins = self.late.setdefault(what, {})
        place = int(at_s // LATE_BIN_S)
        bins[place] = max(bins.get(place, 0.0), late_s)


def dose_panels(plan: Plan, ledger: Ledger, arms: Sequence[str]) -> tuple[Panel, ...]:
    """By factor: what each arm should have and, as its pumps believe, had."""
    arm_of = {well.well: well.arm for well in plan.wells}
    planned = [curve for curve in plan.forecast.curves if any(curve.values_ng_ml)]
    given = [dose.curve for dose in ledger.wells if any(dose.curve.values_ng_ml)]
    panels = []
    for factor in (loss.factor for loss in plan.factors):
        own = [curve for curve in planned if curve.factor == factor]
        came = [curve for curve in given if curve.factor == factor]
        if not own and not came:
            continue
        times_s = max((curve.times_s for curve in (*own, *came)), key=len)
        highest = max(max(curve.values_ng_ml) for curve in (*own, *came))
        scale, unit = scale_of(plan.factors, factor, highest)
        lines: list[Line] = []
        for arm in arms:
            of_arm = [[c for c in curves if arm_of.get(c.well) == arm] for curves in (own, came)]
            lines += _of_arm(arm, "planned", of_arm[0], times_s, scale)
            lines += _of_arm(arm, "delivered", of_arm[1], times_s, scale)
        if lines:
            panels.append(
                Panel(
                    f"dose-{_slug(factor)}",
                    f"Dose: {factor}",
                    unit,
                    "Mean over the arm's wells: planned (dashed) and as the pumps believe. The "
                    "band reaches from the lowest to the highest that any well may have had.",
                    tuple(round(time / 3600.0, 4) for time in times_s),
                    tuple(lines),
                )
            )
    return tuple(panels)


def air_panels(plan: Plan, seen: Seen, hidden: Collection[str] = ()) -> tuple[Panel, ...]:
    """The incubator, by quantity, with its limits; without the probes that are ``hidden``."""
    rules = plan.rules
    limits = {
        "co2_percent": (rules.co2_percent, rules.warn_co2_percent),
        "temperature_c": (rules.temperature_c, rules.warn_temperature_c),
    }
    panels = []
    for name in dict.fromkeys((*limits, *(name for name, _ in seen.air))):
        of_probes = {
            probe: said
            for (own, probe), said in seen.air.items()
            if own == name and probe not in hidden
        }
        hours = sorted({at_h for said in of_probes.values() for at_h, _ in said})
        if not any(value is not None for said in of_probes.values() for _, value in said):
            continue
        quantity, _, unit = name.rpartition("_")
        wanted = limits.get(name)
        panels.append(
            Panel(
                _slug(name),
                {"co2": "CO2", "temperature": "Temperature"}.get(
                    quantity, quantity.replace("_", " ").capitalize()
                ),
                _SHARES.get(unit, unit),
                "As the probe gives it; the band is what the protocol allows."
                if wanted
                else "As the probe gives it.",
                tuple(round(at_h, 4) for at_h in hours),
                tuple(
                    Line(probe, "value", "", _at(hours, dict(said)))
                    for probe, said in of_probes.items()
                ),
                None if wanted is None else (wanted[0] - wanted[1], wanted[0] + wanted[1]),
            )
        )
    return tuple(panels)


def unit_panel(
    table: pd.DataFrame, arms: Sequence[str], column: str, heading: tuple[str, str, str]
) -> Panel | None:
    """A measure over time: each unit, and the mean of an arm's units; None where there is none.

    Args:
        table: a row per unit and round, with the columns unit, arm, round, hours and ``column``.
        arms: in their order.
        column: the measure.
        heading: title, unit and note of the panel.
    """
    if column not in table or not table[column].notna().any():
        return None
    known = table[table[column].notna()]
    at_h = _by_round(known.groupby("round")["hours"].mean())
    rounds = sorted(at_h, key=lambda number: at_h[number])
    lines = []
    for arm in arms:
        own = known[known["arm"] == arm]
        if own.empty:
            continue
        mean = _by_round(own.groupby("round")[column].mean())
        lines.append(Line(arm, "mean", arm, _at(rounds, mean)))
        for name, of_unit in own.groupby("unit", sort=False):
            values = _by_round(of_unit.set_index("round")[column])
            lines.append(Line(str(name), "unit", arm, _at(rounds, values)))
    title, unit, note = heading
    hours = tuple(round(at_h[number], 4) for number in rounds)
    return Panel(_slug(column), title, unit, note, hours, tuple(lines))


def _by_round(values: pd.Series) -> dict[int, float]:
    return {int(str(number)): float(value) for number, value in values.items()}


def late_panels(seen: Seen, kinds: Sequence[str] | None = None) -> tuple[Panel, ...]:
    """How late the latest of each kind was, in stretches of ten minutes; none before any.

    Args:
        seen: of the run.
        kinds: to show; None: all.
    """
    shown = {kind: found for kind, found in seen.late.items() if kinds is None or kind in kinds}
    bins = sorted({place for found in shown.values() for place in found})
    if not bins:
        return ()
    return (
        Panel(
            "lateness",
            "Lateness",
            "s",
            f"The latest of each ten minutes. Up to {PUNCTUAL_S:g} s counts as punctual; pictures "
            "of a round are due together, and the stage takes its time from well to well.",
            tuple((place + 1) * LATE_BIN_S / 3600.0 for place in bins),
            tuple(Line(kind, "value", "", _at(bins, found)) for kind, found in shown.items()),
        ),
    )


def within(panel: Panel, from_h: float, to_h: float) -> Panel:
    """The part of a panel between two times."""
    return _points(panel, [i for i, at_h in enumerate(panel.hours) if from_h <= at_h <= to_h])


def thinned(panel: Panel, most: int) -> Panel:
    """At most so many points, each as it is: for a table that a person or a screen reader reads."""
    if len(panel.hours) <= most:
        return panel
    return _points(panel, np.linspace(0, len(panel.hours) - 1, most).round().astype(int).tolist())


def _points(panel: Panel, places: Sequence[int]) -> Panel:
    def some(values: Values) -> Values:
        return tuple(values[place] for place in places) if values else ()

    return replace(
        panel,
        hours=tuple(panel.hours[place] for place in places),
        lines=tuple(
            replace(line, values=some(line.values), low=some(line.low), high=some(line.high))
            for line in panel.lines
        ),
    )


def _of_arm(
    arm: str, role: Role, curves: Sequence[Curve], times_s: Sequence[float], scale: float
) -> Iterator[Line]:
    if not curves:
        return
    until_s = max(curve.times_s[-1] for curve in curves)

    def on_the_axis(parts: Iterable[tuple[Curve, Sequence[float]]]) -> NDArray[np.float64]:
        found = [np.interp(times_s, curve.times_s, part) for curve, part in parts]
        return np.array(found) / scale

    def known(found: NDArray[np.float64]) -> Values:
        pairs = zip(times_s, found.tolist(), strict=True)
        return tuple(_short(value) if at_s <= until_s else None for at_s, value in pairs)

    values = on_the_axis((curve, curve.values_ng_ml) for curve in curves)
    if role == "planned":
        yield Line(f"{arm}, planned", role, arm, known(values.mean(axis=0)))
        return
    low = on_the_axis((curve, curve.low_ng_ml) for curve in curves)
    high = on_the_axis((curve, curve.high_ng_ml) for curve in curves)
    every = np.concatenate([values, low, high])
    yield Line(
        f"{arm}, {role}",
        role,
        arm,
        known(values.mean(axis=0)),
        known(every.min(axis=0)),
        known(every.max(axis=0)),
    )


def _at(places: Sequence[P], values: Mapping[P, float | None] | Mapping[P, float]) -> Values:
    found = (values.get(place) for place in places)
    return tuple(_short(v) if v is not None and math.isfinite(v) else None for v in found)


def _short(value: float) -> float:
    """As exact as a screen or a table shows it; a third of the bytes."""
    return float(f"{value:.5g}")


def _slug(name: str) -> str:
    """``NT-4/5`` as ``nt-4-5``."""
    kept = "".join(c if c.isascii() and c.isalnum() else " " for c in name.lower())
    return "-".join(kept.split()) or "x"

"""The panels of one run, read from its folder: what may be shown of it, and no more.

While arms are coded, nothing is shown that tells which well got what: no dose and no impulse, and
growth by code, as in the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from labrig.night.telling import arms_told
from labrig.plan.experimental_units import aspects_between, units_of
from labrig.plan.plan import Plan, apart_for_some
from labrig.plan.sources import planned_protocol, planned_rig
from labrig.plan.store import read_plan
from labrig.protocol.blinding import is_coded
from labrig.protocol.blinding_key import read_key
from labrig.protocol.models import Protocol
from labrig.record.gathered import rows_of
from labrig.record.glimpse import asked_of
from labrig.record.ledger import Ledger, dose_ledger
from labrig.record.reading import open_read_only, records_of
from labrig.report.blind_page import by_code, in_order
from labrig.report.contraction import unit_contractions
from labrig.report.growth import READOUTS, unit_table, well_table
from labrig.report.units import design_of
from labrig.run_folder import RunFolder
from labrig.web.measured_so_far import measured_so_far
from labrig.web.panels import Panel, Seen, air_panels, dose_panels, late_panels, unit_panel

_UNITS = "Each experimental unit (thin), and the mean over an arm's units."
_FILMS = "Of films that count: each experimental unit (thin), and the mean over an arm's units."
_JUDGES_MAY_KNOW = ("pictures", "films")


@dataclass(frozen=True, slots=True)
class Curves:
    """All panels of a run.

    Attributes:
        arms: names that may be shown, in their order.
        blind: whether arms are coded.
        started_utc: t0, ISO 8601; "" before the run began.
        until_s: the run's clock at the last row that was read.
        duration_s: as planned.
        missing: in words, what cannot be shown and why.
    """

    panels: tuple[Panel, ...]
    arms: tuple[str, ...]
    blind: bool
    started_utc: str
    until_s: float
    duration_s: float
    missing: tuple[str, ...] = ()

    def panel(self, key: str) -> Panel | None:
        """The panel of that key."""
        return next((panel for panel in self.panels if panel.key == key), None)


def arms_are_coded(folder: RunFolder, protocol: Protocol) -> bool:
    """Whether arms of a run may not be named yet. Raises JournalError."""
    return is_coded(protocol) and not arms_told(folder)


def read_curves(folder: RunFolder) -> Curves:
    """Everything that a run's folder shows by now; takes seconds for a run of days.

    Raises:
        labrig.record.rows.JournalError: the journal cannot be read.
        labrig.plan.store.PlanFormatError, labrig.problems.FileProblems: nor can the plan.
        labrig.protocol.blinding_key.KeyDamaged: arms are coded, and their key is not there.
        labrig_measure.errors.MeasureError: a record of measures is damaged.
        OSError: a file is missing.
    """
    plan = read_plan(folder)
    protocol = planned_protocol(plan, folder.protocol)
    blind = arms_are_coded(folder, protocol)
    # In the order of the plate, so that letters and colours are those of every other screen.
    arms = tuple(dict.fromkeys(well.arm for well in plan.wells))
    codes = dict(read_key(folder.blinding_key).arms) if blind else {}
    seen = Seen(plan)
    ledger = _ledger(folder, plan, seen)
    measured = _measured(folder, plan, protocol, codes)
    return Curves(
        (
            *(() if blind else dose_panels(plan, ledger, arms)),
            *air_panels(plan, seen, apart_for_some(plan) if blind else ()),
            *measured,
            *late_panels(seen, _JUDGES_MAY_KNOW if blind else None),
        ),
        tuple(in_order(codes)) if blind else arms,
        blind,
        _start(folder),
        seen.until_s,
        plan.forecast.duration_s,
        () if measured else ("Nothing is measured yet: growth and contraction come later.",),
    )


def _ledger(folder: RunFolder, plan: Plan, seen: Seen) -> Ledger:
    """The dose ledger by now, of rows that ``seen`` sees too: a journal of days is read once."""
    last = asked_of(folder.journal, "SELECT run_s FROM journal ORDER BY seq DESC LIMIT 1")
    if not last:
        return dose_ledger(plan, (), 0.0)
    with open_read_only(folder.journal) as connection:
        rows = () if connection is None else rows_of(records_of(connection))
        return dose_ledger(plan, seen.passing(rows), float(last[0][0]))


def _start(folder: RunFolder) -> str:
    """t0 as time of day; "" before it."""
    sql = "SELECT utc, run_s FROM journal WHERE kind = 'run' AND key = 'started' LIMIT 1"
    found = asked_of(folder.journal, sql)
    if not found:
        return ""
    utc, run_s = found[0]
    return (datetime.fromisoformat(utc) - timedelta(seconds=run_s)).isoformat()


def _measured(
    folder: RunFolder, plan: Plan, protocol: Protocol, codes: dict[str, str]
) -> tuple[Panel, ...]:
    """Growth at the experimental unit, by code where there are codes; contraction only by name."""
    measured = measured_so_far(folder)
    design = design_of(protocol, planned_rig(plan, folder.rig), plan.wells)
    units = units_of(
        design.wells, list(protocol.arms), aspects_between(design.levels, protocol.arms)
    )
    wells = well_table(measured.fields, measured.tubes, protocol.definition.min_nuclei)
    growth = unit_table(wells, units)
    arms = list(protocol.arms)
    if codes:
        growth, arms = by_code(growth, codes), in_order(codes)
    panels = []
    for column, axis in READOUTS.items():
        title, _, unit = axis.rpartition(" (")
        panels.append(unit_panel(growth, arms, column, (title, unit.rstrip(")"), _UNITS)))
    if not codes:
        films = unit_contractions(measured.films, units)
        heading = ("Optical contraction", "µm", _FILMS)
        panels.append(unit_panel(films, arms, "amplitude_um", heading))
    return tuple(panel for panel in panels if panel is not None)

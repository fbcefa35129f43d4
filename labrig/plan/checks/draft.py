"""What the checks read: protocol, rig, and the plan as compiled so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from labrig.plan.findings import Finding, Severity
from labrig.plan.flow_demand import Demand
from labrig.plan.plan import Plan
from labrig.plan.selection import Selection
from labrig.plan.sides import sided, sided_wells
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig
from labrig_drivers.instrument import InstrumentType
from labrig_drivers.kinds import PumpRates


@dataclass(frozen=True, slots=True)
class Draft:
    """A compiled plan before its findings.

    Attributes:
        carried: line -> solution, empty: idle.
        selected: line -> what the valve before it does, where there is one.
        roles: stock -> role of the lines that carry it.
        demands: flows wanted in each stretch of the run.
        types: installed instrument types by name.
        pumps: drivers without a link, for limits.
        free_bytes: on the disk for images; None: unknown.
        system: of the computer that runs it, as ``sys.platform``.
        opsins: by compartment, that of its cells.
    """

    protocol: Protocol
    rig: Rig
    plan: Plan
    carried: Mapping[str, str]
    selected: Mapping[str, Selection]
    roles: Mapping[str, str]
    demands: tuple[Demand, ...]
    types: Mapping[str, InstrumentType]
    pumps: Mapping[str, PumpRates]
    today: date
    free_bytes: int | None
    system: str
    opsins: Mapping[str, str | None] = field(default_factory=dict)


def by_sides(draft: Draft) -> Draft:
    """The draft as what lines and channels reach: sides of chips for chips."""
    return replace(
        draft,
        protocol=sided(draft.protocol),
        plan=replace(draft.plan, wells=sided_wells(draft.plan.wells)),
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """A warning and a blocking limit of one quantity; None: never."""

    warn: float | None
    block: float | None
    unit: str
    basis: str
    overridable: bool = True

    def judge(self, code: str, where: str, what: str, value: float, remedy: str) -> Finding | None:
        """A finding when the value is beyond a limit."""
        severity: Severity
        if self.block is not None and value > self.block:
            severity, limit = "block", self.block
        elif self.warn is not None and value > self.warn:
            severity, limit = "warn", self.warn
        else:
            return None
        return Finding(
            code,
            severity,
            where,
            f"{what} is {value:.3g} {self.unit}, limit {limit:g} {self.unit} ({self.basis})",
            remedy,
            overridable=self.overridable and severity == "block",
        )

"""The compiled plan: what will be done, what is wrong with it, what it will use.

All of it is frozen data, written to ``plan.json`` in the run folder (``labrig.plan.store``)
and read back by the runner, the report and every display.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from labrig.error_rules import ErrorRule
from labrig.plan.consumables import Loading, PictureSize, Supply, Wear
from labrig.plan.dose_model import ChamberPlan, Draw, FactorLoss
from labrig.plan.findings import Finding
from labrig.plan.foreseen import Forecast
from labrig.plan.run_rules import ByHand, ClimatePlan, Interlock, RunRules, SafeState
from labrig.plan.timeline import Timeline


@dataclass(frozen=True, slots=True)
class WellPlan:
    """What one well gets: its arm and the experimental units it belongs to.

    ``factor_unit`` is the set of wells that share every dosing line with it, named by its first
    well; ``pattern_unit`` the stimulator channel; ``donor`` its block. These come from the rig's
    plumbing and wiring, not from the plate.

    Attributes:
        carriers: (aspect, name) of what brought its level of each aspect to it as a whole, as it
            was drawn: a line, a reservoir, a pump, a channel (:mod:`labrig.plan.aspects`).
        open_to: the arms that plumbing and wiring let it have, its own among them.
        compartment: the side of its chip that the well is; "" where a well is a culture.
        chip: name of the chip in the rig; "" where a well is a culture.
    """

    well: str
    arm: str
    donor: str
    factor_unit: str
    pattern_unit: str
    edge: bool
    carriers: tuple[tuple[str, str], ...] = ()
    open_to: tuple[str, ...] = ()
    compartment: str = ""
    chip: str = ""


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A phase of the protocol on the run's clock."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the runner and the readers need; pure data.

    Attributes:
        protocol, rig: all that the two files said, as JSON (``labrig.documents``), so
            that a night is judged by what it was planned with whatever becomes of the files; their
            SHA-256 are ``protocol_sha256`` and ``rig_sha256``. "" in plans of labrig before them.
        errors: what is done about each error of each action; empty in older plans: the defaults.
    """

    protocol_name: str
    protocol_sha256: str
    rig_name: str
    rig_sha256: str
    pilot: bool
    seed: int
    plate: str
    wells: tuple[WellPlan, ...]
    loading: tuple[Loading, ...]
    phases: tuple[PhaseSpan, ...]
    timeline: Timeline
    findings: tuple[Finding, ...]
    forecast: Forecast
    factors: tuple[FactorLoss, ...] = ()
    chambers: tuple[ChamberPlan, ...] = ()
    draws: tuple[Draw, ...] = ()
    rules: RunRules = field(default_factory=RunRules)
    protocol: str = ""
    rig: str = ""
    interlocks: tuple[Interlock, ...] = ()
    safe: tuple[SafeState, ...] = ()
    climate: tuple[ClimatePlan, ...] = ()
    errors: tuple[ErrorRule, ...] = ()
    supplies: tuple[Supply, ...] = ()
    wear: tuple[Wear, ...] = ()
    pictures: tuple[PictureSize, ...] = ()
    by_hand: tuple[ByHand, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether any finding forbids the start."""
        return any(f.severity == "block" for f in self.findings)


def apart_for_some(plan: Plan) -> frozenset[str]:
    """Controllers, and probes in what they hold, that tell of some wells and not of all.

    What they hold may be an arm's, so that whoever must not know the arms must not see it.
    """
    every = {well.well for well in plan.wells}
    some = [own for own in plan.climate if not every <= set(own.wells)]
    return frozenset(name for own in some for name in (own.instrument, own.probe) if name)

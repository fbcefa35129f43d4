"""The compiled plan: what will be done, what is wrong with it, what it will use.

All of it is frozen data, written to ``plan.json`` in the run folder (``labrig.plan.store``)
and read back by the runner, the report and every display.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labrig.error_rules import ErrorRule
from labrig.plan.timeline import Timeline

Severity = Literal["block", "warn", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should know before the start.

    Attributes:
        code: stable, greppable, e.g. ``stim.charge-density``; documented in docs/findings.md.
        severity: block (will not start), warn, note.
        where: the path in the protocol or rig, with file and line where known.
        why: the value found, the limit and its basis with its mark [S]/[K]/[P]/[C].
        remedy: what to do.
        overridable: a block that a written reason in the protocol may lift.
    """

    code: str
    severity: Severity
    where: str
    why: str
    remedy: str
    overridable: bool = False


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
class Loading:
    """What the technician fills a reservoir with before the start.

    ``fills``: of lines behind a selector, those that are filled with it to the tip.
    """

    reservoir: str
    solution: str
    volume_ml: float
    lines: tuple[str, ...]
    contents: str
    lot: str
    fills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A phase of the protocol on the run's clock."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Depletion:
    """When a reservoir runs dry at the planned rates; None when it outlasts the run.

    Attributes:
        needed_ml: in all.
        available_ml: of one filling.
        refills_s: when people are asked to fill it up.
        between_ml: the most that is drawn between two fillings, by people who come late; 0 where
            none is planned.
    """

    reservoir: str
    needed_ml: float
    available_ml: float
    dry_at_s: float | None
    refills_s: tuple[float, ...] = ()
    between_ml: float = 0.0

    @property
    def of_a_filling_ml(self) -> float:
        """What one filling has to give."""
        return self.between_ml if self.refills_s else self.needed_ml


@dataclass(frozen=True, slots=True)
class Curve:
    """Predicted (or, in the ledger, modelled-as-delivered) concentration in one well.

    ``low``/``high`` are the band from the uncertainty of an assumed half-life; in the ledger, from
    what nobody knows of its pumps.
    """

    well: str
    factor: str
    target_ng_ml: tuple[float, ...]
    times_s: tuple[float, ...]
    values_ng_ml: tuple[float, ...]
    low_ng_ml: tuple[float, ...]
    high_ng_ml: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PulseFigures:
    """What one pattern does electrically at one electrode pair; formulas in pulse_physics."""

    pattern: str
    electrode: str
    current_ma: float
    charge_uc: float
    charge_density_uc_cm2: float
    shannon_k: float
    field_v_cm: float
    power_mw: float
    heating_k: float
    mean_rate_hz: float
    pulses: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Readers' digest of the timeline: duration, consumption, physics."""

    duration_s: float
    frames: int
    films: int
    image_bytes: int
    depletion: tuple[Depletion, ...]
    curves: tuple[Curve, ...]
    pulses: tuple[PulseFigures, ...]


@dataclass(frozen=True, slots=True)
class FactorLoss:
    """How fast a factor disappears at 37 °C; ``basis`` is ``assumed`` or ``measured``.

    ``low_h``/``high_h`` are the ends of the credible range, equal to the value when none is given.
    ``unit``: of its concentration, where it is another than ng/mL. ``molar_mass_kda``: of a small
    molecule, of which people think in molar amounts.
    """

    factor: str
    half_life_h: float
    low_h: float
    high_h: float
    basis: str
    unit: str = "ng/mL"
    molar_mass_kda: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What one position of a selector valve brings.

    Attributes:
        position: by the name that the valve has for it.
        solution: the medium or stock in its reservoir; "": nothing is planned there.
        contents_ng_ml, cold_half_life_h: as of an inlet.
    """

    position: str
    reservoir: str
    solution: str
    contents_ng_ml: tuple[tuple[str, float], ...]
    cold_half_life_h: float | None


@dataclass(frozen=True, slots=True)
class Inlet:
    """One line into one well, as the dose model sees it.

    Attributes:
        line: name of the line in the rig.
        pump: the pump that moves it; ``share`` of that pump's rate enters this well (a line that
            feeds four wells splits evenly: 0.25).
        solution: the medium or stock loaded; empty when the line stays idle.
        contents_ng_ml: ``(factor, concentration)`` as it arrives, tubing recovery included.
        dead_volume_ul: what must be displaced, of this well's share, before the solution
            arrives; 0 for a primed line. ``spread_ul`` is the standard deviation of that front.
        cold_half_life_h: decay of the reservoir at 4 °C; None: stable.
        valve: a selector before the line; "" without one. Then ``choices`` are what it brings, and
            ``solution`` and its contents those that it is there for; ``tube_ul``, of this well's
            share, lies between valve and tip, and ``filled_with`` is the position whose liquid
            fills it at the start ("": plain medium).
        source: the chamber whose effluent it brings, where no reservoir is at its beginning. It
            brings at most what flows in there; ``tube_ul`` is what it holds, medium at first.
    """

    line: str
    pump: str
    share: float
    solution: str
    contents_ng_ml: tuple[tuple[str, float], ...]
    dead_volume_ul: float
    spread_ul: float
    cold_half_life_h: float | None
    valve: str = ""
    choices: tuple[Choice, ...] = ()
    tube_ul: float = 0.0
    filled_with: str = ""
    source: ChamberPlan | None = None

    def brings(self, factor: str) -> bool:
        """Whether any of a factor can come through it."""
        if self.source is not None and self.source.can_hold(factor):
            return True
        held = (self.contents_ng_ml, *(choice.contents_ng_ml for choice in self.choices))
        return any(dict(contents).get(factor, 0.0) > 0 for contents in held)


@dataclass(frozen=True, slots=True)
class ChamberPlan:
    """One well as a stirred chamber: what the dose ledger models concentrations with.

    ``secretes``: by conditioned medium, how much its cells add an hour to what it holds; said of
    chambers whose effluent another one gets.
    """

    well: str
    volume_ml: float
    inlets: tuple[Inlet, ...]
    secretes: tuple[tuple[str, float], ...] = ()

    def can_hold(self, factor: str) -> bool:
        """Whether any of a factor can come into it."""
        made = dict(self.secretes).get(factor, 0.0) > 0
        return made or any(inlet.brings(factor) for inlet in self.inlets)


@dataclass(frozen=True, slots=True)
class Draw:
    """What a pump takes from a reservoir: ``lines`` tubes, each at the pump's rate.

    Behind a selector only while ``valve`` stands at ``position``; "" without one.
    """

    reservoir: str
    pump: str
    carries: Literal["medium", "additive"]
    lines: int
    valve: str = ""
    position: str = ""


SupplySort = Literal["bottle", "syringe", "waste"]


@dataclass(frozen=True, slots=True)
class Supply:
    """What people can fill up, change or empty while a run goes on.

    Attributes:
        name: of the reservoir; ``waste`` for the waste bottle.
        full_ml: what it holds when full, ``unusable_ml`` of which is never drawn.
        within_s / takes_s: of a step about it.
        stands: pumps that stand meanwhile.
        wells: that it feeds.
    """

    name: str
    sort: SupplySort
    full_ml: float
    unusable_ml: float
    within_s: float
    takes_s: float
    stands: tuple[str, ...]
    wells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Of one optical channel, before compression: a picture with its levels, a film's frame.

    ``secondary``: its pictures give way first when the disk is short of room.
    """

    channel: str
    bytes: int
    film_frame_bytes: int
    secondary: bool = False


@dataclass(frozen=True, slots=True)
class Wear:
    """What ends by time of use or by its date, and not by volume.

    Attributes:
        of: the pump, or what is calibrated.
        pump: whose running hours count; "": a date does.
        left_h: at t0: hours of running, or hours until its date.
    """

    of: str
    sort: Literal["tube", "calibration"]
    pump: str
    left_h: float


@dataclass(frozen=True, slots=True)
class RunRules:
    """Numbers from protocol and rig that the runner and the dose ledger go by, fixed at t0.

    Attributes:
        fidelity_low / fidelity_high: delivered over planned exposure outside these censors.
        max_gap_s: longer below half the target censors from the start of the gap.
        additives_on_stop: whether an operator's stop also stops pumps that carry additives;
            pumps that carry medium always keep their rate, because stopping starves.
        co2_percent .. warn_temperature_c: incubator set points and when to warn.
        medium_at_abort: whether an abort stops also pumps that feed the cells.
        arrive_within_um / settle_s: when a stage move counts as arrived, and the rest before a
            picture.
        short_gap_s / viable_gap_s: an outage up to the first is noted; beyond the second
            ``longer_gap`` says what follows (`labrig.run.gaps`).
    """

    fidelity_low: float = 0.8
    fidelity_high: float = 1.2
    max_gap_s: float = 4 * 3600.0
    additives_on_stop: Literal["off", "keep"] = "off"
    co2_percent: float = 5.0
    temperature_c: float = 37.0
    warn_co2_percent: float = 0.5
    warn_temperature_c: float = 0.5
    arrive_within_um: float = 5.0
    settle_s: float = 0.3
    medium_at_abort: Literal["keep", "off"] = "keep"
    short_gap_s: float = 120.0
    viable_gap_s: float = 4 * 3600.0
    longer_gap: Literal["hold", "go_on"] = "hold"


@dataclass(frozen=True, slots=True)
class Interlock:
    """A rule of the rig about what is measured.

    Attributes:
        instrument: whose looks it judges, or what people measure; "" when it is about a reservoir.
        reservoir: whose level it judges, by what its pumps believe; else "".
        quantity: with its unit in its name.
        low / high: broken below or above; None: no such end.
        older_than_s: broken when the last value is older; then there is no low and no high.
        for_s: it stands once it was broken for so long, s.
        hysteresis: a value must be inside by so much to end it; in the unit of the quantity.
        action: what it does beside raising an alarm.
        suspends: instruments, by action ``suspend``.
    """

    name: str
    instrument: str
    reservoir: str
    quantity: str
    low: float | None
    high: float | None
    older_than_s: float | None
    for_s: float
    hysteresis: float
    action: Literal["alarm", "hold", "suspend"]
    suspends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ByHand:
    """Something that people measure during a run, and enter.

    Attributes:
        meter: what they measure with, or what they measure, as the rig calls it.
        quantity: with its unit in its name.
        least / most: where a value can be at all, in that unit.
    """

    meter: str
    quantity: str
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class ClimatePlan:
    """One controller and quantity of the surroundings; its set points are levels of the timeline.

    Attributes:
        name: as the rig calls it.
        quantity: with its unit in its name.
        probe: what hangs in it and is judged by its set points, beside its own sensor; "": none.
        within: so far off its set point is an alarm, in its unit.
        settle_s: from one set point to another.
    """

    name: str
    instrument: str
    quantity: str
    wells: tuple[str, ...]
    probe: str
    within: float
    settle_s: float


@dataclass(frozen=True, slots=True)
class SafeState:
    """To what a stop, an interlock and the end of the run bring an instrument that holds a setting.

    Attributes:
        quantity: with its unit in its name; of a valve ``position``.
        value: its name, or a number.
    """

    instrument: str
    quantity: str
    value: str


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
    rules: RunRules = RunRules()
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

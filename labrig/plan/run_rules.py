"""What the runner and the ledger go by, fixed at t0: numbers, rules of the rig, safe states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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

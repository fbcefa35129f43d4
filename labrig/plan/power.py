"""What a design can see before it runs: for each committed contrast, n, power and loss.

n are the carriers that the allocation drew, error rates those that the plan's correction leaves to
each contrast, and the error is that of a comparison within donors. Where carriers reach several
donors, what they share is not averaged out by donors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from labrig.plan.allocation import by_person, with_carriers
from labrig.plan.chip_units import arm_levels
from labrig.plan.experimental_units import Contrast, contrast
from labrig.plan.plan import Plan
from labrig.protocol.analysis_plan import AnalysisPlan, Component, plan_in_force
from labrig.protocol.donors import persons
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig

ENOUGH = 0.8
"""Power that a plan should have for the loss its definition asks for (Cohen 1988)."""

MOST_DONORS = 200
"""Beyond that nobody plans."""

TUBES = 50
"""[P] Tubes per well; a protocol's ``min_tubes`` is the least that counts, not what comes."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations of the natural logarithm of one read-out.

    Attributes:
        donor_by_arm: how arms differ between donors.
        unit: between units of one arm and donor.
        carrier: of what several donors share: a line, pump or channel.
        tube: between tubes of a unit; 0 where the unit's own spread holds it.
        basis: where the numbers are from, in words.
    """

    donor_by_arm: float
    unit: float
    carrier: float
    tube: float
    basis: str


PROPOSED: Mapping[Component, Spread] = {
    "mass": Spread(0.05, 0.07, 0.05, 0.40, "[P] proposed, no run of this laboratory was given"),
    "strength": Spread(0.10, 0.20, 0.05, 0.0, "[P] proposed, no run of this laboratory was given"),
}
"""[P] Orders of size in cultures of primary human myotubes; every laboratory has its own."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one contrast can see of one read-out with a number of donors.

    Attributes:
        arm, against: the two arms.
        readout: ``mass`` or ``strength``.
        donors: in this look.
        counted: carriers of each side, e.g. ``6 v 6 dosing lines``.
        gate: whether later contrasts wait for this one.
        alpha: one-sided error rate that the plan's correction leaves to it, at worst.
        error: standard error of the log ratio; None where the plumbing leaves none.
        df: degrees of freedom; None likewise.
        asked: the loss that the definition's threshold asks for.
        power: to see a true loss of that size; None likewise.
        why_not: why nothing can be told; "" where it can.
    """

    arm: str
    against: str
    readout: Component
    donors: int
    counted: str
    gate: bool
    alpha: float
    error: float | None
    df: float | None
    asked: float
    power: float | None
    why_not: str

    @property
    def answers(self) -> bool:
        """Whether the design sees the loss that is asked for often enough."""
        return self.power is not None and self.power >= ENOUGH

    @property
    def detectable(self) -> float | None:
        """The loss that is seen with :data:`ENOUGH`; 1: none is. None where nothing can be told."""
        from labrig_analysis.statistics.power import detectable_loss

        if self.error is None or self.df is None:
            return None
        return detectable_loss(self.error, self.df, ENOUGH, 2 * self.alpha)

    @property
    def interval(self) -> float | None:
        """How far the upper 95 % limit of the ratio lies above it: 0.2 for 20 %."""
        from labrig_analysis.statistics.power import half_width

        return None if self.error is None or self.df is None else half_width(self.error, self.df)


@dataclass(frozen=True, slots=True)
class Design:
    """Contrasts of a plan with their units.

    Attributes:
        rule: the analysis plan in force.
        contrasts: in the plan's order, with what the plumbing lets one say.
        donors: in this run.
        losses: by read-out, the loss of the definition's threshold.
    """

    rule: AnalysisPlan
    contrasts: tuple[Contrast, ...]
    donors: int
    losses: Mapping[Component, float] = field(default_factory=dict)

    @property
    def donors_planned(self) -> int:
        """In all runs of the study; those of this run where the plan names no number."""
        planned = self.rule.donors.planned if self.rule.donors else self.donors
        return max(planned, self.donors)


def design_of_plan(protocol: Protocol, rig: Rig, plan: Plan) -> Design:
    """The contrasts of a protocol, with the units of its plan's layout."""
    rule = plan_in_force(protocol)
    levels = arm_levels(protocol, rig)
    left_out = {exclusion.well for exclusion in rule.exclusions}
    carried = by_person(with_carriers(plan.wells, protocol, rig), protocol)
    wells = [well for well in carried if well.well not in left_out]
    definition = protocol.definition
    return Design(
        rule,
        tuple(contrast(wells, levels, (c.arm, str(c.against))) for c in rule.contrasts),
        len(set(persons(protocol).values())),
        {"mass": 1 - definition.low_mass_m, "strength": 1 - definition.low_strength_s},
    )


def sights(
    design: Design, spreads: Mapping[Component, Spread] = PROPOSED, donors: int | None = None
) -> tuple[Sight, ...]:
    """What every contrast can see of every primary read-out.

    Args:
        design: from :func:`design_of_plan`.
        spreads: by read-out.
        donors: other runs bring the rest, plumbed alike; None: those of this run alone.

    Raises:
        ValueError: fewer donors than this run has.
    """
    donors = design.donors if donors is None else donors
    if donors < design.donors:
        raise ValueError(f"this run alone has {design.donors} donors, asked for {donors}")
    readouts = design.rule.primary or ("mass",)
    return tuple(
        _sight(design, number, readout, spreads[readout], donors)
        for number in range(len(design.contrasts))
        for readout in readouts
    )


def _sight(design: Design, number: int, readout: Component, spread: Spread, donors: int) -> Sight:
    from labrig_analysis.statistics.power import power_of_loss

    planned, each = design.rule.contrasts[number], design.contrasts[number]
    why = _why_not(each) if donors == design.donors else _why_in_other_runs(each)
    error = df = None
    if not why:
        error, df = _error(design, each, spread, donors)
        if df < 1:
            why = "one unit on each side, so chance cannot be told from effect"
    alpha = _alpha(design, number, readout, df or 1.0, donors)
    power = None
    asked = design.losses[readout]
    if not why and error is not None and df is not None:
        power = power_of_loss(asked, error, df, 2 * alpha)
    return Sight(
        planned.arm,
        str(planned.against),
        readout,
        donors,
        each.counted,
        bool(planned.must_show),
        alpha,
        None if why else error,
        None if why else df,
        asked,
        power,
        why,
    )


def _why_not(each: Contrast) -> str:
    """Carriers that donors share are modelled, where each side has two and all were drawn."""
    modelled = each.across_donors and not each.forced and min(each.carriers) > 1
    return "" if modelled else each.why_no_error


def _why_in_other_runs(each: Contrast) -> str:
    """What further runs on other plates cannot mend."""
    return each.why_no_error if each.forced and 0 in each.carriers else ""


def _error(design: Design, each: Contrast, spread: Spread, donors: int) -> tuple[float, float]:
    """Standard error of the log ratio and its degrees of freedom.

    Units are averaged within donors, donors within the comparison. What donors share is averaged
    over its carriers only, and leaves no more degrees of freedom than they do.
    """
    runs = donors / design.donors
    of_arm = [sum(unit.arm == arm for unit in each.units) for arm in each.arms]
    unit = spread.unit**2 + spread.tube**2 / TUBES
    if donors == 1:
        return math.sqrt(sum(unit / max(n, 1) for n in of_arm)), float(sum(of_arm) - 2)
    within = sum(unit / max(n * runs, 1) for n in of_arm)
    squared = within + 2 * spread.donor_by_arm**2 / donors
    # One error over the arms that are compared, whatever the correction.
    pooled = {arm for own in design.contrasts if not _why_in_other_runs(own) for arm in own.arms}
    df = float((len(pooled) - 1) * (donors - 1))
    if each.across_donors:
        carriers = [max(n * runs, 1) for n in each.carriers]
        squared += sum(spread.carrier**2 / n for n in carriers)
        df = min(df, sum(carriers) - len(carriers))
    return math.sqrt(squared), df


def _alpha(
    design: Design, number: int, readout: Component, df: float, donors: int | None = None
) -> float:
    """One-sided error rate left to a contrast, if those it waits for have shown their loss.

    With donors of a look, what the look leaves; without, that of a study with none.
    """
    rule = design.rule
    rate = rule.error_rate if donors is None else _rate_of_look(rule, donors)
    gate = rule.contrasts[number].must_show
    if readout in gate:
        return rate / len(gate)
    primary = rule.primary or ("mass",)
    behind = {name: sum(name not in c.must_show for c in rule.contrasts) for name in primary}
    if rule.correction == "holm":
        return rate / sum(behind.values())
    if len(primary) > 1:
        rate *= rule.mass_share if readout == "mass" else 1 - rule.mass_share
    if rule.correction == "in-order":
        return rate
    return dunnett_alpha(rate, behind[readout], round(df, 3))


def _rate_of_look(rule: AnalysisPlan, donors: int) -> float:
    """What looks before leave to this one; all of it where it is none that was planned."""
    from labrig_analysis.statistics.looks import error_at

    if rule.donors is None or donors < 2:
        return rule.error_rate
    planned, looks = rule.donors.planned, rule.donors.looks
    return error_at(donors, planned, looks, rule.error_rate) or rule.error_rate


@lru_cache(maxsize=256)
def dunnett_alpha(error_rate: float, arms: int, df: float) -> float:
    """What one contrast of several with one control is tested at, one-sided (Dunnett 1955).

    Arms of equal size, so that contrasts correlate by 1/2. Given the control's mean and the common
    error arms are independent, so P(largest t < reach) is a double integral (Gauss-Legendre).
    """
    import numpy as np
    from scipy import special

    if arms == 1:
        return error_rate
    nodes, weights = np.polynomial.legendre.leggauss(80)
    control = 8.0 * nodes
    of_control = 8.0 * weights * np.exp(-(control**2) / 2) / math.sqrt(2 * math.pi)
    # Error over its true size: a chi variate over sqrt(df), within eight of its deviations.
    lowest, highest = max(0.0, 1 - 8 / math.sqrt(2 * df)), 1 + 8 / math.sqrt(2 * df)
    size = (highest - lowest) / 2 * (nodes + 1) + lowest
    log_chi = (df - 1) * np.log(size) - df * size**2 / 2 + df / 2 * math.log(df)
    log_chi -= (df / 2 - 1) * math.log(2) + special.gammaln(df / 2)
    of_size = (highest - lowest) / 2 * weights * np.exp(log_chi)

    def beyond(reach: float) -> float:
        inside = special.ndtr(math.sqrt(2) * reach * size[:, None] + control[None, :]) ** arms
        return 1.0 - float(of_size @ inside @ of_control)

    low, high = (float(special.stdtrit(df, 1 - a)) for a in (error_rate, error_rate / arms / 1.1))
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > error_rate else (low, middle)
    return float(special.stdtr(df, -high))


def donors_needed(
    design: Design, number: int, readout: Component, spreads: Mapping[Component, Spread] = PROPOSED
) -> int | None:
    """How many donors see the loss that is asked for with :data:`ENOUGH`.

    Donors of further runs have plates of their own, plumbed alike.

    Returns:
        None where :data:`MOST_DONORS` do not suffice, or donors share carriers.
    """
    from labrig_analysis.statistics.power import power_of_loss

    each, asked = design.contrasts[number], design.losses[readout]
    if each.across_donors or _why_in_other_runs(each):
        return None

    def enough(donors: int) -> bool:
        error, df = _error(design, each, spreads[readout], donors)
        return power_of_loss(asked, error, df, 2 * _alpha(design, number, readout, df)) >= ENOUGH

    few, many = max(design.donors, 2), MOST_DONORS
    if not enough(many):
        return None
    while few < many:  # power only grows with donors
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle + 1, many)
    return few

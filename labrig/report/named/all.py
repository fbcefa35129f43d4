"""Every outcome that a protocol names, answered and taken as one family."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from labrig.protocol.analysis_plan import plan_in_force
from labrig.protocol.outcomes import (
    BetweenDonorsOutcome,
    InteractionOutcome,
    OrderOutcome,
    Outcome,
    RecoveredFraction,
    TimeToLossOutcome,
)
from labrig.protocol.readouts import Readout
from labrig.report.named.answers import Answer, as_family
from labrig.report.named.between_arms import between_arms
from labrig.report.named.crossed import between_donors, crossed
from labrig.report.named.gaps import recovered
from labrig.report.named.grounds import Grounds
from labrig.report.named.losses import order, time_to_loss
from labrig.report.readouts import Ask, Measured, Series, series_of
from labrig.report.units import Design


def answers(grounds: Grounds) -> tuple[Answer, ...]:
    """In the order of the protocol; p adjusted over all of them."""
    return as_family([each for outcome in grounds.protocol.outcomes
                      for each in _answered(grounds, outcome)])  # fmt: skip


def _answered(grounds: Grounds, outcome: Outcome) -> Iterator[Answer]:
    if isinstance(outcome, InteractionOutcome):
        return crossed(grounds, outcome)
    if isinstance(outcome, BetweenDonorsOutcome):
        return between_donors(grounds, outcome)
    if isinstance(outcome, RecoveredFraction):
        return recovered(grounds, outcome)
    if isinstance(outcome, OrderOutcome):
        return order(grounds, outcome)
    if isinstance(outcome, TimeToLossOutcome):
        return time_to_loss(grounds, outcome)
    return between_arms(grounds, outcome)


def grounds_of_run(
    measured: Measured,
    design: Design,
    treated_from_s: float,
    censored_from_s: Mapping[str, float],
    failed: list[str],
) -> Grounds:
    """Of one run.

    Args:
        measured: what counts of it.
        design: of the run.
        treated_from_s: when treatment began.
        censored_from_s: by well, what the plan's analysis set leaves out.
        failed: donors whose control lost its own cells.
    """
    protocol = measured.record.protocol
    entries = {donor.id: donor for donor in protocol.donors}
    return Grounds(
        protocol=protocol,
        plan=plan_in_force(protocol),
        design=design,
        donors={well.well: entries[well.donor] for well in measured.record.plan.wells},
        series=remembered(lambda known, ask: series_of(measured, known, ask)),
        treated_from_s=treated_from_s,
        censored_from_s=censored_from_s,
        failed=frozenset(failed),
    )


def remembered(
    read: Callable[[Readout, Ask], Series],
) -> Callable[[Readout, Ask], Series]:
    """The same, reading each only once."""
    known: dict[tuple[str, Ask], Series] = {}

    def series(of: Readout, ask: Ask) -> Series:
        if (of.name, ask) not in known:
            known[of.name, ask] = read(of, ask)
        return known[of.name, ask]

    return series

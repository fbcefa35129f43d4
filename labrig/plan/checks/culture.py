"""What the biology says against a plan: stage, exposure, passage."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.findings import Finding
from labrig.plan.flow_demand import Demand
from labrig.plan.targets import held_ng_ml, targeted_factors
from labrig.protocol.substances import substance

FUSED_AFTER_DAYS = 3.0
"""Human myoblasts begin to fuse 2-3 days after serum is withdrawn [K]."""

PEELING_AFTER_DAYS = 12.0
"""Human tubes are usable until about day 12 [K]; mouse ones peel at 96-120 h [S]."""

TNF_LEAST_H = 48.0
HIGHEST_PASSAGE = 6


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``culture.*``."""
    yield from _cntf(draft)
    yield from _tnf(draft)
    yield from _same_substance(draft)
    yield from _record(draft)


def _cntf(draft: Draft) -> Iterator[Finding]:
    """10-50 ng/mL CNTF inhibits differentiation of adult human myoblasts (Wang 2008)."""
    start_days = draft.protocol.culture.days_differentiated
    for arm in draft.protocol.arms:
        for factor in targeted_factors(draft.protocol, arm):
            if substance(factor) != "CNTF":
                continue
            first_s = min(
                (d.start_s for d in draft.demands if _held(draft, d, arm, factor)),
                default=None,
            )
            if first_s is None:
                continue
            at_days = None if start_days is None else start_days + first_s / 86400.0
            if at_days is None or at_days < FUSED_AFTER_DAYS:
                when = (
                    "and days_differentiated is not recorded"
                    if at_days is None
                    else f"at day {at_days:.1f}, before fusion (day {FUSED_AFTER_DAYS:g} [K])"
                )
                yield Finding(
                    "culture.cntf-before-fusion",
                    "warn",
                    f"protocol: arms.{arm}.targets.{factor}",
                    f"CNTF begins {when}; before fusion it inhibits differentiation [S] Wang 2008",
                    "begin it after fusion, and record culture.days_differentiated",
                )


def _held(draft: Draft, demand: Demand, arm: str, factor: str) -> bool:
    return held_ng_ml(draft.protocol, demand.arms[arm].asked, factor) > 0


def _same_substance(draft: Draft) -> Iterator[Finding]:
    names: dict[str, list[str]] = {}
    for name in draft.protocol.factors:
        names.setdefault(substance(name), []).append(name)
    for usual, several in names.items():
        if len(several) > 1:
            yield Finding(
                "culture.same-substance",
                "warn",
                f"protocol: factors.{several[1]}",
                f"{' and '.join(several)} are names of one substance, {usual}: a dose of one is a "
                "dose of the other",
                "give it one name, or say in the names how the two differ",
            )


def _tnf(draft: Draft) -> Iterator[Finding]:
    """TNF-α is biphasic: anabolic when short, wasting when long (Cytokine 2006)."""
    for arm in draft.protocol.arms:
        for factor in targeted_factors(draft.protocol, arm):
            if substance(factor) != "TNF-alpha":
                continue
            held_s = sum(d.end_s - d.start_s for d in draft.demands if _held(draft, d, arm, factor))
            if 0 < held_s < TNF_LEAST_H * 3600.0:
                yield Finding(
                    "culture.tnf-short",
                    "warn",
                    f"protocol: arms.{arm}.targets.{factor}",
                    f"TNF-α for {held_s / 3600:.0f} h: below {TNF_LEAST_H:g} h its effect may be "
                    "the opposite, growth instead of wasting [S] Cytokine 2006",
                    "hold it for 48 to 72 h",
                )


def _record(draft: Draft) -> Iterator[Finding]:
    protocol = draft.protocol
    for index, donor in enumerate(protocol.donors):
        if donor.passage is not None and donor.passage > HIGHEST_PASSAGE:
            yield Finding(
                "culture.passage",
                "warn",
                f"protocol: donors.{index}.passage",
                f"passage {donor.passage}; human myoblasts fuse poorly beyond {HIGHEST_PASSAGE} "
                "[K]",
                "use an earlier passage",
            )
    days = protocol.culture.days_differentiated
    end_days = None if days is None else days + protocol.duration_s / 86400.0
    if end_days is not None and end_days > PEELING_AFTER_DAYS:
        yield Finding(
            "culture.peeling",
            "note",
            "protocol: culture.days_differentiated",
            f"the run ends on day {end_days:.1f}; tubes peel after about day "
            f"{PEELING_AFTER_DAYS:g} [K], the strongest first, which looks like atrophy",
            "watch coverage beside diameter",
        )
    if not protocol.culture.mycoplasma_tested:
        yield Finding(
            "culture.mycoplasma",
            "note",
            "protocol: culture.mycoplasma_tested",
            "no date of a mycoplasma test is recorded",
            "write the date",
        )

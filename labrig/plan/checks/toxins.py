"""Blocks of the junction come last: what is measured after them is measured without it."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.findings import Finding
from labrig.protocol.segments import boluses, segments

BLOCKS_JUNCTION = {
    "curare": "competes for the receptor; washes out slowly [K]",
    "d-tubocurarine": "competes for the receptor; washes out slowly [K]",
    "tubocurarine": "competes for the receptor; washes out slowly [K]",
    "alpha-bungarotoxin": "binds the receptor for good [K]",
    "a-bungarotoxin": "binds the receptor for good [K]",
    "alpha-btx": "binds the receptor for good [K]",
    "botulinum": "cleaves what releases the transmitter; days to weeks [K]",
    "vecuronium": "competes for the receptor [K]",
}


def blocks_junction(factor: str) -> str | None:
    """Why a factor ends transmission; None for one that is not known to.

    >>> blocks_junction("d-Tubocurarine") is not None, blocks_junction("CNTF")
    (True, None)
    """
    name = factor.lower().replace("α", "alpha").replace("_", "-")
    return next((why for known, why in BLOCKS_JUNCTION.items() if name.startswith(known)), None)


def check(draft: Draft) -> Iterator[Finding]:
    """Finding ``culture.toxin-before-end``, on the protocol by sides of chips.

    A toxin that some arms are held in and others not is a treatment, and none of this.
    """
    last_s = draft.plan.phases[-1].start_s
    for factor in draft.protocol.factors:
        why = blocks_junction(factor)
        if why is None:
            continue
        early = {
            arm: at_s
            for arm in draft.protocol.arms
            if (at_s := _first_s(draft, arm, factor)) is not None and at_s < last_s
        }
        given = {arm for arm in draft.protocol.arms if _first_s(draft, arm, factor) is not None}
        arms_with = {arm.rpartition(".")[0] or arm for arm in given}
        whole = {arm.rpartition(".")[0] or arm for arm in draft.protocol.arms}
        held = any(factor in s.targets_ng_ml for a in early for s in segments(draft.protocol, a))
        if early and (arms_with == whole or not held):
            arm, at_s = min(early.items(), key=lambda item: item[1])
            yield Finding(
                "culture.toxin-before-end",
                "block",
                f"protocol: arms.{arm}",
                f"{factor} comes at {at_s / 3600:g} h and {why}: nothing after it shows what the "
                "junction does",
                f"give it in the last phase ({draft.plan.phases[-1].name}, from {last_s / 3600:g} "
                "h), or hold it in some arms only, as their treatment",
                overridable=True,
            )


def _first_s(draft: Draft, arm: str, factor: str) -> float | None:
    times = [b.at_s for b in boluses(draft.protocol, arm) if b.factor == factor]
    times += [s.start_s for s in segments(draft.protocol, arm) if factor in s.targets_ng_ml]
    return min(times, default=None)

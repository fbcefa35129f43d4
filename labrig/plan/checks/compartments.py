"""Two sides of a chip: whether each gets what is meant for it, and the other does not."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.findings import Finding
from labrig.plan.heads import PLANNED, planned_head, treated_sides
from labrig.rig.chips import chip_of_well

_OTHER = {"nerve": "muscle", "muscle": "nerve"}
_SEEPS = (
    "what seeps through the link flows from the higher side to the lower ([S] a toxin is kept on "
    "one side of a chip by hydrostatic pressure, Mendeley Data fjbkrdykvd)"
)


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``compartments.*``, on the protocol as written."""
    if draft.protocol.culture.compartments is None or not draft.rig.chips:
        return
    yield from _crossings(draft)
    yield from _heads(draft)


def _crossings(draft: Draft) -> Iterator[Finding]:
    sides = {well: side for well, (_, side) in chip_of_well(draft.rig).items()}
    reach = (
        ("compartments.line-crosses", "line", "lines", draft.rig.lines),
        ("compartments.channel-crosses", "channel", "electrodes", draft.rig.electrodes),
        ("compartments.light-crosses", "light", "lights", draft.rig.lights),
    )
    for code, what, key, entries in reach:
        for name, entry in entries.items():
            by_side = {side: [w for w in entry.wells if sides.get(w) == side] for side in _OTHER}
            if all(by_side.values()):
                yield Finding(
                    code,
                    "block",
                    f"rig: {key}.{name}",
                    f"one {what} reaches both sides of chips: nerve "
                    f"{', '.join(by_side['nerve'])}, muscle {', '.join(by_side['muscle'])}",
                    f"give each side a {what} of its own: what one side gets, the other must not",
                )


def _heads(draft: Draft) -> Iterator[Finding]:
    treated = {arm: treated_sides(draft.protocol, arm) for arm in draft.protocol.arms}
    planned = planned_head(draft.protocol)
    left = [name for name, chip in draft.rig.chips.items() if chip.head == PLANNED]
    if left:
        yield Finding(
            "compartments.head",
            "note",
            "rig: chips",
            f"in {len(left)} of {len(draft.rig.chips)} chips the {planned} side is to stand "
            f"higher: {_SEEPS}",
            f"set the outlet of the {planned} side above that of the other one before the start "
            "(about 1 mm [P]), the same in every chip",
        )
    chip_at = {w.chip: w.arm for w in draft.plan.wells}
    for arm, sides in treated.items():
        heads = {
            planned if chip.head == PLANNED else chip.head
            for name, chip in draft.rig.chips.items()
            if chip_at.get(name) == arm
        }
        for side in sides:
            if side not in heads:
                continue
            both = len(sides) > 1
            yield Finding(
                "compartments.head-sign",
                "warn" if both or side == planned else "block",
                f"protocol: arms.{arm}.{side}",
                f"arm '{arm}' treats the {side} side, which stands higher: {_SEEPS}, so the "
                f"{_OTHER[side]} side gets some of it",
                "two sides that are treated cannot both be kept apart: say so as a limit, or use "
                "two runs"
                if both or side == planned
                else f"write `head: {_OTHER[side]}` (or `head: {PLANNED}`) for the chips and set "
                "their outlets so",
                overridable=not both and side != planned,
            )

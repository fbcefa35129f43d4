"""µL per pump: what the ledger believes, and what it calls witnessed."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.truth.night import Night, Violation

PART = 0.01
BELIEF = ("believed_ul", "confirmed_ul")
"""What a pump's own counter says, under any name."""


def step_ul(night: Night, pump: str) -> float:
    """What the counter of a pump cannot tell apart: four digits, of mL for wide syringes."""
    if not night.types[pump].startswith("new_era"):
        return 0.001
    counted_ul = night.most_counted_ul.get(pump, 0.0)
    diameter_mm = night.settings[pump].get("syringe_diameter_mm", 14.43)
    unit_ul = 1.0 if diameter_mm <= 14.0 else 1000.0
    digits = len(str(int(abs(counted_ul) / unit_ul)))
    return float(unit_ul * 10.0 ** (digits - 4))


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    if night.ledger is None:
        return
    until_s = night.ledger["until_s"]
    for totals in night.ledger["pumps"]:
        pump = totals["pump"]
        moved_ul = night.physical.moved_ul(pump, 0.0, until_s)
        allowed_ul = 0.2 + PART * abs(moved_ul) + 2 * step_ul(night, pump)
        for word in (*BELIEF, "witnessed_ul"):
            told_ul = totals.get(word)
            if told_ul is None:
                continue
            # Where the pump lost power, so much may have come besides.
            unsure_ul = totals.get("unsure_ul", 0.0) if word != "witnessed_ul" else 0.0
            if told_ul - allowed_ul <= moved_ul <= told_ul + unsure_ul + allowed_ul:
                continue
            if word == "believed_ul" and night.unseen(pump, 0.0, until_s):
                # Nobody can know; the word says as much.
                continue
            yield Violation(
                "pump volume",
                f"{pump}: {word} {told_ul:.1f} (+ {unsure_ul:.1f}), physically {moved_ul:.1f} µL "
                f"(± {allowed_ul:.1f})",
            )

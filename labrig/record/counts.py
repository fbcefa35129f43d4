"""What the board counts each time it happens, row by row."""

from __future__ import annotations

from collections import Counter

from labrig.record.rows import Row

GONE_WRONG = frozenset({"missed", "skipped", "refused", "failed", "unknown"})
"""Last states that count under their own name."""


def count(counts: Counter[str], row: Row) -> None:
    """Deviations, trains, pictures, failed levels."""
    if row.kind == "deviation":
        counts["deviations"] += 1
    elif row.kind == "train" and row.state != "missed":
        counts["trains"] += 1
    elif row.kind in ("frame", "film") and row.state == "confirmed":
        counts["pictures"] += 1
    if row.kind in ("level", "train") and row.state in GONE_WRONG:
        counts[row.state] += 1

"""The row that says when, by whom and why arms were told: kind ``note``, key :data:`KEY`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from labrig.record.rows import Row

KEY = "unblinded"
EARLY = "unblinded-early"
"""Code of the deviation beside it, where measures were not closed yet."""


@dataclass(frozen=True, slots=True)
class Unblinding:
    """When the codes of the arms were opened.

    Attributes:
        utc: of the row.
        measures_utc: when the measures had been closed; "" where they had not: it was early.
        measures_chain: of the line of their manifest that was in force.
        key_sha256: of the key that was opened.
    """

    utc: str
    by: str
    reason: str
    measures_utc: str
    measures_chain: str
    key_sha256: str

    @property
    def early(self) -> bool:
        """Whether it came before measures were closed."""
        return not self.measures_utc

    def detail(self) -> dict[str, Any]:
        """What the row holds beside its own time."""
        return {key: value for key, value in asdict(self).items() if key != "utc"}


def unblindings(rows: Iterable[Row]) -> tuple[Unblinding, ...]:
    """All of them, the first first; one whose row is not whole counts as early."""
    names = ("by", "reason", "measures_utc", "measures_chain", "key_sha256")
    return tuple(
        Unblinding(row.utc, *(str(row.detail.get(name, "")) for name in names))
        for row in rows
        if row.kind == "note" and row.key == KEY
    )

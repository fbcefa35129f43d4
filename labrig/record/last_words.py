"""What the journal says last of each entry of a plan: small, where rows of a week are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from labrig.plan.timeline import ROW_KINDS
from labrig.record.counts import GONE_WRONG
from labrig.record.rows import Row


class LastWord(NamedTuple):
    """Of one entry.

    Attributes:
        why: of what went wrong, the reason that its row gives; "" without one.
    """

    state: str
    why: str


@dataclass(slots=True)
class LastWords:
    """Takes the rows of a journal in their order.

    Attributes:
        by_key: the last word on each entry of the timeline that there is one on.
        trains_missed: by reason, trains that went wrong.
        ended_s / stopped_s: when the run ended, and when it was stopped; None where it was not.
    """

    by_key: dict[str, LastWord] = field(default_factory=dict)
    trains_missed: Counter[str] = field(default_factory=Counter)
    ended_s: float | None = None
    stopped_s: float | None = None
    _same: dict[LastWord, LastWord] = field(default_factory=dict)

    def see(self, row: Row) -> None:
        """One row."""
        if row.kind in ROW_KINDS:
            word = LastWord(row.state, _why(row) if row.state in GONE_WRONG else "")
            self.by_key[row.key] = self._same.setdefault(word, word)
        elif row.kind == "run" and row.key in ("finished", "stopped"):
            self.ended_s = row.run_s
            self.stopped_s = row.run_s if row.key == "stopped" else None
        elif row.kind == "train" and row.state in GONE_WRONG:
            self.trains_missed[_why(row)] += 1

    @property
    def states(self) -> dict[str, str]:
        """By key, the state alone."""
        return {key: word.state for key, word in self.by_key.items()}


def last_words(rows: Iterable[Row]) -> LastWords:
    """The same of a whole journal."""
    words = LastWords()
    for row in rows:
        words.see(row)
    return words


def _why(row: Row) -> str:
    detail = row.detail
    return str(detail.get("reason") or detail.get("what") or detail.get("resolution") or "")

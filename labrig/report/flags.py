"""Pictures and films that a rule flagged: counted by reason, and by arm as a check on the rule.

The rules know no arm. A reason that meets one arm more often than the others may still be the
treatment and not the picture, and a reader must be able to see that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Flag:
    """One reason, and how often it met each arm."""

    reason: str
    by_arm: Mapping[str, int]

    @property
    def count(self) -> int:
        """Over all arms."""
        return sum(self.by_arm.values())


def counted(flagged: pd.DataFrame, column: str, arm_of: Mapping[str, str]) -> tuple[Flag, ...]:
    """Reasons, the most frequent first.

    Args:
        flagged: rows with ``well``, and reasons parted by ``"; "``.
        column: that holds them. Of a reason ``"kind: details"`` the kind is counted.
        arm_of: by well.
    """
    counts: dict[str, dict[str, int]] = {}
    for row in flagged.to_dict("records"):
        for reason in str(row[column]).split("; "):
            by_arm = counts.setdefault(reason.partition(": ")[0], {})
            arm = arm_of.get(str(row["well"]), "")
            by_arm[arm] = by_arm.get(arm, 0) + 1
    found = [Flag(reason, by_arm) for reason, by_arm in counts.items()]
    return tuple(sorted(found, key=lambda flag: (-flag.count, flag.reason)))

"""A pump from which nothing comes: when it is tried again, and what is said of it meanwhile.

A bubble or a clog may pass in minutes. So a pump that has stalled is tried again with growing
patience, each time on record; what it cost the cells is censored by how long it took.
"""

from __future__ import annotations

from dataclasses import dataclass

from labrig.plan.timeline import FlowLevel
from labrig.record.alarms import Question

RETRY_AFTER_S = (60.0, 120.0, 300.0, 600.0, 1800.0)
"""[P] Seconds from one failed try to the next, the last for ever; the first try is made at once."""
RESTART, LEAVE = "restart", "leave"


@dataclass(slots=True)
class Clog:
    """One stall of one pump, until liquid comes again.

    Attributes:
        from_s: since when nothing is known to have come.
        dosing: it happened in a dose; no other is sent until the pump is sound.
        stands: it was tried again in vain and is stopped now.
        left: the operator wants it to stand.
        asked: its question has been put by this process.
        tries: in vain.
        next_try_s: when it is tried again; None while it is being tried, or is not to be.
    """

    from_s: float
    dosing: bool = False
    stands: bool = False
    left: bool = False
    asked: bool = False
    tries: int = 0
    next_try_s: float | None = None

    def wait(self, now_s: float) -> None:
        """It was tried in vain: it stands, with growing patience."""
        self.stands = True
        self.next_try_s = now_s + RETRY_AFTER_S[min(self.tries, len(RETRY_AFTER_S) - 1)]
        self.tries += 1

    def leave(self) -> None:
        """The operator wants no further try."""
        self.left, self.stands, self.next_try_s = True, True, None


def question_about(pump: str, level: FlowLevel | None, clog: Clog, now_s: float) -> Question:
    """Ask whether it is to be tried at once, or left alone; says what each answer does."""
    facts: dict[str, float | bool] = {"from_s": clog.from_s}
    if clog.dosing and not clog.stands:
        facts["dosing"] = True
        what = (
            f"{pump} stalled in a dose; no further dose is sent to it. Look at its line. "
            f"{RESTART}: it is sound, give what is due. {LEAVE}: give none of its doses."
        )
    else:
        if level:
            facts["rate_ul_min"] = level.rate_ul_min
        wells = ", ".join(level.wells) if level else "its wells"
        rate = f" at {level.rate_ul_min:.4g} µL/min" if level else ""
        what = (
            f"{pump} stalled twice and stands; what {wells} show meanwhile is left out of the "
            f"analysis. It is tried again ever more rarely. {RESTART}: try it now{rate}. "
            f"{LEAVE}: let it stand."
        )
    return Question(f"stall:{pump}", what, (RESTART, LEAVE), now_s, facts)

"""What becomes of an event whose time has passed."""

from __future__ import annotations

from typing import Literal

from labrig.plan.timeline import Lateness

PUNCTUAL_S = 2.0
"""Later than this counts as late: the host is not the time base of anything finer."""

Judgement = Literal["do", "miss", "ask", "abort_arm"]


def judge(rule: Lateness, offset_s: float, now_s: float, next_s: float | None) -> Judgement:
    """Whether an event due at ``offset_s`` is still to be done at ``now_s``.

    Args:
        rule: the event's own.
        offset_s: when it was due.
        now_s: the run's clock.
        next_s: when the next event of its series is due (the same field, the same probe), for
            ``coalesce``; None when it is the last.
    """
    late_s = now_s - offset_s
    if late_s <= PUNCTUAL_S:
        return "do"
    match rule.rule:
        case "skip":
            return "miss"
        case "once_within":
            return "do" if late_s <= rule.grace_s else "miss"
        case "coalesce":
            return "do" if next_s is None or now_s < next_s else "miss"
        case "ask":
            return "ask"
        case "abort_arm":
            return "abort_arm"

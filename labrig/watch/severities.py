"""How grave each alarm of a runner is, and how long it must stand before people are told.

All of it [P]: a lab sets its own in its file of routes.
"""

from __future__ import annotations

from collections.abc import Mapping

from labrig.display.alarms import ALARMS
from labrig.watch.causes import Severity

DIED, HUNG, SILENT = "died", "hung", "silent"
"""Of a runner: gone; a thread of it hangs; it lives and does not answer."""
BROUGHT_BACK, QUESTION, ENDED, GONE = "brought-back", "question", "ended", "gone"

_OF_URGENCY: Mapping[str, Severity] = {"now": "call", "soon": "tell", "morning": "tell"}
_OWN: Mapping[str, Severity] = {
    DIED: "call", HUNG: "call", SILENT: "call", QUESTION: "call", GONE: "call",
    BROUGHT_BACK: "tell",
}  # fmt: skip
UNKNOWN: Severity = "call"
"""Of a code of a newer labrig: better called for nothing than not called."""

STANDS_FOR_S: Mapping[str, float] = {
    # tried again after a minute; when that is in vain its question comes, in one message with it
    "stall": 150.0, "rate": 240.0, "stage-lost": 5.0,
    # these mostly mend themselves, or are mended by whoever follows
    "link": 60.0, "camera": 120.0, "probe": 300.0, "environment": 300.0,
    "unfollowed": 60.0,
}  # fmt: skip
"""Seconds of the run; whatever is over sooner is in the journal and wakes nobody. One that comes
with a question is told of at once."""


def severity_of(code: str, own: Mapping[str, Severity]) -> Severity:
    """How grave an alarm of this code is.

    Args:
        code: of the alarm (docs/deviations.md) or of this module.
        own: what the people of this lab have set.
    """
    if code in own:
        return own[code]
    kind = ALARMS.get(code)
    return _OWN.get(code, UNKNOWN if kind is None else _OF_URGENCY[kind.urgency])

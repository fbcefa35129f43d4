"""How grave each alarm of a runner is, and how long it must stand before people are told.

All of it [P]: a lab sets its own in its file of routes.
"""

from __future__ import annotations

from collections.abc import Mapping

from labrig.watch.causes import Severity

DIED, HUNG, SILENT = "died", "hung", "silent"
"""Of a runner: gone; a thread of it hangs; it lives and does not answer."""
BROUGHT_BACK, QUESTION, ENDED, GONE = "brought-back", "question", "ended", "gone"

OF_CODE: Mapping[str, Severity] = {
    # cells lack medium, air or safety now, or a person must decide
    "stall": "call", "rate": "call", "watchdog": "call", "environment-trip": "call",
    "interlock": "call", "link": "call", "stage-lost": "call", "worker": "call",
    "journal": "call", "disk": "call", "folder": "call",
    DIED: "call", HUNG: "call", SILENT: "call", QUESTION: "call", GONE: "call",
    # the experiment suffers, and the morning is early enough
    "dose-refused": "tell", "dose-not-given": "tell", "stimulation": "tell", "refused": "tell",
    "camera": "tell", "probe": "tell", "environment": "tell", "journal-damaged": "tell",
    "row-dropped": "tell", "unfollowed": "tell", "clock": "tell", BROUGHT_BACK: "tell",
    "saturated": "note",
}  # fmt: skip
UNKNOWN: Severity = "call"
"""Of a code of a newer labrig: better called for nothing than not called."""

STANDS_FOR_S: Mapping[str, float] = {
    # a question mostly comes with it, and both are one message
    "stall": 10.0, "stage-lost": 5.0,
    # these mostly mend themselves, or are mended by whoever follows
    "link": 60.0, "rate": 60.0, "camera": 120.0, "probe": 300.0, "environment": 300.0,
    "unfollowed": 60.0,
}  # fmt: skip
"""Seconds of the run; whatever is over sooner is in the journal and wakes nobody."""


def severity_of(code: str, own: Mapping[str, Severity]) -> Severity:
    """How grave an alarm of this code is.

    Args:
        code: of the alarm (docs/deviations.md) or of this module.
        own: what the people of this lab have set.
    """
    return own.get(code, OF_CODE.get(code, UNKNOWN))

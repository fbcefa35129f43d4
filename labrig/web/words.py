"""What the page calls the conditions of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labrig.record.vocabulary import DIED
from labrig.web.look import NEVER_BEGUN, UNREACHABLE


@dataclass(frozen=True, slots=True)
class ConditionWord:
    """How a condition is said: never by colour alone.

    Attributes:
        tone: ``good``, ``wait``, ``bad`` or ``plain``.
    """

    word: str
    icon: str
    tone: str


CONDITION_WORDS: Mapping[str, ConditionWord] = {
    "starting": ConditionWord("Starting", "…", "wait"),
    "running": ConditionWord("Running", "▶", "good"),
    "held": ConditionWord("Held", "❚❚", "wait"),
    "stopping": ConditionWord("Stopping", "■", "bad"),
    "stopped": ConditionWord("Stopped", "■", "bad"),
    "finished": ConditionWord("Finished", "✓", "good"),
    "failed": ConditionWord("Failed", "✕", "bad"),
    DIED: ConditionWord("Runner dead", "✕", "bad"),
    UNREACHABLE: ConditionWord("Runner does not answer", "?", "bad"),
    NEVER_BEGUN: ConditionWord("Never begun", "–", "plain"),
}

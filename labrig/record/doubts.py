"""Why a picture that was taken may be of no use: what the imaging process says, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

DOUBTS: Mapping[str, str] = {
    "empty": "shows nothing: its pixels are all alike",
    "dark": "has less than half the light of its field's first pictures",
    "torn": "lacks a part: rows at its edge hold nothing",
    "frozen": "is the very picture that was taken before",
    "blurred": "is less than half as sharp as its field's first pictures",
    "unseen": "is stored, but could not be looked at: the imaging process's log says why",
}


def doubt_words(doubts: Iterable[str]) -> str:
    """What is doubtful about a picture, e.g. after "it"."""
    return ", and ".join(DOUBTS.get(doubt, doubt) for doubt in doubts)

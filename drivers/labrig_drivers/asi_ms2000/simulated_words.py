"""The words of a request to the simulated ASI stage, and how it refuses them."""

from __future__ import annotations

import math

AXES = ("X", "Y")


class Refusal(Exception):
    """Answered by ``:N-`` and a number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.answer = f":N-{number}"


def words_of(text: str) -> dict[str, str]:
    """``X=1000 Y?`` as ``{"X": "1000", "Y?": ""}``."""
    words = {}
    for word in text.upper().split():
        name, _, value = word.partition("=")
        words[name] = value
    return words


def axes_in(words: dict[str, str]) -> tuple[str, ...]:
    """The axes that a request names. Raises Refusal."""
    if not words:
        raise Refusal(3)
    if any(name not in AXES for name in words):
        raise Refusal(2)
    return tuple(words)


def is_query(words: dict[str, str]) -> bool:
    """Whether it asks and sets nothing."""
    return bool(words) and all(name.endswith("?") for name in words)


def number(text: str) -> float:
    """A finite number. Raises Refusal."""
    try:
        value = float(text)
    except ValueError:
        raise Refusal(3) from None
    if not math.isfinite(value):
        raise Refusal(3)
    return value

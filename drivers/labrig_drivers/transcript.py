"""Bytes as they travelled, written down: replayed against a driver and against a simulator.

A transcript is plain text, one step a line::

    # where the bytes are from
    > 30 52 41 54 0D            sent to the instrument (hexadecimal)
    < 02 30 30 53 03            answered by it
    ~ 10.5                      this many seconds pass in silence
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from labrig_drivers.simulation import Simulator


class TranscriptMismatch(Exception):
    """What happened is not what the transcript says."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line: bytes in one direction, or time passing."""

    direction: Literal[">", "<", "~"]
    data: bytes
    seconds: float
    line: int


def parse_transcript(text: str) -> tuple[Step, ...]:
    """Read a transcript.

    Raises:
        ValueError: a line is neither bytes, time nor comment; says which line.
    """
    steps = []
    for number, raw in enumerate(text.splitlines(), start=1):
        mark, _, rest = raw.partition("#")[0].strip().partition(" ")
        try:
            if mark in (">", "<"):
                direction: Literal[">", "<"] = ">" if mark == ">" else "<"
                steps.append(Step(direction, bytes.fromhex(rest), 0.0, number))
            elif mark == "~":
                steps.append(Step("~", b"", float(rest), number))
            elif mark:
                raise ValueError(f"a line begins with >, <, ~ or #, not {mark!r}")
        except ValueError as error:
            raise ValueError(f"transcript line {number}: {error}") from None
    return tuple(steps)


def transcript_text(records: Iterable[tuple[str, float, bytes]], source: str) -> str:
    """Write what a RecordingTransport told as a transcript; pieces that belong together join.

    Args:
        records: ``(direction, time in seconds, bytes)`` in order.
        source: where the bytes are from, one line.
    """
    lines = [f"# {source}"]
    for direction, data in _joined(records):
        mark = "# discarded:" if direction == "!" else direction
        lines.append(f"{mark} {data.hex(' ').upper()}")
    return "\n".join(lines) + "\n"


def _joined(records: Iterable[tuple[str, float, bytes]]) -> Iterator[tuple[str, bytes]]:
    direction, data = "", b""
    for mark, _, piece in records:
        if mark == direction and mark != ">":
            data += piece
            continue
        if data:
            yield direction, data
        direction, data = mark, piece
    if data:
        yield direction, data


class TranscriptTransport:
    """Plays the instrument from a transcript; every byte must be accounted for.

    Raises TranscriptMismatch on a byte that the transcript does not expect; :meth:`finish`
    does so for bytes never sent and never read.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = [step for step in steps if step.direction != "~"]
        self._sent = b""
        self._answer = b""

    def write(self, data: bytes) -> None:
        """Compare with what the transcript expects to be sent next."""
        if self._answer:
            raise TranscriptMismatch(f"sent {data.hex(' ')} before reading {_hex(self._answer)}")
        self._sent += data
        while self._sent:
            expected = self._steps[0] if self._steps else None
            if expected is None or expected.direction != ">":
                raise TranscriptMismatch(f"the transcript does not expect {_hex(self._sent)}")
            if not expected.data.startswith(self._sent[: len(expected.data)]):
                raise TranscriptMismatch(
                    f"line {expected.line} expects {_hex(expected.data)}, sent {_hex(self._sent)}"
                )
            if len(self._sent) < len(expected.data):
                return
            self._sent = self._sent[len(expected.data) :]
            self._steps.pop(0)
        while self._steps and self._steps[0].direction == "<":
            self._answer += self._steps.pop(0).data

    def read(self, size: int, timeout_s: float) -> bytes:
        """Bytes the transcript says are answered, b"" when it says nothing."""
        data, self._answer = self._answer[:size], self._answer[size:]
        return data

    def discard_input(self) -> bytes:
        """Nothing is stale in a transcript; answers still unread are a mismatch on write."""
        return b""

    def close(self) -> None:
        """Nothing is held."""

    def finish(self) -> None:
        """Raise TranscriptMismatch unless every byte was sent and read."""
        if self._sent:
            raise TranscriptMismatch(f"sent only the beginning {_hex(self._sent)} of a step")
        if self._answer:
            raise TranscriptMismatch(f"never read {_hex(self._answer)}")
        if self._steps:
            step = self._steps[0]
            raise TranscriptMismatch(f"line {step.line} never happened: {_hex(step.data)}")


def replay_against_simulator(
    steps: Iterable[Step], simulator: Simulator, now_s: float = 0.0
) -> None:
    """Send what the transcript sends and compare every byte answered.

    Raises:
        TranscriptMismatch: the simulator answers otherwise, says which line.
    """
    answered, line = b"", 0
    for step in steps:
        line = step.line
        if step.direction == "~":
            now_s += step.seconds
            answered += simulator.advance(now_s)
        elif step.direction == ">":
            if answered:
                raise TranscriptMismatch(f"before line {line} came unasked {_hex(answered)}")
            answered = simulator.receive(step.data, now_s)
        elif answered.startswith(step.data):
            answered = answered[len(step.data) :]
        else:
            raise TranscriptMismatch(f"line {line} expects {_hex(step.data)}, got {_hex(answered)}")
    if answered:
        raise TranscriptMismatch(f"after line {line} came unasked {_hex(answered)}")


def _hex(data: bytes) -> str:
    return data.hex(" ").upper() or "nothing"

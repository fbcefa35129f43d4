"""How strong the pulses of one stimulator are where that rests on a capture threshold."""

from __future__ import annotations

from dataclasses import replace

from labrig.plan.timeline import StimulationLevel, TrainSpec
from labrig.record.alarms import Question
from labrig.record.kinds.other_deviations import CaptureUnknown
from labrig.run.captures import Captures
from labrig.run.desk import Desk

USE_FALLBACK, LEAVE_OUT = "use-fallback", "leave-out"
_ROOM_V = 1e-6


def volts_for(
    spec: TrainSpec, threshold_v: float | None, asked: str | None = None
) -> tuple[float | None, str]:
    """Volts of a train whose amplitude is a share of a threshold, and what stands in for them.

    Args:
        spec: with ``of_capture``.
        threshold_v: of its channel; None: none is known.
        asked: what a person answered, where the protocol asks one.

    Returns:
        the amplitude, None for silence; "" where the threshold made it, else "fallback", "silent".
    """
    if threshold_v is not None and spec.of_capture is not None:
        volts = round(threshold_v * spec.of_capture, 3)
        # What was checked before the run is the most that is ever given.
        if volts <= (spec.amplitude_v or 0.0) + _ROOM_V:
            return volts, ""
    use = spec.if_unknown == "fallback" or (spec.if_unknown == "ask" and asked == USE_FALLBACK)
    if use and spec.fallback_v is not None:
        return spec.fallback_v, "fallback"
    return None, "silent"


class Strengths:
    """Resolves amplitudes in % of capture; what cannot be resolved is silence, and told.

    Args:
        name: the stimulator.
        desk: clock, journal and board.
        captures: thresholds of the run.
        choice: what a person answered to an earlier runner; None: nothing.
    """

    def __init__(self, name: str, desk: Desk, captures: Captures, choice: str | None) -> None:
        self._name = name
        self._desk = desk
        self._captures = captures
        self._choice = choice
        self._told: frozenset[tuple[str, int, str]] = frozenset()

    @property
    def question_id(self) -> str:
        """Of the question about channels without a threshold."""
        return f"capture:{self._name}"

    @property
    def patience_s(self) -> float:
        """How long a threshold is waited for."""
        return self._captures.patience_s

    def decide(self, choice: str) -> None:
        """A person has answered it."""
        self._choice = choice

    def resolved(self, level: StimulationLevel) -> tuple[TrainSpec, ...]:
        """The live trains of a level with their amplitudes; those that have none are left out."""
        resolved = []
        unknown: list[tuple[TrainSpec, str]] = []
        for spec in level.trains:
            if not spec.live:
                continue
            volts, done = self._volts(spec)
            if done:
                unknown.append((spec, done))
            if volts is not None:
                resolved.append(replace(spec, amplitude_v=volts))
        self._tell(unknown)
        return tuple(resolved)

    def _volts(self, spec: TrainSpec) -> tuple[float | None, str]:
        """What a train is played with, None for not at all; and what was done for want of more."""
        if spec.of_capture is None:
            return spec.amplitude_v, ""
        threshold_v = self._captures.volts(spec.capture, self._name, spec.channel)
        return volts_for(spec, threshold_v, asked=self._choice)

    def _tell(self, unknown: list[tuple[TrainSpec, str]]) -> None:
        """An alarm, a deviation, and a question where somebody may decide; once for each change."""
        now = frozenset((spec.pattern, spec.channel, done) for spec, done in unknown)
        if now == self._told:
            return
        self._told = now
        if not unknown:
            self._desk.board.clear("capture", self._name)
            self._desk.board.take_question(self.question_id)
            return
        for done in ("silent", "fallback"):
            own = [spec for spec, did in unknown if did == done]
            if own:
                self._desk.deviation(
                    CaptureUnknown(
                        instrument=self._name,
                        channels=tuple(sorted({spec.channel for spec in own})),
                        capture=own[0].capture,
                        done=done,
                    )
                )
        silent = [spec for spec, done in unknown if done == "silent"]
        channels = ", ".join(str(c) for c in sorted({spec.channel for spec, _ in unknown}))
        self._desk.alarm(
            "capture", self._name,
            f"channels {channels} have no capture threshold from {unknown[0][0].capture} that can "
            "be used: they " + ("are silent." if silent else "get the fallback of the protocol."),
            "Thresholds are taken as soon as they are measured. Look at the staircase's films.",
        )  # fmt: skip
        self._ask(silent)

    def _ask(self, silent: list[TrainSpec]) -> None:
        asked = [s for s in silent if s.if_unknown == "ask" and s.fallback_v is not None]
        if not asked or self._choice is not None:
            self._desk.board.take_question(self.question_id)
            return
        spec = asked[0]
        self._desk.board.ask(
            Question(
                self.question_id,
                f"No capture threshold is known for channels "
                f"{', '.join(str(s.channel) for s in asked)} of {self._name}. {USE_FALLBACK} plays "
                f"{spec.fallback_v:g} V on them; {LEAVE_OUT} leaves them silent.",
                (USE_FALLBACK, LEAVE_OUT),
                self._desk.clock.now_s(),
                {
                    "channels": [s.channel for s in asked],
                    "capture": spec.capture,
                    "fallback_v": spec.fallback_v,
                },
            )
        )

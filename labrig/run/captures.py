"""Capture thresholds of a run: found by a staircase, frozen in the journal, read by stimulators."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Collection, Iterable, Mapping

from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.timeline import Film, StimulationLevel
from labrig.record.kinds.runs import CaptureFrozen
from labrig.run.desk import Desk

KNOWN = "capture:known"
"""Key of the word to stimulators that thresholds have come."""


class Captures:
    """What each channel's threshold is; once frozen it stays, whoever takes the run over.

    Thread-safe: the dispatcher freezes, the workers of stimulators read.

    Args:
        steps_v: by assay, the amplitudes that a threshold can be (:func:`steps_v_of`).
        desk: for the journal.
        frozen: what an earlier runner wrote down.
        patience_s: how long, by people's time, who asks for a threshold waits for it. A simulated
            bench stands still meanwhile: its nights are faster than films can be measured. A real
            one waits for nobody.
    """

    def __init__(
        self,
        steps_v: Mapping[str, Collection[float]],
        desk: Desk,
        frozen: Iterable[CaptureFrozen],
        patience_s: float = 0.0,
    ) -> None:
        self._desk = desk
        self._steps_v = steps_v
        self._lock = threading.Condition()
        self.patience_s = patience_s
        self._waited_for: set[str] = set()
        self._frozen = {(f.assay, f.instrument, f.channel): f.volts for f in frozen}

    def freeze(self, assay: str, thresholds: Mapping[str, float | None]) -> bool:
        """Write down what was found, before anything is done by it.

        A threshold that stands is never changed, and one that is no step of the staircase is taken
        for none.

        Args:
            assay: the staircase.
            thresholds: by channel, as ``INSTRUMENT:CHANNEL``; None: none was found.

        Returns:
            whether anything new was learnt.
        """
        fresh = False
        for unit, volts in sorted(thresholds.items()):
            instrument, _, channel = unit.rpartition(":")
            key = (assay, instrument, int(channel))
            with self._lock:
                if key in self._frozen:
                    continue
            why = "" if volts is not None else "no step of the staircase was captured"
            if volts is not None and not self._is_step(assay, volts):
                volts, why = None, f"{volts:g} V is no step of the staircase"
            self._desk.of_run(CaptureFrozen(*key, volts, why))
            with self._lock:
                self._frozen[key] = volts
                self._lock.notify_all()
            fresh = True
        return fresh

    def volts(self, assay: str, instrument: str, channel: int) -> float | None:
        """A channel's threshold; None: it is not known, or there is none."""
        key = (assay, instrument, channel)
        with self._lock:
            if self.patience_s and assay not in self._waited_for:
                self._lock.wait_for(lambda: key in self._frozen, self.patience_s)
                if key not in self._frozen:
                    self._waited_for.add(assay)
            return self._frozen.get(key)

    def _is_step(self, assay: str, volts: float) -> bool:
        return any(math.isclose(volts, step, rel_tol=1e-6) for step in self._steps_v.get(assay, ()))


def rehearsed(plan: Plan) -> dict[str, dict[str, float | None]]:
    """By assay and channel, the highest step that the plan lets be played.

    For a rehearsal, which takes no films: it shows the strongest impulses that there can be.
    """
    steps_v, found = steps_v_of(plan), dict[str, dict[str, float | None]]()
    for entry in of_kind(plan.timeline, StimulationLevel):
        for spec in entry.trains:
            if spec.of_capture is None:
                continue
            most_v = (spec.amplitude_v or 0.0) / spec.of_capture
            own = found.setdefault(spec.capture, {})
            unit = f"{entry.instrument}:{spec.channel}"
            below = own.get(unit, math.inf) or 0.0
            fits = [v for v in steps_v.get(spec.capture, ()) if v <= min(most_v, below) + 1e-6]
            own[unit] = max(fits, default=None)
    return found


def thresholds_from(text: str) -> dict[str, float | None]:
    """What a ``capture`` command brings, by channel.

    Raises:
        ValueError: it is no JSON object of channels and amplitudes.
    """
    given = json.loads(text)
    if not isinstance(given, dict) or not given:
        raise ValueError('thresholds are a JSON object of channels, as {"stim:1": 8.0}')
    for unit, volts in given.items():
        if not unit.rpartition(":")[2].isdigit() or not unit.rpartition(":")[0]:
            raise ValueError(f"{unit!r} is no channel; write it as 'stim:1'")
        if volts is not None and (
            isinstance(volts, bool) or not isinstance(volts, (int, float)) or not volts > 0
        ):
            raise ValueError(f"{volts!r} is no threshold in volts; null says that none was found")
    return {str(unit): None if v is None else float(v) for unit, v in given.items()}


def steps_v_of(plan: Plan) -> dict[str, set[float]]:
    """By assay that has fixed amplitudes, all of them: a staircase's threshold is one."""
    steps: dict[str, set[float]] = {}
    for entry in of_kind(plan.timeline, Film):
        if entry.test is not None and entry.test.amplitude_v:
            steps.setdefault(entry.assay, set()).add(entry.test.amplitude_v)
    return steps

"""Every pattern that a run can play: those of the protocol, and the steps of its assays.

A step of an assay is a pattern of its own, called ``ASSAY:STEP`` (``ff:3``), which no pattern of a
protocol can be called. Amplitudes in % of capture stand at the largest that they can become.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labrig.protocol.assays import (
    Assay,
    Fatigue,
    Frequencies,
    PulseAssay,
    Staircase,
    Twitch,
)
from labrig.protocol.nmj_assay import Nmj, junction_patterns
from labrig.protocol.step_names import assay_of, step_name

if TYPE_CHECKING:
    from labrig.protocol.impulses import Pattern
    from labrig.protocol.models import Protocol


def place_of(pattern: str) -> str:
    """Where in a protocol a pattern is written."""
    assay = assay_of(pattern)
    return f"protocol: assays.{assay}" if assay else f"protocol: patterns.{pattern}"


def every_pattern(protocol: Protocol) -> Mapping[str, Pattern]:
    """Those of the protocol and of its assays' steps, by name."""
    found = {name: at_most(protocol, p) for name, p in protocol.patterns.items()}
    for name, assay in protocol.assays.items():
        patterns = (
            junction_patterns(protocol, name) if isinstance(assay, Nmj) else step_patterns(assay)
        )
        for step, pattern in enumerate(patterns):
            found[step_name(name, step)] = at_most(protocol, pattern)
    return found


def with_every_pattern(protocol: Protocol) -> Protocol:
    """The protocol with all that can be played among its patterns; itself where those are all."""
    if not protocol.assays and not any(
        pattern.of_capture_percent is not None for pattern in protocol.patterns.values()
    ):
        return protocol
    written = {**protocol.written_patterns, **every_pattern(protocol)}
    return protocol.model_copy(update={"written_patterns": written})


def step_patterns(assay: PulseAssay) -> tuple[Pattern, ...]:
    """The pattern of each step; `of_capture` is not resolved."""
    from labrig.protocol.impulses import Pattern

    def made(frequency_hz: float, **more: Any) -> Pattern:  # noqa: ANN401 - fields of the model
        fields: dict[str, Any] = {
            "phase_ms": assay.phase_ms,
            "shape": assay.shape,
            "frequency_hz": frequency_hz,
            "source": assay.source,
            **_strength(assay),
            **more,
        }
        return Pattern.model_construct(**fields)

    match assay:
        case Staircase():
            key = "amplitude_v" if assay.amplitude.unit == "V" else "amplitude_ma"
            return tuple(
                made(assay.frequency_hz, **{key: amplitude}) for amplitude in assay.amplitude.steps
            )
        case Frequencies():
            return tuple(made(rate) for rate in assay.at_hz)
        case Fatigue():
            return (made(assay.frequency_hz, on_s=assay.on_s, off_s=assay.off_s),)
        case Twitch():
            return (made(assay.frequency_hz),)


def test_rate_hz(assay: Assay, while_on_hz: float) -> float:
    """Mean pulse rate of a step with the rest after it: what heat and direct current follow."""
    if isinstance(assay, Frequencies):
        return while_on_hz * assay.train_s / (assay.train_s + assay.rest_s)
    return while_on_hz


def _strength(assay: PulseAssay) -> dict[str, Any]:
    if isinstance(assay, Staircase):
        return {}
    return {
        "amplitude_v": assay.amplitude_v,
        "amplitude_ma": assay.amplitude_ma,
        "of_capture_percent": assay.of_capture_percent,
        "capture": assay.capture,
        "fallback_v": assay.fallback_v,
        "at_most_v": assay.at_most_v,
        "if_unknown": assay.if_unknown,
    }


def capture_of(protocol: Protocol, pattern: Pattern) -> str:
    """The staircase that a pattern in % of capture rests on; "" for another pattern.

    Raises:
        KeyError: it names none, and there is not one only (a mistake that is told before).
    """
    if pattern.of_capture_percent is None:
        return ""
    if pattern.capture is not None:
        return pattern.capture
    (only,) = staircases(protocol) or ("",)
    if not only:
        raise KeyError("capture")
    return only


def staircases(protocol: Protocol) -> tuple[str, ...]:
    """The assays that find a capture threshold."""
    return tuple(name for name, a in protocol.assays.items() if isinstance(a, Staircase))


def at_most(protocol: Protocol, pattern: Pattern) -> Pattern:
    """With the largest amplitude that a pattern in % of capture can become; another as it is.

    The largest threshold that a staircase can find is its top step.
    """
    if pattern.of_capture_percent is None:
        return pattern
    staircase = protocol.assays[capture_of(protocol, pattern)]
    top_v = staircase.amplitude.steps[-1] if isinstance(staircase, Staircase) else 0.0
    most_v = top_v * pattern.of_capture_percent / 100.0
    if pattern.at_most_v is not None:
        most_v = min(most_v, pattern.at_most_v)
    most_v = max(most_v, pattern.fallback_v or 0.0)
    capture = capture_of(protocol, pattern)
    return pattern.model_copy(update={"amplitude_v": round(most_v, 6), "capture": capture})

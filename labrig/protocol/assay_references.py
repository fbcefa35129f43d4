"""Whether assays and their series agree with themselves and with the rest of a protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake, did_you_mean
from labrig.protocol.assays import (
    Fatigue,
    Frequencies,
    PulseAssay,
    Staircase,
    Twitch,
    VoltSteps,
    film_stretch_s,
)
from labrig.protocol.nmj_assay import Nmj, nmj_mistakes
from labrig.protocol.series_moments import NoMoment, series_moment_s
from labrig.protocol.tests_as_patterns import staircases

if TYPE_CHECKING:
    from labrig.protocol.impulses import Pattern
    from labrig.protocol.models import Protocol

MOST_STEPS = 30
"""[P] Half an hour of films for one well."""
LONGEST_BURST_S = 10.0


def assay_mistakes(protocol: Protocol) -> Iterator[Mistake]:
    """Mistakes of ``assays`` and ``imaging.series``, and of patterns in % of capture."""
    for name, assay in protocol.assays.items():
        path: KeyPath = ("assays", name)
        match assay:
            case Staircase():
                yield from _staircase(path, assay)
            case Frequencies():
                yield from _frequencies(path, assay)
            case Fatigue():
                yield from _fatigue(path, assay)
            case Twitch():
                yield from _fits(path, assay, assay.frequency_hz)
        if not isinstance(assay, (Staircase, Nmj)):
            yield from _strength(protocol, path, name, assay)
    for name, pattern in protocol.patterns.items():
        yield from capture_mistakes(protocol, ("patterns", name), name, pattern)
    yield from nmj_mistakes(protocol)
    yield from _series(protocol)


def capture_mistakes(
    protocol: Protocol, path: KeyPath, name: str, asked: Pattern | Frequencies | Fatigue | Twitch
) -> Iterator[Mistake]:
    """What is wrong with an amplitude in % of capture, and with keys that only it needs."""
    if asked.of_capture_percent is None:
        for key, given in (
            ("capture", asked.capture), ("fallback", asked.fallback_v), ("at_most", asked.at_most_v)
        ):  # fmt: skip
            if given is not None:
                yield Mistake(
                    (*path, key),
                    f"'{name}' has {key}, but no of_capture",
                    f"Write `of_capture: 85 %` in place of the amplitude, or leave out {key}.",
                )
        return
    known = staircases(protocol)
    if not known:
        yield Mistake(
            (*path, "of_capture"),
            f"'{name}' is in % of capture, and no assay finds a capture threshold",
            "Add one of `kind: staircase` under assays, and do it before by imaging.series.",
        )
    elif asked.capture is not None and asked.capture not in known:
        yield Mistake(
            (*path, "capture"),
            f"there is no staircase '{asked.capture}'",
            did_you_mean(asked.capture, list(known)),
            asked.capture,
        )
    elif asked.capture is None and len(known) > 1:
        yield Mistake(
            (*path, "of_capture"),
            f"'{name}' does not say which capture threshold: {', '.join(known)} find one",
            f"Add `capture: {known[0]}`.",
        )
    if (name_of := asked.capture or (known[0] if len(known) == 1 else "")) in known:
        found = protocol.assays[name_of]
        if isinstance(found, Staircase) and found.amplitude.unit == "mA":
            yield Mistake(
                (*path, "of_capture"),
                f"the staircase '{name_of}' is in mA, and a share of capture is kept in volts",
                "Write `current:` in place of it, from the threshold that a run before found; or "
                "a staircase in V, where the stimulator holds a voltage.",
            )
    if asked.at_most_v is not None and (asked.fallback_v or 0.0) > asked.at_most_v:
        yield Mistake(
            (*path, "fallback"),
            f"'{name}' falls back on {asked.fallback_v:g} V, above its own at_most of "
            f"{asked.at_most_v:g} V",
            "Lower fallback, or raise at_most.",
            f"{asked.fallback_v:g} V",
        )
    if asked.if_unknown == "fallback" and asked.fallback_v is None:
        yield Mistake(
            (*path, "if_unknown"),
            f"'{name}' falls back on an amplitude that it does not say",
            "Add `fallback: 12 V`, or write `if_unknown: leave-out`.",
            "fallback",
        )


def _strength(
    protocol: Protocol, path: KeyPath, name: str, assay: Frequencies | Fatigue | Twitch
) -> Iterator[Mistake]:
    given = [
        key
        for key, value in (
            ("amplitude", assay.amplitude_v),
            ("current", assay.amplitude_ma),
            ("of_capture", assay.of_capture_percent),
        )
        if value is not None
    ]
    if len(given) != 1:
        yield Mistake(
            (*path, given[1]) if given else path,
            f"'{name}' says both {given[0]} and {given[1]}"
            if given
            else f"'{name}' does not say how strong its pulses are",
            "Write one of `amplitude: 15 V`, `current: 20 mA` and `of_capture: 150 %`.",
        )
        return
    yield from capture_mistakes(protocol, path, name, assay)


def _staircase(path: KeyPath, assay: Staircase) -> Iterator[Mistake]:
    asked = assay.amplitude
    unit, steps = asked.unit, asked.steps
    first, last, step = (
        (asked.from_v, asked.to_v, asked.step_v)
        if isinstance(asked, VoltSteps)
        else (asked.from_ma, asked.to_ma, asked.step_ma)
    )
    if last <= first:
        yield Mistake(
            (*path, "amplitude", "to"),
            f"a staircase from {first:g} {unit} to {last:g} {unit} does not rise",
            "Give `to` above `from`: the lowest amplitude comes first.",
            f"{last:g} {unit}",
        )
    elif len(steps) < 2 or len(steps) > MOST_STEPS:
        yield Mistake(
            (*path, "amplitude", "step"),
            f"{step:g} {unit} makes {len(steps)} steps from {first:g} {unit} to {last:g} {unit}; "
            f"2 to {MOST_STEPS} make a staircase",
            f"Choose another step, as in `step: 2 {unit}`.",
            f"{step:g} {unit}",
        )
    yield from _fits(path, assay, assay.frequency_hz)


def _frequencies(path: KeyPath, assay: Frequencies) -> Iterator[Mistake]:
    if list(assay.at_hz) != sorted(set(assay.at_hz)):
        yield Mistake(
            (*path, "at"),
            "the frequencies do not rise: "
            + ", ".join(f"{frequency:g} Hz" for frequency in assay.at_hz),
            "Give each once, the lowest first: high ones tire the culture for those after them.",
        )
    for index, frequency in enumerate(assay.at_hz):
        yield from _fits((*path, "at", index), assay, frequency, whole=True)


def _fatigue(path: KeyPath, assay: Fatigue) -> Iterator[Mistake]:
    if (assay.on_s is None) != (assay.off_s is None):
        missing = "off" if assay.off_s is None else "on"
        yield Mistake(
            path,
            "only one of on and off is given",
            f"Add `{missing}: 0.5 s`, or leave out both for pulses without a pause.",
        )
        return
    if assay.on_s is not None and assay.off_s is not None:
        if assay.on_s > LONGEST_BURST_S:
            yield Mistake(
                (*path, "on"),
                f"a train of {assay.on_s:g} s is longer than {LONGEST_BURST_S:g} s, after which "
                "every train ends by itself",
                "Give a shorter `on`, or leave out on and off.",
                f"{assay.on_s:g} s",
            )
        periods = assay.for_s / (assay.on_s + assay.off_s)
        if abs(periods - round(periods)) > 1e-6 or periods < 2:
            yield Mistake(
                (*path, "for"),
                f"{assay.for_s:g} s are {periods:.4g} times on and off, and the last train would "
                "be cut",
                f"Give a multiple of {assay.on_s + assay.off_s:g} s, two at the least.",
                f"{assay.for_s:g} s",
            )
    for index, text in enumerate(assay.film):
        _, length_s = film_stretch_s(text)
        if length_s > assay.for_s:
            yield Mistake(
                (*path, "film", index),
                f"'{text}' is longer than the test, {assay.for_s:g} s",
                "Film a part of it.",
                text,
            )
    yield from _fits(path, assay, assay.frequency_hz)


def _fits(
    path: KeyPath, assay: PulseAssay, frequency_hz: float, *, whole: bool = False
) -> Iterator[Mistake]:
    phases = 2 if assay.shape == "biphasic" else 1
    if phases * assay.phase_ms * frequency_hz > 1000.0:
        yield Mistake(
            path if whole else (*path, "frequency"),
            f"{phases} × {assay.phase_ms:g} ms does not fit into the {1000.0 / frequency_hz:g} ms "
            "between pulses",
            "Lower the frequency or shorten the pulse.",
            f"{frequency_hz:g} Hz",
        )


def _series(protocol: Protocol) -> Iterator[Mistake]:
    imaging = protocol.imaging
    if imaging.series and imaging.films is None:
        yield Mistake(
            ("imaging", "series"),
            "series are filmed, and there are no films",
            "Add `films:` under `imaging:` with channel, frame_rate and exposure; with `at: []` "
            "only series are filmed.",
        )
    for index, series in enumerate(imaging.series):
        path: KeyPath = ("imaging", "series", index)
        if series.assay not in protocol.assays:
            yield Mistake(
                (*path, "assay"),
                f"there is no assay '{series.assay}'",
                _known(series.assay, protocol.assays),
                series.assay,
            )
        for place, text in enumerate(series.at):
            try:
                series_moment_s(protocol, text)
            except NoMoment as error:
                yield Mistake((*path, "at", place), str(error), error.remedy, text)


def _known(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name, list(known)) if list(known) else "Add it under `assays:`."

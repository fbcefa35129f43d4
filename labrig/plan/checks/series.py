"""Test series: whether they can be done, and what they cost the cultures."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.findings import Finding
from labrig.plan.series_dose import paused_s, test_pulses, treatment_pulses
from labrig.plan.timeline import Film, StimulationLevel
from labrig.protocol.assays import Fatigue, Frequencies
from labrig.protocol.tests_as_patterns import place_of

MOST_TEST_SHARE = 0.02
"""[P] More test pulses than this share of a treatment, and an arm without impulses is no longer
without."""
ALIKE_WITHIN = 0.10
"""[P] Of test pulses between channels."""
MOST_PAUSED = 0.05
"""[P] Of the time that an arm is meant to get its own impulses."""
MEASURED_WITHIN_S = 1800.0
"""[P] Films of a staircase are measured by then, on the computer that takes them."""
FRAMES_A_PULSE = 2.5
"""[C] Sampling theorem with a margin: ripple of a faster train cannot be seen."""


def check(draft: Draft) -> Iterator[Finding]:
    """Findings about test series and their dose."""
    yield from _share(draft)
    yield from _unequal(draft)
    yield from _paused(draft)
    yield from _capture(draft)
    yield from _frame_rate(draft)


def _share(draft: Draft) -> Iterator[Finding]:
    """Tests against the treatment that arms without impulses do not get."""
    tests = test_pulses(draft.protocol, draft.plan)
    treatment = treatment_pulses(draft.protocol, draft.plan)
    idle = max((n for name, n in tests.items() if not treatment.get(name)), default=0)
    live = min((n for n in treatment.values() if n), default=0)
    if idle and live and idle > MOST_TEST_SHARE * live:
        yield Finding(
            "stim.test-dose-share",
            "warn",
            "protocol: imaging.series" if draft.protocol.imaging.series else "protocol: imaging",
            f"tests give {idle} pulses to cultures without impulses of their own, "
            f"{idle / live:.1%} of the {live} that the least stimulated arm gets; up to "
            f"{MOST_TEST_SHARE:.0%} is little [P]",
            "take fewer steps, pulses or times, or film one well of each channel (`wells: "
            "one-per-channel`)",
        )


def _unequal(draft: Draft) -> Iterator[Finding]:
    """Channels that drive more wells give them all the more tests."""
    if not draft.protocol.imaging.series:
        return
    tests = {name: n for name, n in test_pulses(draft.protocol, draft.plan).items() if n}
    if tests and max(tests.values()) > (1 + ALIKE_WITHIN) * min(tests.values()):
        most, least = max(tests, key=tests.__getitem__), min(tests, key=tests.__getitem__)
        yield Finding(
            "series.unequal",
            "warn",
            "protocol: imaging.series",
            f"wells of {most} get {tests[most]} test pulses, those of {least} {tests[least]}: a "
            "channel gives every test of one of its wells to all of them [C]",
            "film one well of each channel (`wells: one-per-channel`), or wire as many wells to "
            "each channel",
        )


def _paused(draft: Draft) -> Iterator[Finding]:
    """Own impulses that are not given because tests are."""
    lost_s, meant_s = paused_s(draft.protocol, draft.plan)
    if draft.protocol.imaging.series and lost_s and meant_s:
        share = lost_s / meant_s
        yield Finding(
            "series.treatment-paused",
            "warn" if share > MOST_PAUSED else "note",
            "protocol: imaging.series",
            f"series take {lost_s / 60:.0f} min of the {meant_s / 3600:.3g} h in which arms get "
            f"their own impulses ({share:.1%}), from all channels alike [C]",
            "nothing, or film one well of each channel (`wells: one-per-channel`), take fewer "
            "steps, or do series in a phase without impulses",
        )


def _capture(draft: Draft) -> Iterator[Finding]:
    """Amplitudes in % of capture need a staircase that is over before them."""
    over_s: dict[str, float] = {}
    for entry in draft.plan.timeline:
        if isinstance(entry, Film) and entry.assay:
            ends_s = entry.offset_s + entry.length_s
            first = entry.key.split("/")[1]
            over_s[f"{entry.assay}/{first}"] = max(over_s.get(f"{entry.assay}/{first}", 0), ends_s)
    first_s: dict[str, float] = {}
    for key, at_s in over_s.items():
        assay = key.split("/")[0]
        first_s[assay] = min(first_s.get(assay, at_s), at_s)
    told = set()
    for entry in draft.plan.timeline:
        if not isinstance(entry, StimulationLevel):
            continue
        for spec in entry.trains:
            if spec.of_capture is None or spec.pattern in told:
                continue
            told.add(spec.pattern)
            known_s = first_s.get(spec.capture)
            if known_s is None or entry.offset_s < known_s:
                when = f"at {known_s / 3600:.2f} h" if known_s else "at no time"
                yield Finding(
                    "series.capture-late",
                    "block",
                    place_of(spec.pattern),
                    f"its amplitude is a share of what {spec.capture} finds, wanted from "
                    f"{entry.offset_s / 3600:.2f} h on, and {spec.capture} is over {when}",
                    f"do {spec.capture} before it in imaging.series, in a phase without impulses",
                )
            elif entry.offset_s < known_s + MEASURED_WITHIN_S:
                yield Finding(
                    "series.capture-late",
                    "warn",
                    place_of(spec.pattern),
                    f"its amplitude is wanted {(entry.offset_s - known_s) / 60:.0f} min after "
                    f"{spec.capture} is over, and films may take "
                    f"{MEASURED_WITHIN_S / 60:.0f} min to be measured [P]: channels are silent "
                    "until then",
                    f"leave more time after {spec.capture}, as a longer phase without impulses",
                )


def _frame_rate(draft: Draft) -> Iterator[Finding]:
    films = draft.protocol.imaging.films
    if films is None:
        return
    for name in dict.fromkeys(series.assay for series in draft.protocol.imaging.series):
        assay = draft.protocol.assays[name]
        fastest_hz = 0.0
        if isinstance(assay, Frequencies):
            fastest_hz = max(assay.at_hz)
        elif isinstance(assay, Fatigue):
            fastest_hz = assay.frequency_hz
        if fastest_hz * FRAMES_A_PULSE > films.frame_rate_hz:
            yield Finding(
                "series.frame-rate",
                "note",
                f"protocol: assays.{name}",
                f"ripple at {fastest_hz:g} Hz cannot be seen in {films.frame_rate_hz:g} frames/s: "
                "fusion is told only up to "
                f"{films.frame_rate_hz / FRAMES_A_PULSE:g} Hz [C]; peak and plateau can",
                f"film at {fastest_hz * FRAMES_A_PULSE:g} frames/s, or leave the fusion of fast "
                "trains out of what is asked",
            )

"""Each mistake in assays, series and amplitudes in % of capture is placed and explained."""

from pathlib import Path

import pytest

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol
from labrig.protocol.series_moments import series_moment_s
from labrig.protocol.tests_as_patterns import every_pattern

ASSAYS = """
assays:
  capture:
    kind: staircase
    pulse_width: 2 ms
    frequency: 1 Hz
    pulses: 10
    amplitude: {from: 2 V, to: 16 V, step: 2 V}
  ff:
    kind: frequencies
    at: [1 Hz, 2 Hz, 5 Hz]
    train: 2 s
    pulse_width: 0.4 ms
    of_capture: 150 %
  tiring:
    kind: fatigue
    frequency: 10 Hz
    on: 0.5 s
    off: 0.5 s
    for: 120 s
    film: [first 5 s, last 5 s]
    pulse_width: 0.4 ms
    amplitude: 15 V

perfusion:
"""
SERIES = """
  series:
    - {at: [baseline], assay: capture}
    - {at: [1 h, end - 2 h], assay: ff}

environment: {interval"""
TEXT = (
    (catalogue_folder() / "demo-night.yaml")
    .read_text(encoding="utf-8")
    .replace("\nperfusion:\n", ASSAYS, 1)
    .replace("\nenvironment: {interval", SERIES, 1)
)

# (what to find, what to put there, path, words of the problem, of the remedy)
MISTAKES = {
    "unknown kind": (
        "kind: frequencies", "kind: frequency", "assays.ff",
        "'frequency' is no kind", "Did you mean 'frequencies'",
    ),
    "no kind": (
        "    kind: staircase\n", "", "assays.capture", "does not say of which kind", "kind:",
    ),
    "misspelt key": (
        "pulses: 10", "puls: 10", "assays.capture.puls", "not a key here", "'pulses'",
    ),
    "no unit": (
        "of_capture: 150 %", "of_capture: 150", "assays.ff.of_capture", "no unit", "percent",
    ),
    "staircase that falls": (
        "from: 2 V, to: 16 V", "from: 16 V, to: 2 V", "assays.capture.amplitude.to",
        "does not rise", "lowest amplitude comes first",
    ),
    "staircase of one step": (
        "step: 2 V", "step: 20 V", "assays.capture.amplitude.step", "makes 1 steps", "step: 2 V",
    ),
    "frequencies that fall": (
        "at: [1 Hz, 2 Hz, 5 Hz]", "at: [5 Hz, 2 Hz, 1 Hz]", "assays.ff.at",
        "do not rise", "lowest first",
    ),
    "two amplitudes": (
        "of_capture: 150 %", "of_capture: 150 %\n    amplitude: 9 V", "assays.ff.of_capture",
        "both amplitude and of_capture", "Write one of",
    ),
    "no amplitude": (
        "    of_capture: 150 %\n", "", "assays.ff", "does not say how strong", "of_capture: 150 %",
    ),
    "fallback of what": (
        "of_capture: 150 %", "amplitude: 9 V\n    fallback: 8 V", "assays.ff.fallback",
        "no of_capture", "leave out fallback",
    ),
    "falls back on nothing": (
        "of_capture: 150 %", "of_capture: 150 %\n    if_unknown: fallback", "assays.ff.if_unknown",
        "does not say", "fallback: 12 V",
    ),
    "falls back too high": (
        "of_capture: 150 %", "of_capture: 150 %\n    at_most: 8 V\n    fallback: 9 V",
        "assays.ff.fallback", "above its own at_most", "Lower fallback",
    ),
    "unknown staircase": (
        "of_capture: 150 %", "of_capture: 150 %\n    capture: captre", "assays.ff.capture",
        "no staircase 'captre'", "Did you mean 'capture'",
    ),
    "half of a train": (
        "    off: 0.5 s\n", "", "assays.tiring", "only one of on and off", "off: 0.5 s",
    ),
    "a train that would be cut": (
        "for: 120 s", "for: 120.5 s", "assays.tiring.for", "would be cut", "multiple of 1 s",
    ),
    "no part of a test": (
        "first 5 s", "begin 5 s", "assays.tiring.film.0", "no part of a test", "first 5 s",
    ),
    "longer than the test": (
        "first 5 s", "first 5 min", "assays.tiring.film.0", "longer than the test", "a part of it",
    ),
    "a staircase of currents that is given as a share": (
        "amplitude: {from: 2 V, to: 16 V, step: 2 V}",
        "amplitude: {from: 5 mA, to: 50 mA, step: 5 mA}", "assays.ff.of_capture",
        "'capture' is in mA", "Write `current:`",
    ),
    "currents and volts in one staircase": (
        "from: 2 V, to: 16 V", "from: 5 mA, to: 16 V", "assays.capture.amplitude.to",
        "a current is wanted", "mA",
    ),
    "a staircase under current": (
        "amplitude: {from: 2 V, to: 16 V, step: 2 V}",
        "current: {from: 5 mA, to: 50 mA, step: 5 mA}", "assays.capture.current",
        "not a key", "'amplitude'",
    ),
    "unknown assay": (
        "assay: ff", "assay: fff", "imaging.series.1.assay", "no assay 'fff'", "'ff'",
    ),
    "unknown moment": (
        "end - 2 h", "ende - 2 h", "imaging.series.1.at.1", "no moment", "end - 2 h",
    ),
    "after the end": (
        "end - 2 h", "end + 2 h", "imaging.series.1.at.1", "outside the run", "from the start",
    ),
    "pattern with two strengths": (
        "    amplitude: 15 V             # [P]\n    shape: biphasic\n    frequency: 10 Hz",
        "    amplitude: 15 V\n    of_capture: 85 %\n    shape: biphasic\n    frequency: 10 Hz",
        "patterns.tonic_10hz_2mean.of_capture", "both a voltage and a share", "of_capture: 85 %",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_says_where_what_and_how(name: str, tmp_path: Path) -> None:
    old, new, path, what, remedy = MISTAKES[name]
    assert old in TEXT
    file = tmp_path / "protocol.yaml"
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileProblems) as caught:
        load_protocol(file)
    problems = [p for p in caught.value.problems if p.path == path]
    assert problems, [p.path for p in caught.value.problems]
    assert what in problems[0].what
    assert remedy in problems[0].remedy


def test_a_staircase_with_no_use_of_it_is_fine_and_moments_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_text(TEXT, encoding="utf-8")
    protocol = load_protocol(file).model
    assert [series_moment_s(protocol, at) for s in protocol.imaging.series for at in s.at] == [
        0.0, 3600.0, 12 * 3600.0,
    ]  # fmt: skip
    assert series_moment_s(protocol, "treatment + 30 min") == 5400.0


def test_a_share_of_capture_stands_at_the_most_that_it_can_become(tmp_path: Path) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_text(TEXT, encoding="utf-8")
    patterns = every_pattern(load_protocol(file).model)
    assert patterns["ff:0"].amplitude_v == 24.0  # 150 % of the top step
    assert patterns["ff:0"].amplitude == "150 % of capture"
    assert [patterns[f"capture:{i}"].amplitude_v for i in (0, 7)] == [2.0, 16.0]
    assert patterns["tonic_10hz_2mean"].amplitude_v == 15.0

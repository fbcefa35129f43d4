"""Rounds, films and optics: each case bends one thing and gives its finding."""

from __future__ import annotations

import pytest

TWITCH = {"pulse_width": "0.4 ms", "amplitude": "6 V", "shape": "biphasic", "frequency": "2 Hz"}


def films(bench, **values):
    bench.protocol["patterns"]["twitch"] = dict(TWITCH)
    bench.protocol["imaging"]["films"] = {
        "at": ["10 min"],
        "channel": "phase",
        "duration": "5 s",
        "frame_rate": "50 Hz",
        "exposure": "10 ms",
        "stimulus": "twitch",
        **values,
    }


def films_beside_a_dry_well(bench):
    films(bench)
    del bench.rig["electrodes"]["pair_C3"]
    bench.protocol["arms"]["vehicle"]["pattern"] = None
    bench.protocol["arms"]["nerve"]["pattern"] = None


def second_channel(bench):
    bench.protocol["imaging"]["channels"]["nuclei"] = {
        "modality": "fluorescence",
        "shows": "nuclei",
        "exposure": "50 ms",
    }


def fluorescence_with_light(bench):
    second_channel(bench)
    bench.rig["optics"]["nuclei"] = bench.rig["optics"]["phase"] | {"light_mw_cm2": 100.0}


def dark_fluorescence(bench):
    second_channel(bench)
    bench.rig["optics"]["nuclei"] = dict(bench.rig["optics"]["phase"])


# name: (how to bend, the codes that come with their severity)
CASES = {
    "round does not fit": (
        lambda b: b.protocol["imaging"].update(interval="10 s"),
        {"imaging.round-too-long": "block"},
    ),
    "no round fits the run": (
        lambda b: b.protocol["imaging"].update(first="86399 s"),
        {"imaging.no-round": "block"},
    ),
    "film does not fit": (
        lambda b: films(b, duration="600 s"),
        {"imaging.film-does-not-fit": "block"},
    ),
    "films of each well's own impulses": (
        lambda b: films(b, stimulus=None),
        {"imaging.film-stimulus": "warn"},
    ),
    "films of another stimulus than the definition's": (
        lambda b: (films(b), b.protocol.update(definition={"reference_stimulus": "tonic"})),
        {"imaging.film-stimulus": "warn"},
    ),
    "films between two trains": (
        lambda b: films(b, stimulus="tonic"),
        {"imaging.film-pulses": "block"},
    ),
    "films of twitches without rest": (
        lambda b: (films(b), b.protocol["patterns"]["twitch"].update(frequency="2.5 Hz")),
        {"imaging.film-no-rest": "block"},
    ),
    "films of a sham": (lambda b: films(b, stimulus="sham"), {"imaging.film-pulses": "block"}),
    "films of wells without electrodes": (
        films_beside_a_dry_well,
        {"imaging.film-no-electrodes": "warn"},
    ),
    "film at a round": (
        lambda b: films(b, at=["24 h"], duration="60 s"),
        # moved past the beginning of treatment: no baseline any more
        {"imaging.film-moved": "note", "design.no-baseline": "note"},
    ),
    "exposure longer than a film frame": (
        lambda b: films(b, exposure="30 ms"),
        {"imaging.film-exposure": "block"},
    ),
    "channel without optics": (second_channel, {"imaging.no-optics": "block"}),
    "stage does not reach": (
        lambda b: b.rig["instruments"]["stage"].update(settings={"x_max_um": -20000.0}),
        {"imaging.out-of-travel": "block"},
    ),
    "light": (fluorescence_with_light, {"imaging.light-dose": "warn"}),
    "light not measured": (dark_fluorescence, {"imaging.light-unmeasured": "note"}),
    "field does not fit the well": (
        lambda b: b.protocol["imaging"].update(wall_distance="7.8 mm"),
        {"imaging.field-does-not-fit": "block"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_imaging_is_found(name, bench, new_findings):
    bend, expected = CASES[name]
    bend(bench)
    assert new_findings() == expected

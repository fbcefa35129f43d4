"""A simulated night with all test series: what is measured is what the simulated culture is."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from labrig.record.reading import read_journal
from labrig.run_folder import RunFolder
from labrig.truth.check import check_truth
from labrig.twin.cameras import culture_state, scene_geometry
from labrig_analysis.films.series import force_frequency
from labrig_analysis.synthetic.film import TwitchKinetics, render_film

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"
UM, SIDE = 1.3, 384
STEPS_V = (4.0, 6.0, 8.0, 10.0, 12.0)
RATES_HZ = (1.0, 5.0, 10.0, 20.0, 50.0)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

DOSE = "dose: {pulse_width: 0.4 ms, of_capture: 110 %, fallback: 9 V, shape: biphasic, " + (
    "frequency: 2 Hz}"
)
TESTS = """
arms:
  sham: {role: control, pattern: sham}
  dosed: {pattern: dose}

phases:
  - {name: baseline, duration: 16 min, factors: off, stimulation: off}
  - {name: treatment, duration: 24 min}

assays:
  capture:
    kind: staircase
    pulse_width: 0.4 ms
    frequency: 2 Hz
    pulses: 4
    amplitude: {from: 4 V, to: 12 V, step: 2 V}
    rest: 2 s
  ff:
    kind: frequencies
    at: [1 Hz, 5 Hz, 10 Hz, 20 Hz, 50 Hz]
    train: 1.5 s
    rest: 5 s
    pulse_width: 0.4 ms
    amplitude: 15 V
  tiring:
    kind: fatigue
    frequency: 10 Hz
    on: 0.5 s
    off: 0.5 s
    for: 40 s
    film: [first 4 s, last 4 s]
    rest: 10 s
    pulse_width: 0.4 ms
    amplitude: 15 V

imaging:
  interval: 20 min
  sites: 1
  wall_distance: 1.5 mm
  channels:
    phase: {modality: phase, shows: cells, exposure: 20 ms}
  films: {at: [], channel: phase, duration: 2 s, frame_rate: 50 Hz, exposure: 20 ms}
  series:
    - {at: [1 min], assay: capture}
    - {at: [22 min], assay: ff}
    - {at: [32 min], assay: tiring}

"""


def protocol_text():
    """The demo's culture on four wells, one of each channel, for forty minutes."""
    text = (CATALOGUE / "demo-night.yaml").read_text(encoding="utf-8")
    text = text[: text.index("arms:\n")] + TESTS + text[text.index("environment:") :]
    text = re.sub(r"factors:\n.*?(?=patterns:)", "", text, flags=re.DOTALL)
    text = text.replace("patterns:\n", f"patterns:\n  {DOSE}\n")
    text = re.sub(r"(    passage: 4[^\n]*\n)", r"\1    wells: [A1, B1, C1, D1]\n", text)
    return text.replace("name: demo-night", "name: series-night").replace("12 h", "1 h")


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    protocol = folder / "series-night.yaml"
    protocol.write_text(protocol_text(), encoding="utf-8")
    command = [
        sys.executable, "-m", "labrig", "run", protocol, "--rig", BENCH, "--simulate", "--fast",
        "--runs", folder, "--no-page",
    ]  # fmt: skip
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=1100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [run] = [path.parent for path in folder.glob("*/run.json")]
    return RunFolder.at(run)


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def filmed(night):
    """What each film really showed, by well and the second it ended in."""
    lines = (night.twin / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    seen = (json.loads(line) for line in lines)
    return [one["true"] for one in seen if one["asked"]["round"] is None]


def truth_of(films, row):
    """The film of a row of contractions.csv."""
    begun_s = float(row["offset_s"])
    own = [f for f in films if f["well"] == row["well"] and f["now_s"] > begun_s]
    return min(own, key=lambda film: film["now_s"])


def twitch_um(scene, volts):
    """How far the field moves in one rested twitch at an amplitude, as it is drawn."""
    film = render_film(
        scene_geometry(scene["seed"], scene["well"], scene["field"], SIDE * UM, SIDE * UM),
        culture_state(scene, UM, 1.0), (SIDE, SIDE), UM, pulses_s=np.array([0.0]),
        frame_rate_hz=50.0, n_frames=1, rng_seed=1, pulse_amplitude_v=volts,
    )  # fmt: skip
    return float(film.truth.pulse_response_um[0])


def usual_peak(scene):
    """Median over a film's trains of the largest activation, in twitches: as it is drawn."""
    kinetics = TwitchKinetics(scene["time_to_peak_s"], scene["half_relaxation_s"])
    pulses_s = np.array(scene["pulses_s"])
    time_s = np.arange(0.0, pulses_s[-1] + 1.0, 0.002)
    left = 1.0 - scene["fatigue_per_pulse"]
    total = sum(
        left ** (scene["tired_pulses"] + n) * kinetics.twitch(time_s - at_s)
        for n, at_s in enumerate(pulses_s)
    )
    activation = kinetics.summed(total)
    trains = np.split(pulses_s, np.flatnonzero(np.diff(pulses_s) > 0.45) + 1)
    return float(
        np.median(
            [
                activation[(time_s >= train[0]) & (time_s <= train[-1] + 0.3)].max()
                for train in trains
                if train[0] >= 0
            ]
        )
    )


def test_thresholds_curves_and_fatigue_are_those_of_the_simulated_culture(night):
    films = filmed(night)
    measured = [r for r in rows_of(night.measures / "contractions.csv") if r["assay"]]
    assert {r["status"] for r in measured} == {"ok"}, {r["reasons"] for r in measured}
    series = rows_of(night.measures / "series.csv")
    assert {(r["assay"], r["status"]) for r in series} == {
        ("capture", "ok"), ("ff", "ok"), ("tiring", "ok"),
    }  # fmt: skip
    found = {(r["assay"], r["well"]): r for r in series}

    for well in ("A1", "B1", "C1", "D1"):
        own = [r for r in measured if r["well"] == well]
        steps = [r for r in own if r["assay"] == "capture"]
        drawn = [twitch_um(truth_of(films, r), float(r["asked_v"])) for r in steps]
        true_v = STEPS_V[int(np.flatnonzero(np.array(drawn) >= 0.1 * max(drawn))[0])]
        assert abs(float(found["capture", well]["capture_v"]) - true_v) <= 2.0, "within a step"

        trains = [r for r in own if r["assay"] == "ff"]
        tops = [usual_peak(truth_of(films, r)) for r in trains]
        true = force_frequency(RATES_HZ, tops)
        ff = found["ff", well]
        assert float(ff["f50_hz"]) == pytest.approx(true.f50_hz, rel=0.2)
        assert float(ff["tetanus_twitch_ratio"]) == pytest.approx(true.ratio, rel=0.15)

        first, last = (r for r in own if r["assay"] == "tiring")
        true_left = usual_peak(truth_of(films, last)) / usual_peak(truth_of(films, first))
        assert true_left < 0.85, "the simulated culture tires"
        assert float(found["tiring", well]["fatigue_ratio"]) == pytest.approx(true_left, rel=0.1)


def test_the_dose_is_a_share_of_what_was_found_and_tests_are_counted_apart(night):
    rows = read_journal(night.journal)
    frozen = {
        f"{r.detail['instrument']}:{r.detail['channel']}": r.detail["volts"]
        for r in rows
        if r.key == "capture-frozen"
    }
    series = rows_of(night.measures / "series.csv")
    plan = json.loads(night.plan.read_text(encoding="utf-8"))["plan"]
    unit_of = {well["well"]: well["pattern_unit"] for well in plan["wells"]}
    assert frozen == {
        unit_of[r["well"]]: float(r["capture_v"]) for r in series if r["assay"] == "capture"
    }
    played = {}
    for row in rows:
        played |= (row.detail.get("resolved_v") or {}) if row.kind == "level" else {}
    dosed = {unit_of[w["well"]].rpartition(":")[2] for w in plan["wells"] if w["arm"] == "dosed"}
    assert played == {
        channel: pytest.approx(1.1 * frozen[f"stimulator:{channel}"], abs=0.001)
        for channel in dosed
    }
    ledger = json.loads(night.ledger.read_text(encoding="utf-8"))
    tests = 5 * 4 + (2 + 8 + 15 + 30 + 75) + 40 * 5
    assert {(p["tests_planned"], p["tests_delivered"]) for p in ledger["pulses"]} == {
        (tests, tests)
    }
    assert check_truth(night.root) == []
    page = (night.root / "report" / "report.html").read_text(encoding="utf-8")
    assert "Test series" in page
    assert "Capture threshold (V)" in page

"""What is wrong is said with its place and what to do, and nothing is started."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labrig.commands import exit_codes

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"

# (what is wrong, text in the demo's protocol, what stands there instead, what must be said)
PROTOCOL_MISTAKES = [
    ("misspelt key", "interval: 30 min", "intervall: 30 min", ["intervall", "interval"]),
    ("wrong unit", "flow: 1.0 mL/h", "flow: 1.0 mL", ["perfusion.flow", "mL/h"]),
    ("no unit", "interval: 30 min", "interval: 30", ["imaging.interval", "unit"]),
    ("stimulator out of its limits", "amplitude: 15 V", "amplitude: 95 V", ["tonic_10hz_2mean"]),
    ("uncommitted", "pilot: true", "pilot: false", ["labrig commit"]),
]


@pytest.mark.parametrize(("old", "new", "said"), [m[1:] for m in PROTOCOL_MISTAKES],
                         ids=[m[0] for m in PROTOCOL_MISTAKES])  # fmt: skip
def test_a_wrong_protocol_does_not_start(labrig, short_night, tmp_path, old, new, said):
    text = short_night.read_text(encoding="utf-8")
    assert old in text
    short_night.write_text(text.replace(old, new, 1), encoding="utf-8")

    done = labrig("run", short_night, "--rig", BENCH, "--simulate", "--fast", check=False)

    assert done.returncode == 1, done.stdout + done.stderr
    for word in said:
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


RIG_MISTAKES = [
    ("unknown instrument", "type: pulse_pal_2", "type: pulse_pall", ["pulse_pall", "pulse_pal_2"]),
    ("line to nowhere", "pump: nerve_01, wells: [A1, B1]", "pump: nerve_77, wells: [A1, B1]",
     ["nerve_77"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), [m[1:] for m in RIG_MISTAKES],
                         ids=[m[0] for m in RIG_MISTAKES])  # fmt: skip
def test_a_wrong_rig_does_not_start(labrig, short_night, tmp_path, old, new, said):
    text = BENCH.read_text(encoding="utf-8")
    assert old in text
    rig = tmp_path / "rig.yaml"
    rig.write_text(text.replace(old, new, 1), encoding="utf-8")

    done = labrig("run", short_night, "--rig", rig, "--simulate", "--fast", check=False)

    assert done.returncode == 1, done.stdout + done.stderr
    for word in said:
        assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_not_there(labrig, short_night, tmp_path):
    text = BENCH.read_text(encoding="utf-8")
    number = iter(range(70, 80))
    text = re.sub("address: sim", lambda _: f"address: /dev/ttyUSB{next(number)}", text)
    rig = tmp_path / "rig.yaml"
    rig.write_text(text, encoding="utf-8")

    asked = labrig("doctor", rig, check=False)
    assert asked.returncode == 5
    started = labrig("run", short_night, "--rig", rig, check=False)
    assert started.returncode == 5
    assert started.stderr.startswith("Not started:")
    assert "/dev/ttyUSB7" in started.stderr
    assert "Traceback" not in started.stderr


def test_a_real_start_on_a_simulated_bench_is_refused(labrig, short_night):
    done = labrig("run", short_night, "--rig", BENCH, check=False)
    assert done.returncode == 1
    assert "--simulate" in done.stderr


def test_status_without_a_run_says_what_to_name(labrig):
    done = labrig("status", check=False)
    assert done.returncode == exit_codes.NO_RUNNER
    assert "no run lives" in done.stderr
    assert "name its run folder" in " ".join(done.stderr.split())

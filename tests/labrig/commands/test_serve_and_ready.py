"""What `labrig serve` refuses before it starts anything, and `labrig ready`."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labrig.cli import app
from labrig.flows.services import PrefectServices, ServiceFailed
from labrig.launch.bench_ready import READY_FILE

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"
DEMO = CATALOGUE / "demo-night.yaml"


def labrig(*arguments):
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    return done.exit_code, " ".join(done.output.split()), done.exception


@pytest.mark.parametrize("when", [("--at", "0 18 * * *"), ("--every", "24 h")])
def test_one_schedule_for_several_protocols_is_refused(tmp_path, when):
    other = CATALOGUE / "overnight-imaging.yaml"
    status, text, _ = labrig("serve", DEMO, other, "--rig", BENCH, "--runs", tmp_path, *when)
    assert status == 2
    assert "several protocols" in text
    assert list(tmp_path.iterdir()) == []


def test_two_protocols_of_one_name_are_refused(tmp_path):
    copy = shutil.copy(DEMO, tmp_path / "copy.yaml")
    shutil.copy(CATALOGUE / "schema.json", tmp_path / "schema.json")
    status, text, _ = labrig("serve", DEMO, copy, "--rig", BENCH, "--runs", tmp_path / "runs")
    assert status == 2
    assert "named 'demo-night'" in text


def test_a_port_that_is_taken_is_said_at_once(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(ServiceFailed, match="--port"):
            PrefectServices(tmp_path / "home", other.getsockname()[1])


def test_ready_is_written_down_with_its_time(tmp_path):
    status, text, _ = labrig("ready", "--runs", tmp_path, "--name", "A. Technician")
    assert status == 0
    assert "is ready" in text
    assert "A. Technician" in (tmp_path / READY_FILE).read_text()


def test_ready_of_no_folder_is_refused(tmp_path):
    status, _, error = labrig("ready", "--runs", tmp_path / "nowhere")
    assert status == 1
    assert "--runs" in str(error)

"""Two runs in different folders never share a bench."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labrig.launch.port_claims import claimed_ports
from labrig.rig.bench import BenchSpec, PortSpec
from labrig_drivers.errors import PortBusy


def bench(*addresses):
    ports = tuple(PortSpec(f"port{i}", address, None) for i, address in enumerate(addresses))
    return BenchSpec(ports, (), ())


def test_the_second_run_on_a_port_is_told_which_run_has_it(tmp_path):
    claims = tmp_path / "claims"
    mine, other = bench("socket://pumps:4001", "/dev/one"), bench("/dev/two", "socket://pumps:4001")
    with claimed_ports(mine, tmp_path / "night one", claims):
        with pytest.raises(PortBusy, match="night one") as refused:
            with claimed_ports(other, tmp_path / "night two", claims):
                pytest.fail("two runs on one port")
        assert "labrig stop" in refused.value.remedy
        with claimed_ports(bench("/dev/two"), tmp_path / "night three", claims):
            pass  # what the second had claimed before it was refused is free again
    with claimed_ports(other, tmp_path / "night two", claims):
        pass


def test_one_device_under_two_names_is_one_port(tmp_path):
    device = tmp_path / "ttyUSB0"
    device.touch()
    link = tmp_path / "by-id"
    link.symlink_to(device)
    claims = tmp_path / "claims"
    with claimed_ports(bench(str(device)), tmp_path, claims):
        with pytest.raises(PortBusy), claimed_ports(bench(str(link)), tmp_path, claims):
            pytest.fail("two runs on one device")


def test_simulated_ports_belong_to_nobody(tmp_path):
    with claimed_ports(bench("sim"), tmp_path, tmp_path / "claims"):
        with claimed_ports(bench("sim"), tmp_path, tmp_path / "claims"):
            pass


def test_a_run_that_was_killed_leaves_no_claim(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from labrig.launch.port_claims import claimed_ports
from labrig.rig.bench import BenchSpec, PortSpec
bench = BenchSpec((PortSpec("p", "/dev/one", None),), (), ())
with claimed_ports(bench, Path("dead run"), Path({str(tmp_path / "claims")!r})):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with claimed_ports(bench("/dev/one"), tmp_path, tmp_path / "claims"):
        pass

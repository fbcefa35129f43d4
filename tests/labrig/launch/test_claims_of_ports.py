"""Two runs in different folders never share a bench."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from labrig.launch import port_claims
from labrig.launch.port_claims import claimed_ports, one_address
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
from labrig.launch import port_claims
from labrig.launch.port_claims import claimed_ports, one_address
from labrig.rig.bench import BenchSpec, PortSpec
bench = BenchSpec((PortSpec("p", "/dev/one", None),), (), ())
with claimed_ports(bench, Path("dead run"), Path({str(tmp_path / "claims")!r})):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with claimed_ports(bench("/dev/one"), tmp_path, tmp_path / "claims"):
        pass


@pytest.mark.parametrize(
    "names",
    [
        ["socket://localhost:4001", "socket://127.0.0.1:4001", "socket://[::1]:4001",
         "SOCKET://LocalHost:4001/", "socket://127.0.0.2:4001", "socket://[::ffff:127.0.0.1]:4001",
         "socket://localhost.:4001?logging=debug"],
        ["COM3", "com3", r"\\.\COM3"],
        ["socket://Pumps:4001", "socket://pumps:4001"],
        ["socket://[2001:db8::0:1]:1", "socket://[2001:DB8::1]:1"],
        ["0", "/dev/video0"],
    ],
)  # fmt: skip
def test_every_way_to_write_one_port_is_one_port(names):
    assert len({one_address(name, "linux") for name in names}) == 1


def test_different_ports_stay_different():
    names = ["socket://localhost:4001", "socket://localhost:4002", "rfc2217://localhost:4001",
             "socket://pumps:4001", "COM3", "COM30", "/dev/one", "socket://x:bad",
             "socket://y:bad"]  # fmt: skip
    assert len({one_address(name) for name in names}) == len(names)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of its own: its shared folder and this user's state."""
    shared = tmp_path / "tmp"
    shared.mkdir()
    monkeypatch.setattr(port_claims, "SHARED", shared)
    monkeypatch.setenv("LABRIG_STATE", str(tmp_path / "state"))
    return shared


def test_another_tmpdir_defeats_no_claim(machine, tmp_path, monkeypatch):
    with claimed_ports(bench("socket://pumps:1"), tmp_path / "one"):
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        with (
            pytest.raises(PortBusy, match="one"),
            claimed_ports(bench("socket://pumps:1"), tmp_path),
        ):
            pytest.fail("two runs on one port")


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="makes files of others")
def test_users_see_each_other_and_trust_only_what_each_has_made(machine, tmp_path, caplog):
    with claimed_ports(bench("socket://pumps:1"), tmp_path / "mine"):
        mine = next(machine.iterdir())
        claim = next(mine.iterdir())
        other = machine / "labrig-ports-4711"
        other.mkdir()
        theirs = other / claim.name
        theirs.write_text("their run")
        os.chown(other, 4711, 4711)
        with open(theirs) as held:
            assert port_claims.try_lock(held)
            with pytest.raises(PortBusy, match="their run"):
                port_claims._see_that_free(theirs, "pumps", "socket://pumps:1")
    with open(theirs) as held:
        assert port_claims.try_lock(held)
        with pytest.raises(PortBusy, match="their run"):
            with claimed_ports(bench("socket://pumps:1"), tmp_path):
                pytest.fail("two users on one port")
    # a folder under my number that another has made, and one that does not belong to its number
    for path in (claim, mine):
        path.unlink() if path.is_file() else path.rmdir()
    mine.mkdir()
    os.chown(mine, 4711, 4711)
    os.chown(other, 1, 1)
    with open(theirs) as held, claimed_ports(bench("socket://pumps:1"), tmp_path):
        assert port_claims.try_lock(held), "not believed"
        assert not list(mine.iterdir())
    assert "made by somebody else" in caplog.text


@pytest.mark.parametrize("how", ["symlink", "hard link", "fifo"])
def test_what_a_claim_points_at_is_never_written(machine, tmp_path, how):
    with claimed_ports(bench("/dev/one"), tmp_path):
        claims = [path for path in tmp_path.glob("**/ports/*")]
    treasure = tmp_path / "treasure"
    treasure.write_text("months of work")
    for claim in claims:
        claim.unlink()
        if how == "symlink":
            claim.symlink_to(treasure)
        elif how == "hard link":
            claim.hardlink_to(treasure)
        else:
            os.mkfifo(claim)
    with pytest.raises(PortBusy, match="no plain file"), claimed_ports(bench("/dev/one"), tmp_path):
        pytest.fail("claimed through a link")
    assert treasure.read_text() == "months of work"


def test_a_folder_of_claims_that_others_may_write_in_is_not_trusted(tmp_path):
    loose = tmp_path / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    linked = tmp_path / "linked"
    linked.symlink_to(loose)
    for folder in (loose, linked):
        with pytest.raises(PermissionError, match="cannot be trusted"):
            with claimed_ports(bench("/dev/one"), tmp_path, folder):
                pytest.fail("trusted")

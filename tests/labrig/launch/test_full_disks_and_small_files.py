"""A full disk under the small files of a starting runner: none of them keeps it from its cells."""

from __future__ import annotations

import errno
import json
import logging
import os

import pytest

from labrig.durable import read_json
from labrig.launch import pace, port_claims, runner_child, runner_process
from labrig.launch.pace import settle_pace
from labrig.launch.port_claims import claimed_ports
from labrig.rig.bench import BenchSpec, PortSpec
from labrig.run.register import registered
from labrig.run.stop_file import read_stop
from labrig.run_folder import RunFolder
from labrig_drivers.errors import PortBusy


def _full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_claim_that_cannot_be_signed_holds_all_the_same(tmp_path, monkeypatch):
    bench = BenchSpec((PortSpec("pump", "/dev/ttyUSB7", None),), (), ())
    monkeypatch.setattr(port_claims.os, "ftruncate", _full)
    with (
        claimed_ports(bench, tmp_path / "one", tmp_path / "claims"),
        pytest.raises(PortBusy),
        claimed_ports(bench, tmp_path / "two", tmp_path / "claims"),
    ):
        raise AssertionError("two runs have one port")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_neither_the_register_nor_a_log_on_a_full_disk_ends_a_run(tmp_path, monkeypatch, caplog):
    """The register takes nothing, at its writing or its closing, and neither does stderr."""
    monkeypatch.setenv("LABRIG_STATE", str(tmp_path / "state"))
    opened = os.open

    def open_full(path, flags, mode=0o777, **more):
        if str(path).endswith(".new"):
            return opened("/dev/full", os.O_RDWR)
        return opened(path, flags, mode, **more)

    monkeypatch.setattr("labrig.run.register.os.open", open_full)
    with open("/dev/full", "w", buffering=1) as stderr:
        monkeypatch.setattr("sys.stderr", stderr)
        monkeypatch.setattr(logging, "raiseExceptions", True)
        with registered(tmp_path, {"id": "x", "simulated": True}) as registration:
            registration.write(registration_door())
            runner_process._say("a word")
        monkeypatch.undo()
        try:
            stderr.close()
        except OSError:
            pass
    assert "not in the register" in caplog.text


def registration_door():
    from labrig.run.register import Door

    return Door("127.0.0.1", 1, "t")


def test_a_pace_that_cannot_be_written_down_is_kept_to(tmp_path, monkeypatch):
    monkeypatch.setattr(pace, "write_json", _full)
    assert settle_pace(RunFolder(tmp_path), 20.0) == 20.0


def test_half_a_door_file_is_no_door_yet(tmp_path):
    """On a full disk it is written over the one before it, in place."""
    folder = RunFolder(tmp_path)
    whole = json.dumps({"pid": 12, "host": "127.0.0.1"})
    for length in range(len(whole)):
        folder.control.write_text(whole[:length])
        assert runner_child._door_of(folder) is None
    folder.control.write_text(whole)
    assert runner_child._door_of(folder) == 12


def test_what_is_nested_without_end_is_damaged_like_anything_else(tmp_path):
    path = tmp_path / "stop.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match="damaged"):
        read_json(path)
    assert read_stop(path) is not None


def test_the_bench_is_closed_though_its_truth_cannot_be_written(tmp_path, monkeypatch):
    closed = []

    class Twin:
        def truth(self):
            return {}

        def close(self):
            closed.append(True)

    monkeypatch.setattr(runner_process, "write_json", _full)
    runner_process._close_twin(RunFolder(tmp_path), Twin())  # type: ignore[arg-type]
    assert closed == [True]

"""A night whose stage lives in the imaging process: a third party's type, real child processes."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
from hosted_stage_type import SOURCE
from plugged_in import PlugIns

from labrig.frames.imaging_host import ImagingHost
from labrig.launch.imaging_process import build_host
from labrig.launch.imaging_spec import HostedEntry, ImagingSpec
from labrig.record.reading import read_journal
from labrig.run_folder import RunFolder
from labrig_drivers.instrument import installed_types

CATALOGUE = Path(__file__).parents[3] / "protocols"


@pytest.fixture
def plug_ins(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    plugged = PlugIns(site, monkeypatch)
    plugged.install("acme-labrig", {"acme_stage": "INSTRUMENT"}, SOURCE)
    yield site
    monkeypatch.undo()
    installed_types.cache_clear()


@pytest.fixture
def rig(tmp_path):
    """The simulated bench with that stage."""
    text = (CATALOGUE / "rigs" / "simulated-bench.yaml").read_text(encoding="utf-8")
    old = "stage: {type: asi_ms2000, port: stage}"
    assert old in text
    file = tmp_path / "hosted-bench.yaml"
    file.write_text(text.replace(old, "stage: {type: acme_stage, port: stage}"), encoding="utf-8")
    return file


@pytest.fixture
def labrig_with_plug_in(labrig, sentry, plug_ins):
    """The child processes find the third party's package too."""
    environment, _ = sentry
    environment["PYTHONPATH"] = os.pathsep.join([str(plug_ins), environment["PYTHONPATH"]])
    return labrig


def one_well(short_night, tmp_path):
    text = short_night.read_text(encoding="utf-8")
    head, rest = text.split("arms:\n")
    arm, tail = rest.split("\nphases:")
    kept = arm[arm.index("  vehicle-sham:") : arm.index("  vehicle-tonic:")]
    donors = "donors:\n  - {id: d1, passage: 4, wells: [C4, B2]}\n\nmedia:"
    head = head[: head.index("donors:")] + donors + head.split("\nmedia:")[1]
    file = tmp_path / "one-well.yaml"
    file.write_text(f"{head}arms:\n{kept}\nphases:{tail}", encoding="utf-8")
    return file


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["--rehearse", "--simulate"])
def test_it_moves_to_every_picture(how, labrig_with_plug_in, short_night, rig, tmp_path):
    protocol = one_well(short_night, tmp_path)
    done = labrig_with_plug_in("run", protocol, "--rig", rig, how, "--fast", "--json", check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    folder = RunFolder.at(tmp_path / json.loads(done.stdout.strip().splitlines()[-1])["run"])
    rows = read_journal(folder.journal)
    assert [row.detail for row in rows if row.kind == "deviation"] == []
    taken = [r for r in rows if r.kind in ("frame", "film") and r.state == "confirmed"]
    plan = json.loads(folder.plan.read_text(encoding="utf-8"))["plan"]
    asked = {e["key"]: e for e in plan["timeline"] if e["key"].startswith(("frame/", "film/"))}
    assert len(taken) == len(asked)
    for row in taken:
        reached = row.detail["x_reached_um"], row.detail["y_reached_um"]
        assert reached == pytest.approx((asked[row.key]["x_um"], asked[row.key]["y_um"]), abs=5.0)
    if how == "--simulate":
        shown = [
            json.loads(line)
            for line in (folder.twin / "truth.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        assert shown
        assert all(p["asked"]["well"] == p["true"]["well"] for p in shown)
        with folder.manifest.open(newline="", encoding="utf-8") as stream:
            assert {row["well"] for row in csv.DictReader(stream)} == {"C4", "B2"}


def host_of(tmp_path, address) -> ImagingHost:
    layout = {
        "name": "n", "wells": ["A1"], "fields": 1, "channels": ["phase"], "rounds": 1,
        "height_px": 32, "width_px": 32, "pixel_size_um": 1.0, "interval_s": 60.0,
    }  # fmt: skip
    stage = HostedEntry("xy", "acme_stage", address, {"label": "XY"})
    return build_host(
        ImagingSpec(layout, (), {"phase": 1.0}, {"phase": "cells"}, {}, (stage,)), tmp_path
    )


@pytest.mark.parametrize(
    ("address", "model"), [("mm.cfg", "library stage"), ("sim", "simulated stage")]
)
def test_the_imaging_process_hosts_the_real_one_or_a_simulated_one(
    plug_ins, tmp_path, address, model
):
    (tmp_path / "twin").mkdir()
    host = host_of(tmp_path, address)

    def ask(do, **what):
        request = {"id": 4, "do": do, "instrument": "xy", "now_s": 1.0, **what}
        return host.answer(json.loads(json.dumps(request)))

    assert ask("identify_stage")["model"] == model
    assert ask("move_to", x_um=3.0, y_um=-4.0) == {"id": 4, "ok": True}
    assert ask("stop")["ok"]
    assert ask("position", now_s=9.0)["ok"]
    if address != "sim":
        assert ask("position") == {"id": 4, "ok": True, "x_um": 3.0, "y_um": -4.0}
    assert not ask("fly")["ok"]
    assert not ask("position", instrument="abc")["ok"]

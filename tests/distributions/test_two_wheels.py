"""Both wheels are built; labrig-analysis alone, in an empty environment, measures a folder."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.render import render_nuclei, render_tubes
from labrig_analysis.synthetic.scene import make_scene

ROOT = Path(__file__).parents[2]
PIXEL_UM = 1.0
# What a bench needs and a notebook does not.
NOT_IN_A_NOTEBOOK = ("prefect", "fastapi", "sqlalchemy", "pymodbus", "serial", "labrig", "uvicorn")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("uv") is None, reason="uv builds and installs the wheels"),
]


def uv(*words: object, where: Path = ROOT) -> str:
    done = subprocess.run(
        ["uv", *map(str, words)], cwd=where, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheels")
    uv("build", "--wheel", "--all-packages", "--out-dir", out, "--quiet")
    return {path.name.split("-")[0]: path for path in out.glob("*.whl")}


@pytest.fixture(scope="module")
def environment(wheels, tmp_path_factory):
    folder = tmp_path_factory.mktemp("environment")
    uv("venv", "--quiet", "--python", sys.executable, folder / "venv")
    pins = folder / "pins.txt"
    locked = ("export", "--frozen", "--quiet", "--no-hashes", "--no-emit-workspace", "--no-dev")
    pins.write_text(uv(*locked, "--package", "labrig-analysis"))
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    uv("pip", "install", "--quiet", "--python", python, "-c", pins, wheels["labrig_analysis"])
    return python.parent


def test_every_module_is_in_one_wheel(wheels):
    names = {what: set(zipfile.ZipFile(path).namelist()) for what, path in wheels.items()}
    assert set(names) == {"labrig", "labrig_analysis"}
    assert not names["labrig"] & names["labrig_analysis"]
    packed = {name for files in names.values() for name in files}
    for folder, base in (("labrig", "."), ("labrig_drivers", "drivers"), ("", "analysis")):
        for module in (ROOT / base / folder).rglob("*.py"):
            name = module.relative_to(ROOT / base).as_posix()
            if name.startswith("labrig"):
                assert name in packed
    assert "labrig_analysis/weights/nucleus_merging.json" in packed
    assert "labrig_analysis/py.typed" in packed
    assert "labrig_measure/py.typed" in packed


def test_labrig_measure_needs_no_bench(environment, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    scene = make_scene(1, "A1", 0, height_um=500, width_um=500)
    culture = CultureState(fused_fraction=0.5)
    for name, draw in (("myhc", render_tubes), ("dapi", render_nuclei)):
        plane = np.asarray(draw(scene, culture, (500, 500), PIXEL_UM, 1))
        cv2.imwrite(str(images / f"a_{name}.png"), plane)
    line = [
        environment / "labrig-measure", images, "--tubes", "*_myhc.png", "--nuclei", "*_dapi.png",
        "--pixel-size-um", PIXEL_UM, "--out", tmp_path / "out", "--json",
    ]  # fmt: skip
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["fields"] == 1
    with (tmp_path / "out" / "fields.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["status"], row["kind"]) == ("ok", "tube")
    assert int(row["tubes"]) > 0
    assert 0 < float(row["fusion_index"]) < 1
    assert (tmp_path / "out" / "overlays" / "a.png").stat().st_size > 0


def test_an_ome_zarr_plate_names_the_extra(environment, tmp_path):
    attributes = {"plate": {"wells": [{"path": "A/1"}]}, "version": "0.5"}
    plate = tmp_path / "plate.ome.zarr"
    for folder, content in (
        (plate, attributes),
        (plate / "A" / "1", {"well": {"images": [{"path": "0"}]}}),
        (plate / "A" / "1" / "0", {"multiscales": [{"datasets": [{"path": "0"}]}]}),
    ):
        folder.mkdir(parents=True)
        group = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": content}}
        (folder / "zarr.json").write_text(json.dumps(group))
    line = [environment / "labrig-measure", plate, "--tubes", "MyHC", "--out", tmp_path / "out"]
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "labrig-analysis[zarr]" in done.stderr


def test_the_library_is_whole_and_alone(environment):
    program = (
        "import importlib.util, pkgutil, labrig_analysis, labrig_measure\n"
        f"print([m for m in {NOT_IN_A_NOTEBOOK!r} if importlib.util.find_spec(m)])\n"
        "for package in (labrig_analysis, labrig_measure):\n"
        "    for m in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(m.name)\n"
        "from labrig_analysis import measure\n"
    )
    # Not from the checkout, whose packages Python would find.
    done = subprocess.run(
        [str(environment / "python"), "-c", program],
        cwd=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"

"""The plate on disk: what was acknowledged is there, whatever happens next."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import tifffile
import yaozarrs
import zarr

from labrig.frames.plate_labels import LabelPlane, write_labels
from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig.frames.plate_times import PlaneOf, write_times

LAYOUT = PlateLayout(
    name="night",
    wells=("A1", "A2", "B1"),
    fields=2,
    channels=("phase", "tubes"),
    rounds=3,
    height_px=96,
    width_px=130,
    pixel_size_um=0.65,
    interval_s=1800.0,
)


def plane(seed):
    shape = (LAYOUT.height_px, LAYOUT.width_px)
    return np.random.default_rng(seed).integers(0, 4096, shape, dtype=np.uint16)


@pytest.fixture
def store(tmp_path):
    return PlateStore.create(tmp_path / "plate.ome.zarr", LAYOUT)


def test_a_plane_reads_back_equal_and_its_hash_is_that_of_its_file(store):
    written = store.write("B1", 1, 2, "tubes", plane(7))

    assert (store.read("B1", 1, 2, "tubes") == plane(7)).all()
    content = (store.root.parent / written.path).read_bytes()
    assert hashlib.sha256(content).hexdigest() == written.sha256
    assert len(content) == written.bytes


def test_the_same_pixels_make_the_same_file(store, tmp_path):
    other = PlateStore.create(tmp_path / "other.ome.zarr", LAYOUT)
    first = store.write("A1", 0, 0, "phase", plane(1))
    assert other.write("A1", 0, 0, "phase", plane(1)).sha256 == first.sha256


def test_a_plate_with_some_frames_is_valid_ngff(store):
    store.write("A1", 0, 0, "phase", plane(1))
    yaozarrs.validate_zarr_store(str(store.root))


def test_a_plane_never_taken_is_an_error_not_zeros(store):
    assert not store.has("A1", 0, 1, "phase")
    with pytest.raises(KeyError, match="A1 field 0 round 1 phase was never taken"):
        store.read("A1", 0, 1, "phase")


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(np.zeros((96, 131), np.uint16), id="wrong shape"),
        pytest.param(np.zeros((96, 130), np.float64), id="floats would wrap silently"),
        pytest.param(np.zeros((96, 130), np.uint8), id="8 bit not widened"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_place_to_mend(store, pixels):
    with pytest.raises(ValueError, match="correct width_px/height_px under optics"):
        store.write("A1", 0, 0, "phase", pixels)


def test_going_on_sweeps_torn_files_and_keeps_what_was_there(store):
    store.write("A1", 0, 0, "phase", plane(1))
    torn = store.root / "A" / "1" / "0" / "0" / "c" / "0" / "0" / "0" / "0.abc.partial"
    torn.write_bytes(b"half a plane")

    again = PlateStore.open(store.root)

    assert not torn.exists()
    assert again.layout == LAYOUT
    assert (again.read("A1", 0, 0, "phase") == plane(1)).all()


def test_creating_over_a_plate_is_refused(store):
    with pytest.raises(FileExistsError, match="open it to go on writing"):
        PlateStore.create(store.root, LAYOUT)


def test_opening_nothing_says_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no zarr\.json"):
        PlateStore.open(tmp_path / "nothing")


LARGE = replace(LAYOUT, wells=("A1",), fields=1, full_scale=(4095, 255), levels=2)


def ome(store, *path):
    content = (store.root.joinpath(*path) / "zarr.json").read_text(encoding="utf-8")
    return json.loads(content)["attributes"]["ome"]


def test_the_contrast_window_is_what_each_camera_can_give(tmp_path):
    store = PlateStore.create(tmp_path / "plate.ome.zarr", LARGE)
    windows = [channel["window"] for channel in ome(store, "A", "1", "0")["omero"]["channels"]]
    assert windows == [{"min": 0, "max": most, "start": 0, "end": most} for most in (4095, 255)]


def test_large_planes_have_a_level_of_half_the_size_that_lies_on_them(tmp_path):
    store = PlateStore.create(tmp_path / "plate.ome.zarr", LARGE)
    pixels = plane(3)
    pixels[:2, 2:4] = [[10, 20], [30, 40]]
    store.write("A1", 0, 1, "tubes", pixels)
    small = zarr.open_array(str(store.root / "A/1/0/1"), mode="r")
    assert small.shape == (3, 2, 48, 65)
    assert small[1, 1, 0, 1] == 25
    yaozarrs.validate_zarr_store(str(store.root))
    full, half = ome(store, "A", "1", "0")["multiscales"][0]["datasets"]
    assert full["coordinateTransformations"] == [
        {"type": "scale", "scale": [1800.0, 1.0, 0.65, 0.65]}
    ]
    assert half["coordinateTransformations"] == [
        {"type": "scale", "scale": [1800.0, 1.0, 1.3, 1.3]},
        {"type": "translation", "translation": [0.0, 0.0, 0.325, 0.325]},
    ]


def test_a_plate_of_an_older_version_is_gone_on_with_as_it_is(store):
    path = store.root / "zarr.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for name in ("full_scale", "levels"):
        del content["attributes"]["labrig"][name]
    path.write_text(json.dumps(content), encoding="utf-8")
    again = PlateStore.open(store.root)
    again.write("A1", 0, 0, "phase", plane(1))
    assert (again.read("A1", 0, 0, "phase") == plane(1)).all()
    assert not (store.root / "A/1/0/1").exists()


def test_labels_lie_where_viewers_look_for_them(store, tmp_path):
    found = np.zeros((96, 130), np.uint16)
    found[10:20, 30:60] = 7
    tifffile.imwrite(tmp_path / "t.tif", found)
    planes = [
        LabelPlane("B1", 1, "tubes", 2, tmp_path / "t.tif"),
        LabelPlane("B1", 1, "nuclei", 2, tmp_path / "t.tif"),
        LabelPlane("A1", 0, "tubes_phase", 0, tmp_path / "t.tif"),
    ]
    for _ in range(2):  # as when a run is followed again
        assert write_labels(store.root, LAYOUT, planes) == 3
    yaozarrs.validate_zarr_store(str(store.root))
    assert ome(store, "B", "1", "1", "labels")["labels"] == ["nuclei", "tubes"]
    shown = ome(store, "B", "1", "1", "labels", "tubes")
    assert shown["image-label"]["source"] == {"image": "../../"}
    labels = zarr.open_array(str(store.root / "B/1/1/labels/tubes/0"), mode="r")
    assert (labels[2, 0] == found).all()
    assert not labels[:2].any()
    yaozarrs.validate_zarr_store(str(store.root / "B/1/1/labels/tubes"))
    assert not (store.root / "A/2/0/labels").exists()


def test_labels_have_as_many_levels_as_their_picture(tmp_path):
    store = PlateStore.create(tmp_path / "plate.ome.zarr", LARGE)
    found = np.zeros((96, 130), np.uint16)
    found[10:20, 30:60], found[10:20, 60:80] = 7, 12
    tifffile.imwrite(tmp_path / "t.tif", found)
    write_labels(store.root, LARGE, [LabelPlane("A1", 0, "tubes", 2, tmp_path / "t.tif")])
    yaozarrs.validate_zarr_store(str(store.root))
    picture, labels = (
        ome(store, "A", "1", "0", *below)["multiscales"][0]["datasets"]
        for below in ((), ("labels", "tubes"))
    )
    assert labels == picture
    half = zarr.open_array(str(store.root / "A/1/0/labels/tubes/1"), mode="r")
    assert half.shape == (3, 1, 48, 65)
    assert set(np.unique(half[2, 0])) == {0, 7, 12}
    assert (half[2, 0, 5:10, 15:30] == 7).all()


def test_the_plate_tells_when_its_pictures_were_taken(store):
    first = datetime(2026, 3, 1, 17, 0, 3, 250_000, UTC)
    taken = {
        PlaneOf("A1", 0, 0, "phase"): first,
        PlaneOf("A1", 0, 2, "phase"): first + timedelta(hours=1),
    }
    for _ in range(2):
        write_times(store.root, LAYOUT, taken)
    yaozarrs.validate_zarr_store(str(store.root))
    acquisition = ome(store)["plate"]["acquisitions"][0]
    assert acquisition["starttime"] == 1772384403250
    assert acquisition["endtime"] - acquisition["starttime"] == 3_600_000
    image = json.loads((store.root / "A/1/0/zarr.json").read_text(encoding="utf-8"))
    assert image["attributes"]["labrig"]["acquired_utc"] == {
        "phase": ["2026-03-01T17:00:03.250Z", None, "2026-03-01T18:00:03.250Z"],
        "tubes": [None, None, None],
    }
    assert PlateStore.open(store.root).layout == LAYOUT


WRITER = """
import sys
import numpy as np
from pathlib import Path
from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
layout = PlateLayout("n", ("A1",), 1, ("phase",), 500, 96, 130, 0.65, 1.0)
store = PlateStore.create(Path(sys.argv[1]), layout)
for t in range(500):
    pixels = np.random.default_rng(t).integers(0, 4096, (96, 130), dtype=np.uint16)
    store.write("A1", 0, t, "phase", pixels)
    print(t, flush=True)
"""


@pytest.mark.parametrize("kill_after", [1, 12, 40])
def test_every_acknowledged_plane_survives_kill_9(tmp_path, kill_after):
    root = tmp_path / "plate.ome.zarr"
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(root)],
        stdout=subprocess.PIPE,
        text=True,
    )
    acknowledged = [int(writer.stdout.readline()) for _ in range(kill_after)]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in writer.stdout.read().split()]
    writer.wait()
    writer.stdout.close()

    store = PlateStore.open(root)
    for t in acknowledged:
        wanted = np.random.default_rng(t).integers(0, 4096, (96, 130), dtype=np.uint16)
        assert (store.read("A1", 0, t, "phase") == wanted).all(), f"plane {t}"

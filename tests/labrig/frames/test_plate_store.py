"""The plate on disk: what was acknowledged is there, whatever happens next."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import yaozarrs

from labrig.frames.plate_store import PlateLayout, PlateStore

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


WRITER = """
import sys
import numpy as np
from pathlib import Path
from labrig.frames.plate_store import PlateLayout, PlateStore
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

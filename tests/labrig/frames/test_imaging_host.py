"""The camera host answers every request, and a failed picture is an answer too."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
import tifffile

from labrig.frames.film_store import write_film
from labrig.frames.imaging_host import ImagingHost, focus_score
from labrig.frames.manifest import COLUMNS, write_manifest
from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig_drivers.errors import NoReply
from labrig_drivers.kinds import Identity, Picture

LAYOUT = PlateLayout("n", ("A1",), 1, ("phase",), 2, 64, 64, 0.65, 60.0)


class StillCamera:
    """Always the same picture, until told to fail."""

    def __init__(self, pixels):
        self.pixels = pixels
        self.error = None

    def identify(self):
        return Identity("test", "still", "0")

    def close(self):
        pass

    def snap(self, exposure_ms):
        if self.error is not None:
            raise self.error
        return Picture(self.pixels, exposure_ms)

    def film(self, exposure_ms, frame_rate_hz, frames):
        return [Picture(self.pixels + i, exposure_ms) for i in range(frames)]


@pytest.fixture
def camera():
    return StillCamera(np.random.default_rng(3).integers(10, 200, (64, 64), dtype=np.uint8))


@pytest.fixture
def host(camera, tmp_path):
    store = PlateStore.create(tmp_path / "plate.ome.zarr", LAYOUT)
    return ImagingHost({"cam": camera}, store, tmp_path / "films", {"phase": 0.65})


SNAP = {
    "id": 1, "do": "snap", "camera": "cam", "channel": "phase", "well": "A1", "field": 0,
    "round": 1, "exposure_ms": 20.0, "attachment": None,
}  # fmt: skip


def test_a_picture_is_stored_widened_not_rescaled(host, camera, tmp_path):
    reply = host.answer(SNAP)

    assert reply["ok"]
    assert reply["id"] == 1
    assert reply["exposure_ms"] == 20.0
    stored = PlateStore.open(tmp_path / "plate.ome.zarr").read("A1", 0, 1, "phase")
    assert (stored == camera.pixels).all()


def test_a_silent_camera_is_an_answer_with_a_remedy(host, camera):
    camera.error = NoReply("cam", "no frame came within 2 s.", "Check the cable.")

    reply = host.answer(SNAP)

    assert reply == {
        "id": 1, "ok": False, "what": "no frame came within 2 s.", "remedy": "Check the cable.",
        "error": "NoReply",
    }  # fmt: skip


def test_a_full_disk_is_an_answer_with_a_remedy(host, camera):
    camera.error = OSError(28, "No space left on device")
    reply = host.answer(SNAP)
    assert not reply["ok"]
    assert "No space left" in reply["what"]
    assert "earlier pictures are safe" in reply["remedy"]


def test_an_unknown_camera_is_an_answer(host):
    reply = host.answer({**SNAP, "camera": "nobody"})
    assert not reply["ok"]
    assert "nobody" in reply["what"]


def test_a_film_is_one_tiff_with_its_calibration(host, tmp_path):
    reply = host.answer(
        {**SNAP, "do": "film", "name": "A1_f0_000", "frame_rate_hz": 50.0, "frames": 5}
    )

    assert reply["ok"], reply
    with tifffile.TiffFile(tmp_path / reply["path"]) as film:
        assert film.series[0].shape == (5, 64, 64)
        assert 'PhysicalSizeX="0.65"' in film.ome_metadata
    assert not list((tmp_path / "films").glob("*.partial"))


def test_lines_in_lines_out_in_order(host):
    replies = io.StringIO()
    host.serve([json.dumps({**SNAP, "id": n, "round": n}) + "\n" for n in (0, 1)], replies)
    assert [json.loads(line)["id"] for line in replies.getvalue().splitlines()] == [0, 1]


def test_sharpness_falls_with_blur_and_ignores_brightness():
    import cv2

    sharp = np.random.default_rng(1).integers(50, 200, (64, 64)).astype(np.float32)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 2.0)
    assert focus_score(blurred) < 0.2 * focus_score(sharp)
    assert focus_score(sharp * 3) == pytest.approx(focus_score(sharp), rel=1e-4)
    assert focus_score(np.zeros((8, 8), np.uint8)) == 0.0


def test_the_manifest_is_whole_or_the_old_one(tmp_path):
    path = tmp_path / "frames.csv"
    rows = [dict.fromkeys(COLUMNS, "x"), {**dict.fromkeys(COLUMNS, "y"), "well": None}]
    assert write_manifest(path, rows) == 2

    def broken():
        yield dict.fromkeys(COLUMNS, "z")
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        write_manifest(path, broken())
    lines = path.read_text().splitlines()
    assert lines[0].split(",") == list(COLUMNS)
    assert len(lines) == 3


def test_the_same_film_is_the_same_file(tmp_path):
    frames = np.arange(3 * 16 * 16, dtype=np.uint16).reshape(3, 16, 16)
    first, second = (
        write_film(tmp_path / folder, "film", frames, 0.65, 50.0) for folder in ("one", "two")
    )
    assert first.sha256 == second.sha256


@pytest.mark.parametrize(
    ("full_scale", "value", "dtype", "fraction"),
    [
        ({"phase": 4095.0}, 4095, np.uint16, 1.0),
        ({"phase": 4095.0}, 4094, np.uint16, 0.0),
        ({"phase": 65535.0}, 4095, np.uint16, 0.0),
        ({"phase": 65535.0}, 255, np.uint8, 1.0),
        ({}, 255, np.uint8, 1.0),
        ({}, 65535, np.uint16, 1.0),
    ],
)
def test_saturation_is_judged_by_the_cameras_own_scale(
    tmp_path, full_scale, value, dtype, fraction
):
    store = PlateStore.create(tmp_path / "plate.ome.zarr", LAYOUT)
    pixels = np.full((64, 64), value, dtype)
    pixels[:32] = 7
    camera = StillCamera(pixels)
    host = ImagingHost(
        {"cam": camera}, store, tmp_path / "films", {"phase": 0.65}, full_scale=full_scale
    )
    assert host.answer(SNAP)["saturated_fraction"] == fraction / 2
    film = {**SNAP, "do": "film", "name": "f", "frame_rate_hz": 10.0, "frames": 1}
    assert host.answer(film)["saturated_fraction"] == fraction / 2


@pytest.mark.parametrize(("came_s", "rate_hz"), [((5.0, 5.104, 5.208), 9.615385), (None, 10.0)])
def test_the_rate_of_a_film_is_the_one_at_which_its_frames_came(camera, host, came_s, rate_hz):
    pixels = camera.pixels
    camera.film = lambda exposure_ms, rate_hz, frames: [
        Picture(pixels, exposure_ms, came_s[i] if came_s else None) for i in range(frames)
    ]
    film = {**SNAP, "do": "film", "name": "f", "frame_rate_hz": 10.0, "frames": 3}
    reply = host.answer(film)
    assert reply["frame_rate_hz"] == rate_hz
    with tifffile.TiffFile(host._film_folder / "f.ome.tif") as written:
        told = re.search('TimeIncrement="(.*?)"', written.ome_metadata)
        assert float(told[1]) == pytest.approx(1 / rate_hz, rel=1e-5)


def test_a_height_without_a_focus_drive_is_refused_and_not_passed_over(host):
    reply = host.answer(SNAP | {"z_um": 12.5})
    assert not reply["ok"]
    assert "no focus drive, and z = 12.5 µm is asked for" in reply["what"]
    assert host.answer(SNAP | {"z_um": None})["ok"]


def test_a_picture_that_cannot_be_looked_at_is_stored_and_said_to_be(host, monkeypatch, caplog):
    def fails(pixels):
        raise ArithmeticError("no look")

    monkeypatch.setattr("labrig.frames.imaging_host.focus_score", fails)
    reply = host.answer(SNAP)
    assert reply["ok"]
    assert reply["sha256"]
    assert (reply["focus"], reply["doubts"]) == (None, ("unseen",))
    assert "could not be looked at" in caplog.text

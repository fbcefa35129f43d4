"""What people film into: videos, stacks with and without metadata, folders of frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tifffile

from labrig.measure.film_files import open_film
from labrig.measure.film_refusals import FilmRefused

FRAMES = (np.arange(12)[:, None, None] * 5 + np.arange(20 * 16).reshape(20, 16) % 50).astype(
    np.uint8
)


def frames_of(path):
    return np.stack(list(open_film(path).frames))


def folder(tmp_path, suffix=".png", names=None, frames=FRAMES):
    home = tmp_path / "frames"
    home.mkdir(exist_ok=True)
    for number, frame in enumerate(frames):
        name = home / (names(number) if names else f"f{number}{suffix}")
        if suffix == ".tif":
            tifffile.imwrite(name, frame)
        else:
            name.write_bytes(cv2.imencode(suffix, frame)[1].tobytes())
    return home


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path, suffix):
    home = folder(tmp_path, suffix)
    (home / "._f0.png").write_bytes(b"apple")
    (home / "notes.txt").write_text("10x, well B2")
    assert (frames_of(home) == FRAMES).all(), "f10 comes after f9"
    assert open_film(home).promised == 12


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_frames_of_sixteen_bits_stay_so(tmp_path, suffix):
    deep = FRAMES.astype(np.uint16) * 200
    assert (frames_of(folder(tmp_path, suffix, frames=deep)) == deep).all()


def test_names_beyond_ascii_are_read(tmp_path):
    home = folder(tmp_path, names=lambda n: f"Größe µm {n}.png")
    assert len(frames_of(home)) == 12


def stacks(tmp_path):
    plain = dict(photometric="minisblack")
    tifffile.imwrite(tmp_path / "plain.tif", FRAMES, **plain)
    tifffile.imwrite(tmp_path / "lzw.tif", FRAMES, compression="lzw", **plain)
    tifffile.imwrite(
        tmp_path / "imagej.tif", FRAMES, imagej=True, resolution=(2.0, 2.0),
        metadata={"axes": "TYX", "finterval": 0.02, "unit": "um"},
    )  # fmt: skip
    tifffile.imwrite(
        tmp_path / "film.ome.tif", FRAMES,
        metadata={"axes": "TYX", "TimeIncrement": 20, "TimeIncrementUnit": "ms",
                  "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm",
                  "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"},
    )  # fmt: skip
    tifffile.imwrite(tmp_path / "as_z.tif", FRAMES, imagej=True, metadata={"axes": "ZYX"})
    colour = np.repeat(FRAMES[..., None], 3, axis=-1)
    tifffile.imwrite(tmp_path / "colour.tif", colour, photometric="rgb")


@pytest.mark.parametrize(
    ("name", "rate_hz", "pixel_um"),
    [
        ("plain.tif", None, None),
        ("lzw.tif", None, None),
        ("imagej.tif", 50.0, 0.5),
        ("film.ome.tif", 50.0, 0.5),
        ("as_z.tif", None, None),
        ("colour.tif", None, None),
    ],
)
def test_a_stack_is_read_with_what_it_says_of_itself(tmp_path, name, rate_hz, pixel_um):
    stacks(tmp_path)
    opened = open_film(tmp_path / name)
    assert opened.frame_rate_hz == (None if rate_hz is None else pytest.approx(rate_hz))
    assert opened.pixel_size_um == (None if pixel_um is None else pytest.approx(pixel_um))
    assert opened.promised == 12
    assert np.abs(np.stack(list(opened.frames)).astype(int) - FRAMES).max() <= 1


@pytest.mark.parametrize("suffix", [".avi", ".mov", ".mkv", ".mp4"])
def test_videos_are_read_with_their_rate(tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    codec = "mp4v" if suffix in (".mov", ".mp4") else "MJPG"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25, (64, 48))
    for number in range(10):
        writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    writer.release()
    opened = open_film(path)
    assert opened.frame_rate_hz == pytest.approx(25)
    assert len(list(opened.frames)) == 10


def refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("none")
    folder(tmp_path / "empty", frames=FRAMES[:1])
    mixed = folder(tmp_path)
    (mixed / "mean.tif").write_bytes(b"II")
    tifffile.imwrite(tmp_path / "channels.tif", FRAMES[:3], imagej=True, metadata={"axes": "CYX"})
    tifffile.imwrite(
        tmp_path / "both.tif", np.stack([FRAMES, FRAMES]), imagej=True,
        metadata={"axes": "TZYX"},
    )  # fmt: skip
    (tmp_path / "film.czi").write_bytes(b"ZISRAWFILE")
    (tmp_path / "film.avi").write_bytes(b"")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none", "is not there"),
        ("empty", "a folder without pictures"),
        ("empty/frames", "one picture, f0.png"),
        ("frames", "several kinds"),
        ("channels.tif", "3 channels and no time"),
        ("both.tif", "give a stack of frames"),
        ("film.czi", "export it as OME-TIFF"),
        ("film.avi", "cannot be read as a video"),
    ],
)
def test_what_is_no_film_says_why_and_what_to_give(tmp_path, name, says):
    refused(tmp_path)
    with pytest.raises(FilmRefused, match=says):
        open_film(tmp_path / name)


def test_a_damaged_frame_of_a_folder_is_named(tmp_path):
    home = folder(tmp_path)
    (home / "f7.png").write_bytes(b"\x89PNG cut")
    with pytest.raises(FilmRefused, match=r"f7\.png cannot be read"):
        frames_of(home)

"""What the page shows of a plate: the very grey values, in one contrast, and never a torn plane."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest

from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig.plan.store import read_plan
from labrig.web.contrast import Window, shown, window_of
from labrig.web.picture_desk import MOST_ASKED, Busy, PictureDesk
from labrig.web.run_pictures import Asked, NoPicture, RunPictures, media_type


@pytest.fixture
def pictures(write_run, story):
    folder = write_run(story)
    found = RunPictures(folder, read_plan(folder), 60.0)
    found.taken.look()
    return found


def decoded(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def test_at_full_size_it_is_the_plane_of_that_round_to_the_last_grey_value(
    pictures, write_run, story
):
    folder = write_run(story)
    plane = PlateStore.look(folder.plate).read("B3", 0, 1, "phase")
    asked = Asked("B3", 0, 1, "phase", width_px=64)

    content = pictures.encoded(asked)

    assert media_type(content) == "image/png"
    assert np.array_equal(decoded(content), shown(plane, pictures.window("phase")))
    other = pictures.encoded(replace(asked, round=2))
    assert not np.array_equal(decoded(other), decoded(content))


def test_smaller_it_keeps_its_proportions(pictures):
    content = pictures.encoded(Asked("B3", 0, 1, "phase", width_px=32))
    assert media_type(content) == "image/jpeg"
    assert decoded(content).shape == (24, 32)


def test_the_contrast_is_that_of_the_first_rounds_whatever_comes_later():
    first = np.full((40, 40), 1000, np.uint16)
    first[:20] = 200
    window = window_of([first])
    assert (window.low, window.high) == (200.0, 1000.0)

    later = shown((first // 2).astype(np.uint16), window)

    assert later.max() == round(255 * (500 - 200) / 800)
    assert shown(first, window).max() == 255


def test_an_even_plane_has_a_contrast_too():
    assert window_of([np.full((8, 8), 7, np.uint16)]) == Window(7.0, 8.0)


def test_with_its_own_contrast_a_picture_fills_the_scale(tmp_path, pictures):
    content = pictures.encoded(Asked("B3", 0, 1, "phase", width_px=64, auto=True))
    assert decoded(content).max() == 255


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"well": "Z9"}, "no well"),
        ({"well": "../B3"}, "no well"),
        ({"field": 1}, "a well has 1"),
        ({"field": -1}, "a well has 1"),
        ({"round": 10**9}, "the run has"),
        ({"round": -1}, "the run has"),
        ({"channel": "red"}, "no channel"),
        ({"round": 1, "overlay": True}, "nothing is measured"),
    ],
)
def test_what_is_not_there_is_said(pictures, change, why):
    with pytest.raises(NoPicture, match=why):
        pictures.stamp(replace(Asked("B3", 0, 0, "phase", 64), **change))


def test_a_picture_that_was_missed_is_told_from_one_that_is_to_come(write_run, story):
    folder = write_run(replace(story, missed_round=1))
    found = RunPictures(folder, read_plan(folder), 60.0)
    found.taken.look()

    moments = found.taken.moments("B3", 0, "phase")

    assert [moment.round for moment in moments if not moment.taken] == [1]
    with pytest.raises(NoPicture, match="no picture was taken"):
        found.stamp(Asked("B3", 0, 1, "phase", 64))


def test_a_picture_is_late_from_what_counts_as_late(write_run, story):
    folder = write_run(story)  # each comes 1.5 s after it was due
    late = {}
    for late_from_s in (1.0, 2.0):
        found = RunPictures(folder, read_plan(folder), late_from_s)
        found.taken.look()
        late[late_from_s] = {moment.late_s for moment in found.taken.moments("B3", 0, "phase")}
    assert late == {1.0: {1.5}, 2.0: {0.0}}


def test_an_overlay_is_shown_as_it_was_drawn(pictures):
    content = pictures.encoded(Asked("B3", 0, 0, "phase", 64, overlay=True))
    assert (decoded(content) == 90).all()


def test_a_run_without_pictures_says_so(write_run, story):
    folder = write_run(replace(story, imaged=False))
    found = RunPictures(folder, read_plan(folder), 60.0)
    assert found.layout() is None
    with pytest.raises(NoPicture, match="no pictures yet"):
        found.stamp(Asked("B3", 0, 0, "phase", 64))


def test_a_plane_that_is_written_over_is_read_whole_or_as_it_was(tmp_path):
    layout = PlateLayout("p", ("A1",), 1, ("phase",), 1, 600, 600, 1.0, 60.0)
    writer = PlateStore.create(tmp_path / "plate.ome.zarr", layout)
    writer.write("A1", 0, 0, "phase", np.full((600, 600), 1, np.uint16))
    reader = PlateStore.look(tmp_path / "plate.ome.zarr")
    over = threading.Event()

    def write():
        for value in range(2, 40):
            writer.write("A1", 0, 0, "phase", np.full((600, 600), value, np.uint16))
        over.set()

    writing = threading.Thread(target=write)
    writing.start()
    seen = [np.unique(reader.read("A1", 0, 0, "phase"))]
    while not over.is_set():
        seen.append(np.unique(reader.read("A1", 0, 0, "phase")))
    writing.join()

    assert all(len(values) == 1 for values in seen)


def test_looking_at_a_plate_leaves_its_writers_files_alone(tmp_path):
    layout = PlateLayout("p", ("A1",), 1, ("phase",), 1, 8, 8, 1.0, 60.0)
    PlateStore.create(tmp_path / "plate.ome.zarr", layout)
    half = tmp_path / "plate.ome.zarr" / "A" / "1" / "0" / "0.partial"
    half.touch()
    PlateStore.look(tmp_path / "plate.ome.zarr")
    assert half.exists()


class TestPictureDesk:
    def test_each_picture_is_made_once(self):
        made = []
        desk = PictureDesk()
        for _ in range(3):
            desk.once("key", lambda: made.append(1) or b"picture")
        desk.close()
        assert made == [1]

    def test_to_one_too_many_it_says_that_it_is_busy_and_afterwards_works_again(self):
        go_on = threading.Event()

        async def ask(desk):
            waiting = [asyncio.ensure_future(desk.do(go_on.wait)) for _ in range(MOST_ASKED)]
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await desk.do(lambda: b"")
            go_on.set()
            await asyncio.gather(*waiting)
            return await desk.do(lambda: b"now")

        desk = PictureDesk()
        assert asyncio.run(ask(desk)) == b"now"
        desk.close()

    def test_what_it_keeps_is_bounded(self, monkeypatch):
        monkeypatch.setattr("labrig.web.picture_desk.KEPT_BYTES", 25)
        made = []

        def make(key):
            made.append(key)
            return b"0123456789"

        desk = PictureDesk()
        for key in ("a", "b", "c", "b", "a"):
            desk.once(key, lambda key=key: make(key))
        desk.close()
        assert made == ["a", "b", "c", "a"]

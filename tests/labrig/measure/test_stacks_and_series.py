"""Stacks along z and series of time points: chosen by option, never silently the first."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest
import tifffile
import zarr

from labrig_measure.batch import measure_folder
from labrig_measure.errors import MeasureError, UnreadableImage
from labrig_measure.pairing import FieldFiles, pair_fields
from labrig_measure.planes import PlaneFile, read_plane
from labrig_measure.records import sign
from labrig_measure.stack_fields import of_plate, with_choice
from labrig_measure.stacks import StackChoice, project

HYPER = np.random.default_rng(3).integers(0, 60_000, (2, 4, 3, 32, 40)).astype(np.uint16)
"""(t, z, c, y, x)."""
OF_Z = {
    "max": lambda stack: stack.max(axis=0),
    "mean": lambda stack: stack.mean(axis=0, dtype=np.float64).astype(np.float32),
    "sum": lambda stack: stack.sum(axis=0, dtype=np.float64).astype(np.float32),
    "2": lambda stack: stack[2],
}


@pytest.fixture(params=["ome", "imagej", "imagej packed"])
def hyper(request, tmp_path):
    path = tmp_path / "a.tif"
    kind, _, packed = request.param.partition(" ")
    more = {"compression": "zlib"} if packed else {}
    tifffile.imwrite(path, HYPER, metadata={"axes": "TZCYX"}, **{kind: True}, **more)
    return path


@pytest.mark.parametrize("z", OF_Z)
def test_a_hyperstack_by_time_channel_and_z(hyper, z):
    for time in (0, 1):
        for channel in range(3):
            read = read_plane(PlaneFile(str(hyper), str(channel), time, z))
            np.testing.assert_array_equal(read, OF_Z[z](HYPER[time, :, channel]))


REFUSED = {
    "no z": ((0, None), r"stack of 4 z planes: say --z max, mean, sum, focus .*, 0 to 3"),
    "no time": ((None, "max"), r"2 time points: say --time all .*, 0 to 1"),
    "z too high": ((0, "4"), "and 4 is none of them"),
    "time too high": ((2, "max"), "and 2 is none of them"),
}


@pytest.mark.parametrize(("choice", "why"), REFUSED.values(), ids=REFUSED)
def test_without_a_choice_the_choices_are_listed(hyper, choice, why):
    with pytest.raises(UnreadableImage, match=why):
        read_plane(PlaneFile(str(hyper), "0", *choice))


@pytest.mark.parametrize("kind", ["png", "tif", "zarr"])
def test_a_plane_that_a_single_picture_has_not_is_refused(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "zarr":
        zarr.create_array(path / "0", data=HYPER[0, 0, 0], dimension_names=["y", "x"])
        axes = [{"name": name, "type": "space"} for name in "yx"]
        datasets = [
            {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}
        ]
        ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
        zarr.open_group(path, mode="a").attrs["ome"] = ome
    elif kind == "png":
        assert cv2.imwrite(str(path), HYPER[0, 0, 0])
    else:
        tifffile.imwrite(path, HYPER[0, 0, 0])
    for z in (None, "0", "max"):
        assert (read_plane(PlaneFile(str(path), z=z)) == HYPER[0, 0, 0]).all()
    with pytest.raises(UnreadableImage, match="no stack: --z 3 is not in it"):
        read_plane(PlaneFile(str(path), z="3"))


def test_only_the_pages_that_are_needed_are_read(hyper, monkeypatch):
    pages = []
    asarray = tifffile.TiffFile.asarray

    def watched(file, key=None, **more):
        pages.extend(key)
        return asarray(file, key=key, **more)

    monkeypatch.setattr(tifffile.TiffFile, "asarray", watched)
    read_plane(PlaneFile(str(hyper), "1", 1, "3"))
    assert pages in ([], [21, 22, 23])


def test_the_sharpest_plane_is_in_focus():
    import cv2

    sharp = np.zeros((80, 80), np.uint16)
    for row in range(20, 60, 8):
        sharp[row : row + 4, 10:70] = 9000
    blurred = [cv2.GaussianBlur(sharp, (0, 0), sigma) for sigma in (4, 2, 3)]
    blurred[1][5, 5] = 65_535  # a hot pixel is no sharpness
    stack = [*blurred[:2], sharp, blurred[2]]
    assert project(stack, "focus") is sharp


@pytest.mark.parametrize("metadata", [None, {"axes": "QYX"}])
def test_pages_that_say_nothing_of_themselves_are_a_stack_when_told_so(tmp_path, metadata):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        if metadata is None:
            for page in HYPER[0, :, 0]:
                file.write(page, metadata=None)
        else:
            file.write(HYPER[0, :, 0], photometric="minisblack", metadata=metadata)
    np.testing.assert_array_equal(
        read_plane(PlaneFile(str(path), z="max")), HYPER[0, :, 0].max(axis=0)
    )
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "1")), HYPER[0, 1, 0])


def test_channels_that_imagej_saved_as_z_are_asked_for_by_number(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, HYPER[0, :2, 0], imagej=True, metadata={"axes": "ZYX"})
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "1")), HYPER[0, 1, 0])
    with pytest.raises(UnreadableImage, match="stack of 2 z planes"):
        read_plane(PlaneFile(str(path)))


def zarr_stack(tmp_path):
    image = tmp_path / "a.ome.zarr"
    axes = [
        {"name": "t", "type": "time"},
        {"name": "c", "type": "channel"},
        *({"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"),
    ]
    scale = {"type": "scale", "scale": [1, 1, 2, 0.5, 0.5]}
    levels = [{"path": "0", "coordinateTransformations": [scale]}]
    omero = {"channels": [{"label": name} for name in ("tubes", "nuclei", "x")]}
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}], "omero": omero}
    group = zarr.create_group(image, attributes={"ome": ome})
    group.create_array("0", data=np.moveaxis(HYPER, 2, 1), chunks=(1, 1, 2, 32, 40))
    return image


@pytest.mark.parametrize("z", OF_Z)
def test_a_stack_in_ome_zarr(tmp_path, z):
    image = zarr_stack(tmp_path)
    read = read_plane(PlaneFile(str(image), "nuclei", 1, z))
    np.testing.assert_array_equal(read, OF_Z[z](HYPER[1, :, 1]))
    with pytest.raises(UnreadableImage, match="stack of 4 z planes: say --z"):
        read_plane(PlaneFile(str(image), "nuclei", 1))


def test_each_time_point_is_a_field_where_all_are_asked_for(hyper):
    found = pair_fields(hyper.parent, {"tubes": "*.tif:0", "nuclei": "*.tif:1"})
    fields = with_choice(found, StackChoice("max", "all"))
    assert [field.name for field in fields] == ["a_t000", "a_t001"]
    read = read_plane(fields[1].planes["nuclei"])
    np.testing.assert_array_equal(read, HYPER[1, :, 1].max(axis=0))
    [one] = with_choice(found, StackChoice("max", "1"))
    assert (one.name, one.planes["tubes"].time_index) == ("a", 1)


def test_of_a_plate_one_time_may_be_chosen():
    plate = [FieldFiles(f"A1_t{t:03d}", {"tubes": PlaneFile("x", "tubes", t)}) for t in range(3)]
    assert [field.name for field in of_plate(plate, StackChoice())] == [f.name for f in plate]
    [one] = of_plate(plate, StackChoice("max", "2"))
    assert (one.name, one.planes["tubes"].z) == ("A1_t002", "max")


def test_another_choice_is_another_measurement_and_no_choice_none():
    one = FieldFiles("a", {"tubes": PlaneFile("a.tif", None, 3)})
    assert '"time_index": 3' in sign(one, "", 1.0)
    assert '"z"' not in sign(one, "", 1.0)
    other = FieldFiles("a", {"tubes": PlaneFile("a.tif", None, 3, "max")})
    assert sign(one, "", 1.0) != sign(other, "", 1.0)


@pytest.mark.parametrize(("z", "time"), [("median", None), ("-1", None), (None, "last")])
def test_what_is_no_choice_is_refused(z, time):
    with pytest.raises(MeasureError, match="is n"):
        StackChoice(z, time)


def test_a_folder_of_stacks_is_measured_by_option(tmp_path, drawn):
    images = tmp_path / "images"
    images.mkdir()
    tubes, nuclei = drawn(1)
    stack = np.stack([np.stack([plane // 4, plane // 4]) for plane in (tubes, nuclei)], axis=1)
    stack[1] = tubes, nuclei
    tifffile.imwrite(images / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    patterns = {"tubes": "*.tif:0", "nuclei": "*.tif:1"}
    out = tmp_path / "out"
    refused = measure_folder(images, out, patterns, 0.65)
    assert "say --z max" in refused.failed["a"]
    found = measure_folder(images, out, patterns, 0.65, stacks=StackChoice("max"))
    assert (found.measured, found.failed) == (1, {})
    with (out / "fields.csv").open() as file:
        [row] = csv.DictReader(file)
    assert (row["tubes"], row["nuclei"]) == ("1", "4")

"""Every file kind that a microscope or its software writes, and what it says of pixel size."""

import cv2
import numpy as np
import pytest
import tifffile
import zarr

from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig_measure.errors import UnreadableImage
from labrig_measure.planes import PlaneFile, read_pixel_size_um, read_plane
from labrig_measure.plate_fields import find_plate, plate_fields

GREY = np.arange(48 * 40, dtype=np.uint16).reshape(48, 40)
COLOUR = np.dstack([GREY % 256, GREY // 8, 255 - GREY % 256]).astype(np.uint8)


def write_png(path, image):
    cv2.imwrite(str(path), image[..., ::-1] if image.ndim == 3 else image)


KINDS = {
    "8-bit png": ("x.png", write_png, GREY.astype(np.uint8)),
    "16-bit png": ("x.png", write_png, GREY),
    "16-bit tiff": ("x.tif", tifffile.imwrite, GREY),
    "32-bit tiff": ("x.tif", tifffile.imwrite, GREY.astype(np.uint32)),
    "float tiff": ("x.tif", tifffile.imwrite, GREY.astype(np.float32) / 7),
    "name with spaces and µ": ("day 3 µ.tiff", tifffile.imwrite, GREY),
}


@pytest.mark.parametrize(("name", "write", "image"), KINDS.values(), ids=KINDS.keys())
def test_a_grey_plane_comes_back_as_it_was(tmp_path, name, write, image):
    write(tmp_path / name, image)
    plane = read_plane(PlaneFile(str(tmp_path / name)))
    assert plane.dtype == image.dtype
    np.testing.assert_array_equal(plane, image)


@pytest.mark.parametrize(("channel", "index"), [("red", 0), ("green", 1), ("blue", 2), ("1", 1)])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_one_colour_of_a_colour_image(tmp_path, channel, index, ending):
    path = tmp_path / f"x.{ending}"
    write_png(path, COLOUR) if ending == "png" else tifffile.imwrite(path, COLOUR)
    plane = read_plane(PlaneFile(str(path), channel))
    np.testing.assert_array_equal(plane, COLOUR[..., index])


def test_grey_saved_as_colour_is_grey(tmp_path):
    write_png(tmp_path / "x.png", np.dstack([COLOUR[..., 1]] * 3))
    assert read_plane(PlaneFile(str(tmp_path / "x.png"))).ndim == 2


def test_channels_of_an_ome_tiff_and_its_pixel_size(tmp_path):
    path = tmp_path / "x.ome.tif"
    stack = np.stack([GREY, GREY + 1])
    tifffile.imwrite(
        path,
        stack,
        metadata={"axes": "CYX", "PhysicalSizeX": 325.0, "PhysicalSizeXUnit": "nm"},
    )
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "1")), stack[1])
    assert read_pixel_size_um(PlaneFile(str(path))) == pytest.approx(0.325)


def test_channels_of_an_ome_tiff_have_names(tmp_path):
    path, stack = tmp_path / "x.ome.tif", np.stack([GREY, GREY + 1])
    metadata = {"axes": "CYX", "Channel": {"Name": ["MyHC", "DAPI"]}}
    tifffile.imwrite(path, stack, metadata=metadata)
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "DAPI")), stack[1])
    with pytest.raises(UnreadableImage, match=r"channels MyHC, DAPI: dapi is none .*a name"):
        read_plane(PlaneFile(str(path), "dapi"))
    with pytest.raises(UnreadableImage, match=r"2 planes \(MyHC, DAPI\).*'\*\.tif:MyHC'"):
        read_plane(PlaneFile(str(path)))
    tifffile.imwrite(path, GREY, metadata={"axes": "YX", "Channel": {"Name": ["MyHC"]}})
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "MyHC")), GREY)


@pytest.mark.parametrize("pages", [3, 4, 7])
def test_pages_of_which_the_file_says_nothing_are_no_colours(tmp_path, pages):
    path, stack = tmp_path / "x.tif", np.stack([GREY + i for i in range(pages)])
    with tifffile.TiffWriter(path) as file:
        for plane in stack:
            file.write(plane, photometric="minisblack", metadata=None)
    with pytest.raises(UnreadableImage, match=f"{pages} planes: say which one.*--z max"):
        read_plane(PlaneFile(str(path)))
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "2")), stack[2])


@pytest.mark.parametrize("kind", ["ome", "imagej"])
def test_a_series_of_time_points_is_not_taken_for_its_first(tmp_path, kind):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.stack([GREY] * 3), metadata={"axes": "TYX"}, **{kind: True})
    with pytest.raises(UnreadableImage, match="3 time points: say --time all"):
        read_plane(PlaneFile(str(path)))


def test_pixel_size_of_imagej_but_not_of_dpi(tmp_path):
    tifffile.imwrite(
        tmp_path / "ij.tif", GREY, imagej=True, resolution=(2, 2), metadata={"unit": "um"}
    )
    tifffile.imwrite(tmp_path / "dpi.tif", GREY, resolution=(72, 72), resolutionunit=2)
    assert read_pixel_size_um(PlaneFile(str(tmp_path / "ij.tif"))) == pytest.approx(0.5)
    assert read_pixel_size_um(PlaneFile(str(tmp_path / "dpi.tif"))) is None


def plate(tmp_path):
    layout = PlateLayout("p", ("A1", "B12"), 2, ("phase", "tubes"), 3, 48, 40, 0.8, 1800.0)
    return PlateStore.create(tmp_path / "images" / "plate.ome.zarr", layout)


def test_fields_of_a_plate_are_those_that_were_written(tmp_path):
    store = plate(tmp_path)
    store.write("B12", 1, 0, "tubes", GREY)
    store.write("B12", 1, 2, "phase", GREY + 5)
    root = find_plate(tmp_path)
    assert root == store.root
    fields = plate_fields(root, {})
    assert [(f.name, list(f.planes)) for f in fields] == [
        ("B12_f1_t000", ["tubes"]),
        ("B12_f1_t002", ["phase"]),
    ]
    np.testing.assert_array_equal(read_plane(fields[1].planes["phase"]), GREY + 5)
    assert read_pixel_size_um(fields[0].planes["tubes"]) == pytest.approx(0.8)


def test_a_channel_the_plate_has_not(tmp_path):
    plate(tmp_path).write("A1", 0, 0, "phase", GREY)
    image = tmp_path / "images" / "plate.ome.zarr" / "A" / "1" / "0"
    with pytest.raises(UnreadableImage, match=r"'phase', 'tubes'.*dapi is none"):
        read_plane(PlaneFile(str(image), "dapi", 0))


def spoil(path, kind):
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "text": b"hello"}[kind])


@pytest.mark.parametrize("kind", ["cut", "empty", "text"])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_spoilt_files_say_which(tmp_path, kind, ending):
    path = tmp_path / f"x.{ending}"
    rng = np.random.default_rng(1)
    (write_png if ending == "png" else tifffile.imwrite)(
        path, rng.integers(0, 2**16, (200, 200)).astype(np.uint16)
    )
    spoil(path, kind)
    with pytest.raises(UnreadableImage, match=path.name):
        read_plane(PlaneFile(str(path)))


def test_a_file_that_went_away(tmp_path):
    with pytest.raises(UnreadableImage, match="not there"):
        read_plane(PlaneFile(str(tmp_path / "x.png")))


def test_a_zarr_group_that_is_no_image(tmp_path):
    zarr.open_group(str(tmp_path / "x.zarr"), mode="w")
    with pytest.raises(UnreadableImage, match=r"x\.zarr"):
        read_plane(PlaneFile(str(tmp_path / "x.zarr")))

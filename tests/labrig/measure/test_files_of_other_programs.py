"""Image files as other programs write them: read rightly, or refused with the true reason."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tifffile
import zarr

from labrig_measure.batch import measure_folder
from labrig_measure.errors import MeasureError, UnreadableImage
from labrig_measure.pairing import pair_fields
from labrig_measure.planes import PlaneFile, read_pixel_size_um, read_plane
from labrig_measure.plate_fields import plate_fields

PICTURE = np.random.default_rng(0).integers(0, 255, (64, 96), np.uint8)


@pytest.mark.parametrize("compression", ["lzw", "zlib", "zstd", "packbits", "lzma"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lossless_compressions_of_tiff_are_read(tmp_path, compression, dtype):
    path = tmp_path / "a.tif"
    picture = PICTURE.astype(dtype) * (1 if dtype == np.uint8 else 16)
    tifffile.imwrite(path, picture, compression=compression)
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path))), picture)


@pytest.mark.parametrize("compression", ["jpeg", "jpeg2000"])
def test_lossy_compressions_of_tiff_are_read(tmp_path, compression):
    path = tmp_path / "a.tif"
    smooth = np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)
    tifffile.imwrite(path, smooth, compression=compression)
    read = read_plane(PlaneFile(str(path))).astype(int)
    assert np.abs(read - smooth).max() < 12


@pytest.mark.parametrize("hidden", ["._a_myhc.tif", ".b_myhc.tif"])
def test_hidden_files_are_no_fields(tmp_path, hidden):
    tifffile.imwrite(tmp_path / "a_myhc.tif", PICTURE)
    (tmp_path / hidden).write_bytes(b"\x00\x05\x16\x07 not an image")
    assert [field.name for field in pair_fields(tmp_path, {"tubes": "*_myhc.tif"})] == ["a"]


def test_a_folder_of_hidden_files_alone_matches_nothing(tmp_path):
    (tmp_path / "._a_myhc.tif").write_bytes(b"x")
    with pytest.raises(MeasureError, match="matches no file"):
        pair_fields(tmp_path, {"tubes": "*_myhc.tif"})


@pytest.mark.parametrize("thumbnail_first", [True, False])
def test_a_thumbnail_is_not_the_picture(tmp_path, thumbnail_first):
    path = tmp_path / "a.tif"
    pages = [PICTURE[::4, ::4], PICTURE]
    with tifffile.TiffWriter(path) as file:
        for page in pages if thumbnail_first else pages[::-1]:
            file.write(np.ascontiguousarray(page), contiguous=False)
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path))), PICTURE)


@pytest.mark.parametrize("unit", ["µm", "nm", "mm"])
def test_ome_pixels_that_are_not_square_are_refused(tmp_path, unit):
    path = tmp_path / "a.ome.tif"
    metadata = {
        "axes": "YX", "PhysicalSizeX": 0.65, "PhysicalSizeXUnit": unit,
        "PhysicalSizeY": 1.3, "PhysicalSizeYUnit": unit,
    }  # fmt: skip
    tifffile.imwrite(path, PICTURE, metadata=metadata)
    with pytest.raises(UnreadableImage, match="not square"):
        read_pixel_size_um(PlaneFile(str(path)))


def test_ome_pixels_in_two_units_may_be_square(tmp_path):
    path = tmp_path / "a.ome.tif"
    metadata = {
        "axes": "YX", "PhysicalSizeX": 0.65, "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 650, "PhysicalSizeYUnit": "nm",
    }  # fmt: skip
    tifffile.imwrite(path, PICTURE, metadata=metadata)
    assert read_pixel_size_um(PlaneFile(str(path))) == pytest.approx(0.65)


@pytest.mark.parametrize(
    ("unit", "um_per_unit"), [("micron", 1), ("cm", 1e4), ("inch", 25400), ("mm", 1e3)]
)
def test_the_length_units_of_imagej_are_read(tmp_path, unit, um_per_unit):
    path = tmp_path / "a.tif"
    per_unit = um_per_unit / 0.65
    tifffile.imwrite(
        path, PICTURE, imagej=True, resolution=(per_unit, per_unit), metadata={"unit": unit}
    )
    assert read_pixel_size_um(PlaneFile(str(path))) == pytest.approx(0.65, rel=1e-3)


def test_imagej_pixels_that_are_not_square_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PICTURE, imagej=True, resolution=(2, 1), metadata={"unit": "um"})
    with pytest.raises(UnreadableImage, match="not square"):
        read_pixel_size_um(PlaneFile(str(path)))


def test_slice_labels_of_imagej_name_channels(tmp_path):
    path = tmp_path / "a.tif"
    stack = np.stack([PICTURE, PICTURE[::-1]])
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "CYX", "Labels": ["DAPI", "MyHC"]})
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "MyHC")), PICTURE[::-1])


def test_separate_pictures_in_one_file_are_asked_for_by_number(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for page in (PICTURE[::4, ::4], PICTURE, PICTURE[::-1]):
            file.write(np.ascontiguousarray(page), contiguous=False, metadata=None)
    with pytest.raises(UnreadableImage, match="holds 2 planes: say which one"):
        read_plane(PlaneFile(str(path)))
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "1")), PICTURE[::-1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_whose_white_is_nought_is_turned_over(tmp_path, dtype):
    path = tmp_path / "a.tif"
    picture = PICTURE.astype(dtype)
    tifffile.imwrite(path, np.iinfo(dtype).max - picture, photometric="miniswhite")
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path))), picture)


def test_a_colour_without_light_names_the_one_with_it(tmp_path):
    path = tmp_path / "a.png"
    black = np.zeros_like(PICTURE)
    cv2.imwrite(str(path), cv2.merge([black, black, PICTURE]))
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "red")), PICTURE)
    with pytest.raises(UnreadableImage, match="all black in green; red holds light: say :red"):
        read_plane(PlaneFile(str(path), "green"))
    cv2.imwrite(str(path), cv2.merge([black, black, black]))
    assert not read_plane(PlaneFile(str(path), "green")).any()


def write_plate(folder, chunks, shards, written=(0, 1), scale=(1, 1, 0.65, 0.65)):
    """A plate of one well whose array of (t, c, y, x) is stored in the given pieces."""
    image = folder / "A" / "1" / "0"
    axes = [
        {"name": "t", "type": "time"},
        {"name": "c", "type": "channel"},
        {"name": "y", "type": "space", "unit": "micrometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    step = {"type": "scale", "scale": list(scale)}
    multiscale = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": [step]}]}
    plate = {"wells": [{"path": "A/1"}]}
    zarr.open_group(str(folder), mode="w", attributes={"ome": {"plate": plate}})
    wells = {"images": [{"path": "0"}]}
    zarr.open_group(str(folder / "A" / "1"), mode="w", attributes={"ome": {"well": wells}})
    names = {"channels": [{"label": "tubes"}, {"label": "nuclei"}]}
    attributes = {"ome": {"multiscales": [multiscale], "omero": names}}
    zarr.open_group(str(image), mode="w", attributes=attributes)
    array = zarr.create_array(
        str(image / "0"), shape=(3, 2, 64, 96), dtype="uint8", chunks=chunks, shards=shards
    )
    for t in written:
        array[t, 0], array[t, 1] = PICTURE + 1, PICTURE // 2 + 1
    return image


@pytest.mark.parametrize(
    ("chunks", "shards"),
    [
        ((1, 1, 64, 96), None),
        ((1, 2, 64, 96), None),
        ((2, 2, 32, 32), None),
        ((1, 1, 32, 32), (1, 1, 64, 96)),
        ((1, 1, 32, 32), (2, 2, 64, 96)),
    ],
)
def test_every_channel_of_an_ome_zarr_is_found_however_it_is_chunked(tmp_path, chunks, shards):
    write_plate(tmp_path / "p.zarr", chunks, shards)
    fields = plate_fields(tmp_path / "p.zarr", {})
    assert [set(field.planes) for field in fields[:2]] == [{"tubes", "nuclei"}] * 2
    assert not any(field.missing for field in fields)
    nuclei = read_plane(fields[1].planes["nuclei"])
    np.testing.assert_array_equal(nuclei, PICTURE // 2 + 1)


def test_a_round_that_was_never_written_is_no_field(tmp_path):
    write_plate(tmp_path / "p.zarr", (1, 2, 64, 96), None, written=(0, 2))
    names = [field.name for field in plate_fields(tmp_path / "p.zarr", {})]
    assert names == ["A1_f0_t000", "A1_f0_t002"]


def test_an_ome_zarr_with_pixels_that_are_not_square_is_refused(tmp_path):
    image = write_plate(tmp_path / "p.zarr", (1, 1, 64, 96), None, scale=(1, 1, 0.65, 1.3))
    with pytest.raises(UnreadableImage, match="not square"):
        read_pixel_size_um(PlaneFile(str(image), "tubes"))


def test_a_given_pixel_size_is_taken_for_pixels_that_are_not_square_and_said(tmp_path):
    metadata = {"axes": "YX", "PhysicalSizeX": 0.65, "PhysicalSizeY": 1.3}
    tifffile.imwrite(tmp_path / "a.ome.tif", PICTURE, metadata=metadata)
    out, patterns = tmp_path / "out", {"tubes": "*.ome.tif"}
    with pytest.raises(MeasureError, match="not square"):
        measure_folder(tmp_path, out, patterns)
    batch = measure_folder(tmp_path, out, patterns, pixel_size_um=0.65)
    assert "0.65 µm was taken for both sides" in batch.flagged["a"]

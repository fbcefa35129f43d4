"""Microscopes' own files: written here where a library or a short description allows it.

CZI is written by Zeiss's own pylibCZIrw and LIF by hand; both need the extra ``formats``. Nothing
here can write ND2: its reader is stood in for by one with the same interface.
"""

from __future__ import annotations

import struct
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from labrig_measure import microscope_files
from labrig_measure.errors import MeasureError, UnreadableImage
from labrig_measure.pairing import pair_fields
from labrig_measure.planes import PlaneFile, read_pixel_size_um, read_plane
from labrig_measure.stack_fields import with_choice
from labrig_measure.stacks import StackChoice

HEIGHT, WIDTH, Z = 48, 64, 3
NAMES = ["a_s0_t000", "a_s0_t001", "a_s1_t000", "a_s1_t001"]
NOT_HERE = "labrig-analysis[formats] is not installed"


def plane(channel: int, z: int, time: int = 0, scene: int = 0) -> np.ndarray:
    """Each plane is told by its grey level; rows and columns differ."""
    level = 1000 * channel + 100 * z + 10 * time + scene
    ramp = np.add.outer(3 * np.arange(HEIGHT), np.arange(WIDTH))
    return (level + ramp).astype(np.uint16)


def write_czi(path):
    czi = pytest.importorskip("pylibCZIrw.czi", reason=NOT_HERE)
    with czi.create_czi(str(path)) as document:
        for z in range(Z):
            for channel in range(2):
                place = {"C": channel, "Z": z, "T": 0}
                document.write(plane(channel, z)[..., None], plane=place)
        document.write_metadata(
            "a", channel_names={0: "MyHC", 1: "DAPI"}, scale_x=0.65e-6, scale_y=0.65e-6
        )


def write_lif(path, times=2):
    """Two series of two channels, z and time, in Leica's container (version 2)."""
    bytes_of_plane = HEIGHT * WIDTH * 2
    channels = "".join(
        '<ChannelDescription DataType="0" ChannelTag="0" Resolution="16" NameOfMeasuredQuantity="" '
        f'Min="0" Max="65535" Unit="" LUTName="{lut}" BytesInc="{k * bytes_of_plane}" '
        'BitInc="0" IsLUTInverted="0"/>'
        for k, lut in enumerate(("Red", "Blue"))
    )
    sides = [
        (1, WIDTH, (WIDTH - 1) * 0.65e-6, "m", 2),
        (2, HEIGHT, (HEIGHT - 1) * 0.65e-6, "m", 2 * WIDTH),
        (3, Z, (Z - 1) * 2e-6, "m", 2 * bytes_of_plane),
        (4, times, (times - 1) * 60.0, "s", 2 * Z * bytes_of_plane),
    ]
    dimensions = "".join(
        f'<DimensionDescription DimID="{k}" NumberOfElements="{n}" Origin="0" Length="{length}" '
        f'Unit="{unit}" BitInc="0" BytesInc="{step}"/>'
        for k, n, length, unit, step in sides
    )
    size = 2 * Z * times * bytes_of_plane
    series = "".join(
        f'<Element Name="Series{k}" Visibility="1"><Data><Image TextDescription="">'
        f"<ImageDescription><Channels>{channels}</Channels><Dimensions>{dimensions}</Dimensions>"
        f'</ImageDescription></Image></Data><Memory Size="{size}" MemoryBlockID="MemBlock_{k}"/>'
        "</Element>"
        for k in range(2)
    )
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="a.lif" Visibility="1"><Data>'
        f'<Experiment Path="a.lif"/></Data><Children>{series}</Children></Element>'
        "</LMSDataContainerHeader>"
    )
    with path.open("wb") as file:
        text = xml.encode("utf-16-le")
        file.write(struct.pack("<IIBI", 0x70, len(text) + 5, 0x2A, len(xml)) + text)
        for scene in range(2):
            name = f"MemBlock_{scene}"
            head = (0x70, 14 + 2 * len(name), 0x2A, size, 0x2A, len(name))
            file.write(struct.pack("<IIBQBI", *head) + name.encode("utf-16-le"))
            for time in range(times):
                for z in range(Z):
                    for channel in range(2):
                        file.write(plane(channel, z, time, scene).astype("<u2").tobytes())


@pytest.mark.filterwarnings("ignore")  # of the readers and what they stand on
def test_a_czi_is_read_by_channel_and_plane(tmp_path):
    pytest.importorskip("bioio_czi", reason=NOT_HERE)
    path = tmp_path / "a.czi"
    write_czi(path)
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "DAPI", z="2")), plane(1, 2))
    np.testing.assert_array_equal(read_plane(PlaneFile(str(path), "0", z="max")), plane(0, 2))
    assert read_pixel_size_um(PlaneFile(str(path))) == pytest.approx(0.65)
    with pytest.raises(UnreadableImage, match=r"stack of 3 z planes: say --z max.*0 to 2"):
        read_plane(PlaneFile(str(path), "DAPI"))
    with pytest.raises(UnreadableImage, match=r"channels MyHC, DAPI: GFP is none"):
        read_plane(PlaneFile(str(path), "GFP", z="max"))


@pytest.mark.filterwarnings("ignore")
def test_a_lif_is_read_by_channel_plane_and_time(tmp_path):
    pytest.importorskip("bioio_lif", reason=NOT_HERE)
    path = tmp_path / "a.lif"
    write_lif(path)
    source = PlaneFile(str(path), "1", time_index=1, z="1", scene=1)
    np.testing.assert_array_equal(read_plane(source), plane(1, 1, 1, 1))
    assert read_pixel_size_um(PlaneFile(str(path))) == pytest.approx(0.65)
    [field] = pair_fields(tmp_path, {"tubes": "*.lif:0"})
    fields = with_choice([field], StackChoice("max", "all"))
    assert [field.name for field in fields] == NAMES
    np.testing.assert_array_equal(read_plane(fields[3].planes["tubes"]), plane(0, 2, 1, 1))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("ending", "module"), [("czi", "bioio_czi"), ("lif", "bioio_lif")])
def test_a_damaged_file_becomes_a_reason(tmp_path, ending, module):
    pytest.importorskip(module, reason=NOT_HERE)
    path = tmp_path / f"a.{ending}"
    path.write_bytes(b"ZISRAWFILE" + bytes(100))
    with pytest.raises(UnreadableImage, match="cannot be read"):
        read_plane(PlaneFile(str(path)))


class StandInReader:
    """The part of bioio's `Reader` that is used, over planes of known grey levels."""

    scenes = ("XYPos:0", "XYPos:1")
    channel_names = ("MyHC", "DAPI")
    physical_pixel_sizes = SimpleNamespace(Z=2.0, Y=0.325, X=0.325)
    dims = SimpleNamespace(order="TCZYX", T=2, C=2, Z=Z, Y=HEIGHT, X=WIDTH)

    def __init__(self, path):
        self.scene = 0

    def set_scene(self, scene):
        self.scene = scene

    def get_image_dask_data(self, axes, T, Z):
        assert axes == "CYX"
        planes = np.stack([plane(channel, Z, T, self.scene) for channel in range(2)])
        return SimpleNamespace(compute=lambda: planes)


@pytest.fixture
def nd2(tmp_path, monkeypatch):
    module = ModuleType("bioio_nd2")
    module.Reader = StandInReader
    monkeypatch.setitem(sys.modules, "bioio_nd2", module)
    path = tmp_path / "a.nd2"
    path.write_bytes(b"\xda\xce\xbe\x0a")
    return path


def test_an_nd2_by_a_reader_that_stands_in(nd2):
    source = PlaneFile(str(nd2), "DAPI", time_index=1, z="mean", scene=1)
    np.testing.assert_array_equal(read_plane(source), plane(1, 1, 1, 1).astype(np.float32))
    assert read_pixel_size_um(source) == pytest.approx(0.325)
    fields = with_choice(pair_fields(nd2.parent, {"tubes": "*.nd2:0"}), StackChoice("sum", "all"))
    assert [f.name for f in fields] == NAMES
    with pytest.raises(UnreadableImage, match=r"2 time points: say --time all"):
        read_plane(PlaneFile(str(nd2), "DAPI", z="max"))
    with pytest.raises(UnreadableImage, match=r"2 planes \(MyHC, DAPI\).*'\*\.nd2:MyHC'"):
        read_plane(PlaneFile(str(nd2), time_index=0, z="max"))


def test_tiles_are_not_taken_for_the_field(nd2, monkeypatch):
    tiled = SimpleNamespace(**{**vars(StandInReader.dims), "order": "TMCZYX", "M": 4})
    monkeypatch.setattr(StandInReader, "dims", tiled)
    with pytest.raises(UnreadableImage, match=r"4 along M .*stitch"):
        read_plane(PlaneFile(str(nd2), "DAPI", time_index=1, z="0"))


@pytest.mark.parametrize("ending", ["czi", "nd2", "lif"])
def test_without_the_extra_it_is_named_before_anything_is_measured(tmp_path, monkeypatch, ending):
    def missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(microscope_files, "import_module", missing)
    (tmp_path / f"a.{ending}").write_bytes(b"x")
    found = pair_fields(tmp_path, {"tubes": f"*.{ending}"})
    with pytest.raises(MeasureError, match=r"pip install 'labrig-analysis\[formats\]'"):
        with_choice(found, StackChoice())


@pytest.mark.parametrize("ending", [".vsi", ".oib", ".lsm"])
def test_formats_that_nothing_reads_are_refused_by_name(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"x" * 100)
    why = "needs Java.*OME-TIFF" if ending == ".vsi" else "are not read.*OME-TIFF"
    with pytest.raises(UnreadableImage, match=why):
        read_plane(PlaneFile(str(path)))

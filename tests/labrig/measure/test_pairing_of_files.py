"""The part of a name that `*` stands for pairs the channels."""

import pytest

from labrig_measure.errors import MeasureError
from labrig_measure.pairing import pair_fields


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_pairs_by_name(folder, patterns):
    fields = pair_fields(folder, patterns)
    assert [field.name for field in fields] == ["a", "b", "c"]
    assert fields[0].planes["nuclei"].path.endswith("a_dapi.png")
    assert not any(field.missing for field in fields)


def test_a_field_without_one_channel_says_which(folder, patterns):
    (folder / "b_dapi.png").unlink()
    assert [field.missing for field in pair_fields(folder, patterns)] == [(), ("nuclei",), ()]


def test_folders_and_odd_names_are_matched_as_they_are(tmp_path):
    touch(tmp_path, "red/x [1].tif", "red/y.tif", "blue/x [1].tif", "blue/y.tif", "red/y.txt")
    fields = pair_fields(tmp_path, {"tubes": "red/*.tif", "nuclei": "blue/*.tif:2"})
    assert [field.name for field in fields] == ["x [1]", "y"]
    assert fields[0].planes["nuclei"].channel == "2"


REFUSED = {
    "no star": ({"tubes": "a_myhc.png"}, "exactly one"),
    "two stars": ({"tubes": "*_*.png"}, "exactly one"),
    "no such files": ({"tubes": "*_desmin.png"}, "matches no file.*a_dapi.png"),
    "names that never meet": ({"tubes": "*_myhc.png", "nuclei": "a_*.png"}, "must be the same"),
}


@pytest.mark.parametrize(("wanted", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_requests_that_cannot_be_meant(folder, wanted, why):
    with pytest.raises(MeasureError, match=why):
        pair_fields(folder, wanted)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(MeasureError, match="not a folder"):
        pair_fields(tmp_path / "nowhere", {"tubes": "*.png"})

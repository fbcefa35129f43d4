"""`measure_folder`: tables, labels, resuming, and bad images that stop nothing."""

import json
from concurrent.futures.process import BrokenProcessPool

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr

from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig.measure.yaml_settings import read_settings
from labrig_analysis.nuclei.fusion import FusionSettings
from labrig_analysis.settings import MeasureSettings
from labrig_measure import batch
from labrig_measure.batch import measure_folder
from labrig_measure.errors import MeasureError
from labrig_measure.field_job import measure_field

UM = 0.65


def test_tables_overlays_and_labels(folder, patterns, tmp_path):
    out = tmp_path / "out"
    result = measure_folder(folder, out, patterns, UM, save_labels=True)
    assert (result.fields, result.measured, result.failed) == (("a", "b", "c"), 3, {})
    fields = pd.read_csv(out / "fields.csv")
    assert fields["status"].tolist() == ["ok"] * 3
    assert fields["fusion_index"].tolist() == [0.5] * 3
    tubes, nuclei = pd.read_csv(out / "tubes.csv"), pd.read_csv(out / "nuclei.csv")
    assert tubes["diameter_mean_um"].to_numpy() == pytest.approx(30 * UM, rel=0.03)
    assert (len(tubes), len(nuclei)) == (3, 12)
    labels = tifffile.imread(out / "b_nuclei.tif")
    assert (labels.dtype, labels.shape, labels.max()) == (np.uint16, (260, 300), 4)
    assert tifffile.imread(out / "b_tubes.tif").max() == 1
    overlay = cv2.imread(str(out / "overlays" / "a.png"))
    assert overlay.shape == (260, 300, 3)
    settings = json.loads((out / "settings.json").read_text())
    assert settings["pixel_size_um"] == UM
    assert settings["settings"]["fusion"]["min_nuclei"] == 2


def test_rows_join_label_images(folder, patterns, tmp_path):
    out = tmp_path / "out"
    measure_folder(folder, out, patterns, UM, save_labels=True)
    nuclei = pd.read_csv(out / "nuclei.csv").query("field == 'c'")
    labels = tifffile.imread(out / "c_nuclei.tif")
    for row in nuclei.itertuples():
        assert labels[round(row.y_px), round(row.x_px)] == row.nucleus


def test_done_fields_are_not_measured_again(folder, patterns, tmp_path):
    out = tmp_path / "out"
    measure_folder(folder, out, patterns, UM)
    before = (out / "fields.csv").read_bytes()
    assert measure_folder(folder, out, patterns, UM).measured == 0
    assert (out / "fields.csv").read_bytes() == before
    plane = cv2.imread(str(folder / "b_dapi.png"), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(folder / "b_dapi.png"), np.full_like(plane, 10))
    again = measure_folder(folder, out, patterns, UM)
    assert again.measured == 1
    assert "b" in again.flagged


def test_a_batch_cut_off_goes_on(folder, patterns, tmp_path):
    class PulledPlug(Exception):
        pass

    def pull(done, total, result):
        if done == 2:
            raise PulledPlug

    out = tmp_path / "out"
    with pytest.raises(PulledPlug):
        measure_folder(folder, out, patterns, UM, on_progress=pull)
    assert measure_folder(folder, out, patterns, UM).measured == 1
    assert len(pd.read_csv(out / "fields.csv")) == 3


def test_labels_asked_for_later_are_made(folder, patterns, tmp_path):
    out = tmp_path / "out"
    measure_folder(folder, out, patterns, UM)
    assert measure_folder(folder, out, patterns, UM, save_labels=True).measured == 3
    assert (out / "a_tubes.tif").exists()


def test_other_settings_do_not_mix(folder, patterns, tmp_path):
    out = tmp_path / "out"
    measure_folder(folder, out, patterns, UM)
    three = MeasureSettings(fusion=FusionSettings(min_nuclei=3))
    with pytest.raises(MeasureError, match=r"fusion\.min_nuclei was 2, now 3"):
        measure_folder(folder, out, patterns, UM, three)
    with pytest.raises(MeasureError, match="pixel_size_um"):
        measure_folder(folder, out, patterns, 0.5)
    redone = measure_folder(folder, out, patterns, UM, three, redo=True)
    assert redone.measured == 3
    assert pd.read_csv(out / "fields.csv")["fusion_index"].tolist() == [0.0] * 3


@pytest.mark.slow
def test_two_processes_give_the_same_tables(folder, patterns, tmp_path):
    measure_folder(folder, tmp_path / "one", patterns, UM)
    measure_folder(folder, tmp_path / "two", patterns, UM, workers=2)
    for table in ("fields.csv", "tubes.csv", "nuclei.csv"):
        assert (tmp_path / "one" / table).read_bytes() == (tmp_path / "two" / table).read_bytes()


def corrupt(path):
    path.write_bytes(path.read_bytes()[:200])


def colour(path):
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (260, 300, 3), "uint8"))


def black(path):
    cv2.imwrite(str(path), np.zeros((260, 300), np.uint8))


def saturated(path):
    cv2.imwrite(str(path), np.full((260, 300), 255, np.uint8))


def smaller(path):
    cv2.imwrite(str(path), np.arange(100 * 100, dtype=np.uint16).reshape(100, 100))


BAD = {  # what is done to both planes of field b: its status, and a word of the reason
    "corrupt": (corrupt, "failed", "b_myhc.png"),
    "colour": (colour, "failed", "red"),
    "all black": (black, "flagged", "black"),
    "saturated": (saturated, "flagged", "255"),
    "missing": (lambda path: path.unlink(), None, None),
}


@pytest.mark.parametrize(("spoil", "status", "word"), BAD.values(), ids=BAD.keys())
def test_a_bad_field_is_a_row_with_a_reason(folder, patterns, tmp_path, spoil, status, word):
    for name in ("b_myhc.png", "b_dapi.png"):
        spoil(folder / name)
    measure_folder(folder, tmp_path / "out", patterns, UM)
    fields = pd.read_csv(tmp_path / "out" / "fields.csv").set_index("field")
    assert fields.loc[["a", "c"], "status"].tolist() == ["ok", "ok"]
    assert ("b" in fields.index) == (status is not None)
    if status:
        assert fields.loc["b", "status"] == status
        assert word in fields.loc["b", "reasons"]


@pytest.mark.parametrize("spoil", [corrupt, colour, lambda path: path.unlink()])
def test_with_one_channel_bad_the_other_is_measured(folder, patterns, tmp_path, spoil):
    spoil(folder / "b_dapi.png")
    measure_folder(folder, tmp_path / "out", patterns, UM)
    row = pd.read_csv(tmp_path / "out" / "fields.csv").set_index("field").loc["b"]
    assert (row["status"], row["tubes"]) == ("flagged", 1)
    assert np.isnan(row["fusion_index"])
    assert "nuclei" in row["reasons"]


def test_nuclei_alone_leave_an_empty_table_of_tubes_that_can_be_read(folder, tmp_path):
    measure_folder(folder, tmp_path / "out", {"nuclei": "*_dapi.png"}, UM)
    assert len(pd.read_csv(tmp_path / "out" / "tubes.csv")) == 0
    assert pd.read_csv(tmp_path / "out" / "fields.csv")["nuclei"].tolist() == [4, 4, 4]


def test_planes_of_two_sizes_are_a_failed_row(folder, patterns, tmp_path):
    smaller(folder / "b_dapi.png")
    result = measure_folder(folder, tmp_path / "out", patterns, UM)
    assert "one size" in result.failed["b"]


def test_missing_calibration_says_how_to_give_it(folder, patterns, tmp_path):
    with pytest.raises(MeasureError, match="--pixel-size-um X"):
        measure_folder(folder, tmp_path / "out", patterns)


SETTINGS = {
    "misspelt": ({"fusion": {"min_nucleus": 3}}, "did you mean min_nuclei"),
    "unknown group": ({"fuson": {}}, "did you mean fusion"),
    "wrong kind": ({"fusion": {"min_nuclei": "many"}}, r"fusion\.min_nuclei is 'many'"),
    "no group": ({"fusion": 3}, "wants names and values"),
}


@pytest.mark.parametrize(("content", "why"), SETTINGS.values(), ids=SETTINGS.keys())
def test_settings_that_cannot_be_meant(tmp_path, content, why):
    path = tmp_path / "s.json"
    path.write_text(json.dumps(content))
    with pytest.raises(MeasureError, match=why):
        read_settings(path)


def test_settings_beside_results_can_be_handed_back(folder, patterns, tmp_path):
    three = MeasureSettings(fusion=FusionSettings(min_nuclei=3))
    measure_folder(folder, tmp_path / "out", patterns, UM, three)
    assert read_settings(tmp_path / "out" / "settings.json") == three


def test_yaml_settings_change_only_what_they_name(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("fusion:\n  min_nuclei: 3\n")
    assert read_settings(path) == MeasureSettings(fusion=FusionSettings(min_nuclei=3))


def as_tiff(folder, patterns):
    """The same fields as `NAME_tubes.tif` and `NAME_nuclei.tif`: named as label images are."""
    for channel, pattern in patterns.items():
        for path in folder.glob(pattern):
            plane = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            tifffile.imwrite(folder / f"{path.name[0]}_{channel}.tif", plane)
            path.unlink()
    return {channel: f"*_{channel}.tif" for channel in patterns}


def test_an_original_is_never_written_over(folder, patterns):
    named = as_tiff(folder, patterns)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(MeasureError, match=r"would replace .*a_tubes\.tif.*another --out"):
        measure_folder(folder, folder, named, UM, save_labels=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_overlay_never_replaces_an_original(folder, patterns, tmp_path):
    pictures = tmp_path / "out" / "overlays"
    pictures.mkdir(parents=True)
    original = (folder / "a_myhc.png").read_bytes()
    (pictures / "a.png").write_bytes(original)
    with pytest.raises(MeasureError, match="would replace"):
        measure_folder(pictures, tmp_path / "out", {"tubes": "*.png"}, UM)
    assert (pictures / "a.png").read_bytes() == original


def test_images_of_two_pixel_sizes_are_not_measured_as_one(tmp_path, drawn):
    for name, size in (("a", 0.65), ("b", 0.325)):
        metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeXUnit": "µm"}
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", drawn(0)[0], metadata=metadata)
    with pytest.raises(MeasureError, match=r"0\.325 µm \(b\.ome\.tif\), 0\.65 µm"):
        measure_folder(tmp_path, tmp_path / "out", {"tubes": "*.ome.tif"})
    given = measure_folder(tmp_path, tmp_path / "out", {"tubes": "*.ome.tif"}, UM)
    assert (given.failed, list(given.flagged)) == ({}, ["b"])
    assert "states 0.325 µm a pixel, and 0.65 µm was given" in given.flagged["b"]
    assert "factor of 2" in given.flagged["b"]


def as_zarr(folder, drawn):
    store = PlateStore.create(
        folder / "plate.ome.zarr",
        PlateLayout("p", ("A1",), 1, ("tubes", "nuclei"), 2, 260, 300, UM, 1800.0),
    )
    for t in range(2):
        for name, plane in zip(("tubes", "nuclei"), drawn(t), strict=True):
            store.write("A1", 0, t, name, plane.astype(np.uint16))
    return store


def test_a_plane_of_a_plate_that_changed_is_measured_again(tmp_path, drawn):
    store = as_zarr(tmp_path, drawn)
    assert measure_folder(store.root, tmp_path / "out", {}).measured == 2
    assert measure_folder(store.root, tmp_path / "out", {}).measured == 0
    image = zarr.open_array(str(store.root / "A" / "1" / "0" / "0"))
    image[1, 0] = np.zeros((260, 300), np.uint16)
    again = measure_folder(store.root, tmp_path / "out", {})
    assert (again.measured, list(again.flagged)) == (1, ["A1_f0_t001"])


@pytest.mark.parametrize("separator", [".", "/"])
def test_a_change_is_seen_however_the_chunks_lie(tmp_path, separator, drawn):
    """An image of another program: channels first, several to a chunk, and older metadata."""
    image = tmp_path / "x.ome.zarr"
    group = zarr.create_group(image, zarr_format=2)
    array = group.create_array(
        "0", shape=(2, 260, 300), chunks=(2, 130, 300), dtype="u1",
        chunk_key_encoding={"name": "v2", "separator": separator},
    )  # fmt: skip
    array[:] = np.stack(drawn(0))
    group.attrs["multiscales"] = [
        {"version": "0.4", "datasets": [{"path": "0"}], "axes": [{"name": n} for n in "cyx"]}
    ]
    names = {"tubes": "0", "nuclei": "1"}
    assert measure_folder(image, tmp_path / "out", names, UM).flagged == {}
    assert measure_folder(image, tmp_path / "out", names, UM).measured == 0
    array[0, :, :100] = 0
    assert measure_folder(image, tmp_path / "out", names, UM).measured == 1


def test_a_fault_of_ours_costs_one_field(folder, patterns, tmp_path, monkeypatch, caplog):
    from labrig_analysis import measurement

    right = measurement.measure

    def faulty(planes, *rest):
        if np.array_equal(planes[0], cv2.imread(str(folder / "b_myhc.png"), cv2.IMREAD_GRAYSCALE)):
            raise cv2.error("an assertion")
        return right(planes, *rest)

    monkeypatch.setattr(measurement, "measure", faulty)
    result = measure_folder(folder, tmp_path / "out", patterns, UM)
    assert list(result.failed) == ["b"]
    assert "an assertion" in result.failed["b"]
    assert "field b" in caplog.text
    assert pd.read_csv(tmp_path / "out" / "fields.csv")["status"].tolist() == ["ok", "failed", "ok"]


def test_what_was_done_is_kept_when_a_worker_is_ended(folder, patterns, tmp_path, monkeypatch):
    def ended(jobs, workers):
        measure_field(jobs[0])
        yield jobs[0]
        raise BrokenProcessPool

    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(batch, "_run", ended)
        with pytest.raises(MeasureError, match=r"1 of 3 fields are done.*the same command goes on"):
            measure_folder(folder, out, patterns, UM, workers=2)
    assert pd.read_csv(out / "fields.csv")["field"].tolist() == ["a"]
    assert measure_folder(folder, out, patterns, UM).measured == 2

"""The napari panel: what it does, its manifest, and the panel itself where napari is installed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib.resources import files

import cv2
import numpy as np
import pandas as pd
import pytest
from drawn_sheet import PIXEL_UM, draw_sheet_and_tube

from labrig.viewer.session import Session, measured, preview_level, tubes_at_level
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.render import render_nuclei, render_tubes
from labrig_analysis.synthetic.scene import make_scene
from labrig_analysis.tubes.tube_labels import TubeSettings
from labrig_measure.batch import measure_folder
from labrig_measure.errors import MeasureError

UM = 1.0


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    images = tmp_path_factory.mktemp("images")
    for seed, name in enumerate("ab"):
        scene = make_scene(seed + 1, "A1", 0, height_um=300, width_um=400)
        for channel, draw in (("myhc", render_tubes), ("dapi", render_nuclei)):
            plane = draw(scene, CultureState(fused_fraction=0.6), (300, 400), UM, 1)
            cv2.imwrite(str(images / f"{name}_{channel}.png"), np.asarray(plane))
    folder = tmp_path_factory.mktemp("results") / "out"
    measure_folder(images, folder, {"tubes": "*_myhc.png", "nuclei": "*_dapi.png"}, UM)
    return folder


def test_a_session_shows_planes_labels_and_measures(out):
    session = Session.at(out)
    assert session.names == ("a", "b")
    shown = session.show("a")
    assert {name: plane.shape for name, plane in shown.planes.items()} == {
        "tubes": (300, 400),
        "nuclei": (300, 400),
    }
    found = measured(shown, shown.labels)
    row = pd.read_csv(out / "fields.csv").set_index("field").loc["a"]
    assert found.summary["tubes"] == row["tubes"] > 2
    assert found.summary["fusion_index"] == pytest.approx(row["fusion_index"], rel=1e-6)


def test_a_lower_level_takes_in_more(out):
    shown = Session.at(out).show("a")
    areas = [np.count_nonzero(tubes_at_level(shown, level)) for level in (0.4, 1.0, 2.5)]
    assert areas[0] > areas[1] > areas[2] > 0
    same = tubes_at_level(shown, 1.0)
    assert np.count_nonzero((same > 0) != (shown.labels["tubes"] > 0)) == 0
    preview = preview_level(shown, 1.0)
    assert preview.scale == 1
    np.testing.assert_array_equal(preview.labels > 0, same > 0)


def test_sheets_that_the_network_found_are_left_out_at_every_level(tmp_path):
    picture, rim, _ = draw_sheet_and_tube(with_sheet=True, with_tube=True)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    learned = MeasureSettings(tubes=TubeSettings(phase_mask="learned"))
    out = tmp_path / "out"
    measure_folder(tmp_path, out, {"phase": "*.png"}, PIXEL_UM, learned)
    shown = Session.at(out).show("a")
    for level in (1.0, 0.8, 1.0):
        preview = preview_level(shown, level)
        assert preview.scale == 1
        np.testing.assert_array_equal(preview.labels, tubes_at_level(shown, level))
    assert (preview.labels > 0).any()
    assert (preview.labels > 0)[rim].mean() < 0.1


def test_a_correction_goes_the_way_of_labrig_review(out):
    session = Session.at(out)
    shown = session.show("b")
    labels = {name: image.copy() for name, image in shown.labels.items()}
    labels["nuclei"][labels["nuclei"] == 1] = 0
    with pytest.raises(MeasureError, match="who corrects and why"):
        session.record(shown, labels, "Ada", " ")
    assert not (out / "reviewed").exists()
    [found] = session.record(shown, labels, "Ada", "debris")
    assert (found.field, found.objects, found.before - found.after) == ("b", "nuclei", 1)
    [line] = (out / "corrections.jsonl").read_text().splitlines()
    assert (json.loads(line)["by"], json.loads(line)["why"]) == ("Ada", "debris")
    assert (pd.read_csv(out / "reviewed" / "fields.csv")["status"] == "corrected").sum() == 1
    again = Session.at(out).show("b")
    np.testing.assert_array_equal(again.labels["nuclei"], labels["nuclei"])
    assert Session.at(out).record(again, again.labels, "Ada", "nothing") == []


def test_a_folder_without_results_says_so(tmp_path):
    with pytest.raises(MeasureError, match="holds no results"):
        Session.at(tmp_path)


def test_the_manifest_is_one_that_napari_takes():
    manifest = files("labrig.viewer") / "napari.yaml"
    # In a process of its own: npe2's imports warn, and warnings are errors here.
    program = (
        "import sys\n"
        "from npe2 import PluginManifest\n"
        "manifest = PluginManifest.from_file(sys.argv[1])\n"
        "[widget] = manifest.contributions.widgets\n"
        "[command] = manifest.contributions.commands\n"
        "assert widget.command == command.id\n"
        "print(manifest.name, command.python_name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(manifest)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    name, where = done.stdout.split()
    assert name == "labrig"
    module, _, panel = where.partition(":")
    source = (files("labrig.viewer") / f"{module.rpartition('.')[2]}.py").read_text()
    assert f"class {panel}(QWidget)" in source


@pytest.fixture
def panel(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    pytest.importorskip("napari", reason="the extra labrig[napari] is not installed")
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QApplication

    from labrig.viewer.panel import CorrectLabels

    application = QApplication.instance() or QApplication([])
    yield CorrectLabels(ViewerModel())
    application.processEvents()


@pytest.mark.filterwarnings("ignore")  # of napari and what it stands on
def test_the_panel_offscreen(panel, out):
    panel.open(out)
    assert [panel.fields.itemText(i) for i in range(panel.fields.count())] == ["a", "b"]
    names = [layer.name for layer in panel.viewer.layers]
    assert names == ["tubes plane", "nuclei plane", "tubes", "nuclei"]
    panel.level.setValue(50)
    assert "tubes at this level" in panel.viewer.layers
    panel.take_level()
    assert "tubes at 50 %" in panel.said.text()
    panel.measure()
    assert panel.said.text().startswith("Measurement: tubes ")
    panel.record()
    assert "who corrects and why" in panel.said.text()
    panel.by.setText("Ada")
    panel.why.setText("dim tubes count")
    panel.record()
    assert panel.said.text().startswith("Recorded.\ntubes: ")
    lines = (out / "corrections.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["why"] == "dim tubes count"


@pytest.mark.filterwarnings("ignore")
def test_outlines_follow_the_slider(panel, out):
    panel.open(out)
    panel.level.setValue(90)
    shown = panel.viewer.layers["tubes at this level"].data
    began = time.perf_counter()
    panel.level.setValue(60)
    # A figure for the log, and no limit: the machine may be busy.
    print(f"redrawn in {1000 * (time.perf_counter() - began):.0f} ms")
    after = panel.viewer.layers["tubes at this level"].data
    assert np.count_nonzero(after) > np.count_nonzero(shown)

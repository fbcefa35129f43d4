"""Rims of sheets are no tubes where that is asked for; everything else stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_sheet import PIXEL_UM, SIDE, draw_sheet_and_tube

from labrig_analysis.measurement import measure
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.tubes.phase import segment_tube_like_objects
from labrig_analysis.tubes.sheets import sheet_mask
from labrig_analysis.tubes.tube_labels import TubeSettings
from labrig_measure.settings_file import settings_from, settings_to_json

LEARNED = TubeSettings(phase_mask="learned")


def test_a_rim_is_left_out_and_the_tube_beside_it_stays():
    picture, rim, tube = draw_sheet_and_tube(True, True)
    by_rules = segment_tube_like_objects(picture, PIXEL_UM)
    learned = segment_tube_like_objects(picture, PIXEL_UM, LEARNED)
    assert (by_rules.labels > 0)[rim].mean() > 0.5
    assert (learned.labels > 0)[rim].mean() < 0.05
    assert (learned.labels > 0)[tube].mean() > 0.85
    [told] = [reason for reason in learned.reasons if "sheets" in reason]
    assert "not validated on real cultures" in told


def test_without_a_sheet_nothing_changes():
    picture, _, _ = draw_sheet_and_tube(False, True)
    by_rules = segment_tube_like_objects(picture, PIXEL_UM)
    learned = segment_tube_like_objects(picture, PIXEL_UM, LEARNED)
    np.testing.assert_array_equal(by_rules.labels, learned.labels)
    assert learned.reasons == by_rules.reasons


@pytest.mark.parametrize("shape", [(700, 2100), (40, 300), (17, 17)])
def test_a_picture_of_any_size_is_looked_at_in_tiles(shape):
    """Of 4.2 mm side by side the sheet is found where it is; too small pictures break nothing."""
    tall = np.resize(draw_sheet_and_tube(True, False)[0], shape).astype(np.float32)
    assert sheet_mask(tall, 2.0).shape == shape
    picture = np.hstack([draw_sheet_and_tube(True, False)[0]] * 5)
    found = sheet_mask(picture.astype(np.float32), PIXEL_UM)
    for left in range(0, picture.shape[1], SIDE):
        assert found[:, left + 60 : left + 180].mean() > 0.8
        assert found[:, left + 340 : left + 560].mean() < 0.1


def test_the_setting_goes_through_a_file_and_a_measurement():
    given = MeasureSettings(tubes=LEARNED)
    assert settings_from(settings_to_json(given), "a file") == given
    picture, _, _ = draw_sheet_and_tube(True, True)
    rules = measure([picture], PIXEL_UM, ["phase"])
    learned = measure([picture], PIXEL_UM, ["phase"], given)
    assert len(learned.tubes) < len(rules.tubes)
    assert any("sheets" in flag for flag in learned.flags)
    for measured, mask in ((rules, "rules"), (learned, "learned")):
        told = measured.field["validation"].tolist()
        assert told == [f"not validated on real cultures (mask: {mask})"]
    with pytest.raises(ValueError, match="rules or learned"):
        TubeSettings(phase_mask="by hand")

"""`measure` with further stains: tables, definitions, reasons, numbers of corrected labels."""

import numpy as np
import pytest

from labrig_analysis.measurement import measure, measure_labels
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.stains.markers import MarkerSettings
from labrig_analysis.stains.stain_settings import StainSettings
from labrig_analysis.synthetic.stain_planes import (
    StainLook,
    draw_marker,
    draw_neurites,
    draw_spots,
)

PIXEL_UM = 0.65
CHANNELS = ["tubes", "nuclei", "clusters", "terminals", "neurites", "striations", "marker:EdU",
            "dead"]  # fmt: skip


@pytest.fixture(scope="module")
def planes(drawn_field):
    field = drawn_field(PIXEL_UM, 300.0, 6)
    rng = np.random.default_rng(0)
    positive = np.arange(field.nuclei.max()) % 4 == 0
    tubes = draw_marker(field.tubes, np.ones(field.tubes.max(), bool), field.tubes, PIXEL_UM)
    nuclei = draw_marker(field.nuclei, positive | True, field.tubes * 0, PIXEL_UM)
    spots = draw_spots(field.tubes, PIXEL_UM, 25, StainLook(seed=1))
    by_channel = {
        "tubes": tubes,
        "nuclei": nuclei,
        "clusters": spots.plane,
        "terminals": draw_spots(field.tubes, PIXEL_UM, 25, beside_um=spots.centres_um).plane,
        "neurites": draw_neurites(field.tubes, PIXEL_UM, 8, StainLook(diffuse=100)).plane,
        "striations": tubes,
        "marker:EdU": draw_marker(field.nuclei, positive, field.tubes, PIXEL_UM,
                                  StainLook(diffuse=30)),
        "dead": rng.normal(300, 20, tubes.shape).astype(np.uint16),
    }  # fmt: skip
    assert list(by_channel) == CHANNELS
    return by_channel


@pytest.fixture(scope="module")
def measured(planes):
    return measure(list(planes.values()), PIXEL_UM, CHANNELS)


def value(measured, stain, readout):
    table = measured.stains
    rows = table[(table["stain"] == stain) & (table["readout"] == readout)]
    assert len(rows) == 1
    return rows.iloc[0]["value"]


def test_every_stain_has_its_rows_columns_and_mask(measured):
    assert set(measured.stains["stain"]) == {
        "clusters", "terminals", "clusters+terminals", "neurites", "striations", "EdU",
        "live+dead",
    }  # fmt: skip
    assert (measured.stains["definition"] != "").all()
    unknown = measured.stains["value"].isna()
    assert (measured.stains.loc[unknown, "why_not"] != "").all()
    assert (measured.stains.loc[~unknown, "why_not"] == "").all()
    assert {"clusters", "clusters_area_um2", "clusters_per_mm", "terminals", "neurites_contact_um",
            "striations_striated_share", "intensity"} <= set(measured.tubes)  # fmt: skip
    assert {"EdU_contrast", "EdU_positive", "dead"} <= set(measured.nuclei)
    assert set(measured.stain_masks) == set(CHANNELS) - {"tubes", "nuclei"}
    assert not [flag for flag in measured.flags if "same picture" in flag]


def test_stains_lie_on_what_was_found(measured):
    assert value(measured, "EdU", "positive_share") == pytest.approx(0.25, abs=0.06)
    assert measured.nuclei["EdU_positive"].mean() == pytest.approx(0.25, abs=0.06)
    assert value(measured, "clusters", "clusters_on_tubes") == measured.tubes["clusters"].sum()
    assert value(measured, "clusters+terminals", "clusters_faced_share") > 0.8
    assert value(measured, "live+dead", "dead") == 0
    assert value(measured, "live+dead", "live_share") == 1


def test_widths_have_their_tails_and_tubes_their_light(measured):
    row, widths = measured.summary, measured.tubes["diameter_mean_um"].dropna()
    for percent in (10, 50, 90):
        assert row[f"diameter_p{percent}_um"] == pytest.approx(np.percentile(widths, percent))
    assert row["intensity_median"] == pytest.approx(measured.tubes["intensity"].median())
    # Tubes were drawn 480 to 1160 grey levels above the ground, by tube.
    assert measured.tubes["intensity"].dropna().between(200, 1400).all()


def test_clusters_keep_the_numbers_of_corrected_tubes(planes, measured):
    doubled = {name: labels.astype(np.int32) * 2 for name, labels in measured.labels.items()}
    again = measure_labels(planes, doubled, PIXEL_UM)
    assert (again.clusters["tube"] == 2 * measured.clusters["tube"]).all()
    assert again.stains["value"].equals(measured.stains["value"])


@pytest.mark.parametrize("grey", [0, 65535])
def test_whether_nuclei_are_dead_is_unknown_in_a_plane_that_shows_nothing(planes, grey):
    shown = {name: planes[name] for name in ("tubes", "nuclei")}
    shown["dead"] = np.full(planes["tubes"].shape, grey, np.uint16)
    found = measure(list(shown.values()), PIXEL_UM, list(shown))
    assert len(found.nuclei) > 0
    assert found.nuclei["dead"].isna().all()
    assert np.isnan(value(found, "live+dead", "live_share"))


def test_stains_are_looked_for_beside_the_wall_of_the_well_alone():
    side, wall_px = 700, 250
    nothing = np.zeros((side, side), np.int32)
    look = StainLook(diffuse=0)
    drawn = {
        "clusters": draw_spots(nothing + 1, PIXEL_UM, 60, look).plane,
        "neurites": draw_neurites(nothing, PIXEL_UM, 8, look).plane,
    }
    rng = np.random.default_rng(0)
    phase = rng.normal(2000, 60, (side, side))
    phase[:, :wall_px] = rng.normal(300, 20, (side, wall_px))
    for plane in drawn.values():
        plane[:, :wall_px] = 150
    planes = {"phase": phase.astype(np.uint16), **drawn}
    found = measure(list(planes.values()), PIXEL_UM, list(planes))
    share = found.summary["wall_share"]
    assert share > 0.3
    left_out = round(share * side)
    beside = {name: plane[:, left_out:] for name, plane in drawn.items()}
    alone = measure(list(beside.values()), PIXEL_UM, list(beside))
    for stain, readout in (
        ("clusters", "clusters"),
        ("clusters", "clusters_per_mm2"),
        ("neurites", "neurite_length_um"),
        ("neurites", "neurite_length_mm_per_mm2"),
    ):
        wanted = value(alone, stain, readout)
        assert value(found, stain, readout) == pytest.approx(wanted, rel=0.06), readout
    assert not any(mask[:, : left_out - 10].any() for mask in found.stain_masks.values())


def test_a_blank_stain_is_flagged_with_its_reason(planes):
    black = np.zeros_like(planes["tubes"])
    found = measure([planes["tubes"], black, black + 1], PIXEL_UM,
                    ["tubes", "clusters", "marker:Pax7"])  # fmt: skip
    assert any(flag.startswith("clusters: clusters plane is blank") for flag in found.flags)
    assert found.stains["value"].isna().all()
    assert found.tubes["clusters"].isna().all()


def test_a_marker_without_nuclei_and_a_lone_live_stain_tell_no_share(planes):
    found = measure([planes["tubes"], planes["marker:EdU"], planes["dead"]], PIXEL_UM,
                    ["tubes", "marker:EdU", "live"])  # fmt: skip
    why = dict(zip(found.stains["stain"], found.stains["why_not"], strict=True))
    assert why["EdU"] == "no nuclei are known"
    assert "one stain tells no share" in why["live+dead"]


def test_a_given_level_stands_in_the_definition(planes):
    settings = MeasureSettings(stains=StainSettings(markers=MarkerSettings(level=120.0)))
    channels = ["nuclei", "marker:EdU"]
    found = measure([planes[c] for c in channels], PIXEL_UM, channels, settings)
    row = found.stains.iloc[0]
    assert row["definition"] == "mean>=120|ring=1.5-6um|level by given"
    assert row["level"] == 120


def test_without_stains_there_are_no_rows(planes):
    found = measure([planes["tubes"]], PIXEL_UM, ["tubes"])
    assert len(found.stains) == len(found.clusters) == len(found.stain_masks) == 0


def test_an_unknown_stain_is_refused_with_what_there_is(planes):
    with pytest.raises(ValueError, match=r"channel 'achr' is unknown: say tubes, .*clusters"):
        measure([planes["clusters"]], PIXEL_UM, ["achr"])


def test_what_was_found_is_outlined_on_its_plane(planes, measured):
    picture = measured.overlay_of_stain(planes["clusters"], "clusters")
    assert picture.shape == (*planes["clusters"].shape, 3)
    assert (picture == (230, 159, 0)).all(axis=2).sum() > 50
    with pytest.raises(ValueError, match="channel 'live' has no mask"):
        measured.overlay_of_stain(planes["clusters"], "live")

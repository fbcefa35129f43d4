import math

import pytest

from labrig.catalogue import catalogue_folder
from labrig.protocol.loading import load_protocol
from labrig.protocol.plates import PLATES
from labrig.rig.graph import (
    dead_volume_ul,
    dosing_lines,
    electrode_of,
    field_position_um,
    field_radius_um,
    well_centre_um,
    wells_by_dosing_lines,
)
from labrig.rig.loading import load_rig


@pytest.fixture(scope="module")
def rig():
    return load_rig(catalogue_folder() / "rigs/simulated-bench.yaml").model


@pytest.fixture(scope="module")
def protocol():
    return load_protocol(catalogue_folder() / "nerve-factor-factorial.yaml").model


def test_half_a_millimetre_times_a_metre_holds_196_microlitres(rig):
    line = rig.lines["nerve_01"].model_copy(update={"inner_diameter_mm": 0.5, "length_mm": 1000.0})
    assert dead_volume_ul(line) == pytest.approx(196.35, abs=0.005)


def test_lines_and_electrodes_of_a_well(rig):
    assert dosing_lines(rig, "D1") == ("nerve_02", "insult_02")
    assert electrode_of(rig, "B6") == "row_B"


def test_the_unit_of_a_factor_is_the_wells_that_share_its_lines(rig):
    wells = PLATES["24-well"].wells()
    units = wells_by_dosing_lines(rig, wells, ["nerve"])
    assert units["A1"] == units["B1"] == ("A1", "B1")
    assert len(set(units.values())) == 12
    # a role that carries nothing in an experiment ties no wells together
    assert wells_by_dosing_lines(rig, wells, [])["A1"] == ("A1",)


def test_crossing_lines_make_smaller_units(rig):
    crossing = dict(rig.lines)
    for name, line in rig.lines.items():
        if line.role == "insult":
            crossing.pop(name)
    crossing["insult_row"] = rig.lines["insult_01"].model_copy(update={"wells": ("A1", "A2")})
    other = rig.model_copy(update={"lines": crossing})
    units = wells_by_dosing_lines(other, ("A1", "A2", "B1", "B2"), ["nerve", "insult"])
    assert units == {"A1": ("A1",), "A2": ("A2",), "B1": ("B1",), "B2": ("B2",)}


def test_fields_lie_inside_the_well_apart_and_where_the_seed_says(rig, protocol):
    radius_um = field_radius_um(rig, protocol)
    side_um = rig.optics["phase"].width_px * rig.optics["phase"].pixel_size_um
    for well in ("A1", "D6"):
        places = [
            field_position_um(rig, well, field, protocol) for field in range(protocol.imaging.sites)
        ]
        centre = well_centre_um(rig, well)
        assert all(math.dist(place, centre) <= radius_um for place in places)
        gaps = [math.dist(a, b) for i, a in enumerate(places) for b in places[:i]]
        assert min(gaps) > side_um * math.sqrt(2)
        again = [field_position_um(rig, well, field, protocol) for field in range(5)]
        assert again == places


def test_the_random_start_differs_between_wells_and_seeds(rig, protocol):
    def offset(well, chosen):
        (x, y), (cx, cy) = field_position_um(rig, well, 0, chosen), well_centre_um(rig, well)
        return round(x - cx, 1), round(y - cy, 1)

    other = protocol.randomisation.model_copy(update={"seed": 1})
    assert offset("A1", protocol) != offset("A2", protocol)
    assert offset("A1", protocol) != offset(
        "A1", protocol.model_copy(update={"randomisation": other})
    )


def test_the_layout_of_fields_never_changes_for_a_seed(rig, protocol):
    # a run is compared with an earlier one field by field, so the draw must not drift
    field = {"width_px": 512, "height_px": 512, "pixel_size_um": 0.65}
    optics = {name: o.model_copy(update=field) for name, o in rig.optics.items()}
    small = rig.model_copy(update={"optics": optics})
    assert field_position_um(small, "A1", 0, protocol) == (-47121.5, -27399.4)


def test_a_field_that_does_not_fit_is_refused(rig, protocol):
    imaging = protocol.imaging.model_copy(update={"min_wall_distance_mm": 8.0})
    with pytest.raises(ValueError, match="wall_distance"):
        field_position_um(rig, "A1", 0, protocol.model_copy(update={"imaging": imaging}))


@pytest.mark.parametrize("degrees", [-10.0, -0.5, 0.0, 0.5, 3.0])
def test_a_plate_that_lies_askew_is_found_where_it_lies(degrees):
    rig = load_rig(catalogue_folder() / "rigs/simulated-bench.yaml").model
    straight = {well: well_centre_um(rig, well) for well in ("A1", "A6", "D1", "D6")}
    stage = rig.stage.model_copy(update={"rotation_deg": degrees})
    turned = rig.model_copy(update={"stage": stage})
    assert well_centre_um(turned, "A1") == straight["A1"]
    x0, y0 = straight["A1"]
    for well, (x, y) in straight.items():
        tx, ty = well_centre_um(turned, well)
        assert math.hypot(tx - x0, ty - y0) == pytest.approx(math.hypot(x - x0, y - y0))
        if well != "A1":
            angle = math.atan2(ty - y0, tx - x0) - math.atan2(y - y0, x - x0)
            assert math.degrees(angle) == pytest.approx(degrees, abs=1e-9)

import pytest
from ruamel.yaml import YAML

from labrig.places import Place
from labrig.protocol.impulses import Pattern
from labrig.protocol.patterns import LIBRARY, library_yaml, mean_rate_hz
from labrig.protocol.plates import PLATES


@pytest.mark.parametrize("name", LIBRARY)
def test_a_library_pattern_is_a_pattern_with_the_mean_rate_it_states(name):
    spelt = YAML(typ="safe").load(library_yaml(name))
    pattern = Pattern.model_validate(spelt[name])
    rate = mean_rate_hz(pattern.frequency_hz, pattern.on_s, pattern.off_s)
    if pattern.mean_rate_hz is not None:
        assert pattern.mean_rate_hz == pytest.approx(rate, rel=0.01)
    assert pattern.source


@pytest.mark.parametrize("name", ["tonic_10hz_2mean", "phasic_100hz_2mean"])
def test_matched_patterns_give_7200_pulses_an_hour(name):
    pattern = LIBRARY[name]
    on, off = float(pattern.train_on.split()[0]), float(pattern.train_off.split()[0])
    rate = mean_rate_hz(float(pattern.frequency.split()[0]), on, off)
    assert rate * 3600 == pytest.approx(7200)


@pytest.mark.parametrize(
    ("name", "count", "last", "edges"),
    [
        ("6-well", 6, "B3", 6),
        ("12-well", 12, "C4", 10),
        ("24-well", 24, "D6", 16),
        ("48-well", 48, "F8", 24),
        ("96-well", 96, "H12", 36),
    ],
)
def test_a_plate_has_its_wells(name, count, last, edges):
    plate = PLATES[name]
    wells = plate.wells()
    assert (len(wells), wells[0], wells[-1]) == (count, "A1", last)
    assert sum(plate.edge(well) for well in wells) == edges
    assert all(well in plate for well in wells)
    corner = Place.of(last)
    assert Place(corner.row, corner.column + 1).name not in plate
    assert Place(corner.row + 1, 0).name not in plate


def test_wells_of_a_plate_do_not_overlap():
    for plate in PLATES.values():
        assert plate.diameter_mm < plate.pitch_mm
        # the usual volume stands as deep as the bulletin says, within a fifth
        assert plate.volume_ml / plate.area_cm2 * 10 == pytest.approx(plate.depth_mm, rel=0.2)

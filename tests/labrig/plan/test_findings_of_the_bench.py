"""A rig that cannot be what it says is found before the night, and what is plausible is not."""

from __future__ import annotations

import pytest

WELLS = ("B2", "B3", "C2", "C3")


def syringe(bench, well="B2"):
    return bench.rig["instruments"][f"nerve_{well}"]["settings"]


# (volume, inner diameter in mm) of syringes that are sold [S] makers' tables
SOLD = [("3 mL", 8.585), ("1 mL", 4.699), ("5 mL", 11.99), ("10 mL", 14.43), ("20 mL", 19.05),
        ("60 mL", 26.59), ("1 mL", 4.608), ("0.5 mL", 3.256), ("0.1 mL", 1.457), ("0.01 mL", 0.485),
        ("50 mL", 32.573), ("140 mL", 38.4)]  # fmt: skip


@pytest.mark.parametrize(("volume", "diameter"), SOLD)
def test_a_syringe_that_is_sold_is_plausible(bench, volume, diameter):
    bench.rig["reservoirs"]["syringe_B2"]["volume"] = volume
    syringe(bench)["syringe_diameter_mm"] = diameter
    assert "bench.syringe-size" not in bench.graded()


@pytest.mark.parametrize(("volume", "diameter"), SOLD)
@pytest.mark.parametrize("slip", [0.1, 10.0])
def test_a_slipped_decimal_point_in_a_diameter_blocks(bench, volume, diameter, slip):
    if not 0.1 <= diameter * slip <= 50.0:
        return  # the driver's settings refuse it, when the rig is read
    bench.rig["reservoirs"]["syringe_B2"]["volume"] = volume
    syringe(bench)["syringe_diameter_mm"] = diameter * slip
    assert bench.graded()["bench.syringe-size"] == "block"


def test_the_pumps_own_volume_counts_before_the_reservoirs(bench):
    syringe(bench).update(syringe_volume_ul=10_000.0)  # in 8.585 mm: 173 mm long
    assert bench.graded()["bench.syringe-size"] == "block"
    syringe(bench).update(syringe_volume_ul=2_500.0)
    found = bench.graded()
    assert "bench.syringe-size" not in found
    assert found["bench.syringe-volume"] == "warn"


def test_a_syringe_left_over_from_another_night_is_told(bench):
    bench.rig["reservoirs"]["syringe_B2"]["volume"] = "50 mL"  # in 8.585 mm: 864 mm
    assert bench.graded()["bench.syringe-size"] == "warn"
    syringe(bench)["syringe_volume_ul"] = 50_000.0
    assert bench.graded()["bench.syringe-size"] == "block"


def test_a_person_who_knows_the_syringe_may_say_so(bench):
    syringe(bench)["syringe_diameter_mm"] = 1.5
    bench.protocol["overrides"] = [
        {"finding": "bench.syringe-size", "reason": "a wide syringe of our own", "by": "AB"}
    ]
    assert bench.graded()["bench.syringe-size"] == "warn"


@pytest.mark.parametrize(("one", "other"), [("B2", "B3"), ("C3", "B2")])
def test_one_syringe_pump_of_two_reservoirs_blocks_and_the_other_is_unused(bench, one, other):
    bench.rig["lines"][f"nerve_{one}"]["pump"] = f"nerve_{other}"
    findings = {f.code: f for f in bench.plan().findings}
    assert findings["bench.syringe-shared"].severity == "block"
    assert f"syringe_{one}" in findings["bench.syringe-shared"].why
    assert not findings["bench.syringe-shared"].overridable
    assert findings["bench.unused"].severity == "note"
    assert f"nerve_{one}" in findings["bench.unused"].where


def test_a_head_of_many_tubes_may_draw_from_many_bottles(bench):
    for well in WELLS:
        bench.rig["reservoirs"][f"bottle_{well}"] = {"volume": "100 mL", "cold": True}
        bench.rig["lines"][f"base_{well}"]["reservoir"] = f"bottle_{well}"
    del bench.rig["reservoirs"]["bottle"]
    assert "bench.syringe-shared" not in bench.graded()


def test_two_tubes_of_one_syringe_are_one_reservoir(bench):
    bench.rig["lines"]["nerve_B3"].update(pump="nerve_B2", reservoir="syringe_B2")
    assert "bench.syringe-shared" not in bench.graded()


def test_a_reservoir_that_no_line_draws_from_is_told(bench):
    bench.rig["reservoirs"]["spare"] = {"volume": "10 mL"}
    finding = next(f for f in bench.plan().findings if f.code == "bench.unused")
    assert "reservoirs (spare)" in finding.where


def test_what_is_used_in_any_way_is_not_told(bench):
    bench.rig["instruments"]["probe"] = {"type": "vaisala_gmp25x", "port": "air"}
    bench.rig["ports"]["air"] = {"address": "sim"}
    assert bench.graded()["bench.unused"] == "note"
    bench.rig["probe"] = "probe"
    assert "bench.unused" not in bench.graded()


@pytest.mark.parametrize(
    ("address", "system", "found"),
    [
        ("COM3", "linux", True),
        ("com12", "darwin", True),
        ("COM3", "win32", False),
        ("/dev/ttyUSB0", "win32", True),
        ("/dev/ttyUSB0", "linux", False),
        ("usb:0403:6001", "win32", False),
        ("socket://192.0.2.1:4001", "linux", False),
    ],
)
def test_ports_of_another_system_are_told_by_check(bench, address, system, found):
    for port in bench.rig["ports"].values():
        port["address"] = "usb:0403:6001"
    bench.rig["ports"]["chain"]["address"] = address
    bench.system = system
    graded = bench.graded()
    assert (graded.get("bench.port-elsewhere") == "warn") is found
    assert "bench.ports-mixed" not in graded


def test_simulated_ports_among_real_ones_are_told_by_check(bench):
    bench.rig["ports"]["chain"]["address"] = "/dev/ttyUSB0"
    assert bench.graded()["bench.ports-mixed"] == "warn"


def test_nothing_witnesses_a_peristaltic_pump_and_check_says_so(bench):
    finding = next(f for f in bench.plan().findings if f.code == "bench.unwitnessed")
    assert finding.severity == "warn"
    assert finding.where.endswith("instruments (base)")
    assert "nothing witnesses the medium" in finding.why
    assert "weigh" in finding.remedy


def test_a_medium_pump_that_notices_a_stall_needs_no_word(bench):
    bench.rig["instruments"]["base"] = {
        "type": "new_era_ne1000", "port": "modbus",
        "settings": {"syringe_diameter_mm": 38.4, "syringe_volume_ul": 140_000.0},
    }  # fmt: skip
    bench.rig["reservoirs"]["bottle"]["volume"] = "140 mL"
    found = bench.graded()
    assert "bench.unwitnessed" not in found
    assert "bench.medium-watchdog" not in found


@pytest.mark.parametrize("watchdog_s", [1, 30, 240])
def test_a_medium_pump_that_stops_itself_blocks(bench, watchdog_s):
    bench.rig["instruments"]["base"] = {
        "type": "new_era_ne1000", "port": "modbus",
        "settings": {"syringe_diameter_mm": 38.4, "watchdog_s": watchdog_s},
    }  # fmt: skip
    bench.rig["reservoirs"]["bottle"]["volume"] = "140 mL"
    finding = next(f for f in bench.plan().findings if f.code == "bench.medium-watchdog")
    assert finding.severity == "block"
    assert "watchdog_s: 0" in finding.remedy


def test_a_watchdog_of_a_dosing_pump_is_right(bench):
    syringe(bench)["watchdog_s"] = 240
    assert "bench.medium-watchdog" not in bench.graded()


@pytest.mark.parametrize("key", ["width_px", "height_px", "pixel_size"])
def test_channels_that_cannot_be_stored_together_block(bench, key):
    bench.rig["optics"]["tubes"] = {**bench.rig["optics"]["phase"]}
    bench.protocol["imaging"]["channels"]["tubes"] = {
        "modality": "fluorescence", "shows": "tubes", "exposure": "20 ms",
    }  # fmt: skip
    assert "imaging.sizes-differ" not in bench.graded()
    bench.rig["optics"]["tubes"][key] = "1.3 um" if key == "pixel_size" else 600
    assert bench.graded()["imaging.sizes-differ"] == "block"


def test_a_channel_that_the_protocol_does_not_take_may_differ(bench):
    bench.rig["optics"]["other"] = {**bench.rig["optics"]["phase"], "width_px": 100}
    assert "imaging.sizes-differ" not in bench.graded()


@pytest.mark.parametrize("on", ["2026-11-24", "2027-11-22", "9999-01-01"])
def test_a_calibration_of_tomorrow_blocks_and_counts_for_nothing(bench, on):
    bench.rig["calibrations"][0]["on"] = on
    found = bench.graded()
    assert found["calibration.in-the-future"] == "block"
    assert found["calibration.missing"] == "warn"


def test_one_of_today_does_not(bench):
    bench.rig["calibrations"][0]["on"] = "2026-11-23"
    assert "calibration.in-the-future" not in bench.graded()


def bolus(bench, volume, rate="6 mL/h", at="2 h", n=1):
    bench.protocol["factors"]["H2O2"] = {
        "role": "insult", "half_life": {"value": "1 h", "basis": "measured"},
    }  # fmt: skip
    bench.protocol["stocks"]["peroxide"] = {"contents": {"H2O2": "1 mg/mL"}, "carrier": "water"}
    bench.rig["ports"]["second"] = {"address": "sim"}
    for index, well in enumerate(WELLS):
        bench.rig["instruments"][f"insult_{well}"] = {
            "type": "new_era_ne1000", "port": "second",
            "settings": {"address": index, "syringe_diameter_mm": 26.59},
        }  # fmt: skip
        bench.rig["reservoirs"][f"insult_{well}"] = {"volume": "60 mL", "cold": True}
        bench.rig["lines"][f"insult_{well}"] = {
            "reservoir": f"insult_{well}", "pump": f"insult_{well}", "wells": [well],
            "role": "insult", "inner_diameter": "0.25 mm", "length": "300 mm",
        }  # fmt: skip
        bench.rig["calibrations"].append(
            {"of": f"insult_{well}", "what": "gravimetric", "on": "2026-11-22"}
        )
    given = [
        {"factor": "H2O2", "stock": "peroxide", "at": at if i == 0 else f"{2 + i / 2:g} h",
         "volume": volume, "rate": rate}
        for i in range(n)
    ]  # fmt: skip
    for arm in bench.protocol["arms"].values():
        arm["boluses"] = given


@pytest.mark.parametrize(
    ("volume", "rate", "found"),
    [
        ("50 uL", "6 mL/h", set()),
        ("499 uL", "6 mL/h", set()),
        ("500 uL", "6 mL/h", {"dose.whole-well"}),
        ("1 mL", "6 mL/h", {"dose.whole-well"}),
        # 3.48 mL to the rim, 1 mL is there, and 1.15 mL/h drain while 1 mL/h of medium flows on
        ("2.4 mL", "60 mL/h", {"dose.whole-well"}),
        ("2.6 mL", "60 mL/h", {"dose.whole-well", "dose.overflow"}),
    ],
)
def test_boluses_against_the_well(bench, volume, rate, found):
    bolus(bench, volume, rate)
    graded = bench.graded()
    assert {code for code in graded if code.startswith("dose.")} == found
    assert all(graded[code] == "block" for code in found)


def test_small_boluses_that_follow_each_other_add_up(bench):
    bolus(bench, "450 uL", "60 mL/h", n=10)  # 4.5 mL in 4.5 h, of which 0.7 mL drain
    assert bench.graded().get("dose.overflow") == "block"


def test_a_strong_outflow_takes_them(bench):
    bolus(bench, "450 uL", "60 mL/h", n=10)
    bench.rig["outflow"]["ratio"] = 3.0
    assert "dose.overflow" not in bench.graded()


def test_a_bolus_larger_than_its_syringe_blocks(bench):
    bolus(bench, "400 uL")
    for well in WELLS:
        bench.rig["instruments"][f"insult_{well}"]["settings"].update(
            syringe_volume_ul=300.0, syringe_diameter_mm=3.256
        )
        bench.rig["reservoirs"][f"insult_{well}"]["volume"] = "0.3 mL"
    assert bench.graded()["dose.more-than-syringe"] == "block"

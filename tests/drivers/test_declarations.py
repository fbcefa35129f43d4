"""What instrument types declare is so, and what does not go together is refused with a remedy."""

from __future__ import annotations

import dataclasses

import pytest

from labrig_drivers import asi_ms2000, leadfluid, new_era, pulse_pal, vaisala_gmp25x
from labrig_drivers.conformance import declaration
from labrig_drivers.instrument import ContradictoryType, installed_types
from labrig_drivers.leadfluid.settings import LeadFluidSettings
from labrig_drivers.new_era.rates import NewEraRates
from labrig_drivers.new_era.settings import NewEraSettings
from labrig_drivers.simulation import FaultKind
from labrig_drivers.vaisala_gmp25x.settings import VaisalaSettings

OTHER_SETTINGS = {
    "new_era_ne1000": NewEraSettings(address=7, watchdog_s=60, syringe_diameter_mm=4.61),
    "leadfluid_bt": LeadFluidSettings(address=9, min_rate_ul_min=1.0, max_rate_ul_min=3e4),
    "vaisala_gmp25x": VaisalaSettings(address=3, model="GMP252"),
}
CASES = {
    f"{name}, {words}": (name, settings)
    for name in installed_types()
    for words, settings in (("defaults", None), ("others", OTHER_SETTINGS.get(name)))
    if words == "defaults" or settings is not None
}


@pytest.mark.parametrize("check", declaration.CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_what_a_type_declares_is_so(case, check):
    name, settings = CASES[case]
    kind = installed_types()[name]
    check(kind, settings or kind.settings())


NE, LF, PP, ASI, VAISALA = (
    package.INSTRUMENT for package in (new_era, leadfluid, pulse_pal, asi_ms2000, vaisala_gmp25x)
)
CAMERA = installed_types()["opencv_camera"]
UNTRUE = {
    "rates of another syringe": (
        NE, {"rates": lambda s: NewEraRates(NewEraSettings())},
        "check_rates", NewEraSettings(syringe_diameter_mm=4.61),
    ),
    "no time at all until it stops itself": (
        NE, {"heartbeat_s": lambda s: 0.0}, "check_heartbeat", NewEraSettings(),
    ),
    "it stops itself and cannot be released": (
        LF, {"heartbeat_s": lambda s: 30.0}, "check_heartbeat", LeadFluidSettings(),
    ),
    "nothing tells two devices apart": (
        VAISALA, {"bus_key": lambda s: None}, "check_bus_key_tells_apart", VaisalaSettings(),
    ),
    "a fault that is not simulated": (
        PP, {"faults": {"fire": FaultKind("it burns")}},
        "check_faults_can_be_played", PP.settings(),
    ),
    "another travel": (
        ASI, {"travel": lambda s: asi_ms2000.travel(ASI.settings())},
        "check_travel", ASI.settings(x_max_um=1000.0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", UNTRUE)
def test_what_is_not_so_is_found(what):
    kind, changed, check, settings = UNTRUE[what]
    wrong = dataclasses.replace(kind, **changed)
    with pytest.raises((AssertionError, ValueError)):
        getattr(declaration, check)(wrong, settings)
    getattr(declaration, check)(kind, settings)


CONTRADICTIONS = {
    "a pump among images": (NE, {"host": "imaging"}, "cannot serve a pump"),
    "a camera in the runner": (CAMERA, {"host": "runner"}, "pixels have no place"),
    "a stage that opens itself in the runner": (
        ASI, {"link": "address", "serial": None}, "ports of bytes only",
    ),
    "a serial stage among images": (ASI, {"host": "imaging"}, "opens no port of bytes"),
    "bytes without a port": (ASI, {"serial": None}, "serial="),
    "a port without bytes": (CAMERA, {"serial": ASI.serial}, "serial="),
    "Modbus without a device": (LF, {"device_id": None}, "device_id="),
    "a pump without rates": (LF, {"rates": None}, "rates="),
    "a stage without travel": (ASI, {"travel": None}, "travel="),
    "faults without a simulator": (PP, {"simulator": None}, "has none"),
}  # fmt: skip


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_a_type_that_contradicts_itself_says_what_to_write(what):
    kind, changed, said = CONTRADICTIONS[what]
    with pytest.raises(ContradictoryType, match=said) as error:
        dataclasses.replace(kind, **changed)
    assert kind.name in str(error.value)


def test_a_stage_may_be_hosted_with_the_images():
    hosted = dataclasses.replace(
        ASI, link="address", serial=None, host="imaging", simulator=None, faults={}
    )
    assert hosted.host == "imaging"

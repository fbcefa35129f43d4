"""Which cells stand in a simulated well, and which of them a light moves."""

from __future__ import annotations

from labrig.plan.opsins import opsin
from labrig.plan.plan import WellPlan
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig
from labrig.twin.spec import LightSpec, WellSpec

_USUAL_DAYS, _USUAL_PASSAGE = 5.0, 4
"""[K] Of a culture whose protocol does not say."""


def well_spec(
    protocol: Protocol, well: WellPlan, fields_um: tuple[tuple[float, float], ...]
) -> WellSpec:
    """The culture that a plan puts into a well."""
    donors = {donor.id: donor for donor in protocol.donors}
    donor = donors.get(well.donor)
    passage = None if donor is None else donor.passage
    return WellSpec(
        well.well,
        well.donor,
        "unknown" if donor is None else donor.age_group,
        fields_um,
        _days(protocol, well.compartment),
        _USUAL_PASSAGE if passage is None else passage,
        well.compartment,
        well.chip,
    )


def _days(protocol: Protocol, compartment: str) -> float:
    sides = protocol.culture.compartments
    days = protocol.culture.days_differentiated
    if sides is not None and compartment:
        days = (sides.nerve if compartment == "nerve" else sides.muscle).days
    return _USUAL_DAYS if days is None else days


def lights_of(protocol: Protocol, rig: Rig) -> tuple[LightSpec, ...]:
    """Every light of the rig, with the wells whose cells answer to its wavelength."""
    return tuple(
        LightSpec(
            light.stimulator,
            light.channel,
            tuple(w for w in light.wells if _answers(protocol, rig, w, light.wavelength_nm)),
            tuple((p.volts, p.irradiance_mw_mm2) for p in light.calibration),
        )
        for light in rig.lights.values()
    )


def _answers(protocol: Protocol, rig: Rig, well: str, wavelength_nm: float) -> bool:
    sides = protocol.culture.compartments
    if sides is None:
        return False
    nerve = any(chip.nerve == well for chip in rig.chips.values())
    named = (sides.nerve if nerve else sides.muscle).opsin
    known = opsin(named) if named else None
    return known is not None and known.driven_by(wavelength_nm)

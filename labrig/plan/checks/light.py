"""Light as a stimulus: whether it moves the cells it is meant for, and those alone."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft, Limit
from labrig.plan.emitters import emitters
from labrig.plan.findings import Finding
from labrig.plan.light_physics import dose_j_cm2, heating_k, mean_power_mw
from labrig.plan.opsins import OPSINS, opsin
from labrig.plan.timeline import StimulationLevel, levels_with_ends
from labrig.protocol.compartments import COMPARTMENTS
from labrig.protocol.impulses import LightPattern
from labrig.protocol.tests_as_patterns import every_pattern, place_of
from labrig.rig.chips import Light, volts_for

DOSE = Limit(
    7.6, 66.0, "J/cm² a day",
    "[S] PMC3438385 table 4: 7.6-15.2 J/cm² of 450-490 nm made cells produce H2O2 (Hockberger "
    "1999), 66-100 J/cm² of 412-426 nm killed skin cells (Liebmann 2010)",
)  # fmt: skip
IRRADIANCE = Limit(10.0, 50.0, "mW/mm²", "[P] 1 to 10 mW/mm² are usual [K]")
HEATING = Limit(
    0.1, 1.0, "K",
    "[S] 0.1 K has been associated with changed neuronal activity (Owen 2019, as cited in Authorea "
    "593643); block [P]; at 10 mW/K a well [P], all light absorbed",
)  # fmt: skip
PULSE_MS = 500.0
"""A longer flash may be answered more than once, and then fidelity counts nothing [P]."""


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``light.*``, on the protocol by sides of chips."""
    lit = {
        name: pattern
        for name, pattern in every_pattern(draft.protocol).items()
        if isinstance(pattern, LightPattern)
    }
    if lit:
        yield from _opsins(draft, lit)
        for name, pattern in lit.items():
            yield from _one_pattern(draft, name, pattern)
        yield from _reach(draft, lit)
        yield from _dose_and_heat(draft, lit)
        yield from _calibrations(draft, lit)
    yield from _imaging(draft)


def _opsins(draft: Draft, lit: dict[str, LightPattern]) -> Iterator[Finding]:
    for side in dict.fromkeys(pattern.onto for pattern in lit.values()):
        name = draft.opsins.get(side)
        if name is not None and opsin(name) is None:
            yield Finding(
                "light.unknown-opsin",
                "warn",
                f"protocol: culture.compartments.{side}.opsin",
                f"labrig does not know which light drives {name}: neither the stimulus nor the "
                "light of the camera can be checked",
                f"check both yourself; known are {', '.join(OPSINS)}",
            )


def _one_pattern(draft: Draft, name: str, pattern: LightPattern) -> Iterator[Finding]:
    where = place_of(name)
    known = opsin(draft.opsins.get(pattern.onto) or "")
    if known is not None and not known.driven_by(pattern.wavelength_nm):
        yield Finding(
            "light.opsin-band",
            "block",
            f"{where}.wavelength",
            f"{pattern.wavelength_nm:g} nm does not drive {draft.opsins[pattern.onto]}, whose band "
            f"is {known.low_nm:g} to {known.high_nm:g} nm ({known.basis})",
            f"take a light of about {known.peak_nm:g} nm",
            overridable=True,
        )
    finding = IRRADIANCE.judge(
        "light.irradiance", f"{where}.irradiance", "irradiance", pattern.irradiance_mw_mm2,
        "lower it: find the least that every flash is answered at",
    )  # fmt: skip
    if finding is not None:
        yield finding
    if pattern.live and pattern.phase_ms > PULSE_MS:
        yield Finding(
            "light.long-flash",
            "warn",
            f"{where}.pulse_width",
            f"a flash of {pattern.phase_ms:g} ms may give more than one impulse [K]: answers would "
            "be counted to one flash",
            f"shorten it to {PULSE_MS:g} ms or less",
        )


def _lights_of(draft: Draft, pattern: LightPattern) -> dict[str, Light]:
    """The lights that reach wells of the pattern's side."""
    side = {w.well for w in draft.plan.wells if w.compartment == pattern.onto}
    return {n: light for n, light in draft.rig.lights.items() if side & set(light.wells)}


def _reach(draft: Draft, lit: dict[str, LightPattern]) -> Iterator[Finding]:
    """Each light can give what is asked of it, in the colour that is asked for."""
    for name, pattern in lit.items():
        where = place_of(name)
        lights = _lights_of(draft, pattern)
        dark = [
            well.well
            for well in draft.plan.wells
            if well.compartment == pattern.onto
            and not any(well.well in light.wells for light in lights.values())
        ]
        if dark:
            yield Finding(
                "light.dark-wells",
                "block",
                f"rig: lights ({', '.join(dark)})",
                f"{name} is to shine onto the {pattern.onto} side, and no light reaches "
                f"{', '.join(dark)}",
                "add the wells to a light, or take other chips",
            )
        for light_name, light in lights.items():
            if abs(light.wavelength_nm - pattern.wavelength_nm) > 1.0:
                yield Finding(
                    "light.wavelength",
                    "block",
                    f"{where}.wavelength",
                    f"{name} asks for {pattern.wavelength_nm:g} nm, and {light_name} gives "
                    f"{light.wavelength_nm:g} nm",
                    "write the wavelength that the rig's light has, or take another light",
                )
            if volts_for(light, pattern.irradiance_mw_mm2) is None:
                low, high = light.calibration[0], light.calibration[-1]
                yield Finding(
                    "light.outside-calibration",
                    "block",
                    f"{where}.irradiance",
                    f"{name} asks for {pattern.irradiance_mw_mm2:g} mW/mm², and {light_name} was "
                    f"measured from {low.irradiance_mw_mm2:g} to {high.irradiance_mw_mm2:g} mW/mm²",
                    "ask for what was measured, or measure further: nothing is extrapolated",
                )


def _dose_and_heat(draft: Draft, lit: dict[str, LightPattern]) -> Iterator[Finding]:
    """Of the lights' channels as planned: their dose a day, and their warmest stretch."""
    days = max(draft.plan.forecast.duration_s / 86400.0, 1.0)
    channels = {
        (e.stimulator, e.channel): (name, e.light)
        for name, e in emitters(draft.rig).items()
        if e.light is not None
    }
    dose: dict[str, float] = {}
    heat: dict[str, tuple[float, str]] = {}
    levels = (e for e in draft.plan.timeline if isinstance(e, StimulationLevel))
    for level, end_s in levels_with_ends(levels, draft.plan.forecast.duration_s):
        if not isinstance(level, StimulationLevel):
            continue
        for spec in level.trains:
            if (level.instrument, spec.channel) not in channels or spec.pattern not in lit:
                continue
            name, light = channels[level.instrument, spec.channel]
            pattern = lit[spec.pattern]
            held_s = end_s - level.offset_s
            trains = max(1.0, held_s / spec.every_s)
            dose[name] = dose.get(name, 0.0) + dose_j_cm2(
                pattern.irradiance_mw_mm2, pattern.phase_ms, spec.pulses * trains
            )
            power_mw = mean_power_mw(
                pattern.irradiance_mw_mm2, light.area_mm2, pattern.phase_ms,
                spec.pulses / spec.every_s,
            )  # fmt: skip
            warmer_k = heating_k(power_mw, draft.rig.chambers.volume_ml, held_s)
            heat[name] = max(heat.get(name, (0.0, "")), (warmer_k, spec.pattern))
    for name, joules in dose.items():
        finding = DOSE.judge(
            "light.dose",
            f"rig: lights.{name}",
            f"light on the cells of {', '.join(draft.rig.lights[name].wells)}",
            joules / days,
            "shorter flashes, a lower irradiance, fewer tests, or electrodes for long training",
        )
        if finding is not None:
            yield finding
    for name, (kelvin, pattern_name) in heat.items():
        finding = HEATING.judge(
            "light.heating",
            place_of(pattern_name),
            f"the rise of temperature under {name}, at most,",
            kelvin,
            "shorter flashes, a lower irradiance or a smaller lit area",
        )
        if finding is not None:
            yield finding


def _calibrations(draft: Draft, lit: dict[str, LightPattern]) -> Iterator[Finding]:
    used = {n for pattern in lit.values() for n in _lights_of(draft, pattern)}
    for name in sorted(used):
        light = draft.rig.lights[name]
        age_days = (draft.today - light.calibrated).days
        if age_days < 0:
            yield Finding(
                "light.calibration-date",
                "warn",
                f"rig: lights.{name}.calibrated",
                f"{name} is said to be calibrated on {light.calibrated}, in the future",
                "correct the date",
            )
        elif age_days > light.valid_days:
            yield Finding(
                "light.calibration-old",
                "block",
                f"rig: lights.{name}.calibrated",
                f"{name} was last measured {age_days} days ago, and LEDs age: valid for "
                f"{light.valid_days} days",
                "measure its irradiance at the cells again, and write points and date",
                overridable=True,
            )


def _imaging(draft: Draft) -> Iterator[Finding]:
    """A picture must not be a stimulus: axons with the opsin lie under the muscle's light too."""
    known = {
        name: found for side in COMPARTMENTS
        if (name := draft.opsins.get(side)) and (found := opsin(name)) is not None
    }  # fmt: skip
    for opsin_name, own in known.items():
        for channel in draft.protocol.imaging.channels:
            optics = draft.rig.optics.get(channel)
            if optics is None:
                continue
            where = f"rig: optics.{channel}.wavelength"
            if optics.wavelength_nm is None:
                yield Finding(
                    "light.imaging-unknown",
                    "warn",
                    where,
                    f"the cells have {opsin_name}, and nothing says of which colour the light of "
                    f"channel {channel} is: it may drive them",
                    f"write its wavelength; take one above {own.high_nm:g} nm",
                )
            elif own.driven_by(optics.wavelength_nm, optics.bandwidth_nm):
                films = draft.protocol.imaging.films
                filmed = films is not None and films.channel == channel
                yield Finding(
                    "light.imaging-drives-opsin",
                    "block" if filmed else "warn",
                    where,
                    f"{optics.wavelength_nm:g} ± {optics.bandwidth_nm / 2:g} nm lies in the band "
                    f"of {opsin_name} ({own.low_nm:g} to {own.high_nm:g} nm): "
                    + ("every film" if filmed else "every picture")
                    + " would be a stimulus",
                    f"filter it to above {own.high_nm:g} nm"
                    + ("" if filmed else ", or take the channel last only"),
                    overridable=filmed,
                )

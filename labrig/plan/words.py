"""The words in which people are told of the timeline's entries. Nobody is shown a key.

The dry-run table, its pictures, status and questions of a run, and the report say the same thing in
the same words because they all ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import assert_never

from labrig.plan.figures import figure
from labrig.plan.timeline import (
    AskedTest,
    ClimateLevel,
    Dose,
    Film,
    FlowLevel,
    Frame,
    PersonStep,
    Reading,
    StimulationLevel,
    TimelineEntry,
    TrainSpec,
    ValveLevel,
)
from labrig_drivers.kinds import quantity_of

MANY_ROWS: Mapping[str, str] = MappingProxyType(
    {
        "frame": "pictures",
        "film": "films",
        "dose": "doses",
        "level": "settings of instruments",
        "step": "steps of people",
        "reading": "probe readings",
        "train": "impulse trains",
    }
)
"""By kind of row in the journal, what a number of them is called; in the order of telling."""


@dataclass(frozen=True, slots=True)
class Words:
    """One entry, for a person.

    Attributes:
        what: what is done, with all its settings; by whom stands beside it.
        where: its wells, or the instrument where it has none.
        sentence: what is to happen; begins with a small letter and has no full stop.
        unnamed: the same without a factor's name, for who must not know the arms.
        which: which one of its kind it is, where the kind stands beside it.
        many: what a number of its sort is called.
        by_many: what a number of instruments that do it is called.
        lanes: of a level, what a chart over time shows: by name of a lane, how much (0: nothing).
    """

    what: str
    where: str
    sentence: str
    unnamed: str
    which: str
    many: str
    by_many: str = "instruments"
    lanes: Mapping[str, float] = field(default_factory=dict)


def words_of(entry: TimelineEntry) -> Words:
    """How to tell of an entry."""
    where = " ".join(entry.wells) or entry.instrument
    match entry:
        case FlowLevel():
            rate = entry.rate_ul_min
            set_to = f"{entry.instrument} to {rate:.4g} µL/min"
            sentence = set_to if rate else f"{entry.instrument} stands"
            return Words(
                what=f"{figure(rate)} µL/min" if rate else "off",
                where=where,
                sentence=sentence,
                unnamed=sentence,
                which=entry.instrument,
                many="flow",
                by_many="pumps",
                lanes={entry.instrument: rate},
            )
        case StimulationLevel():
            sentence = f"impulses by {entry.instrument}" if entry.trains else "impulses off"
            return Words(
                what="; ".join(_train(spec) for spec in entry.trains) or "silent",
                where=where,
                sentence=sentence,
                unnamed=sentence,
                which=entry.instrument,
                many="impulses",
                by_many="stimulators",
                lanes={
                    f"{entry.instrument} {spec.channel}: {spec.pattern}": float(spec.live)
                    for spec in entry.trains
                },
            )
        case ValveLevel():
            sentence = f"{entry.instrument} to position {entry.position}"
            return Words(
                what=f"position {entry.position}",
                where=where,
                sentence=sentence,
                unnamed=f"{entry.instrument} to its position",
                which=entry.instrument,
                many="valves",
                by_many="valves",
                lanes={f"{entry.instrument} position {entry.position}": 1.0},
            )
        case ClimateLevel():
            held = quantity_of(entry.quantity)
            value = f"{entry.value:g} {held.unit_label}".strip()
            sentence = f"{entry.instrument} to {value} {held.words}"
            return Words(
                what=f"{value} {held.words}",
                where=where,
                sentence=sentence,
                unnamed=f"{entry.instrument} to its {held.words}",
                which=f"{entry.instrument} ({held.words})",
                many=held.words,
                by_many="controllers",
                lanes={f"{entry.instrument} {held.words}": entry.value},
            )
        case Dose():
            wells = ", ".join(entry.wells)
            volume, rate = entry.volume_ul, entry.rate_ul_min
            return Words(
                what=f"{volume:g} µL of {entry.factor} at {figure(rate)} µL/min, once",
                where=where,
                sentence=f"{volume:.4g} µL {entry.factor} into {wells} by {entry.instrument}",
                unnamed=f"{volume:.4g} µL into {wells} by {entry.instrument}",
                which=f"{entry.factor} into {wells}",
                many=f"doses of {entry.factor}",
                by_many="pumps",
            )
        case PersonStep():
            wells = ", ".join(entry.wells)
            minutes = f"{entry.within_s / 60:g} min"
            whose = f" of {wells}" if wells and not entry.supply else ""
            return Words(
                what=f"{entry.what}, within {minutes}, signed by "
                + ("two people" if entry.signatures > 1 else "one person"),
                where=where,
                sentence=f"{entry.what} ({entry.step}){whose}, within {minutes}",
                unnamed=f"{entry.unnamed} ({entry.step}){whose}, within {minutes}",
                which=entry.step,
                many=f"steps of people ({entry.step})",
                by_many="people",
            )
        case Frame():
            field_ = f"{entry.well} field {entry.field + 1}, {entry.channel}"
            return Words(
                what=f"picture, field {entry.field}, {entry.channel}, {entry.exposure_ms:g} ms",
                where=where,
                sentence=f"picture of {entry.well} ({entry.channel})",
                unnamed=f"picture of {entry.well} ({entry.channel})",
                which=f"{field_}, round {entry.round + 1}",
                many=f"pictures ({entry.channel})",
            )
        case Film():
            rate_hz = f"{entry.frame_rate_hz:g} Hz"
            tested = "" if entry.test is None else f", {_test(entry, entry.test)}"
            return Words(
                what=f"film, {entry.frames} frames at {rate_hz}, {entry.channel}{tested}",
                where=where,
                sentence=f"film of {entry.well} ({entry.channel}{tested})",
                unnamed=f"film of {entry.well} ({entry.channel}{tested})",
                which=f"{entry.well} field {entry.field + 1}, {entry.channel}{tested}",
                many=f"films of {entry.assay}" if entry.assay else "films",
            )
        case Reading():
            return Words(
                what="reading",
                where=where,
                sentence=f"reading of {entry.instrument}",
                unnamed=f"reading of {entry.instrument}",
                which=entry.instrument,
                many="readings of the air",
            )
        case _:
            assert_never(entry)


def _test(film: Film, test: AskedTest) -> str:
    """Which test a film shows, e.g. ``test ff at 10 Hz and 15 V``."""
    amplitude = f"{test.amplitude_v or 0.0:g} V"
    if test.amplitude_ma is not None:
        amplitude = f"{test.amplitude_ma:g} mA"
    if test.of_capture is not None:
        amplitude = f"{100 * test.of_capture:g} % of capture"
    if test.irradiance_mw_mm2 is not None:
        amplitude = _light(test.irradiance_mw_mm2, test.wavelength_nm)
    part = f", {test.part} part" if test.part else ""
    return f"test {film.assay} at {test.frequency_hz:g} Hz and {amplitude}{part}"


def _train(spec: TrainSpec) -> str:
    amplitude = f"{spec.amplitude_v or 0.0:g} V"
    if spec.amplitude_ma is not None:
        amplitude = f"{spec.amplitude_ma:g} mA"
    if spec.of_capture is not None:
        amplitude = f"{100 * spec.of_capture:g} % of capture, at most {amplitude},"
    if spec.irradiance_mw_mm2 is not None:
        amplitude = _light(spec.irradiance_mw_mm2, spec.wavelength_nm)
    return (
        f"channel {spec.channel} {spec.pattern}, {spec.pulses} pulses of {amplitude} "
        f"in {spec.duration_s:g} s, every {spec.every_s:g} s"
    )


def _light(irradiance_mw_mm2: float, wavelength_nm: float | None) -> str:
    if irradiance_mw_mm2 == 0:
        return "no light"
    # plans of an older labrig do not know it
    colour = "" if wavelength_nm is None else f"{wavelength_nm:g} nm, "
    return f"light of {colour}{irradiance_mw_mm2:g} mW/mm²"


def hours(at_s: float) -> str:
    """Run time as hours and minutes."""
    minutes = round(at_s / 60)
    return f"{minutes // 60}:{minutes % 60:02d} h"

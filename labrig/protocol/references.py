"""Whether everything that a protocol names exists in it, and its parts agree with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake, did_you_mean, raise_mistakes
from labrig.protocol.analysis_references import analysis_mistakes
from labrig.protocol.assay_references import assay_mistakes
from labrig.protocol.blinding import blinding_mistakes
from labrig.protocol.climate import climate_mistakes
from labrig.protocol.compartment_references import compartment_mistakes
from labrig.protocol.compartments import COMPARTMENTS
from labrig.protocol.contents import doses_of
from labrig.protocol.extent import too_large
from labrig.protocol.mixture_references import mixture_mistakes
from labrig.protocol.outcome_references import outcome_mistakes
from labrig.protocol.patterns import (
    LIBRARY,
    MEAN_RATE_TOLERANCE,
    library_yaml,
    mean_rate_hz,
)
from labrig.protocol.person_steps import step_mistakes
from labrig.protocol.plates import PLATES
from labrig.protocol.programme_references import (
    mixed_pattern_mistakes,
    programme_mistakes,
    standing_mistakes,
)
from labrig.protocol.series_moments import NoMoment, series_moment_s

if TYPE_CHECKING:
    from labrig.protocol.arms import Arm, ArmPart
    from labrig.protocol.models import Protocol


def check_references(protocol: Protocol) -> None:
    """Every name must lead somewhere.

    Raises:
        pydantic.ValidationError: one line error a mistake, each with its path and remedy.
    """
    mistakes = [
        *_donors(protocol),
        *_half_lives(protocol),
        *_stocks(protocol),
        *mixture_mistakes(protocol),
        *_patterns(protocol),
        *mixed_pattern_mistakes(protocol),
        *_phases(protocol),
        *_imaging(protocol),
        *too_large(protocol),
        *_perfusion(protocol),
        *_definition(protocol),
        *analysis_mistakes(protocol),
        *assay_mistakes(protocol),
        *blinding_mistakes(protocol),
        *compartment_mistakes(protocol),
        *(m for name, arm in protocol.arms.items() for m in _arm(protocol, ("arms", name), arm)),
        *step_mistakes(protocol),
        *climate_mistakes(protocol),
        *outcome_mistakes(protocol),
    ]
    if not mistakes:
        arms = protocol.arms
        mistakes = [m for a in arms for m in standing_mistakes(protocol, ("arms", a), a)]
    raise_mistakes("protocol", mistakes)


def _unknown(path: KeyPath, kind: str, name: str, known: Iterable[str]) -> Mistake:
    what = f"there is no {kind} '{name}'"
    return Mistake(path, what, did_you_mean(name, list(known)), name)


def _donors(protocol: Protocol) -> Iterator[Mistake]:
    # wells of "any" plate can only be judged on a rig, which the plan does
    plate = PLATES.get(protocol.plate)
    owner: dict[str, str] = {}
    ids = Counter(donor.id for donor in protocol.donors)
    for index, donor in enumerate(protocol.donors):
        path: KeyPath = ("donors", index)
        if ids[donor.id] > 1:
            yield Mistake(
                (*path, "id"),
                f"two donors have the id '{donor.id}'",
                "Give each donor its own id.",
                donor.id,
            )
        if not donor.wells and len(protocol.donors) > 1:
            yield Mistake(
                path,
                f"donor '{donor.id}' has no wells, but there are several donors",
                "List the wells of each donor: `wells: [A1, A2, ...]`.",
            )
        for at, well in enumerate(donor.wells):
            if plate is not None and well not in plate:
                yield Mistake(
                    (*path, "wells", at),
                    *plate.lacks(well),
                    well,
                )
            if well in owner:
                yield Mistake(
                    (*path, "wells", at),
                    f"well {well} already belongs to donor '{owner[well]}'",
                    "Name each well once.",
                    well,
                )
            owner[well] = donor.id


def _half_lives(protocol: Protocol) -> Iterator[Mistake]:
    for name, factor in protocol.factors.items():
        known = factor.half_life
        for key, bound, beyond in (
            ("low", known.low_h, known.low_h is not None and known.low_h > known.value_h),
            ("high", known.high_h, known.high_h is not None and known.high_h < known.value_h),
        ):
            if beyond:
                yield Mistake(
                    ("factors", name, "half_life", key),
                    f"the half-life {known.value_h:g} h lies outside its own range",
                    "Give low, value and high in order.",
                    f"{bound:g} h",
                )


def _stocks(protocol: Protocol) -> Iterator[Mistake]:
    for name, stock in protocol.stocks.items():
        if name in protocol.media:
            yield Mistake(
                ("stocks", name),
                f"'{name}' is also the name of a medium",
                "Give the stock another name: reservoirs are labelled by it.",
            )
        for factor in stock.contents_ng_ml:
            if factor not in protocol.factors:
                path: KeyPath = ("stocks", name, "contents", factor)
                yield _unknown(path, "factor", factor, protocol.factors)
        yield from _vehicle(protocol, name)


def _vehicle(protocol: Protocol, name: str) -> Iterator[Mistake]:
    stock = protocol.stocks[name]
    if stock.vehicle is None:
        return
    path: KeyPath = ("stocks", name, "vehicle")
    vehicle = protocol.stocks.get(stock.vehicle)
    if vehicle is None:
        yield _unknown(path, "stock", stock.vehicle, protocol.stocks)
    elif shared := sorted(set(vehicle.contents_ng_ml) & set(stock.contents_ng_ml)):
        yield Mistake(
            path,
            f"the vehicle '{stock.vehicle}' contains {', '.join(shared)} itself",
            "A vehicle is the carrier without the factors.",
            stock.vehicle,
        )
    elif (vehicle.carrier, vehicle.solvent) != (stock.carrier, stock.solvent):
        yield Mistake(
            path,
            f"the carrier of '{stock.vehicle}' ({vehicle.carrier} {vehicle.solvent}) is not that "
            f"of '{name}' ({stock.carrier} {stock.solvent})",
            "Give both the same carrier and solvent, or the vehicle controls for nothing.",
            stock.vehicle,
        )


def _patterns(protocol: Protocol) -> Iterator[Mistake]:
    for name, pattern in protocol.patterns.items():
        path: KeyPath = ("patterns", name)
        if (pattern.on_s is None) != (pattern.off_s is None):
            missing = "train_off" if pattern.off_s is None else "train_on"
            yield Mistake(
                path,
                f"only one of train_on and train_off is given for '{name}'",
                f"Add `{missing}: ... s`, or leave out both for a continuous train.",
            )
            continue
        if not _positive(pattern.on_s) or not _positive(pattern.off_s):
            yield Mistake(
                path, f"a train time of '{name}' is not above 0 s", "Give both more than 0 s."
            )
            continue
        by_light = getattr(pattern, "by", "electrodes") == "light"
        strengths = {
            "a voltage": pattern.amplitude_v,
            "a current": pattern.amplitude_ma,
            "a share of capture": pattern.of_capture_percent,
        }
        given = [word for word, value in strengths.items() if value is not None]
        if not by_light and len(given) != 1:
            key = "of_capture" if "a share of capture" in given else "current"
            yield Mistake(
                (*path, key) if given else path,
                f"'{name}' says both {' and '.join(given)}"
                if given
                else f"'{name}' says neither a voltage nor a current",
                "Write `amplitude: 15 V` for a voltage source, or `current: 20 mA` (through each "
                "well) for a current source, or `of_capture: 85 %` of a threshold found before.",
            )
            continue
        phases = 2 if pattern.shape == "biphasic" else 1
        if phases * pattern.phase_ms * pattern.frequency_hz > 1000.0:
            yield Mistake(
                (*path, "frequency"),
                f"{phases} × {pattern.phase_ms:g} ms does not fit into the "
                f"{1000.0 / pattern.frequency_hz:g} ms between pulses",
                "Lower the frequency or shorten the pulse.",
                f"{pattern.frequency_hz:g} Hz",
            )
        rate = mean_rate_hz(pattern.frequency_hz, pattern.on_s, pattern.off_s)
        stated = pattern.mean_rate_hz
        if stated is not None and abs(stated - rate) > MEAN_RATE_TOLERANCE * rate:
            yield Mistake(
                (*path, "mean_rate"),
                f"the mean rate of '{name}' is {rate:.4g} Hz, not {stated:g} Hz",
                "Correct it or the train times: patterns are compared at equal mean rate.",
                f"{stated:g} Hz",
            )


def _positive(value: float | None) -> bool:
    return value is None or value > 0


def _phases(protocol: Protocol) -> Iterator[Mistake]:
    names = Counter(phase.name for phase in protocol.phases)
    for index, phase in enumerate(protocol.phases):
        if names[phase.name] > 1:
            yield Mistake(
                ("phases", index, "name"),
                f"two phases are called '{phase.name}'",
                "Give each phase its own name.",
                phase.name,
            )


def _imaging(protocol: Protocol) -> Iterator[Mistake]:
    imaging, duration_s = protocol.imaging, protocol.duration_s
    if imaging.first_s > duration_s:
        yield Mistake(
            ("imaging", "first"),
            f"the first round comes after the end of the run ({duration_s / 3600:g} h)",
            "Start earlier or make the phases longer.",
        )
    unstained = any(channel.shows == "cells" for channel in imaging.channels.values())
    if imaging.phase_mask != "rules" and not unstained:
        yield Mistake(
            ("imaging", "phase_mask"),
            "it is about pictures without a stain, and no channel shows cells",
            "Leave it out, or take a channel that `shows: cells`.",
            imaging.phase_mask,
        )
    if imaging.films is None:
        for name, channel in imaging.channels.items():
            if channel.rounds == "with-films":
                yield Mistake(
                    ("imaging", "channels", name, "rounds"),
                    "there are no films",
                    "Add `films:` under `imaging:`, or take this channel in other rounds.",
                )
        return
    path: KeyPath
    if imaging.films.channel not in imaging.channels:
        path = ("imaging", "films", "channel")
        yield _unknown(path, "channel", imaging.films.channel, imaging.channels)
    stimulus = imaging.films.stimulus
    if stimulus is not None and stimulus not in protocol.patterns:
        path = ("imaging", "films", "stimulus")
        yield _unknown(path, "pattern", stimulus, protocol.patterns)
    for index, at in enumerate(imaging.films.at):
        path = ("imaging", "films", "at", index)
        if isinstance(at, str):
            yield from _film_moment(protocol, path, at)
        elif not 0 <= at <= duration_s:
            yield Mistake(
                path,
                f"{at / 3600:g} h is outside the run (0 to {duration_s / 3600:g} h)",
                "Films are timed from the start of the run.",
            )


def _film_moment(protocol: Protocol, path: KeyPath, text: str) -> Iterator[Mistake]:
    try:
        series_moment_s(protocol, text)
    except NoMoment as error:
        yield Mistake(path, str(error), error.remedy, text)


def _perfusion(protocol: Protocol) -> Iterator[Mistake]:
    perfusion = protocol.perfusion
    if perfusion is not None and perfusion.medium not in protocol.media:
        yield _unknown(("perfusion", "medium"), "medium", perfusion.medium, protocol.media)
    if perfusion is not None:
        return
    asked: list[tuple[KeyPath, str, Arm | ArmPart]] = []
    for name, arm in protocol.arms.items():
        asked.append((("arms", name), name, arm))
        sides = {"nerve": arm.nerve, "muscle": arm.muscle}
        asked += [(("arms", name, side), name, part) for side, part in sides.items() if part]
    for path, name, part in asked:
        for key, used in (
            ("targets", part.targets),
            ("boluses", part.boluses),
            ("flow", part.flow_ml_h is not None),
        ):
            if used:
                yield Mistake(
                    (*path, key),
                    f"arm '{name}' asks for liquid, but the protocol perfuses nothing",
                    "Add `perfusion:` with a medium and a flow.",
                )


def _definition(protocol: Protocol) -> Iterator[Mistake]:
    stimulus = protocol.definition.reference_stimulus
    if stimulus and stimulus not in protocol.patterns:
        path: KeyPath = ("definition", "reference_stimulus")
        yield _unknown(path, "pattern", stimulus, protocol.patterns)


def _arm(protocol: Protocol, path: KeyPath, arm: Arm | ArmPart) -> Iterator[Mistake]:
    """What an arm names, and what it names for each side of a chip."""
    in_stock = {dosed for stock in protocol.stocks for dosed in doses_of(protocol, stock)}
    for factor, target in arm.targets.items():
        here: KeyPath = (*path, "targets", factor)
        if factor not in protocol.factors and factor not in protocol.mixtures:
            known = [*protocol.factors, *protocol.mixtures]
            yield _unknown(
                here, "factor or mixture" if protocol.mixtures else "factor", factor, known
            )
        elif factor not in in_stock:
            yield Mistake(
                here, f"no stock contains '{factor}'", "Add a stock with it under `stocks:`."
            )
        if isinstance(target, tuple):
            times = [step.at_s for step in target]
            if times != sorted(set(times)):
                yield Mistake(
                    here, "the steps are not in order of time", "Sort them by `at`, each later."
                )
    if arm.pattern is not None and arm.pattern not in protocol.written_patterns:
        unknown = _unknown((*path, "pattern"), "pattern", arm.pattern, protocol.written_patterns)
        if arm.pattern in LIBRARY:
            remedy = f"labrig knows one: add under patterns: `{library_yaml(arm.pattern)}`"
            unknown = replace(unknown, remedy=remedy)
        yield unknown
    if arm.flow_ml_h is not None and arm.flow_ml_h < 0:
        yield Mistake(
            (*path, "flow"),
            "a flow cannot be below 0",
            "Write `0 mL/h` for an arm that is not refreshed.",
            f"{arm.flow_ml_h:g} mL/h",
        )
    yield from _boluses(protocol, path, arm)
    for side in COMPARTMENTS:
        part = getattr(arm, side, None)
        if part is not None:
            yield from _arm(protocol, (*path, side), part)
    yield from programme_mistakes(protocol, path, arm)


def _boluses(protocol: Protocol, path: KeyPath, arm: Arm | ArmPart) -> Iterator[Mistake]:
    for index, bolus in enumerate(arm.boluses):
        here: KeyPath = (*path, "boluses", index)
        stock = protocol.stocks.get(bolus.stock)
        if stock is None:
            yield _unknown((*here, "stock"), "stock", bolus.stock, protocol.stocks)
        elif bolus.factor not in (held := doses_of(protocol, bolus.stock)):
            yield Mistake(
                (*here, "factor"),
                f"stock '{bolus.stock}' does not contain '{bolus.factor}'",
                did_you_mean(bolus.factor, list(held)),
                bolus.factor,
            )
        if bolus.at_s > protocol.duration_s:
            yield Mistake(
                (*here, "at"),
                f"{bolus.at_s / 3600:g} h is after the end of the run",
                f"The phases last {protocol.duration_s / 3600:g} h.",
            )

"""Light, optics and films."""

from __future__ import annotations

import math
from collections.abc import Iterator

from labrig.plan.checks.draft import Draft, Limit
from labrig.plan.findings import Finding
from labrig.plan.seen_sides import filmed_in
from labrig.plan.timeline import Frame, Picture
from labrig.protocol.imaging import FilmPlan
from labrig.protocol.impulses import Pattern
from labrig_analysis.films.baseline import shortest_interval_s

RESPONSE_S = 0.5
"""A twitch has peaked and relaxed by then [P]."""

LIGHT = {
    "phase": Limit(1.0, None, "J/cm² a day", "[P] soft budget, transmitted light"),
    "brightfield": Limit(1.0, None, "J/cm² a day", "[P] soft budget, transmitted light"),
    "fluorescence": Limit(0.1, None, "J/cm² a day", "[P] soft budget, blue or UV"),
}


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``imaging.*`` that need the whole plan."""
    yield from _optics(draft)
    yield from _sizes(draft)
    yield from _light(draft)
    yield from _film(draft)
    yield from _film_stimulus(draft)
    yield from _travel(draft)


def _optics(draft: Draft) -> Iterator[Finding]:
    for name in draft.protocol.imaging.channels:
        if name not in draft.rig.optics:
            yield Finding(
                "imaging.no-optics",
                "block",
                f"protocol: imaging.channels.{name}",
                f"the rig has no optics for channel {name}; it has " + ", ".join(draft.rig.optics),
                "add it under optics: of the rig, with its calibrated pixel_size",
            )


def _sizes(draft: Draft) -> Iterator[Finding]:
    """All channels of a plate are stored as one array: one size, one scale."""
    sizes = {
        name: (optics.width_px, optics.height_px, optics.pixel_size_um)
        for name in draft.protocol.imaging.channels
        if (optics := draft.rig.optics.get(name)) is not None
    }
    if len(set(sizes.values())) > 1:
        said = "; ".join(
            f"{name} {width} × {height} px of {pixel_um:g} µm"
            for name, (width, height, pixel_um) in sizes.items()
        )
        yield Finding(
            "imaging.sizes-differ",
            "block",
            f"rig: optics ({', '.join(sizes)})",
            f"channels of one time-lapse are stored together and must be alike: {said}",
            "crop or bin to one size and pixel, or take one camera in a run of its own",
        )


def _light(draft: Draft) -> Iterator[Finding]:
    """Dose of the field that gets most, from measured power."""
    days = draft.protocol.duration_s / 86400.0
    for name, channel in draft.protocol.imaging.channels.items():
        optics = draft.rig.optics.get(name)
        if optics is None:
            continue
        if optics.light_mw_cm2 is None:
            if channel.modality == "fluorescence":
                yield Finding(
                    "imaging.light-unmeasured",
                    "note",
                    f"rig: optics.{name}.light_mw_cm2",
                    "the light at the sample is not known, so its dose is not",
                    "measure it and write light_mw_cm2",
                )
            continue
        taken: dict[tuple[str, int], int] = {}
        for entry in draft.plan.timeline:
            if isinstance(entry, Frame) and entry.channel == name:
                place = (entry.well, entry.field)
                taken[place] = taken.get(place, 0) + 1
        most = max(taken.values(), default=0)
        joules = optics.light_mw_cm2 / 1000.0 * channel.exposure_ms / 1000.0 * most / days
        finding = LIGHT[channel.modality].judge(
            "imaging.light-dose",
            f"protocol: imaging.channels.{name}",
            f"light of {most} frames",
            joules,
            "shorten the exposure, lengthen the interval, or take this channel first and last only",
        )
        if finding is not None:
            yield finding


def _film(draft: Draft) -> Iterator[Finding]:
    film = draft.protocol.imaging.films
    if film is not None and film.exposure_ms > 1000.0 / film.frame_rate_hz:
        yield Finding(
            "imaging.film-exposure",
            "block",
            "protocol: imaging.films.exposure",
            f"{film.exposure_ms:g} ms is longer than a frame at {film.frame_rate_hz:g} Hz, "
            f"{1000.0 / film.frame_rate_hz:g} ms",
            "shorten the exposure or lower the frame rate",
        )


def _film_stimulus(draft: Draft) -> Iterator[Finding]:
    """Whether films can show strength: the same pulses in every well, and some in every film."""
    protocol = draft.protocol
    film, reference = protocol.imaging.films, protocol.definition.reference_stimulus
    if film is None or (not film.at and protocol.imaging.series):
        return
    where = "protocol: imaging.films.stimulus"
    if film.stimulus is None:
        yield Finding(
            "imaging.film-stimulus",
            "warn",
            where,
            "films show each well under its own impulses, so contraction cannot be compared "
            "between arms and strength will not be assessable",
            "name a pattern that every well gets while films are taken, such as twitch_2hz",
        )
        return
    if reference and film.stimulus != reference:
        yield Finding(
            "imaging.film-stimulus",
            "warn",
            where,
            f"films are taken under {film.stimulus}, and the definition asks for strength under "
            f"{reference}: it will not be assessable",
            "name the same pattern in both",
        )
    yield from _film_pulses(film, film.stimulus, protocol.patterns[film.stimulus])
    wired = {well for electrodes in draft.rig.electrodes.values() for well in electrodes.wells}
    filmed = filmed_in(protocol)
    bare = [
        well.well
        for well in draft.plan.wells
        if well.well not in wired and well.compartment in filmed
    ]
    if bare:
        yield Finding(
            "imaging.film-no-electrodes",
            "warn",
            where,
            f"{len(bare)} wells have no electrodes and cannot be tested: {', '.join(bare)}",
            "wire them to a stimulator channel, or leave the stimulus out",
        )


def _film_pulses(film: FilmPlan, name: str, pattern: Pattern) -> Iterator[Finding]:
    """Whether every film shows a whole response, and the culture at rest."""
    where = "protocol: imaging.films.stimulus"
    apart_s = 1.0 / pattern.frequency_hz + (pattern.off_s or 0.0)
    if not pattern.live or apart_s + RESPONSE_S > film.duration_s:
        why = f"leaves up to {apart_s:g} s without one, a response takes {RESPONSE_S:g} s [P]"
        if not pattern.live:
            why = "has no amplitude"
        yield Finding(
            "imaging.film-pulses",
            "block",
            where,
            f"{name} {why}: a film of {film.duration_s:g} s may show no whole response",
            "choose a pattern without pauses, or lengthen the films",
        )
        return
    needed_s = shortest_interval_s(film.frame_rate_hz)
    if 1.0 / pattern.frequency_hz < needed_s:
        yield Finding(
            "imaging.film-no-rest",
            "block",
            where,
            f"{name} leaves {1.0 / pattern.frequency_hz:.3g} s between pulses; a twitch and rest "
            f"after it take {needed_s:.3g} s at {film.frame_rate_hz:g} frames/s [P], so films "
            "would count for nothing",
            f"choose a pattern of at most {math.floor(10.0 / needed_s) / 10:g} Hz",
        )


def _travel(draft: Draft) -> Iterator[Finding]:
    """Fields that the stage would refuse to go to."""
    name = draft.rig.stage.instrument
    entry = draft.rig.instruments[name]
    kind = draft.types[entry.type]
    if kind.travel is None:
        return  # what is no stage is told where the rig is read
    reach = kind.travel(kind.settings(**entry.settings))
    fields = {
        (entry.well, entry.field): (entry.x_um, entry.y_um)
        for entry in draft.plan.timeline
        if isinstance(entry, Picture)
    }
    beyond = {
        place: (x_um, y_um)
        for place, (x_um, y_um) in fields.items()
        if not (
            reach.x_min_um <= x_um <= reach.x_max_um and reach.y_min_um <= y_um <= reach.y_max_um
        )
    }
    if beyond:
        (well, field), (x_um, y_um) = next(iter(beyond.items()))
        yield Finding(
            "imaging.out-of-travel",
            "block",
            f"rig: instruments.{name}.settings",
            f"{len(beyond)} of {len(fields)} fields lie outside the stage's travel "
            f"(x {reach.x_min_um:g} to {reach.x_max_um:g} µm, y {reach.y_min_um:g} to "
            f"{reach.y_max_um:g} µm): field {field} of {well} at {x_um:.0f}, {y_um:.0f}",
            "correct the stage's limits, where A1 stands (stage: a1_x, a1_y), or raise "
            "imaging.wall_distance",
        )

"""From a planned film of a junction's assay and the journal to the work of measuring it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from labrig.measure.junction_films import JunctionJob
from labrig.plan.plan import Plan
from labrig.plan.timeline import Film
from labrig.protocol.models import Protocol
from labrig.protocol.nmj_assay import JunctionTest, Nmj, junction_test
from labrig.record.kinds.pictures import FilmTaken
from labrig.record.pulses import ChannelPulses

BEFORE_S = 0.5
"""The last pulses before a film count for its first frames."""


@dataclass(frozen=True, slots=True)
class JunctionJobs:
    """Makes the jobs of the films of a run's chips.

    Attributes:
        tests: what each assay of this kind asks, by its name.
        channels: by muscle well, the channels that move its chip's nerve and its own electrodes.
        chips: by muscle well.
    """

    tests: Mapping[str, JunctionTest]
    channels: Mapping[str, tuple[str, str]]
    chips: Mapping[str, str]

    @classmethod
    def of(cls, protocol: Protocol, plan: Plan) -> JunctionJobs:
        """For a run."""
        nerve = {w.chip: w.pattern_unit for w in plan.wells if w.compartment == "nerve"}
        muscle = [w for w in plan.wells if w.compartment == "muscle"]
        return cls(
            tests={
                name: junction_test(protocol, name)
                for name, assay in protocol.assays.items()
                if isinstance(assay, Nmj)
            },
            channels={w.well: (nerve.get(w.chip, ""), w.pattern_unit) for w in muscle},
            chips={w.well: w.chip for w in muscle},
        )

    def job(
        self,
        film: Film,
        taken: FilmTaken | None,
        why_not: str,
        pulses: Mapping[str, ChannelPulses],
        root: Path,
        number: int,
        series: int,
        shows: Literal["phase", "tubes"],
        pixel_size_um: float,
    ) -> JunctionJob:
        """The job of one film.

        Args:
            film: as planned.
            taken: by the journal; None: it was not.
            why_not: it was not taken.
            pulses: as delivered, by channel.
            root: the run folder.
            number: of the film in the run.
            series: the how many-th of the run it belongs to, from 0.
            shows: what its tubes are found by.
            pixel_size_um: calibrated.
        """
        test = self.tests[film.assay]
        way, frequency_hz = test.steps[film.step]
        begun_s, rate_hz = film.offset_s, film.frame_rate_hz
        if taken is not None:
            begun_s += taken.stored.lateness_s
            rate_hz = taken.frame_rate_hz or rate_hz
        end_s = begun_s + (film.frames - 1) / rate_hz
        stimulus = "" if way == "silent" or film.test is None else film.test.pattern
        own = [
            pulses.get(channel, ChannelPulses()).between(begun_s - BEFORE_S, end_s)
            for channel in self.channels[film.well]
        ]
        given = own[1] if way == "direct" else own[0]
        doubts = (
            list(_doubts(taken, (begun_s, end_s), own, given, stimulus))
            if taken is not None
            else [f"the film was not taken: {why_not}"]
        )
        return JunctionJob(
            path=None if taken is None else root / taken.stored.path,
            well=film.well,
            field=film.field,
            film=number,
            chip=self.chips[film.well],
            assay=film.assay,
            test=series,
            step=film.step,
            way=way,
            frequency_hz=0.0 if way == "silent" else _rate(film, frequency_hz),
            blocked=test.after is not None,
            stimulus=stimulus,
            offset_s=begun_s,
            shows=shows,
            pixel_size_um=pixel_size_um,
            frame_rate_hz=rate_hz,
            frames=film.frames,
            pulses_s=tuple(
                round(p.at_s - begun_s, 6)
                for p in given.pulses
                if p.pattern == stimulus and begun_s - BEFORE_S <= p.at_s <= end_s
            ),
            grid=test.grid,
            doubts=tuple(doubts),
        )


def _rate(film: Film, frequency_hz: float) -> float:
    return frequency_hz if film.test is None else film.test.frequency_hz


def _doubts(
    taken: FilmTaken,
    span_s: tuple[float, float],
    own: list[ChannelPulses],
    given: ChannelPulses,
    stimulus: str,
) -> Iterator[str]:
    """Why a film cannot stand for its chip."""
    begun_s, end_s = span_s
    reached = taken.where.reached
    if reached is not None and not reached.position_verified:
        yield "the stage was not where it should be"
    unsure = [span for channel in own for span in channel.unsure_s]
    during = {p.pattern for channel in own for p in channel.pulses if begun_s <= p.at_s <= end_s}
    asked = {p.pattern for p in given.pulses if begun_s <= p.at_s <= end_s}
    if any(start_s < end_s and begun_s < until_s for start_s, until_s in unsure):
        yield "whether impulses came is not known"
    elif stimulus and stimulus not in asked:
        yield f"no impulse of {stimulus} was delivered while it was taken"
    others = sorted(during - {stimulus})
    if others:
        yield f"impulses of {', '.join(others)} came while it was taken"

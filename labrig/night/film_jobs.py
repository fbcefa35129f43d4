"""From a planned film and the journal to the work of measuring it, with every doubt about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from labrig.durable import read_json
from labrig.measure.films import FilmJob
from labrig.measure.junction_films import JunctionJob
from labrig.night.junction_jobs import JunctionJobs
from labrig.plan.film_schedule import film_numbers, rounds_of_films, series_numbers
from labrig.plan.plan import Plan
from labrig.plan.timeline import AskedTest, Film
from labrig.protocol.assays import Assay, Staircase
from labrig.record.kinds.pictures import FilmTaken
from labrig.record.pulses import ChannelPulses
from labrig.run_folder import RunFolder, is_rehearsal

BEFORE_S = 0.5
"""The last pulses before a film count for its first frames."""

_OURS: Mapping[str, Literal["phase", "tubes"]] = {"cells": "phase", "tubes": "tubes"}


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The journal says why a film was not taken."""

    why: str


NEVER = NotTaken("the run ended before it")


@dataclass(frozen=True, slots=True)
class FilmJobs:
    """Makes the jobs of one run's films.

    Attributes:
        root: the run folder.
        stimulus: pattern that every well is to get; empty: each its own.
        shows / pixel_size_um: by channel.
        assays: of the protocol, by name.
        numbers: by film, its number in the run: of its block, or of its step of a test series.
        series: by film of a test, the how many-th series of the run.
        rounds: by film, the imaging round nearest to it.
        unit_of: by well, its stimulator channel; empty: no electrodes.
        rehearsal: its camera stores no films.
        junctions: makes the jobs of films of chips.
    """

    root: Path
    stimulus: str
    shows: Mapping[str, str]
    pixel_size_um: Mapping[str, float]
    assays: Mapping[str, Assay]
    numbers: Mapping[str, int]
    series: Mapping[str, int]
    rounds: Mapping[str, int]
    unit_of: Mapping[str, str]
    rehearsal: bool
    junctions: JunctionJobs

    @classmethod
    def of(cls, folder: RunFolder, plan: Plan) -> FilmJobs:
        """For the films of a run.

        Raises:
            labrig.problems.FileProblems: the run's protocol cannot be read.
        """
        from labrig.plan.sources import planned_protocol

        camera = read_json(folder.camera)
        protocol = planned_protocol(plan, folder.protocol)
        films = protocol.imaging.films
        return cls(
            root=folder.root,
            stimulus=(films.stimulus if films else None) or "",
            shows=camera["shows"],
            pixel_size_um=camera["pixel_size_um"],
            assays=protocol.assays,
            numbers=film_numbers(plan.timeline),
            series=series_numbers(plan.timeline),
            rounds=rounds_of_films(plan.timeline),
            unit_of={well.well: well.pattern_unit for well in plan.wells},
            rehearsal=is_rehearsal(read_json(folder.identity)),
            junctions=JunctionJobs.of(protocol, plan),
        )

    def job(
        self,
        film: Film,
        outcome: FilmTaken | NotTaken,
        pulses: Mapping[str, ChannelPulses],
        resolved_v: Mapping[tuple[str, str], float],
    ) -> FilmJob | JunctionJob:
        """The job of one film.

        Args:
            film: as planned.
            outcome: of it, by the journal.
            pulses: as delivered, by channel.
            resolved_v: by pattern and channel, what amplitudes in % of capture came to.
        """
        if film.assay in self.junctions.tests:
            return self.junctions.job(
                film,
                outcome if isinstance(outcome, FilmTaken) else None,
                "" if isinstance(outcome, FilmTaken) else outcome.why,
                pulses,
                self.root,
                self.numbers[film.key],
                self.series[film.key],
                _OURS.get(self.shows[film.channel], "phase"),
                self.pixel_size_um[film.channel],
            )
        begun_s, rate_hz = film.offset_s, film.frame_rate_hz
        if isinstance(outcome, FilmTaken):
            begun_s += outcome.stored.lateness_s
            # As the camera delivered it: a twitch is timed by it.
            rate_hz = outcome.frame_rate_hz or rate_hz
        # The last frame's moment: a pulse in the gap after it shows in no frame.
        end_s = begun_s + (film.frames - 1) / rate_hz
        own = pulses.get(self.unit_of.get(film.well, ""), ChannelPulses())
        own = own.between(begun_s - BEFORE_S, end_s)
        doubts = (
            self._doubts(film, outcome, (begun_s, end_s), own)
            if isinstance(outcome, FilmTaken)
            else [f"the film was not taken: {outcome.why}"]
        )
        stimulus = self._stimulus(film)
        counted = [p for p in own.pulses if not stimulus or p.pattern == stimulus]
        asked = film.test
        return FilmJob(
            path=self.root / outcome.stored.path if isinstance(outcome, FilmTaken) else None,
            well=film.well,
            field=film.field,
            film=self.numbers[film.key],
            round=self.rounds.get(film.key),
            offset_s=begun_s,
            shows=_OURS.get(self.shows[film.channel], "phase"),
            pixel_size_um=self.pixel_size_um[film.channel],
            frame_rate_hz=rate_hz,
            frames=film.frames,
            stimulus=stimulus,
            pulses_s=tuple(
                round(p.at_s - begun_s, 6) for p in counted if begun_s - BEFORE_S <= p.at_s <= end_s
            ),
            doubts=tuple(doubts),
            assay=film.assay,
            kind=self.assays[film.assay].kind if film.assay in self.assays else "",
            series=self.series.get(film.key),
            captured_share=_captured_share(self.assays.get(film.assay)),
            step=film.step if asked is not None else None,
            part="" if asked is None else asked.part,
            asked_hz=None if asked is None else asked.frequency_hz,
            asked_v=_volts(asked, self.unit_of.get(film.well, ""), resolved_v),
            asked_ma=None if asked is None else asked.amplitude_ma,
        )

    def _stimulus(self, film: Film) -> str:
        """The pattern that this film is to show."""
        return self.stimulus if film.test is None else film.test.pattern

    def _doubts(
        self,
        film: Film,
        taken: FilmTaken,
        span_s: tuple[float, float],
        own: ChannelPulses,
    ) -> list[str]:
        """Why this film cannot stand for its culture."""
        begun_s, end_s = span_s
        doubts = []
        reached = taken.where.reached
        if reached is not None and not reached.position_verified:
            doubts.append("the stage was not where it should be")
        if self.shows[film.channel] not in _OURS:
            doubts.append(f"channel {film.channel} shows no tubes")
        stimulus = self._stimulus(film)
        if not stimulus:
            return [*doubts, "every well had its own impulses: contraction cannot be compared"]
        if not self.unit_of.get(film.well):
            return [*doubts, "no electrodes: it could not be tested"]
        during = {p.pattern for p in own.pulses if begun_s <= p.at_s <= end_s}
        if any(start_s < end_s and begun_s < until_s for start_s, until_s in own.unsure_s):
            doubts.append("whether test pulses came is not known")
        elif stimulus not in during:
            doubts.append(f"no pulse of {stimulus} was delivered while it was taken")
        others = sorted(during - {stimulus})
        if others:
            doubts.append(f"pulses of {', '.join(others)} came while it was taken")
        return doubts


def _volts(
    asked: AskedTest | None, unit: str, resolved_v: Mapping[tuple[str, str], float]
) -> float | None:
    if asked is None or asked.of_capture is None:
        return None if asked is None else asked.amplitude_v
    return resolved_v.get((asked.pattern, unit))


def _captured_share(assay: Assay | None) -> float | None:
    return assay.captured_percent / 100.0 if isinstance(assay, Staircase) else None

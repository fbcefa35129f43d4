"""What the journal says of films and their pulses decides what a film may stand for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from labrig.night.film_jobs import FilmJobs
from labrig.night.film_progress import FilmProgress
from labrig.night.junction_jobs import JunctionJobs
from labrig.plan.film_schedule import film_numbers, series_numbers
from labrig.plan.pulse_times import pulse_times_s
from labrig.plan.stimulation_schedule import train
from labrig.plan.timeline import Film, Frame, Lateness, StimulationLevel
from labrig.protocol.impulses import Pattern
from labrig.record.clock import RealClock
from labrig.record.detail import to_detail
from labrig.record.journal import open_journal
from labrig.record.kinds.levels import StimulationConfirmed
from labrig.record.kinds.pictures import FilmTaken, Reached, Stored, Where
from labrig.record.pulses import delivered_pulses
from labrig.record.rows import JournalEntry, Row
from labrig.run_folder import RunFolder

TWITCH = Pattern.model_validate(
    {"pulse_width": "0.4 ms", "amplitude": "6 V", "shape": "biphasic", "frequency": "2 Hz"}
)
TONIC = TWITCH.model_copy(update={"frequency_hz": 10.0, "on_s": 10.0, "off_s": 40.0})


def level(key, at_s, *trains):
    return StimulationLevel(key, at_s, "p", "stim", trains, ("A1", "A2"))


def film(well, block, at_s):
    return Film(f"film/t{block:02d}/{well}/f0/phase", at_s, "p", "cam", "stage", well, 0, "phase",
                0.0, 0.0, 20.0, 50.0, 55, Lateness("skip"))  # fmt: skip


def frame(number):
    return Frame(f"frame/r{number}", 1800.0 * number, "p", "cam", "stage", "A1", 0, "phase",
                 number, 0.0, 0.0, 20.0, Lateness("skip"))  # fmt: skip


TEST = level("stim/1", 2000.0, train(1, "twitch", TWITCH))
OWN = level("stim/2", 2060.0, train(1, "tonic", TONIC))
PLAN = SimpleNamespace(
    timeline=(
        frame(0), frame(1), TEST, OWN,
        film("A1", 0, 2005.0), film("A2", 0, 2010.0), film("A1", 1, 2070.0),
    ),
    wells=(
        SimpleNamespace(well="A1", pattern_unit="stim:1"),
        SimpleNamespace(well="A2", pattern_unit=""),
    ),
)  # fmt: skip


def row(kind, key, state, run_s, **detail):
    return Row(0, kind, key, state, 1, run_s, "", run_s, "", detail, "")


def test_pulses_come_when_the_journal_says_so_and_end_with_their_level():
    programmed = to_detail(StimulationConfirmed("stim", (1,), 2060.0))
    rows = [
        row("train", "stim/1", "acknowledged", 2000.02, pulses={"1": 20}),
        row("train", "stim/1", "missed", 2010.0),
        row("train", "stim/1", "unknown", 2020.0, pulses={"1": 20}),
        row("train", "stim/1", "acknowledged", 2055.0, pulses={"1": 20}),
        row("level", "stim/2", "confirmed", 2060.0, **programmed),
    ]
    (channel,) = delivered_pulses(PLAN, rows).values()
    times = [pulse.at_s for pulse in channel.pulses]
    assert times[:2] == [2000.02, 2000.52]
    assert len(times) == 20 + 10
    assert max(times) == 2059.5
    assert channel.unsure_s == [
        (2000.02, pytest.approx(2009.77, abs=0.01)),  # it may have fallen silent in the one before
        (2020.0, pytest.approx(2029.75, abs=0.01)),
    ]


def test_an_instrument_lost_long_after_its_last_train_makes_no_doubt():
    rows = [
        row("train", "stim/1", "acknowledged", 2000.0, pulses={"1": 20}),
        row("deviation", "link-lost", "noted", 2100.0, instrument="stim"),
        row("deviation", "link-lost", "noted", 2001.0, instrument="base"),
    ]
    (channel,) = delivered_pulses(PLAN, rows).values()
    assert channel.unsure_s == []


@pytest.mark.parametrize(
    ("pattern", "last_s"),
    [
        (TONIC, 9.9),
        (TWITCH, 9.5),
        (TWITCH.model_copy(update={"frequency_hz": 100.0, "on_s": 0.2, "off_s": 4.8}), 5.19),
    ],
)
def test_every_pulse_of_a_train_has_its_time(pattern, last_s):
    spec = train(1, "p", pattern)
    times = pulse_times_s(spec)
    assert len(times) == spec.pulses
    assert times[0] == 0.0
    assert times[-1] == pytest.approx(last_s)


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path)


class Clock:
    """The run's clock stands where a test puts it."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now_s(self):
        return self.at_s

    def utc(self):
        return RealClock().utc()


def progress_of(folder, stimulus="twitch", rehearsal=False):
    jobs = FilmJobs(folder.root, stimulus, {"phase": "cells"}, {"phase": 1.3}, {},
                    film_numbers(PLAN.timeline), series_numbers(PLAN.timeline),
                    {e.key: 1 for e in PLAN.timeline if isinstance(e, Film)},
                    {w.well: w.pattern_unit for w in PLAN.wells}, rehearsal,
                    JunctionJobs({}, {}, {}))  # fmt: skip
    return FilmProgress(folder, PLAN, jobs)


@pytest.fixture
def noted(folder):
    """Writes journal rows at times of the run."""
    clock = Clock()
    opened = open_journal(folder.journal, clock)

    def note(at_s, kind, key, state, **detail):
        clock.at_s = at_s
        opened.note(JournalEntry(kind, key, state, detail))

    yield note
    opened.close()


def taken(note, film_, late_s=0.6, arrived=True, frame_rate_hz=None):
    at_s = film_.offset_s + late_s
    said = FilmTaken(
        Where("cam", film_.well, 0, "phase", 0.0, 0.0, reached=Reached(0.0, 0.0, arrived)),
        Stored("films/" + film_.key.replace("/", "_"), "0" * 64, lateness_s=late_s),
        frame_rate_hz,
    )
    note(at_s, "film", film_.key, "confirmed", **to_detail(said))


def test_a_block_is_complete_when_every_film_was_taken_or_given_up(folder, noted):
    progress = progress_of(folder)
    assert progress.newly_complete(ended=False) == {}
    noted(2000.0, "train", "stim/1", "acknowledged", pulses={"1": 20})
    taken(noted, PLAN.timeline[4])
    assert progress.newly_complete(ended=False) == {}
    noted(2012.0, "film", PLAN.timeline[5].key, "missed", reason="the camera timed out")
    (jobs,) = progress.newly_complete(ended=False).values()
    first, second = jobs
    assert (first.offset_s, first.round, first.film) == (2005.6, 1, 0)
    assert first.pulses_s == pytest.approx((-0.1, 0.4, 0.9))
    assert first.doubts == ()
    assert second.path is None
    assert second.doubts == ("the film was not taken: the camera timed out",)
    assert progress.newly_complete(ended=False) == {}
    ((only,),) = progress.newly_complete(ended=True).values()
    assert (only.film, only.path) == (1, None)
    assert only.doubts == ("the film was not taken: the run ended before it",)
    assert progress.newly_complete(ended=True) == {}


def test_a_film_is_timed_by_the_rate_at_which_its_frames_came(folder, noted):
    noted(2000.0, "train", "stim/1", "acknowledged", pulses={"1": 20})
    taken(noted, PLAN.timeline[4], frame_rate_hz=48.0)
    taken(noted, PLAN.timeline[5])
    (jobs,) = progress_of(folder).newly_complete(ended=False).values()
    assert [job.frame_rate_hz for job in jobs] == [48.0, 50.0]


def test_a_block_of_which_nothing_was_taken_keeps_its_reasons(folder, noted):
    for film_ in PLAN.timeline[4:6]:
        noted(film_.offset_s, "film", film_.key, "missed", reason="the camera is dead")
    (jobs,) = progress_of(folder).newly_complete(ended=False).values()
    assert [job.well for job in jobs] == ["A1", "A2"]
    assert {job.doubts for job in jobs} == {("the film was not taken: the camera is dead",)}


# what happened -> the doubt about A1's film of the first block
DOUBTS = {
    "no train": ([], {}, "no pulse of twitch was delivered"),
    "an unsure train": (
        [(2000.0, "train", "stim/1", "unknown", {"pulses": {"1": 20}})], {}, "is not known",
    ),
    "a failed train": (
        [(2000.0, "train", "stim/1", "failed", {"pulses": {"1": 20}})], {},
        "no pulse of twitch was delivered",
    ),
    "a hold in the middle": (
        [
            (2000.0, "train", "stim/1", "acknowledged", {"pulses": {"1": 20}}),
            (2003.0, "run", "stimulation-silenced", "noted", {"instrument": "stim"}),
        ], {}, "no pulse of twitch was delivered",
    ),
    "gone by the next train": (
        [
            (2000.0, "train", "stim/1", "acknowledged", {"pulses": {"1": 20}}),
            (2010.0, "train", "stim/1", "unknown", {"pulses": {"1": 20}}),
        ], {}, "is not known",
    ),
    "gone by the next poll": (
        [
            (2000.0, "train", "stim/1", "acknowledged", {"pulses": {"1": 20}}),
            (2040.0, "deviation", "link-lost", "noted", {"instrument": "stim"}),
        ], {}, "is not known",
    ),
    "the well's own pulses": (
        [(2000.0, "train", "stim/2", "acknowledged", {"pulses": {"1": 100}})], {},
        "pulses of tonic came",
    ),
    "elsewhere": (
        [(2000.0, "train", "stim/1", "acknowledged", {"pulses": {"1": 20}})],
        {"arrived": False}, "the stage was not where",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DOUBTS)
def test_doubts_about_a_film(case, folder, noted):
    rows, detail, says = DOUBTS[case]
    for at_s, kind, key, state, more in rows:
        noted(at_s, kind, key, state, **more)
    taken(noted, PLAN.timeline[4], **detail)
    jobs = next(iter(progress_of(folder).newly_complete(ended=True).values()))
    assert says in "; ".join(jobs[0].doubts)
    assert jobs[1].doubts == ("the film was not taken: the run ended before it",)


def test_a_pulse_after_the_last_frame_is_not_the_films(folder, noted):
    # 55 frames at 50 Hz from 2005.6 s: the last is at 2006.68 s, the pulses at .18 and .69
    noted(2000.69, "train", "stim/1", "acknowledged", pulses={"1": 20})
    taken(noted, PLAN.timeline[4])
    first = next(iter(progress_of(folder).newly_complete(ended=True).values()))[0]
    assert max(first.pulses_s) == pytest.approx(0.59)
    assert first.doubts == ()


def test_a_well_without_electrodes_and_films_without_a_stimulus_say_so(folder, noted):
    taken(noted, PLAN.timeline[5])
    jobs, _ = progress_of(folder).newly_complete(ended=True).values()
    assert jobs[1].doubts == ("no electrodes: it could not be tested",)
    jobs, _ = progress_of(folder, stimulus="").newly_complete(ended=True).values()
    assert "contraction cannot be compared" in jobs[1].doubts[0]


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_a_rehearsal_has_no_films_to_measure_however_far_it_came(folder, noted, answered):
    noted(0.0, "run", "started", "noted")
    for film_ in PLAN.timeline[4 : 4 + answered]:
        noted(film_.offset_s, "film", film_.key, "confirmed", path="", lateness_s=0.0)
    assert progress_of(folder, rehearsal=True).newly_complete(ended=True) == {}

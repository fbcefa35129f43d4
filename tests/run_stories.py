"""Small run folders, written by the same writers as real ones, with what we want gone wrong."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from labrig.documents import Loaded
from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig.plan.compile import compile as compile_plan
from labrig.plan.film_schedule import block_of, rounds_of_films
from labrig.plan.plan import Plan
from labrig.plan.store import to_json
from labrig.plan.timeline import Dose, Film, FlowLevel, Frame, Reading, StimulationLevel
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol
from labrig.record.journal import open_journal
from labrig.record.kinds.doses import DoseConfirmed, DoseNamed, DoseSent, SentDose
from labrig.record.kinds.levels import AirRead
from labrig.record.kinds.pictures import FilmTaken, FrameTaken, PictureMissed, Stored, Where
from labrig.record.rows import JournalEntry
from labrig.record.said import entry_of
from labrig.rig.loading import load_rig
from labrig.rig.models import Rig
from labrig.run_folder import RunFolder

PROTOCOLS = Path(__file__).parents[1] / "protocols"
RIG = PROTOCOLS / "rigs" / "simulated-bench.yaml"
START = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
NIGHT_S = 14 * 3600.0


@dataclass(frozen=True)
class Story:
    """What happened in the night.

    Attributes:
        edits: text of the protocol to replace, so that a round more or less is one line.
        shrink: by arm, what treatment multiplies the diameters by, from the second round on.
        stalled: pump that stands still from ``stalled_s`` on.
        missed_round: one of whose pictures none came.
        only_intended: entries whose key begins so were written ahead and never done.
        films_measured: contraction was; 2 µm in every well.
        weaken: by arm, what treatment multiplies contraction by, from the first film on.
        untested: wells whose test pulses did not come.
    """

    protocol: str = "demo-night"
    edits: tuple[tuple[str, str], ...] = (("interval: 30 min", "interval: 6 h"),)
    until_s: float = NIGHT_S
    stopped: str | None = None
    begun: bool = True
    stalled: str = ""
    stalled_s: float = 4 * 3600.0
    missed_round: int | None = None
    gap_s: tuple[float, float] | None = None
    gap_cause: str = "the runner was not running"
    only_intended: str = ""
    measured: bool = True
    measured_rounds: tuple[int, ...] = (0, 2)
    imaged: bool = True
    rehearsal: bool = False
    films_measured: bool = False
    weaken: dict[str, float] = field(default_factory=dict)
    untested: tuple[str, ...] = ()
    shrink: dict[str, float] = field(default_factory=dict)
    tubes_a_well: int = 12


class ScriptedClock:
    """Gives each row the time that it is told."""

    def __init__(self, times_s: list[float]) -> None:
        self._times = iter(times_s)
        self._now_s = 0.0

    def now_s(self) -> float:
        self._now_s = next(self._times, self._now_s)
        return self._now_s

    def utc(self) -> datetime:
        return START + timedelta(seconds=self._now_s)


@pytest.fixture(scope="session")
def write_run(tmp_path_factory) -> Callable[[Story], RunFolder]:
    """Writes the run folder of a story; the same story is written once."""

    @cache
    def written(key: str) -> RunFolder:
        story = stories[key]
        root = tmp_path_factory.mktemp("run") / f"2026-03-01_180000_{story.protocol}"
        return _write(root, story)

    stories: dict[str, Story] = {}

    def write(story: Story) -> RunFolder:
        stories[repr(story)] = story
        return written(repr(story))

    return write


def _write(root: Path, story: Story) -> RunFolder:
    folder = RunFolder(root)
    for part in (folder.plate.parent, folder.measures, folder.report, folder.wire):
        part.mkdir(parents=True)
    text = (PROTOCOLS / f"{story.protocol}.yaml").read_text(encoding="utf-8")
    for old, new in story.edits:
        assert old in text, f"{old!r} is no longer in {story.protocol}.yaml"
        text = text.replace(old, new)
    folder.protocol.write_text(text, encoding="utf-8")
    folder.rig.write_text(RIG.read_text(encoding="utf-8"), encoding="utf-8")
    protocol, rig, plan = _compiled(text, folder.protocol)
    folder.plan.write_text(to_json(plan), encoding="utf-8")
    folder.identity.write_text(
        json.dumps(
            {
                "format": 1, "id": "0" * 32, "made_utc": START.isoformat(),
                "protocol": protocol.model.name, "title": protocol.model.title,
                "protocol_sha256": protocol.sha256, "rig": rig.model.name,
                "rig_sha256": rig.sha256, "pilot": plan.pilot, "simulated": True,
                "rehearsal": story.rehearsal,
                "seed": plan.seed, "operator": "tester", "machine": "bench",
                "python": "3.11", "versions": {"labrig": "0.1.0"}, "faults": [],
            }
        ),
        encoding="utf-8",
    )  # fmt: skip
    if story.begun:
        _write_journal(folder, plan, story)
    if story.imaged:
        _write_pictures(folder, plan)
    if story.measured:
        _write_measures(folder, plan, story)
    if story.films_measured:
        _write_contractions(folder, plan, story)
    return folder


_PLANS: dict[str, tuple[Loaded[Protocol], Loaded[Rig], Plan]] = {}


def _compiled(text: str, path: Path) -> tuple[Loaded[Protocol], Loaded[Rig], Plan]:
    if text not in _PLANS:
        protocol, rig = load_protocol(path), load_rig(RIG)
        plan = compile_plan(protocol, rig, today=date(2026, 3, 1), free_bytes=10**12)
        _PLANS[text] = (protocol, rig, plan)
    return _PLANS[text]


def _write_journal(folder: RunFolder, plan: Plan, story: Story) -> None:
    timed: list[tuple[float, JournalEntry]] = [(0.0, JournalEntry("run", "started", "noted", {}))]
    for entry in plan.timeline:
        if entry.offset_s > story.until_s:
            continue
        timed += _entry_rows(entry, story)
    timed += _pump_rows(plan, story)
    if story.stalled:
        wells = sorted({w for e in plan.timeline if isinstance(e, FlowLevel)
                        and e.instrument == story.stalled for w in e.wells})  # fmt: skip
        said = {"instrument": story.stalled, "wells": wells, "from_s": story.stalled_s}
        noticed_s = story.stalled_s + 1200
        timed += [
            (noticed_s,
             JournalEntry("deviation", "stall", "noted", {**said, "what": "nothing comes"})),
            (noticed_s + 600, JournalEntry("deviation", "stall-given-up", "noted", said)),
            (noticed_s + 600, JournalEntry("deviation", "censored", "noted",
                                    {"wells": wells, "from_s": story.stalled_s, "why": "stall"})),
        ]  # fmt: skip
    if story.gap_s:
        from_s, to_s = story.gap_s
        detail = {"from_s": from_s, "to_s": to_s, "cause": story.gap_cause}
        timed.append((to_s, JournalEntry("run", "adopted", "noted", {"epoch": 2})))
        timed.append((to_s, JournalEntry("deviation", "gap", "noted", detail)))
    timed.sort(key=lambda pair: pair[0])
    if story.stopped is not None:
        timed.append(
            (story.until_s, JournalEntry("run", "stopped", "noted", {"reason": story.stopped}))
        )
    elif story.until_s >= NIGHT_S:
        timed.append((story.until_s, JournalEntry("run", "finished", "noted", {})))
    clock = ScriptedClock([at_s for at_s, _ in timed])
    journal = open_journal(folder.journal, clock)  # type: ignore[arg-type]
    journal.note(*(entry for _, entry in timed))
    journal.close()


def _entry_rows(entry: object, story: Story) -> list[tuple[float, JournalEntry]]:
    if story.only_intended and entry.key.startswith(story.only_intended):
        kind = story.only_intended.partition("/")[0]
        ahead_s = max(0.0, entry.offset_s - 60)
        return [(ahead_s, JournalEntry(kind, entry.key, "intent", {"offset_s": entry.offset_s}))]
    at_s = entry.offset_s
    match entry:
        case Frame():
            where = _where(entry, entry.round)
            if entry.round == story.missed_round:
                missed = PictureMissed("the camera timed out", where)
                return [(at_s, entry_of("frame", entry.key, "missed", missed))]
            stored = Stored("p", "0" * 64, focus=9.0, offset_s=at_s, lateness_s=1.5)
            taken = FrameTaken(where, stored)
            return [(at_s + 1.5, entry_of("frame", entry.key, "confirmed", taken))]
        case Film():
            film = FilmTaken(_where(entry), Stored("f", "0" * 64, lateness_s=1.5))
            return [(at_s + 1.5, entry_of("film", entry.key, "confirmed", film))]
        case Dose():
            pump, ul = entry.instrument, entry.volume_ul
            sent = SentDose(ul, entry.rate_ul_min, at_s, False, 0.0, 0.0)
            done = DoseConfirmed(ul, "done", dose=DoseNamed(pump, entry.wells, entry.factor, ul))
            return [
                (at_s, entry_of("dose", entry.key, "sent", DoseSent(pump, entry.wells, sent))),
                (at_s + 32, entry_of("dose", entry.key, "confirmed", done)),
            ]
        case FlowLevel() | StimulationLevel():
            detail = {"instrument": entry.instrument}
            return [(at_s, JournalEntry("level", entry.key, "confirmed", detail))]
        case Reading():
            values = {"co2_percent": 5.01, "temperature_c": 37.02}
            air = AirRead(entry.instrument, True, "", values)
            return [(at_s, entry_of("reading", entry.key, "confirmed", air))]
    raise TypeError(entry)


def _where(entry: Frame | Film, round_: int | None = None) -> Where:
    return Where(
        entry.camera, entry.well, entry.field, entry.channel, entry.x_um, entry.y_um, round_
    )


def _pump_rows(plan: Plan, story: Story) -> list[tuple[float, JournalEntry]]:
    """A reading of every pump each ten minutes, its counter true to the plan or standing still."""
    rows = []
    levels: dict[str, list[tuple[float, float]]] = {}
    for entry in sorted(plan.timeline, key=lambda e: e.offset_s):
        if isinstance(entry, FlowLevel):
            levels.setdefault(entry.instrument, []).append((entry.offset_s, entry.rate_ul_min))
    doses = [e for e in plan.timeline if isinstance(e, Dose)]
    for pump in sorted({*levels, *(dose.instrument for dose in doses)}):
        counter = 0.0
        for at_s in range(0, int(story.until_s) + 1, 600):
            rate = next((r for t, r in reversed(levels.get(pump, [])) if t <= at_s), 0.0)
            detail = {"running": rate > 0, "rate_ul_min": rate, "delivered_ul": round(counter, 6),
                      "alarm": None}  # fmt: skip
            rows.append((float(at_s), JournalEntry("sample", pump, "noted", detail)))
            if pump != story.stalled or at_s < story.stalled_s:
                counter += rate * 10
                due = [d for d in doses if at_s <= d.offset_s < at_s + 600]
                counter += sum(d.volume_ul for d in due if d.instrument == pump)
    for level in plan.timeline:
        if isinstance(level, StimulationLevel):
            for spec in level.trains:
                for index in range(int((NIGHT_S - level.offset_s) // spec.every_s)):
                    at_s = level.offset_s + index * spec.every_s
                    detail = {"instrument": level.instrument, "index": index, "late_s": 0.0,
                              "what": "", "pulses": {str(spec.channel): spec.pulses}}  # fmt: skip
                    if at_s <= story.until_s:
                        rows.append(
                            (at_s, JournalEntry("train", level.key, "acknowledged", detail))
                        )
    return rows


def _write_pictures(folder: RunFolder, plan: Plan) -> None:
    frames = [e for e in plan.timeline if isinstance(e, Frame)]
    rounds = max(frame.round for frame in frames) + 1
    wells = tuple(dict.fromkeys(frame.well for frame in frames))
    layout = PlateLayout("test", wells, 1, ("phase",), rounds, 48, 64, 0.65, 6 * 3600.0)
    store = PlateStore.create(folder.plate, layout)
    picture = np.tile(np.arange(64, dtype=np.uint16) * 100, (48, 1))
    for well in wells:
        for round_ in range(rounds):
            store.write(well, 0, round_, "phase", np.roll(picture, round_ * 8, axis=1))
    overlays = folder.measures / "overlays"
    overlays.mkdir()
    for well in wells:
        cv2.imwrite(str(overlays / f"{well}_f0_t000.png"), np.full((48, 64, 3), 90, np.uint8))


def _write_measures(folder: RunFolder, plan: Plan, story: Story) -> None:
    fields, tubes = [], []
    random = np.random.default_rng(5)
    for round_ in story.measured_rounds:
        offset_s = min(
            (e.offset_s for e in plan.timeline if isinstance(e, Frame) and e.round == round_),
            default=0.0,
        )
        for well in plan.wells:
            factor = story.shrink.get(well.arm, 1.0) if round_ else 1.0
            place = {"well": well.well, "field": 0, "round": round_, "offset_s": offset_s}
            fields.append(place | {"status": "ok", "tube_area_fraction": 0.12 * factor,
                                   "fusion_index": 0.6, "nuclei": 40,
                                   "definition": "in>=2|centroid|mature>=5"})  # fmt: skip
            for tube in range(story.tubes_a_well):
                diameter = 14 * factor * math.exp(random.normal(0, 0.1))
                tubes.append(place | {"tube": tube, "diameter_mean_um": diameter, "nuclei": 5})
    for name, rows in (("fields", fields), ("tubes", tubes)):
        _write_table(folder.measures / f"{name}.csv", rows)


def _write_contractions(folder: RunFolder, plan: Plan, story: Story) -> None:
    rounds = rounds_of_films(plan.timeline)
    arm_of = {well.well: well.arm for well in plan.wells}
    rows = []
    for film in plan.timeline:
        if not isinstance(film, Film):
            continue
        tested = film.well not in story.untested
        rows.append(
            {
                "well": film.well, "field": 0, "film": int(block_of(film)[-2:]),
                "round": rounds[film.key], "offset_s": film.offset_s,
                "status": "ok" if tested else "flagged",
                "reasons": "" if tested else "no pulse of twitch_2hz was delivered",
                "amplitude_um": 2.0 * story.weaken.get(arm_of[film.well], 1.0) if tested else 0.01,
                "time_to_peak_s": 0.08, "half_relaxation_s": 0.1, "capture_fraction": 1.0,
            }
        )  # fmt: skip
    _write_table(folder.measures / "contractions.csv", rows)


def _write_table(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def demo_protocol(tmp_path) -> Callable[[tuple[tuple[str, str], ...]], Protocol]:
    """The demonstration night's protocol with some of its text replaced."""

    def read(edits: tuple[tuple[str, str], ...]) -> Protocol:
        path = tmp_path / "protocol.yaml"
        text = (PROTOCOLS / "demo-night.yaml").read_text(encoding="utf-8")
        for old, new in edits:
            assert old in text, f"{old!r} is no longer in demo-night.yaml"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        return load_protocol(path).model

    return read


@pytest.fixture(scope="session")
def story() -> Story:
    """A night in which nothing goes wrong; change it with ``dataclasses.replace``."""
    return Story()

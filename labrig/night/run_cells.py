"""What the tables of a run say of wells and times, from its plan and its journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labrig.durable import read_json
from labrig.measure.rounds import RoundFrame, our_name
from labrig.measure.run_cells import RunCells
from labrig.plan.sources import planned_protocol
from labrig.plan.store import read_plan
from labrig.protocol.blinding import is_coded
from labrig.record.clock_of_run import clock_of_run, taken_s
from labrig.record.kinds.pictures import FrameTaken
from labrig.record.reading import rows_of_kinds
from labrig.record.rows import JournalError, Row
from labrig.record.said import said
from labrig.run_folder import RunFolder


def cells_of_run(folder: RunFolder) -> RunCells:
    """Arms by well, the run's clock, and when each picture was taken.

    Of a run whose arms are coded no arm, and none after it was unblinded: its tables were closed
    before. Without a journal that can be trusted no time; the report says what is wrong with it.

    Raises:
        labrig.plan.store.PlanFormatError, labrig.problems.FileProblems: plan or protocol cannot be
            read.
        labrig.durable.DamagedFile: nor can the run's identity.
    """
    # First: of a folder without it nothing else is believed.
    identity = read_json(folder.identity)
    plan = read_plan(folder)
    protocol = planned_protocol(plan, folder.protocol)
    try:
        rows = list(rows_of_kinds(folder.journal, ("run", "frame")))
    except JournalError:
        rows = []
    return RunCells(
        arms={} if is_coded(protocol) else {well.well: well.arm for well in plan.wells},
        clock=clock_of_run(rows, identity),
        taken_s=_taken_s(rows, {n: c.shows for n, c in protocol.imaging.channels.items()}),
    )


def _taken_s(rows: Iterable[Row], shows: Mapping[str, str]) -> dict[str, float]:
    """By name of a record; of several channels of a field the first."""
    channels: dict[tuple[str, int, int, bool], dict[str, str]] = {}
    first_s: dict[tuple[str, int, int, bool], float] = {}
    for row in rows:
        told = said(row) if row.kind == "frame" else None
        at_s = taken_s(row.detail)
        if not isinstance(told, FrameTaken) or told.where.round is None or at_s is None:
            continue
        ours = our_name(shows[told.where.channel], told.where.channel)
        frame = (told.where.well, told.where.field, told.where.round, ours == "phase")
        channels.setdefault(frame, {})[ours] = told.where.channel
        first_s[frame] = min(at_s, first_s.get(frame, at_s))
    return {
        RoundFrame(well, field, round_, 0.0, found).name: first_s[well, field, round_, unstained]
        for (well, field, round_, unstained), found in channels.items()
    }

"""Everything a run left behind, read once; what is missing is said, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labrig.durable import read_json
from labrig.frames.plate_store import PlateStore
from labrig.measure.sound_tables import check_table
from labrig.plan.plan import Plan
from labrig.plan.sources import planned_protocol, planned_rig
from labrig.plan.store import first_plan, read_plan
from labrig.protocol.models import Protocol
from labrig.record.gist import Gist, gist_of
from labrig.record.integrity import refuse_if_lost
from labrig.record.reading import every_row, rows_of_kinds
from labrig.record.rows import JournalError, Row, RowUnreadable
from labrig.report.blinding import BlindingState, blinding_state
from labrig.report.corrections import Corrected, read_corrections
from labrig.report.integrity import (
    CommitmentShown,
    Integrity,
    committed_protocol,
    examine,
)
from labrig.report.kinds import kind_over_time, of_one_kind
from labrig.report.outcome import Outcome, OutcomeFold
from labrig.rig.bench import SIMULATED
from labrig.rig.models import Rig
from labrig.run_folder import RunFolder
from labrig_measure.errors import MeasureError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Record:
    """One run, as read.

    Attributes:
        protocol, rig: as planned; edits of their files since then count nothing.
        integrity: whether all of this belongs together and is as it was.
        blinding: whether arms are coded, and when they were told.
        gist: what the journal tells; nothing when there is none or it cannot be trusted.
        outcome: what became of the run.
        fields, tubes: measures, with tubes of one ``kind`` (see ``kinds``); empty tables when
            there are none.
        films: contraction, one row per film; empty when none was measured.
        tracks: tubes of that kind over time; empty when none was followed.
        corrections: of labels, by people; what is in the tables already.
        kind: what the tubes in both tables are; None where the tables name no kind.
        plate: the time-lapse; None when there is none.
        pictures_from: addresses of the cameras that were not simulated, in order.
        journal_problem: why nothing of the journal is shown although there is one.
        absent: in words, what is not there or could not be read.
    """

    folder: RunFolder
    identity: Mapping[str, Any]
    protocol: Protocol
    rig: Rig
    plan: Plan
    commitment: CommitmentShown | None
    integrity: Integrity
    blinding: BlindingState
    gist: Gist
    outcome: Outcome
    fields: pd.DataFrame
    tubes: pd.DataFrame
    films: pd.DataFrame
    tracks: pd.DataFrame
    corrections: tuple[Corrected, ...]
    kind: str | None
    plate: PlateStore | None
    pictures_from: tuple[str, ...]
    journal_problem: str
    absent: tuple[str, ...]

    @property
    def rows(self) -> Sequence[Row]:
        """Of the journal, those that are few (:class:`labrig.record.gist.Gist`)."""
        return self.gist.few

    def pictures(self) -> Iterator[Row]:
        """Rows of pictures and films, read from the file again: there are many.

        Raises:
            labrig.record.rows.JournalError: it was changed since the rest of it was read.
        """
        if self.gist.last is not None:
            yield from rows_of_kinds(self.folder.journal, ("frame", "film"))


def read_record(folder: RunFolder) -> Record:
    """Read a run folder, finished or not.

    Raises:
        labrig.problems.FileProblems: protocol or rig cannot be read by this version.
        labrig.plan.store.PlanFormatError: nor can the plan.
        labrig.durable.DamagedFile: nor can its identity.
        OSError: identity, protocol, rig or plan are missing.
    """
    identity = read_json(folder.identity)
    plan = read_plan(folder)
    protocol = planned_protocol(plan, folder.protocol)
    if not plan.protocol:
        protocol = committed_protocol(folder, identity, protocol)
    absent: list[str] = []
    gist, outcome, journal_problem = _journal(folder.journal, plan, protocol)
    rows = gist.few
    begun, begun_by = plan, protocol
    if folder.plan_in_force != folder.plan:
        begun = first_plan(folder)
        begun_by = planned_protocol(begun, folder.protocol)
    integrity, commitment = examine(folder, identity, begun, begun_by, rows, journal_problem)
    fields = _table(folder.measures / "fields.csv", ("field", "round"), absent)
    if fields.empty and not absent:
        absent.append("no picture has been measured")
    tubes = _table(folder.measures / "tubes.csv", ("field", "round", "tube"), absent)
    films = _table(folder.measures / "contractions.csv", ("field", "film"), absent)
    tracks = _table(folder.measures / "tracks.csv", ("field", "track"), absent)
    kind = kind_over_time(fields)
    fields, tubes = of_one_kind(fields, tubes, kind)
    return Record(
        folder=folder,
        identity=identity,
        protocol=protocol,
        rig=planned_rig(plan, folder.rig),
        plan=plan,
        commitment=commitment,
        integrity=integrity,
        blinding=blinding_state(folder, protocol, rows),
        gist=gist,
        outcome=outcome,
        fields=fields,
        tubes=tubes,
        films=films,
        tracks=_of_kind(tracks, kind),
        corrections=read_corrections(folder.measures, absent),
        kind=kind,
        plate=_plate(folder.plate, absent),
        pictures_from=_real_cameras(folder.camera),
        journal_problem=journal_problem,
        absent=tuple(absent),
    )


def _journal(path: Path, plan: Plan, protocol: Protocol) -> tuple[Gist, Outcome, str]:
    """Read it once; or why it cannot be trusted, as if there were none."""

    def told(rows: Iterable[Row]) -> tuple[Gist, Outcome]:
        fold = OutcomeFold(plan, protocol.imaging.interval_s)
        return gist_of(plan, rows, fold.see), fold.outcome()

    try:
        refuse_if_lost(path.parent)
        return *told(every_row(path) if path.exists() else ()), ""
    except RowUnreadable:
        raise
    except JournalError as error:
        return *told(()), str(error)


def _table(path: Path, numbers: Sequence[str], absent: list[str]) -> pd.DataFrame:
    import pandas as pd

    # A table without a row is written as an empty line.
    if not path.exists() or path.stat().st_size <= 1:
        return pd.DataFrame()
    try:
        check_table(path, numbers)
    except MeasureError as error:
        absent.append(str(error).removesuffix("."))
        return pd.DataFrame()
    return pd.read_csv(path, dtype={"well": str})


def _of_kind(tracks: pd.DataFrame, kind: str | None) -> pd.DataFrame:
    return tracks if tracks.empty else tracks[tracks["kind"] == kind]


def _real_cameras(path: Path) -> tuple[str, ...]:
    """A simulated bench may have a camera that serves a folder of pictures, which were taken."""
    if not path.exists():
        return ()
    cameras = read_json(path)["cameras"]
    return tuple(sorted({c["address"] for c in cameras if c["address"] != SIMULATED}))


def _plate(path: Path, absent: list[str]) -> PlateStore | None:
    if not (path / "zarr.json").exists():
        absent.append("there are no images")
        return None
    return PlateStore.look(path)

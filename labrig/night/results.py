"""Take a table from elsewhere into a run: checked row by row, hashed, kept, never overwritten."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labrig.durable import write_text_whole
from labrig.night.afterwards import journal_without_runner
from labrig.plan.store import read_plan
from labrig.problems import did_you_mean
from labrig.record.kinds.operator import RESULTS, ResultsImported
from labrig.record.reading import read_journal
from labrig.record.result_tables import (
    Planned,
    TableRefused,
    Value,
    imports_of,
    planned_results,
    read_table,
)
from labrig.record.rows import JournalEntry
from labrig.record.said import entry_of
from labrig.record.samples import tubes_of
from labrig.run.lease import LeaseHeld
from labrig.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it.

    Attributes:
        missing: labels, or wells, of which the table has no row.
    """

    imported: ResultsImported
    values: tuple[Value, ...]
    missing: tuple[str, ...]


def take_results(folder: RunFolder, table: Path, name: str, by: str, reason: str = "") -> Taken:
    """Take a table.

    Args:
        folder: of a run that has ended.
        table: a CSV file.
        name: of the `results:` that it is; "": the one whose file is called so.
        by: who.
        reason: why another version replaces one that was taken before.

    Raises:
        TableRefused: see its message; nothing was written.
        LeaseHeld: a runner lives.
        JournalError: the journal cannot be read or written.
    """
    plan = read_plan(folder)
    planned = _planned(json.loads(plan.protocol) if plan.protocol else {}, table, name)
    content = table.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableRefused(f"{table} is no text in UTF-8: save it as 'CSV UTF-8'") from None
    rows = read_journal(folder.journal)
    tubes = tubes_of(plan, rows)
    wells = tuple(well.well for well in plan.wells)
    values = read_table(text, planned, tubes, wells)
    digest = hashlib.sha256(content).hexdigest()
    before = imports_of(rows).get(planned.name, [])
    if before and before[-1].table_sha256 == digest:
        raise TableRefused(f"this very table is version {before[-1].version} of {planned.name}")
    if before and not reason.strip():
        raise TableRefused(
            f"{planned.name} was taken before (version {before[-1].version}, by {before[-1].by}). "
            "It stays; say why another one counts now: --reason TEXT"
        )
    version = len(before) + 1
    path = folder.results / f"{planned.name}.v{version}.csv"
    imported = ResultsImported(
        name=planned.name, file=path.name, table_sha256=digest, version=version,
        rows=len(values), by=by, reason=reason.strip(), source=table.name,
    )  # fmt: skip
    folder.results.mkdir(exist_ok=True)
    write_text_whole(path, content.decode("utf-8"))
    _append(folder, entry_of("note", f"{RESULTS}{planned.name}", "noted", imported))
    expected = (
        wells if planned.joins == "well" else [t.label for t in tubes if t.step == planned.of]
    )
    there = {value.key for value in values}
    return Taken(imported, values, tuple(key for key in expected if key not in there))


def _planned(protocol: Mapping[str, Any], table: Path, name: str) -> Planned:
    planned = planned_results(protocol)
    if not planned:
        raise TableRefused("the protocol of this run has no `results:`, so nothing can be joined")
    files = {
        str(raw["file"]): known
        for raw, known in zip(protocol["results"], planned.values(), strict=True)
    }
    if name:
        if name not in planned:
            raise TableRefused(
                f"the protocol has no result '{name}'. {did_you_mean(name, list(planned))}"
            )
        return planned[name]
    if table.name in files:
        return files[table.name]
    if len(planned) == 1:
        return next(iter(planned.values()))
    raise TableRefused(f"say which result {table.name} is: --name {' or '.join(planned)}")


def _append(folder: RunFolder, entry: JournalEntry) -> None:
    try:
        with journal_without_runner(folder) as (journal, _):
            journal.note(entry)
    except LeaseHeld as error:
        raise TableRefused(f"{error}. Take results once the run has ended.") from None

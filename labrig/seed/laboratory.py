"""What a laboratory sends back of a simulated run's samples: tables like any other."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from labrig.plan.store import read_plan
from labrig.protocol.models import Protocol
from labrig.record.reading import read_journal
from labrig.record.result_tables import Planned, Tube, planned_results
from labrig.record.samples import tubes_of
from labrig.rig.models import Rig
from labrig.run_folder import RunFolder
from labrig.seed.courses import QUANTITIES, Truth
from labrig.seed.probe import truth_at


def tables_sent(
    run: RunFolder, protocol: Protocol, rig: Rig, folder: Path
) -> Iterator[tuple[str, Path]]:
    """Write a table for each of a protocol's ``results:``, and name them one by one.

    A value is what the culture's state says of that result; where it knows nothing of it, every
    well has as much as any other: 1.

    Args:
        run: that has ended.
        protocol: of the run.
        rig: likewise.
        folder: where the tables are written.

    Raises:
        OSError: a table cannot be written.
    """
    plan = read_plan(run)
    tubes = tubes_of(plan, read_journal(run.journal) if run.journal.exists() else ())
    for planned in planned_results(json.loads(plan.protocol)).values():
        keys = [*_keys(planned, tubes, (well.well for well in plan.wells), protocol.duration_s)]
        truth = truth_at(protocol, rig, plan, {at_s for _, _, at_s in keys})
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow([planned.joins, planned.column])
        rows.writerows([key, _value(planned.name, truth, well, at_s)] for key, well, at_s in keys)
        table = folder / f"{planned.name}.csv"
        table.write_text(text.getvalue(), encoding="utf-8")
        yield planned.name, table


def _keys(
    planned: Planned, tubes: Iterable[Tube], wells: Iterable[str], end_s: float
) -> Iterator[tuple[str, str, float]]:
    """What a row is called, the well that it is of, and when that was."""
    if planned.joins == "well":
        yield from ((well, well, end_s) for well in wells)
    else:
        own = (tube for tube in tubes if tube.step == planned.of)
        yield from ((tube.label, tube.well, tube.at_s) for tube in own)


def _value(name: str, truth: Truth, well: str, at_s: float) -> str:
    state: Mapping[str, Any] = truth[at_s][well]
    known = QUANTITIES.get(name)
    return f"{known(state) if known else 1.0:.4f}"

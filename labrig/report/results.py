"""Tables that came from elsewhere, joined to wells and experimental units."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from labrig.plan.experimental_units import Unit
from labrig.plan.plan import Plan
from labrig.record.kinds.operator import ResultsImported
from labrig.record.origin import file_sha256
from labrig.record.result_tables import (
    Planned,
    TableRefused,
    Value,
    imports_of,
    planned_results,
    read_table,
)
from labrig.record.rows import Row
from labrig.record.samples import tubes_of
from labrig.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm at one time.

    Attributes:
        at_h: None: of a value that has no time.
        mean / sd: over experimental units; None: there are none, or one.
        units: how many have a value; ``below``: how many tubes were below the limit.
    """

    at_h: float | None
    arm: str
    mean: float | None
    sd: float | None
    units: int
    below: int


@dataclass(frozen=True, slots=True)
class ResultShown:
    """One result of the protocol.

    Attributes:
        versions: every table that was taken, oldest first; the last one counts.
        missing: why there is nothing; "" where there is.
    """

    planned: Planned
    versions: tuple[ResultsImported, ...]
    values: tuple[Value, ...]
    arms: tuple[ArmResult, ...]
    missing: str


def results_shown(
    folder: RunFolder, plan: Plan, rows: Sequence[Row], units: Sequence[Unit]
) -> tuple[ResultShown, ...]:
    """Every result that the protocol plans, as it stands."""
    taken = imports_of(rows)
    found = []
    for name, planned in planned_of(plan).items():
        versions = tuple(taken.get(name, ()))
        values, missing = values_of(folder, plan, rows, planned, versions)
        arms = tuple(_by_arm(values, units))
        found.append(ResultShown(planned, versions, values, arms, missing))
    return tuple(found)


def planned_of(plan: Plan) -> dict[str, Planned]:
    """By name, the results that a plan's protocol asks for."""
    return planned_results(json.loads(plan.protocol) if plan.protocol else {})


def values_of(
    folder: RunFolder,
    plan: Plan,
    rows: Sequence[Row],
    planned: Planned,
    versions: Sequence[ResultsImported],
) -> tuple[tuple[Value, ...], str]:
    """The values of the version that counts, and why there are none."""
    if not versions:
        return (), f"no table has been taken yet: `labrig results RUN {planned.name}.csv`"
    path = folder.results / versions[-1].file
    try:
        text = path.read_text(encoding="utf-8-sig")
        wells = tuple(well.well for well in plan.wells)
        return read_table(text, planned, tubes_of(plan, rows), wells), ""
    except (OSError, UnicodeDecodeError, TableRefused) as error:
        return (), f"results/{path.name} cannot be read any more ({str(error).splitlines()[0]})"


def faults_of_results(folder: RunFolder, rows: Sequence[Row]) -> Iterator[str]:
    """Tables that are not as they were when they were taken."""
    for versions in imports_of(rows).values():
        for version in versions:
            now = file_sha256(folder.results / version.file)
            if now != version.table_sha256:
                what = "is gone" if now is None else "was changed after it had been taken"
                yield (
                    f"results/{version.file} {what}, by its SHA-256 in the journal. Put it back "
                    "from a copy"
                )


def _by_arm(values: Sequence[Value], units: Sequence[Unit]) -> Iterator[ArmResult]:
    times = sorted({v.at_s for v in values if v.at_s is not None})
    moments: list[float | None] = [*times] or [None]
    for at_s in moments:
        here = [v for v in values if v.at_s == at_s]
        for arm in dict.fromkeys(unit.arm for unit in units):
            means: list[float] = []
            below = 0
            for unit in units:
                own = [v for v in here if v.well in unit.wells and unit.arm == arm]
                below += sum(v.below for v in own)
                known = [v.value for v in own if v.value is not None]
                if known:
                    means.append(fmean(known))
            mean = fmean(means) if means else None
            sd = stdev(means) if len(means) > 1 else None
            at_h = None if at_s is None else at_s / 3600.0
            if means or below:
                yield ArmResult(at_h, arm, mean, sd, len(means), below)

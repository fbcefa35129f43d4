"""The six steps of a launch as frozen rows, and what still keeps the run from its start. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from labrig.launch.wanted_start import SignedLine
from labrig.places import rows_and_columns
from labrig.plan.alike import FindingGroup
from labrig.plan.plan import Plan
from labrig.plan.table import digest
from labrig.protocol.people import same_person
from labrig.web.launch_draft import Draft, Tick
from labrig.web.loading_checklist import CheckLine
from labrig.web.nights import LETTERS

STEPS = ("Protocol", "Bench", "Findings", "Load and prime", "Sign", "Summary")
FIRST_S = 3600.0
"""What is told of a run before it starts: its first hour."""
MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the run may not start yet, and at which step that is mended."""

    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One line of what will happen."""

    at: datetime
    what: str
    where: str


def seen_id(group: FindingGroup) -> str:
    """The tick by which somebody says that they have read a warning."""
    return f"seen:{group.code}:{group.places[0]}"


def reasons_of_blocks(groups: Iterable[FindingGroup]) -> Iterator[Reason]:
    """What blocks the start."""
    for group in groups:
        if group.severity == "block":
            how = "mend it, or answer for it" if group.overridable else "mend it"
            yield Reason(3, f"{group.code} blocks the start: {how}")


def reasons_of_warnings(
    groups: Iterable[FindingGroup], standing: Mapping[str, Tick]
) -> Iterator[Reason]:
    """Warnings that nobody has seen yet."""
    unseen = sum(group.severity == "warn" and seen_id(group) not in standing for group in groups)
    if unseen:
        yield Reason(3, f"{_count(unseen, 'warning')} not ticked as seen")


def reasons_of_loading(
    lines: Iterable[CheckLine], standing: Mapping[str, Tick], lots: Mapping[str, str]
) -> Iterator[Reason]:
    """Lines without a tick, without a lot, and what this computer itself sees against them."""
    open_lines, without_lot = 0, 0
    for line in lines:
        if line.trouble:
            yield Reason(4, f"{line.text}: {line.trouble}")
        open_lines += line.id not in standing
        without_lot += bool(line.solution) and not lots.get(line.solution, line.lot).strip()
    if open_lines:
        yield Reason(4, f"{_count(open_lines, 'line')} not ticked")
    if without_lot:
        yield Reason(4, f"{_count(without_lot, 'solution')} without a lot")


def reasons_of_signing(names: tuple[str, ...], *, pilot: bool) -> Iterator[Reason]:
    """One name for a pilot or a simulated run, else two of different people."""
    given = [name for name in names if name.strip()]
    if not given:
        yield Reason(5, "nobody has signed")
    elif not pilot and len(given) < 2:
        yield Reason(5, "a second person has to sign: this is no pilot")
    elif len(given) > 1 and same_person(given[0], given[1]):
        yield Reason(
            5,
            f"{given[0]!r} and {given[1]!r} can be one person: if they are two, write both names "
            "out in full",
        )


def due(at: str, now: datetime, zone: ZoneInfo) -> datetime:
    """When a start is meant to be.

    Args:
        at: ``HH:MM`` on the clock on the wall, the next one to come; "" for now.
        now: with time zone.
        zone: of the wall.

    Raises:
        ValueError: it is no time of day, or the clock is put forward over it that night.
    """
    if not at:
        return now
    read = re.fullmatch(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])", at)
    if read is None:
        raise ValueError(f"{at!r} is no time of day: write it as 18:30")
    asked = time(int(read[1]), int(read[2]))
    here = now.astimezone(zone)
    found = datetime.combine(here.date(), asked, zone)
    if found <= here:
        found = datetime.combine(here.date() + timedelta(days=1), asked, zone)
    if found.astimezone(UTC).astimezone(zone).time() != asked:
        raise ValueError(f"there is no {at} that night: the clock is put forward over it")
    return found


def first_hour(plan: Plan, starts: datetime) -> tuple[Planned, ...]:
    """What will happen in the first hour, at the clock on the wall.

    Args:
        plan: of the run.
        starts: with time zone.
    """
    rows = (row for row in digest(plan) if row.offset_s <= FIRST_S)
    return tuple(
        Planned(starts + timedelta(seconds=row.offset_s), row.what, row.where)
        for row, _ in zip(rows, range(MOST_ROWS), strict=False)
    )


def signed_lines(
    draft: Draft,
    lines: Iterable[CheckLine],
    groups: Iterable[FindingGroup],
    now: datetime,
) -> tuple[SignedLine, ...]:
    """What goes into the journal: what each person has seen to, group by group, and who signed."""
    standing = draft.standing(now)
    said: dict[tuple[str, str], list[tuple[Tick, str]]] = {}
    for line in lines:
        if tick := standing.get(line.id):
            lot = draft.lots.get(line.solution, line.lot).strip() if line.solution else ""
            text = f"{line.text} (lot {lot})" if lot else line.text
            said.setdefault((tick.by, line.group), []).append((tick, text))
    for group in groups:
        if tick := standing.get(seen_id(group)):
            said.setdefault((tick.by, "Warnings seen"), []).append((tick, group.code))
    found = [
        SignedLine(
            by,
            f"before the start, {what.lower()}: {'; '.join(text for _, text in ticked)}",
            max(tick.utc for tick, _ in ticked),
        )
        for (by, what), ticked in said.items()
    ]
    signed = now.isoformat(timespec="seconds")
    found += [SignedLine(name, "signed for the start", signed) for name in draft.names if name]
    return tuple(found)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class PlateCell:
    """One well on the map; ``letter`` of its arm, a to h, as on every screen."""

    well: str
    arm: str
    letter: str


@dataclass(frozen=True, slots=True)
class PlateMap:
    """Row by row of the plate, as far as wells are used; None where no cells are."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[PlateCell | None, ...]], ...]

    @property
    def arms(self) -> dict[str, str]:
        """Letter by arm."""
        return {cell.arm: cell.letter for _, row in self.rows for cell in row if cell is not None}


def plate_map(plan: Plan) -> PlateMap:
    """Which arm each well is to have."""
    arms = list(dict.fromkeys(well.arm for well in plan.wells))
    cells = {
        well.well: PlateCell(well.well, well.arm, LETTERS[arms.index(well.arm) % len(LETTERS)])
        for well in plan.wells
    }
    rows, columns = rows_and_columns(cells)
    return PlateMap(
        tuple(columns),
        tuple((row, tuple(cells.get(f"{row}{column}") for column in columns)) for row in rows),
    )

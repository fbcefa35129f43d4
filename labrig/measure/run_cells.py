"""What every row of a run's tables says besides its measures: the arm of its well, and when it was.

Records do not hold it: they are of pictures, and whoever measures need not know any arm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from labrig import run_clock
from labrig.run_clock import RunClock
from labrig_measure.records import Record

ARM = "arm"


@dataclass(frozen=True, slots=True)
class RunCells:
    """Of one run.

    Attributes:
        arms: by well; empty: they are not told, as in a run whose arms are coded, and the tables
            have no such column.
        clock: of the run; None: times are not told, and there are no such columns.
        taken_s: by name of a record, when its picture was taken, s from t0; where it is left out,
            the time at which it was due counts.
    """

    arms: Mapping[str, str] = field(default_factory=dict)
    clock: RunClock | None = None
    taken_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the cells."""
        return (*self._arm_column, *(() if self.clock is None else run_clock.COLUMNS))

    def of_well(self, well: str) -> dict[str, str]:
        """The cell of its arm, where arms are told; empty for a well that is in no arm."""
        return {column: self.arms.get(well, "") for column in self._arm_column}

    def placed(self, record: Record) -> Record:
        """A frame's record with these cells behind those of its place."""
        due_s = record.place.get("offset_s")
        return replace(record, place={**record.place, **self._cells(record, due_s)})

    def of_film(self, record: Record, row: Mapping[str, Any]) -> dict[str, str]:
        """The cells of a film's row, whose own ``offset_s`` is when it was begun."""
        return self._cells(record, row.get("offset_s"))

    def of_film_at(self, well: str, at_s: float | None) -> dict[str, str]:
        """The cells of a row that several films of a well make, by the time of the first."""
        time = {} if self.clock is None else self.clock.cells(at_s)
        return {**self.of_well(well), **time}

    @property
    def _arm_column(self) -> tuple[str, ...]:
        return (ARM,) if self.arms else ()

    def _cells(self, record: Record, due_s: float | None) -> dict[str, str]:
        at_s = self.taken_s.get(record.name, due_s)
        time = {} if self.clock is None else self.clock.cells(at_s)
        return {**self.of_well(record.place["well"]), **time}

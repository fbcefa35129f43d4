"""What is exported: one run, or the runs of a study, each as the report analyses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labrig.plan.plan import WellPlan
from labrig.report.analysis import Analysis, analyse
from labrig.report.maker import Maker, this_labrig
from labrig.report.record import read_record
from labrig.run_folder import RunFolder


class ExportRefused(Exception):
    """It cannot be exported as asked; the message ends with what to do."""


@dataclass(frozen=True)
class Source:
    """Runs that are exported together.

    Attributes:
        name: of the run or of the study, for names of files and titles.
        runs: each analysed; one for a run, all of them for a study.
        maker: the labrig that exports, and when.
    """

    name: str
    runs: tuple[Analysis, ...]
    maker: Maker

    @property
    def arms(self) -> tuple[str, ...]:
        """Of all runs, in the protocols' order."""
        return tuple(dict.fromkeys(arm for run in self.runs for arm in run.record.protocol.arms))

    @property
    def donors(self) -> tuple[str, ...]:
        """Of all runs, in the protocols' order."""
        return tuple(dict.fromkeys(d.id for run in self.runs for d in run.record.protocol.donors))

    def wells(self) -> Iterator[tuple[Analysis, WellPlan, str]]:
        """Every well with its run and the name of its experimental unit."""
        for run in self.runs:
            unit_of = {well: unit.name for unit in run.units for well in unit.wells}
            for well in run.record.plan.wells:
                yield run, well, unit_of.get(well.well, "")


def read_source(path: Path, maker: Maker | None = None) -> Source:
    """Read a run folder.

    Raises:
        ExportRefused: its arms are still coded.
        labrig.run_folder.NotARunFolder: it is none.
        labrig.problems.FileProblems: protocol or rig in the folder cannot be read.
        OSError: a file of the run is missing.
    """
    folder = RunFolder.at(path)
    record = read_record(folder)
    if record.blinding.blind:
        raise ExportRefused(
            f"The arms of {path} are coded, and every format names them. Close the measures, then "
            f'`labrig unblind {path} --reason "..."`'
        )
    return Source(folder.root.resolve().name, (analyse(record),), maker or this_labrig())


def run_id(run: Analysis) -> str:
    """The run's id, short enough for a table and long enough to find it by."""
    return str(run.record.identity["id"])[:12]

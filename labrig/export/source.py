"""What is exported: one run, or the runs of a study, each as the report analyses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labrig.durable import read_json
from labrig.plan.plan import WellPlan
from labrig.report.analysis import Analysis, analyse
from labrig.report.maker import Maker, this_labrig
from labrig.report.record import read_record
from labrig.run_folder import RunFolder
from labrig.study.build import VERDICT
from labrig.study.joining import joined


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
    """Read a run folder, or the folder that ``labrig study`` has written.

    Raises:
        ExportRefused: the arms of a run are still coded, or a run of the study is not where it was.
        labrig.run_folder.NotARunFolder: it is neither.
        labrig.study.joining.NotOneStudy: the runs of the study do not belong together any more.
        labrig.problems.FileProblems: protocol or rig of a run cannot be read.
        OSError: a file of a run is missing.
    """
    name = path.resolve().name
    if not (path / VERDICT).exists():
        return Source(name, (_analysed(path),), maker or this_labrig())
    runs = [Path(run) for run in read_json(path / VERDICT)["run_paths"]]
    if gone := [str(run) for run in runs if not run.is_dir()]:
        raise ExportRefused(
            f"Of the study in {path}, {', '.join(gone)} is not there any more: make the study "
            "again with `labrig study RUN RUN ...`"
        )
    analysed = tuple(_analysed(run) for run in runs)
    joined(analysed)
    return Source(name, analysed, maker or this_labrig())


def _analysed(path: Path) -> Analysis:
    record = read_record(RunFolder.at(path))
    if record.blinding.blind:
        raise ExportRefused(
            f"The arms of {path} are coded, and every format names them. Close the measures, then "
            f'`labrig unblind {path} --reason "..."`'
        )
    return analyse(record)


def run_id(run: Analysis) -> str:
    """The run's id, short enough for a table and long enough to find it by."""
    return str(run.record.identity["id"])[:12]

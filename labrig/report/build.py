"""From a run folder to ``report/report.html`` and its tables."""

from __future__ import annotations

from pathlib import Path

from labrig.durable import write_text_whole
from labrig.report.analysis import analyse
from labrig.report.maker import Maker, this_labrig
from labrig.report.page import render
from labrig.report.record import read_record
from labrig.report.tables import write_tables
from labrig.run_folder import RunFolder


def build_report(folder: RunFolder, maker: Maker | None = None) -> Path:
    """Make the report of a run, finished or not; the same run and maker give the same bytes.

    Args:
        folder: of the run.
        maker: who analyses it; None: this labrig, now.

    Returns:
        the path of ``report.html``.

    Raises:
        labrig.problems.FileProblems: protocol or rig in the folder cannot be read.
        labrig.plan.store.PlanFormatError: the plan cannot be read.
        OSError: a file of the run is missing, or the disk refuses.
    """
    maker = maker or this_labrig()
    analysis = analyse(read_record(folder))
    write_tables(analysis, folder.report, maker)
    page = folder.report / "report.html"
    # Whole: a browser that reloads finds the old page or the new one.
    write_text_whole(page, render(analysis, maker))
    return page

"""From a run folder to ``report/report.html`` and its tables."""

from __future__ import annotations

from pathlib import Path

from labrig.durable import write_text_whole
from labrig.protocol.blinding_key import read_key
from labrig.report.analysis import Analysis, analyse
from labrig.report.blind_page import TABLE, by_code, render_blind
from labrig.report.growth import IN_PERCENT
from labrig.report.maker import Maker, this_labrig
from labrig.report.page import render
from labrig.report.record import read_record
from labrig.report.tables import write_tables
from labrig.run_folder import RunFolder


def build_report(folder: RunFolder, maker: Maker | None = None) -> Path:
    """Make the report of a run, finished or not; the same run and maker give the same bytes.

    While its arms are coded the page tells no more than a judge of pictures may know.

    Args:
        folder: of the run.
        maker: who analyses it; None: this labrig, now.

    Returns:
        the path of ``report.html``.

    Raises:
        labrig.problems.FileProblems: protocol or rig in the folder cannot be read.
        labrig.plan.store.PlanFormatError: the plan cannot be read.
        labrig.protocol.blinding_key.KeyDamaged: arms are coded, and their key is not there.
        OSError: a file of the run is missing, or the disk refuses.
    """
    return page_of(analyse(read_record(folder)), maker)


def page_of(analysis: Analysis, maker: Maker | None = None) -> Path:
    """The same of a run that was read and worked out already."""
    maker = maker or this_labrig()
    folder = analysis.record.folder
    if analysis.record.blinding.blind:
        return _blind(analysis, maker)
    write_tables(analysis, folder.report, maker)
    page = folder.report / "report.html"
    # Whole: a browser that reloads finds the old page or the new one.
    write_text_whole(page, render(analysis, maker))
    return page


def _blind(analysis: Analysis, maker: Maker) -> Path:
    folder = analysis.record.folder
    codes = dict(read_key(folder.blinding_key).arms)
    folder.report.mkdir(parents=True, exist_ok=True)
    table = (
        by_code(analysis.itt, codes)
        .rename(columns=IN_PERCENT)
        .to_csv(index=False, float_format="%.6g")
    )
    (folder.report / TABLE).write_text(table, encoding="utf-8", newline="")
    page = folder.report / "report.html"
    write_text_whole(page, render_blind(analysis, codes, maker))
    return page

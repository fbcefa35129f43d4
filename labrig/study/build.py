"""From run folders to a study's page and tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from labrig.durable import write_json, write_text_whole
from labrig.report.analysis import analyse
from labrig.report.arms.sentences import scope_of, sentence_of
from labrig.report.arms.verdicts import ArmsVerdict
from labrig.report.maker import Maker, this_labrig
from labrig.report.named.rows import COLUMNS, POINT_COLUMNS, as_text, point_rows, rows_of
from labrig.report.record import read_record
from labrig.run_folder import RunFolder
from labrig.study.analysis import StudyAnalysis, analyse_study
from labrig.study.page import check_row, effects_together, render_study

PAGE, VERDICT, DONORS = "study.html", "study.json", "donors.csv"
OUTCOMES, OUTCOME_UNITS = "outcomes.csv", "outcome_units.csv"


def build_study(runs: Sequence[RunFolder], out: Path, maker: Maker | None = None) -> Path:
    """Make the page and the tables of a study; the same runs and maker give the same bytes.

    Args:
        runs: two or more.
        out: folder for the page, :data:`VERDICT` and the tables; made if it is not there.
        maker: who analyses; None: this labrig, now.

    Returns:
        the path of the page.

    Raises:
        labrig.study.joining.NotOneStudy: the runs cannot be joined.
        labrig.problems.FileProblems, labrig.plan.store.PlanFormatError, labrig.durable.DamagedFile:
            a run cannot be read.
        OSError: a file of a run is missing, or the disk refuses.
    """
    maker = maker or this_labrig()
    return write_study(analyse_study([analyse(read_record(folder)) for folder in runs]), out, maker)


def write_study(study: StudyAnalysis, out: Path, maker: Maker) -> Path:
    """Write the page and the tables of a study that is analysed; returns the page's path.

    Raises:
        OSError: the disk refuses.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / VERDICT, verdict_of(study, maker))
    write_text_whole(out / DONORS, _donors(study))
    write_text_whole(out / OUTCOMES, as_text(COLUMNS, rows_of(study.named)))
    write_text_whole(out / OUTCOME_UNITS, as_text(POINT_COLUMNS, point_rows(study.named)))
    write_text_whole(out / PAGE, render_study(study, maker))
    return out / PAGE


def verdict_of(study: StudyAnalysis, maker: Maker) -> dict[str, Any]:
    """What the page says, for programs."""
    together = effects_together(study.arms)
    return {
        "analysed_by": maker.labrig,
        "analysed_utc": maker.utc,
        "runs": [str(run.record.identity.get("id", "")) for run in study.runs],
        "run_paths": [str(run.record.folder.root.resolve()) for run in study.runs],
        "donors": list(study.donors),
        "tests_what_was_committed": not study.standing.failures and not study.arms.exploratory,
        "failures": list(study.standing.failures),
        "remarks": list(study.remarks),
        "scope": scope_of(study.arms),
        "gate": study.arms.gate,
        "error_rate_one_sided": study.arms.error_rate,
        "analysis_set": study.plan.analysis_set,
        "arms": list(_arms(study.arms)),
        "other_analysis_set": list(_arms(study.otherwise)),
        "contrasts": [check_row(forest, together) for forest in study.forests],
        "outcomes": rows_of(study.named),
        "without_one_donor": {row.donor: list(row.labels) for row in study.left_out},
        "other_definitions": [
            {
                "low_mass_m": row.low_mass_m,
                "low_strength_s": row.low_strength_s,
                "committed": row.committed,
                "labels": list(row.labels),
            }
            for row in study.definitions
        ],
    }


def _arms(found: ArmsVerdict) -> Iterator[dict[str, Any]]:
    for arm in found.arms:
        yield {
            "arm": arm.arm,
            "against": arm.against,
            "label": arm.label,
            "grade": arm.grade,
            "p": arm.p,
            "sentence": sentence_of(arm, found),
        }


def _donors(study: StudyAnalysis) -> str:
    """One row per contrast, read-out and donor."""
    text = io.StringIO()
    columns = ("arm", "against", "readout", "donor", "ratio", "ci95_low", "ci95_high", "why_not")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for forest in study.forests:
        for row in forest.donors:
            estimate = row.estimate
            interval = None if estimate is None else estimate.ratio_interval
            low, high = interval or (math.nan, math.nan)
            ratio = math.nan if estimate is None else estimate.ratio
            numbers = ["" if math.isnan(n) else f"{n:.6g}" for n in (ratio, low, high)]
            writer.writerow([*forest.pair, forest.readout, row.donor, *numbers, row.why_not])
    return text.getvalue()

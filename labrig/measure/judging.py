"""Which frames of a run are fit, judged by their own field's first hour and never by their arm.

A frame that is not fit is flagged with its reasons and kept. Judging rests on the tables alone,
so it can be done again at any time and gives the same. Focus, light and blots are judged in
unstained frames only: what is stained grows brighter, or vanishes, by what a treatment does.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labrig_analysis.images.quality import FrameScores, Quality, judge_frame
from labrig_analysis.tubes.phase import KIND as UNSTAINED
from labrig_measure.field_job import rows_of

if TYPE_CHECKING:
    import pandas as pd

FIRST_HOUR_S = 3600.0
MOST_MOVED_SHARE = 0.05
"""Share of the field's shorter side that it may move from one round to the next [P]."""

JUDGED = ("focus_ratio", "moved_um", "quality", "quality_reasons")
SERIES = ["well", "field", "kind"]


def judge_fields(fields: pd.DataFrame) -> pd.DataFrame:
    """``fields.csv`` with its columns :data:`JUDGED`.

    Args:
        fields: as measured, with the columns of `labrig_measure.frame_check`; what was judged
            before is judged anew.

    Returns:
        the same rows in the same order. ``quality`` is ``good`` or ``flagged``; rows that were
        never scored have none, nor has any row while no field could be measured. A drift that
        cannot be told flags nothing: a field that a treatment has emptied shows nothing to tell
        it by.
    """
    judged = fields.drop(columns=[name for name in JUDGED if name in fields])
    if "focus" not in judged:
        return judged
    if "kind" not in judged:
        return judged.assign(**dict.fromkeys(JUDGED))
    found: dict[Any, dict[str, Any]] = {}
    for _, series in judged.groupby(SERIES, sort=False, dropna=False):
        found |= _judge_series(series.sort_values("round", kind="stable"))
    for name in JUDGED:
        judged[name] = [found[index][name] for index in judged.index]
    return judged


def _judge_series(series: pd.DataFrame) -> dict[Any, dict[str, Any]]:
    """By row, the verdict on each frame of one field, in order of time."""
    rows = dict(zip(series.index, rows_of(series), strict=True))
    began_s = min(row["offset_s"] for row in rows.values())
    first_hour = [
        _scores(row)
        for row in rows.values()
        if row["offset_s"] <= began_s + FIRST_HOUR_S and row["focus"] is not None
    ]
    found = {}
    last = (0.0, 0.0)
    for index, row in rows.items():
        if row["focus"] is None:
            found[index] = dict.fromkeys(JUDGED)
            continue
        verdict = _judge_frame(row, first_hour)
        reasons = list(verdict.reasons)
        here = _place_um(row)
        moved_um = None if here is None else math.dist(here, last)
        limit_um = _may_move_um(row)
        if moved_um is not None and limit_um is not None and moved_um > limit_um:
            reasons.append(
                f"moved: {moved_um:.0f} µm since the round before, limit {limit_um:.0f} µm"
            )
        last = here or last
        found[index] = {
            "focus_ratio": verdict.focus_ratio,
            "moved_um": moved_um,
            "quality": "flagged" if reasons else "good",
            "quality_reasons": "; ".join(reasons),
        }
    return found


def _judge_frame(row: dict[str, Any], first_hour: list[FrameScores]) -> Quality:
    scores = _scores(row)
    if row["kind"] == UNSTAINED:
        return judge_frame(scores, first_hour)
    # Without a reference, and blank or not: saturation is all that is left to judge.
    return judge_frame(replace(scores, spread=1.0), ())


def _scores(row: dict[str, Any]) -> FrameScores:
    return FrameScores(
        focus=row["focus"],
        level=row["light"],
        saturated=row["saturated_share"],
        stray=row["stray_share"],
        spread=row["grey_spread"],
    )


def _may_move_um(row: dict[str, Any]) -> float | None:
    """The limit from round to round; None for a field that could not be measured."""
    if row["width_px"] is None or row["pixel_size_um"] is None:
        return None
    side_px: float = min(row["width_px"], row["height_px"])
    return MOST_MOVED_SHARE * side_px * float(row["pixel_size_um"])


def _place_um(row: dict[str, Any]) -> tuple[float, float] | None:
    """Where the field lies against its first round; None where that is not to be believed."""
    if row["drift_reason"] or row["drift_right_um"] is None:
        return None
    return row["drift_right_um"], row["drift_down_um"]

"""``series.csv``: what each test series says of each well, from the rows of its films.

A series counts for a well when every film of it counts: one step that was not seen may be the one
that would have made the threshold. What is missing is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labrig_analysis.films.series import capture, fatigue_ratio, force_frequency

TABLE = "series"
PLACE = ("well", "series", "assay")
MEASURED = (
    "capture_v", "not_captured_v", "half_response_v", "capture_ma", "not_captured_ma",
    "half_response_ma", "twitch_um", "largest_um", "f50_hz",
    "tetanus_twitch_ratio", "fused_at_hz", "first_um", "last_um", "fatigue_ratio",
    "time_to_peak_s", "half_relaxation_s",
)  # fmt: skip
COLUMNS = (*PLACE, "kind", "offset_s", "status", "reasons", "films", *MEASURED)
FUSED_FROM = 0.9
"""A train is fused when displacement between its last pulses stays above this share of the peak
[P]."""

Row = Mapping[str, Any]


def series_rows(films: Iterable[Row]) -> list[dict[str, Any]]:
    """A row per well and series, in order of series and well.

    Args:
        films: rows of ``contractions.csv``; those of no test series are passed over.
    """
    groups: dict[tuple[int, str, str], list[Row]] = {}
    for row in films:
        if row.get("assay"):
            key = (int(row["series"]), str(row["assay"]), str(row["well"]))
            groups.setdefault(key, []).append(row)
    return [_row(key, groups[key]) for key in sorted(groups)]


def _row(key: tuple[int, str, str], films: Sequence[Row]) -> dict[str, Any]:
    series, assay, well = key
    films = sorted(films, key=lambda row: (row["step"], row["offset_s"]))
    kind = str(films[0]["kind"])
    out = [row for row in films if row["status"] != "ok"]
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {
        "well": well,
        "series": series,
        "assay": assay,
        "kind": kind,
        "offset_s": films[0]["offset_s"],
        "films": len(films),
        "status": "incomplete" if out else "ok",
        "reasons": "; ".join(_why(row) for row in out),
    }
    if out or kind not in _READERS:
        return row
    found = _READERS[kind](films)
    return row | {name: _cell(value) for name, value in found.items()}


def _why(row: Row) -> str:
    part = f" ({row['part']})" if row.get("part") else ""
    return f"step {int(row['step']) + 1}{part}: {row['reasons'] or row['status']}"


def _cell(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _of_staircase(films: Sequence[Row]) -> dict[str, float]:
    # A staircase is of one unit: that of the first step, also where one film lacks it.
    unit = "v" if any(not math.isnan(_number(row["asked_v"])) for row in films) else "ma"
    strengths = [_number(row.get(f"asked_{unit}")) for row in films]
    shares = [_number(row["capture_fraction"]) for row in films]
    found = capture(
        strengths,
        [0.0 if math.isnan(share) else share for share in shares],
        [_number(row["amplitude_um"]) for row in films],
        _number(films[0]["captured_share"]),
    )
    return {
        f"capture_{unit}": found.threshold,
        f"not_captured_{unit}": found.below,
        f"half_response_{unit}": found.half,
        "largest_um": max(_number(row["amplitude_um"]) for row in films),
    }


def _of_frequencies(films: Sequence[Row]) -> dict[str, float]:
    rates = [_number(row["asked_hz"]) for row in films]
    found = force_frequency(rates, [_number(row["amplitude_um"]) for row in films])
    fused = [
        rate for rate, row in zip(rates, films, strict=True) if _number(row["fusion"]) >= FUSED_FROM
    ]
    return {
        "twitch_um": found.twitch_um,
        "largest_um": found.largest_um,
        "f50_hz": found.f50_hz,
        "tetanus_twitch_ratio": found.ratio,
        "fused_at_hz": min(fused, default=math.nan),
    }


def _of_fatigue(films: Sequence[Row]) -> dict[str, float]:
    by_part = {str(row["part"]): _number(row["amplitude_um"]) for row in films}
    if set(by_part) != {"first", "last"}:
        return {}
    first, last = by_part["first"], by_part["last"]
    return {"first_um": first, "last_um": last, "fatigue_ratio": fatigue_ratio(first, last)}


def _of_twitch(films: Sequence[Row]) -> dict[str, float]:
    (film,) = films[:1]
    return {
        "twitch_um": _number(film["amplitude_um"]),
        "time_to_peak_s": _number(film["time_to_peak_s"]),
        "half_relaxation_s": _number(film["half_relaxation_s"]),
    }


_READERS = {
    "staircase": _of_staircase,
    "frequencies": _of_frequencies,
    "fatigue": _of_fatigue,
    "twitch": _of_twitch,
}


def _number(value: Any) -> float:  # noqa: ANN401 - a cell
    return math.nan if value is None or value == "" else float(value)

"""Answers as rows for the page, ``outcomes.csv`` and ``outcome_units.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from labrig.report.named.answers import Answer
from labrig.report.named.sentences import sentence_of

COLUMNS = (
    "outcome", "kind", "readout", "asked", "of", "against", "scale", "unit", "value", "ci95_low",
    "ci95_high", "p", "p_holm", "shown", "tested", "scope", "n", "df", "method", "why_not",
    "remarks", "sentence",
)  # fmt: skip
POINT_COLUMNS = (
    "outcome", "kind", "readout", "asked", "of", "against", "group", "unit_name", "donor",
    "value", "unit",
)  # fmt: skip


def rows_of(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """One row per answer, in :data:`COLUMNS`."""
    return [
        {
            "outcome": each.outcome,
            "kind": each.kind,
            "readout": each.readout,
            "asked": each.asked,
            "of": each.of,
            "against": each.against,
            "scale": each.scale,
            "unit": each.unit if each.scale == "difference" else "",
            "value": each.value,
            "ci95_low": None if each.interval is None else each.interval[0],
            "ci95_high": None if each.interval is None else each.interval[1],
            "p": each.p,
            "p_holm": each.p_holm,
            "shown": each.shown,
            "tested": each.tested,
            "scope": each.scope,
            "n": each.n,
            "df": None if each.estimate is None else each.estimate.df,
            "method": each.method,
            "why_not": each.why_not,
            "remarks": "; ".join(each.doubts),
            "sentence": sentence_of(each),
        }
        for each in answers
    ]


def point_rows(answers: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    """What each answer rests on: one row per unit or donor and answer, in long form."""
    for each in answers:
        for point in each.points:
            yield {
                "outcome": each.outcome,
                "kind": each.kind,
                "readout": each.readout,
                "asked": each.asked,
                "of": each.of,
                "against": each.against,
                "group": point.group,
                "unit_name": point.unit,
                "donor": point.donor,
                "value": point.value,
                "unit": each.unit,
            }


def as_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV."""
    return "".join(csv_lines(columns, rows))


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The same, line by line."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        yield stream.getvalue()
        stream.seek(0)
        stream.truncate()
        writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    yield stream.getvalue()

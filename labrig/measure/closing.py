"""What can be said of a run only when its rounds are measured: fit frames, and tubes over time.

Everything is worked out anew from tables and label images, so closing twice gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labrig.durable import write_text_whole
from labrig.measure.field_job import label_path, rows_of
from labrig.measure.judging import SERIES, judge_fields
from labrig.measure.rounds import LABELS, RoundFrame
from labrig.measure.run_tables import locked, set_column, undo_unfinished
from labrig.measure.sound_tables import check_table
from labrig.measure.tracks import COLUMNS, Series, SeriesTracks, Sighting, track_series
from labrig_analysis.tubes.fluorescence import KIND as STAINED

if TYPE_CHECKING:
    import pandas as pd

OF_TUBES = ("well", "field", "round", "kind", "tube", "diameter_mean_um")
"""What tubes are followed by. A run of days has 10^6 of them: nothing else of them is held."""
FIELD_NUMBERS = ("field", "round")
TUBE_NUMBERS = (*FIELD_NUMBERS, "tube")
Each = Callable[[Callable[[Series], SeriesTracks], Sequence[Series]], Iterable[SeriesTracks]]
"""``map``, or that of a pool of processes."""


def close_measures(out: Path, each: Each = map) -> int:
    """Judge the frames of a run and follow its tubes; returns how many tracks there are.

    ``fields.csv`` gains the columns of `labrig.measure.judging`, ``tubes.csv`` the column
    ``track``, and ``tracks.csv`` is written. Without tables nothing is done.

    Args:
        out: the run's ``measures`` folder.
        each: does the fields' work.

    Raises:
        MeasureError: a table is damaged; all are left as they are.
        OSError: a table cannot be read or written.
    """
    if not (out / "fields.csv").exists():
        return 0
    with locked(out):
        undo_unfinished(out)
        fields = _table(out / "fields.csv", FIELD_NUMBERS)
        tubes = _table(out / "tubes.csv", TUBE_NUMBERS, OF_TUBES)
    if fields is None:
        return 0
    fields = judge_fields(fields)
    found = list(each(track_series, _series(out, fields, tubes)))
    rows = [row for tracks in found for row in tracks.rows]
    with locked(out):
        undo_unfinished(out)
        _write(out / "fields.csv", fields)
        _write_rows(out / "tracks.csv", rows)
        if tubes is not None and not tubes.empty:
            set_column(out / "tubes.csv", "track", _track_by_tube(found), TUBE_NUMBERS)
    return len(rows)


def _series(out: Path, fields: pd.DataFrame, tubes: pd.DataFrame | None) -> list[Series]:
    if "quality" not in fields or tubes is None or "diameter_mean_um" not in tubes:
        return []
    measured = tubes[tubes["diameter_mean_um"].notna()]
    widths: dict[tuple[Any, ...], dict[int, float]] = {}
    for *place, tube, diameter_um in measured[list(OF_TUBES)].itertuples(index=False):
        widths.setdefault(tuple(place), {})[tube] = diameter_um
    found = []
    known = fields[fields["kind"].notna()]
    for _, series in known.groupby(SERIES, sort=True):
        rows = rows_of(series.sort_values("round"))
        first = rows[0]
        sightings = tuple(
            _sighting(
                out, row, widths.get((row["well"], row["field"], row["round"], row["kind"]), {})
            )
            for row in rows
        )
        meant = sorted({str(row["diameter_definition"]) for row in rows if _defined(row)})
        found.append(
            Series(
                first["well"], first["field"], first["kind"], sightings, " / ".join(meant) or None
            )
        )
    return found


def _defined(row: Mapping[str, Any]) -> bool:
    """Tables of older versions do not say what a diameter is."""
    return row.get("diameter_definition") is not None


def _sighting(out: Path, row: dict[str, Any], diameters_um: dict[int, float]) -> Sighting:
    channels = {"tubes" if row["kind"] == STAINED else "phase": ""}
    name = RoundFrame(row["well"], row["field"], row["round"], row["offset_s"], channels).name
    labels = label_path(out / LABELS, name, "tubes")
    usable = row["quality"] == "good" and not row["drift_reason"] and labels.exists()
    pixel_um = row["pixel_size_um"]
    return Sighting(
        round=int(row["round"]),
        hours=row["offset_s"] / 3600.0,
        labels=labels if usable else None,
        drift_px=(
            (row["drift_right_um"] / pixel_um, row["drift_down_um"] / pixel_um)
            if usable
            else (0.0, 0.0)
        ),
        diameters_um=diameters_um,
    )


def _track_by_tube(found: Iterable[SeriesTracks]) -> Callable[[Mapping[str, str]], str]:
    """Gives the track of a row of ``tubes.csv``; empty where it was not followed."""
    by_field = {
        (tracks.series.well, tracks.series.field, tracks.series.kind): tracks.track_of
        for tracks in found
    }

    def track(row: Mapping[str, str]) -> str:
        of_field = by_field.get((row["well"], int(row["field"]), row["kind"]))
        place = (int(row["round"]), int(row["tube"]))
        return str(of_field.get(place, "")) if of_field else ""

    return track


def _table(
    path: Path, numbers: Sequence[str], columns: Sequence[str] | None = None
) -> pd.DataFrame | None:
    """A table, or those of the columns that it has; None without a row."""
    import pandas as pd

    # A table without a row is written as an empty line.
    if not path.exists() or path.stat().st_size <= 1:
        return None
    check_table(path, numbers)
    wanted = None if columns is None else lambda name: name in columns
    return pd.read_csv(path, dtype={"well": str}, usecols=wanted)


def _write(path: Path, table: pd.DataFrame) -> None:
    write_text_whole(path, table.to_csv(index=False, float_format="%.7g"))


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    import pandas as pd

    _write(path, pd.DataFrame(rows, columns=list(COLUMNS)))

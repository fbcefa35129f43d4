"""The tables of a run, made of its records: of frames with their fitness, and of tubes over time.

Everything is worked out anew from records and label images, so making the tables twice gives the
same. What needs all rounds (which tube is which) comes when the run is over.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labrig.durable import write_text_whole
from labrig.measure import films, junction_films, series_table, tracks
from labrig.measure.judging import SERIES, judge_fields
from labrig.measure.rounds import LABELS
from labrig.measure.run_cells import RunCells
from labrig.measure.sealing import MANIFEST
from labrig.measure.tracks import COLUMNS, Series, SeriesTracks, Sighting, track_series
from labrig_measure.field_job import rows_of
from labrig_measure.label_images import label_path
from labrig_measure.records import Record, read_record, read_records, records_in_force
from labrig_measure.tables import (
    FIELDS,
    Added,
    Row,
    Survey,
    as_ascii,
    cell,
    until_none_came,
    write_csv,
    write_objects,
    write_rows,
)

if TYPE_CHECKING:
    import pandas as pd

WIDTH = "diameter_mean_um"
Each = Callable[[Callable[[Series], SeriesTracks], Sequence[Series]], Iterable[SeriesTracks]]
"""``map``, or that of a pool of processes."""
NOTHING_TOLD = RunCells()
Place = tuple[str, int, int]
"""Well, field and round."""


@dataclass(slots=True)
class _Reading:
    """What tubes are followed by, and no more of them: a run of days has 10^6.

    Attributes:
        widths_um: by place and kind, by number of a tube its mean diameter.
        names: of records, by place and kind.
    """

    survey: Survey = field(default_factory=Survey)
    widths_um: dict[tuple[Place, str], dict[int, float]] = field(default_factory=dict)
    names: dict[tuple[Place, str], str] = field(default_factory=dict)
    has_widths: bool = False

    def take(self, record: Record) -> None:
        self.survey.take(record)
        place = _place(record.place)
        for row in record.tables[FIELDS]:
            if kind := row.get("kind"):
                self.names[place, kind] = record.name
        for row in record.tables["tubes"]:
            self.has_widths = self.has_widths or WIDTH in row
            if (width_um := row.get(WIDTH)) is not None:
                # As the table says it: who has only the tables follows the same tubes.
                of_kind = self.widths_um.setdefault((place, row["kind"]), {})
                of_kind[row["tube"]] = float(cell(width_um))


def tables_so_far(out: Path, cells: Callable[[], RunCells] = RunCells) -> None:
    """Make the tables of a run that nobody has closed yet, of what is recorded until now.

    Tubes are not followed. Closed tables are left alone.

    Args:
        out: the run's ``measures`` folder.
        cells: gives what each row says of its well and its time; asked where there are rows.

    Raises:
        DamagedRecord: a record is not as it was written; the tables are left alone.
        OSError: a table cannot be read or written; it keeps its former content.
    """
    if not (out / MANIFEST).exists() and records_in_force(out):
        told = cells()
        until_none_came(out, lambda records: _make_tables(out, records, told, None))


def close_measures(out: Path, cells: RunCells = NOTHING_TOLD, each: Each = map) -> int:
    """Make the tables of a run that is over; returns how many tracks there are.

    ``fields.csv`` has the columns of `labrig.measure.judging`, ``tubes.csv`` the column ``track``,
    and ``tracks.csv`` is written. Without records nothing is done: of a run that an earlier version
    measured the tables stay.

    Args:
        out: the run's ``measures`` folder.
        cells: what each row says of its well and its time.
        each: does the fields' work.

    Raises:
        DamagedRecord: a record is not as it was written; the tables are left alone.
        OSError: a table cannot be read or written; it keeps its former content.
    """
    return until_none_came(out, lambda records: _make_tables(out, records, cells, each))


def _make_tables(out: Path, records: Mapping[str, Path], cells: RunCells, each: Each | None) -> int:
    # In the order of rounds and not of names, in which they were measured or which hashes they got.
    frames, filmed = _in_order(records)

    def read() -> Iterator[Record]:
        return map(cells.placed, read_records(frames))

    if filmed:
        _film_tables(out, filmed, cells)
    if not frames:
        return 0
    reading = _Reading()
    for record in read():
        reading.take(record)
    fields = judge_fields(_as_read(reading.survey))
    found = [] if each is None else list(each(track_series, _series(out, fields, reading)))
    track = None if each is None else Added("track", _track_by_tube(found))
    write_objects(out, reading.survey, read, track)
    rows = [row for series in found for row in series.rows]
    if each is not None:
        told = [row | cells.of_well(row["well"]) for row in rows]
        columns = (*tracks.PLACE, *cells.of_well(""), *COLUMNS[len(tracks.PLACE) :])
        write_rows(out / "tracks.csv", columns, told)
    # Last: a run whose fields are there has its tubes, nuclei and tracks too.
    write_text_whole(
        out / f"{FIELDS}.csv", as_ascii(fields.to_csv(index=False, float_format="%.7g"))
    )
    return len(rows)


def _film_tables(out: Path, filmed: Sequence[Path], cells: RunCells) -> None:
    """Tables of films: of contraction, of test series, of the junctions of chips."""
    rows_of_films = _film_rows(filmed, films.TABLE, cells)
    of_chips = _film_rows(filmed, junction_films.TABLE, cells)
    if rows_of_films or not of_chips:
        columns = _film_columns(films.COLUMNS, cells)
        write_rows(out / f"{films.TABLE}.csv", columns, rows_of_films)
    if series := series_table.series_rows(rows_of_films):
        told = [row | cells.of_film_at(row["well"], row["offset_s"]) for row in series]
        write_rows(out / f"{series_table.TABLE}.csv", _series_columns(cells), told)
    if of_chips:
        columns = _film_columns(junction_films.COLUMNS, cells)
        write_rows(out / f"{junction_films.TABLE}.csv", columns, of_chips)


def _film_columns(own: Sequence[str], cells: RunCells) -> tuple[str, ...]:
    return (*films.PLACE, *cells.columns, *own[len(films.PLACE) :])


def _series_columns(cells: RunCells) -> tuple[str, ...]:
    place = series_table.PLACE
    return (*place, *cells.columns, *series_table.COLUMNS[len(place) :])


def _film_rows(filmed: Iterable[Path], table: str, cells: RunCells) -> list[Row]:
    return [
        row | cells.of_film(record, row)
        for record in read_records(filmed)
        for row in record.rows(table)
    ]


def _in_order(records: Mapping[str, Path]) -> tuple[list[Path], list[Path]]:
    """Files of the records of frames by round, well and field, and of films by film and well."""
    frames: list[tuple[Any, ...]] = []
    filmed: list[tuple[Any, ...]] = []
    for name, path in records.items():
        place = read_record(path).place
        if "round" in place:
            frames.append((place["round"], place["well"], place["field"], name, path))
        elif "film" in place:
            filmed.append((place["film"], place["well"], place["field"], name, path))
    return [path for *_, path in sorted(frames)], [path for *_, path in sorted(filmed)]


def _place(cells: Mapping[str, Any]) -> Place:
    return cells["well"], int(cells["field"]), int(cells["round"])


def _as_read(survey: Survey) -> pd.DataFrame:
    """fields.csv as whoever reads it has it: frames are judged by what the table says of them."""
    import pandas as pd

    text = io.StringIO()
    write_csv(text, survey.heading(FIELDS), survey.fields)
    text.seek(0)
    return pd.read_csv(text, dtype={"well": str})


def _series(out: Path, fields: pd.DataFrame, reading: _Reading) -> list[Series]:
    if "quality" not in fields or not reading.has_widths:
        return []
    found = []
    known = fields[fields["kind"].notna()]
    for _, series in known.groupby(SERIES, sort=True):
        rows = rows_of(series.sort_values("round"))
        first = rows[0]
        meant = sorted({str(row["diameter_definition"]) for row in rows if _defined(row)})
        found.append(
            Series(
                first["well"],
                first["field"],
                first["kind"],
                tuple(_sighting(out, row, reading) for row in rows),
                " / ".join(meant) or None,
            )
        )
    return found


def _defined(row: Mapping[str, Any]) -> bool:
    """Records of older versions do not say what a diameter is."""
    return row.get("diameter_definition") is not None


def _sighting(out: Path, row: Row, reading: _Reading) -> Sighting:
    seen = _place(row), row["kind"]
    labels = label_path(out / LABELS, reading.names[seen], "tubes")
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
        diameters_um=reading.widths_um.get(seen, {}),
    )


def _track_by_tube(found: Iterable[SeriesTracks]) -> Callable[[Row], str]:
    """Gives the track of a row of ``tubes.csv``; empty where it was not followed."""
    by_field = {
        (tracks.series.well, tracks.series.field, tracks.series.kind): tracks.track_of
        for tracks in found
    }

    def track(row: Row) -> str:
        of_field = by_field.get((row["well"], row["field"], str(row.get("kind"))))
        return str(of_field.get((row["round"], row["tube"]), "")) if of_field else ""

    return track

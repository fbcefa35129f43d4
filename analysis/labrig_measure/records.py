"""What was measured: one record per field or film, written once and never changed.

A record is a file of its own in ``records/``, whole or not there, so whoever measures needs no
lock, on however many machines that see the folder. Its name says the field, how many records of
that field came before it, and the SHA-256 of its content::

    records/B4_f0_t003.1-5f0c2a9b81de.json

Of several records of a field, the one with the highest number is in force. Two of one number, by
two machines that measured the same at once, are told apart by their hash, so everybody takes the
same one. Tables are made of records (`labrig_measure.tables`) and never the other way round.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labrig_measure.errors import MeasureError
from labrig_measure.pairing import FieldFiles
from labrig_measure.planes import PlaneFile, plane_stamp
from labrig_measure.whole_files import write_text_whole

_log = logging.getLogger(__name__)

RECORDS = "records"
_OLDER = (".done", ".done_films")
"""Where earlier versions kept them, one per field, replaced when it was measured again."""
_NAMED = re.compile(r"(?P<name>.+)\.(?P<number>\d+)-(?P<hash>[0-9a-f]{12})\.json")
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Record:
    """The rows of one field or film.

    Attributes:
        name: of the field or film.
        signature: what was measured with what (`sign`).
        place: the cells that name it in a table, in front of each of its rows.
        planes: where its images lie, by channel.
        tables: rows by table name.
    """

    name: str
    signature: str
    place: Mapping[str, Any]
    planes: Mapping[str, PlaneFile] = field(default_factory=dict)
    tables: Mapping[str, Rows] = field(default_factory=dict)

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """Rows as they stand in a table, with the place in front."""
        for row in self.tables.get(table, ()):
            own = {name: value for name, value in row.items() if name != "field"}
            yield {**self.place, **own}


class DamagedRecord(MeasureError):
    """A record is not as it was written; the message names it and says what to do."""


def sign(field: FieldFiles, settings_sha256: str, pixel_size_um: float | None) -> str:
    """Changes when an image file, a setting or the pixel size does."""
    parts: list[Any] = [settings_sha256, pixel_size_um, list(field.missing)]
    for channel, plane in sorted(field.planes.items()):
        parts.append([channel, plane.as_dict(), plane_stamp(plane)])
    return json.dumps(parts)


def measured_with(record: Record) -> tuple[str, float | None]:
    """Hash of the settings, and pixel size, that a field was measured with."""
    settings_sha256, pixel_size_um, *_ = json.loads(record.signature)
    return settings_sha256, pixel_size_um


def has_its_images(record: Record) -> bool:
    """Whether the images of a field lie where they were measured, and are what they were."""
    missing = tuple(json.loads(record.signature)[2])
    field = FieldFiles(record.name, record.planes, missing)
    return sign(field, *measured_with(record)) == record.signature


def write_record(out: Path, record: Record, replaces: Path | None = None) -> Path:
    """Record what was measured.

    Args:
        out: folder of results.
        record: of one field or film.
        replaces: its record in force until now.

    Raises:
        OSError: the disk refuses; every other record is untouched.
    """
    content = json.dumps(
        {
            "name": record.name,
            "signature": record.signature,
            "place": dict(record.place),
            "planes": {name: plane.as_dict() for name, plane in record.planes.items()},
            "tables": {name: _packed(rows) for name, rows in record.tables.items()},
        }
    )
    number = 1 if replaces is None else _number(replaces) + 1
    path = out / RECORDS / f"{record.name}.{number}-{_hash(content.encode())}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(path, content)
    return path


def records_in_force(out: Path) -> dict[str, Path]:
    """By name of a field or film the file of its record in force; one look at the folder."""
    ranked: dict[str, tuple[int, str, Path]] = {}
    for path in (out / RECORDS).glob("*.json"):
        if named := _NAMED.fullmatch(path.name):
            rank = (int(named["number"]), named["hash"], path)
            ranked[named["name"]] = max(ranked.get(named["name"], rank), rank)
    older = {path.stem: path for name in _OLDER for path in (out / name).glob("*.json")}
    return older | {name: path for name, (*_, path) in ranked.items()}


def read_record(path: Path) -> Record:
    """A record as it was written.

    Raises:
        DamagedRecord: it is not what was written.
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    named = _NAMED.fullmatch(path.name)
    if named is not None and named["hash"] != _hash(content):
        raise _damaged(path, "its content does not fit the hash in its name")
    try:
        raw = json.loads(content)
        return _older(path, raw) if named is None else _record(raw)
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, str(error)) from error


def measured_before(path: Path | None, signature: str) -> Record | None:
    """A record in force, if it is of this signature; a damaged one counts as none.

    Raises:
        OSError: it cannot be read.
    """
    if path is None:
        return None
    try:
        record = read_record(path)
    except DamagedRecord as damaged:
        _log.warning("%s", damaged)
        return None
    return record if record.signature == signature else None


def read_records(paths: Iterable[Path]) -> Iterator[Record]:
    """Records one by one; raises as :func:`read_record`."""
    return map(read_record, paths)


def _record(raw: dict[str, Any]) -> Record:
    return Record(
        raw["name"],
        raw["signature"],
        raw["place"],
        {name: PlaneFile(**plane) for name, plane in raw["planes"].items()},
        {name: _unpacked(table) for name, table in raw["tables"].items()},
    )


def _older(path: Path, raw: dict[str, Any]) -> Record:
    """A record of a version that did not write down its place."""
    if "row" in raw:  # of a film
        place = {name: raw["row"][name] for name in ("well", "field", "film")}
        return Record(path.stem, raw["signature"], place, {}, {"contractions": [raw["row"]]})
    planes = {name: PlaneFile(**plane) for name, plane in raw["planes"].items()}
    return Record(path.stem, raw["signature"], {"field": raw["field"]}, planes, raw["tables"])


def _packed(rows: Rows) -> dict[str, Any]:
    """Names once and cells by row: a field has hundreds of rows of the same fifty columns."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return {"columns": columns, "rows": [[row.get(name) for name in columns] for row in rows]}


def _unpacked(table: Mapping[str, Any]) -> Rows:
    return [dict(zip(table["columns"], cells, strict=True)) for cells in table["rows"]]


def _number(path: Path) -> int:
    named = _NAMED.fullmatch(path.name)
    return int(named["number"]) if named else 0


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _damaged(path: Path, what: str) -> DamagedRecord:
    return DamagedRecord(
        f"{path} is damaged: {what}. Put it back from a copy, or do again what measured it "
        "(`labrig measure`, `labrig follow`), which measures its field anew"
    )

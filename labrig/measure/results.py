"""The folder of results: one small file a finished field, and the tables made of them.

A field counts as done when its file is whole (written aside, then renamed), so a batch that was
cut off goes on where it stopped, and the tables can be made again at any time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labrig.durable import write_text_whole
from labrig.measure.pairing import FieldFiles
from labrig.measure.planes import PlaneFile, plane_stamp

# The columns that name a row; a table without rows has these, so that it can still be read.
KEYS = {
    "fields": ("field", "status", "reasons"),
    "tubes": ("field", "tube"),
    "nuclei": ("field", "nucleus"),
}
TABLES = tuple(KEYS)
_DONE = ".done"
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class FieldResult:
    """The rows of one field.

    Attributes:
        field: its name.
        signature: what was measured with what (`sign`).
        planes: where its images lie, by channel.
        tables: rows by table name.
    """

    field: str
    signature: str
    planes: Mapping[str, PlaneFile]
    tables: Mapping[str, Rows]


def sign(field: FieldFiles, settings_sha256: str, pixel_size_um: float | None) -> str:
    """Changes when an image file, a setting or the pixel size does."""
    parts: list[Any] = [settings_sha256, pixel_size_um, list(field.missing)]
    for channel, plane in sorted(field.planes.items()):
        parts.append([channel, asdict(plane), plane_stamp(plane)])
    return json.dumps(parts)


def measured_with(result: FieldResult) -> tuple[str, float | None]:
    """Hash of the settings, and pixel size, that a field was measured with."""
    settings_sha256, pixel_size_um, *_ = json.loads(result.signature)
    return settings_sha256, pixel_size_um


def has_its_images(result: FieldResult) -> bool:
    """Whether the images of a field lie where they were measured, and are what they were."""
    missing = tuple(json.loads(result.signature)[2])
    field = FieldFiles(result.field, result.planes, missing)
    return sign(field, *measured_with(result)) == result.signature


def save_done(out: Path, result: FieldResult) -> None:
    """Record a field as done.

    Raises:
        OSError: the disk refuses; an older record of the field is untouched.
    """
    path = _done_path(out, result.field)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(path, json.dumps(asdict(result)))


def load_done(out: Path, field: str) -> FieldResult | None:
    """The record of a field; None when it has not been done."""
    path = _done_path(out, field)
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    planes = {name: PlaneFile(**plane) for name, plane in content["planes"].items()}
    return FieldResult(content["field"], content["signature"], planes, content["tables"])


def write_tables(out: Path, results: Iterable[FieldResult]) -> None:
    """fields.csv, tubes.csv and nuclei.csv of all fields, each replaced as a whole."""
    import pandas as pd

    gathered: dict[str, Rows] = {name: [] for name in TABLES}
    for result in results:
        for name in TABLES:
            gathered[name].extend(result.tables[name])
    for name, rows in gathered.items():
        table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=KEYS[name])
        write_text_whole(out / f"{name}.csv", table.to_csv(index=False, float_format="%.7g"))


def _done_path(out: Path, field: str) -> Path:
    return out / _DONE / f"{field}.json"

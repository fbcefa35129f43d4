"""The formats by the name that ``labrig export --as`` knows them by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

from labrig.export.checklist import checklist
from labrig.export.eln import eln_archive
from labrig.export.isa_tab import isa_tab
from labrig.export.long_tables import long_tables
from labrig.export.primary import primary_tables
from labrig.export.prism import prism_tables
from labrig.export.source import Source
from labrig.export.superplot import superplots

Writer = Callable[[Source, Path, str], list[Path]]
"""Writes into a folder that is there; the last argument is the licence's address, or ""."""


def write_export(source: Source, name: str, folder: Path, licence: str = "") -> list[Path]:
    """Write one format.

    Args:
        source: what is exported.
        name: a key of :data:`FORMATS`.
        folder: made when missing; files of the same name in it are replaced.
        licence: address of the licence that the data are given under; "" says that none is stated.

    Returns:
        the files, in order; none where nothing was measured that the format shows.

    Raises:
        OSError: the disk refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return FORMATS[name](source, folder, licence)


def _tables(source: Source, folder: Path, _licence: str) -> list[Path]:
    return _texts(folder, long_tables(source))


def _superplots(source: Source, folder: Path, _licence: str) -> list[Path]:
    return _bytes(folder, superplots(source))


def _prism(source: Source, folder: Path, _licence: str) -> list[Path]:
    return _bytes(folder, prism_tables(source))


def _eln(source: Source, folder: Path, licence: str) -> list[Path]:
    tables = {**long_tables(source), **checklist(source)}
    return [eln_archive(source, tables, folder / f"{source.name}.eln", licence)]


def _isa(source: Source, folder: Path, _licence: str) -> list[Path]:
    return _texts(folder, {**isa_tab(source), **long_tables(source)})


def _r(source: Source, folder: Path, _licence: str) -> list[Path]:
    script = files("labrig.export").joinpath("templates", "primary_test.R").read_text("utf-8")
    return _texts(folder, {**primary_tables(source), "primary_test.R": script})


def _checklist(source: Source, folder: Path, _licence: str) -> list[Path]:
    return _texts(folder, checklist(source))


FORMATS: Mapping[str, Writer] = {
    "tables": _tables,
    "superplot": _superplots,
    "prism": _prism,
    "eln": _eln,
    "isa-tab": _isa,
    "r": _r,
    "checklist": _checklist,
}


def _texts(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    return _bytes(folder, {name: text.encode() for name, text in texts.items()})


def _bytes(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]

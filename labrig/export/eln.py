"""The run as ``.eln``: a zipped RO-Crate that electronic lab notebooks import.

By the specification of the ELN Consortium (github.com/TheELNConsortium/TheELNFileFormat): one
folder at the root, ``ro-crate-metadata.json`` in it, every file with its size and SHA-256. What
tells what was done goes in; pictures and films are too large for a notebook and stay where they
are, named by their SHA-256 in the journal.
"""

from __future__ import annotations

import hashlib
import mimetypes
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labrig.export.source import Source, run_id
from labrig.report.analysis import Analysis
from labrig.run_folder import RunFolder

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

CONFORMS_TO = "https://w3id.org/ro/crate/1.1"
_WHAT: Mapping[str, str] = {
    "run.json": "who, what, when, with which versions and hashes",
    "protocol.yaml": "the protocol as started",
    "rig.yaml": "the bench as started",
    "commitment.json": "what was fixed before the run, and when",
    "commitments.jsonl": "the log of all commitments, as it was at the start",
    "plan.json": "the compiled plan",
    "journal.sqlite": "what was meant, sent and seen: SQLite, hash-chained",
    "journal.sqlite-wal": "rows of the journal that are not yet in its main file",
    "anchors.txt": "number and hash of the journal's last row, every minute",
    "ledger.json": "dose by well and factor",
    "outcome.json": "how the run ended",
    "complete.json": "what was expected, what is there, and why the rest is not",
    "measures/manifest.jsonl": "SHA-256 of the tables when they were closed",
    "report/report.html": "the report: open in any browser",
}
_MEDIA_TYPES = {
    ".yaml": "application/yaml",
    ".jsonl": "application/jsonl",
    ".sqlite": "application/vnd.sqlite3",
    ".md": "text/markdown",
}
"""Which Python does not know everywhere."""
_FOLDERS = ("measures/*.csv", "results/*", "report/*")


def eln_archive(source: Source, tables: Mapping[str, str], path: Path, licence: str = "") -> Path:
    """Write the archive.

    Args:
        source: its runs, a folder each.
        tables: text by name of the long tables, put beside the runs.
        path: of the archive; its folder is there.
        licence: address of the licence that its owner gives it under; "" says that none is stated.

    Raises:
        OSError: the disk refuses.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.name = source.name
    crate.description = _description(source)
    crate.license = licence or _no_licence(crate)
    crate.datePublished = datetime.fromisoformat(source.maker.utc)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        root = Path(scratch) / path.stem
        for run in source.runs:
            _add_run(crate, run, source)
        added = Path(scratch) / "tables"
        added.mkdir()
        for name, text in tables.items():
            (added / name).write_text(text, encoding="utf-8", newline="")
        folder = crate.add_dataset(
            dest_path="tables", properties={"name": "Long tables of all runs", **_dated(source)}
        )
        files = [_add_file(crate, file, f"tables/{file.name}") for file in sorted(added.iterdir())]
        folder["hasPart"] = files
        _add_maker(crate, source)
        crate.write(root)
        _zip(root, path)
    return path


def _add_run(crate: ROCrate, run: Analysis, source: Source) -> None:
    folder = run.record.folder
    # Not the folder's own name: two runs may share it, and it is mostly that of the archive.
    base = f"run_{run_id(run)}"
    identity = run.record.identity
    people = _people(crate, identity, run)
    dataset = crate.add_dataset(
        dest_path=base,
        properties={
            "name": identity["title"],
            "identifier": identity["id"],
            "alternateName": folder.root.resolve().name,
            "description": run.record.protocol.purpose.strip() or identity["title"],
            "dateCreated": run.outcome.started_utc or identity["made_utc"],
            "dateModified": run.outcome.ended_utc or identity["made_utc"],
            "keywords": ", ".join(["labrig", run_id(run), *_words(run)]),
        },
    )
    dataset["author"] = people
    dataset["hasPart"] = [
        _add_file(crate, file, f"{base}/{file.relative_to(folder.root).as_posix()}")
        for file in run_files(folder)
    ]
    crate.mainEntity = dataset if len(source.runs) == 1 else None


def run_files(folder: RunFolder) -> list[Path]:
    """What of a run folder goes into the archive, in order."""
    named = [folder.root / name for name in _WHAT]
    found = [file for pattern in _FOLDERS for file in sorted(folder.root.glob(pattern))]
    return [file for file in dict.fromkeys([*named, *found]) if file.is_file()]


def _add_file(crate: ROCrate, file: Path, place: str) -> Any:  # noqa: ANN401 - rocrate's own
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    inside = place.partition("/")[2]
    return crate.add_file(
        str(file),
        dest_path=place,
        properties={
            "name": file.name,
            "description": _WHAT.get(inside, f"{inside} of the run"),
            "encodingFormat": _media_type(file),
            "contentSize": str(file.stat().st_size),
            "sha256": sha256,
        },
    )


def _people(crate: ROCrate, identity: Mapping[str, Any], run: Analysis) -> list[Any]:
    from rocrate.model.person import Person

    names = [str(identity["operator"]), run.record.protocol.culture.operator]
    commitment = run.record.commitment
    for entry in () if commitment is None else commitment.entries:
        names += entry["names"]
    known = dict.fromkeys(name for name in names if name)
    return [crate.add(Person(crate, f"#{_slug(n)}", {"name": n})) for n in known]


def _no_licence(crate: ROCrate) -> Any:  # noqa: ANN401 - rocrate's own
    from rocrate.model.contextentity import ContextEntity

    said = "No licence is stated: ask the laboratory before you use or pass on what is in here."
    return crate.add(
        ContextEntity(
            crate,
            "#no-licence",
            {"@type": "CreativeWork", "name": "No licence stated", "description": said},
        )
    )


def _add_maker(crate: ROCrate, source: Source) -> None:
    from rocrate.model.contextentity import ContextEntity

    maker = ContextEntity(
        crate,
        "#labrig",
        {
            "@type": "Organization",
            "name": "labrig",
            "description": f"Made by the program labrig {source.maker.labrig}",
        },
    )
    crate.add(maker)
    crate.metadata["sdPublisher"] = maker
    crate.metadata["dateCreated"] = source.maker.utc


def _description(source: Source) -> str:
    said = [f"{run.record.identity['title']} ({run_id(run)})" for run in source.runs]
    what = f"Nerve-muscle culture, exported by labrig {source.maker.labrig}: {'; '.join(said)}."
    if any(run.record.identity["simulated"] for run in source.runs):
        what += " SIMULATED: no instrument was real and no cell was."
    return what


def _words(run: Analysis) -> list[str]:
    return [*(["simulated"] if run.record.identity["simulated"] else []), *run.record.protocol.arms]


def _dated(source: Source) -> dict[str, str]:
    return {"dateCreated": source.maker.utc}


def _media_type(file: Path) -> str:
    kind = _MEDIA_TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    return kind or "application/octet-stream"


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "-" for c in name)


def _zip(root: Path, path: Path) -> None:
    """One folder at the root, its metadata first; the same files give the same bytes."""
    metadata = "ro-crate-metadata.json"
    files: Iterable[Path] = sorted(
        (f for f in root.rglob("*") if f.is_file()), key=lambda f: (f.name != metadata, f)
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            info = zipfile.ZipInfo(f"{root.name}/{file.relative_to(root).as_posix()}")
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            with file.open("rb") as stream, archive.open(info, "w", force_zip64=True) as target:
                while block := stream.read(1 << 20):
                    target.write(block)

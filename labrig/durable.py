"""Files that are there whole or not at all, also after a power cut; JSON among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from labrig_measure.whole_files import sync_folder, write_text_whole, written_whole

__all__ = [
    "DamagedFile",
    "read_json",
    "sync_folder",
    "write_json",
    "write_text_whole",
    "written_whole",
]


def write_json(path: Path, content: object, mode: int = 0o666) -> None:
    """Write a JSON file whole or not at all, as :func:`written_whole` does.

    Piece by piece: the ledger of a week is longer than what else its runner holds.
    """
    pieces = json.JSONEncoder(indent=1, sort_keys=True).iterencode(content)
    with written_whole(path, mode) as stream:
        stream.writelines(piece.encode() for piece in pieces)
        stream.write(b"\n")


class DamagedFile(ValueError):
    """A file of labrig's own that is not what was written; the message names it."""


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        OSError: it cannot be read.
        DamagedFile: it is not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path} is damaged ({error}): restore it from a copy") from error
    if not isinstance(content, dict):
        raise DamagedFile(f"{path} is damaged (it holds no JSON object): restore it from a copy")
    return content

"""Files that are there whole or not at all, also after a power cut.

Written aside, handed to the disk, renamed, and the rename handed to the disk as well.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

_BINARY = getattr(os, "O_BINARY", 0)


@contextmanager
def written_whole(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A stream whose content becomes ``path`` when the block ends without an error.

    Args:
        path: where it goes.
        mode: who may read it, less what this user's mask forbids.

    Raises:
        OSError: the disk refuses; an earlier file is untouched.
    """
    # A name of its own: two who write at once must not write into one another's.
    aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    aside.unlink(missing_ok=True)
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)
        with open(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_text_whole(path: Path, text: str, mode: int = 0o666) -> None:
    """Write a text file whole or not at all, as :func:`written_whole` does."""
    with written_whole(path, mode) as stream:
        stream.write(text.encode())


def write_json(path: Path, content: object, mode: int = 0o666) -> None:
    """Write a JSON file whole or not at all, as :func:`written_whole` does."""
    write_text_whole(path, json.dumps(content, indent=1, sort_keys=True) + "\n", mode)


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


def sync_folder(folder: Path) -> None:
    """Hand a folder's list of names to the disk, where the system can.

    Windows opens no folders; its file system writes renames down by itself.
    """
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Files that are there whole or not at all, also after a power cut.

Written aside, handed to the disk, renamed, and the rename handed to the disk as well.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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

"""What a watch remembers over its own death: one file, there whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from labrig.durable import DamagedFile, read_json, write_json
from labrig.typed_json import NotAsTyped, TypedJson
from labrig.watch.book import Book
from labrig.watch.judging import Known
from labrig.watch.watch_clock import Anchor

_JSON = TypedJson()


@dataclass(frozen=True, slots=True)
class HeardHost:
    """A computer that sends its heartbeat here.

    Attributes:
        last_s: when it was heard last, in seconds of the watch.
        every_s: how often it means to be heard.
        last_utc: the time of day of that.
        runs: what ran there, in a few words.
        away: it said that nothing runs there and that it goes.
    """

    name: str
    last_s: float
    every_s: float
    last_utc: str
    runs: tuple[str, ...] = ()
    away: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """All of it.

    Attributes:
        runs: those that have not ended.
        hosts: of a watch on a second host, the computers it has heard of.
    """

    anchor: Anchor | None = None
    book: Book = field(default_factory=Book)
    runs: tuple[Known, ...] = ()
    hosts: tuple[HeardHost, ...] = ()


def recalled(path: Path) -> Memory:
    """What stands in the file; nothing where there is none.

    Raises:
        DamagedFile: it is not what was written.
        OSError: it cannot be read.
    """
    try:
        raw = read_json(path)
    except FileNotFoundError:
        return Memory()
    try:
        return _JSON.read(Memory, raw)
    except NotAsTyped as error:
        raise DamagedFile(f"{path} is not what a watch wrote ({error}): move it away") from error


def remember(path: Path, memory: Memory) -> None:
    """Put it on the disk. Raises OSError."""
    write_json(path, _JSON.plain(memory), 0o600)

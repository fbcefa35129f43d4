"""Acknowledgements ("I see to it"): left in a folder, whether or not a watch lives to take them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labrig.durable import read_json, write_json

FOLDER = "acks"


@dataclass(frozen=True, slots=True)
class Ack:
    """Who sees to which message, since when."""

    number: int
    by: str
    utc: str


def leave_ack(watch_folder: Path, number: int, by: str) -> None:
    """Say that somebody sees to a message; the watch takes it up within a second or two.

    Raises:
        OSError: it cannot be written.
    """
    folder = watch_folder / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(folder / f"{uuid.uuid4()}.json", {"number": number, "by": by, "utc": at}, 0o600)


def left_acks(watch_folder: Path) -> list[tuple[Path, Ack | None]]:
    """Those that nobody has taken up, with their files; None for one that makes no sense."""
    found: list[tuple[Path, Ack | None]] = []
    for path in sorted((watch_folder / FOLDER).glob("*.json")):
        try:
            raw = read_json(path)
            ack = Ack(int(raw["number"]), str(raw["by"]), str(raw["utc"]))
        except (OSError, ValueError, KeyError, TypeError):
            found.append((path, None))
        else:
            found.append((path, ack))
    return sorted(found, key=lambda item: item[1].utc if item[1] else "")

"""Whether a run's journal is whole, by what lies beside it.

A chain shows an edit in the middle, not a tail that is gone or a file put back from yesterday. So
the runner writes number and hash of the last row into ``anchors.txt`` every minute and after each
row of an act, before its bytes go out; and the wire logs tell that something was sent, whatever
became of the journal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from labrig.record.glimpse import asked_of
from labrig.record.reading import every_row_checked, open_read_only
from labrig.record.rows import JournalError, Record
from labrig.run_folder import RunFolder

_TRIGGERS = frozenset({"journal_no_update", "journal_no_delete"})
_SILENT_S = 600.0
"""[P] The last row of a sound run is no older than this when its last byte is sent."""
_TAIL_S = 180.0
"""[P] And when somebody looks closely: samples are written every minute."""
ANCHOR_IN_WIRE = b"# journal "
"""How a line of a wire log begins that tells number and hash of the journal's last row."""
_REMEDY = (
    "Nothing is sent: doses that were given would be given again. Put journal.sqlite back together "
    "with journal.sqlite-wal as they were, and resume; wire/ tells every byte that was sent. If "
    "they are lost for good, plan what is left as a new run."
)


class JournalLost(JournalError):
    """The journal says less than was done: the run must be neither begun nor taken over."""


def refuse_if_lost(root: Path) -> None:
    """Compare the journal of a run folder with what else says that it was begun. Quick.

    Raises:
        JournalLost: it is gone, empty, shorter or another than the one that was written.
    """
    folder = RunFolder(root)
    # In this order: beside a living runner the journal may only be further than they say.
    anchor = _last_anchor(folder)
    seq, last_s = _last_row(folder)
    if anchor is not None and (seq < anchor[0] or _hash_of(folder, anchor[0]) != anchor[1]):
        raise JournalLost(
            f"{folder.journal} is not whole: anchors.txt tells of {anchor[0]} rows, and "
            f"{_told(seq)}. {_REMEDY}"
        )
    if anchor is None and seq and _last_sent_s(folder) > last_s + _SILENT_S:
        raise JournalLost(
            f"{folder.journal} ends at {last_s:.0f} s of the run, and wire/ goes on to "
            f"{_last_sent_s(folder):.0f} s. {_REMEDY}"
        )
    if seq == 0 and (traces := ", ".join(_traces(folder))):
        raise JournalLost(
            f"{folder.journal} holds nothing, though the run was begun: {traces}. {_REMEDY}"
        )


def _passed_over(records: Iterable[Record]) -> None:
    for _ in records:
        pass


def damages(root: Path, read: Callable[[Iterable[Record]], object] = _passed_over) -> list[str]:
    """All that is wrong with the journal of a run folder; empty when it is as it was written.

    Args:
        root: of the run folder.
        read: takes every row while it is checked, in the same pass; it must take them all. At the
            first that does not follow, what it takes them from raises.
    """
    folder, found = RunFolder(root), []
    try:
        refuse_if_lost(root)
    except JournalError as error:
        found.append(str(error))
    path = folder.journal
    if not path.exists():
        return found or [f"{path} is not there: this run was never begun"]
    try:
        read(every_row_checked(path))
        gone = sorted(_TRIGGERS - _triggers(path)) if _last_row(folder)[0] else ()
        found += [f"{path}: a trigger that keeps rows from change is gone: {name}" for name in gone]
    except JournalError as error:
        return [*found, str(error)]
    if not found:
        found += _structure(path)
    last_seq, last_s = _last_row(folder)
    for where, seq in _other_than_anchored(folder):
        if seq <= last_seq:
            found.append(
                f"{path}: row {seq} is another than the one that was written, by {where}: the "
                "file was written anew behind labrig's back"
            )
        elif not found:
            found.append(
                f"{path} ends with row {last_seq}, and {where} tells of row {seq}: its tail is "
                f"gone. {_REMEDY}"
            )
    sent_s = _last_sent_s(folder)
    if not found and sent_s > last_s + _TAIL_S and not _over(folder):
        found.append(
            f"{path} ends at {last_s:.0f} s of the run, and wire/ tells of bytes until "
            f"{sent_s:.0f} s: its tail is gone, or its disk was full"
        )
    return found


def _other_than_anchored(folder: RunFolder) -> list[tuple[str, int]]:
    """By place, the first row that is not the one of its anchor; in one pass, for they are many."""
    anchored: dict[int, list[tuple[str, str]]] = {}
    for where, anchors in _all_anchors(folder):
        for seq, hashed in anchors:
            anchored.setdefault(seq, []).append((where, hashed))
    found: dict[str, int] = {}
    with open_read_only(folder.journal) as connection:
        rows = () if connection is None else connection.execute(
            "SELECT seq, hash FROM journal ORDER BY seq"
        )  # fmt: skip
        for seq, hashed in rows:
            for where, told in anchored.pop(seq, ()):
                if told != hashed:
                    found.setdefault(where, int(seq))
    for seq in sorted(anchored):
        for where, _ in anchored[seq]:
            found.setdefault(where, seq)
    return list(found.items())


def _structure(path: Path) -> list[str]:
    """What the database itself says against its pages: an index that hides rows, a lost page."""
    said = [str(row[0]) for row in asked_of(path, "PRAGMA integrity_check(3)")]
    if said in ([], ["ok"]):
        return []
    return [f"{path}: its pages do not hold together ({'; '.join(said)}); its rows are sound"]


def _over(folder: RunFolder) -> bool:
    """Whether the run has come to its end: pumps of a real bench are asked on after it."""
    return bool(asked_of(
        folder.journal,
        "SELECT 1 FROM journal WHERE kind = 'run' AND key IN ('finished', 'stopped') LIMIT 1",
    ))  # fmt: skip


def _all_anchors(folder: RunFolder) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """What lies beside the journal and tells of its rows, with where it lies."""
    yield "anchors.txt", _anchors(folder)
    for path in sorted(folder.wire.glob("*.txt")):
        with path.open("rb") as file:
            told = [line for line in file if line.startswith(ANCHOR_IN_WIRE)]
        found = [
            parsed for line in told if (parsed := _parsed(line[len(ANCHOR_IN_WIRE) :] + b" 0"))
        ]
        yield f"wire/{path.name}", found
    for path in (folder.outcome, folder.complete):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))["journal"]
            yield path.name, [(int(said["rows"]), str(said["hash"]))]
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _told(seq: int) -> str:
    return "it holds none" if seq == 0 else f"it ends with row {seq}, or holds others"


def _traces(folder: RunFolder) -> Iterator[str]:
    """What tells that instruments were told to act; asking who is there happens before t0."""
    if folder.outcome.exists():
        yield "outcome.json says how it ended"
    if _last_sent_s(folder) > 0.0:
        yield f"wire/ tells of bytes until {_last_sent_s(folder):.0f} s after its start"


def _last_sent_s(folder: RunFolder) -> float:
    """When the last byte was sent, s of the run; 0 when none was, or only before it began."""
    return max((_last_time_s(path) for path in folder.wire.glob("*.txt")), default=0.0)


def _last_time_s(path: Path) -> float:
    for line in reversed(_end_of(path)):
        fields = line.split()
        try:
            if fields and fields[1:2] == [b">"]:
                return float(fields[0])
        except ValueError:
            continue
    return 0.0


def _end_of(path: Path, size: int = 65536) -> list[bytes]:
    """The last whole lines of a file."""
    with path.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(max(0, length - size))
        lines = file.read().split(b"\n")
    return lines[:-1] if length <= size else lines[1:-1]


def _anchors(folder: RunFolder) -> list[tuple[int, str]]:
    path = folder.anchors
    if not path.exists():
        return []
    return [parsed for line in path.read_bytes().splitlines() if (parsed := _parsed(line))]


def _last_anchor(folder: RunFolder) -> tuple[int, str] | None:
    path = folder.anchors
    if not path.exists():
        return None
    return next((parsed for line in reversed(_end_of(path)) if (parsed := _parsed(line))), None)


def _parsed(line: bytes) -> tuple[int, str] | None:
    fields = line.decode("ascii", "replace").split()
    if len(fields) == 3 and fields[0].isdigit() and len(fields[1]) == 64:
        return int(fields[0]), fields[1]
    return None


def _last_row(folder: RunFolder) -> tuple[int, float]:
    found = asked_of(folder.journal, "SELECT seq, run_s FROM journal ORDER BY seq DESC LIMIT 1")
    try:
        return (int(found[0][0]), float(found[0][1])) if found else (0, 0.0)
    except (TypeError, ValueError) as error:
        raise JournalError(f"{folder.journal}: its last row is no row ({error}).") from error


def _hash_of(folder: RunFolder, seq: int) -> str:
    found = asked_of(folder.journal, f"SELECT hash FROM journal WHERE seq = {seq:d}")
    return str(found[0][0]) if found else ""


def _triggers(path: Path) -> set[str]:
    return {name for (name,) in asked_of(
        path, "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
    )}  # fmt: skip

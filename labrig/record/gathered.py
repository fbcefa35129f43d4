"""Rows that share one: many that came one after the other stand in one, and are read as one each.

Most of what a run of days writes are samples and intents, and a row's own columns are longer than
what either says. So those of one kind that are written together share a row of state ``gathered``;
its detail::

    {"state": "noted", "names": [["alarm", "delivered_ul", …], …], "said": [[0, [value, …]], …],
     "rows": [[run_s, place in said, key, …], …]}

What ``said`` lists is a place in ``names`` and a value for each of these; the keys in one of
``rows`` said the same at the same time. Columns of the row are those of the last that stands in
it. Whoever reads rows gets each as a row of its own, with the number and the hash of the row that
it stands in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from labrig.record.rows import JournalEntry, Kind, Record, Row, RowUnreadable, State, row_of
from labrig.record.writable import MOST_CHARACTERS

GATHERED: State = "gathered"


class Stamped(NamedTuple):
    """An entry, its detail as text, and when it was.

    Attributes:
        run_s: on the run's clock; ``monotonic_s``: on the machine's steady one.
        utc: time of day, ISO 8601.
    """

    entry: JournalEntry
    detail: str
    run_s: float
    utc: str
    monotonic_s: float


def gathered(stamped: Iterable[Stamped]) -> list[Stamped]:
    """The same in fewer rows: samples, and intents of one kind, that follow each other in one."""
    found: list[Stamped] = []
    for (kind, state), group in groupby(stamped, lambda one: (one.entry.kind, one.entry.state)):
        them = list(group)
        shared = len(them) > 1 and (state == "intent" or (kind, state) == ("sample", "noted"))
        found += _in_one(them, kind, state) if shared else them
    return found


def _in_one(them: list[Stamped], kind: Kind, state: State) -> list[Stamped]:
    names: dict[tuple[str, ...], int] = {}
    said: dict[str, int] = {}
    told: list[list[Any]] = []
    rows: list[list[Any]] = []
    for entry, detail, run_s, _, _ in them:
        place = said.setdefault(detail, len(said))
        if place == len(told):
            values = json.loads(detail)
            of = names.setdefault(tuple(values), len(names))
            told.append([of, list(values.values())])
        if rows and rows[-1][:2] == [run_s, place]:
            rows[-1].append(entry.key)
        else:
            rows.append([run_s, place, entry.key])
    whole = {"state": state, "names": [list(each) for each in names], "said": told, "rows": rows}
    text = json.dumps(whole, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if len(text) > MOST_CHARACTERS:
        return them
    return [them[-1]._replace(entry=JournalEntry(kind, "", GATHERED, whole), detail=text)]


def rows_of(records: Iterable[Record], journal: str = "") -> Iterator[Row]:
    """Rows as they are worked with: those that share one are apart again.

    Raises:
        RowUnreadable: one of state ``gathered`` does not hold rows as it should.
    """
    for record in records:
        row = row_of(record, journal)
        if row.state == GATHERED:
            yield from apart(row)
        else:
            yield row


def apart(row: Row) -> list[Row]:
    """The rows that stand in one of state ``gathered``, in order.

    Raises:
        RowUnreadable: it holds something else.
    """
    try:
        return list(_apart(row))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise RowUnreadable(row, f"does not hold rows as it should ({error!r})") from None


def _apart(row: Row) -> Iterator[Row]:
    detail = row.detail
    names, said, state = detail["names"], detail["said"], detail["state"]
    ended = datetime.fromisoformat(row.utc)
    at_s, utc = row.run_s, row.utc
    for run_s, place, *keys in detail["rows"]:
        of, values = said[place]
        if run_s != at_s:
            at_s = run_s
            utc = (ended + timedelta(seconds=run_s - row.run_s)).isoformat(timespec="milliseconds")
        steady_s = row.monotonic_s + (run_s - row.run_s)
        for key in keys:
            yield Row(
                row.seq, row.kind, key, state, row.epoch, run_s, utc, steady_s, row.boot_id,
                dict(zip(names[of], values, strict=True)), row.hash, row.journal,
            )  # fmt: skip

"""Reads a plan for a runner: its timeline packed, and no whole document in memory beside it.

:mod:`labrig.plan.store` writes entries with kind, key and time first; here each is told apart by
the rest of its text, and only the first of every sort is read as JSON. Any other layout is read the
long way, to the same plan.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import IO

from labrig.plan.packed import Packing, packed
from labrig.plan.plan import Plan
from labrig.plan.store import PlanFormatError, entry_from_json, from_json

_OPENS, _BETWEEN, _ENDS = '"timeline":[{"kind":', '},{"kind":', '}],"findings":'
"""None of them can stand inside a text of JSON, whose quotation marks have a backslash each."""
_BLOCK = 1 << 16
_NUMBER = r"(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_ENTRY = re.compile(rf'"([a-z]+)","key":"([^"\\\x00-\x1f]*)","offset_s":{_NUMBER},')
_ROUND = re.compile(r'"round":(0|[1-9]\d{0,8}),')


def packed_plan(path: Path) -> Plan:
    """The plan of a file, equal to what :func:`labrig.plan.store.from_json` makes of it.

    Raises:
        PlanFormatError: as there.
        OSError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            plan = _streamed(file)
    except PlanFormatError:
        # Read the long way it says where the mistake is.
        plan = None
    if plan is None:
        plan = from_json(path.read_text(encoding="utf-8"))
        plan = replace(plan, timeline=packed(plan.timeline))
    return plan


def _streamed(file: IO[str]) -> Plan | None:
    """None: it is laid out in another way, or not in order of time."""
    head = ""
    while _OPENS not in head:
        block = file.read(_BLOCK)
        if not block:
            return None
        head += block
    head, _, text = head.partition(_OPENS)
    entries = _Entries()
    while _ENDS not in text:
        *whole, text = text.split(_BETWEEN)
        for entry in whole:
            entries.take(entry)
        block = file.read(_BLOCK)
        if not block:
            return None
        text += block
    last, _, tail = text.partition(_ENDS)
    for entry in last.split(_BETWEEN):
        entries.take(entry)
    plan = from_json(f'{head}"timeline":[],"findings":{tail}{file.read()}')
    return replace(plan, timeline=entries.packing.done()) if entries.packing.in_order else None


class _Entries:
    """Takes entries as texts, without their kind's name and closing bracket."""

    def __init__(self) -> None:
        self.packing = Packing()
        self._numbers: dict[tuple[str, ...], int] = {}

    def take(self, text: str) -> None:
        """One of them. Raises PlanFormatError."""
        found = _ENTRY.match(text)
        if found is None:
            self.packing.add(entry_from_json(f'{{"kind":{text}}}'))
            return
        kind, key, offset_s = found.groups()
        rest: tuple[str, ...] = (text[found.end() :],)
        round_ = 0
        if kind == "frame" and (own := _ROUND.search(rest[0])) is not None:
            rest = (rest[0][: own.start()], rest[0][own.end() :])
            round_ = int(own[1])
        number = self._numbers.get((kind, *rest))
        if number is None:
            entry = entry_from_json(f'{{"kind":{text}}}')
            self._numbers[kind, *rest] = self.packing.add(entry)
        else:
            self.packing.add_alike(number, key, float(offset_s), round_)

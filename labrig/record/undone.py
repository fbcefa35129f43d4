"""Commands that a runner had written down and died before it carried them out. Pure.

Such a row comes before the rows of its deed. A deed tells itself by what it is about, so that the
first row of it ends the waiting of the oldest command about the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labrig.record.kinds.operator import ANSWERED, ENTERED, WEIGHED
from labrig.record.rows import Row

CARRIED_OUT_LATER = frozenset({"answer", "step", "refill", "note", "weigh", "reading"})
"""Commands that the dispatcher carries out in its turn; they are written first."""
Undone = Mapping[str, Any]
"""The detail of a command's row."""
_CLOSED = frozenset({"confirmed", "refused", "missed", "skipped"})


def see_deed(undone: dict[str, Undone], row: Row) -> None:
    """Take out of those that wait, the oldest first, what this row says was done."""
    if not undone:
        return
    match row.kind:
        case "question":
            # One that is asked anew was not answered by what somebody had said before.
            _take(undone, lambda of: row.key in (of.get("question"), of.get("step")))
        case "step":
            supply = supply_asked(row.key)

            def about(of: Mapping[str, Any]) -> bool:
                same = row.key in (of.get("question"), of.get("step"))
                return same or bool(supply and of.get("supply") == supply)

            _take(undone, about, most=None if row.state in _CLOSED else 1)
        case "note" if row.key in undone:
            del undone[row.key]
        case "note":
            for begins, name in _ABOUT.items():
                if row.key.startswith(begins):
                    about_it = row.key.removeprefix(begins)
                    _take(undone, lambda of: of.get(name) == about_it, most=1)  # noqa: B023


_ABOUT = {ANSWERED: "question", WEIGHED: "reservoir", ENTERED: "meter"}
"""By how the key of a note begins, which argument of a command names the same.

Not that something was filled: said twice it adds nothing, and its step is to be closed.
"""


def _take(
    undone: dict[str, Undone],
    about: Callable[[Mapping[str, Any]], bool],
    most: int | None = None,
) -> None:
    found = [each for each, detail in undone.items() if about(detail.get("args") or {})]
    for each in found[:most]:
        del undone[each]


def supply_asked(key: str) -> str:
    """The supply that a step with this key is about; "" for a step at the plate."""
    name = key.partition("/")[2].rpartition("/")[0]
    return name.partition(":")[2]


def args_of(undone: Undone) -> dict[str, Any]:
    """With when it was said, where it is about when something was done."""
    args = dict(undone.get("args") or {})
    if undone["command"] in ("answer", "step", "refill", "reading"):
        args.setdefault("done_s", repr(float(undone["at_s"])))
    return args

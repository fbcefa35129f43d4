"""A running protocol is amended: taken, checked against what is under way, written, put in force.

The plan itself is made elsewhere (`labrig amend`), from the protocol. Here it is only accepted: its
row is in the journal, with the hashes of old and new, before its file takes its name. From the
boundary on the run is taken up by it, the same way as after a death, so that a runner which dies
before, at or after it leaves nothing to be put right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labrig.durable import sync_folder
from labrig.plan.packed_file import packed_plan
from labrig.plan.plan import Plan
from labrig.plan.store import PlanFormatError, from_json
from labrig.plan.timeline import TimelineEntry
from labrig.record.kinds.runs import RunAmended
from labrig.record.origin import file_sha256
from labrig.record.recovery import RunState
from labrig.record.rows import JournalError, JournalWriteFailed
from labrig.record.said import entry_of_run
from labrig.run.commands import BadCommand
from labrig.run.desk import Desk
from labrig.run_folder import RunFolder

LEAD_S = 20.0
"""[P] An amendment is accepted so long before its boundary, so that nothing of it is late."""
NEEDED = ("number", "from_s", "plan_sha256", "protocol_sha256", "changed", "differences", "by",
          "reason")  # fmt: skip


def offered(path: Path, plan_sha256: str) -> Path:
    """Where a plan or its protocol lies that was not accepted yet.

    By the hash of the plan: whoever amends at the same time takes nobody's offer away.
    """
    return path.with_name(f"{path.name}.{plan_sha256[:12]}.offered")


class Amendments:
    """Accepts amendments of one run, one at a time.

    Args:
        folder: of the run.
        plan: in force.
        desk: clock, journal and board.
        state: what the journal says; its amendments are numbered on.
    """

    def __init__(self, folder: RunFolder, plan: Plan, desk: Desk, state: RunState) -> None:
        self._folder = folder
        self._plan = plan
        self._desk = desk
        self._last = max((a.number for a in state.amendments.values()), default=1)
        self._pending: RunAmended | None = None
        self._accepted = plan

    @property
    def accepted(self) -> Plan:
        """The last plan that was accepted: it may wait for its boundary, and readers go by it."""
        return self._accepted

    def accept(self, args: Mapping[str, Any]) -> None:
        """Write it down and give its files their names.

        Raises:
            BadCommand: it cannot be taken; the message says why and what to do.
        """
        amended = _read(args)
        if self._desk.board.condition != "running":
            condition = self._desk.board.condition
            raise BadCommand(
                f"the run is {condition}: only one that goes on is amended. `labrig resume` first; "
                "a stopped one is over"
            )
        if self._pending is not None:
            raise BadCommand(
                f"amendment {self._pending.number} takes effect at {self._pending.from_s:.0f} s: "
                "wait for it, then amend again"
            )
        if amended.number != self._last + 1:
            raise BadCommand(
                f"plan {self._last} is in force, and this amendment makes plan {amended.number}: "
                "another one came before it. Look at what it changed, and repeat"
            )
        now_s, end_s = self._desk.clock.now_s(), self._plan.forecast.duration_s
        if not now_s + LEAD_S <= amended.from_s < end_s:
            raise BadCommand(
                f"it is {now_s:.0f} s into the run and it ends at {end_s:.0f} s: an amendment from "
                f"{amended.from_s:.0f} s on comes too late. Repeat it"
            )
        plan = self._offered_plan(amended)
        if _past(plan, amended.from_s) != _past(self._plan, amended.from_s):
            raise BadCommand("it would change what has passed: make it again from the run as it is")
        row = entry_of_run(amended)
        try:
            self._desk.intend(row)
        except JournalWriteFailed as error:
            raise BadCommand(
                f"it cannot be written down ({error}): free the disk, then repeat it"
            ) from error
        self._pending, self._accepted = amended, plan
        name_files(self._folder, amended)

    def _offered_plan(self, amended: RunAmended) -> Plan:
        path = offered(self._folder.amended_plan(amended.number), amended.plan_sha256)
        before = file_sha256(self._folder.plan_in_force)
        if amended.before_sha256 not in ("", before):
            raise BadCommand("it was made from another plan than the one in force: make it again")
        if file_sha256(path) != amended.plan_sha256:
            raise BadCommand(f"{path.name} is not there, or not what was announced: repeat it")
        try:
            return from_json(path.read_text(encoding="utf-8"))
        except PlanFormatError as error:
            raise BadCommand(f"{path.name}: {error}") from None


def plan_in_force(folder: RunFolder, state: RunState, first: Plan) -> Plan:
    """By which a run is taken up.

    Args:
        folder: of the run.
        state: what its journal says.
        first: the plan where it was never amended.

    Raises:
        JournalError: the plan of the last amendment is not the one that the journal names.
    """
    if not state.amendments:
        return first
    last = max(state.amendments.values(), key=lambda one: one.number)
    name_files(folder, last)
    path = folder.amended_plan(last.number)
    if file_sha256(path) != last.plan_sha256:
        raise JournalError(
            f"{path} is not the plan that the journal names for amendment {last.number}: put it "
            "back from a copy of the run"
        )
    return packed_plan(path)


def left_out(
    folder: RunFolder, state: RunState, first: Plan, plan: Plan
) -> tuple[TimelineEntry, ...]:
    """What was written down as intended, and the plan in force holds no more.

    Args:
        folder: of the run.
        state: what its journal says.
        first: the plan that it was started with.
        plan: in force.
    """
    present = {entry.key for entry in plan.timeline}
    gone = {k for k, e in state.entries.items() if e.state == "intent" and k not in present}
    found: dict[str, TimelineEntry] = {}
    for amended in sorted(state.amendments.values(), key=lambda one: one.number):
        if not gone:
            break
        before = folder.amended_plan(amended.number - 1)
        earlier = from_json(before.read_text(encoding="utf-8")) if before.exists() else first
        found |= {entry.key: entry for entry in earlier.timeline if entry.key in gone}
    return tuple(found.values())


def name_files(folder: RunFolder, amended: RunAmended) -> None:
    """What was offered and is written down takes its name; safe to repeat."""
    for path in (folder.amended_protocol(amended.number), folder.amended_plan(amended.number)):
        lies = offered(path, amended.plan_sha256)
        if lies.exists():
            lies.replace(path)
    sync_folder(folder.root)


def _read(args: Mapping[str, Any]) -> RunAmended:
    for name in NEEDED:
        if not isinstance(args.get(name), str) or not args[name].strip():
            raise BadCommand(f"amend needs {name!r}")
    try:
        return RunAmended(
            number=int(args["number"]),
            from_s=float(args["from_s"]),
            plan_sha256=args["plan_sha256"],
            before_sha256=str(args.get("before_sha256", "")),
            protocol_sha256=args["protocol_sha256"],
            changed=tuple(map(str, json.loads(args["changed"]))),
            differences=tuple(map(str, json.loads(args["differences"]))),
            reason=args["reason"],
            by=args["by"],
        )
    except (TypeError, ValueError) as error:
        raise BadCommand(f"this amendment cannot be read: {error}") from None


def _past(plan: Plan, from_s: float) -> dict[str, object]:
    return {entry.key: entry for entry in plan.timeline if entry.offset_s < from_s}

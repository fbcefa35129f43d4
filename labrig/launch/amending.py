"""From a changed protocol file to an amendment of a run: compiled, checked, laid beside its plan.

Nothing is sent and nothing acts here: the runner alone accepts what is offered
(:mod:`labrig.run.amendments`).
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labrig.display.legend import is_blind
from labrig.display.numbers import count_words
from labrig.display.times import length_words
from labrig.documents import Loaded
from labrig.durable import write_text_whole
from labrig.launch.pace import settle_pace
from labrig.plan.amending import Difference, Kept, Refusal, differences, refusals
from labrig.plan.boundaries import next_boundary_s
from labrig.plan.compile import compile as compile_plan
from labrig.plan.findings import Finding
from labrig.plan.plan import Plan
from labrig.plan.sources import planned_protocol
from labrig.plan.store import read_plan, to_json
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol
from labrig.record.origin import file_sha256
from labrig.rig.loading import load_rig
from labrig.run.amendments import LEAD_S, offered
from labrig.run_folder import RunFolder

MARGIN_S = 40.0
"""[P] For a person to read, and for the runner to hear of it, beyond what it asks for."""

FASTEST = 600.0
"""[P] A faster simulated run is amended hours ahead, or not at all."""
NAMED = 3
"""[P] So many instruments of which the same is said are named."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An amendment that could be made.

    Attributes:
        plan: the old one up to ``from_s``, the new one from there.
        number: of that plan; 2 is that of the first amendment.
        changed: dotted paths of the protocol.
        differences: what changes from ``from_s`` on.
        refusals / blocks: why it cannot be made; empty: it can.
        warnings: findings that the plan before did not have.
    """

    plan: Plan
    protocol: Path
    number: int
    from_s: float
    changed: tuple[str, ...]
    differences: tuple[Difference, ...]
    refusals: tuple[Refusal, ...]
    blocks: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @property
    def possible(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.refusals and not self.blocks


def propose(
    folder: RunFolder, protocol: Path, now_s: float, today: datetime | None = None
) -> Proposal:
    """What an amendment would change, and what speaks against it.

    Args:
        folder: of a run that is under way.
        protocol: the changed file; start from the one in the run folder.
        now_s: on the run's clock.
        today: for ages of calibrations.

    Raises:
        labrig.problems.FileProblems: the file is wrong.
        labrig.plan.store.PlanFormatError: the run's own plan cannot be read.
        OSError: a file cannot be read.
    """
    old = read_plan(folder)
    before = planned_protocol(old, folder.protocol)
    loaded: Loaded[Protocol] = load_protocol(protocol)
    changed = tuple(changed_paths(_said(before), _said(loaded.model)))
    number = len(folder.amended_plans) + 2
    earliest_s = now_s + LEAD_S + MARGIN_S * _pace(folder)
    from_s = next_boundary_s(old.timeline, earliest_s, old.forecast.duration_s)
    today = today or datetime.now(UTC)
    plan = compile_plan(
        loaded,
        load_rig(folder.rig),
        today=today.date(),
        free_bytes=shutil.disk_usage(folder.root).free,
        kept=Kept(old, from_s, number),
    )
    known = {(finding.code, finding.severity) for finding in old.findings}
    fresh = [f for f in plan.findings if (f.code, f.severity) not in known]
    return Proposal(
        plan,
        protocol,
        number,
        from_s,
        changed,
        differences(old, plan, from_s),
        refusals(changed, old, plan, from_s),
        tuple(f for f in fresh if f.severity == "block"),
        tuple(f for f in fresh if f.severity == "warn"),
    )


def _pace(folder: RunFolder) -> float:
    """Run seconds per second: a simulated run may go on far while its amendment is made."""
    if not folder.twin.exists():
        return 1.0
    return min(max(settle_pace(folder, None), 1.0), FASTEST)


def offer(folder: RunFolder, proposal: Proposal, by: str, reason: str) -> dict[str, str]:
    """Lay plan and protocol beside the run's, and give the arguments of the command ``amend``.

    Raises:
        OSError: the disk refuses.
    """
    plan_file = folder.amended_plan(proposal.number)
    protocol_file = folder.amended_protocol(proposal.number)
    protocol_text = proposal.protocol.read_text(encoding="utf-8")
    plan_text = to_json(proposal.plan)
    plan_sha256 = hashlib.sha256(plan_text.encode()).hexdigest()
    write_text_whole(offered(protocol_file, plan_sha256), protocol_text)
    write_text_whole(offered(plan_file, plan_sha256), plan_text)
    return {
        "number": str(proposal.number),
        "from_s": repr(proposal.from_s),
        "plan_sha256": plan_sha256,
        "before_sha256": file_sha256(folder.plan_in_force) or "",
        "protocol_sha256": hashlib.sha256(protocol_text.encode()).hexdigest(),
        "changed": json.dumps(told_paths(proposal)),
        "differences": json.dumps(list(told(proposal))),
        "by": by,
        "reason": reason,
    }


def withdraw(folder: RunFolder, args: Mapping[str, str]) -> None:
    """Take back what the runner did not accept; ``args``: what :func:`offer` gave."""
    number = int(args["number"])
    for path in (folder.amended_plan(number), folder.amended_protocol(number)):
        offered(path, args["plan_sha256"]).unlink(missing_ok=True)


def told_paths(proposal: Proposal) -> tuple[str, ...]:
    """Which keys change, for the journal; where arms are coded, without their names."""
    if not is_blind(proposal.plan):
        return proposal.changed
    return tuple(dict.fromkeys(map(_unnamed, proposal.changed)))


def told(proposal: Proposal) -> tuple[str, ...]:
    """What changes, for people; where arms are coded, nothing that tells a well's arm."""
    if not is_blind(proposal.plan):
        return tuple(difference_words(one) for one in proposal.differences)
    found: dict[str, tuple[int, int, int]] = {}
    for one in proposal.differences:
        many = len(one.instruments)
        count, before, after = found.get(one.kind, (0, 0, 0))
        found[one.kind] = (count + many, before + many * one.before, after + many * one.after)
    return tuple(
        f"{kind} of {count_words(count, 'instrument')}: {before} to come become {after}"
        if before != after
        else f"{kind} of {count_words(count, 'instrument')}: {after} to come, otherwise"
        for kind, (count, before, after) in found.items()
    )


@dataclass(frozen=True, slots=True)
class Objection:
    """What speaks against an amendment, or warns of it, as people are told it.

    Attributes:
        code: of a finding; "" for what only an amendment meets.
        refuses: it cannot be made with it.
    """

    code: str
    where: str
    why: str
    remedy: str
    refuses: bool


NOT_SHOWN = "Its words tell arms"
WHO_READS = "who fills the syringes reads it with `labrig check --handler NAME`"


def objections(proposal: Proposal) -> tuple[Objection, ...]:
    """What speaks against it, the gravest first; where arms are coded, nothing that tells one."""
    blind = is_blind(proposal.plan)
    found = [
        Objection("", _unnamed(r.where) if blind else r.where,
                  (r.coded or r.why) if blind else r.why, r.remedy, True)
        for r in proposal.refusals
    ]  # fmt: skip
    for finding in (*proposal.blocks, *proposal.warnings):
        refuses = finding.severity == "block"
        if blind:
            found.append(Objection(finding.code, "", NOT_SHOWN, WHO_READS, refuses))
        else:
            where, why, remedy = finding.where, finding.why, finding.remedy
            found.append(Objection(finding.code, where, why, remedy, refuses))
    return tuple(dict.fromkeys(found))


def _unnamed(path: str) -> str:
    return re.sub(r"^arms\.[^.]+", "arms.*", path)


def difference_words(one: Difference) -> str:
    """For people; no solution is named that would tell an arm."""
    names = ", ".join(one.instruments[:NAMED])
    if more := len(one.instruments) - NAMED:
        names += f" and {more} more" if more > 0 else ""
    each = " each" if len(one.instruments) > 1 else ""
    count = f"{one.before} to come{each} become {one.after}"
    if one.before == one.after:
        count = f"{one.after} to come{each}, otherwise"
    first = f"; first: {one.example}" if one.example else ""
    return f"{one.kind} of {names}: {count}{first}, from {length_words(one.first_s)} on"


def changed_paths(old: Any, new: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Dotted paths in which two protocols differ; a list's by the number of the place."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            here = f"{path}.{key}" if path else str(key)
            if key not in old or key not in new:
                yield here
            else:
                yield from changed_paths(old[key], new[key], here)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(old) or index >= len(new):
                yield f"{path}.{index}"
            else:
                yield from changed_paths(old[index], new[index], f"{path}.{index}")
    elif old != new:
        yield path


def _said(protocol: Protocol) -> dict[str, Any]:
    dumped: dict[str, Any] = protocol.model_dump(mode="json", by_alias=True)
    return dumped

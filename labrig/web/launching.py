"""From what people chose and ticked to a run: compiled, judged, prepared, left to begin.

Nothing is started here that `labrig run` would refuse: the same functions compile, judge and
prepare it, and the process that begins it needs the page no more.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

from labrig.documents import Loaded
from labrig.launch.bench_in_use import reason_against_a_start
from labrig.launch.drills import SPEED, Drill, drill_start
from labrig.launch.offers import NoKeeper, OfferRefused, await_answer
from labrig.launch.prepare import (
    StartRefused,
    StartRequest,
    plan_of,
    prepare_run,
    reason_against_its_bench,
)
from labrig.launch.wanted_start import SignedLine, WantedStart, write_start
from labrig.plan.alike import FindingGroup, alike
from labrig.plan.plan import Plan
from labrig.problems import FileProblems
from labrig.protocol.blinding_key import KeyDamaged, key_in_force
from labrig.protocol.culture import CultureRecord
from labrig.protocol.loading import load_protocol
from labrig.protocol.rules import Override
from labrig.protocol.verification import start_permission
from labrig.rig.bench import bench_spec
from labrig.rig.loading import load_rig
from labrig.rig.models import Rig
from labrig.run_folder import RunFolder
from labrig.watch.trials import findings_about
from labrig.web.choices import BenchChoice, ProtocolChoice
from labrig.web.launch_blind import coded_findings, coded_loading
from labrig.web.launch_draft import Draft
from labrig.web.launch_steps import (
    Reason,
    due,
    reasons_of_blocks,
    reasons_of_loading,
    reasons_of_signing,
    reasons_of_warnings,
    signed_lines,
)
from labrig.web.loading_checklist import CheckLine, checklist
from labrig.web.signed_start import leave_to_begin
from labrig.web.site import Site

BEGINS_WITHIN_S = 20.0
"""[P] A runner has asked its instruments by then; of one that takes longer Runs tells."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A start to be: what was chosen, what it would do, and what is still against it.

    Attributes:
        plan: None where a file cannot be used; ``problems`` says why.
        reasons: why it may not start; empty: it may.
        blind: arms may not be told, so solutions are codes and no map is shown.
    """

    protocol: ProtocolChoice
    bench: BenchChoice
    simulate: bool
    draft: Draft
    plan: Plan | None
    rig: Rig | None
    groups: tuple[FindingGroup, ...]
    lines: tuple[CheckLine, ...]
    reasons: tuple[Reason, ...]
    blind: bool = False
    problems: str = ""


def about(protocol: ProtocolChoice, bench: BenchChoice, *, simulate: bool) -> tuple[str, ...]:
    """What a draft is about: other files, or another content of them, begin anew."""
    texts = []
    for path in (protocol.path, bench.path):
        try:
            texts.append(path.read_text(encoding="utf-8", errors="replace"))
        except OSError as error:
            texts.append(str(error))
    return (protocol.id, bench.id, "simulated" if simulate else "real", *texts)


def considered(
    site: Site,
    protocol: ProtocolChoice,
    bench: BenchChoice,
    draft: Draft,
    now: datetime,
    *,
    simulate: bool,
) -> Launch:
    """Compile what was chosen, and judge it with what people have ticked.

    Args:
        site: of the page.
        protocol: that was chosen.
        bench: that was chosen.
        draft: what people have ticked.
        now: with time zone.
        simulate: on the bench's simulators.
    """
    request = _request(site, protocol, bench, draft, simulate=simulate)
    try:
        plan = _compiled(
            replace(request, operator=""),
            now.astimezone(site.zone).date(),
            _stamp(protocol.path, bench.path),
        )
        rig = load_rig(bench.path)
        key = key_in_force(load_protocol(protocol.path).model, protocol.path)
    except (FileProblems, KeyDamaged, OSError) as error:
        problem = Reason(1 if protocol.problems else 2, "a file cannot be used")
        return Launch(
            protocol, bench, simulate, draft, None, None, (), (), (problem,), False, str(error)
        )
    groups = alike((*plan.findings, *findings_about(plan, simulate, now)))
    if key is not None:
        plan, groups = coded_loading(plan, key), coded_findings(groups)
    free_bytes = shutil.disk_usage(_existing(site.runs)).free
    lines = checklist(plan, rig.model, free_bytes)
    reasons = _reasons(site, request, rig, plan, groups, lines, draft, now)
    return Launch(
        protocol, bench, simulate, draft, plan, rig.model, groups, lines, reasons, key is not None
    )


def start(site: Site, launch: Launch, now: datetime) -> RunFolder:
    """Prepare the run and leave it to a process of its own, to begin now or at its time.

    Raises:
        StartRefused: something is against it; nothing was made.
        labrig.problems.FileProblems: a file is wrong.
        OSError: the disk refuses.
    """
    if launch.reasons:
        raise StartRefused("; ".join(reason.text for reason in launch.reasons))
    draft = launch.draft
    request = _request(site, launch.protocol, launch.bench, draft, simulate=launch.simulate)
    folder = prepare_run(replace(request, culture=_with_lots(request, launch)))
    lines = signed_lines(draft, launch.lines, launch.groups, now)
    when = _text(due(draft.at, now, site.zone))
    speed = draft.speed if launch.simulate else ""
    write_start(folder, WantedStart(when, " and ".join(filter(None, draft.names)), speed, lines))
    leave_to_begin(folder)
    if not draft.at:
        _see_it_begin(folder)
    return folder


def _see_it_begin(folder: RunFolder) -> None:
    """Whoever starts it now stands there: a bench that refuses is told at once."""
    try:
        await_answer(folder, BEGINS_WITHIN_S)
    except OfferRefused as refused:
        raise StartRefused(str(refused)) from None
    except NoKeeper:
        return  # it takes longer: its own screen and Runs say how it stands


def rehearse(site: Site, launch: Launch, by: str, now: datetime) -> RunFolder:
    """The same on simulators, without pictures, as fast as this computer can.

    Raises:
        StartRefused: what a rehearsal cannot do without is missing.
        labrig.problems.FileProblems: a file is wrong.
        OSError: the disk refuses.
    """
    folder = prepare_run(
        StartRequest(
            launch.protocol.path, launch.bench.path, site.runs, True, operator=by, rehearse=True
        )
    )
    write_start(folder, WantedStart(_text(now), by, "inf", ()))
    leave_to_begin(folder)
    return folder


def begin_drill(
    site: Site, protocol: ProtocolChoice, bench: BenchChoice, drill: Drill, by: str, now: datetime
) -> RunFolder:
    """A simulated night in which one thing goes wrong, to practise with this very page.

    Raises:
        NoSuchFault: the bench cannot play it.
        StartRefused: the protocol cannot run on this bench.
        labrig.problems.FileProblems: a file is wrong.
        OSError: the disk refuses.
    """
    folder = prepare_run(drill_start(drill, site.runs, protocol.path, bench.path, by))
    line = SignedLine(by, f"a drill: {drill.fault} of {drill.instrument}", _text(now))
    write_start(folder, WantedStart(_text(now), by, f"{SPEED:g}", (line,)))
    leave_to_begin(folder)
    return folder


def _text(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds")


def _request(
    site: Site, protocol: ProtocolChoice, bench: BenchChoice, draft: Draft, *, simulate: bool
) -> StartRequest:
    overrides = tuple(
        Override(finding=code, reason=answer.reason, by=answer.by)
        for code, answer in sorted(draft.answered.items())
    )
    names = [name for name in draft.names if name.strip()]
    return StartRequest(
        protocol.path,
        bench.path,
        site.runs,
        simulate,
        operator=names[0] if names else "",
        overrides=overrides,
    )


def _with_lots(request: StartRequest, launch: Launch) -> CultureRecord | None:
    """The day's record of the cells with the lots that were typed; None: there are none."""
    lots = {
        line.solution: lot
        for line in launch.lines
        if line.solution and (lot := launch.draft.lots.get(line.solution, "").strip())
    }
    if not lots:
        return None
    culture = load_protocol(request.protocol).model.culture
    return culture.model_copy(update={"lots": {**culture.lots, **lots}})


@lru_cache(maxsize=16)
def _compiled(request: StartRequest, today: date, stamp: tuple[int, ...]) -> Plan:
    """The plan, which takes a second or more; anew on another day and when a file has changed."""
    return plan_of(request)


def _stamp(*paths: Path) -> tuple[int, ...]:
    return tuple(
        number for path in paths for number in (path.stat().st_mtime_ns, path.stat().st_size)
    )


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def _reasons(
    site: Site,
    request: StartRequest,
    rig: Loaded[Rig],
    plan: Plan,
    groups: tuple[FindingGroup, ...],
    lines: tuple[CheckLine, ...],
    draft: Draft,
    now: datetime,
) -> tuple[Reason, ...]:
    found: list[Reason] = []
    permission = start_permission(request.protocol)
    if not permission.allowed:
        found.append(Reason(1, permission.reason))
    if against := reason_against_its_bench(request, rig.model):
        found.append(Reason(2, against))
    elif not request.simulate and (
        busy := reason_against_a_start(bench_spec(rig.model), site.runs)
    ):
        found.append(Reason(2, busy))
    standing = draft.standing(now)
    found += reasons_of_blocks(groups)
    # on simulators nothing is loaded and no cell is fed: ticks are practice there
    if not request.simulate:
        found += reasons_of_warnings(groups, standing)
        found += reasons_of_loading(lines, standing, draft.lots)
    found += reasons_of_signing(draft.names, pilot=plan.pilot or request.simulate)
    try:
        due(draft.at, now, site.zone)
    except ValueError as error:
        found.append(Reason(5, str(error)))
    return tuple(found)

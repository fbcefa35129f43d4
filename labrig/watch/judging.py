"""What a look at a run means: which causes people are told of, and which still stand. Pure.

Nothing is judged by the clock on the wall, and nothing by the first look after the watch itself
stood still (a laptop that slept, a computer that was busy): then runner and watch have to come back
both, and whatever seemed wrong has to be wrong again for as long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from labrig.display.legend import Legend
from labrig.display.upcoming import needs_people
from labrig.watch import texts
from labrig.watch.causes import Cause, Severity, gravest
from labrig.watch.looking import JournalRow, Look
from labrig.watch.routes import Routes
from labrig.watch.severities import (
    BROUGHT_BACK,
    DIED,
    ENDED,
    GONE,
    HUNG,
    QUESTION,
    SILENT,
    STANDS_FOR_S,
    UNKNOWN,
    severity_of,
)

DEAD_FOR_S = 3.0
"""[P] A keeper (`labrig run`, `labrig serve`) brings a runner back within it, or nobody does."""
BUSY_FOR_S = 12.0
"""[P] Longer than the dispatcher takes for anything it does; workers have bounds of their own."""
HANGS_FOR_S = 5.0
"""[P] A thread that was late once has come back at the next looks."""
MUTE_FOR_S = 10.0
"""[P] A runner whose door does not answer, and that shows no sign of life."""
SLOW_FOR_S = 22.0
"""[P] One that does: the computer is overloaded, and after this it is of no use all the same."""
STARTS_FOR_S = 60.0
"""[P] As long a runner without a door may show no sign of life (labrig.launch.runner_child)."""
STOOD_STILL_S = 15.0
"""[P] A pause between two looks by which the watch itself was not running."""
SAME_QUESTION_S = 5.0
"""[P] A question's row in the journal may be stamped so much later than the question itself."""
DISPATCHER = "dispatcher"
_OF_THE_END: Mapping[str, Severity] = {"finished": "tell", "stopped": "tell"}


@dataclass(frozen=True, slots=True)
class Asked:
    """An alarm or a question that stands.

    Attributes:
        key: of its row in the journal.
        since_s: on the run's clock.
        told: whether it was handed on.
        on_record: whether its row was read, and so the row that ends it will be, too.
    """

    key: str
    kind: str
    what: str
    remedy: str
    since_s: float
    options: tuple[str, ...] = ()
    facts: Mapping[str, Any] | None = None
    told: bool = False
    on_record: bool = False

    @property
    def code(self) -> str:
        """Of an alarm."""
        return self.key.partition(":")[0]

    @property
    def about(self) -> str:
        """The instrument, as a rule."""
        return self.key.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Known:
    """What the watch remembers of a run, also after its own death.

    Attributes:
        folder: of the run; ``name`` is that of the folder.
        named: run, rig and bench in a few words.
        seq: the last row of the journal that was read.
        pid: of its runner.
        run_s: how far the run is known to have come; ``utc``: the time of day that belongs to it.
        standing: alarms and questions.
    """

    folder: str
    name: str
    named: str
    run_id: str
    seq: int = 0
    pid: int = 0
    run_s: float = 0.0
    utc: str = ""
    standing: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubts:
    """Since when something seems wrong, in seconds of the watch; forgotten with the process."""

    looked_s: float
    dead_s: float | None = None
    mute_s: float | None = None
    still_s: float | None = None
    signs: tuple[int, ...] = ()
    hanging: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one look.

    Attributes:
        causes: to be told, if they are not yet.
        standing: keys of all that stands, told or not.
        over: whether nothing more can come of this run.
    """

    known: Known
    doubts: Doubts
    causes: tuple[Cause, ...]
    standing: frozenset[str]
    over: bool = False


def judge(
    known: Known,
    doubts: Doubts,
    look: Look,
    now_s: float,
    lab: Routes,
    legend: Callable[[], Legend],
) -> Verdict:
    """Judge one look.

    Args:
        known: after the last look.
        doubts: after the last look.
        look: what was seen.
        now_s: of the watch.
        lab: the lab's own severities, and what it wants to hear of.
        legend: of the run; it is read for that, so asked for only when something is to be told.
    """
    own = lab.severities
    if now_s - doubts.looked_s > STOOD_STILL_S:
        doubts = Doubts(now_s)
    doubts = replace(doubts, looked_s=now_s)
    causes: list[Cause] = []
    before = known.pid
    known, passed = _read(known, look)
    run_s = known.run_s
    for about in dict.fromkeys(asked.about for asked in passed):
        first, *others = (asked for asked in passed if asked.about == about)
        causes.append(_of_alarms(known, first, others, (), own, legend()))
    if not look.lives and (look.outcome is not None or not look.begun):
        # What stood to the end stood long enough.
        known, ripe = _ripened(replace(known, run_s=math.inf), own, legend)
        known = replace(known, run_s=run_s)
        return _at_the_end(known, doubts, look, [*causes, *ripe], lab, legend)
    told_dead = doubts.dead_s is not None and now_s - doubts.dead_s >= DEAD_FOR_S
    if look.lives and before and look.pid not in (0, before) and not told_dead:
        causes.append(_about(known, BROUGHT_BACK, str(look.pid), texts.brought_back(known), own))
    doubts, found = _doubted(known, doubts, look, now_s, own)
    causes += found
    known, ripe = _ripened(known, own, legend)
    if ripe and look.status is not None and known.run_s:
        besides = needs_people(legend(), known.run_s, look.status.get("supplies"))
        ripe = [replace(cause, text=texts.with_besides(cause.text, besides)) for cause in ripe]
    causes += ripe
    # What is doubted again was perhaps told by a watch before this one: it is not over.
    standing = {_key(known, asked) for asked in known.standing} | _doubted_keys(known, doubts)
    return Verdict(known, doubts, tuple(causes), frozenset(standing))


def _read(known: Known, look: Look) -> tuple[Known, list[Asked]]:
    """Take in the journal and what the runner shows.

    Also returns what was raised and is over again, and stood long enough for people to be told.
    """
    standing = {asked.key + asked.kind: asked for asked in known.standing}
    passed = []
    run_s, utc = known.run_s, known.utc
    for row in look.rows:
        run_s = max(run_s, row.run_s)
        if row.state in ("raised", "asked"):
            known_as = standing.get(row.key + row.kind, _asked(row))
            standing[row.key + row.kind] = replace(known_as, on_record=True)
            continue
        gone = standing.pop(row.key + row.kind, None)
        stood_s = 0.0 if gone is None else row.run_s - gone.since_s
        if gone is not None and not gone.told and gone.kind == "alarm" and stood_s >= _wait(gone):
            passed.append(gone)
    status = look.status
    if status is not None:
        run_s, utc = max(run_s, float(status["now_s"])), str(status["utc"])
        shown = {asked.key + asked.kind: asked for asked in _shown(status)}
        # Those about a process end with it, without a row; others by their row, if they have one.
        anew = look.pid not in (0, known.pid)
        standing = {
            key: asked for key, asked in standing.items()
            if key in shown or (asked.on_record and not anew)
        }  # fmt: skip
        for key, asked in shown.items():
            if key not in standing or _asked_anew(standing[key], asked):
                standing[key] = asked
    seq = max((row.seq for row in look.rows), default=known.seq)
    pid = look.pid if look.lives and look.pid else known.pid
    return (
        replace(known, seq=seq, pid=pid, run_s=run_s, utc=utc, standing=tuple(standing.values())),
        passed,
    )


def _asked_anew(known: Asked, shown: Asked) -> bool:
    """Whether a question that stood was answered and has come up again between two looks."""
    return shown.kind == "question" and shown.since_s - known.since_s > SAME_QUESTION_S


def _asked(row: JournalRow) -> Asked:
    said = row.detail
    return Asked(
        row.key, row.kind, str(said.get("what", "")), str(said.get("remedy", "")), row.run_s,
        tuple(str(option) for option in said.get("options", ())), said.get("facts"),
    )  # fmt: skip


def _shown(status: Mapping[str, Any]) -> Iterable[Asked]:
    for alarm in status.get("alarms", ()):
        key = f"{alarm['code']}:{alarm['about']}"
        yield Asked(key, "alarm", alarm["what"], alarm["remedy"], float(alarm["since_s"]))
    for asked in status.get("questions", ()):
        options = tuple(asked["options"])
        yield Asked(
            asked["id"], "question", asked["what"], "", float(asked["since_s"]), options,
            asked.get("facts"),
        )  # fmt: skip


def _ripened(
    known: Known, own: Mapping[str, Severity], legend: Callable[[], Legend]
) -> tuple[Known, list[Cause]]:
    """What has stood long enough, and was not told yet; of one instrument it is one message."""
    new = [asked for asked in known.standing if not asked.told]
    alarms = [asked for asked in new if asked.kind == "alarm"]
    questions = {asked.key: asked for asked in new if asked.kind == "question"}
    ripe = [
        asked for asked in alarms
        if known.run_s - asked.since_s >= _wait(asked) or _question_of(asked) in questions
    ]  # fmt: skip
    with_alarm = {_question_of(asked) for asked in alarms}
    causes = []
    for about in dict.fromkeys(asked.about for asked in ripe):
        mates = [asked for asked in alarms if asked.about == about]
        first = next(asked for asked in ripe if asked.about == about)
        # the one that asks something says most
        asking = [asked for asked in mates if _question_of(asked) in questions]
        first = asking[0] if asking else first
        others = [asked for asked in mates if asked is not first]
        theirs = [questions[key] for key in map(_question_of, mates) if key in questions]
        causes.append(_of_alarms(known, first, others, theirs, own, legend()))
    for asked in questions.values():
        if asked.key not in with_alarm:
            text = texts.question(known, asked, legend())
            causes.append(_cause(known, _key(known, asked), severity_of(QUESTION, own), text))
    told = {key for cause in causes for key in cause.keys}
    standing = tuple(
        replace(asked, told=asked.told or _key(known, asked) in told) for asked in known.standing
    )
    return replace(known, standing=standing), causes


def _of_alarms(
    known: Known,
    first: Asked,
    others: Sequence[Asked],
    questions: Sequence[Asked],
    own: Mapping[str, Severity],
    legend: Legend,
) -> Cause:
    """One message about one instrument, as grave as the gravest that it says."""
    severities = [severity_of(asked.code, own) for asked in (first, *others)]
    severities += [severity_of(QUESTION, own)] * bool(questions)
    also = tuple(_key(known, asked) for asked in (*others, *questions))
    text = texts.alarm(known, first, others, questions, legend)
    return _cause(known, _key(known, first), gravest(severities), text, also)


def _cause(
    known: Known, key: str, severity: Severity, text: texts.Text, also: tuple[str, ...] = ()
) -> Cause:
    body = f"{known.named}\n{text.body}"
    return Cause(key, severity, known.name, text.subject, body, also)


def _question_of(asked: Asked) -> str:
    """The id of the question that comes with an alarm (labrig.run.clog, labrig.run.imaging)."""
    return f"{'stage' if asked.code == 'stage-lost' else asked.code}:{asked.about}"


def _wait(asked: Asked) -> float:
    return STANDS_FOR_S.get(asked.code, 0.0)


def _key(known: Known, asked: Asked) -> str:
    # A question that is asked anew wants a new decision; an alarm that comes back does not.
    suffix = f"@{asked.since_s:.3f}" if asked.kind == "question" else ""
    return f"{known.run_id}|{asked.kind}|{asked.key}{suffix}"


def _about(
    known: Known, code: str, about: str, text: texts.Text, own: Mapping[str, Severity]
) -> Cause:
    return _cause(known, _key_about(known, code, about), severity_of(code, own), text)


def _key_about(known: Known, code: str, about: str) -> str:
    kind = "alarm" if code == HUNG else "runner"  # the runner's own alarm is the same cause
    return f"{known.run_id}|{kind}|{code}:{about}"


def _doubted(
    known: Known, doubts: Doubts, look: Look, now_s: float, own: Mapping[str, Severity]
) -> tuple[Doubts, list[Cause]]:
    """What is wrong with the runner itself, once it has been so for long enough."""
    if not look.lives:
        since_s = now_s if doubts.dead_s is None else doubts.dead_s
        doubts = Doubts(now_s, dead_s=since_s)
        if now_s - since_s < DEAD_FOR_S:
            return doubts, []
        return doubts, [_about(known, DIED, str(known.pid), texts.died(known), own)]
    if look.status is None:
        return _mute(known, doubts, look, now_s, own)
    since = dict(doubts.hanging)
    hanging = tuple(
        (thread["name"], since.get(thread["name"], now_s))
        for thread in look.status.get("threads", ())
        if _hangs(thread)
    )
    found = [
        _about(known, HUNG, name, texts.hung(known, name, look.status), own)
        for name, since_s in hanging
        if now_s - since_s >= HANGS_FOR_S
    ]
    return Doubts(now_s, hanging=hanging), found


def _doubted_keys(known: Known, doubts: Doubts) -> set[str]:
    """Of all that seems wrong with the runner, long enough or not."""
    keys = {_key_about(known, HUNG, name) for name, _ in doubts.hanging}
    if doubts.dead_s is not None:
        keys.add(_key_about(known, DIED, str(known.pid)))
    if doubts.mute_s is not None:
        keys.add(_key_about(known, SILENT, str(known.pid)))
    return keys


def _mute(
    known: Known, doubts: Doubts, look: Look, now_s: float, own: Mapping[str, Severity]
) -> tuple[Doubts, list[Cause]]:
    """A runner that lives and does not answer."""
    mute_s = now_s if doubts.mute_s is None else doubts.mute_s
    moved = doubts.still_s is None or look.signs != doubts.signs
    still_s = now_s if moved or doubts.still_s is None else doubts.still_s
    doubts = Doubts(now_s, mute_s=mute_s, still_s=still_s, signs=look.signs)
    if look.door:
        late = now_s - mute_s >= SLOW_FOR_S or now_s - still_s >= MUTE_FOR_S
    else:
        late = now_s - still_s >= STARTS_FOR_S
    if not late:
        return doubts, []
    return doubts, [_about(known, SILENT, str(known.pid), texts.silent(known, look.door), own)]


def _hangs(thread: Mapping[str, Any]) -> bool:
    """A dispatcher that is long busy keeps all else waiting, before its own bound is over."""
    busy = thread["name"] == DISPATCHER and thread["doing"] != "waiting"
    return not thread["alive"] or (busy and thread["for_s"] > BUSY_FOR_S)


def _at_the_end(
    known: Known,
    doubts: Doubts,
    look: Look,
    causes: list[Cause],
    lab: Routes,
    legend: Callable[[], Legend],
) -> Verdict:
    own = lab.severities
    if look.outcome is None:
        # Its start was refused, which was told to whoever wanted it; or its folder is gone.
        if known.run_s > 0:
            causes.append(_about(known, GONE, "folder", texts.gone(known), own))
        return Verdict(known, doubts, tuple(causes), frozenset(), over=True)
    outcome = look.outcome
    condition, over = str(outcome.get("condition", "failed")), bool(outcome.get("over", True))
    severity = _OF_THE_END.get(condition, UNKNOWN)
    all_well = condition == "finished" and not outcome.get("unsafe")
    if outcome.get("unsafe"):
        severity = "call"
    key = f"{known.run_id}|{ENDED}|{condition}:{known.pid}"
    if lab.closing or not all_well:
        zone = legend().zone if condition == "stopped" else UTC
        text = texts.ended(known, condition, outcome, zone)
        severity = own.get(ENDED, severity)
        causes.append(_cause(known, key, severity, text))
    # One that failed half way has cells on it: it stands until somebody goes on or stops it.
    standing = frozenset() if over else frozenset({key})
    return Verdict(replace(known, standing=()), doubts, tuple(causes), standing, over)

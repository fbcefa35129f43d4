"""The first lines of the report: what a person must know at seven in the morning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labrig.places import in_order
from labrig.plan.words import MANY_ROWS
from labrig.record.conclusion import failures_of
from labrig.record.kinds.pump_deviations import (
    LeftAsFound,
    LeftByOperator,
    RestartedByOperator,
    Stalled,
    StallGivenUp,
    StallRecovered,
)
from labrig.record.kinds.runs import RunStopped
from labrig.record.said import said
from labrig.report.amendments import amendments_shown
from labrig.report.analysis import Analysis
from labrig.report.clocks import legend_of_record
from labrig.report.interlocks import interlock_sentences
from labrig.report.outcome import Outcome, clock
from labrig.report.verdict_lines import VerdictLines, verdict_lines
from labrig.run_folder import is_rehearsal

Tone = Literal["good", "warn", "bad"]
_GRAVITY: tuple[Tone, ...] = ("good", "warn", "bad")
MOST_POINTS = 5
LOW_FRACTION = 0.15
"""[P] A reservoir with less than this of what the run needed is called low."""


FEW_PULSES = 0.95
"""[P] A channel with less than this of its planned pulses is named."""
_TOLD_ABOVE = {
    "stall", "stall-recovered", "stall-given-up", "stall-retried", "uncensored",
    "restarted-by-operator", "left-by-operator", "dose-refused", "watchdog-armed", "mass-balance",
    "censored", "picture-missed", "link-lost",
    "link-restored", "gap", "left-unattended", "dose-uncertain",
    "failed-by-bug", "stage-lost", "stage-homed-by-operator", "left-as-found",
    "interlock", "interlock-over",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to know."""

    tone: Tone
    text: str


@dataclass(frozen=True, slots=True)
class Headline:
    """What happened, in plain words; ``tone`` is whether a person must do something."""

    tone: Tone
    title: str
    lead: str
    verdict: VerdictLines
    points: tuple[Point, ...]


def headline(analysis: Analysis) -> Headline:
    """The most important first; never more than :data:`MOST_POINTS` points."""
    outcome = analysis.outcome
    plan = analysis.record.plan
    length = clock(plan.forecast.duration_s)
    night = "rehearsal" if is_rehearsal(analysis.record.identity) else "night"
    troubles = _troubles(analysis)
    tone: Tone = "good"
    legend = legend_of_record(analysis.record)
    when = "" if legend.zero is None else f", {legend.clock(outcome.until_s)}"
    if analysis.record.journal_problem:
        title, tone = "The journal of this run cannot be trusted.", "bad"
        lead = f"Nothing of it is shown below. {analysis.record.journal_problem}"
    elif why := _why_failed(analysis):
        title, tone = f"The {night} has failed, although its time is over.", "bad"
        lead = f"{capital('; '.join(why))}."
    elif outcome.condition == "finished":
        title = f"The {night} is finished"
        title += "." if not troubles else ", with something to look at."
        lead = f"All {length} h of it ran."
        tone = max((point.tone for point in troubles), key=_GRAVITY.index, default="good")
    elif outcome.condition == "stopped":
        title = f"The {night} was stopped at {clock(outcome.until_s)} of {length} h{when}."
        lead = f"Reason given: {outcome.reason}." if outcome.reason else "No reason was given."
        lead += _by_whom(analysis)
        tone = "bad"
    elif outcome.condition == "unfinished":
        title = (
            f"The {night} is not finished: its journal ends at {clock(outcome.until_s)} h{when}."
        )
        lead = (
            "Either it still runs (`labrig status`), or its runner died: `labrig resume` goes on "
            "without giving any dose twice."
        )
        tone = "bad"
    else:
        title, tone = "This run was prepared but never begun.", "bad"
        lead = "Nothing was sent to any instrument. Below is what was planned."
    if outcome.condition in ("finished", "stopped") and _pumps_still_run(analysis):
        lead += " Medium pumps keep their last rate: stop them at the bench with the plate."
    if outcome.condition != "never begun":
        lead += _unwitnessed(analysis)
    points = troubles
    if not troubles and outcome.condition != "never begun":
        points = [Point("good", _all_well(analysis))]
    if len(points) > MOST_POINTS:
        rest = len(points) - MOST_POINTS + 1
        points = [*points[: MOST_POINTS - 1], Point("warn", f"and {rest} more, listed below.")]
    return Headline(tone, title, lead, verdict_lines(analysis), tuple(points))


def _by_whom(analysis: Analysis) -> str:
    ends = (r for r in reversed(analysis.record.rows) if r.kind == "run" and r.key == "stopped")
    by = next((told.by for told in map(said, ends) if isinstance(told, RunStopped)), "")
    return f" By {by}." if by else ""


def _why_failed(analysis: Analysis) -> tuple[str, ...]:
    """Why a run that came to its end is no finished one, by what also its outcome.json goes by."""
    if analysis.outcome.condition != "finished":
        return ()
    failures = failures_of(analysis.record.rows)
    died = tuple(f"a part of the runner died: {what}" for what in failures)
    return (*died, *analysis.shortfalls)


def _troubles(analysis: Analysis) -> list[Point]:
    outcome, ledger = analysis.outcome, analysis.ledger
    points = [*_integrity(analysis), *_gaps(outcome)]
    by_code: dict[str, list[str]] = {}
    for deviation in outcome.deviations:
        by_code.setdefault(deviation.code, []).append(deviation.about)
    standing, passing = _stalls(outcome)
    if standing:
        points.append(Point("bad", f"{_list(standing)} stalled and stayed so: look at the line."))
    if passing:
        points.append(Point("warn", f"{_list(passing)} stalled and flowed again when retried."))
    if ledger.censored_from_s:
        first = min(ledger.censored_from_s.values())
        wells = _list(list(ledger.censored_from_s))
        since = legend_of_record(analysis.record).clock(first)
        points.append(
            Point(
                "bad",
                f"{wells}: left out of the analysis, the first from {since} on, by the rule on "
                "doses.",
            )
        )
    for balance in ledger.reservoirs:
        if balance.agrees is False and balance.weighed_ul is not None:
            points.append(
                Point(
                    "bad",
                    f"{balance.reservoir} lost {balance.weighed_ul / 1000:.1f} mL by weight, its "
                    f"pumps believe {balance.believed_ul / 1000:.1f} mL.",
                )
            )
    told = interlock_sentences(analysis.record.plan, outcome)
    points += [Point("warn", said) for said in told]
    points += [
        Point("warn", f"The protocol was amended while it ran, by {one.said.by} from "
              f"{clock(one.said.from_s)} on: {one.said.reason.rstrip('.')}.")
        for one in amendments_shown(analysis.record.rows)
    ]  # fmt: skip
    lost = {kind: fates.get("missed", 0) + fates.get("failed", 0)
            for kind, fates in outcome.tally.items()}  # fmt: skip
    for kind, count in lost.items():
        # Films that were measured as missing are told with all that count for nothing.
        if count and not (kind == "film" and count <= _films_out(analysis)):
            total = sum(outcome.tally[kind].values())
            tone: Tone = "bad" if kind in ("dose", "level") else "warn"
            points.append(Point(tone, f"{count} of {total} {MANY_ROWS[kind]} are missing."))
    if left_out := outcome.tally.get("dose", {}).get("skipped", 0):
        total = sum(outcome.tally["dose"].values())
        points.append(Point("warn", f"{left_out} of {total} doses were left out; why, see below."))
    if begun := outcome.count("under way"):
        said = f"{begun} dose(s) were under way where the journal ends."
        points.append(Point("warn", said))
    if uncertain := outcome.count("uncertain"):
        points.append(Point("bad", f"{uncertain} action(s) of which nobody can say what came."))
    for pulses in ledger.pulses:
        if pulses.delivered < FEW_PULSES * pulses.planned:
            share = pulses.delivered / pulses.planned
            name = f"{pulses.stimulator} channel {pulses.channel}"
            points.append(Point("warn", f"{name} gave {share:.0%} of its planned pulses."))
    points += _films(analysis)
    if links := by_code.get("link-lost"):
        points.append(Point("warn", f"{_list(links)} did not answer for a while."))
    if lost_stages := by_code.get("stage-lost"):
        said = "was not where it had been left: no pictures until a person had looked."
        points.append(Point("bad", f"{_list(lost_stages)} {said}"))
    if bugs := by_code.get("failed-by-bug"):
        points.append(
            Point("warn", f"An error of labrig's own kept it from {_list(bugs)} for a while.")
        )
    if refused := by_code.get("dose-refused"):
        points.append(Point("bad", f"{_list(refused)}: refused by the pump."))
    if armed := by_code.get("watchdog-armed"):
        points.append(
            Point("bad", f"{_list(armed)} feeds the cells and stops by itself: see to it now.")
        )
    if unattended := by_code.get("left-unattended"):
        points.append(Point("bad", f"Left without a safe state: {_list(unattended)}."))
    for row in outcome.deviations:
        if isinstance(left := row.said, LeftAsFound):
            points.append(
                Point(
                    "bad",
                    f"{left.instrument} was left at {left.rate_ul_min:.4g} µL/min, where the plan "
                    f"wants {left.wanted_ul_min:.4g}: who only made the bench safe set no level.",
                )
            )
    points += _low_reservoirs(analysis)
    if late := outcome.count("late"):
        points.append(Point("warn", f"{late} action(s) or pictures were late."))
    other = [code for code in by_code if code not in _TOLD_ABOVE]
    if other:
        points.append(Point("warn", f"Also recorded: {', '.join(other)}."))
    rehearsal = is_rehearsal(analysis.record.identity)
    if analysis.record.absent and outcome.condition != "never begun" and not rehearsal:
        points.append(Point("warn", capital("; ".join(analysis.record.absent)) + "."))
    return points


def _integrity(analysis: Analysis) -> list[Point]:
    """First of all: whether what follows is about this run, as it was committed."""
    found = analysis.record.integrity
    points = [Point("warn", capital(said) + ".") for said in found.warnings]
    points += [Point("bad", said) for said in analysis.record.blinding.troubles]
    # A journal that cannot be trusted has the title to itself.
    failures = [f for f in found.failures if f != analysis.record.journal_problem]
    if failures:
        more = f" And {len(failures) - 1} more, at the top." if len(failures) > 1 else ""
        points.insert(0, Point("bad", f"Integrity failed: {failures[0].rstrip('.')}.{more}"))
    return points


def _stalls(outcome: Outcome) -> tuple[list[str], list[str]]:
    """Pumps that stood when the run ended, and those that had stalled but flowed again."""
    stands: dict[str, bool] = {}
    for deviation in outcome.deviations:
        match deviation.said:
            case Stalled(instrument=pump, dosing=dosing):
                stands[pump] = dosing
            case StallGivenUp(instrument=pump) | LeftByOperator(instrument=pump):
                stands[pump] = True
            case StallRecovered(instrument=pump) | RestartedByOperator(instrument=pump):
                stands[pump] = False
    standing = [pump for pump, stood in stands.items() if stood]
    return standing, [pump for pump, stood in stands.items() if not stood]


def _unwitnessed(analysis: Analysis) -> str:
    """Said in the first lines, as everything about the wells' food rests on it."""
    feeding = {d.pump for d in analysis.record.plan.draws if d.carries == "medium"}
    blind = [
        total.pump for total in analysis.ledger.pumps
        if total.pump in feeding and total.witnessed_ul is None and not total.drive_watched
    ]  # fmt: skip
    if not blind:
        return ""
    return (
        f" Nothing witnessed the medium: of {_list(blind)} only the pump's own belief is known, "
        "which sees no stall."
    )


def _gaps(outcome: Outcome) -> list[Point]:
    """Time in which nothing could be done, by its cause."""
    by_cause: dict[str, list[float]] = {}
    for gap in outcome.gaps:
        by_cause.setdefault(gap.cause, []).append(gap.to_s - gap.from_s)
    points = []
    for cause, lengths_s in by_cause.items():
        many = "one gap" if len(lengths_s) == 1 else f"{len(lengths_s)} gaps"
        said = f"For {sum(lengths_s) / 60:.0f} min in {many} nothing was done: {cause}."
        points.append(Point("warn", said))
    return points


def _films(analysis: Analysis) -> list[Point]:
    """Films of contraction that were asked for and say nothing, with the most frequent reason."""
    out = _films_out(analysis)
    if not out:
        return []
    why = max(analysis.films_left_out, key=lambda flag: flag.count).reason
    total = len(analysis.record.films)
    films = analysis.record.films
    wells = in_order(set(films.loc[films["status"] != "ok", "well"].dropna()))
    where = f" ({_list(list(wells))})" if wells and out < total else ""
    said = f"{out} of {total} films of contraction{where} count for nothing: {why}."
    return [Point("warn", said)]


def _films_out(analysis: Analysis) -> int:
    """Films in the table of contractions that count for nothing."""
    films = analysis.record.films
    return 0 if films.empty else int((films["status"] != "ok").sum())


def _pumps_still_run(analysis: Analysis) -> bool:
    """An end leaves perfusion on, because stopping starves; on a real bench someone must know."""
    simulated = bool(analysis.record.identity["simulated"])
    return not simulated and any(d.carries == "medium" for d in analysis.record.plan.draws)


def _low_reservoirs(analysis: Analysis) -> list[Point]:
    needs = {d.reservoir: d.of_a_filling_ml for d in analysis.record.plan.forecast.depletion}
    low = [
        now for now in analysis.reservoirs
        if now.left_ml < LOW_FRACTION * max(needs[now.reservoir], 1e-9)
    ]  # fmt: skip
    return [
        Point("warn", f"{now.reservoir} is low: {max(now.left_ml, 0):.2g} mL left.") for now in low
    ]


def _all_well(analysis: Analysis) -> str:
    tally = analysis.outcome.tally
    whole = analysis.outcome.condition == "finished"
    parts = []
    kinds: tuple[str, ...] = ("dose", "train")
    if not is_rehearsal(analysis.record.identity):
        kinds = ("frame", "film", *kinds)
    for kind in kinds:
        on_time = tally.get(kind, {}).get("on time", 0)
        if on_time or (whole and kind in tally):
            parts.append(f"{on_time} {MANY_ROWS[kind]}")
    if whole:
        return f"Nothing is missing: {', '.join(parts) or 'all that was planned'}, all on time."
    return f"Until then nothing was missed: {', '.join(parts) or 'all that was due'}, all on time."


def capital(text: str) -> str:
    """The text with its first letter raised and names in it as they are written.

    >>> capital("films were taken under twitch_2Hz")
    'Films were taken under twitch_2Hz'
    """
    return text[:1].upper() + text[1:]


def _list(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(unique[:6]) + (f" and {len(unique) - 6} more" if len(unique) > 6 else "")

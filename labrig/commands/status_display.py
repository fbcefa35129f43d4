"""How ``labrig status`` shows a run to a person who has just come in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from labrig.display.alarms import alarm_from, alarm_words
from labrig.display.legend import Legend
from labrig.display.numbers import count_words, number_words
from labrig.display.questions import QuestionWords, command_words, question_from, question_words
from labrig.display.times import date_words, length_words
from labrig.display.upcoming import (
    needs_people,
    planned_filling,
    upcoming_words,
    waiting_words,
)
from labrig.pasted import pasted

WHAT_NOW = {
    "died": (
        "Its runner is dead. Stimulation has ended by itself; pumps keep their last rates where "
        "they can.\n`labrig resume {run}` takes the run over (`labrig serve` does so by itself); "
        "`labrig stop {run}` makes the bench safe."
    ),
    "never begun": (
        "Its start was refused, nothing was sent to any instrument: {log} says why. "
        "Mend that and start anew with `labrig run`."
    ),
    "unreachable": (
        "Its runner lives but does not answer. Try again in a moment; {log} has its last words."
    ),
}

COMPLETE = {
    True: "Complete: everything that was expected is there or accounted for (complete.json).",
    False: (
        "Not stamped as complete: its report is not made yet, or something is neither there nor "
        "accounted for; `labrig report {run}` says what."
    ),
}

FOLLOW_IT = (
    "Its pictures are not measured, and nobody would write its report: `labrig follow` does both "
    "(`labrig serve` by itself)."
)

COUNTED = {
    "hits": "{} on time",
    "late": "{} late",
    "missed": "{} missed",
    "skipped": "{} left out",
    "failed": "{} failed",
    "unknown": "{} uncertain",
    "pictures": "{} pictures",
    "trains": "{} impulse trains",
    "deviations": "{} deviations",
}
"""What a runner counts, in words, in the order in which it is said."""


def print_status(run: Path, shown: Mapping[str, Any], legend: Legend) -> None:
    """Print what a runner shows of itself, the most urgent first.

    Args:
        run: its folder.
        shown: as ``GET /status`` gives it; for a run without a runner only ``condition`` and
            ``counters`` are needed. ``named`` says which run on which rig, ``said_last`` who
            held or stopped it, ``simulated`` that its clock is not the one on the wall.
        legend: of the run.
    """
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    condition = shown["condition"]
    sound = condition in ("running", "finished") and shown.get("alive", True)
    style = "green" if sound else "bold red"
    console.print(
        f"{escape(shown.get('named', run.name))}: [{style}]{condition}[/]{_progress(shown, legend)}"
    )
    if shown.get("said_last"):
        console.print(escape(shown["said_last"]))
    for why in shown.get("why", []):
        console.print(f"[bold red]{escape(why)}[/]")
    if condition in WHAT_NOW:
        now = WHAT_NOW[condition].format(run=pasted(run), log=pasted(run / "runner.log"))
        console.print(now, markup=False)
    if not shown.get("followed", True):
        console.print(f"[bold red]Nobody follows it.[/] {FOLLOW_IT}")
    for alarm in shown.get("alarms", []):
        console.print(f"[bold red]ALARM[/] {escape(alarm_words(alarm_from(alarm), legend).text)}")
    for line in suspended_lines(shown):
        console.print(f"[bold red]{escape(line)}[/]")
    for question in shown.get("questions", []):
        words = question_words(question_from(question), legend)
        console.print(f"[bold]QUESTION[/] {escape(f'{words.text} Asked {words.since}.')}")
        for line in answer_lines(words, run):
            console.print(line, markup=False)
    for thread in shown.get("threads", []):
        if not thread["alive"]:
            console.print(
                f"[bold red]HANGS[/] {escape(thread['name'])}: {escape(thread['doing'])} for "
                f"{thread['for_s']:.0f} s. What else stands here may be old."
            )
    if not shown.get("journal_works", True):
        console.print("[bold red]The journal cannot be written: nothing new is begun.[/]")
    if waiting := shown.get("at_boundary"):
        undo = {"hold": "resume", "stop": "take-back"}[waiting["what"]]
        console.print(f"[bold]{escape(waiting_words(waiting, legend))}.[/]")
        console.print(f"Withdraw it: labrig {undo} {pasted(run)}", markup=False)
    if shown.get("phase"):
        console.print(f"phase: {shown['phase']}", markup=False)
    if shown.get("pilot"):
        console.print("[yellow]pilot: not committed[/]")
    if shown.get("counters"):
        console.print(counted(shown["counters"]))
    for line in left_out_lines(shown, legend):
        console.print(line)
    if line := next_line(shown, legend):
        console.print(line, markup=False)
    if condition in ("running", "held") and (
        line := needs_people(legend, shown["now_s"], shown.get("supplies"))
    ):
        console.print(line, markup=False)
    if "complete" in shown:
        console.print(COMPLETE[bool(shown["complete"])].format(run=pasted(run)), markup=False)
    for line in (*reservoir_lines(shown, legend), *supply_lines(shown, legend)):
        console.print(line)


def suspended_lines(shown: Mapping[str, Any]) -> list[str]:
    """A line per instrument that interlocks keep from going on; one for a step of people."""
    lines, paused = [], Counter[str]()
    for name, mode in sorted(shown.get("modes", {}).items()):
        if mode["name"] != "suspended":
            continue
        steps = mode.get("steps") or ()
        if set(steps) == set(mode["why"]):
            paused[", ".join(steps)] += 1
            continue
        lines.append(
            f"{name} is suspended by {', '.join(mode['why'])}; it goes on by itself when that is "
            "over"
        )
    for steps, count in paused.items():
        pause = "1 instrument pauses" if count == 1 else f"{count} instruments pause"
        lines.append(f"{pause} for {steps}, until it is signed")
    return lines


def answer_lines(question: QuestionWords, run: Path) -> list[str]:
    """Of each answer the command, to be pasted as it stands, and what it leads to.

    A '|' between answers would be a shell's pipe.
    """
    lines = []
    for option in question.options:
        lines.append(f"  {command_words(question.id, option.choice, pasted(run))}")
        if option.consequence:
            lines.append(f"      {option.label}: {option.consequence}")
    return lines


def next_line(shown: Mapping[str, Any], legend: Legend) -> str:
    """What comes next of each kind, in one line; "" for nothing."""
    upcoming = shown.get("upcoming", [])
    first: dict[str, str] = {}
    for group in upcoming_words((entry["key"] for entry in upcoming), legend):
        first.setdefault(group.kind, f"{group.what}, {group.at}")
    told = list(first.values()) or [
        f"{entry['what']}, {legend.moment(entry['at_s'])}" for entry in upcoming[:1]
    ]
    return f"next: {'; '.join(told)}" if told else ""


def counted(counters: Mapping[str, int]) -> str:
    """What was done and what was not, in words."""
    known = [words.format(counters[name]) for name, words in COUNTED.items() if name in counters]
    other = [f"{count} {name}" for name, count in counters.items() if name not in COUNTED]
    return ", ".join(known + other)


def left_out_lines(shown: Mapping[str, Any], legend: Legend) -> list[str]:
    """Wells that the analysis leaves out, together where they are so from the same time."""
    since: dict[float, list[str]] = {}
    for well, from_s in shown.get("censored_from_s", {}).items():
        since.setdefault(from_s, []).append(well)
    return [
        f"left out of the analysis since {legend.moment(from_s)}: {legend.wells_words(wells)}"
        for from_s, wells in sorted(since.items())
    ]


def reservoir_lines(shown: Mapping[str, Any], legend: Legend) -> list[str]:
    """A line for each reservoir that ends before the run, the first to run dry first.

    One more for all others that are drawn from, and one for the rest.
    """
    reservoirs = shown.get("reservoirs", [])
    drawn = sorted(
        (r for r in reservoirs if r["dry_at_s"] is not None), key=lambda r: float(r["dry_at_s"])
    )
    told = {s["name"] for s in shown.get("supplies", []) if s["ends_s"] is not None}
    lines = [
        f"[bold red]{r['reservoir']}: {number_words(r['left_ml'], 'mL')}, at this rate until "
        f"{legend.clock(r['dry_at_s'])}: before the run is over[/]"
        for r in drawn
        if r["dry_at_s"] < shown["duration_s"] and r["reservoir"] not in told
    ]
    lasting = [r for r in drawn if r["dry_at_s"] >= shown["duration_s"]]
    if lasting:
        first = lasting[0]
        others = f" ({len(lasting)} reservoirs)" if len(lasting) > 1 else ""
        lines.append(
            f"what is drawn from now lasts beyond the end{others}: {first['reservoir']} is the "
            f"first to be empty, {legend.clock(first['dry_at_s'])}"
        )
    idle = [r["left_ml"] for r in reservoirs if r["dry_at_s"] is None]
    if idle:
        lines.append(
            f"{len(idle)} more, not drawn from now: {number_words(min(idle), 'mL')} or more in each"
        )
    return lines


def supply_lines(shown: Mapping[str, Any], legend: Legend) -> list[str]:
    """What else is used up: waste, tubes, calibrations and the disk; and what people filled."""
    lines = []
    for supply in shown.get("supplies", []):
        left, name = number_words(max(0.0, supply["left"]), supply["unit"]), supply["name"]
        told = {
            "waste": f"waste: room for {left}",
            "tube": f"tube in {name}: {left} of its life left",
            "calibration": f"calibration of {name}: valid for {left}",
            "disk": f"disk: {left} free",
        }.get(supply["sort"], f"{name}: {left} left")
        planned = planned_filling(supply, legend, float(shown["now_s"]))
        if planned is not None:
            lines.append(f"{told}, is seen to {legend.clock(planned)}, as planned")
        elif supply["ends_s"] is not None:
            ends = f"{told}, until {legend.clock(supply['ends_s'])}, by the plan"
            lines.append(f"[bold red]{ends}: before the run is over[/]")
        elif supply["sort"] in ("waste", "tube", "disk") or supply["fillings"]:
            lines.append(told)
        if supply["fillings"] and lines:
            lines[-1] += f" (seen to {count_words(supply['fillings'], 'time')})"
    return lines


def _progress(shown: Mapping[str, Any], legend: Legend) -> str:
    if shown.get("now_s") is None:
        return ""
    text = f", {length_words(shown['now_s'])} of {length_words(shown['duration_s'])}"
    if legend.zero is not None and not shown.get("last_utc"):
        text += f", ends {legend.clock(shown['duration_s'])}"
    if shown.get("last_utc"):
        last = datetime.fromisoformat(shown["last_utc"])
        text += f"; last heard of {date_words(last, legend.zone)}"
    if shown.get("simulated"):
        text += " (by its simulated clock)"
    return text

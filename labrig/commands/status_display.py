"""How ``labrig status`` shows a run to a person who has just come in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

WHAT_NOW = {
    "died": (
        "Its runner is dead. Stimulation has ended by itself; pumps keep their last rates where "
        "they can.\n`labrig resume {run}` takes the run over (`labrig serve` does so by itself)."
    ),
    "never begun": (
        "Its start was refused, nothing was sent to any instrument: {run}/runner.log says why. "
        "Mend that and start anew with `labrig run`."
    ),
    "unreachable": (
        "Its runner lives but does not answer. Try again in a moment; {run}/runner.log has its "
        "last words."
    ),
}

FOLLOW_IT = (
    "Its pictures are not measured, and nobody would write its report: `labrig follow` does both "
    "(`labrig serve` by itself)."
)


def print_status(run: Path, shown: Mapping[str, Any]) -> None:
    """Print what a runner shows of itself, the most urgent first.

    Args:
        run: its folder.
        shown: as ``GET /status`` gives it; for a run without a runner only ``condition`` and
            ``counters`` are needed. ``named`` says which run on which rig.
    """
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    condition = shown["condition"]
    sound = condition in ("running", "finished") and shown.get("alive", True)
    style = "green" if sound else "bold red"
    console.print(
        f"{escape(shown.get('named', run.name))}: [{style}]{condition}[/]{_progress(shown)}"
    )
    for why in shown.get("why", []):
        console.print(f"[bold red]{escape(why)}[/]")
    if condition in WHAT_NOW:
        console.print(WHAT_NOW[condition].format(run=run))
    if not shown.get("followed", True):
        console.print(
            f"[bold red]Nobody follows it[/], so nobody measures its pictures. {FOLLOW_IT}"
        )
    for alarm in shown.get("alarms", []):
        console.print(
            f"[bold red]ALARM[/] {escape(alarm['about'])}, since {_hours(alarm['since_s'])}: "
            + escape(f"{alarm['what']} {alarm['remedy']}")
        )
    for question in shown.get("questions", []):
        options = " / ".join(question["options"])
        asked = escape(f"{question['id']}: {question['what']}")
        console.print(f"[bold]QUESTION[/] {asked} ({options})")
    for thread in shown.get("threads", []):
        if not thread["alive"]:
            console.print(
                f"[bold red]HANGS[/] {escape(thread['name'])}: {escape(thread['doing'])} for "
                f"{thread['for_s']:.0f} s. What else stands here may be old."
            )
    if not shown.get("journal_works", True):
        console.print("[bold red]The journal cannot be written: nothing new is begun.[/]")
    if shown.get("phase"):
        console.print(f"phase: {shown['phase']}")
    if shown.get("pilot"):
        console.print("[yellow]pilot: not committed[/]")
    counters = shown.get("counters", {})
    if counters:
        console.print(", ".join(f"{name} {count}" for name, count in counters.items()))
    if shown.get("censored_from_s"):
        console.print(f"censored: {', '.join(sorted(shown['censored_from_s']))}")
    for entry in shown.get("upcoming", [])[:1]:
        console.print(f"next: {entry['key']} at {_hours(entry['at_s'])}")
    for line in reservoir_lines(shown):
        console.print(line)


def reservoir_lines(shown: Mapping[str, Any]) -> list[str]:
    """One line for each reservoir that is drawn from, the first to run dry first; one for the rest.

    Those that will be empty before the run is over are marked.
    """
    reservoirs = shown.get("reservoirs", [])
    drawn = sorted(
        (r for r in reservoirs if r["dry_at_s"] is not None), key=lambda r: float(r["dry_at_s"])
    )
    lines = []
    for reservoir in drawn:
        dry = datetime.fromisoformat(shown["utc"]) + timedelta(
            seconds=reservoir["dry_at_s"] - shown["now_s"]
        )
        line = (
            f"{reservoir['reservoir']}: {reservoir['left_ml']:.1f} mL, at this rate until "
            f"{dry.astimezone():%a %d %b %H:%M}"
        )
        if reservoir["dry_at_s"] < shown["duration_s"]:
            line = f"[bold red]{line}: before the run is over[/]"
        lines.append(line)
    idle = [r["left_ml"] for r in reservoirs if r["dry_at_s"] is None]
    if idle:
        lines.append(f"{len(idle)} more, not drawn from now: {min(idle):.1f} mL or more in each")
    return lines


def _progress(shown: Mapping[str, Any]) -> str:
    if shown.get("now_s") is None:
        return ""
    text = f", {shown['now_s'] / 3600:.2f} of {shown['duration_s'] / 3600:.2f} h"
    if shown.get("last_utc"):
        last = datetime.fromisoformat(shown["last_utc"]).astimezone()
        text += f"; last heard of {last:%Y-%m-%d %H:%M:%S}"
    return text


def _hours(at_s: float) -> str:
    """Run time as hours and minutes."""
    minutes = round(at_s / 60)
    return f"{minutes // 60}:{minutes % 60:02d} h"

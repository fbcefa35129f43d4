"""Turns the errors a person can mend into a few lines and an exit status."""

from __future__ import annotations

import errno

from rich.console import Console
from rich.markup import escape

from labrig.commands import exit_codes
from labrig_drivers.errors import InstrumentError


def explain(error: Exception) -> int:
    """Print what went wrong and what to do; returns the exit status.

    An error that nobody has learnt to explain yet is raised again, with its traceback.
    """
    from labrig.commands.page_process import PageRefused
    from labrig.commands.which_run import NoSuchRun, SeveralRuns
    from labrig.durable import DamagedFile
    from labrig.export.source import ExportRefused
    from labrig.flows.login import NotPrivate
    from labrig.flows.schedules import ScheduleRefused
    from labrig.flows.services import ServiceFailed
    from labrig.launch.offers import NoKeeper, OfferRefused
    from labrig.launch.prepare import StartRefused
    from labrig.launch.runner_child import RunnerDied, RunnerRefused
    from labrig.launch.served import NotServed
    from labrig.night.followed import AlreadyFollowed
    from labrig.night.following import NightEndedEarly
    from labrig.plan.checks.overrides import override_lines
    from labrig.plan.store import PlanFormatError
    from labrig.problems import FileProblems
    from labrig.protocol.blinding_key import KeyDamaged
    from labrig.record.rows import JournalError
    from labrig.run.control_client import CommandRefused, NoRunner
    from labrig.run.runner import RunOver
    from labrig.run_folder import NotARunFolder
    from labrig.watch.routes import RoutesExposed
    from labrig.watch.standing_alone import WatchLives

    # A path that is broken in two cannot be copied: lines are left to the terminal.
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if isinstance(error, StartRefused):
        console.print(f"[bold red]Not started:[/] {escape(str(error))}")
        for finding in error.findings:
            console.print(f"  [red]{finding.code}[/] {escape(finding.where)}")
            console.print(f"    {escape(finding.why)}")
            console.print(f"    [bold]What to do:[/] {escape(finding.remedy)}")
        if lines := override_lines(error.findings):
            console.print("To override, a person writes into the protocol:")
            for line in lines:
                console.print(f"  {line}", markup=False)
        return exit_codes.REFUSED
    if isinstance(error, FileProblems):
        console.print(str(error), style="red", markup=False)
        return exit_codes.REFUSED
    if isinstance(error, InstrumentError):
        console.print(f"[bold red]{escape(error.instrument)}:[/] {escape(error.what)}")
        if error.remedy:
            console.print(f"  [bold]What to do:[/] {escape(error.remedy)}")
        return exit_codes.INSTRUMENT
    if isinstance(error, NoRunner):
        console.print(f"[bold red]No runner answers:[/] {escape(str(error))}")
        return exit_codes.NO_RUNNER
    if isinstance(error, NoSuchRun):
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return exit_codes.NO_RUNNER
    if isinstance(error, SeveralRuns):
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return exit_codes.REFUSED
    if isinstance(error, NotARunFolder | DamagedFile | FileNotFoundError | FileExistsError):
        console.print(str(error), style="red", markup=False)
        return exit_codes.REFUSED
    if isinstance(error, PermissionError):
        console.print(
            f"{error.filename} cannot be read or written by this user.\n"
            "  → Choose a folder of your own, or have its owner grant it.",
            style="red",
            markup=False,
        )
        return exit_codes.REFUSED
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        console.print(f"{error}\n  → Free disk space and repeat this.", style="red", markup=False)
        return exit_codes.REFUSED
    if isinstance(error, RunnerRefused):
        console.print(f"[bold red]Not started:[/] {escape(str(error))}")
        return error.exit_status
    if isinstance(error, RunnerDied | NightEndedEarly | ServiceFailed):
        console.print(str(error), style="red", markup=False)
        return exit_codes.ENDED_EARLY
    refusals = (
        OfferRefused | NoKeeper | JournalError | PlanFormatError | CommandRefused | RunOver
        | NotPrivate | ScheduleRefused | NotServed | AlreadyFollowed | KeyDamaged | ExportRefused
        | RoutesExposed | WatchLives | PageRefused
    )  # fmt: skip
    if isinstance(error, refusals):
        console.print(str(error), style="red", markup=False)
        return exit_codes.REFUSED
    raise error

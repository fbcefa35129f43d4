"""Turns the errors a person can mend into a few lines and an exit status."""

from __future__ import annotations

import typer
from rich.console import Console

from labrig.commands import exit_codes
from labrig_drivers.errors import InstrumentError


def explain(error: Exception) -> int:
    """Print what went wrong and what to do; returns the exit status.

    An error that nobody has learnt to explain yet is raised again, with its traceback.
    """
    from labrig.launch.prepare import StartRefused
    from labrig.launch.runner_child import RunnerDied
    from labrig.problems import FileProblems
    from labrig.run.control_client import NoRunner
    from labrig.run_folder import NotARunFolder

    console = Console(stderr=True, highlight=False)
    if isinstance(error, StartRefused):
        console.print(f"[bold red]Not started:[/] {error}")
        for finding in error.findings:
            console.print(f"  [red]{finding.code}[/] {finding.where}\n    {finding.why}")
            console.print(f"    [bold]What to do:[/] {finding.remedy}")
        return exit_codes.REFUSED
    if isinstance(error, FileProblems):
        console.print(str(error), style="red", markup=False)
        return exit_codes.REFUSED
    if isinstance(error, InstrumentError):
        console.print(f"[bold red]{error.instrument}:[/] {error.what}")
        if error.remedy:
            console.print(f"  [bold]What to do:[/] {error.remedy}")
        return exit_codes.INSTRUMENT
    if isinstance(error, NoRunner):
        console.print(f"[bold red]No runner answers:[/] {error}")
        return exit_codes.NO_RUNNER
    if isinstance(error, NotARunFolder | FileNotFoundError | FileExistsError):
        console.print(str(error), style="red", markup=False)
        return exit_codes.REFUSED
    if isinstance(error, RunnerDied):
        console.print(str(error), style="red", markup=False)
        return exit_codes.ENDED_EARLY
    raise error


def leave(status: int) -> None:
    """End the command with this status."""
    raise typer.Exit(status)

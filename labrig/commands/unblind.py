"""``labrig unblind``: tell which code was which arm, once the measures are closed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labrig.commands import exit_codes
from labrig.login_name import login_name


def unblind(
    run: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why now; it will stand in the report.")],
    by: Annotated[str, typer.Option(help="Who answers for it; your login when not given.")] = "",
    early: Annotated[
        bool, typer.Option("--early", help="Although measures are not closed: a deviation.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line instead.")] = False,
) -> None:
    """Tell the arms of a blinded run, and write down who did, when and why.

    Refuses until the run has ended and its tables are closed and unchanged
    (measures/manifest.jsonl): correct labels first. The report is then made anew, with names, and
    says when it was unblinded and that measures had been closed before.

    Example: labrig unblind runs/2026-12-01_night --reason "all labels are corrected"

    Exit status: 0 told; 1 refused.
    """
    from labrig.night.unblinding import UnblindingRefused
    from labrig.night.unblinding import unblind as tell
    from labrig.report.build import build_report
    from labrig.run_folder import RunFolder

    folder = RunFolder.at(run)
    try:
        key = tell(folder, by or login_name(), reason, early=early)
    except UnblindingRefused as error:
        typer.echo(f"Not unblinded: {error}", err=True)
        raise typer.Exit(exit_codes.REFUSED) from None
    page = build_report(folder)
    if as_json:
        typer.echo(json.dumps({"arms": dict(key.arms), "early": early, "report": str(page)}))
        return
    for arm, code in sorted(key.arms.items(), key=lambda pair: int(pair[1].rpartition("-")[2])):
        typer.echo(f"{code}  {arm}")
    typer.echo(f"Report with names: {page}")

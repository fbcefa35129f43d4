"""``labrig weigh``: a reservoir before and after, the one witness of what pumps believe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labrig.commands import exit_codes
from labrig.login_name import login_name


def weigh(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    reservoir: Annotated[str, typer.Argument(help="Its name in the rig file.")],
    before: Annotated[
        float | None,
        typer.Option(metavar="GRAMS", min=0.0, help="Its weight when the run began, with bottle."),
    ] = None,
    after: Annotated[
        float | None,
        typer.Option(metavar="GRAMS", min=0.0, help="Its weight now, in the same bottle."),
    ] = None,
) -> None:
    """Write down what a reservoir weighed before and after a run, and compare with its pumps.

    A pump only believes what it moved; a bottle knows. Goes into the journal, while the run goes on
    or after it has ended; `labrig report RUN` then shows it. A weight given again replaces the
    one before. Weigh "after" when its pumps have been stopped, and enter it then.

    Example: labrig weigh runs/2026-12-01_night medium --before 512.4
    """
    from labrig.night.weighing import UnknownReservoir
    from labrig.night.weighing import weigh as write_down
    from labrig.run_folder import RunFolder

    if before is None and after is None:
        raise typer.BadParameter("give --before GRAMS, --after GRAMS or both")
    folder = RunFolder.at(run)
    for when, grams in (("before", before), ("after", after)):
        if grams is None:
            continue
        try:
            balance = write_down(folder, reservoir, when, grams, login_name())
        except UnknownReservoir as error:
            raise typer.BadParameter(str(error), param_hint="RESERVOIR") from None
        typer.echo(f"{reservoir}: {grams:g} g {when}.")
    if balance.weighed_ul is None:
        return
    believed = f"{balance.believed_ul / 1000:.2f}"
    if balance.believed_most_ul - balance.believed_ul > 1.0:
        believed += f" to {balance.believed_most_ul / 1000:.2f}"
    typer.echo(
        f"{balance.weighed_ul / 1000:.2f} mL by weight; its pumps believe {believed} mL "
        f"(± {balance.tolerance_ul / 1000:.2f})."
    )
    if balance.agrees is False:
        typer.echo(
            f"This contradicts the pumps of {reservoir}: look for a leak, a clog, worn tubing or "
            "a wrong syringe. What its wells got is not what the report models.",
            err=True,
        )
        raise typer.Exit(exit_codes.PARTLY)

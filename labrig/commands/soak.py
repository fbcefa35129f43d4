"""``labrig soak``: nights drawn from numbers, with everything that may go wrong in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labrig.commands import exit_codes

if TYPE_CHECKING:
    from labrig.soak.soaking import Failure, Tally


def soak(
    nights: Annotated[int, typer.Option(help="How many.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Number of the first; the others follow it.", min=0)] = (
        300_000
    ),
    jobs: Annotated[int, typer.Option(help="Processes at once.", min=1)] = 1,
    short: Annotated[
        bool, typer.Option("--short", help="A line for a failing night; none is shrunk.")
    ] = False,
    keep: Annotated[Path, typer.Option(help="Folder for the files of nights that fail.")] = Path(
        "labrig-soak"
    ),
    tries: Annotated[
        int, typer.Option(help="Nights played at most to shrink one that fails.", min=0)
    ] = 200,
    replay: Annotated[
        Path | None,
        typer.Option(help="Play the night of this file instead.", show_default=False),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="With --replay, or with one night: keep its run folder here.", show_default=False
        ),
    ] = None,
) -> None:
    """Play simulated nights with random trouble and hold each against what physically happened.

    Pumps stall, cables are pulled, the runner is killed, the disk is full, people stop and hold at
    bad moments, all on a clock that jumps. A night of which something is not true is shrunk to the
    smallest that still fails and kept as a file.

    Examples:
      labrig soak --nights 1000 --jobs 2

      labrig soak --replay labrig-soak/seed-200037.yaml
    """
    from labrig.soak.document import read_night_file
    from labrig.soak.drawing import night_of
    from labrig.soak.playing import play_here
    from labrig.soak.soaking import Tally
    from labrig.soak.soaking import soak as soaked

    if folder is not None and folder.exists():
        raise typer.BadParameter(f"{folder} is there already: name one that is not")
    if replay is not None or (folder is not None and nights == 1):
        night = night_of(seed) if replay is None else read_night_file(replay)
        found = play_here(night, folder)
        typer.echo(night.story())
        for violation in found:
            typer.echo(f"  ! {violation}")
        typer.echo(f"{len(found)} things are not true of it." if found else "All of it is true.")
        raise typer.Exit(exit_codes.REFUSED if found else exit_codes.OK)
    if folder is not None:
        raise typer.BadParameter("--folder is for one night: add --nights 1 or --replay FILE")
    tally = Tally()
    last = seed + nights - 1
    for played in soaked(range(seed, seed + nights), jobs, keep, 0 if short else tries):
        tally.add(played)
        if played.failure is not None:
            _tell(played.failure, short=short)
        if tally.nights % 250 == 0 and tally.nights < nights:
            typer.echo(f"{tally.nights} of {nights} nights (next seed {played.seed + 1})")
    _sum_up(tally, last)
    raise typer.Exit(exit_codes.REFUSED if tally.failures else exit_codes.OK)


def _tell(failure: Failure, *, short: bool) -> None:
    if short:
        typer.echo(f"seed {failure.seed}: {'; '.join(failure.found)}")
        return
    typer.echo(f"seed {failure.seed} is not true:")
    for violation in failure.found:
        typer.echo(f"  ! {violation}")
    typer.echo(f"  the whole: labrig soak --nights 1 --seed {failure.seed} --folder RUN")
    if failure.file:
        typer.echo(
            f"  shrunk to {failure.left} of {failure.of} parts in {failure.tries} tries: "
            f"labrig soak --replay {failure.file}"
        )


def _sum_up(tally: Tally, last: int) -> None:
    hours = tally.virtual_s / 3600.0
    typer.echo(
        f"{tally.nights} nights ({hours:.0f} h of bench time, up to seed {last}): "
        f"{len(tally.failures)} with something untrue; "
        f"{tally.nights_an_hour():.0f} nights an hour and core"
    )

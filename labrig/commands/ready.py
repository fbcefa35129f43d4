"""``labrig ready``: a person has seen to the bench after a stop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def ready(
    runs: Annotated[Path, typer.Option(help="Folder of runs of the bench.")] = Path("runs"),
    by: Annotated[str, typer.Option("--name", help="Who has seen to it.")] = "",
) -> None:
    """Say that the bench is ready: nights may begin by themselves again after a stop.

    Until then `labrig serve` refuses every start that is offered, by the clock or by hand. A start
    with `labrig run` needs no such word.
    """
    from labrig.launch.bench_ready import last_end, say_ready
    from labrig.run_folder import NotARunFolder

    if not runs.is_dir():
        raise NotARunFolder(f"{runs} is no folder of runs: name it with --runs")
    say_ready(runs, by)
    ends = [end for end in (last_end(runs, simulated=s) for s in (False, True)) if end is not None]
    after = "".join(f"\nlast run: {end.name}, {end.condition}" for end in ends)
    typer.echo(f"The bench of {runs} is ready: starts that are offered are accepted again.{after}")

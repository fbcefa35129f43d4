"""``labrig init``: a lab's own copy of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="A new or empty folder.")
    ] = None,
    listed: Annotated[
        list[str] | None,
        typer.Option(
            "--about", help="Copy nothing: list protocols that ask about this word; repeatable."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--list", help="Copy nothing: list every protocol by its question.")
    ] = False,
) -> None:
    """Copy the catalogue of protocols and rigs to DIR, to be edited there.

    The files carry comments with the origin of every number, and name the schema with which an
    editor (VS Code with the YAML extension, PyCharm) completes and checks them. Nothing that
    exists is overwritten.

    Examples:
      labrig init my-lab

      labrig init --list

      labrig init --about CNTF --about age
    """
    if every or listed:
        _list(listed or [])
        return
    if folder is None:
        raise typer.BadParameter("name a folder, e.g. `labrig init my-lab`, or add --list")
    from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, copy_catalogue

    for path in copy_catalogue(folder):
        typer.echo(path)
    typer.echo(
        "\nNext: edit a protocol and a rig, then\n"
        f"  labrig check {folder / DEMO_PROTOCOL} --rig {folder / DEMO_RIG}"
    )


def _list(words: list[str]) -> None:
    from labrig.seed.finding import about, every_protocol
    from labrig.seed.index import load_index

    found = about(every_protocol(load_index()), words)
    for one in found:
        rows = f"  [{', '.join(one.rows)}]" if one.rows else ""
        typer.echo(f"{one.asks}{rows}\n    {one.protocol}  --rig {one.bench}")
    if not found:
        typer.echo(f"No protocol asks about {' and '.join(words)}. `labrig init --list` has all.")

"""``labrig init``: a lab's own copy of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
) -> None:
    """Copy the catalogue of protocols and rigs to DIR, to be edited there.

    The files carry comments with the origin of every number, and name the schema with which an
    editor (VS Code with the YAML extension, PyCharm) completes and checks them. Nothing that
    exists is overwritten.

    Example: labrig init my-lab
    """
    from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, copy_catalogue

    for path in copy_catalogue(folder):
        typer.echo(path)
    typer.echo(
        "\nNext: edit a protocol and a rig, then\n"
        f"  labrig check {folder / DEMO_PROTOCOL} --rig {folder / DEMO_RIG}"
    )

"""Requests to measure that cannot be carried out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from labrig.commands import exit_codes


@contextmanager
def refusals_explained() -> Iterator[None]:
    """A request that cannot be carried out ends with its reason and status 1."""
    from labrig_measure.errors import MeasureError

    try:
        yield
    except MeasureError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(exit_codes.REFUSED) from error

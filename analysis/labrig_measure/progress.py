"""A progress bar for work that goes field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def field_progress(quiet: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    """A callback that moves a bar on stderr; None where a script is reading."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("Measuring"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[field]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("fields", total=None, field="")

        def advance(done: int, total: int, field: str) -> None:
            bar.update(task, completed=done, total=total, field=field)

        yield advance

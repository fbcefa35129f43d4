"""``labrig seed``: the systems that the paper names, as protocols, and whether each still holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from labrig.seed.rows import Checked

app = typer.Typer(
    name="seed",
    help="The systems that the paper names, as protocols.\n\n"
    "`labrig seed list` finds one by its question; `labrig seed check` tries them.",
    no_args_is_help=True,
)


@app.command("list")
def list_rows() -> None:
    """Say each row's number, question and protocol, or why it is out of scope."""
    from labrig.seed.index import load_index

    for number, row in load_index().rows.items():
        where = f"protocols/seed/{row.protocol}" if row.protocol else "out of scope"
        typer.echo(f"{number:4} {row.asks}\n     {where}")


@app.command()
def check(
    rows: Annotated[
        list[str] | None, typer.Argument(help="Rows such as S07; omitted: all.", show_default=False)
    ] = None,
    to_report: Annotated[
        Path | None,
        typer.Option(
            "--run",
            help="Also run each with few pictures to its report, in this folder: one to four "
            "minutes of CPU a protocol, an hour and a half for all.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a row.")] = False,
) -> None:
    """Compile every row's protocol, and ask the simulated culture for the sign that is expected.

    Each plan is carried out on the culture's own state, without pictures: seconds a row. With
    --run the protocol is run too, with few pictures, and what was measured is held against the
    same predictions; rows of one protocol share its run.

    Examples:
      labrig seed check S07 S08

      labrig seed check S16 --run /tmp/rows

      labrig seed check --run /tmp/rows
    """
    from labrig.commands import exit_codes
    from labrig.seed.index import load_index
    from labrig.seed.rows import checked
    from labrig.seed.short_runs import ShortRuns

    index = load_index()
    wanted = rows or list(index.rows)
    if unknown := [number for number in wanted if number not in index.rows]:
        raise typer.BadParameter(f"there is no row {unknown[0]}: they are D1 to D7 and S01 to S48")
    found, short_runs = [], ShortRuns(to_report, {number: index.rows[number] for number in wanted})
    for number in wanted:
        result = short_runs.with_run(checked(number, index.rows[number]))
        found.append(result)
        typer.echo(json.dumps(result.as_json()) if as_json else _line(result))
    failed = [result.number for result in found if not result.good]
    if not as_json:
        typer.echo(f"\n{len(found)} rows, {len(found) - len(failed)} as expected")
        if to_report is not None:
            typer.echo(short_runs.took)
    if failed:
        raise typer.Exit(exit_codes.REFUSED)


def _line(result: Checked) -> str:
    head = f"{result.number:4} {result.what}"
    return "\n".join([head, *(f"       {line}" for line in result.lines)])

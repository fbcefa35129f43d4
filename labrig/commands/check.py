"""``labrig check``: what a protocol would do on a rig, and what speaks against it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labrig.commands import exit_codes
from labrig.commands.coded_check import print_coded, show_to_handler

if TYPE_CHECKING:
    from rich.console import Console

    from labrig.plan.budget import Budget
    from labrig.plan.findings import Finding
    from labrig.plan.plan import Plan
    from labrig.plan.table import Row


MOST_PLACES = 3  # of one finding that are listed on a terminal; --json has them all


class DryRun(StrEnum):
    """How much of the timeline to list."""

    TABLE = "table"
    EVERY = "every"


def check(
    protocol: Annotated[Path, typer.Argument(help="Protocol file (YAML).")],
    rig: Annotated[Path, typer.Option(help="Rig file (YAML): what stands on the bench.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print findings, loading list and budget as JSON.")
    ] = False,
    dry_run: Annotated[
        DryRun | None,
        typer.Option(
            help="List what would be done when: 'table' gathers rounds, 'every' does not."
        ),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Write gantt.svg and concentrations.svg into this folder."),
    ] = None,
    handler: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Of a blinded protocol: show names to who fills the syringes; written down.",
        ),
    ] = "",
) -> None:
    """Compile PROTOCOL for a rig and say what would happen; no instrument is touched.

    Findings come in three grades: BLOCK (the run will not start), WARN and NOTE, each with the
    place, the reason and what to do; docs/findings.md explains every code. Then follows what to
    load into which reservoir, the experimental units, and what the run takes.

    Of a blinded protocol that is committed only the loading list is shown, in syringe codes.

    Exit status: 0 nothing blocks; 1 a file is wrong or a finding blocks.

    Example: labrig check protocols/demo-night.yaml --rig protocols/rigs/simulated-bench.yaml
    """
    import shutil
    from datetime import UTC, datetime

    from labrig.launch.own_responses import own_responses
    from labrig.launch.twin_spec import unanswered
    from labrig.plan.arm_texts import arm_texts
    from labrig.plan.budget import budget
    from labrig.plan.compile import compile as compile_plan
    from labrig.problems import FileProblems
    from labrig.protocol.blinding_key import key_in_force
    from labrig.protocol.contents import masses
    from labrig.protocol.loading import load_protocol
    from labrig.rig.loading import load_rig
    from labrig.watch.trials import findings_about

    try:
        loaded, bench = load_protocol(protocol), load_rig(rig)
        own = own_responses(loaded.model, protocol) if bench.model.simulated else ""
    except FileProblems as error:
        if not as_json:
            raise
        typer.echo(json.dumps({"blocked": True, "problems": _problems(error)}, indent=1))
        raise typer.Exit(exit_codes.REFUSED) from None
    today = datetime.now(UTC).astimezone().date()
    free_bytes = shutil.disk_usage(Path.cwd()).free
    plan = compile_plan(loaded, bench, today=today, free_bytes=free_bytes)
    if bench.model.simulated:
        plan = replace(plan, findings=(*plan.findings, *unanswered(loaded.model, own)))
    calls = findings_about(plan, bench.model.simulated, datetime.now(UTC))
    plan = replace(plan, findings=(*plan.findings, *calls))
    key = key_in_force(loaded.model, protocol)
    if key is not None and not handler:
        if dry_run is not None or pictures is not None:
            raise typer.BadParameter(
                "the protocol is blinded, and these tell the arms: give --handler NAME",
                param_hint="--dry-run / --pictures",
            )
        print_coded(plan, key, as_json=as_json)
        raise typer.Exit(exit_codes.REFUSED if plan.blocked else exit_codes.OK)
    if key is not None:
        show_to_handler(loaded.model, protocol, key, handler)
    stocks = {name: masses(loaded.model, name) for name in loaded.model.stocks}
    sums = budget(plan, stocks)
    written = _pictures(plan, pictures) if pictures is not None else []
    rows = _rows(plan, dry_run) if dry_run is not None else None
    if as_json:
        typer.echo(json.dumps(_document(plan, sums, rows), indent=1, ensure_ascii=False))
    else:
        from rich.console import Console

        _print(Console(), plan, sums, rows, _units(plan), arm_texts(loaded.model))
        for path in written:
            typer.echo(f"wrote {path}")
    raise typer.Exit(exit_codes.REFUSED if plan.blocked else exit_codes.OK)


def _problems(error: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a FileProblems, imported late
    return [{**asdict(problem), "file": str(problem.file)} for problem in error.problems]


def _pictures(plan: Plan, folder: Path) -> list[Path]:
    from labrig.plan.curves import save_curves
    from labrig.plan.gantt import save_gantt

    folder.mkdir(parents=True, exist_ok=True)
    gantt, curves = folder / "gantt.svg", folder / "concentrations.svg"
    save_gantt(plan, gantt)
    save_curves(plan, curves)
    return [gantt, curves]


def _rows(plan: Plan, how: DryRun) -> list[Row]:
    from labrig.plan.table import digest, every_row

    return list(digest(plan) if how is DryRun.TABLE else every_row(plan))


def _units(plan: Plan) -> Iterable[str]:
    """How many independent units each arm has, in words."""
    for arm in dict.fromkeys(well.arm for well in plan.wells):
        own = [well for well in plan.wells if well.arm == arm]
        if any(well.chip for well in own):
            chips: dict[str, list[str]] = {}
            for well in own:
                chips.setdefault(well.chip, []).append(well.well)
            which = ", ".join(f"{chip} {' + '.join(wells)}" for chip, wells in chips.items())
            yield f"{arm}: {_count(len(chips), 'chip')} ({which})"
            continue
        lines = len({well.factor_unit for well in own})
        channels = {well.pattern_unit for well in own} - {""}
        sentence = f"{arm}: {_count(len(own), 'well')} on {_count(lines, 'dosing unit')}"
        if channels:
            sentence += f" and {_count(len(channels), 'stimulator channel')}"
        yield sentence + f" ({', '.join(well.well for well in own)})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _document(plan: Plan, sums: Budget, rows: list[Row] | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "protocol": plan.protocol_name,
        "protocol_sha256": plan.protocol_sha256,
        "rig": plan.rig_name,
        "rig_sha256": plan.rig_sha256,
        "pilot": plan.pilot,
        "blocked": plan.blocked,
        "findings": [asdict(finding) for finding in plan.findings],
        "loading": [asdict(row) for row in plan.loading],
        "wells": [asdict(well) for well in plan.wells],
        "pulses": [asdict(figure) for figure in plan.forecast.pulses],
        "budget": asdict(sums),
    }
    if rows is not None:
        document["timeline"] = [asdict(row) for row in rows]
    return document


def _print(
    console: Console,
    plan: Plan,
    sums: Budget,
    rows: list[Row] | None,
    units: Iterable[str],
    given: Mapping[str, str],
) -> None:
    from rich.markup import escape

    pilot = " [yellow](pilot: every output will say so)[/]" if plan.pilot else ""
    console.print(f"[bold]{escape(plan.protocol_name)}[/] on {escape(plan.rig_name)}{pilot}\n")
    _print_findings(console, plan.findings)
    _print_loading(console, plan)
    console.print("[bold]What each arm gets[/]")
    for arm, text in given.items():
        console.print(f"  {escape(arm)}: {escape(text)}", highlight=False)
    if plan.wells:
        console.print("[bold]Experimental units[/] (what counts as n is the unit, not the well)")
        for sentence in units:
            console.print(f"  {escape(sentence)}", highlight=False)
        _print_pulses(console, plan)
        _print_budget(console, sums)
        _print_steps(console, plan)
    else:
        console.print("No arm has a well yet, so nothing can be said of doses, pictures and time.")
    if rows is not None:
        _print_rows(console, rows)
    verdict = "[bold red]Blocked[/]" if plan.blocked else "[bold green]Nothing blocks the start[/]"
    console.print(f"\n{verdict}")


def _print_findings(console: Console, findings: tuple[Finding, ...]) -> None:
    from rich.markup import escape

    from labrig.plan.alike import alike
    from labrig.plan.checks.overrides import override_lines

    groups = alike(findings)
    for severity, colour in (("block", "red"), ("warn", "yellow"), ("note", "cyan")):
        of_grade = [group for group in groups if group.severity == severity]
        if not of_grade:
            continue
        console.print(
            f"[bold {colour}]{severity.upper()}[/] {sum(len(group.places) for group in of_grade)}"
        )
        for group in of_grade:
            places = "; ".join(group.places[:MOST_PLACES])
            if len(group.places) > MOST_PLACES:
                places += f"; and {len(group.places) - MOST_PLACES} more"
            console.print(
                f"  [{colour}]{group.code}[/]  {escape(places)}\n"
                f"    {escape(group.why)}\n"
                f"    [bold]→[/] {escape(group.remedy)}"
                + (" [dim](or override with a reason)[/]" if group.overridable else ""),
                highlight=False,
            )
        console.print()
    if lines := override_lines(findings):
        console.print("To override, a person writes into the protocol:")
        for line in lines:
            console.print(f"  {line}", highlight=False, markup=False)
        console.print()


def _print_loading(console: Console, plan: Plan) -> None:
    from rich.table import Table

    from labrig.plan.timeline import PersonStep

    if not plan.loading:
        return
    table = Table(title="Load before the start", title_justify="left")
    table.add_column("reservoirs", overflow="fold")
    table.add_column("solution")
    table.add_column("mL each", justify="right")
    table.add_column("contents", overflow="fold")
    alike: dict[tuple[str, float, str], list[str]] = {}
    for row in plan.loading:
        fills = "; fills the tubes of its lines" if row.fills else ""
        told = f"{row.contents}{fills}"
        alike.setdefault((row.solution, row.volume_ml, told), []).append(row.reservoir)
    for (solution, volume_ml, contents), reservoirs in alike.items():
        table.add_row(", ".join(reservoirs), solution, f"{volume_ml:.1f}", contents)
    console.print(table)
    for step in plan.timeline:
        if isinstance(step, PersonStep):
            for name, volume_ml in step.bottles:
                console.print(
                    f"Have ready for {step.step} at {step.offset_s / 3600:g} h: {volume_ml:.1f} mL "
                    f"of {step.medium}, in place of what is in {name}"
                )


def _print_pulses(console: Console, plan: Plan) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    if not plan.forecast.pulses:
        return
    # ten columns fit 80 characters only without walls between them
    table = Table(
        title="Impulses at one well (estimates; measure the current)",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column in (
        "pattern",
        "at",
        "mA",
        "µC/cm²",
        "V/cm",
        "mW",
        "ΔT K",
        "mean Hz",
        "pulses",
        "k*",
    ):
        table.add_column(column, justify="left" if column in ("pattern", "at") else "right")
    for figure in plan.forecast.pulses:
        table.add_row(
            figure.pattern,
            figure.electrode,
            f"{figure.current_ma:.1f}",
            f"{figure.charge_density_uc_cm2:.3g}",
            f"{figure.field_v_cm:.2g}",
            f"{figure.power_mw:.2g}",
            f"{figure.heating_k:.2g}",
            f"{figure.mean_rate_hz:.3g}",
            f"{figure.pulses:,}",
            f"{figure.shannon_k:.2f}",
        )
    console.print(table)
    console.print("[dim]* Shannon's k, a rule for brain tissue: shown, never a limit[/]")


def _print_budget(console: Console, sums: Budget) -> None:
    from labrig.plan.supplies import amount
    from labrig.plan.table import clock

    console.print("[bold]The run takes[/]")
    lines = [
        f"{clock(sums.duration_s)} h",
        f"{_count(sums.rounds, 'imaging round')}, {_count(sums.frames, 'picture')}, "
        f"{_count(sums.films, 'film')}: {sums.image_bytes / 1e9:.3g} GB before compression",
    ]
    lines += [f"{name}: {volume:.4g} mL in all" for name, volume in sums.solutions_ml.items()]
    lines += [f"{factor}: {amount(mass * 1000)}" for factor, mass in sums.factors_ug.items()]
    for line in lines:
        console.print(f"  {line}", highlight=False, markup=False)


def _print_steps(console: Console, plan: Plan) -> None:
    """What people are asked for, so that somebody is there."""
    from labrig.display.times import length_words
    from labrig.plan.timeline import PersonStep
    from labrig.plan.words import hours

    steps = [entry for entry in plan.timeline if isinstance(entry, PersonStep)]
    if not steps:
        return
    console.print("[bold]People are asked for[/]")
    for step in steps:
        signs = "two sign" if step.signatures > 1 else "one signs"
        pumps = ", pumps stand" if step.hold_s else ""
        line = (
            f"{hours(step.offset_s)} {step.step}: {step.what}, "
            + (f"{_count(len(step.wells), 'well')}, " if step.wells else "")
            + f"within {length_words(step.within_s)}, takes {length_words(step.takes_s)}{pumps}; "
            f"{signs}"
        )
        console.print(f"  {line}", highlight=False, markup=False)


def _print_rows(console: Console, rows: list[Row]) -> None:
    from rich.table import Table

    table = Table(title="What would be done when", title_justify="left")
    for column in ("t0 +", "phase", "what", "where"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row.clock, row.phase, row.what, row.where)
    console.print(table)

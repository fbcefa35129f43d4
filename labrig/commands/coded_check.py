"""``labrig check`` of a blinded protocol: syringe codes for the bench, names for who fills them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from labrig.commands import exit_codes

if TYPE_CHECKING:
    from labrig.plan.plan import Plan
    from labrig.protocol.blinding_key import BlindingKey
    from labrig.protocol.models import Protocol


def show_to_handler(protocol: Protocol, path: Path, key: BlindingKey, name: str) -> None:
    """Write down who sees the names, and print the codes that go onto syringes (stderr).

    Refuses somebody who is to judge pictures.
    """
    from labrig.protocol.blinding_key import key_path, note_seen
    from labrig.protocol.people import same_person

    judges = protocol.blinding.judges if protocol.blinding is not None else ()
    if judge := next((j for j in judges if same_person(name, j)), None):
        typer.echo(
            f"Not shown: {name} can be {judge}, who is to judge the pictures without knowing the "
            "arms. Let another person handle the syringes.",
            err=True,
        )
        raise typer.Exit(exit_codes.REFUSED)
    note_seen(key_path(path), name, "handles the syringes (labrig check)")
    typer.echo(f"Shown to {name}, and written down. Labels for the syringes:", err=True)
    for solution, code in key.solutions.items():
        typer.echo(f"  {code}  {solution}", err=True)


def print_coded(plan: Plan, key: BlindingKey, *, as_json: bool) -> None:
    """What the bench needs and no name: the loading list in syringe codes."""
    loading = [
        {"reservoir": row.reservoir, "load": key.solutions.get(row.solution, "?"),
         "volume_ml": row.volume_ml}
        for row in plan.loading
    ]  # fmt: skip
    grades = Counter(finding.severity for finding in plan.findings)
    if as_json:
        document: dict[str, Any] = {
            "protocol": plan.protocol_name, "rig": plan.rig_name, "blinded": True,
            "blocked": plan.blocked, "findings": dict(grades), "loading": loading,
            "duration_h": plan.forecast.duration_s / 3600,
        }  # fmt: skip
        typer.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return
    typer.echo(f"{plan.protocol_name} on {plan.rig_name}: BLINDED, arms are coded")
    typer.echo(f"\nLoad before the start ({plan.forecast.duration_s / 3600:g} h)")
    alike: dict[tuple[str, float], list[str]] = {}
    for row in plan.loading:
        syringe = (key.solutions.get(row.solution, "?"), row.volume_ml)
        alike.setdefault(syringe, []).append(row.reservoir)
    for (code, volume_ml), reservoirs in alike.items():
        typer.echo(f"  {code:<11} {volume_ml:8.1f} mL each  {', '.join(reservoirs)}")
    found = ", ".join(f"{count} {grade}" for grade, count in grades.items()) or "none"
    typer.echo(f"\nFindings: {found}. They name arms: who fills syringes reads them with")
    typer.echo("  --handler NAME, which is written down; whoever judges pictures must not.")
    typer.echo("\nBlocked" if plan.blocked else "\nNothing blocks the start")

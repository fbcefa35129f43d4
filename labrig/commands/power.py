"""``labrig power``: what a design can see, before it runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labrig.commands import exit_codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labrig.plan.power import Design, Sight, Spread
    from labrig.protocol.analysis_plan import Component

_SHOWN_MOST = 200


def power(
    protocol: Annotated[Path, typer.Argument(help="Protocol file (YAML).")],
    rig: Annotated[Path, typer.Option(help="Rig file (YAML): what stands on the bench.")],
    donors: Annotated[
        int | None,
        typer.Option(
            min=1, max=_SHOWN_MOST, help="In all runs together.", show_default="as the plan says"
        ),
    ] = None,
    variances: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="Run folder to learn spreads from; give it once per run."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say what each committed contrast of PROTOCOL can see on a rig: power, loss, donors needed.

    Counts the carriers that the allocation of this protocol's seed draws, and leaves each contrast
    the error rate that the analysis plan leaves it. How much cultures spread is a proposal [P], but
    for what runs given with --variances show. A plan that cannot answer its question is told so,
    with exit status 0.

    Example: labrig power protocols/demo-night.yaml --rig protocols/rigs/simulated-bench.yaml
    """
    from datetime import UTC, datetime

    from labrig.plan.compile import compile as compile_plan
    from labrig.plan.power import PROPOSED, design_of_plan, sights
    from labrig.protocol.loading import load_protocol
    from labrig.rig.loading import load_rig

    loaded, bench = load_protocol(protocol), load_rig(rig)
    plan = compile_plan(loaded, bench, today=datetime.now(UTC).date(), free_bytes=None)
    if not plan.wells:
        typer.echo(
            f"{protocol} has no layout on {rig}, so there is nothing to count: `labrig check` says "
            "what speaks against it.",
            err=True,
        )
        raise typer.Exit(exit_codes.REFUSED)
    design = design_of_plan(loaded.model, bench.model, plan)
    if donors is not None and donors < design.donors:
        raise typer.BadParameter(f"this run alone has {design.donors}", param_hint="--donors")
    spreads = _spreads(variances) if variances else PROPOSED
    looks = dict.fromkeys((design.donors, donors or design.donors_planned))
    found = [sight for n in looks for sight in sights(design, spreads, n)]
    if as_json:
        typer.echo(json.dumps(power_document(design, spreads, found), indent=1, ensure_ascii=False))
    elif not found:
        typer.echo("No arm is compared with another, so there is nothing to see.")
    else:
        print_sights(design, spreads, found)


def _spreads(runs: list[Path]) -> Mapping[Component, Spread]:
    from labrig.report.analysis import analyse
    from labrig.report.record import read_record
    from labrig.run_folder import RunFolder
    from labrig.study.spreads import spreads_of

    return spreads_of([analyse(read_record(RunFolder.at(run))) for run in runs])


def power_document(
    design: Design, spreads: Mapping[Component, Spread], found: Sequence[Sight]
) -> dict[str, Any]:
    """What contrasts can see, for other programs."""
    return {
        "correction": design.rule.correction,
        "error_rate_one_sided": design.rule.error_rate,
        "donors_in_this_run": design.donors,
        "donors_planned": design.donors_planned,
        "spreads_of_logarithms": {readout: asdict(spreads[readout]) for readout in design.losses},
        "contrasts": [
            {
                **asdict(sight),
                "detectable": sight.detectable,
                "ci95_upper_ratio": sight.interval,
                "donors_needed": _needed(design, sight, spreads),
            }
            for sight in found
        ],
    }


def print_sights(
    design: Design, spreads: Mapping[Component, Spread], found: Sequence[Sight]
) -> None:
    """Say what contrasts can see, and whether the plan can answer its question."""
    rule = design.rule
    typer.echo(
        f"One-sided error rate {rule.error_rate:g} for all claims of a loss ({rule.correction}).\n"
        "Natural logarithms spread by:"
    )
    for readout in dict.fromkeys(sight.readout for sight in found):
        s = spreads[readout]
        tubes = f", tube {s.tube:g}" if s.tube else ""
        typer.echo(
            f"  {readout}: donor x arm {s.donor_by_arm:g}, unit {s.unit:g}, carrier "
            f"{s.carrier:g}{tubes}\n    {s.basis}"
        )
    typer.echo(
        "Probability to see the loss that the definition asks for, and the loss seen in 80%:"
    )
    looks = list(dict.fromkeys(sight.donors for sight in found))
    pairs = dict.fromkeys((s.arm, s.against, s.counted, s.gate) for s in found)
    for arm, against, counted, gate in pairs:
        typer.echo(f"{arm} v {against}: {counted} in this run{'; a gate' if gate else ''}")
        own = [s for s in found if (s.arm, s.against) == (arm, against)]
        for readout in dict.fromkeys(s.readout for s in own):
            seen = [s for s in own if s.readout == readout]
            needed = _needed(design, seen[0], spreads)
            typer.echo(
                f"  {readout} -{seen[0].asked:.0%}: "
                + "; ".join(_seen(sight) for sight in seen)
                + ("" if needed is None else f"; 80% with {_counted(needed)}")
            )
    _conclude(design, [s for s in found if s.donors == max(looks)])


def _seen(sight: Sight) -> str:
    """E.g. ``77% with 1 donor (-15%)``."""
    with_donors = f"with {_counted(sight.donors)}"
    if sight.power is None:
        return f"none {with_donors}, {sight.why_not}"
    seen = sight.detectable
    return f"{sight.power:.0%} {with_donors} ({'none' if seen in (None, 1) else f'-{seen:.0%}'})"


def _conclude(design: Design, last: Sequence[Sight]) -> None:
    """Say whether the plan can answer its question."""
    blind = [s for s in last if not s.answers]
    donors = _counted(last[0].donors)
    if not blind:
        typer.echo(f"With {donors} this plan can answer its question.")
    elif len(blind) == len(last):
        typer.echo(f"With {donors} this plan CANNOT answer its question.")
    else:
        pairs = dict.fromkeys(f"{s.arm} v {s.against} ({s.readout})" for s in blind)
        typer.echo(f"With {donors} this plan cannot answer: {'; '.join(pairs)}.")
    if design.donors_planned == 1:
        typer.echo("One donor describes only itself: no sentence about people follows from it.")


def _needed(design: Design, sight: Sight, spreads: Mapping[Component, Spread]) -> int | None:
    from labrig.plan.power import donors_needed

    pairs = [(c.arm, c.against) for c in design.rule.contrasts]
    number = pairs.index((sight.arm, sight.against))
    return donors_needed(design, number, sight.readout, spreads)


def _counted(donors: int) -> str:
    return "1 donor" if donors == 1 else f"{donors} donors"

"""``labrig commit``: fix the definition and the analysis plan before the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labrig.commands import exit_codes

NamesOption = Annotated[
    list[str] | None,
    typer.Option(help="Who stands by it; give it twice, for two people.", metavar="NAME"),
]
AmendOption = Annotated[
    bool, typer.Option("--amend", help="Change what was committed; needs --reason.")
]
AmendReasonOption = Annotated[
    str, typer.Option(help="Why it is amended; it will stand in the report.")
]


def commit(
    protocol: Annotated[Path, typer.Argument(help="Protocol file.")],
    name: NamesOption = None,
    amend: AmendOption = False,
    reason: AmendReasonOption = "",
    witness: Annotated[
        str,
        typer.Option(metavar="URL", help="A time stamp authority (RFC 3161) that is to witness."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line instead.")] = False,
) -> None:
    """Fix what the experiment will be judged by, before it begins.

    Writes PROTOCOL's name with .commitment.json beside it: the definition, the arms, the
    schedule, the rules and the seed, their SHA-256, the time and two names. A run refuses to
    start without it unless the protocol says `pilot: true`. An amendment before a run's first row
    is "amended before data", after it "post hoc". Every commitment is also a numbered line of
    commitments.jsonl beside the protocol, which outlives a file that is deleted.

    This computer's clock and disk prove nothing against their owner. --witness has an authority
    stamp the commitment, also one that was made before; without a network copy the line it prints
    into the bench book. `labrig verify` checks both, offline.

    Example: labrig commit my-night.yaml --name "A. Jansen" --name "B. Okoro"
    """
    from labrig.commands.witnessing import witnessed_by
    from labrig.protocol.commitment import CommitmentRefused
    from labrig.protocol.commitment import commit as commit_protocol
    from labrig.protocol.commitment_file import commitment_path
    from labrig.protocol.lab_log import LAB_LOG
    from labrig.protocol.loading import load_protocol
    from labrig.protocol.verification import verify
    from labrig.protocol.witness import bench_line

    if amend != bool(reason.strip()):
        raise typer.BadParameter("--amend and --reason go together", param_hint="--amend")
    try:
        made = commit_protocol(protocol, name or [], reason if amend else None)
    except CommitmentRefused as error:
        stands = verify(protocol) if witness and not amend and not name else None
        if stands is None or stands.state != "committed" or stands.commitment is None:
            typer.echo(f"Not committed: {error}", err=True)
            raise typer.Exit(exit_codes.REFUSED) from None
        made = stands.commitment
    if load_protocol(protocol).model.pilot:
        typer.echo(
            f"Note: {protocol} says `pilot: true`, so every output of its runs will still say "
            "pilot, and nothing in them tests a hypothesis. Remove that line to run it as "
            "committed; the commitment stays as it is.",
            err=True,
        )
    path, entry = commitment_path(protocol), made.entries[-1]
    said, is_witnessed = witnessed_by(witness, protocol, entry.chain)
    line = bench_line(made.protocol, entry.number, entry.chain)
    if as_json:
        facts = {
            "path": str(path),
            "sha256": entry.sha256,
            "utc": entry.utc,
            "names": entry.names,
            "amendment": entry.number,
            "bench_book": line,
            "witness": said,
        }
        typer.echo(json.dumps(facts))
        raise typer.Exit(exit_codes.PARTLY if witness and not is_witnessed else exit_codes.OK)
    what = f"Amendment {entry.number}" if made.amended else "Committed"
    if entry.number and not made.amended:
        what += f" as number {entry.number} (the earlier ones are in {LAB_LOG} beside it)"
    typer.echo(
        f"{what}: {path}\n  SHA-256 {entry.sha256}\n  {entry.utc}  {', '.join(entry.names)}\n"
        f"  {said}\n  For the bench book:  {line}"
    )
    if witness and not is_witnessed:
        raise typer.Exit(exit_codes.PARTLY)

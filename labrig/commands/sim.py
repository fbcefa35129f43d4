"""``labrig sim``: host a rig's simulators on real ports, until stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def sim(
    rig: Annotated[Path, typer.Argument(help="Rig file, e.g. protocols/rigs/simulated-bench.yaml")],
    tcp: Annotated[
        list[str] | None,
        typer.Option(
            help="Host PORT on TCP instead of a pty: PORT or PORT=NUMBER; may be repeated. "
            "'all' puts every port on TCP.",
            metavar="PORT[=NUMBER]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulated bench.")] = 1,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="What goes wrong, in seconds from the start: base:stall@60-120, "
            "probe:late_reply=5. May be repeated; an unknown FAULT lists those there are.",
            metavar="INSTRUMENT:FAULT[=VALUE][@FROM[-UNTIL]]",
        ),
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option(
            help="A file of what goes wrong, and when, as of `labrig run`.", show_default=False
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the table of ports as one JSON line.")
    ] = False,
) -> None:
    """Host the simulators of RIG so that any program can talk to them as to the instruments.

    Every serial port of the rig gets a pseudo-terminal (or a TCP port). The table says what to
    open; the simulators answer the instruments' own wire protocols until you press Ctrl-C.

    Example: labrig sim protocols/rigs/simulated-bench.yaml --tcp pulse_pal=5001
    """
    from labrig.commands.fault_option import beyond_hosted, read_fault
    from labrig.commands.hosted_bench import HostedBench
    from labrig.launch.fault_script import read_fault_script
    from labrig.launch.scripted_faults import OnBench
    from labrig.rig.bench import bench_spec
    from labrig.rig.loading import load_rig

    loaded = load_rig(rig)
    spec = bench_spec(loaded.model)
    on_bench = OnBench.of(loaded.model)
    found = [read_fault(text, on_bench) for text in fault or []]
    if faults is not None:
        found.append(read_fault_script(faults, loaded.model, beyond_hosted))
    played = tuple(one for several in found for one in several)
    bench = HostedBench(loaded.model, spec, seed, _tcp_ports(tcp or []), played)
    try:
        rows = bench.open()
        if as_json:
            typer.echo(json.dumps(rows))
        else:
            _print(rows)
        bench.wait(lambda text: typer.echo(text, err=True))
    except KeyboardInterrupt:
        pass
    finally:
        bench.close()


def _tcp_ports(asked: list[str]) -> dict[str, int]:
    ports: dict[str, int] = {}
    for entry in asked:
        name, _, number = entry.partition("=")
        if number and not number.isdecimal():
            raise typer.BadParameter(f"'{entry}': write PORT or PORT=NUMBER, e.g. pulse_pal=5001")
        ports[name] = int(number or 0)
    return ports


def _print(rows: list[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Simulated instruments (Ctrl-C stops them)")
    for column in ("port", "open this", "settings", "instruments"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row["port"], row["address"], row["settings"], row["instruments"])
    Console().print(table)

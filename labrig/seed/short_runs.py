"""Runs the short version of a row to its report, in a process of its own, as a person would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from labrig.catalogue import catalogue_folder
from labrig.protocol.loading import load_protocol
from labrig.run_folder import RunFolder
from labrig.seed.foretelling import moment_s
from labrig.seed.index import Compared, Row, seed_folder
from labrig.seed.measured import Shown, shown
from labrig.seed.shortened import write_shortened


class DidNotRun(Exception):
    """The short version of a row came to no report.

    Attributes:
        said: what `labrig run` wrote.
    """

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def run_short(row: Row, folder: Path) -> Shown:
    """Run a row's protocol with few pictures, and read what its report shows.

    Args:
        row: one with a protocol.
        folder: where the short protocol and the run go.

    Raises:
        DidNotRun: no run finished; the reason is what `labrig run` said.
    """
    if row.protocol is None or row.bench is None:
        raise DidNotRun(f"out of scope: {row.out_of_scope}")
    source = seed_folder() / row.protocol
    protocol = load_protocol(source).model
    asked = [p for p in row.predicts if isinstance(p, Compared)]
    folder.mkdir(parents=True, exist_ok=True)
    short = folder / "short.yaml"
    write_shortened(
        protocol, source, [moment_s(protocol, p.compare[0], p.at) for p in asked], short
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "labrig", "run", str(short)),
            *("--rig", str(catalogue_folder() / row.bench), "--runs", str(folder / "runs")),
            *("--simulate", "--fast", "--no-watch", "--json"),
        ],
        capture_output=True, text=True, check=False, env={**os.environ, "LABRIG_PAGE": "0"},
    )  # fmt: skip
    lines = done.stdout.strip().splitlines()
    if not lines or done.returncode not in (0,) or "Traceback" in done.stderr:
        raise DidNotRun(f"exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return shown(RunFolder(Path(json.loads(lines[-1])["run"])), row)

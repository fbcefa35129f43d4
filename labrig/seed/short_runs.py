"""Runs the short version of a row to its report, in processes of its own, as a person would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from labrig.catalogue import catalogue_folder
from labrig.launch.small_bench import few_wells, write_small_bench
from labrig.plan.checks.outcomes import asked_at
from labrig.plan.compile import compile
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol
from labrig.protocol.moments import moment_of, moments_of_arm
from labrig.protocol.series_moments import film_times_s
from labrig.rig.loading import load_rig
from labrig.run_folder import RunFolder
from labrig.seed.foretelling import asked_about_s, foretold
from labrig.seed.index import Ordered, Prediction, Recovery, Row, seed_folder
from labrig.seed.laboratory import tables_sent
from labrig.seed.measured import CLEAR, Shown, shown
from labrig.seed.rows import Checked
from labrig.seed.shortened import (
    FEW_SITES,
    FILM,
    FILM_OF_TIMES,
    SITES,
    Cut,
    write_shortened,
)

OF_ONE_TWITCH = frozenset({"rate_of_rise", "time_to_peak", "half_relaxation"})
"""What is read from the course of a twitch."""
REFUSED = 1
"""Exit status of `labrig run` where a finding keeps a protocol from its bench."""


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
    return run_rows([row], folder)[0]


def run_rows(rows: Sequence[Row], folder: Path) -> list[Shown]:
    """Run the protocol that some rows have in common once, and read what its report shows of each.

    Args:
        rows: of one protocol on one bench.
        folder: where the short protocol, the small bench and the run go.

    Raises:
        DidNotRun: no run finished; the reason is what `labrig run` said.
    """
    row = rows[0]
    if row.protocol is None or row.bench is None:
        raise DidNotRun(f"out of scope: {row.out_of_scope}")
    folder.mkdir(parents=True, exist_ok=True)
    short, bench = folder / "short.yaml", folder / "bench.yaml"
    source, whole_bench = seed_folder() / row.protocol, catalogue_folder() / row.bench
    loaded, rig = load_protocol(source), load_rig(whole_bench)
    plan = compile(loaded, rig, today=today())
    wells = few_wells(plan.wells)
    write_small_bench(whole_bench, plan, wells, bench)
    predictions = [prediction for each in rows for prediction in each.predicts]
    told = foretold(loaded.model, rig.model, plan, predictions)
    small = any(
        abs(each.change) < CLEAR
        for each in told
        if not isinstance(each.prediction, (Ordered, Recovery))
    )
    sites, film = SITES if small else FEW_SITES, _film_for(predictions)
    cut = Cut(wells, sites, _asked_about_s(loaded.model, predictions), film)
    write_shortened(loaded.model, source, cut, short)
    runs = folder / "runs"
    earlier = {*runs.glob("*")}
    done = _run(short, bench, runs)
    if done.returncode == REFUSED and {*runs.glob("*")} == earlier:
        # Outcomes that the protocol names want more looks.
        write_shortened(loaded.model, source, replace(cut, needed_s=None), short)
        done = _run(short, bench, runs)
    lines = done.stdout.strip().splitlines()
    if not lines or done.returncode not in (0,) or "Traceback" in done.stderr:
        raise DidNotRun(f"exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    run = RunFolder(Path(json.loads(lines[-1])["run"]))
    made = load_protocol(short).model, load_rig(bench).model
    for name, table in tables_sent(run, *made, folder):
        taken = _labrig("results", str(run.root), str(table), "--name", name)
        if taken.returncode != 0:
            raise DidNotRun(f"results {name}: exit {taken.returncode}\n{taken.stderr}")
    return shown(run, rows)


def _film_for(predictions: Iterable[Prediction]) -> Mapping[str, str]:
    asked = {
        of
        for each in predictions
        for of in (each.order if isinstance(each, Ordered) else [each.of])
    }
    return FILM_OF_TIMES if asked & OF_ONE_TWITCH else FILM


def _run(protocol: Path, bench: Path, runs: Path) -> subprocess.CompletedProcess[str]:
    where = ("--rig", str(bench), "--runs", str(runs))
    return _labrig("run", str(protocol), *where, "--simulate", "--fast", "--no-watch", "--json")


def _labrig(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "labrig", *words],
        capture_output=True, text=True, check=False, env={**os.environ, "LABRIG_PAGE": "0"},
    )  # fmt: skip


class ShortRuns:
    """Short runs of rows, one a protocol.

    Args:
        folder: in which each gets a folder, named by its first row; None: nothing is run.
        rows: by number, all that are wanted.
    """

    def __init__(self, folder: Path | None, rows: Mapping[str, Row]) -> None:
        self._folder = folder
        self._rows = rows
        self._shown: dict[str, Shown | DidNotRun] = {}
        self._began_s = time.monotonic()

    def with_run(self, result: Checked) -> Checked:
        """A row that was checked, with what a short run shows; as it is where it cannot be run."""
        if self._folder is None or result.out_of_scope or not result.good:
            return result
        if result.number not in self._shown:
            self._run(self._rows[result.number].protocol, self._folder / result.number)
        shown = self._shown[result.number]
        if isinstance(shown, DidNotRun):
            return replace(result, blocks=(f"did not run: {shown.said}",))
        return replace(result, shown=shown)

    @property
    def took(self) -> str:
        """How long it was, in words."""
        spent = os.times()
        cpu_s = spent.user + spent.system + spent.children_user + spent.children_system
        minutes = (time.monotonic() - self._began_s) / 60
        return (
            f"{len({self._rows[number].protocol for number in self._shown})} protocols ran to "
            f"their reports: {minutes:.0f} min, {cpu_s / 60:.0f} min of CPU"
        )

    def _run(self, protocol: str | None, folder: Path) -> None:
        alike = {n: row for n, row in self._rows.items() if row.protocol == protocol}
        try:
            self._shown |= zip(alike, run_rows([*alike.values()], folder), strict=True)
        except DidNotRun as error:
            self._shown |= dict.fromkeys(alike, error)


def today() -> date:
    """By which calibrations are judged."""
    return datetime.now(UTC).date()


def _asked_about_s(protocol: Protocol, predictions: Sequence[Prediction]) -> tuple[float, ...]:
    """What must be seen: of an order every film; else what predictions and outcomes name."""
    if any(isinstance(prediction, Ordered) for prediction in predictions):
        return film_times_s(protocol)
    named = [moment_of(text) for outcome in protocol.outcomes for text, _ in asked_at(outcome)]
    of_arms = [moments_of_arm(protocol, arm) for arm in protocol.arms]
    times = [moment.at_s(own) for moment in named for own in of_arms]
    return (
        *(at_s for each in predictions for at_s in asked_about_s(protocol, each)),
        *(at_s for at_s in times if at_s is not None),
    )

"""Every run of an experiment compiled for its bench, before anything is committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from labrig.documents import Loaded
from labrig.experiment.loading import ExperimentFile
from labrig.experiment.planned import PlannedRun, planned_gates, planned_plates, write_runs
from labrig.plan.compile import compile as compile_plan
from labrig.plan.findings import Finding
from labrig.plan.plan import Plan
from labrig.protocol.donors import PREFIX
from labrig.protocol.models import Protocol
from labrig.protocol.outcomes import BetweenDonorsOutcome, InteractionOutcome
from labrig.rig.models import Rig

LEAST_DONORS = 2
"""[P] Of a level: with one, wells would have to tell how donors differ."""


@dataclass(frozen=True, slots=True)
class CheckedRun:
    """A planned run and what speaks against it."""

    planned: PlannedRun
    protocol: Loaded[Protocol]
    plan: Plan

    @property
    def blocks(self) -> tuple[Finding, ...]:
        """What keeps it from starting."""
        return tuple(f for f in self.plan.findings if f.severity == "block")

    def line(self) -> str:
        """The run in one line: blocks first, each code once, notes by number."""
        parts = []
        for severity in ("block", "warn"):
            codes = Counter(f.code for f in self.plan.findings if f.severity == severity)
            if codes:
                each = ", ".join(c if n == 1 else f"{c} ({n} times)" for c, n in codes.items())
                parts.append(f"{severity.upper()} {each}")
        if notes := sum(f.severity == "note" for f in self.plan.findings):
            parts.append(f"{notes} note{'' if notes == 1 else 's'}")
        night = f" {self.planned.night}" if self.planned.night else ""
        head = f"{self.planned.name} ({self.planned.who}{night}) seed {self.planned.seed}"
        return f"{head}: {'; '.join(parts) or 'nothing speaks against it'}"


def check_runs(
    experiment: ExperimentFile, rig: Loaded[Rig], folder: Path, today: date
) -> tuple[CheckedRun, ...]:
    """Compile all plates, then the runs of gates.

    Args:
        experiment: with the files that it names.
        rig: the bench of all of them.
        today: for the ages of what expires.
        folder: their protocol files are written into it.

    Raises:
        labrig.problems.FileProblems: what the experiment puts into a protocol is not right there.
        OSError: the disk refuses.
    """
    planned = (*planned_plates(experiment), *planned_gates(experiment))
    written = write_runs(experiment, planned, folder)
    return tuple(
        CheckedRun(run, written[run.name], compile_plan(written[run.name], rig, today=today))
        for run in planned
    )


def remarks_on(experiment: ExperimentFile) -> Iterator[str]:
    """What speaks against the experiment as a whole, and what to do."""
    model, protocol = experiment.model, experiment.protocol.model
    many = len(model.donors)
    rule = protocol.analysis
    if protocol.pilot:
        yield (
            f"{experiment.protocol.path.name} says `pilot: true`: nothing in its runs tests a "
            "hypothesis. Take the line out before you commit."
        )
    if rule is None:
        yield (
            f"{experiment.protocol.path.name} has no `analysis`, so nothing is planned to be shown."
            " Add it before you commit."
        )
    elif rule.donors is not None and rule.donors.planned != many:
        yield (
            f"the analysis plans {rule.donors.planned} donors, the experiment has {many}: write "
            "the same number in both, or the report calls itself exploratory."
        )
    for at in model.analysis.between:
        levels = Counter(str(getattr(facts, at) or "not told") for facts in model.donors.values())
        if few := [level for level, n in levels.items() if n < LEAST_DONORS]:
            yield (
                f"between {at}: {_counted(few, levels)}. Plan {LEAST_DONORS} donors or more of "
                "each, or no error between donors can be told."
            )
        if not _asks_between(protocol, at):
            yield (
                f"between {at}: {experiment.protocol.path.name} asks nothing of it. Name an "
                f"outcome `kind: interaction` with `{PREFIX}{at}` in its cells, or `kind: "
                f"between-donors` with `between: {{{PREFIX}{at}: [...]}}`."
            )


def _asks_between(protocol: Protocol, attribute: str) -> bool:
    return any(
        (isinstance(outcome, InteractionOutcome) and f"{PREFIX}{attribute}" in outcome.cells)
        or (isinstance(outcome, BetweenDonorsOutcome) and f"{PREFIX}{attribute}" in outcome.between)
        for outcome in protocol.outcomes
    )


def _counted(few: Sequence[str], levels: Counter[str]) -> str:
    return ", ".join(f"{level} has {levels[level]}" for level in few)

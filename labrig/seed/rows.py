"""One row of the index, tried: it compiles on its bench, and the culture answers as expected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from labrig.catalogue import catalogue_folder
from labrig.plan.compile import compile
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig
from labrig.seed.foretelling import Told, foretold
from labrig.seed.index import Row, seed_folder
from labrig.seed.measured import Shown


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one row.

    Attributes:
        out_of_scope: why nothing asks about it; then there is nothing else.
        blocks: findings that keep its protocol from its bench.
        told: each prediction, and what the simulated culture says.
        shown: what a short run's report shows; None when none was run.
    """

    number: str
    out_of_scope: str = ""
    blocks: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()
    shown: Shown | None = None

    @property
    def good(self) -> bool:
        """Out of scope for a reason, or startable with every expected sign."""
        as_run = self.shown is None or (self.shown.good and not self.shown.missed(self.told))
        return not self.blocks and all(told.holds for told in self.told) and as_run

    @property
    def what(self) -> str:
        """In a word or two."""
        if self.out_of_scope:
            return f"out of scope: {self.out_of_scope}"
        if self.blocks:
            return "cannot be started"
        if not self.told:
            return "starts; nothing is predicted"
        return "as expected" if self.good else "NOT as expected"

    @property
    def lines(self) -> tuple[str, ...]:
        """The reasons."""
        return (
            *self.blocks,
            *(f"{_MARKS[told.holds]} {told.prediction} ({told.figures})" for told in self.told),
            *(() if self.shown is None else _of_run(self.shown)),
        )

    def as_json(self) -> dict[str, Any]:
        """All of it, for programs."""
        return {
            "row": self.number,
            "good": self.good,
            "out_of_scope": self.out_of_scope,
            "blocks": list(self.blocks),
            "predictions": [_as_json(told) for told in self.told],
            "run": None
            if self.shown is None
            else {
                "condition": self.shown.condition,
                "absent": list(self.shown.absent),
                "measured": [_as_json(told) for told in self.shown.told],
            },
        }


def _of_run(shown: Shown) -> tuple[str, ...]:
    return (
        f"run: {shown.condition}",
        *(f"NO  {absent}" for absent in shown.absent),
        *(f"{_MARKS[t.holds]} measured: {t.prediction} ({t.figures})" for t in shown.told),
    )


def _as_json(told: Told) -> dict[str, Any]:
    return {"says": str(told.prediction), "holds": told.holds, "figures": told.figures}


_MARKS = {True: "yes", False: "NO ", None: "?  "}


def checked(number: str, row: Row, today: date | None = None) -> Checked:
    """Try a row.

    Raises:
        labrig.problems.FileProblems: its protocol or bench cannot be read.
    """
    if row.protocol is None or row.bench is None:
        return Checked(number, row.out_of_scope)
    protocol = load_protocol(seed_folder() / row.protocol)
    rig = load_rig(catalogue_folder() / row.bench)
    plan = compile(protocol, rig, today=today or datetime.now(UTC).date())
    blocks = tuple(
        f"{finding.code} {finding.where}: {finding.why}"
        for finding in plan.findings
        if finding.severity == "block"
    )
    if blocks:
        return Checked(number, blocks=blocks)
    return Checked(number, told=foretold(protocol.model, rig.model, plan, row.predicts))

"""Simulated people, who do what steps ask: in time, late, not at all, or they refuse.

What they do at the plate is told to the bench, so that its liquid is as it then is, and samples
hold what the chambers truly held.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from labrig.durable import write_text_whole
from labrig.plan.timeline import PEOPLE, PersonStep
from labrig.record.reaction import Reaction
from labrig.run_folder import RunFolder
from labrig.twin.spec import FaultSpec

NAMES = ("Robin (simulated)", "Alex (simulated)")
ASSAY_CV = 0.08
"""[P] Spread of an assay between tubes, as a share of its value."""
_COMES_S = (60.0, 300.0)
_TAKES = (0.5, 1.0)
_LATE_S = 1200.0


@dataclass(frozen=True, slots=True)
class SimulatedAssay:
    """A table that another laboratory would send.

    Attributes:
        file: as it is called; ``step``: whose tubes it measures.
        factor: what it measures, in ``column``; ``per_ng_ml``: its unit over ng/mL.
        lod: values below it stand as ``<LOD`` there; None: it has none.
    """

    file: str
    step: str
    column: str
    factor: str
    per_ng_ml: float
    lod: float | None = None


class SimulatedPeople:
    """Of one run.

    Args:
        seed: of the run.
        faults: those of ``people``: ``late`` (value: s more than their time), ``absent``,
            ``refuses``.
        hands: does it to the simulated bench: key, wells, share, medium, bottles that
            are changed with the mL that can be drawn, when.
        held: concentrations in a well now, ng/mL by factor.
        fill: fills a simulated reservoir: key, name, mL that can be drawn, when.
        unusable_ml: by reservoir, what of it is never drawn.
        folder: of the run, for the tables.
        assays: of the samples that they take.
    """

    names = NAMES

    def __init__(
        self,
        seed: int,
        faults: Sequence[FaultSpec],
        hands: Callable[[str, tuple[str, ...], float, str, Mapping[str, float], float], None],
        held: Callable[[str], Mapping[str, float]],
        folder: RunFolder,
        assays: Sequence[SimulatedAssay] = (),
        fill: Callable[[str, str, float, float], None] = lambda key, name, ml, at_s: None,
        unusable_ml: Mapping[str, float] | None = None,
    ) -> None:
        self._fill = fill
        self._unusable_ml = unusable_ml or {}
        self._seed = seed
        self._faults = [fault for fault in faults if fault.instrument == PEOPLE]
        self._hands = hands
        self._held = held
        self._folder = folder.simulated_results
        self._assays = tuple(assays)

    def reaction(self, step: PersonStep) -> Reaction:
        """What they do about it; the same for the same step, also after a takeover."""
        drawn = random.Random(f"{self._seed}/people/{step.key}")
        begins_s = min(drawn.uniform(*_COMES_S), step.within_s / 4.0)
        takes_s = step.takes_s * drawn.uniform(*_TAKES)
        if step.hold_s:
            takes_s = min(takes_s, 0.9 * step.hold_s)
        takes_s = min(takes_s, step.within_s / 2.0)
        faults = {f.name: f for f in self._faults if f.from_s <= step.offset_s < f.until_s}
        if "absent" in faults:
            return Reaction(None, None)
        if "refuses" in faults:
            return Reaction(None, begins_s, refuses=True)
        if "late" in faults:
            begins_s += step.within_s + (faults["late"].value or _LATE_S)
        return Reaction(begins_s, begins_s + takes_s)

    def did(self, step: PersonStep, done_s: float) -> None:
        """It was done: the bench is as it then is. Safe to repeat."""
        if step.supply:
            usable_ml = step.to_ml - self._unusable_ml.get(step.supply, 0.0)
            self._fill(step.key, step.supply, usable_ml, done_s)
        if step.exchange:
            bottles = {n: ml - self._unusable_ml.get(n, 0.0) for n, ml in step.bottles}
            self._hands(step.key, step.wells, step.exchange, step.medium, bottles, done_s)
        for assay in self._assays:
            if assay.step == step.step and step.labels:
                self._measure(assay, step)

    def _measure(self, assay: SimulatedAssay, step: PersonStep) -> None:
        path = self._folder / assay.file
        rows = [f"label,{assay.column}"]
        if path.exists():
            rows = path.read_text(encoding="utf-8").splitlines()
        written = {row.partition(",")[0] for row in rows}
        for well, label in zip(step.wells, step.labels, strict=True):
            if label in written:
                continue
            drawn = random.Random(f"{self._seed}/assay/{assay.file}/{label}")
            true = self._held(well).get(assay.factor, 0.0) * assay.per_ng_ml
            value = max(0.0, true * drawn.gauss(1.0, ASSAY_CV))
            below = assay.lod is not None and value < assay.lod
            rows.append(f"{label},{'<LOD' if below else f'{value:.4g}'}")
        self._folder.mkdir(parents=True, exist_ok=True)
        write_text_whole(path, "\n".join(rows) + "\n")

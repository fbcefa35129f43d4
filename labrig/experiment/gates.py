"""Whether a donor's cells passed a gate: from finished runs of the gate's protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from labrig.experiment.models import Gate
from labrig.protocol.analysis_plan import plan_in_force
from labrig.report.analysis import Analysis
from labrig.report.arms.effects import effects
from labrig.report.arms.guards import failed_donors
from labrig.report.named.all import answers
from labrig.report.units import Design

State = Literal["passed", "failed", "missing", "late"]


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """One gate in one donor.

    Attributes:
        said: in words: what was found, and what was asked.
        runs: names of the folders it was judged from.
    """

    gate: str
    donor: str
    state: State
    said: str
    runs: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the donor's plates count, as far as this gate goes."""
        return self.state == "passed"


@dataclass(frozen=True, slots=True)
class Shown:
    """A ratio, or a difference, with its 95 % interval; why there is none."""

    value: float | None
    interval: tuple[float, float] | None
    why_not: str


def judge_gate(gate: Gate, donor: str, runs: Sequence[Analysis], first_plate: str) -> GateVerdict:
    """Judge a gate in a donor.

    Where it was run more than once every run must pass: none is chosen. A run that was made after
    the donor's first plate came too late to be a gate.

    Args:
        gate: what must be shown.
        donor: in whom.
        runs: finished ones of the gate's protocol, of any donors.
        first_plate: when the donor's first plate was made, UTC in ISO form; "" where there is none.
    """
    own = [run for run in runs if donor in {well.donor for well in run.design.wells}]
    if not own:
        what = f"no finished run of {gate.protocol} with {donor}"
        return GateVerdict(gate.protocol, donor, "missing", what)
    names = tuple(run.record.folder.root.name for run in own)
    late = [
        name
        for run, name in zip(own, names, strict=True)
        if first_plate and str(run.record.identity.get("made_utc", "")) > first_plate
    ]
    if late:
        what = f"{', '.join(late)} was made after the donor's first plate"
        return GateVerdict(gate.protocol, donor, "late", what, names)
    found = [_judged(gate, donor, run) for run in own]
    state: State = "passed" if all(good for good, _ in found) else "failed"
    return GateVerdict(gate.protocol, donor, state, "; ".join(said for _, said in found), names)


def shown_in(gate: Gate, donor: str, run: Analysis) -> Shown:
    """What a run shows of a gate's question in one donor."""
    needs, design = gate.needs, only(run.design, donor)
    against = needs.against or str(run.control)
    if needs.outcome is not None:
        return _named(run, design, needs.outcome, (needs.arm, against))
    readings = run.compared.mass if needs.readout == "diameter" else run.compared.strength
    plan = plan_in_force(run.record.protocol)
    pair = (needs.arm, against)
    effect = effects(
        design, [pair], readings, plan.baseline, run.left_out_from_s, failed_donors(run.verdicts)
    ).by_pair[pair]
    estimate = effect.estimate
    if estimate is None:
        return Shown(None, None, effect.why_not)
    return Shown(estimate.ratio, estimate.ratio_interval, effect.why_not)


def only(design: Design, donor: str) -> Design:
    """A design with the wells of one donor."""
    return replace(design, wells=tuple(well for well in design.wells if well.donor == donor))


def meets(bounds: Mapping[str, float], shown: Shown) -> bool:
    """Whether what is shown lies within all bounds; what is not known does not."""
    low, high = shown.interval if shown.interval is not None else (None, None)
    known = {
        "ratio_below": shown.value, "ratio_above": shown.value,
        "interval_below": high, "interval_above": low,
    }  # fmt: skip
    return all(
        (value := known[key]) is not None
        and (value < bound if key.endswith("below") else value > bound)
        for key, bound in bounds.items()
    )


def asked_of(gate: Gate) -> str:
    """What a gate asks, in words."""
    needs = gate.needs
    words = {
        "ratio_below": "ratio below {:g}", "ratio_above": "ratio above {:g}",
        "interval_below": "95 % interval below {:g}", "interval_above": "95 % interval above {:g}",
    }  # fmt: skip
    bounds = ", ".join(words[key].format(bound) for key, bound in needs.bounds.items())
    against = f" v {needs.against}" if needs.against else ""
    return f"{needs.readout or needs.outcome} of {needs.arm}{against}: {bounds}"


def words_of(shown: Shown) -> str:
    """A value with its interval, e.g. ``0.81 (0.74 to 0.88)``."""
    if shown.value is None:
        return f"not known ({shown.why_not or 'not measured'})"
    if shown.interval is None:
        return f"{shown.value:.3g} without an interval ({shown.why_not or 'one unit'})"
    return f"{shown.value:.3g} ({shown.interval[0]:.3g} to {shown.interval[1]:.3g})"


def _judged(gate: Gate, donor: str, run: Analysis) -> tuple[bool, str]:
    shown = shown_in(gate, donor, run)
    return meets(gate.needs.bounds, shown), f"{words_of(shown)}; asked: {asked_of(gate)}"


def _named(run: Analysis, design: Design, outcome: str, pair: tuple[str, str]) -> Shown:
    found = answers(replace(run.grounds, design=design))
    for answer in found:
        if answer.outcome == outcome and (answer.of, answer.against) == pair:
            return Shown(answer.value, answer.interval, answer.why_not)
    return Shown(None, None, f"{outcome} holds no {pair[0]} against {pair[1]}")

"""The verdict as the page begins with it: arms first, in sentences; units as a description."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from labrig.report.analysis import Analysis
from labrig.report.arms.sentences import scope_of, sentence_of
from labrig.report.standing import standing

NO_LOSS = "neither mass, strength nor quality is low"
_IN_WORDS = {"none": f"without loss ({NO_LOSS})"}


@dataclass(frozen=True, slots=True)
class ArmLine:
    """One arm.

    Attributes:
        label: its class, or why it has none, in a word or two.
        sentence: all of it.
    """

    arm: str
    label: str
    sentence: str


@dataclass(frozen=True, slots=True)
class VerdictLines:
    """What the page says first.

    Attributes:
        lead: whom it is about and how it stands, or why there is no verdict.
        arms: one line each, in the order of the plan; empty where there is no verdict.
        units: what became of single units, as a description; "" where the lead says it.
    """

    lead: str
    arms: tuple[ArmLine, ...]
    units: str


def verdict_lines(analysis: Analysis) -> VerdictLines:
    """The verdict on arms, or why there is none."""
    if len(analysis.record.protocol.arms) < 2:
        lead = "No verdict: one arm alone is compared with nothing; its course over time is below."
        return VerdictLines(lead, (), "")
    if not analysis.arms.arms:
        lead = "No verdict: no arm has the role of a control, so there is nothing to compare with."
        return VerdictLines(lead, (), "")
    record = analysis.record
    prefix = standing(record.commitment, bool(record.identity["pilot"]), record.integrity).prefix
    if all(arm.label == "not assessable" for arm in analysis.arms.arms):
        return VerdictLines(f"{prefix}{_no_verdict(analysis)}", (), "")
    committed = (
        "" if record.protocol.analysis is not None and record.commitment is not None else
        " No analysis plan was committed: all of it is exploratory."
    )  # fmt: skip
    lead = f"{prefix}{scope_of(analysis.arms)}{committed} {analysis.arms.gate}"
    arms = tuple(
        ArmLine(arm.arm, arm.label, sentence_of(arm, analysis.arms)) for arm in analysis.arms.arms
    )
    return VerdictLines(lead, arms, _units(analysis))


def _no_verdict(analysis: Analysis) -> str:
    """Why no arm can be assessed: by what keeps its units from it, where that is the same."""
    total = len(analysis.classed)
    if total and all(v.label == "not assessable" for v in analysis.classed):
        reasons = Counter(r for v in analysis.classed for r in v.reasons)
        often = [r for r, count in reasons.items() if 2 * count >= total]
        most = "; ".join(often) or "each for a reason of its own, below"
        return (
            f"No verdict: none of the {total} experimental units beside the control can be "
            f"assessed ({most})."
        )
    reasons = Counter(r for arm in analysis.arms.arms for r in arm.reasons)
    why = "; ".join(reasons) or "each for a reason of its own, below"
    return f"No verdict: none of the {len(analysis.arms.arms)} arms can be assessed ({why})."


def _units(analysis: Analysis) -> str:
    labels = Counter(verdict.label for verdict in analysis.classed)
    if not labels:
        return ""
    total = len(analysis.classed)
    told = ", ".join(
        f"{count} {_IN_WORDS.get(label, label)}" for label, count in labels.most_common()
    )
    said = f"of {total} beside the control, {told}"
    if set(labels) == {"none"}:
        said = f"none of the {total} beside the control shows a loss ({NO_LOSS})"
    return f"Single units, as a description: {said}. {chance_sentence(analysis)}"


def chance_sentence(analysis: Analysis) -> str:
    """How many labels a night like this one gives out where nothing happens."""
    noise = analysis.unit_noise
    if noise.expected is None or noise.expected_sarcopenia is None:
        return (
            "How many labels chance alone would give is not known: units do not tell their scatter."
        )
    return (
        f"By how units of one arm scatter, chance alone would label {noise.expected:.1f} of "
        f"{noise.of} ({noise.expected_sarcopenia:.1f} sarcopenia-like) where nothing happened."
    )

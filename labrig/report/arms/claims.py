"""Which losses a page may claim, at one error rate for all of them.

Gates come first, each at the whole rate: what stands after one is interpreted only if it showed its
loss. Behind the gates the rate is shared among the primary read-outs, and within a
read-out among the contrasts after the plan's correction. P is adjusted for all of that, so that it
is compared with the plan's error rate as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labrig.protocol.analysis_plan import AnalysisPlan
from labrig.report.arms.effects import Effects, Pair, name_of
from labrig_analysis.statistics.multiplicity import holm
from labrig_analysis.statistics.one_sided import below


@dataclass(frozen=True, slots=True)
class Claim:
    """P of one contrast in one read-out, one-sided and adjusted for the page.

    Attributes:
        alone: of "no loss", as if it were the only test of the page.
        loss: of "no loss"; None without a test.
        threshold: of "a loss smaller than the threshold"; None likewise.
    """

    alone: float | None
    loss: float | None
    threshold: float | None


UNTESTED = Claim(None, None, None)


@dataclass(frozen=True, slots=True)
class Claims:
    """All that may be claimed.

    Attributes:
        by_component: by read-out and pair.
        gates: by pair of a gate that was asked, whether it showed its loss.
        closed_by: the gate that did not; None where all did, or there is none.
    """

    by_component: dict[str, dict[Pair, Claim]]
    gates: dict[Pair, bool]
    closed_by: Pair | None


def claims(
    plan: AnalysisPlan,
    found: Mapping[str, Effects],
    thresholds: Mapping[str, float],
    error_rate: float,
) -> Claims:
    """Adjust every contrast of every read-out.

    Args:
        plan: in force, with its contrasts named.
        found: by read-out. Those that are not primary are adjusted like the primary ones, and
            are claimed only together with one of them.
        thresholds: by read-out, the ratio at and below which there is a loss.
        error_rate: one-sided, of the page (or of this look at a study).
    """
    primary: list[str] = [
        name for name in plan.primary or () if name in found and found[name].families
    ]
    pairs = [(c.arm, str(c.against)) for c in plan.contrasts]
    asked: dict[Pair, list[str]] = {
        (c.arm, str(c.against)): [name for name in c.must_show if name in found]
        for c in plan.contrasts
        if c.must_show
    }
    of_gates: dict[tuple[str, Pair], Claim] = {}
    gates: dict[Pair, bool] = {}
    for pair, components in asked.items():
        for name in components:
            of_gates[name, pair] = _single(found[name], pair, thresholds[name], len(components))
        gates[pair] = bool(components) and all(
            _shown(of_gates[name, pair], found[name], pair, thresholds[name], error_rate)
            for name in components
        )
        if not gates[pair]:
            break
    by_component: dict[str, dict[Pair, Claim]] = {}
    for name, of_readout in found.items():
        rest = [pair for pair in pairs if (name, pair) not in of_gates]
        adjusted = _adjusted(plan, of_readout, rest, thresholds[name], _share(name, primary, plan))
        own = {pair: of_gates[name, pair] for pair in pairs if (name, pair) in of_gates}
        by_component[name] = own | adjusted
    if plan.correction == "holm":
        _step_down(by_component, primary, of_gates)
    closed_by = next((pair for pair, passed in gates.items() if not passed), None)
    return Claims(by_component, gates, closed_by)


def _share(name: str, primary: Sequence[str], plan: AnalysisPlan) -> float:
    """Of the error rate; quality is claimed only together with strength, and gets its share."""
    if len(primary) < 2:
        return 1.0
    return plan.mass_share if name == "mass" else 1 - plan.mass_share


def _adjusted(
    plan: AnalysisPlan,
    found: Effects,
    pairs: Sequence[Pair],
    threshold: float,
    share: float,
) -> dict[Pair, Claim]:
    """Of one read-out, for the contrasts of it and the read-outs that share the rate."""
    tested = [pair for pair in pairs if found.family_of(pair) is not None]
    adjusted = dict.fromkeys(pairs, UNTESTED)
    before = 0.0
    for pair in tested:
        if plan.correction == "dunnett":
            adjusted[pair] = _in_family(found, pair, tested, threshold, share)
        elif plan.correction == "holm":
            adjusted[pair] = _single(found, pair, threshold, len(tested) / share)
        else:
            each = _single(found, pair, threshold, 1 / share)
            # Behind one that showed nothing no other is tested: p is never less than before.
            loss, past = (max(before, p or 0.0) for p in (each.loss, each.threshold))
            adjusted[pair] = Claim(each.alone, loss, past)
            before = loss
    return adjusted


def _in_family(
    found: Effects, pair: Pair, tested: Sequence[Pair], threshold: float, share: float
) -> Claim:
    """Dunnett among contrasts that share an error; the rate is shared among families by size."""
    family = found.family_of(pair)
    alone = found.by_pair[pair].estimate
    assert family is not None
    assert alone is not None
    own = family.of([name_of(each) for each in tested if name_of(each) in family.estimates])
    times = len(tested) / len(own.estimates) / share
    single = below(alone)
    return Claim(
        single.p if single else None,
        _times(own.p_of_loss(name_of(pair)), times),
        _times(own.p_of_loss(name_of(pair), threshold), times),
    )


def _single(found: Effects, pair: Pair, threshold: float, times: float) -> Claim:
    estimate = found.by_pair[pair].estimate
    if estimate is None:
        return UNTESTED
    loss, past = below(estimate), below(estimate, threshold)
    if loss is None or past is None:
        return UNTESTED
    return Claim(loss.p, _times(loss.p, times), _times(past.p, times))


def _step_down(
    by_component: dict[str, dict[Pair, Claim]],
    primary: Sequence[str],
    of_gates: Mapping[tuple[str, Pair], Claim],
) -> None:
    """Holm over contrasts and primary read-outs together; thresholds keep Bonferroni's factor."""
    places = [
        (name, pair, claim.alone)
        for name in primary
        for pair, claim in by_component[name].items()
        if claim.alone is not None and (name, pair) not in of_gates
    ]
    for (name, pair, _), p in zip(places, holm([p for *_, p in places]), strict=True):
        claim = by_component[name][pair]
        by_component[name][pair] = Claim(claim.alone, p, claim.threshold)


def _shown(claim: Claim, found: Effects, pair: Pair, threshold: float, error_rate: float) -> bool:
    """A gate asks for a loss that is shown, with an estimate past the threshold."""
    estimate = found.by_pair[pair].estimate
    if estimate is None or claim.loss is None:
        return False
    return claim.loss <= error_rate and estimate.ratio <= threshold


def _times(p: float | None, times: float) -> float | None:
    return None if p is None else min(1.0, times * p)

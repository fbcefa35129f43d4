"""What tests give besides the treatment, as planned: pulses, and time taken from arms' own."""

from __future__ import annotations

from collections.abc import Mapping

from labrig.plan.plan import Plan
from labrig.plan.timeline import Film
from labrig.protocol.models import Protocol
from labrig.protocol.segments import patterns_of, segments
from labrig.protocol.step_names import assay_of


def test_pulses(protocol: Protocol, plan: Plan) -> Mapping[str, int]:
    """By electrode pair, pulses of every assay and of films' stimulus."""
    return _by_electrodes(protocol, plan, tests=True)


def treatment_pulses(protocol: Protocol, plan: Plan) -> Mapping[str, int]:
    """By electrode pair, all other pulses."""
    return _by_electrodes(protocol, plan, tests=False)


def _by_electrodes(protocol: Protocol, plan: Plan, *, tests: bool) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for figure in plan.forecast.pulses:
        counts.setdefault(figure.electrode, 0)
        if is_test(protocol, figure.pattern) is tests:
            counts[figure.electrode] += figure.pulses
    return counts


def is_test(protocol: Protocol, pattern: str) -> bool:
    """Whether pulses so called are for seeing what a culture does, and no arm's treatment."""
    if assay_of(pattern):
        return True
    films = protocol.imaging.films
    own = {name for arm in protocol.arms for name in patterns_of(protocol, arm)}
    return films is not None and pattern == films.stimulus and pattern not in own


def paused_s(protocol: Protocol, plan: Plan) -> tuple[float, float]:
    """Of the arm that series cost most: how long, and how long its impulses are meant to be, s."""
    tests = series_spans_s(plan).values()
    costs = []
    for arm in protocol.arms:
        own = [(s.start_s, s.end_s) for s in segments(protocol, arm) if s.pattern]
        lost_s = sum(
            max(0.0, min(end_s, until_s) - max(start_s, since_s))
            for start_s, end_s in tests
            for since_s, until_s in own
        )
        costs.append((lost_s, sum(until_s - since_s for since_s, until_s in own)))
    return max(costs, key=lambda cost: cost[0] / cost[1] if cost[1] else 0.0)


def series_spans_s(plan: Plan) -> dict[str, tuple[float, float]]:
    """By series, from its first film's beginning to its last one's end."""
    spans: dict[str, tuple[float, float]] = {}
    for entry in plan.timeline:
        if isinstance(entry, Film) and entry.assay:
            key = "/".join(entry.key.split("/")[:2])
            first, last = spans.get(key, (entry.offset_s, 0.0))
            ends_s = entry.offset_s + entry.length_s
            spans[key] = (min(first, entry.offset_s), max(last, ends_s))
    return spans

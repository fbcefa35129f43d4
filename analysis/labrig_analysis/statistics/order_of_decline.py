"""Whether read-outs decline in a committed order, such as rate before force before diameter.

Each neighbour must be shown to come first, so p is the largest of the one-sided paired t tests on
log ratios of times (Berger 1982 Technometrics 24:295). Page's trend test (Page 1963 J Am Stat Assoc
58:216, exact) stands beside it as a check; it can be small although two neighbours are not ordered.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labrig_analysis.statistics.estimate import Estimate, of_mean


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Two read-outs that follow each other in the order.

    Attributes:
        earlier, later: their names.
        log_ratio: of the earlier time over the later; below 0 where the order holds.
        p: one-sided, of "the earlier does not come first"; None without a test.
        donors_in_order: how many donors have them in this order.
    """

    earlier: str
    later: str
    log_ratio: Estimate
    p: float | None
    donors_in_order: int


@dataclass(frozen=True, slots=True)
class OrderOfDecline:
    """The order over donors.

    Attributes:
        neighbours: in the order that was committed.
        p: of "at least one pair is not in order"; None where a pair has no test.
        page_l, page_p: Page's L and its exact p; None for two read-outs or one donor.
        doubts: what sampling cannot tell, in words.
    """

    neighbours: tuple[Neighbours, ...]
    p: float | None
    page_l: float | None
    page_p: float | None
    doubts: tuple[str, ...]


def order_of_decline(
    hours: Mapping[str, Mapping[str, float]],
    order: Sequence[str],
    *,
    not_reached: Mapping[str, Sequence[str]] | None = None,
    sampling_h: Mapping[str, float] | None = None,
) -> OrderOfDecline:
    """Test a committed order of times to the same relative loss.

    Args:
        hours: by donor and read-out, the mean time to the loss in hours from the treated start.
        order: read-outs, first to decline first.
        not_reached: by donor, read-outs that did not lose so much; their time is when watching
            ended. That is allowed of the last in the order, where it understates the difference.
        sampling_h: by read-out, hours between its rounds.

    Raises:
        ValueError: fewer than two read-outs, a time is missing or not above 0, or a read-out that
            is not the last was not reached: its time could be anything later.
    """
    if len(order) < 2 or len(set(order)) < len(order):
        raise ValueError("an order needs two or more different read-outs")
    for donor, names in (not_reached or {}).items():
        if any(name in order[:-1] for name in names):
            raise ValueError(
                f"donor {donor!r}: {', '.join(names)} was not reached, so it cannot be shown to "
                "come before another; leave the donor out, and say so"
            )
    times = np.array([[_time(donor, of, name) for name in order] for donor, of in hours.items()])
    if not len(times):
        raise ValueError("at least one donor is needed")
    logs = np.log(times)
    pairs = []
    for i, (earlier, later) in enumerate(itertools.pairwise(order)):
        difference = logs[:, i] - logs[:, i + 1]
        estimate = of_mean(difference)
        pairs.append(
            Neighbours(earlier, later, estimate, _one_sided(estimate), int((difference < 0).sum()))
        )
    tested = [pair.p for pair in pairs if pair.p is not None]
    page_l, page_p = _page(times)
    return OrderOfDecline(
        neighbours=tuple(pairs),
        p=max(tested) if len(tested) == len(pairs) else None,
        page_l=page_l,
        page_p=page_p,
        doubts=tuple(_doubts(times, order, sampling_h or {})),
    )


def _time(donor: str, of: Mapping[str, float], name: str) -> float:
    value = of.get(name)
    if value is None or not (np.isfinite(value) and value > 0):
        raise ValueError(f"donor {donor!r} has no time above 0 h of {name!r}, got {value}")
    return float(value)


def _one_sided(estimate: Estimate) -> float | None:
    if estimate.statistic is None or estimate.df is None:
        return None
    from scipy.special import stdtr

    return float(stdtr(estimate.df, estimate.statistic))


def _page(times: np.ndarray) -> tuple[float | None, float | None]:
    if times.shape[0] < 2 or times.shape[1] < 3:
        return None, None
    from scipy import stats

    # Exact p values hold without ties; scipy gives tied ranks their mean.
    found = stats.page_trend_test(times, method="exact")
    return float(found.statistic), float(found.pvalue)


def _doubts(times: np.ndarray, order: Sequence[str], sampling_h: Mapping[str, float]) -> list[str]:
    doubts = []
    for i, (earlier, later) in enumerate(itertools.pairwise(order)):
        coarsest = max(sampling_h.get(earlier, 0.0), sampling_h.get(later, 0.0))
        apart = float(abs(times[:, i + 1] - times[:, i]).mean())
        if coarsest > apart:
            doubts.append(
                f"{earlier} and {later} lie {apart:.1f} h apart and are sampled every "
                f"{coarsest:g} h: rounds decide their order"
            )
    return doubts

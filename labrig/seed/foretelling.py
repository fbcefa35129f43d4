"""Whether the simulated culture answers as the paper expects, before a picture is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from labrig.plan.plan import Plan
from labrig.protocol.models import Protocol
from labrig.protocol.segments import moments
from labrig.rig.models import Rig
from labrig.seed.courses import Courses, NotModelled
from labrig.seed.index import AmongDonors, Compared, Effect, Ordered, Prediction, Recovery
from labrig.seed.probe import truth_at

SIGN = 0.01
"""A sign is one from this share on: the culture's own state has no noise of pictures [P]."""
ALIKE = 0.02
"""Arms are level up to this share [P]."""
LOSS = 0.05
"""What counts as a loss where an order of losses is asked for [P]."""
RESTORED_S = 48 * 3600.0
"""How long after a restoration the recovered fraction is read [P]."""
GRID_S = 3600.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the simulated culture, or what was measured of it, says of one prediction.

    Attributes:
        holds: None when it cannot say.
        figures: for people.
        change: of one arm over another, less 1, or how much more one effect is than another; 0
            for an order or a recovery.
    """

    prediction: Prediction
    holds: bool | None
    figures: str
    change: float = 0.0


def foretold(
    protocol: Protocol, rig: Rig, plan: Plan, predictions: Sequence[Prediction]
) -> tuple[Told, ...]:
    """Each prediction held against the state of the culture, which no picture has blurred."""
    if not predictions:
        return ()
    needed = {0.0, protocol.duration_s}
    hours = int(protocol.duration_s // GRID_S)
    needed |= {GRID_S * hour for hour in range(hours + 1)}
    for prediction in predictions:
        needed |= set(asked_about_s(protocol, prediction))
    courses = Courses.of(protocol, plan, truth_at(protocol, rig, plan, needed))
    return tuple(_tell(protocol, courses, prediction) for prediction in predictions)


def moment_s(protocol: Protocol, arm: str, at: str) -> float:
    """Seconds from the start of ``end``, a label of the arm, a phase, or a time such as ``96 h``.

    Raises:
        KeyError: there is no such moment.
    """
    if at == "end":
        return protocol.duration_s
    hours, _, unit = at.partition(" ")
    if unit == "h":
        return float(hours) * 3600.0
    return moments(protocol, arm)[at]


def control_of(protocol: Protocol) -> str:
    """The arm that recoveries are held against."""
    return next(name for name, arm in protocol.arms.items() if arm.role == "control")


def asked_about_s(protocol: Protocol, prediction: Prediction) -> Iterable[float]:
    """Moments, besides the beginning and the end, that must be seen: of an order there are none."""
    if isinstance(prediction, Compared):
        yield moment_s(protocol, prediction.compare[0], prediction.at)
    if isinstance(prediction, Recovery):
        for arm in prediction.recovery:
            restored_s = moments(protocol, arm)["restore"]
            yield from (restored_s, restored_s + RESTORED_S)


def _tell(protocol: Protocol, courses: Courses, prediction: Prediction) -> Told:
    try:
        match prediction:
            case Compared():
                return _compared(protocol, courses, prediction)
            case AmongDonors():
                return _among(protocol, courses, prediction)
            case Ordered():
                return _ordered(courses, prediction)
            case Effect():
                return _effect(protocol, courses, prediction)
            case Recovery():
                return _recovery(protocol, courses, prediction)
    except NotModelled as missing:
        return Told(prediction, None, f"the simulated culture has no {missing}")


def _compared(protocol: Protocol, courses: Courses, said: Compared) -> Told:
    at_s = moment_s(protocol, said.compare[0], said.at)
    one, other = (courses.value(said.of, arm, at_s) for arm in said.compare)
    change = one / other - 1.0
    holds = {"lower": change < -SIGN, "higher": change > SIGN, "alike": abs(change) <= ALIKE}
    return Told(said, holds[said.sign], f"{change:+.1%}", change)


def _among(protocol: Protocol, courses: Courses, said: AmongDonors) -> Told:
    end_s = protocol.duration_s
    one, other = (courses.value(said.of, None, end_s, group) for group in said.among)
    change = one / other - 1.0
    holds = change < -SIGN if said.sign == "lower" else change > SIGN
    return Told(said, holds, f"{change:+.1%}", change)


def _ordered(courses: Courses, said: Ordered) -> Told:
    lost_s = [courses.first_loss_s(of, said.arm, said.against, LOSS) for of in said.order]
    holds = all(earlier < later for earlier, later in pairwise(lost_s))
    hours = (f"{of} {at_s / 3600:g} h" for of, at_s in zip(said.order, lost_s, strict=True))
    return Told(said, holds, ", ".join(hours))


def _effect(protocol: Protocol, courses: Courses, said: Effect) -> Told:
    end_s = protocol.duration_s

    def share(pair: tuple[str, str], among: str | None) -> float:
        one, other = (courses.value(said.of, arm, end_s, among) for arm in pair)
        return one / other - 1.0

    first = share(said.effect, said.more_in)
    second = share(said.more_than or said.effect, said.than_in)
    more = first - second
    return Told(said, more > SIGN, f"{first:+.1%} and {second:+.1%}", more)


def _recovery(protocol: Protocol, courses: Courses, said: Recovery) -> Told:
    control = control_of(protocol)
    fractions: Mapping[str, float] = {
        arm: _recovered(courses, said.of, arm, control, moments(protocol, arm)["restore"])
        for arm in said.recovery
    }
    values = list(fractions.values())
    holds = all(later < earlier for earlier, later in pairwise(values))
    return Told(said, holds, ", ".join(f"{arm} {value:.0%}" for arm, value in fractions.items()))


def _recovered(courses: Courses, of: str, arm: str, control: str, restored_s: float) -> float:
    """Of what was lost when support came back, the share that is there again."""

    def held(at_s: float) -> float:
        return courses.value(of, arm, at_s) / courses.value(of, control, at_s)

    before, after = held(restored_s), held(restored_s + RESTORED_S)
    return (after - before) / (1.0 - before)

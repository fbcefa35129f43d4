"""Whether what the run plans can answer the outcomes that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labrig.plan.checks.draft import Draft
from labrig.plan.film_schedule import block_of
from labrig.plan.findings import Finding
from labrig.plan.timeline import Film, Frame
from labrig.protocol.analysis_plan import plan_in_force, reference_arm
from labrig.protocol.donors import attribute_of, has_level
from labrig.protocol.models import Protocol
from labrig.protocol.moments import moment_of, moments_of_arm, treatment_began_s
from labrig.protocol.outcomes import (
    BetweenDonorsOutcome,
    InteractionOutcome,
    OrderOutcome,
    Outcome,
    QuantilesOutcome,
    RatioOutcome,
    RecoveredFraction,
    SlopeOutcome,
    TimeToLossOutcome,
    ValueOutcome,
    name_of_outcome,
)
from labrig.protocol.readouts import Readout, planned, readout, what_to_add

LEAST_LOOKS = 3
"""A loss counts once two looks agree, after one at the beginning; a slope needs as many."""
FEW_LOOKS = 7
"""[P] With fewer the time of a loss is mostly interpolated."""
WINDOW_S = 6 * 3600.0
"""[P] A look so long before a moment stands for it, as in the report."""
FATIGUE_PULSES = 10
"""Resolved pulses that the first and last five of a film need."""
READ_BY_THE_REPORT = frozenset({"tubes", "fields", "contractions", "stains"})


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``outcome.*``."""
    protocol = draft.protocol
    if len(protocol.arms) > 1:
        yield from _primary_baseline(draft)
    for index, outcome in enumerate(protocol.outcomes):
        where = f"protocol: outcomes.{index}"
        name = name_of_outcome(outcome)
        for each in outcome.readouts:
            known = readout(protocol, each)
            if known is None:
                continue
            if not planned(protocol, known):
                yield Finding(
                    "outcome.no-read-out",
                    "block",
                    where,
                    f"{name} asks for {known.words}, and nothing in this protocol shows it",
                    f"{what_to_add(known)}, or leave {each} out",
                )
                continue
            yield from _enough(draft, outcome, known, where)
        yield from _no_baseline(draft, outcome, where)
    yield from _donors(protocol)
    yield from _family(protocol)


def _enough(draft: Draft, outcome: Outcome, known: Readout, where: str) -> Iterator[Finding]:
    """Whether it is looked at often enough, and when the outcome needs it."""
    looks_s = looks(draft, known)
    if known.from_table not in READ_BY_THE_REPORT or not looks_s:
        return
    if known.column == "fatigue_ratio":
        yield from _fatigue(draft.protocol, name_of_outcome(outcome), where)
    if isinstance(outcome, (TimeToLossOutcome, OrderOutcome, SlopeOutcome)):
        yield from _between(draft.protocol, outcome, known, looks_s, where)
    else:
        yield from _at_moments(draft.protocol, outcome, known, looks_s, where)


def _between(
    protocol: Protocol,
    outcome: TimeToLossOutcome | OrderOutcome | SlopeOutcome,
    known: Readout,
    looks_s: Sequence[float],
    where: str,
) -> Iterator[Finding]:
    name, fewest, span_s = name_of_outcome(outcome), len(looks_s), 0.0
    for arm in protocol.arms:
        own = moments_of_arm(protocol, arm)
        start_s, end_s = (moment_of(text).at_s(own) for text in (outcome.since, outcome.until))
        if start_s is None or end_s is None:
            continue
        inside = [at_s for at_s in looks_s if start_s - WINDOW_S <= at_s <= end_s + 1.0]
        before = [at_s for at_s in inside if at_s <= start_s + 1.0]
        count = len(inside) - max(len(before) - 1, 0)
        if count < fewest or not span_s:
            fewest, span_s = min(fewest, count), end_s - start_s
    if fewest < LEAST_LOOKS:
        yield Finding(
            "outcome.too-few-looks",
            "block",
            where,
            f"{name} needs {LEAST_LOOKS} looks at {known.words} between {outcome.since} and "
            f"{outcome.until} and gets {fewest}: a loss counts once two looks running agree",
            _more_often(known),
        )
    elif fewest < FEW_LOOKS and not isinstance(outcome, SlopeOutcome):
        apart_h = span_s / 3600.0 / max(fewest - 1, 1)
        yield Finding(
            "outcome.coarse",
            "warn",
            where,
            f"{name} looks at {known.words} {fewest} times, about every {apart_h:.3g} h: when a "
            f"loss came is interpolated, and read-outs closer than that have no order [P] "
            f"{FEW_LOOKS} looks",
            _more_often(known),
        )


def _more_often(known: Readout) -> str:
    if known.needs == "films":
        return "add times under `imaging.films.at:`"
    return "shorten `imaging.interval:`, or take its channel in more rounds"


def _at_moments(
    protocol: Protocol, outcome: Outcome, known: Readout, looks_s: Sequence[float], where: str
) -> Iterator[Finding]:
    name = name_of_outcome(outcome)
    for text, what in asked_at(outcome):
        for arm in protocol.arms:
            at_s = moment_of(text).at_s(moments_of_arm(protocol, arm))
            if at_s is None or any(at_s - WINDOW_S <= s <= at_s + 1.0 for s in looks_s):
                continue
            yield Finding(
                "outcome.no-look",
                "block",
                where,
                f"{name} takes {known.words} at {text} ({at_s / 3600:g} h in {arm}) {what}, and "
                f"nothing shows it in the {WINDOW_S / 3600:g} h up to then",
                f"{_more_often(known)}, or name another moment",
            )
            break


def _no_baseline(draft: Draft, outcome: Outcome, where: str) -> Iterator[Finding]:
    """Read-outs that are compared as they are, because nothing shows them before treatment.

    A stain ends the culture and has no before.
    """
    protocol = draft.protocol
    if not isinstance(outcome, (ValueOutcome, QuantilesOutcome, InteractionOutcome)):
        return
    if plan_in_force(protocol).baseline == "none":
        return
    began_s = treatment_began_s(protocol)
    bare = [
        known
        for name in outcome.readouts
        if (known := readout(protocol, name)) is not None
        and known.from_table in ("tubes", "fields", "contractions")
        and known.column != "detached_share"
        and (looks_s := looks(draft, known))
        and not any(at_s <= began_s for at_s in looks_s)
    ]
    if bare:
        remedies = dict.fromkeys(_baseline_remedy(known) for known in bare)
        yield Finding(
            "outcome.no-baseline",
            "warn",
            where,
            f"{name_of_outcome(outcome)} compares {', '.join(k.words for k in bare)} as it is: "
            "nothing shows it before treatment begins, so wells that began larger look like an "
            "effect",
            "; ".join(remedies),
        )


def asked_at(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Moments that an outcome names, and as what it takes them."""
    if isinstance(outcome, RatioOutcome):
        yield outcome.baseline_at, "as its baseline"
        if outcome.at:
            yield outcome.at, "as its value"
    if isinstance(outcome, (ValueOutcome, InteractionOutcome, BetweenDonorsOutcome)) and outcome.at:
        yield outcome.at, "as its value"
    if isinstance(outcome, QuantilesOutcome) and outcome.when:
        yield outcome.when, "as its value"
    if isinstance(outcome, RecoveredFraction):
        yield outcome.before, "as what there was"
        yield outcome.ended or moment_of(outcome.after).label, "as what was left"
        yield outcome.after, "as what came back"


def _primary_baseline(draft: Draft) -> Iterator[Finding]:
    """A primary read-out without a look before treatment."""
    protocol = draft.protocol
    plan = plan_in_force(protocol)
    if plan.baseline == "none" or not plan.contrasts:
        return
    began_s = treatment_began_s(protocol)
    for component, name in (("mass", "diameter"), ("strength", "contraction")):
        known = readout(protocol, name)
        if component not in (plan.primary or ()) or known is None:
            continue
        looks_s = looks(draft, known)
        if looks_s and not any(at_s <= began_s for at_s in looks_s):
            shown = (
                ": in three simulated nights without an effect it was called significant as it "
                "was, and in none over a baseline [C]"
                if component == "mass"
                else ""
            )
            yield Finding(
                "design.no-baseline",
                "warn" if component == "mass" else "note",
                "protocol: phases" if component == "mass" else "protocol: imaging.films.at",
                f"the primary {known.words} is not seen before treatment begins, so which wells "
                f"began larger decides with the arms{shown}",
                _baseline_remedy(known),
            )


def _baseline_remedy(known: Readout) -> str:
    if known.needs == "films":
        return "film before treatment too: add a time under `imaging.films.at:`"
    return (
        "begin with a phase with `factors: off` and `stimulation: off` that holds a round, or let "
        "arms have the same until a later entry of their program"
    )


def _fatigue(protocol: Protocol, name: str, where: str) -> Iterator[Finding]:
    films = protocol.imaging.films
    pattern = None if films is None or films.stimulus is None else protocol.patterns[films.stimulus]
    if films is None or pattern is None:
        return
    # The last pulse of a film has not its whole response in it.
    pulses = int(films.duration_s * pattern.frequency_hz) - 1
    if pulses < FATIGUE_PULSES:
        yield Finding(
            "outcome.film-too-short",
            "block",
            where,
            f"{name} compares the last with the first five twitches of a film, and a film of "
            f"{films.duration_s:g} s at {pattern.frequency_hz:g} Hz holds {pulses} whole ones",
            f"make `imaging.films.duration:` at least "
            f"{(FATIGUE_PULSES + 2) / pattern.frequency_hz:g} s",
        )


def _donors(protocol: Protocol) -> Iterator[Finding]:
    """An attribute of donors needs two donors of each level, in this run or in a study's."""
    for index, outcome in enumerate(protocol.outcomes):
        if isinstance(outcome, BetweenDonorsOutcome):
            factors = outcome.between
        elif isinstance(outcome, InteractionOutcome):
            factors = outcome.cells
        else:
            continue
        for factor, levels in factors.items():
            attribute = attribute_of(factor)
            if attribute is None:
                continue
            whose = [
                {
                    donor.person or donor.id
                    for donor in protocol.donors
                    for name in (level if isinstance(level, tuple) else (level,))
                    if has_level(donor, attribute, str(name))
                }
                for level in levels
            ]
            if not whose[0] & whose[1] and min(map(len, whose)) < 2:
                counted = " and ".join(
                    f"{len(own)} with {attribute} {level}"
                    for own, level in zip(whose, levels, strict=True)
                )
                yield Finding(
                    "outcome.few-donors",
                    "warn",
                    f"protocol: outcomes.{index}",
                    f"{name_of_outcome(outcome)} compares donors, and this run has {counted}; "
                    "wells and passages of one donor are not donors",
                    "put two donors or more of each on the plate, or join several runs "
                    "(`labrig study`)",
                )


def _family(protocol: Protocol) -> Iterator[Finding]:
    count = sum(_questions(protocol, outcome) for outcome in protocol.outcomes)
    if count > 1:
        yield Finding(
            "outcome.family",
            "note",
            "protocol: outcomes",
            f"{count} questions are one family: the smallest p must be below 0.05 / {count} = "
            f"{0.05 / count:.2g} (Holm)",
            "name fewer, or read the others as exploratory",
        )


def _questions(protocol: Protocol, outcome: Outcome) -> int:
    if isinstance(outcome, (RecoveredFraction, InteractionOutcome, BetweenDonorsOutcome)):
        return len(outcome.readouts)
    arms = len(outcome.arms) or len(protocol.arms) - (reference_arm(protocol) is not None)
    if isinstance(outcome, OrderOutcome):
        return arms
    quantiles = len(outcome.at) if isinstance(outcome, QuantilesOutcome) else 1
    return arms * len(outcome.readouts) * quantiles


def looks(draft: Draft, known: Readout) -> list[float]:
    """When a read-out is planned to be looked at, on the run's clock.

    A round counts from its first picture, in whatever order its channels are taken.
    """
    if known.needs == "films":
        blocks: dict[str, float] = {}
        for film in draft.plan.timeline:
            if isinstance(film, Film) and not film.assay:
                blocks.setdefault(block_of(film), film.offset_s)
        return sorted(blocks.values())
    channels = draft.protocol.imaging.channels
    wanted = {"nuclei": {"nuclei"}, "stain": {known.shows}}.get(known.needs, {"cells", "tubes"})
    starts: dict[int, float] = {}
    shown: set[int] = set()
    for frame in draft.plan.timeline:
        if isinstance(frame, Frame):
            starts[frame.round] = min(starts.get(frame.round, frame.offset_s), frame.offset_s)
            if channels[frame.channel].shows in wanted:
                shown.add(frame.round)
    return sorted(starts[number] for number in shown)

"""The junction's assay: what the nerve makes the muscle do, beside what the muscle can do itself.

Films of the muscle side in silence, under impulses of the nerve at rising frequency, and under
electrodes beside the muscle; at the end the same under a block of the receptor. So do published
groups (Vila et al. 2019; Smith et al. 2021), with numbers of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from labrig.name_types import Name
from labrig.problems import KeyPath, Mistake, did_you_mean
from labrig.protocol.compartments import CompartmentName
from labrig.quantities import Hertz, MlPerHour, Seconds, Ul
from labrig.strict_model import Strict

if TYPE_CHECKING:
    from labrig.protocol.impulses import Pattern
    from labrig.protocol.models import Protocol


Way = Literal["silent", "indirect", "direct"]


class GivenBefore(Strict):
    """What is given to every chip before the films of an assay: a block of the junction."""

    factor: Name
    stock: Name
    into: CompartmentName = Field(default="muscle", alias="in")
    volume_ul: Ul = Field(alias="volume", gt=0, description="into each well")
    rate_ml_h: MlPerHour = Field(alias="rate", gt=0)
    wait_s: Seconds = Field(
        default=600.0,
        alias="wait",
        ge=0,
        description="from its beginning to the first film ([S] 10 min, Mendeley Data fjbkrdykvd)",
    )


class Nmj(Strict):
    """Indirect and direct stimulation of muscle on a chip, and its silence."""

    kind: Literal["nmj"]
    like: Name | None = Field(
        default=None, description="another assay of this kind: it says what is left out here"
    )
    indirect_hz: tuple[Annotated[Hertz, Field(gt=0, le=5)], ...] = Field(
        default=(), alias="indirect", max_length=10, description="of the nerve's impulses, rising"
    )
    by: Name | None = Field(
        default=None,
        description="a pattern: by light, or of electrodes on the nerve side; its frequency is "
        "that of the step",
    )
    for_s: Annotated[Seconds, Field(gt=0, le=60)] | None = Field(
        default=None, alias="for", description="of each step"
    )
    rest_s: Annotated[Seconds, Field(ge=1)] | None = Field(
        default=None, alias="rest", description="of a chip between two steps; omitted: 60 s [P]"
    )
    direct: Name | None = Field(
        default=None, description="a pattern for electrodes on the muscle side; omitted: none"
    )
    silent_s: Annotated[Seconds, Field(ge=0, le=600)] | None = Field(
        default=None, alias="silent", description="film of what beats by itself; omitted: 10 s [P]"
    )
    after: GivenBefore | None = Field(
        default=None, description="given before: a block, as in `d-tubocurarine`"
    )
    only: Literal["last"] | None = Field(
        default=None, description="last: in the last phase only, because nothing comes after it"
    )
    grid: tuple[int, int] | None = Field(
        default=None, description="rows and columns of regions of the field; omitted: 2 × 2 [P]"
    )
    source: str = Field(default="", description="where the numbers come from")


@dataclass(frozen=True, slots=True)
class JunctionTest:
    """An assay with all that it leaves to another one."""

    name: str
    indirect_hz: tuple[float, ...]
    by: str
    for_s: float
    rest_s: float
    direct: str
    silent_s: float
    after: GivenBefore | None
    grid: tuple[int, int]

    @property
    def steps(self) -> tuple[tuple[Way, float], ...]:
        """Way and frequency of each step, in order: silence first, the electrodes last."""
        silent: tuple[tuple[Way, float], ...] = (("silent", 1.0),) if self.silent_s > 0 else ()
        indirect: tuple[tuple[Way, float], ...] = tuple(("indirect", f) for f in self.indirect_hz)
        direct: tuple[tuple[Way, float], ...] = (("direct", 1.0),) if self.direct else ()
        return (*silent, *indirect, *direct)


def junction_test(protocol: Protocol, name: str) -> JunctionTest:
    """What an assay of this kind asks, with what another one says for it.

    Raises:
        KeyError: there is no such assay of this kind (a mistake that is told before).
    """
    asked = _nmj(protocol, name)
    base = asked if asked.like is None else _nmj(protocol, asked.like)
    rest_s = base.rest_s if asked.rest_s is None else asked.rest_s
    silent_s = base.silent_s if asked.silent_s is None else asked.silent_s
    return JunctionTest(
        name,
        asked.indirect_hz or base.indirect_hz,
        asked.by or base.by or "",
        asked.for_s or base.for_s or 10.0,
        60.0 if rest_s is None else rest_s,
        asked.direct or base.direct or "",
        10.0 if silent_s is None else silent_s,
        asked.after,
        asked.grid or base.grid or (2, 2),
    )


def _nmj(protocol: Protocol, name: str) -> Nmj:
    assay = protocol.assays[name]
    if not isinstance(assay, Nmj):
        raise KeyError(name)
    return assay


def junction_patterns(protocol: Protocol, name: str) -> tuple[Pattern, ...]:
    """The pattern of each step: that of the assay at the step's frequency; silence is one of 0."""
    test = junction_test(protocol, name)
    patterns = protocol.patterns
    found = []
    for way, frequency_hz in test.steps:
        base = patterns[test.direct if way == "direct" else test.by]
        changed: dict[str, Any] = {"on_s": None, "off_s": None, "mean_rate_hz": None}
        if way == "indirect":
            changed["frequency_hz"] = frequency_hz
        if way == "silent":
            changed |= _silenced(base)
        found.append(base.model_copy(update=changed))
    return tuple(found)


def _silenced(pattern: Pattern) -> Mapping[str, Any]:
    from labrig.protocol.impulses import LightPattern

    if isinstance(pattern, LightPattern):
        return {"irradiance_mw_mm2": 0.0, "frequency_hz": 1.0}
    current = pattern.amplitude_ma is not None
    return {"amplitude_ma" if current else "amplitude_v": 0.0, "frequency_hz": 1.0}


def nmj_mistakes(protocol: Protocol) -> Iterator[Mistake]:
    """Mistakes of assays of this kind."""
    for name, assay in protocol.assays.items():
        if isinstance(assay, Nmj):
            yield from _mistakes(protocol, ("assays", name), name, assay)


def _mistakes(protocol: Protocol, path: KeyPath, name: str, assay: Nmj) -> Iterator[Mistake]:
    if protocol.culture.compartments is None:
        yield Mistake(
            (*path, "kind"),
            f"'{name}' asks what the nerve does to the muscle, and the cultures have no sides",
            "Add culture.compartments with nerve and muscle, or take `kind: frequencies`.",
            "nmj",
        )
        return
    if assay.like is not None:
        others = [n for n, a in protocol.assays.items() if isinstance(a, Nmj) and n != name]
        base = protocol.assays.get(assay.like)
        if assay.like not in others:
            yield Mistake(
                (*path, "like"),
                f"there is no other nmj assay '{assay.like}'",
                did_you_mean(assay.like, others),
                assay.like,
            )
            return
        if isinstance(base, Nmj) and base.like is not None:
            yield Mistake(
                (*path, "like"),
                f"'{assay.like}' is itself like '{base.like}'",
                f"Write `like: {base.like}`.",
                assay.like,
            )
            return
    elif not assay.indirect_hz or assay.by is None or assay.for_s is None:
        missing = [
            key
            for key, given in (
                ("indirect", assay.indirect_hz),
                ("by", assay.by),
                ("for", assay.for_s),
            )
            if not given
        ]
        yield Mistake(
            path,
            f"'{name}' does not say {', '.join(missing)}",
            "Write `indirect: [0.5 Hz, 1 Hz, 2 Hz]`, `by: PATTERN` and `for: 10 s`, or `like: "
            "ASSAY` of another one that does.",
        )
        return
    yield from _patterns(protocol, path, name, assay)
    yield from _given(protocol, path, name, assay)
    yield from _last(protocol, path, name, assay)


def _patterns(protocol: Protocol, path: KeyPath, name: str, assay: Nmj) -> Iterator[Mistake]:
    from labrig.protocol.impulses import LightPattern

    for key, pattern_name in (("by", assay.by), ("direct", assay.direct)):
        if pattern_name is None:
            continue
        pattern = protocol.patterns.get(pattern_name)
        if pattern is None:
            yield Mistake(
                (*path, key),
                f"there is no pattern '{pattern_name}'",
                did_you_mean(pattern_name, list(protocol.patterns)),
                pattern_name,
            )
        elif key == "direct" and isinstance(pattern, LightPattern) and pattern.onto != "muscle":
            yield Mistake(
                (*path, key),
                f"'{pattern_name}' shines onto {pattern.onto}: that is the nerve's way",
                "Name a pattern of electrodes, which stand in the muscle side.",
                pattern_name,
            )
        elif key == "by" and isinstance(pattern, LightPattern) and pattern.onto != "nerve":
            yield Mistake(
                (*path, key),
                f"'{pattern_name}' shines onto {pattern.onto}, and the nerve is to be moved",
                "Give the pattern `onto: nerve`.",
                pattern_name,
            )
        elif not pattern.live:
            yield Mistake(
                (*path, key),
                f"'{pattern_name}' moves nothing",
                "Name a pattern with an amplitude or an irradiance above 0.",
                pattern_name,
            )
    rising = list(assay.indirect_hz)
    if rising != sorted(set(rising)):
        yield Mistake(
            (*path, "indirect"),
            "the frequencies do not rise: " + ", ".join(f"{f:g} Hz" for f in rising),
            "Give each once, the lowest first: a junction tires, and high ones tire it most.",
        )
    if assay.grid is not None and (min(assay.grid) < 1 or max(assay.grid) > 12):
        yield Mistake(
            (*path, "grid"),
            f"{assay.grid[0]} × {assay.grid[1]} regions will not do",
            "Write rows and columns of 1 to 12, as in `grid: [2, 2]`.",
        )


def _given(protocol: Protocol, path: KeyPath, name: str, assay: Nmj) -> Iterator[Mistake]:
    after = assay.after
    if after is None:
        return
    stock = protocol.stocks.get(after.stock)
    if stock is None:
        yield Mistake(
            (*path, "after", "stock"),
            f"there is no stock '{after.stock}'",
            did_you_mean(after.stock, list(protocol.stocks)),
            after.stock,
        )
    elif after.factor not in stock.contents_ng_ml:
        yield Mistake(
            (*path, "after", "factor"),
            f"stock '{after.stock}' does not contain '{after.factor}'",
            did_you_mean(after.factor, list(stock.contents_ng_ml)),
            after.factor,
        )
    if protocol.perfusion is None:
        yield Mistake(
            (*path, "after"),
            f"'{name}' gives liquid, but the protocol perfuses nothing",
            "Add `perfusion:` with a medium and a flow.",
        )


def _last(protocol: Protocol, path: KeyPath, name: str, assay: Nmj) -> Iterator[Mistake]:
    from labrig.protocol.series_moments import NoMoment, series_moment_s

    times = []
    for index, series in enumerate(protocol.imaging.series):
        if series.assay != name:
            continue
        for place, text in enumerate(series.at):
            try:
                times.append((series_moment_s(protocol, text), index, place, text))
            except NoMoment:
                continue  # told where series are read
    begins_s = protocol.duration_s - protocol.phases[-1].duration_s
    for at_s, index, place, text in sorted(times):
        if assay.only == "last" and at_s < begins_s:
            yield Mistake(
                ("imaging", "series", index, "at", place),
                f"'{name}' is for the last phase only, and '{text}' lies before it",
                f"Do it in {protocol.phases[-1].name}, from {begins_s / 3600:g} h on: "
                f"`at: [{protocol.phases[-1].name} + 30 min]`.",
                text,
            )
    if assay.after is not None and len(times) > 1:
        _, index, place, text = sorted(times)[1]
        yield Mistake(
            ("imaging", "series", index, "at", place),
            f"'{name}' gives {assay.after.factor} each time, and is done {len(times)} times",
            "Do it once, at the end.",
            text,
        )


def with_given(protocol: Protocol) -> Protocol:
    """The protocol with what its assays give as boluses of every arm's side.

    A bolus comes so long before the series as the assay waits, so that doses, ledger and checks
    know of it as of any other.
    """
    from labrig.protocol.arms import ArmPart, Bolus
    from labrig.protocol.series_moments import series_moment_s

    added: dict[str, list[Bolus]] = {"nerve": [], "muscle": []}
    for series in protocol.imaging.series:
        assay = protocol.assays[series.assay]
        if not isinstance(assay, Nmj) or assay.after is None:
            continue
        given = assay.after
        for text in series.at:
            at_s = max(0.0, series_moment_s(protocol, text) - given.wait_s)
            added[given.into].append(
                Bolus.model_construct(
                    factor=given.factor,
                    stock=given.stock,
                    at_s=at_s,
                    volume_ul=given.volume_ul,
                    rate_ml_h=given.rate_ml_h,
                )
            )
    if not any(added.values()):
        return protocol
    arms = {}
    for name, arm in protocol.arms.items():
        sides = {}
        for side, own in (("nerve", arm.nerve), ("muscle", arm.muscle)):
            part = ArmPart() if own is None else own
            sides[side] = part.model_copy(update={"boluses": (*part.boluses, *added[side])})
        arms[name] = arm.model_copy(update=sides)
    return protocol.model_copy(update={"arms": arms})

"""What a protocol compiles to: frozen levels and events with offsets from t0.

A *level* is a value that holds from its offset until the next level on the same instrument
and port-side channel; after any interruption the level due now is asserted again. An *event
that acts* (Dose) is never issued twice. An *event that observes* (Frame, Film, Reading) may
be missed, and is then recorded as missed. Offsets are seconds from t0, the start of the run.

Each class of entry says what it is, and who carries it out:

``kind``: its name in ``plan.json``; ``row_kind``: that of its rows in the journal; ``role``: which
of the three above; ``instrument``: whose worker it goes to; ``wells``: whom it concerns, maybe
nobody. A level also says of which ``quantity`` it is, where its instrument holds several. A new
kind of entry is a class here, a member of one of the unions below, and its words in
:mod:`labrig.plan.words`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

LatenessKind = Literal["skip", "once_within", "coalesce", "ask", "abort_arm"]
OnUnknown = Literal["assume_done", "redo", "ask"]


@dataclass(frozen=True, slots=True)
class Lateness:
    """What to do with an event whose time has passed.

    ``skip``: never late, record as missed. ``once_within``: do it once if no later than
    ``grace_s``, else missed. ``coalesce``: only the newest of several overdue ones.
    ``ask``: hold it and ask the operator. ``abort_arm``: give up the units it belongs to.
    """

    rule: LatenessKind
    grace_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FlowLevel:
    """A pump holds ``rate_ul_min`` (0 = stopped)."""

    kind: ClassVar[Literal["flow"]] = "flow"
    row_kind: ClassVar[Literal["level"]] = "level"
    role: ClassVar[Literal["level"]] = "level"
    quantity: ClassVar[str] = ""

    key: str
    offset_s: float
    phase: str
    instrument: str
    rate_ul_min: float
    wells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """One finite train on one stimulator channel, re-armed every ``every_s`` while its level holds.

    ``duration_s`` never exceeds 10 s, so stimulation ends by itself when the host is lost.
    ``amplitude_v`` is what a voltage source holds at its electrodes, ``amplitude_ma`` what a
    current source sends through the whole channel; the other is None.

    ``of_capture``: its amplitude is this share of the threshold that the staircase ``capture``
    finds on this channel in the run, and ``amplitude_v`` the most that it may become. Without one
    it is ``fallback_v``, silence, or what a person says, by ``if_unknown``.

    ``irradiance_mw_mm2``: the channel drives a light of ``wavelength_nm``, and its volts make this
    much at the cells.
    """

    channel: int
    pattern: str
    phase_ms: float
    amplitude_v: float | None
    biphasic: bool
    frequency_hz: float
    burst_s: float
    gap_s: float
    duration_s: float
    every_s: float
    pulses: int
    amplitude_ma: float | None = None
    of_capture: float | None = None
    capture: str = ""
    fallback_v: float | None = None
    if_unknown: Literal["ask", "fallback", "leave-out"] = "ask"
    irradiance_mw_mm2: float | None = None
    wavelength_nm: float | None = None

    @property
    def live(self) -> bool:
        """Whether it is more than silence: a sham is not."""
        return bool(self.amplitude_v or self.amplitude_ma)


@dataclass(frozen=True, slots=True)
class StimulationLevel:
    """A stimulator keeps these trains going; an empty tuple means silence.

    One level sets the whole instrument, because its program is written in one piece.
    """

    kind: ClassVar[Literal["stimulation"]] = "stimulation"
    row_kind: ClassVar[Literal["level"]] = "level"
    role: ClassVar[Literal["level"]] = "level"
    quantity: ClassVar[str] = ""

    key: str
    offset_s: float
    phase: str
    instrument: str
    trains: tuple[TrainSpec, ...]
    wells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValveLevel:
    """A selector valve stands at ``position``, by the name that its instrument has for it.

    ``wells``: those whose liquid comes through it.
    """

    kind: ClassVar[Literal["valve"]] = "valve"
    row_kind: ClassVar[Literal["level"]] = "level"
    role: ClassVar[Literal["level"]] = "level"
    quantity: ClassVar[str] = ""

    key: str
    offset_s: float
    phase: str
    instrument: str
    position: str
    wells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClimateLevel:
    """A controller of the surroundings holds ``value`` of ``quantity``, which has its unit.

    One that holds several quantities has a series of levels for each. ``wells``: those that are in
    what it holds.
    """

    kind: ClassVar[Literal["climate"]] = "climate"
    row_kind: ClassVar[Literal["level"]] = "level"
    role: ClassVar[Literal["level"]] = "level"

    key: str
    offset_s: float
    phase: str
    instrument: str
    quantity: str
    value: float
    wells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dose:
    """A bounded volume from one pump, delivered once or not at all."""

    kind: ClassVar[Literal["dose"]] = "dose"
    row_kind: ClassVar[Literal["dose"]] = "dose"
    role: ClassVar[Literal["acts"]] = "acts"

    key: str
    offset_s: float
    phase: str
    instrument: str
    volume_ul: float
    rate_ul_min: float
    wells: tuple[str, ...]
    factor: str
    lateness: Lateness
    on_unknown: OnUnknown


PEOPLE = "people"
"""Stands for an instrument where people do it."""


@dataclass(frozen=True, slots=True)
class PersonStep:
    """What people do at the plate: a question with a deadline.

    Attributes:
        step: its name in the protocol; ``do``: what sort it is.
        what: in words; ``unnamed``: the same without solutions that would tell an arm.
        within_s: done later than this after ``offset_s`` is late.
        wait_s: so long after ``offset_s`` it may still be done; then it is missed.
        takes_s: how long hands are expected to be at the plate.
        hold_s: so long pumps may stand meanwhile; 0: they keep their flow.
        signatures: how many people sign.
        if_missed: what it means for its wells when it was late, refused or not done.
        exchange: share of a chamber's liquid that is replaced by ``medium``, without any factor.
        labels: of the tubes, one a well in the order of ``wells``.
        supply: the reservoir that is filled up or changed, or ``waste``; "" of a step at the plate.
        to_ml: what it holds afterwards, its unusable rest included.
        stands: pumps that stand meanwhile; of a step at the plate those of its wells do.
        bottles: reservoirs whose bottle is changed for one of ``medium`` in the same step, each
            with the mL that the new one holds.
    """

    kind: ClassVar[Literal["step"]] = "step"
    row_kind: ClassVar[Literal["step"]] = "step"
    role: ClassVar[Literal["acts"]] = "acts"

    key: str
    offset_s: float
    phase: str
    step: str
    do: str
    what: str
    unnamed: str
    within_s: float
    wait_s: float
    takes_s: float
    hold_s: float
    signatures: int
    if_missed: Literal["censor", "flag", "stop"]
    wells: tuple[str, ...]
    exchange: float = 0.0
    medium: str = ""
    labels: tuple[str, ...] = ()
    supply: str = ""
    to_ml: float = 0.0
    stands: tuple[str, ...] = ()
    bottles: tuple[tuple[str, float], ...] = ()

    @property
    def instrument(self) -> str:
        """Nobody's: people do it."""
        return PEOPLE

    @property
    def lateness(self) -> Lateness:
        """It waits for its people, and is asked once."""
        return Lateness("once_within", self.wait_s)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one field in one optical channel.

    ``z_um``: height of the focus drive; None: as the focus stands. What a rule of focus finds (a
    lock's offset, a software search, a plane through the plate) is decided where the picture is
    taken, not here. ``after``: key of the step of people that it waits for; its time is then the
    earliest at which it could be taken.
    """

    kind: ClassVar[Literal["frame"]] = "frame"
    row_kind: ClassVar[Literal["frame"]] = "frame"
    role: ClassVar[Literal["observes"]] = "observes"

    key: str
    offset_s: float
    phase: str
    camera: str
    stage: str
    well: str
    field: int
    channel: str
    round: int
    x_um: float
    y_um: float
    exposure_ms: float
    lateness: Lateness
    z_um: float | None = None
    after: str = ""

    @property
    def instrument(self) -> str:
        """Whose worker it goes to: the stage's, which the camera waits for."""
        return self.stage

    @property
    def wells(self) -> tuple[str, ...]:
        """The one it is taken of."""
        return (self.well,)


@dataclass(frozen=True, slots=True)
class AskedTest:
    """What a step of an assay asks of the culture while it is filmed.

    ``pattern`` is what its pulses are called in levels and journal; ``part``: of a test that is
    filmed in parts, ``first`` or ``last``. Amplitudes as of a :class:`TrainSpec`, through one well;
    so is the irradiance of light.
    """

    pattern: str
    frequency_hz: float
    amplitude_v: float | None
    amplitude_ma: float | None = None
    of_capture: float | None = None
    capture: str = ""
    part: str = ""
    irradiance_mw_mm2: float | None = None
    wavelength_nm: float | None = None


@dataclass(frozen=True, slots=True)
class Film:
    """A short film of one field, for contraction; ``z_um`` as of a frame.

    ``assay``, ``step``, ``test``: of a film of a test series, which one, which of its steps from 0,
    and what it asks; else "", 0 and None. Its test is planned for a time, so it is not begun before
    ``begins_s`` (from the start of the run), however soon the stage arrives; 0: at once.
    """

    kind: ClassVar[Literal["film"]] = "film"
    row_kind: ClassVar[Literal["film"]] = "film"
    role: ClassVar[Literal["observes"]] = "observes"

    key: str
    offset_s: float
    phase: str
    camera: str
    stage: str
    well: str
    field: int
    channel: str
    x_um: float
    y_um: float
    exposure_ms: float
    frame_rate_hz: float
    frames: int
    lateness: Lateness
    z_um: float | None = None
    assay: str = ""
    step: int = 0
    test: AskedTest | None = None
    begins_s: float = 0.0

    @property
    def instrument(self) -> str:
        """Whose worker it goes to: the stage's, which the camera waits for."""
        return self.stage

    @property
    def wells(self) -> tuple[str, ...]:
        """The one it is taken of."""
        return (self.well,)

    @property
    def length_s(self) -> float:
        """From its first frame to its last, and one frame more."""
        return self.frames / self.frame_rate_hz


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of an environment probe."""

    kind: ClassVar[Literal["reading"]] = "reading"
    row_kind: ClassVar[Literal["reading"]] = "reading"
    role: ClassVar[Literal["observes"]] = "observes"

    key: str
    offset_s: float
    phase: str
    instrument: str
    lateness: Lateness

    @property
    def wells(self) -> tuple[str, ...]:
        """None of them: the air is everybody's."""
        return ()


Level = FlowLevel | StimulationLevel | ValveLevel | ClimateLevel
Picture = Frame | Film
Observation = Picture | Reading
Event = Dose | PersonStep | Observation
TimelineEntry = Level | Event
Timeline = Sequence[TimelineEntry]

ROW_KINDS = tuple(dict.fromkeys(cls.row_kind for cls in get_args(TimelineEntry)))
"""What rows about entries of the timeline are called in the journal."""


def levels_with_ends(
    timeline: Iterable[TimelineEntry], end_s: float
) -> Iterator[tuple[Level, float]]:
    """Each level, and when the next one of its series takes over; the last lasts to ``end_s``.

    A series is what one instrument holds of one quantity. Series by series; the timeline is in
    order of time.
    """
    levels: dict[tuple[str, str], list[Level]] = {}
    for entry in timeline:
        if entry.role == "level":
            levels.setdefault((entry.instrument, entry.quantity), []).append(entry)
    for own in levels.values():
        yield from zip(own, [*(later.offset_s for later in own[1:]), end_s], strict=True)

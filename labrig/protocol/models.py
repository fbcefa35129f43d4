"""The protocol: what the experiment is, free of hardware.

Strict: an unknown key is an error. Quantities are written with units (``labrig.units``) under
the YAML key; the attribute carries the unit in its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from labrig.name_types import FileName, WellName
from labrig.protocol.amounts import Strength, amounts_to_model, amounts_to_text, kilodaltons
from labrig.protocol.analysis_plan import AnalysisPlan
from labrig.protocol.assays import Assay, IfUnknown, Series
from labrig.protocol.blinding import Blinding
from labrig.protocol.climate import Environment
from labrig.protocol.compartments import CompartmentName, CulturedCompartments
from labrig.protocol.definition import Definition
from labrig.protocol.error_entries import ErrorEntries, Viability
from labrig.protocol.mixtures import Mixture
from labrig.protocol.moments import MomentText
from labrig.protocol.outcomes import Outcome
from labrig.protocol.person_steps import PersonStep, ResultPlan
from labrig.protocol.programmes import MixedPattern, Program
from labrig.protocol.references import check_references
from labrig.protocol.simulation import Simulation
from labrig.strict_model import Strict
from labrig.units import Unit

NgPerMl = Annotated[float, Unit("ng/mL")]
Seconds = Annotated[float, Unit("s")]
Hours = Annotated[float, Unit("h")]
Ms = Annotated[float, Unit("ms")]
Volts = Annotated[float, Unit("V")]
Milliamperes = Annotated[float, Unit("mA")]
Hertz = Annotated[float, Unit("Hz")]
MlPerHour = Annotated[float, Unit("mL/h")]
Ul = Annotated[float, Unit("uL")]
Percent = Annotated[float, Unit("percent")]
Mm = Annotated[float, Unit("mm")]
Nm = Annotated[float, Unit("nm")]
MwPerMm2 = Annotated[float, Unit("mW/mm**2")]
KDa = Annotated[float, Unit("kDa"), BeforeValidator(kilodaltons)]
Millimolar = Annotated[float, Unit("mM")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+/-]*$", max_length=60)]


class HalfLife(Strict):
    """How fast a factor is lost in medium at 37 °C, and how that is known."""

    value_h: Hours = Field(alias="value", gt=0)
    basis: Literal["assumed", "measured"]
    low_h: Hours | None = Field(
        default=None, alias="low", description="lower end of the credible range"
    )
    high_h: Hours | None = Field(default=None, alias="high", description="upper end")
    source: str = ""


class Factor(Strict):
    """A substance whose concentration in the chamber is controlled."""

    role: Literal["nerve", "insult", "hormone", "nutrient", "drug", "other"]
    half_life: HalfLife
    molar_mass_kda: KDa | None = Field(
        default=None, alias="molar_mass", description="in kDa or g/mol: amounts may then be molar"
    )
    recovery: float = Field(
        default=1.0, gt=0, le=1, description="fraction that survives the tubing"
    )
    lot: str = ""
    note: str = ""


class Stock(Strict):
    """A solution to be loaded into a reservoir: factors in a carrier."""

    contents_ng_ml: dict[Name, NgPerMl] = Field(default_factory=dict, alias="contents")
    carrier: str = Field(description="e.g. '0.1 % BSA'; equal in a stock and its vehicle")
    solvent: str = ""
    solvent_percent: Percent = Field(default=0.0, alias="solvent_fraction", ge=0)
    vehicle: Name | None = Field(
        default=None, description="the stock that arms without it get instead"
    )
    half_life_cold_h: Hours | None = Field(
        default=None, alias="half_life_cold", description="at 4 °C"
    )
    mixture: Name | None = Field(
        default=None, description="in place of contents: a mixture, at its strength"
    )
    strength: Strength | None = None
    from_side: CompartmentName | None = Field(
        default=None,
        alias="from",
        description="a conditioned medium that no bottle holds: the effluent of this side of the "
        "same chip, brought by a line with `from_chamber`",
    )
    lot: str = ""

    @property
    def of_mixture(self) -> float:
        """At which strength it holds its mixture; effluent is undiluted by definition."""
        return 1.0 if self.from_side is not None else self.strength or 0.0


class Medium(Strict):
    """A base medium; what it is made of is known to the simulated culture as far as it is said."""

    description: str
    serum: str = Field(default="", description="e.g. '2 % horse serum'")
    glucose_mm: Millimolar | None = Field(default=None, alias="glucose", ge=0)
    calcium_mm: Millimolar | None = Field(default=None, alias="calcium", ge=0)
    amino_acids_percent: Percent | None = Field(
        default=None, alias="amino_acids", ge=0, description="of the complete medium's; free: 0 %"
    )
    osmolality: float | None = Field(
        default=None, gt=0, description="mOsm/kg; media that replace each other are compared"
    )
    lot: str = ""


class Pattern(Strict):
    """An impulse pattern as data; ``sham`` is a pattern with ``amplitude: 0 V``.

    Either ``amplitude``, which a voltage source holds whatever flows, or ``current``, which a
    current source sends through each well whatever voltage that takes, or ``of_capture``, a share
    of the threshold that a staircase finds in the run before.
    """

    phase_ms: Ms = Field(alias="pulse_width", gt=0, description="one phase of a pulse")
    amplitude_v: Annotated[Volts, Field(ge=0)] | None = Field(
        default=None, alias="amplitude", description="at the electrodes"
    )
    amplitude_ma: Annotated[Milliamperes, Field(ge=0)] | None = Field(
        default=None, alias="current", description="through each well, in place of amplitude"
    )
    of_capture_percent: Annotated[Percent, Field(gt=0, le=400)] | None = Field(
        default=None,
        alias="of_capture",
        description="of the channel's capture threshold, in place of amplitude",
    )
    capture: Name | None = Field(
        default=None, description="the staircase that finds it; omitted: the only one there is"
    )
    fallback_v: Annotated[Volts, Field(gt=0)] | None = Field(
        default=None, alias="fallback", description="amplitude where no threshold was found"
    )
    at_most_v: Annotated[Volts, Field(gt=0)] | None = Field(
        default=None,
        alias="at_most",
        description="a threshold that asks for more is none; omitted: of_capture of the top step",
    )
    if_unknown: IfUnknown = Field(
        default="ask",
        description="where no threshold was found: ask (silent until answered), fallback, "
        "leave-out (silent)",
    )
    shape: Literal["monophasic", "biphasic"]
    frequency_hz: Hertz = Field(alias="frequency", gt=0)
    on_s: Seconds | None = Field(default=None, alias="train_on", description="omitted: continuous")
    off_s: Seconds | None = Field(default=None, alias="train_off")
    mean_rate_hz: Hertz | None = Field(
        default=None, alias="mean_rate", description="checked against the rest when given"
    )
    source: str = ""

    @property
    def live(self) -> bool:
        """Whether anything reaches the cells: a sham does not."""
        return bool(self.amplitude_v or self.amplitude_ma or self.of_capture_percent)

    @property
    def amplitude(self) -> str:
        """The first phase with its unit, e.g. ``15 V`` or ``85 % of capture``."""
        if self.of_capture_percent is not None:
            return f"{self.of_capture_percent:g} % of capture"
        if self.amplitude_ma is not None:
            return f"{self.amplitude_ma:g} mA"
        return f"{self.amplitude_v or 0.0:g} V"


class LightPattern(Pattern):
    """Impulses given as flashes of a calibrated light onto cells with an opsin.

    No current flows: ``irradiance`` stands in place of amplitude and current. ``irradiance:
    0 mW/mm**2`` is the sham.
    """

    by: Literal["light"]
    wavelength_nm: Nm = Field(alias="wavelength", gt=0)
    irradiance_mw_mm2: MwPerMm2 = Field(alias="irradiance", ge=0, description="at the cells")
    onto: CompartmentName = Field(description="the compartment that is lit")
    shape: Literal["monophasic"] = "monophasic"

    @property
    def live(self) -> bool:
        """Whether anything reaches the cells."""
        return self.irradiance_mw_mm2 > 0

    @property
    def amplitude(self) -> str:
        """With its unit, e.g. ``1 mW/mm²``."""
        return f"{self.irradiance_mw_mm2:g} mW/mm²"


def _kind_of_pattern(value: object) -> str:
    written = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    if "sequence" in written:
        return "=mixed"
    return "=light" if "by" in written else "=electrodes"


# Told apart by what it says of itself, so that an error speaks only of what was meant.
AnyPattern = Annotated[
    Annotated[Pattern, Tag("=electrodes")]
    | Annotated[LightPattern, Tag("=light")]
    | Annotated[MixedPattern, Tag("=mixed")],
    Discriminator(_kind_of_pattern),
]


class TargetStep(Strict):
    """From this time on, this concentration."""

    at_s: Seconds = Field(alias="at", ge=0)
    concentration_ng_ml: NgPerMl = Field(alias="concentration", ge=0)


def _constant_or_steps(value: object) -> str:
    return "=steps" if isinstance(value, (list, tuple)) else "=constant"


# Told apart by shape, so that an error speaks only of what was meant.
Target = Annotated[
    Annotated[NgPerMl, Field(ge=0), Tag("=constant")]
    | Annotated[tuple[TargetStep, ...], Field(min_length=1), Tag("=steps")],
    Discriminator(_constant_or_steps),
]


class Bolus(Strict):
    """One bounded dose, given once."""

    factor: Name
    stock: Name
    at_s: Seconds = Field(alias="at", ge=0)
    volume_ul: Ul = Field(alias="volume", gt=0, description="into each well")
    rate_ml_h: MlPerHour = Field(alias="rate", gt=0)


class ArmPart(Strict):
    """What an arm does in one compartment of a chip."""

    targets: dict[Name, Target] = Field(default_factory=dict)
    pattern: Name | None = Field(default=None, description="None: neither electrodes nor light")
    flow_ml_h: MlPerHour | None = Field(
        default=None, alias="flow", description="total, if not the default"
    )
    boluses: tuple[Bolus, ...] = ()
    program: Program = Field(
        default=(), description="what changes over time, after what the keys above begin with"
    )
    medium: Name | None = Field(
        default=None, description="a medium of its own; omitted: the phase's, or perfusion's"
    )


class Arm(Strict):
    """One treatment. A bare concentration holds in every phase with ``factors: on``."""

    role: Literal["control", "positive-control", "test"] = "test"
    targets: dict[Name, Target] = Field(default_factory=dict)
    pattern: Name | None = Field(default=None, description="None: no electrodes asked for")
    flow_ml_h: MlPerHour | None = Field(
        default=None, alias="flow", description="total, if not the default"
    )
    boluses: tuple[Bolus, ...] = ()
    program: Program = Field(
        default=(), description="what changes over time, after what the keys above begin with"
    )
    nerve: ArmPart | None = Field(
        default=None, description="on the nerve side; for cultures with compartments"
    )
    muscle: ArmPart | None = Field(
        default=None, description="on the muscle side; for cultures with compartments"
    )
    medium: Name | None = Field(
        default=None, description="a medium of its own; omitted: the phase's, or perfusion's"
    )
    note: str = ""


class Phase(Strict):
    """A stretch of the run."""

    name: Name
    duration_s: Seconds = Field(alias="duration", gt=0)
    factors: Literal["on", "off"] = "on"
    stimulation: Literal["on", "off"] = "on"
    medium: Name | None = Field(
        default=None, description="of every arm that names none; omitted: perfusion's"
    )


class Perfusion(Strict):
    """Exchange of medium."""

    medium: Name
    flow_ml_h: MlPerHour = Field(alias="flow", gt=0, description="total inflow a well")
    min_base_fraction: float = Field(
        default=0.5, ge=0, le=1, description="share that must stay medium"
    )


class Channel(Strict):
    """One optical channel and in which rounds it is taken."""

    modality: Literal["phase", "brightfield", "fluorescence"]
    shows: Literal[
        "cells", "tubes", "nuclei",
        "clusters", "terminals", "neurites", "striations", "live", "dead", "marker",
    ] = Field(
        description="cells: unstained; from clusters on, stains beside tubes and nuclei; marker: a "
        "nuclear stain, called as its channel"
    )  # fmt: skip
    exposure_ms: Ms = Field(alias="exposure", gt=0)
    rounds: (
        Literal["all", "first", "last", "first-and-last", "with-films"]
        | Annotated[str, Field(pattern=r"^after-step \S+$", max_length=80)]
    ) = Field(
        default="all",
        description="with-films: the rounds nearest to the films; after-step NAME: once, when "
        "people have done that step",
    )
    stain: str = ""
    secondary: bool = Field(
        default=False, description="its pictures give way first when the disk is short of room"
    )
    compartments: tuple[CompartmentName, ...] = Field(
        default=(), description="of chips, where it is taken; omitted: on the muscle side"
    )


def _time_or_moment(value: object) -> str:
    return "=moment" if isinstance(value, str) and value.strip()[:1].isalpha() else "=time"


# Told apart by how it begins, so that an error speaks only of what was meant.
FilmTime = Annotated[
    Annotated[Seconds, Tag("=time")] | Annotated[MomentText, Tag("=moment")],
    Discriminator(_time_or_moment),
]


class FilmPlan(Strict):
    """Contraction films, of the first field of every well."""

    at: tuple[FilmTime, ...] = Field(
        description="times from the start, or moments: '24 h', 'restore + 24 h', 'end - 2 h'"
    )
    stimulus: Name | None = Field(
        default=None,
        description="pattern that every well with electrodes gets, shams too, while films are "
        "taken; None: each well's own, and contraction cannot be compared between arms",
    )
    channel: FileName
    duration_s: Seconds = Field(alias="duration", gt=0)
    frame_rate_hz: Hertz = Field(alias="frame_rate", ge=50)
    exposure_ms: Ms = Field(alias="exposure", gt=0)


class Imaging(Strict):
    """The time-lapse."""

    interval_s: Seconds = Field(alias="interval", gt=0)
    first_s: Seconds = Field(default=0.0, alias="first", ge=0)
    sites: int = Field(ge=1, le=25, description="fields per well, fixed before the run")
    min_wall_distance_mm: Mm = Field(default=1.5, alias="wall_distance")
    channels: dict[FileName, Channel]
    films: FilmPlan | None = None
    series: tuple[Series, ...] = Field(
        default=(), description="when which assay is done; filmed as `films` says"
    )
    phase_mask: Literal["rules", "learned"] = Field(
        default="rules",
        description="tubes in channels that show cells: by rules, or (learned) by rules without "
        "the sheets of cells that a network trained on drawings sees, for cells that grow in "
        "sheets with holes; neither is validated on real cultures",
    )


class Donor(Strict):
    """Where the cells came from; a pseudonym, never a name."""

    id: Name
    age_group: Literal["young", "old", "unknown"] = "unknown"
    age_years: float | None = Field(
        default=None, alias="age", ge=0, le=130, description="in years, e.g. 78"
    )
    sex: Literal["f", "m"] | None = None
    genotype: str = ""
    morbidity: str = Field(default="", description="e.g. type 2 diabetes")
    passage: int | None = Field(default=None, ge=0)
    person: Name | None = Field(
        default=None,
        description="whose cells these are, where several entries are passages, clones or thaws of "
        "one donor: they count as one donor; omitted: the id",
    )
    lot: str = ""
    wells: tuple[WellName, ...] = Field(default=(), description="empty: every well of the plate")


class CultureRecord(Strict):
    """What a reviewer will ask about the cells."""

    cells: str
    seeding_per_cm2: int | None = Field(default=None, gt=0)
    days_differentiated: float | None = Field(default=None, ge=0)
    operator: str = ""
    mycoplasma_tested: str = ""
    lots: dict[str, str] = Field(default_factory=dict)
    note: str = ""
    compartments: CulturedCompartments | None = Field(
        default=None, description="nerve and muscle side of a chip; omitted: a well is a culture"
    )


class Randomisation(Strict):
    """Restricted, seeded allocation of arms to experimental units."""

    seed: int = Field(ge=0)
    balance_edges: bool = True
    candidates: int = Field(default=500, ge=1, le=100_000, description="layouts drawn and scored")


class LatenessRule(Strict):
    """What to do with an event whose time has passed."""

    rule: Literal["skip", "once_within", "coalesce", "ask", "abort_arm"]
    grace_s: Seconds = Field(default=0.0, alias="grace", ge=0)


class Rules(Strict):
    """Rules fixed before the run."""

    late_frame: LatenessRule = LatenessRule.model_construct(rule="once_within", grace_s=300.0)
    late_film: LatenessRule = LatenessRule.model_construct(rule="once_within", grace_s=600.0)
    late_reading: LatenessRule = LatenessRule(rule="skip")
    late_dose: LatenessRule = LatenessRule.model_construct(rule="once_within", grace_s=900.0)
    on_unknown_dose: Literal["assume_done", "redo", "ask"] = "assume_done"
    max_gap_h: Hours = Field(default=4.0, alias="max_gap", description="below half target: censor")


class Override(Strict):
    """A person takes responsibility for one blocking finding."""

    finding: str
    reason: str = Field(min_length=10)
    by: str = Field(min_length=2)


class Protocol(Strict):
    """One experiment."""

    labrig: Literal[1] = Field(description="version of this file format")
    name: FileName
    title: str
    catalogue: str = Field(default="", description="e.g. P3")
    purpose: str = ""
    pilot: bool = Field(
        default=False, description="true: may run uncommitted; every output says pilot"
    )
    plate: Literal["6-well", "12-well", "24-well", "48-well", "96-well", "any"] = Field(
        description="any: whatever plate the rig holds, all of its wells"
    )
    culture: CultureRecord
    donors: tuple[Donor, ...] = Field(min_length=1)
    media: dict[Name, Medium] = Field(min_length=1)
    factors: dict[Name, Factor] = Field(default_factory=dict)
    mixtures: dict[Name, Mixture] = Field(
        default_factory=dict, description="dosed as one thing, by a strength: '1 x' or '33 %'"
    )
    stocks: dict[Name, Stock] = Field(default_factory=dict)
    written_patterns: dict[Name, AnyPattern] = Field(default_factory=dict, alias="patterns")
    assays: dict[Name, Assay] = Field(
        default_factory=dict, description="test series; `imaging.series` says when"
    )
    perfusion: Perfusion | None = Field(default=None, description="None: nothing is perfused")
    arms: dict[Name, Arm] = Field(min_length=1)
    phases: tuple[Phase, ...] = Field(min_length=1)
    imaging: Imaging
    environment: Environment = Environment()
    randomisation: Randomisation
    rules: Rules = Rules()
    errors: ErrorEntries = Field(
        default_factory=dict, description="what is done when something fails: action, error, rule"
    )
    viability: Viability | None = Field(
        default=None, description="outages by their length; None: labrig's defaults [P]"
    )
    definition: Definition = Definition()
    analysis: AnalysisPlan | None = Field(
        default=None, description="what the report may claim; None: labrig's default plan [P]"
    )
    outcomes: tuple[Outcome, ...] = Field(
        default=(),
        description="questions named before the run, one family beside the primary read-outs",
    )
    blinding: Blinding | None = Field(
        default=None, description="who may know the arms; omitted: everybody"
    )
    steps: tuple[PersonStep, ...] = Field(default=(), description="what people do during the run")
    results: tuple[ResultPlan, ...] = Field(
        default=(), description="tables that come from elsewhere, joined to wells"
    )
    simulation: Simulation | None = Field(
        default=None, description="of a simulated run; a real one knows nothing of it"
    )
    overrides: tuple[Override, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the run in seconds."""
        return sum(phase.duration_s for phase in self.phases)

    @property
    def patterns(self) -> dict[str, Pattern]:
        """Those that a stimulator plays as they are."""
        written = self.written_patterns.items()
        return {name: pattern for name, pattern in written if isinstance(pattern, Pattern)}

    @property
    def mixed_patterns(self) -> dict[str, MixedPattern]:
        """Those that are others taking turns."""
        written = self.written_patterns.items()
        return {name: pattern for name, pattern in written if isinstance(pattern, MixedPattern)}

    @model_validator(mode="before")
    @classmethod
    def _amounts(cls, document: Any) -> Any:  # noqa: ANN401 - whatever stands in a file
        return amounts_to_model(document) if isinstance(document, Mapping) else document

    @model_serializer(mode="wrap")
    def _strengths(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return amounts_to_text(handler(self))

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        check_references(self)
        return self

"""The protocol: what the experiment is, free of hardware.

Strict: an unknown key is an error. Quantities are written with units (``labrig.units``) under
the YAML key; the attribute carries the unit in its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from labrig.name_types import FileName, Name
from labrig.protocol.amounts import amounts_to_model, amounts_to_text
from labrig.protocol.analysis_plan import AnalysisPlan
from labrig.protocol.arms import Arm
from labrig.protocol.assays import Assay
from labrig.protocol.blinding import Blinding
from labrig.protocol.climate import Environment
from labrig.protocol.culture import CultureRecord, Donor
from labrig.protocol.definition import Definition
from labrig.protocol.error_entries import ErrorEntries, Viability
from labrig.protocol.imaging import Imaging
from labrig.protocol.impulses import AnyPattern, Pattern
from labrig.protocol.liquids import Factor, Medium, Stock
from labrig.protocol.mixtures import Mixture
from labrig.protocol.outcomes import Outcome
from labrig.protocol.person_steps import PersonStep, ResultPlan
from labrig.protocol.programmes import MixedPattern
from labrig.protocol.references import check_references
from labrig.protocol.rules import Override, Randomisation, Rules
from labrig.protocol.simulation import Simulation
from labrig.quantities import MlPerHour, Seconds
from labrig.strict_model import Strict


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

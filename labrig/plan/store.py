"""A plan as one JSON document, and back, without loss.

The layout follows the dataclasses (:mod:`labrig.typed_json`), every timeline entry with its
``kind``; reading gives back an equal plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from labrig.plan.consumables import Loading
from labrig.plan.dose_model import ChamberPlan, Draw, FactorLoss, Inlet
from labrig.plan.foreseen import Depletion
from labrig.plan.plan import Plan, WellPlan
from labrig.plan.run_rules import RunRules
from labrig.plan.timeline import AskedTest, Film, Frame, PersonStep, TimelineEntry, TrainSpec
from labrig.run_folder import RunFolder
from labrig.typed_json import NotAsTyped, TypedJson

FORMAT = "labrig.plan"
VERSION = 2
OLDER: Mapping[Any, Mapping[str, Any]] = {1: {"protocol": "", "rig": ""}}
"""By version that is still read, what its plans do not hold yet and how that reads."""

_ADDED: dict[Any, frozenset[str]] = {
    WellPlan: frozenset({"carriers", "open_to", "compartment", "chip"}),
    TrainSpec: frozenset(
        {
            "amplitude_ma",
            "of_capture",
            "capture",
            "fallback_v",
            "if_unknown",
            "irradiance_mw_mm2",
            "wavelength_nm",
        }
    ),
    Frame: frozenset({"z_um", "after"}),
    Film: frozenset({"z_um", "assay", "step", "test", "begins_s"}),
    RunRules: frozenset({"medium_at_abort", "short_gap_s", "viable_gap_s", "longer_gap"}),
    Plan: frozenset(
        {
            "interlocks",
            "safe",
            "climate",
            "errors",
            "supplies",
            "wear",
            "pictures",
            "by_hand",
        }
    ),
    AskedTest: frozenset({"irradiance_mw_mm2", "wavelength_nm"}),
    PersonStep: frozenset({"supply", "to_ml", "stands", "bottles"}),
    Depletion: frozenset({"refills_s", "between_ml"}),
    FactorLoss: frozenset({"unit", "molar_mass_kda"}),
    Inlet: frozenset({"valve", "choices", "tube_ul", "filled_with", "source"}),
    ChamberPlan: frozenset({"secretes"}),
    Draw: frozenset({"valve", "position"}),
    Loading: frozenset({"fills"}),
}
"""Fields that plans of an older labrig lack; they are read as their defaults."""

_ENTRY: Any = TimelineEntry
_JSON = TypedJson({cls: cls.kind for cls in get_args(TimelineEntry)}, _ADDED)


class PlanFormatError(ValueError):
    """A document that is not a plan this version can read."""


def read_plan(folder: RunFolder) -> Plan:
    """The compiled plan of a run, with all amendments.

    Raises:
        PlanFormatError: it cannot be read.
    """
    return from_json(folder.plan_in_force.read_text(encoding="utf-8"))


def first_plan(folder: RunFolder) -> Plan:
    """The plan that a run was started with.

    Raises:
        PlanFormatError: it cannot be read.
    """
    return from_json(folder.plan.read_text(encoding="utf-8"))


def to_json(plan: Plan) -> str:
    """The plan as JSON, the same text for the same plan."""
    document = {"format": FORMAT, "version": VERSION, "plan": _JSON.plain(plan)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> Plan:
    """Read what :func:`to_json` wrote.

    Raises:
        PlanFormatError: not JSON, not a plan, of another version, or a field is missing,
            unknown or of the wrong type; the message gives its path.
    """
    try:
        return _JSON.read_text(Plan, text, _content)
    except json.JSONDecodeError as error:
        raise PlanFormatError(f"plan: not JSON ({error}); copy plan.json again") from None
    except NotAsTyped as wrong:
        raise PlanFormatError(f"plan{wrong.path}: {wrong.what}") from None


def entry_from_json(text: str) -> TimelineEntry:
    """One entry of a timeline, as it stands in the plan. Raises PlanFormatError."""
    try:
        entry: TimelineEntry = _JSON.read(_ENTRY, json.loads(text))
    except (json.JSONDecodeError, NotAsTyped) as error:
        raise PlanFormatError(f"plan: {error}") from None
    return entry


def _content(document: Any) -> Any:  # noqa: ANN401 - any JSON
    """The plan in it, as it is today. Raises PlanFormatError."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PlanFormatError(f"plan: not a {FORMAT} document")
    version, content = document.get("version"), document.get("plan")
    if version != VERSION and version not in OLDER:
        raise PlanFormatError(
            f"plan: version {version!r}, this labrig reads {VERSION}; "
            "compile the protocol again or use the labrig that wrote it"
        )
    if version != VERSION and isinstance(content, dict):
        content = {**OLDER[version], **content}
    return content

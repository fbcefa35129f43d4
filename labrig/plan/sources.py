"""What a run was planned from, as its plan holds it: edits of the files beside it count nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from labrig.plan.plan import Plan
from labrig.plan.store import PlanFormatError
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol
from labrig.rig.loading import load_rig
from labrig.rig.models import Rig

ModelT = TypeVar("ModelT", bound=BaseModel)


def planned_protocol(plan: Plan, file: Path) -> Protocol:
    """The protocol of a plan.

    Args:
        plan: of the run.
        file: the protocol in the run folder; read only for a plan of an older labrig, which holds
            none.

    Raises:
        PlanFormatError: the plan's protocol is none that this version can read.
        labrig.problems.FileProblems: nor is the file.
    """
    if not plan.protocol:
        return load_protocol(file).model
    return _read(plan.protocol, Protocol, "protocol")


def planned_rig(plan: Plan, file: Path) -> Rig:
    """The rig of a plan, as :func:`planned_protocol` does it."""
    if not plan.rig:
        return load_rig(file).model
    return _read(plan.rig, Rig, "rig")


def _read(text: str, model: type[ModelT], name: str) -> ModelT:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise PlanFormatError(
            f"plan.{name}.{where}: {first['msg']}; it was edited, or made by another version of "
            "labrig: put plan.json back from a copy, or use the labrig that made it"
        ) from None

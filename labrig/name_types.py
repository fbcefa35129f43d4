"""Names in protocols and rigs: of their parts, of files and folders, and of wells."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from labrig.file_names import LONGEST, PATTERN, RULE, fault_in_name
from labrig.places import PATTERN as WELL_PATTERN
from labrig.places import NotAPlace, Place

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+/-]*$", max_length=60)]


def _checked(name: str) -> str:
    fault = fault_in_name(name)
    if fault:
        what = {"name": repr(name[:80]), "fault": fault, "remedy": RULE}
        raise PydanticCustomError(
            "file_name", "{name} is not a valid name for files: it {fault}", what
        )
    return name


FileName = Annotated[
    str,
    AfterValidator(_checked),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "maxLength": LONGEST}),
]


def _well(name: str) -> str:
    try:
        return Place.of(name).name
    except NotAPlace as error:
        what = {"what": str(error), "remedy": error.remedy}
        raise PydanticCustomError("well", "{what}", what) from None


WellName = Annotated[
    str,
    AfterValidator(_well),
    WithJsonSchema({"type": "string", "pattern": WELL_PATTERN}),
]

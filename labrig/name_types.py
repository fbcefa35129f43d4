"""Names in protocols and rigs that become names of files and folders."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from labrig.file_names import LONGEST, PATTERN, RULE, fault_in_name


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

"""What a protocol says to a simulated run; a real one knows nothing of it."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*\.toml")


class Simulation(BaseModel):
    """Of the simulated culture."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    responses: str = Field(
        max_length=120,
        description="a file beside the protocol: what your factors do to the simulated culture",
    )

    @field_validator("responses")
    @classmethod
    def _beside_the_protocol(cls, value: str) -> str:
        if _FILE.fullmatch(value):
            return value
        own = re.split(r"[\\/]", value)[-1].rsplit(".", 1)[0] or "mine"
        raise PydanticCustomError(
            "responses",
            "{value} is not the name of a TOML file beside the protocol",
            {
                "value": repr(value),
                "remedy": f"Put the file beside the protocol and write its name alone, such as "
                f"'{re.sub('[^A-Za-z0-9_+-]', '-', own).strip('-') or 'mine'}.toml'.",
            },
        )

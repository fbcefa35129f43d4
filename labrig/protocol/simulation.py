"""What a protocol says to a simulated run; a real one knows nothing of it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Simulation(BaseModel):
    """Of the simulated culture."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    responses: str = Field(
        pattern=r"^[^/\\:]+\.toml$",
        max_length=120,
        description="a file beside the protocol: what your factors do to the simulated culture",
    )

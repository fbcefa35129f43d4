"""What a person fills in when a night is started from a deployment.

What belongs to the day (cells, donors) is declared with the protocol's own models, so Prefect's
form and the protocol file can never disagree about what is allowed. What a commitment fixes is
not here: it is changed in the protocol file, by an amendment.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from labrig.protocol.models import CultureRecord, Donor


class NightParameters(BaseModel):
    """Parameters of the ``night`` flow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: str = Field(description="protocol file, as checked with `labrig check`")
    rig: str = Field(description="rig file")
    runs: str = Field(default="runs", description="folder in which the run's own folder is made")
    simulate: bool = Field(default=False, description="run on the rig's simulators, not its ports")
    fast: bool = Field(default=False, description="simulated only: as fast as the computer can")
    operator: str = Field(default="", description="who is responsible for this night")
    culture: CultureRecord | None = Field(default=None, description="in place of the protocol's")
    donors: tuple[Donor, ...] | None = Field(default=None, description="in place of the protocol's")

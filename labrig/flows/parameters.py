"""What a person fills in when a night is started from a deployment.

What belongs to the day (cells, donors) is declared with the protocol's own models, so Prefect's
form and the protocol file can never disagree about what is allowed. What a commitment fixes is
not here: it is changed in the protocol file, by an amendment. No file is named here either:
which files may run is said when `labrig serve` is started, and stands in no database.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from labrig.protocol.culture import CultureRecord, Donor


class NightParameters(BaseModel):
    """Parameters of the ``night`` flow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: str = Field(description="name of one of the protocols that are served")
    operator: str = Field(default="", description="who is responsible for this night")
    culture: CultureRecord | None = Field(default=None, description="in place of the protocol's")
    donors: tuple[Donor, ...] | None = Field(default=None, description="in place of the protocol's")

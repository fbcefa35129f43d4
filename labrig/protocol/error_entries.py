"""What protocols and rigs may say of errors and outages (docs/error-rules.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from labrig.error_rules import MOST_APART_S, MOST_RETRIES, Action, Error, Then
from labrig.quantities import Seconds
from labrig.strict_model import Strict


class ErrorEntry(Strict):
    """What is done about one error of one action; what is left out stays as it is."""

    retry: int | None = Field(
        default=None, ge=0, le=MOST_RETRIES, description="how often it is tried again"
    )
    apart_s: Seconds | None = Field(
        default=None, alias="apart", ge=0, le=MOST_APART_S, description="from one try to the next"
    )
    then: Then | None = Field(default=None, description="what follows when no try helped")
    default: str | None = Field(
        default=None, description="the answer that is taken when nobody has given one"
    )
    after_s: Seconds | None = Field(
        default=None, alias="after", gt=0, description="so long after it was asked"
    )


ErrorEntries = dict[Action, dict[Error, ErrorEntry]]


class Viability(Strict):
    """For how long cells can do without a runner, and what follows after an outage."""

    short_s: Seconds = Field(
        default=120.0, alias="short", ge=0, description="up to this it goes on with a note [P]"
    )
    limit_s: Seconds = Field(
        default=14400.0, alias="limit", gt=0, description="beyond this `longer` holds [P]"
    )
    longer: Literal["hold", "go_on"] = Field(
        default="hold",
        description="hold: medium alone flows, and a person is asked; go_on: it goes on",
    )

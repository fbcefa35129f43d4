"""A file of faults: what goes wrong on a simulated bench, when and for how long.

```yaml
faults:
  - {instrument: nerve_02, fault: stall, at: 1 h}
  - {instrument: base_left, fault: creep, at: 2 h, for: 8 h, value: -0.2}
  - {world: door_open, at: 3 h, for: 5 min}
  - {world: bubble, of: nerve_01_line, at: 4 h, value: 50}
  - {computer: kill, at: 5 h, for: 30 s}
  - {instrument: stage, fault: stuck, at: 0 h, for: 24 h, share: 0.01, each: 10 s, seed: 3}
```

The last comes at random: of its 24 hours it is on for a hundredth, in spells of ten seconds.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from labrig.problems import Mistake, raise_mistakes
from labrig.quantities import Seconds
from labrig.rig.fault_kinds import COMPUTER_FAULTS, PEOPLE_FAULTS, WORLD_FAULTS

BESIDE = ("world", "computer", "people")
"""Keys that stand in place of an instrument and its fault."""
LONGEST_S = 1e8
"""[P] Three years; no run lasts so long."""
MOST_SPELLS = 100_000
"""[P] So many times one that comes at random may be on; more is a slip of the unit."""


class ScriptedFault(BaseModel):
    """One fault: of an instrument, or of the world, the computer or the people."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    instrument: str | None = Field(None, description="by its name in the rig file")
    fault: str | None = Field(None, description="what it suffers")
    world: str | None = Field(
        None,
        description="what happens around the instruments",
        json_schema_extra={"enum": [*WORLD_FAULTS]},
    )
    computer: str | None = Field(
        None,
        description="what happens to the computer",
        json_schema_extra={"enum": [*COMPUTER_FAULTS]},
    )
    people: str | None = Field(
        None, description="what people do wrong", json_schema_extra={"enum": [*PEOPLE_FAULTS]}
    )
    at: Annotated[Seconds, Field(ge=0, le=LONGEST_S, description="on the run's clock, e.g. 65 min")]
    for_s: Annotated[
        Seconds | None,
        Field(alias="for", gt=0, le=LONGEST_S, description="how long; to the end without it"),
    ] = None
    value: float = Field(0.0, description="how much, where the fault has one")
    of: str = Field("", description="the line, reservoir or port that it concerns")
    share: float | None = Field(
        None, gt=0, le=1, description="at random: the share of its time in which it is on"
    )
    each: Annotated[Seconds, Field(gt=0, description="at random: how long it is on each time")] = (
        10.0
    )
    seed: int = Field(1, description="at random: the same times for the same number")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        beside = [key for key in BESIDE if getattr(self, key) is not None]
        named = [*beside, *(["instrument"] if self.instrument is not None else [])]
        how = "Write `instrument` and `fault`, or one of `world`, `computer`, `people`."
        mistakes = []
        if len(named) != 1:
            said = " and ".join(f"`{key}`" for key in named) or "nothing that suffers it"
            mistakes.append(Mistake((), f"one fault, and {said} is named", how))
        elif beside and self.fault is not None:
            mistakes.append(Mistake(("fault",), f"`{beside[0]}` names the fault already", how))
        elif not beside and self.fault is None:
            mistakes.append(Mistake((), "an instrument without a `fault`", how))
        if self.share is not None and self.for_s is None:
            how = "Write `for`: the time of which it takes its share, e.g. `for: 24 h`."
            mistakes.append(Mistake(("share",), "a share of a time without an end", how))
        if self.share is not None and self.for_s is not None:
            places = self.for_s / self.each
            if places > MOST_SPELLS:
                how = f"Make `each` longer or `for` shorter: at most {MOST_SPELLS} times."
                mistakes.append(Mistake(("each",), f"it would come {places:.3g} times", how))
        if self.share is None:
            mistakes += [
                Mistake((key,), f"`{key}` is of a fault at random, and no `share` is given",
                        f"Write `share: 0.01` beside it, or leave `{key}` out.")
                for key in ("each", "seed") if key in self.model_fields_set
            ]  # fmt: skip
        raise_mistakes("ScriptedFault", mistakes)
        return self

    def named(self) -> tuple[str, str]:
        """Of what, and which."""
        for key in BESIDE:
            if (fault := getattr(self, key)) is not None:
                return key, str(fault)
        return str(self.instrument), str(self.fault)


class FaultScript(BaseModel):
    """All of them; they may overlap."""

    model_config = ConfigDict(extra="forbid")

    labrig: Literal[1] = 1
    faults: list[ScriptedFault]

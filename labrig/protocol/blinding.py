"""Who may know which arm is which, and until when: the protocol's ``blinding:`` block.

Blinding here keeps those who judge pictures from knowing arms. Whoever fills syringes must know
what is in them, and is another person.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from labrig.problems import Mistake
from labrig.protocol.people import same_person

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol


class Blinding(BaseModel):
    """What is hidden, and from whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    arms: Literal["named", "coded"] = Field(
        default="named",
        description="coded: pages, lists and tables show codes until `labrig unblind`",
    )
    handlers: tuple[str, ...] = Field(
        default=(), description="who mixes and fills, and so knows the arms; names as people sign"
    )
    judges: tuple[str, ...] = Field(
        default=(), description="who corrects labels and judges pictures, without knowing the arms"
    )


def is_coded(protocol: Protocol) -> bool:
    """Whether arms are shown as codes until they are unblinded."""
    return protocol.blinding is not None and protocol.blinding.arms == "coded"


def blinding_mistakes(protocol: Protocol) -> Iterator[Mistake]:
    """Mistakes in the protocol's ``blinding:`` block; none without one."""
    blinding = protocol.blinding
    if blinding is None:
        return
    for index, judge in enumerate(blinding.judges):
        known = next((h for h in blinding.handlers if same_person(judge, h)), None)
        if known is not None:
            yield Mistake(
                ("blinding", "judges", index),
                f"'{judge}' can be '{known}', who handles the syringes and knows the arms",
                "Let somebody else judge the pictures, or write both names out in full.",
                judge,
            )
    if is_coded(protocol) and len(protocol.arms) < 2:
        yield Mistake(
            ("blinding", "arms"),
            "one arm alone cannot be told by a code",
            "Leave `blinding` out, or add an arm.",
            "coded",
        )

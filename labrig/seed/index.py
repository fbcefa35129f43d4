"""The index of the paper's systems: which protocol asks about each, and what the paper expects."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from labrig.catalogue import catalogue_folder
from labrig.documents import Mistaken, load

Pair = tuple[str, str]
"""An arm, and the arm that it is held against."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Compared(_Strict):
    """One arm lies below, above or level with another."""

    compare: Pair
    of: str
    sign: Literal["lower", "higher", "alike"] = Field(alias="is")
    at: str = Field(default="end", description="a moment of the protocol")

    def __str__(self) -> str:
        when = "" if self.at == "end" else f" at {self.at}"
        return f"{self.of}{when}: {self.compare[0]} {_SIGNS[self.sign]} {self.compare[1]}"


class AmongDonors(_Strict):
    """One group of donors lies below or above another, over all arms."""

    among: Pair
    of: str
    sign: Literal["lower", "higher"] = Field(alias="is")

    def __str__(self) -> str:
        return f"{self.of}: {self.among[0]} donors {_SIGNS[self.sign]} {self.among[1]} ones"


class Ordered(_Strict):
    """In one arm one thing declines before another does, as seen against a second arm."""

    order: tuple[str, ...] = Field(min_length=2)
    arm: str
    against: str

    def __str__(self) -> str:
        return f"in {self.arm}: {' before '.join(self.order)}"


class Effect(_Strict):
    """What one arm does to another is more than what a second pair, or group of donors, shows."""

    effect: Pair
    of: str
    more_than: Pair | None = None
    more_in: str | None = None
    than_in: str | None = None

    @model_validator(mode="after")
    def _held_against_something(self) -> Self:
        if (self.more_than is None) == (self.more_in is None or self.than_in is None):
            raise ValueError("name either more_than, or more_in and than_in")
        return self

    def __str__(self) -> str:
        than = (
            f"{self.more_than[0]} against {self.more_than[1]}"
            if self.more_than
            else f"the same in {self.than_in} donors"
        )
        where = f" in {self.more_in} donors" if self.more_in else ""
        return f"{self.of}: {self.effect[0]} against {self.effect[1]}{where} more than {than}"


class Recovery(_Strict):
    """Of what was lost, each later arm gets less back than the one before."""

    recovery: tuple[str, ...] = Field(min_length=2)
    of: str
    sign: Literal["falling"] = Field(alias="is")

    def __str__(self) -> str:
        return f"recovered {self.of} falls from {self.recovery[0]} to {self.recovery[-1]}"


_SIGNS = {"lower": "below", "higher": "above", "alike": "level with"}
Prediction = Compared | AmongDonors | Ordered | Effect | Recovery


class Row(_Strict):
    """One system or definition of the paper.

    Attributes:
        claims: what the paper says, in our words.
        asks: the question, by which a protocol is found.
        protocol / bench: files, below the folder of the seed and of the catalogue.
        read_outs: what the report of a run must show.
        seen: whether a short run to its report was looked at and showed all of it: tests draw the
            rows that they run from these.
        unseen: what was missing when it was looked at; empty where nobody has looked yet.
        out_of_scope: why nothing here can ask about it; then there is no protocol.
    """

    claims: str
    asks: str
    protocol: str | None = None
    bench: str | None = None
    read_outs: tuple[str, ...] = ()
    predicts: tuple[Prediction, ...] = ()
    seen: bool = False
    unseen: str = ""
    out_of_scope: str = ""

    @model_validator(mode="after")
    def _asked_or_out_of_scope(self) -> Self:
        if bool(self.out_of_scope) == bool(self.protocol and self.bench and self.read_outs):
            raise ValueError("name protocol, bench and read_outs, or say why it is out_of_scope")
        if self.seen and self.unseen:
            raise ValueError("a row that was seen has nothing to say under unseen")
        return self


class Offered(_Strict):
    """A protocol of the catalogue: what it asks, and a bench that it can be run on."""

    asks: str
    bench: str


class Index(_Strict):
    """The protocols that ship.

    Attributes:
        catalogue: those that a lab begins with, by file.
        rows: the paper's systems by their number, ``D1`` to ``D7`` and ``S01`` to ``S48``.
    """

    catalogue: dict[str, Offered] = Field(default_factory=dict)
    rows: dict[str, Row]


def seed_folder() -> Path:
    """The folder of the index and its protocols."""
    return catalogue_folder() / "seed"


def load_index(file: Path | None = None) -> Index:
    """The index, checked.

    Raises:
        FileProblems: it has mistakes.
    """
    mistaken = Mistaken("arms", "this is a protocol, not an index", "Name the index.")
    return load(file or seed_folder() / "index.yaml", Index, mistaken).model

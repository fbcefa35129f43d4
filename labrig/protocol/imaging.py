"""The time-lapse: channels, rounds and films."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from labrig.name_types import FileName, Name
from labrig.protocol.assays import Series
from labrig.protocol.compartments import CompartmentName
from labrig.protocol.moments import MomentText
from labrig.quantities import Hertz, Mm, Ms, Seconds
from labrig.strict_model import Strict


class Channel(Strict):
    """One optical channel and in which rounds it is taken."""

    modality: Literal["phase", "brightfield", "fluorescence"]
    shows: Literal[
        "cells", "tubes", "nuclei",
        "clusters", "terminals", "neurites", "striations", "live", "dead", "marker",
    ] = Field(
        description="cells: unstained; from clusters on, stains beside tubes and nuclei; marker: a "
        "nuclear stain, called as its channel"
    )  # fmt: skip
    exposure_ms: Ms = Field(alias="exposure", gt=0)
    rounds: (
        Literal["all", "first", "last", "first-and-last", "with-films"]
        | Annotated[str, Field(pattern=r"^after-step \S+$", max_length=80)]
    ) = Field(
        default="all",
        description="with-films: the rounds nearest to the films; after-step NAME: once, when "
        "people have done that step",
    )
    stain: str = ""
    secondary: bool = Field(
        default=False, description="its pictures give way first when the disk is short of room"
    )
    compartments: tuple[CompartmentName, ...] = Field(
        default=(), description="of chips, where it is taken; omitted: on the muscle side"
    )


def _time_or_moment(value: object) -> str:
    return "=moment" if isinstance(value, str) and value.strip()[:1].isalpha() else "=time"


# Told apart by how it begins, so that an error speaks only of what was meant.
FilmTime = Annotated[
    Annotated[Seconds, Tag("=time")] | Annotated[MomentText, Tag("=moment")],
    Discriminator(_time_or_moment),
]


class FilmPlan(Strict):
    """Contraction films, of the first field of every well."""

    at: tuple[FilmTime, ...] = Field(
        description="times from the start, or moments: '24 h', 'restore + 24 h', 'end - 2 h'"
    )
    stimulus: Name | None = Field(
        default=None,
        description="pattern that every well with electrodes gets, shams too, while films are "
        "taken; None: each well's own, and contraction cannot be compared between arms",
    )
    channel: FileName
    duration_s: Seconds = Field(alias="duration", gt=0)
    frame_rate_hz: Hertz = Field(alias="frame_rate", ge=50)
    exposure_ms: Ms = Field(alias="exposure", gt=0)


class Imaging(Strict):
    """The time-lapse."""

    interval_s: Seconds = Field(alias="interval", gt=0)
    first_s: Seconds = Field(default=0.0, alias="first", ge=0)
    sites: int = Field(ge=1, le=25, description="fields per well, fixed before the run")
    min_wall_distance_mm: Mm = Field(default=1.5, alias="wall_distance")
    channels: dict[FileName, Channel]
    films: FilmPlan | None = None
    series: tuple[Series, ...] = Field(
        default=(), description="when which assay is done; filmed as `films` says"
    )
    phase_mask: Literal["rules", "learned"] = Field(
        default="rules",
        description="tubes in channels that show cells: by rules, or (learned) by rules without "
        "the sheets of cells that a network trained on drawings sees, for cells that grow in "
        "sheets with holes; neither is validated on real cultures",
    )

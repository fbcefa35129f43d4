"""Which sides of chips the camera looks at; of cultures without sides, all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labrig.plan.plan import WellPlan
from labrig.plan.timeline import Frame
from labrig.protocol.compartments import compartments_of, taken_in
from labrig.protocol.models import Protocol


def seen_in(protocol: Protocol) -> frozenset[str]:
    """Compartments that any channel is taken of."""
    channels = protocol.imaging.channels.values()
    return frozenset(side for channel in channels for side in taken_in(protocol, channel))


def filmed_in(protocol: Protocol) -> frozenset[str]:
    """Compartments that films are taken of; all of them without films."""
    films = protocol.imaging.films
    if films is None or films.channel not in protocol.imaging.channels:
        return frozenset(compartments_of(protocol))
    return frozenset(taken_in(protocol, protocol.imaging.channels[films.channel]))


def where_taken(
    protocol: Protocol, wells: Sequence[WellPlan], pictures: Iterable[Frame]
) -> tuple[Frame, ...]:
    """The pictures, without those of sides that their channel is not taken of."""
    side_of = {well.well: well.compartment for well in wells}
    channels = protocol.imaging.channels
    return tuple(
        picture
        for picture in pictures
        if side_of[picture.well] in taken_in(protocol, channels[picture.channel])
    )

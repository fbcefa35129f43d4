"""Whether what a protocol says by compartment, and with light, fits its cultures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake
from labrig.protocol.compartments import COMPARTMENTS

if TYPE_CHECKING:
    from labrig.protocol.arms import Arm
    from labrig.protocol.models import Protocol

EXAMPLE = (
    "`compartments: {nerve: {cells: iPSC motor neurons, opsin: ChR2-H134R}, "
    "muscle: {cells: human primary myotubes}}`"
)


def compartment_mistakes(protocol: Protocol) -> Iterator[Mistake]:
    """Arms, patterns and channels against the compartments of the culture."""
    for name, arm in protocol.arms.items():
        if protocol.culture.compartments is None:
            yield from _sides_without_compartments(name, arm)
        else:
            yield from _said_of_the_whole_chip(name, arm)
            yield from _wrong_side(protocol, name, arm)
    for name, channel in protocol.imaging.channels.items():
        if channel.compartments and protocol.culture.compartments is None:
            yield Mistake(
                ("imaging", "channels", name, "compartments"),
                "the cultures of this protocol have no compartments",
                f"Leave it out, or add under culture: {EXAMPLE}.",
            )
    yield from _light(protocol)


def _sides_without_compartments(name: str, arm: Arm) -> Iterator[Mistake]:
    for side in COMPARTMENTS:
        if getattr(arm, side) is not None:
            yield Mistake(
                ("arms", name, side),
                f"arm '{name}' says what the {side} side gets, and the cultures have no "
                "compartments",
                f"Add under culture: {EXAMPLE}, or write it for the arm as a whole.",
            )


def _said_of_the_whole_chip(name: str, arm: Arm) -> Iterator[Mistake]:
    for key, said in (
        ("targets", arm.targets),
        ("pattern", arm.pattern is not None),
        ("flow", arm.flow_ml_h is not None),
        ("boluses", arm.boluses),
        ("program", arm.program),
        ("medium", arm.medium is not None),
    ):
        if said:
            yield Mistake(
                ("arms", name, key),
                f"arm '{name}' says `{key}` for a chip as a whole, whose two sides are separate",
                f"Write it under the side that gets it: `nerve: {{{key}: ...}}` or "
                f"`muscle: {{{key}: ...}}`.",
            )


def _wrong_side(protocol: Protocol, name: str, arm: Arm) -> Iterator[Mistake]:
    from labrig.protocol.impulses import LightPattern

    for side in COMPARTMENTS:
        part = arm.nerve if side == "nerve" else arm.muscle
        pattern = None if part is None else protocol.patterns.get(part.pattern or "")
        if isinstance(pattern, LightPattern) and pattern.onto != side:
            yield Mistake(
                ("arms", name, side, "pattern"),
                f"'{part.pattern if part else ''}' shines onto {pattern.onto}, and stands under "
                f"{side}",
                f"Write it under `{pattern.onto}:`, or give the pattern `onto: {side}`.",
            )


def _light(protocol: Protocol) -> Iterator[Mistake]:
    from labrig.protocol.impulses import LightPattern

    for name, pattern in protocol.patterns.items():
        if not isinstance(pattern, LightPattern):
            continue
        path: KeyPath = ("patterns", name)
        for key, said in (("amplitude", pattern.amplitude_v), ("current", pattern.amplitude_ma)):
            if said is not None:
                yield Mistake(
                    (*path, key),
                    f"'{name}' is given by light, which has no {key}",
                    "Say its strength as `irradiance: 1 mW/mm**2`; the light's calibration in the "
                    "rig turns it into volts.",
                )
        sides = protocol.culture.compartments
        if sides is None:
            yield Mistake(
                (*path, "onto"),
                f"'{name}' shines onto {pattern.onto}, and the cultures have no compartments",
                f"Add under culture: {EXAMPLE}.",
                pattern.onto,
            )
        elif (sides.nerve if pattern.onto == "nerve" else sides.muscle).opsin is None:
            yield Mistake(
                (*path, "onto"),
                f"'{name}' shines onto {pattern.onto}, whose cells have no opsin: light would not "
                "move them",
                f"Name it under culture.compartments.{pattern.onto}: `opsin: ChR2-H134R`, or "
                "shine onto the other side.",
                pattern.onto,
            )

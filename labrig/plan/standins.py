"""The vehicle in a stock's place while an arm takes less of it, through lines that stand idle.

A line holds one solution for a whole run, so where an arm stops a stock its line stands still, its
medium must make up for it, and dilution differs from arms that go on. A line of a role that no
stock takes can bring the vehicle for that time. It is used where all wells that share its pump or
reservoir also share the stock's: they then take the same, whatever the lots give them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labrig.plan.joined import joined
from labrig.protocol.contents import doses_of, vehicle_of
from labrig.protocol.models import Protocol
from labrig.protocol.segments import Segment, segments
from labrig.rig.graph import source_words
from labrig.rig.models import Rig


def lesser_arms(protocol: Protocol, stock: str, users: Sequence[str]) -> tuple[str, ...]:
    """Of the arms that use a stock, those that at some time take less of it than another."""
    held = [dose for dose, value in doses_of(protocol, stock).items() if value > 0]
    programmes = {arm: segments(protocol, arm) for arm in users}
    moments = sorted({s.start_s for own in programmes.values() for s in own})
    amounts = {
        arm: [_at(own, held, moment) for moment in moments] for arm, own in programmes.items()
    }
    return tuple(
        arm
        for arm, own in amounts.items()
        if any(
            _less(mine, theirs)
            for others in amounts.values()
            for mine, theirs in zip(own, others, strict=True)
        )
    )


def standins(
    protocol: Protocol,
    rig: Rig,
    roles: Mapping[str, str],
    role_of_line: Mapping[str, str],
    users: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """By a role that no stock takes, the role whose vehicle its lines bring.

    Args:
        protocol: says which arms stop a stock that others go on with.
        rig: its lines, pumps and reservoirs.
        roles: by stock, the role it takes.
        role_of_line: of every additive line.
        users: by stock, the arms that hold targets with it.
    """
    free = [r for r in dict.fromkeys(role_of_line.values()) if r not in roles.values()]
    found: dict[str, str] = {}
    for stock, role in roles.items():
        vehicle = vehicle_of(protocol, protocol.stocks[stock])
        if (
            vehicle is None
            or role in found.values()
            or not lesser_arms(protocol, stock, users[stock])
        ):
            continue
        served = [_wells(rig, names) for names in _groups(rig, role_of_line, role)]
        for other in free:
            units = [_wells(rig, names) for names in _groups(rig, role_of_line, other)]
            fits = all(any(unit <= group for group in served) for unit in units)
            if other not in found and fits:
                found[other] = role
                break
    return found


def _at(own: Sequence[Segment], held: Sequence[str], at_s: float) -> tuple[float, ...]:
    segment = next((s for s in own if at_s < s.end_s), own[-1])
    return tuple(segment.targets_ng_ml.get(dose, 0.0) for dose in held)


def _less(these: tuple[float, ...], others: tuple[float, ...]) -> bool:
    return any(one < other for one, other in zip(these, others, strict=True))


def _groups(rig: Rig, role_of_line: Mapping[str, str], role: str) -> list[list[str]]:
    lines = [name for name, own in role_of_line.items() if own == role]
    return joined({n: {source_words(rig.lines[n]), f"pump {rig.lines[n].pump}"} for n in lines})


def _wells(rig: Rig, lines: list[str]) -> set[str]:
    return {well for name in lines for well in rig.lines[name].wells}

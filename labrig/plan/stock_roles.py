"""Which stocks an arm needs, and at which place of a well each comes in: its role."""

from __future__ import annotations

from collections.abc import Mapping

from labrig.plan.selection import UNNAMED_ROLE
from labrig.plan.standins import standins
from labrig.plan.targets import targeted
from labrig.protocol.contents import doses_of, role_of, vehicle_of
from labrig.protocol.models import Protocol
from labrig.protocol.segments import boluses, segments
from labrig.rig.graph import selector_of
from labrig.rig.models import Rig


def line_role(rig: Rig, line: str) -> str:
    """The role of an additive line; lines without one share ``additive``."""
    return rig.lines[line].role or UNNAMED_ROLE


def stocks_of_arm(protocol: Protocol, arm: str) -> tuple[str, ...]:
    """Stocks that an arm needs: those of its targets, then those of its boluses."""
    at_once = (bolus.stock for bolus in boluses(protocol, arm))
    return tuple(dict.fromkeys([*stocks_of_targets(protocol, arm), *at_once]))


def stocks_of_targets(protocol: Protocol, arm: str) -> tuple[str, ...]:
    """The fewest stocks that cover what an arm is to have by continuous dosing.

    A stock that also holds a factor the arm must not get, or not at the same times, is no
    candidate. Of two that cover as much, the first in the protocol is taken. A factor that nothing
    covers is left out; the caller sees it missing.
    """
    missing = set(targeted(protocol, arm))
    wanted = frozenset(missing)
    together = [frozenset(segment.targets_ng_ml) for segment in segments(protocol, arm)]
    chosen: list[str] = []
    while missing:
        best, covered = "", set[str]()
        for name in protocol.stocks:
            holds = {dose for dose, value in doses_of(protocol, name).items() if value > 0}
            apart = any(holds & given and not holds <= given for given in together)
            if holds <= wanted and not apart and len(holds & missing) > len(covered):
                best, covered = name, holds & missing
        if not best:
            break
        chosen.append(best)
        missing -= covered
    return tuple(chosen)


def stock_roles(protocol: Protocol, rig: Rig) -> dict[str, str]:
    """The role each needed stock takes; stocks of one arm never share a role.

    Preferred is a role named like the stock or like the ``role`` of its factors, or whose
    reservoirs already hold the stock; else the first role that is free for every arm that
    needs it, roles with the same vehicle first. A stock that finds none is left out.
    """
    needs = {arm: stocks_of_arm(protocol, arm) for arm in protocol.arms}
    roles = list(
        dict.fromkeys(
            line_role(rig, name) for name, line in rig.lines.items() if line.carries == "additive"
        )
    )
    taken: dict[str, str] = {}
    for stock in protocol.stocks:
        if not any(stock in needed for needed in needs.values()):
            continue
        beside = {
            taken[other]
            for needed in needs.values()
            if stock in needed
            for other in needed
            if other in taken
        }
        free = [role for role in roles if role not in beside]
        if free:
            taken[stock] = max(
                free, key=lambda role: _preference(protocol, rig, stock, role, taken)
            )
    return taken


def _preference(
    protocol: Protocol, rig: Rig, stock: str, role: str, taken: Mapping[str, str]
) -> int:
    contents = doses_of(protocol, stock)
    vehicle = vehicle_of(protocol, protocol.stocks[stock])
    held = {
        rig.reservoirs[line.reservoir].holds
        for name, line in rig.lines.items()
        if line.reservoir and line.carries == "additive" and line_role(rig, name) == role
    }
    others = [other for other, its_role in taken.items() if its_role == role]
    if role == stock or stock in held:
        return 4
    if role in {role_of(protocol, name) for name in contents}:
        return 3
    if others and all(vehicle_of(protocol, protocol.stocks[o]) == vehicle for o in others):
        return 2
    return 0 if others else 1


def served_roles(protocol: Protocol, rig: Rig, roles: Mapping[str, str]) -> dict[str, str]:
    """By role of the rig's additive lines, the role whose stocks and vehicles its lines bring."""
    additive = {n: line_role(rig, n) for n, ln in rig.lines.items() if ln.carries == "additive"}
    own = {role: role for role in additive.values()}
    # behind valves the vehicle comes through the stock's own line
    switched = {
        role
        for role in own
        if all(selector_of(rig, name) for name, its in additive.items() if its == role)
    }
    alone = {stock: role for stock, role in roles.items() if role not in switched}
    lines = {name: role for name, role in additive.items() if role not in switched}
    return own | standins(protocol, rig, alone, lines, users_of_stocks(protocol, alone))


def users_of_stocks(protocol: Protocol, roles: Mapping[str, str]) -> dict[str, list[str]]:
    """By stock, the arms whose targets are held with it."""
    needs = {arm: stocks_of_targets(protocol, arm) for arm in protocol.arms}
    return {stock: [arm for arm, own in needs.items() if stock in own] for stock in roles}

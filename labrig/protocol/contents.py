"""What is in a stock and in a well, mixtures taken apart.

A *substance* is what has a concentration: a factor, or a conditioned medium, which is one thing
whatever is in it and is counted as its share (1 is undiluted). A mixture of parts is dosed as one
thing and is, in a well, its factors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from labrig.protocol.amounts import SMALL_KDA, molar_text

if TYPE_CHECKING:
    from labrig.protocol.liquids import Stock
    from labrig.protocol.models import Protocol

STABLE_H = 1e6
"""Half-life of what is taken as stable: longer than any run by far."""


def conditioned_media(protocol: Protocol) -> tuple[str, ...]:
    """Mixtures that are a conditioned medium."""
    return tuple(n for n, m in protocol.mixtures.items() if m.kind == "conditioned-medium")


def substances(protocol: Protocol) -> tuple[str, ...]:
    """Everything that can have a concentration in a well."""
    return (*protocol.factors, *conditioned_media(protocol))


def parts_of(protocol: Protocol, name: str) -> Mapping[str, float]:
    """What one of ``name`` brings: of a mixture at 1 x its parts in ng/mL, else itself, once."""
    mixture = protocol.mixtures.get(name)
    if mixture is None or mixture.kind == "conditioned-medium":
        return {name: 1.0}
    return mixture.parts_ng_ml


def contents(protocol: Protocol, stock: str) -> dict[str, float]:
    """Substances in a stock: ng/mL, of a conditioned medium its share."""
    held = protocol.stocks[stock]
    if held.mixture is None:
        return dict(held.contents_ng_ml)
    strength = held.of_mixture
    return {name: strength * each for name, each in parts_of(protocol, held.mixture).items()}


def masses(protocol: Protocol, stock: str) -> dict[str, float]:
    """Factors in a stock, ng/mL: what somebody weighs in."""
    held = contents(protocol, stock)
    return {name: value for name, value in held.items() if name in protocol.factors}


def doses_of(protocol: Protocol, stock: str) -> dict[str, float]:
    """What targets can name that a stock holds: factors in ng/mL, or its mixture's strength."""
    held = protocol.stocks[stock]
    if held.mixture is None:
        return dict(held.contents_ng_ml)
    return {held.mixture: held.of_mixture}


def strength_text(protocol: Protocol, name: str, multiple: float) -> str:
    """A strength as people write it: of a conditioned medium in per cent, else a multiple."""
    if protocol.mixtures[name].kind == "conditioned-medium":
        return f"{multiple * 100:g} %"
    return f"{multiple:g} x"


def amount_unit(protocol: Protocol, name: str) -> str:
    """In what amounts of a target are kept."""
    return "x" if name in protocol.mixtures else "ng/mL"


def amount_text(protocol: Protocol, name: str, value: float) -> str:
    """An amount of a target for people: ``10 ng/mL``, ``20 nM (16.5 ng/mL)``, ``33 %``.

    Small molecules are told as they are dosed, by molecules (:data:`SMALL_KDA`).
    """
    if name in protocol.mixtures:
        return strength_text(protocol, name, value)
    factor = protocol.factors.get(name)
    mass_kda = None if factor is None else factor.molar_mass_kda
    if value == 0 or mass_kda is None or mass_kda >= SMALL_KDA:
        return f"{value:g} ng/mL"
    return f"{molar_text(value, mass_kda)} ({value:g} ng/mL)"


def half_life_h(protocol: Protocol, name: str) -> float:
    """At 37 °C, of a factor or a mixture; one of parts is dosed by dilution alone."""
    if name in protocol.factors:
        return protocol.factors[name].half_life.value_h
    return protocol.mixtures[name].half_life_h or STABLE_H


def recovery(protocol: Protocol, name: str) -> float:
    """Share that survives the tubing; of a mixture's parts it is each factor's own."""
    return protocol.factors[name].recovery if name in protocol.factors else 1.0


def role_of(protocol: Protocol, name: str) -> str:
    """Of a factor or a mixture."""
    known = protocol.factors.get(name) or protocol.mixtures.get(name)
    return "other" if known is None else known.role


def vehicle_of(protocol: Protocol, stock: Stock) -> str | None:
    """What arms without a stock get instead: its vehicle; the control of its conditioned medium."""
    mixture = protocol.mixtures.get(stock.mixture or "")
    return stock.vehicle or (None if mixture is None else mixture.control)


def carrier_medium(protocol: Protocol, stock: str) -> str | None:
    """The medium that a stock is made up in; None: in water or a buffer, which feeds no cell.

    The carrier may name a medium. One that names neither is taken for the perfusion's medium with
    something in it [P]: "0.1 % BSA" says what is added, and not to what.
    """
    held = protocol.stocks[stock]
    if held.carrier in protocol.media:
        return held.carrier
    feeding = protocol.perfusion.medium if protocol.perfusion is not None else None
    words = held.carrier.casefold().replace("-", " ").replace(",", " ").split()
    return None if _BUFFERS & set(words) else feeding


_BUFFERS = frozenset(
    {"water", "saline", "pbs", "dpbs", "hbss", "buffer", "tris", "hepes", "ddh2o", "h2o", "nacl"}
)
"""Words of a carrier that is no medium [K]."""

"""Stocks that no bottle holds: what leaves one side of a chip, for the other side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake, did_you_mean

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol

EXAMPLE = (
    "`mixtures: {muscle-cm: {kind: conditioned-medium, control: fresh}}` and `stocks: "
    "{muscle-effluent: {from: muscle, mixture: muscle-cm, carrier: ..., vehicle: fresh}}`"
)


def effluent_mistakes(protocol: Protocol, name: str) -> Iterator[Mistake]:
    """A stock with `from` is a conditioned medium of a chip's side, and nothing else."""
    stock, path = protocol.stocks[name], ("stocks", name)
    here: KeyPath = (*path, "from")
    if protocol.culture.compartments is None:
        yield Mistake(
            here,
            f"stock '{name}' is what leaves the {stock.from_side} side of a chip, and the cultures "
            "have no compartments",
            "Add `culture.compartments`, or leave out `from` and load the conditioned medium from "
            "a bottle (`strength: 100 %`).",
            stock.from_side,
        )
    mixture = protocol.mixtures.get(stock.mixture or "")
    if stock.mixture is not None and mixture is None:
        yield Mistake(
            (*path, "mixture"),
            f"there is no mixture '{stock.mixture}'",
            did_you_mean(stock.mixture, list(protocol.mixtures)),
            stock.mixture,
        )
    elif mixture is None or mixture.kind != "conditioned-medium":
        yield Mistake(
            path,
            f"stock '{name}' is effluent of cells, and names no conditioned medium",
            f"Name the mixture that these cells make: {EXAMPLE}.",
        )
    for key, given, remedy in (
        ("contents", stock.contents_ng_ml, "what the chamber holds is what arrives"),
        ("strength", stock.strength not in (None, 1.0), "effluent is 100 % by definition"),
        ("half_life_cold", stock.half_life_cold_h is not None, "effluent stands in no cold bottle"),
        ("solvent", stock.solvent or stock.solvent_percent, "nobody puts a solvent into it"),
    ):
        if given:
            yield Mistake(
                (*path, key),
                f"stock '{name}' comes from a chamber, and is given `{key}`",
                f"Leave it out: {remedy}.",
            )
    yield from _twice(protocol, name)
    yield from _to_itself(protocol, name)


def _twice(protocol: Protocol, name: str) -> Iterator[Mistake]:
    """One mixture is made by one side, and is in no bottle besides."""
    stock = protocol.stocks[name]
    for other, its in protocol.stocks.items():
        if other != name and its.mixture == stock.mixture and stock.mixture is not None:
            yield Mistake(
                ("stocks", name, "mixture"),
                f"'{stock.mixture}' is also in stock '{other}'",
                "Give what comes from a chamber a mixture of its own: 100 % of it is what that "
                "chamber holds.",
                stock.mixture,
            )


def _to_itself(protocol: Protocol, name: str) -> Iterator[Mistake]:
    """The side that makes it is not dosed with it."""
    stock = protocol.stocks[name]
    for arm, whole in protocol.arms.items():
        part = whole.nerve if stock.from_side == "nerve" else whole.muscle
        if part is not None and stock.mixture in part.targets:
            yield Mistake(
                ("arms", arm, str(stock.from_side), "targets", str(stock.mixture)),
                f"'{stock.mixture}' is what the {stock.from_side} side itself gives off",
                "Write it under the other side.",
                stock.mixture,
            )

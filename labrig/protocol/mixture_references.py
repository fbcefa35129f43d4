"""Whether mixtures, the stocks that hold them and the media of arms and phases fit together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake, did_you_mean
from labrig.protocol.contents import parts_of
from labrig.protocol.effluent_references import effluent_mistakes

if TYPE_CHECKING:
    from labrig.protocol.mixtures import Mixture
    from labrig.protocol.models import Protocol


def mixture_mistakes(protocol: Protocol) -> Iterator[Mistake]:
    """Everything that mixtures and media name must be there."""
    for name, mixture in protocol.mixtures.items():
        yield from _name(protocol, name)
        if mixture.kind == "parts":
            yield from _parts(protocol, name, mixture)
        else:
            yield from _conditioned(protocol, name, mixture)
    for name in protocol.stocks:
        yield from _stock(protocol, name)
    for arm in protocol.arms:
        yield from _twice(protocol, arm)
    yield from _media(protocol)


def _name(protocol: Protocol, name: str) -> Iterator[Mistake]:
    for kind, others in (
        ("factor", protocol.factors),
        ("medium", protocol.media),
        ("stock", protocol.stocks),
    ):
        if name in others:
            yield Mistake(
                ("mixtures", name),
                f"'{name}' is also the name of a {kind}",
                "Give the mixture another name: targets and labels name it.",
            )


def _parts(protocol: Protocol, name: str, mixture: Mixture) -> Iterator[Mistake]:
    path: KeyPath = ("mixtures", name)
    if not mixture.parts_ng_ml:
        yield Mistake(
            path,
            f"mixture '{name}' has no parts",
            "Say what stands in a well at 1 x: `parts: {insulin: 100 nM, leucine: 5 mM}`; or "
            "`kind: conditioned-medium`.",
        )
    for factor in mixture.parts_ng_ml:
        if factor not in protocol.factors:
            what = f"there is no factor '{factor}'"
            remedy = did_you_mean(factor, list(protocol.factors))
            yield Mistake((*path, "parts", factor), what, remedy, factor)
    for key, given in (("control", mixture.control), ("half_life", mixture.half_life_h)):
        if given is not None:
            yield Mistake(
                (*path, key),
                f"'{key}' is of a conditioned medium, and '{name}' is a mixture of parts",
                "Leave it out"
                + (": each factor has its own half-life." if key == "half_life" else ", and give "
                   "the stock a vehicle: `vehicle: NAME`."),
                str(given),
            )  # fmt: skip


def _conditioned(protocol: Protocol, name: str, mixture: Mixture) -> Iterator[Mistake]:
    path: KeyPath = ("mixtures", name)
    if mixture.parts_ng_ml:
        yield Mistake(
            (*path, "parts"),
            f"'{name}' is a conditioned medium, and nobody knows its parts",
            "Leave out `parts`, or `kind: conditioned-medium`.",
        )
    if mixture.control is None:
        yield Mistake(
            path,
            f"conditioned medium '{name}' has no control",
            "Add `control: STOCK`, a stock of medium that control cells conditioned: all other "
            "arms get it in its place, or they would only be compared with fresh medium.",
        )
    elif mixture.control not in protocol.stocks:
        yield Mistake(
            (*path, "control"),
            f"there is no stock '{mixture.control}'",
            did_you_mean(mixture.control, list(protocol.stocks)),
            mixture.control,
        )
    elif protocol.stocks[mixture.control].mixture == name:
        yield Mistake(
            (*path, "control"),
            f"the control '{mixture.control}' is '{name}' itself",
            "Name a stock of medium that control cells conditioned.",
            mixture.control,
        )


def _stock(protocol: Protocol, name: str) -> Iterator[Mistake]:
    stock, path = protocol.stocks[name], ("stocks", name)
    if stock.from_side is not None:
        yield from effluent_mistakes(protocol, name)
        return
    if stock.mixture is None:
        if stock.strength is not None:
            yield Mistake(
                (*path, "strength"),
                f"stock '{name}' has a strength and no mixture",
                "Add `mixture: NAME`, or say by `contents` what is in it.",
                f"{stock.strength:g} x",
            )
        return
    if stock.mixture not in protocol.mixtures:
        what = f"there is no mixture '{stock.mixture}'"
        remedy = did_you_mean(stock.mixture, list(protocol.mixtures))
        yield Mistake((*path, "mixture"), what, remedy, stock.mixture)
        return
    if stock.contents_ng_ml:
        yield Mistake(
            (*path, "contents"),
            f"stock '{name}' has contents and a mixture",
            "Keep one of the two: a mixture says itself what is in it.",
        )
    if stock.strength is None:
        yield Mistake(
            path,
            f"stock '{name}' holds '{stock.mixture}', and not how strong",
            "Add `strength: 50 x`, or `strength: 100 %` for undiluted medium.",
        )
    elif stock.strength <= 0:
        yield Mistake(
            (*path, "strength"),
            f"a strength of {stock.strength:g} x holds nothing",
            "Give more than 0 x.",
            f"{stock.strength:g} x",
        )
    control = protocol.mixtures[stock.mixture].control
    if control is not None and stock.vehicle not in (None, control):
        yield Mistake(
            (*path, "vehicle"),
            f"the control of '{stock.mixture}' is '{control}', not '{stock.vehicle}'",
            f"Leave out the vehicle: arms without '{stock.mixture}' get '{control}'.",
            stock.vehicle,
        )


def _twice(protocol: Protocol, arm: str) -> Iterator[Mistake]:
    targets = protocol.arms[arm].targets
    for name in targets:
        mixture = protocol.mixtures.get(name)
        if mixture is None or mixture.kind != "parts":
            continue
        for factor in parts_of(protocol, name):
            if factor in targets:
                yield Mistake(
                    ("arms", arm, "targets", factor),
                    f"'{factor}' is in mixture '{name}', which this arm gets too",
                    f"Take it out of the mixture and give it a stock of its own, or leave it to "
                    f"'{name}'.",
                    factor,
                )


def _media(protocol: Protocol) -> Iterator[Mistake]:
    named: list[tuple[KeyPath, str | None]] = [
        (("phases", i, "medium"), phase.medium) for i, phase in enumerate(protocol.phases)
    ]
    named += [(("arms", name, "medium"), arm.medium) for name, arm in protocol.arms.items()]
    for path, medium in named:
        if medium is None:
            continue
        if medium not in protocol.media:
            what = f"there is no medium '{medium}'"
            yield Mistake(path, what, did_you_mean(medium, list(protocol.media)), medium)
        elif protocol.perfusion is None:
            yield Mistake(
                path,
                "a medium is named, and the protocol perfuses nothing",
                "Add `perfusion:` with a medium and a flow.",
                medium,
            )

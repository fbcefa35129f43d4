"""Which subtype of the seed paper the origins of a loss support; "not identifiable" is an answer.

Exploratory, as the origins are: each says what its contrast shows in diameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from labrig.protocol.contents import role_of
from labrig.protocol.models import Protocol
from labrig.protocol.segments import boluses
from labrig.protocol.substances import spellings, substance
from labrig.report.origins import Origin
from labrig_analysis.statistics import RatioTest

Support = Literal["supported", "not supported", "undecided", "not identifiable"]
Shown = Literal["loss", "gain", "no difference", "undecided", "unknown"]

INFLAMMATORY = (
    "TNF-alpha", "IL-1", "IL-1beta", "IL-1b", "IL-6", "IFN-gamma", "IFN-g", "LPS",
    "lipopolysaccharide", "C26", "GDF-15",
)  # fmt: skip
"""[K] Insults that make a loss cachexic: driven by inflammation (or by a tumour's medium)."""


@dataclass(frozen=True, slots=True)
class Subtype:
    """One subtype, what speaks for it, and why."""

    name: str
    support: Support
    why: str


def subtypes(origins: Sequence[Origin], protocol: Protocol) -> tuple[Subtype, ...]:
    """Type I (muscle), cachexic, type II (neuron), ALS-like, and a synaptic one beside them."""
    inflamed, plain = _insults(protocol)
    muscle = [o for o in origins if o.name.startswith("musculogenic") and o.contrast.startswith(
        ("insult given",))]  # fmt: skip
    return (
        _muscle("type I (muscle)", muscle, origins, plain, "an insult that is not inflammatory"),
        _cachexic(muscle, inflamed),
        _neuron(origins, protocol),
        Subtype(
            "ALS-like", "not identifiable",
            "it needs motor neurons that carry the disease, beside healthy muscle",
        ),
        _synapse(origins),
    )  # fmt: skip


def subtype_in_words(found: Sequence[Subtype]) -> str:
    """The subtypes that are supported, or what can be said instead."""
    supported = [each.name for each in found if each.support == "supported"]
    if supported:
        return " and ".join(supported)
    if any(each.support in ("undecided", "not supported") for each in found):
        return "undecided" if any(e.support == "undecided" for e in found) else "none of them"
    return "not identifiable"


def shown(result: RatioTest | None) -> Shown:
    """What a contrast's interval says."""
    if result is None or result.low is None or result.high is None:
        return "unknown"
    if result.high < 1:
        return "loss"
    if result.low > 1:
        return "gain"
    return "no difference" if result.equivalence == "equivalent" else "undecided"


def _insults(protocol: Protocol) -> tuple[list[str], list[str]]:
    """Insults that arms get: inflammatory ones, and others."""
    named = {
        factor for arm in protocol.arms.values()
        for part in (arm, arm.muscle, arm.nerve) if part is not None
        for factor in (*part.targets, *(f for e in part.program
                                        if not isinstance(e.targets, str) and e.targets
                                        for f in e.targets))
    }  # fmt: skip
    if protocol.culture.compartments is None:
        named |= {bolus.factor for arm in protocol.arms for bolus in boluses(protocol, arm)}
    insults = sorted(factor for factor in named if role_of(protocol, factor) == "insult")
    usual = {form for name in INFLAMMATORY for form in spellings(substance(name))}
    inflamed = [f for f in insults if set(spellings(substance(f))) & usual or _tumour(protocol, f)]
    return inflamed, [f for f in insults if f not in inflamed]


def _tumour(protocol: Protocol, name: str) -> bool:
    mixture = protocol.mixtures.get(name)
    return mixture is not None and mixture.kind == "conditioned-medium"


def _muscle(
    name: str, muscle: Sequence[Origin], origins: Sequence[Origin], insults: Sequence[str], of: str
) -> Subtype:
    """A loss by the insult while support is there, that support does not make good."""
    if not insults:
        return Subtype(name, "not identifiable", f"it needs an arm with {of}")
    state, why = _loss(muscle[0] if muscle else None)
    if state != "supported":
        return Subtype(name, state, why)
    rescues = [o for o in origins if o.name.startswith(f"{muscle[0].name}, rescue by")]
    told = [(o, shown(o.diameter)) for o in rescues]
    if any(said == "gain" for _, said in told):
        return Subtype(name, "not supported", "the loss is rescued by " + " and ".join(
            o.name.rpartition("rescue by ")[2] for o, said in told if said == "gain"))  # fmt: skip
    if told and all(said == "no difference" for _, said in told):
        return Subtype(name, "supported", f"{why}, and nothing rescues it")
    return Subtype(name, "undecided", f"{why}; whether support rescues it is not told")


def _cachexic(muscle: Sequence[Origin], insults: Sequence[str]) -> Subtype:
    if not insults:
        return Subtype("cachexic", "not identifiable",
                       "it needs an arm with an inflammatory insult")  # fmt: skip
    state, why = _loss(muscle[0] if muscle else None)
    return Subtype("cachexic", state, f"{why} ({', '.join(insults)})")


def _neuron(origins: Sequence[Origin], protocol: Protocol) -> Subtype:
    name = "type II (neuron)"
    if protocol.culture.compartments is None:
        return Subtype(
            name, "not identifiable",
            "no neurons in this culture: nerve factors and impulses stand for them, and what is "
            "lost without these is neurogenic, not of a neuron's own disease",
        )  # fmt: skip
    side = next((o for o in origins if o.name.startswith("neurogenic, insult of the nerve")), None)
    if side is None:
        return Subtype(name, "not identifiable", "it needs an arm with an insult of the nerve side")
    return Subtype(name, *_loss(side))


def _synapse(origins: Sequence[Origin]) -> Subtype:
    name = "synaptogenic"
    block = next((o for o in origins if o.name == "synaptogenic, block"), None)
    direct = next((o for o in origins if o.name == "synaptogenic, direct impulses"), None)
    if block is None or direct is None:
        own = next((o for o in origins if o.name.startswith("synaptogenic")), None)
        return Subtype(name, "not identifiable", "" if own is None else own.why)
    best = {shown(r) for r in (block.diameter, block.contraction)}
    back = {shown(r) for r in (direct.diameter, direct.contraction)}
    if "loss" not in best:
        return Subtype(name, _loss(block)[0], "no loss is shown where transmission is blocked")
    if "gain" in back:
        return Subtype(name, "supported", "what the block costs comes back by direct impulses")
    return Subtype(
        name, "undecided",
        "the block costs, and direct impulses are not shown to bring it back: transmission or "
        "trophic supply cannot be told apart",
    )  # fmt: skip


def _loss(origin: Origin | None) -> tuple[Support, str]:
    if origin is None or origin.grade == "not identifiable":
        return "not identifiable", "" if origin is None else origin.why
    said = shown(origin.diameter)
    return {
        "loss": ("supported", f"{origin.contrast}: a loss of diameter is shown"),
        "gain": ("not supported", f"{origin.contrast}: the diameter is larger"),
        "no difference": ("not supported", f"{origin.contrast}: no difference of interest"),
        "undecided": ("undecided", f"{origin.contrast}: neither a loss nor its absence is shown"),
        "unknown": ("undecided", origin.why or "not measured"),
    }[said]  # type: ignore[return-value]

"""Whether an interlock of a rig can be judged, and can do what it is said to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake, did_you_mean
from labrig_drivers.instrument import InstrumentType

if TYPE_CHECKING:
    from labrig.rig.models import InstrumentEntry, InterlockEntry, Rig

QUANTITIES: Mapping[str, tuple[str, ...]] = {
    "pump": ("rate_ul_min", "stalled", "alarmed"),
    "stimulator": ("reachable",),
}
"""By kind, what a worker measures and a rule may ask for; a type may declare more."""
OF_A_RESERVOIR = ("left_ml",)
YES_OR_NO = frozenset({"stalled", "alarmed"})
"""Broken when it is so; takes no limit."""
ONLY_AGE = frozenset({"reachable"})
"""Measured only while all is well: a rule can but say how old it may be."""
SUSPENDED = ("pump", "stimulator", "stage")
"""Kinds that can be suspended."""


def interlock_mistakes(rig: Rig, types: Mapping[str, InstrumentType]) -> Iterator[Mistake]:
    """All that is wrong with a rig's interlocks."""
    kinds = {n: types[e.type].kind for n, e in rig.instruments.items() if e.type in types}
    for name, entry in rig.interlocks.items():
        path: KeyPath = ("interlocks", name)
        yield from _subject(rig, path, entry, kinds, types)
        yield from _limits(path, entry)
        yield from _action(rig, path, entry, kinds)


def by_hand_mistakes(rig: Rig) -> Iterator[Mistake]:
    """All that is wrong with what people measure by hand."""
    for name, entry in rig.by_hand.items():
        path: KeyPath = ("by_hand", name)
        if name in rig.instruments:
            what = f"there is an instrument '{name}' already"
            yield Mistake(path, what, "Give what people measure a name of its own.", name)
        least, most = entry.possible
        if not least < most:
            what = f"nothing lies between {least:g} and {most:g}"
            yield Mistake((*path, "possible"), what, "Write the smaller one first.")


def _subject(
    rig: Rig,
    path: KeyPath,
    entry: InterlockEntry,
    kinds: Mapping[str, str],
    types: Mapping[str, InstrumentType],
) -> Iterator[Mistake]:
    if (entry.instrument is None) == (entry.reservoir is None):
        what = "it must judge either an instrument or a reservoir"
        yield Mistake(path, what, "Give one of `instrument:` and `reservoir:`.")
    elif entry.reservoir is not None:
        if entry.reservoir not in rig.reservoirs:
            yield _none((*path, "reservoir"), "reservoir", entry.reservoir, rig.reservoirs)
        yield from _quantity(path, entry, "a reservoir", OF_A_RESERVOIR)
    elif entry.instrument in rig.by_hand:
        known: tuple[str, ...] = (rig.by_hand[entry.instrument].quantity,)
        yield from _quantity(path, entry, entry.instrument, known)
    elif entry.instrument not in rig.instruments:
        name = str(entry.instrument)
        known = (*rig.instruments, *rig.by_hand)
        yield _none((*path, "instrument"), "instrument", name, known)
    elif entry.instrument in kinds:
        kind = kinds[entry.instrument]
        known = _known(rig.instruments[entry.instrument], types)
        if known:
            yield from _quantity(path, entry, entry.instrument, known)
        elif kind != "probe":  # else its settings are wrong, and that is said where they stand
            what = f"nothing that a {kind} measures can be judged"
            remedy = f"Name a probe, a {', a '.join(QUANTITIES)} or a reservoir."
            yield Mistake((*path, "instrument"), what, remedy, entry.instrument)


def _known(entry: InstrumentEntry, types: Mapping[str, InstrumentType]) -> tuple[str, ...]:
    kind = types[entry.type]
    always = QUANTITIES.get(kind.kind, ())
    if kind.measures is None:
        return always
    try:
        declared = kind.measures(kind.settings(**entry.settings))
        return (*always, *(quantity.key for quantity in declared))
    except (TypeError, ValueError):
        return ()


def _none(path: KeyPath, kind: str, name: str, known: Iterable[str]) -> Mistake:
    return Mistake(path, f"there is no {kind} '{name}'", did_you_mean(name, list(known)), name)


def _quantity(
    path: KeyPath, entry: InterlockEntry, whose: str, known: tuple[str, ...]
) -> Iterator[Mistake]:
    if entry.quantity not in known:
        what = f"{whose} gives no '{entry.quantity}' that can be judged"
        remedy = f"It has: {', '.join(known)}."
        yield Mistake((*path, "quantity"), what, remedy, entry.quantity)


def _limits(path: KeyPath, entry: InterlockEntry) -> Iterator[Mistake]:
    ends = [end for end in (entry.low, entry.high) if end is not None]
    if entry.older_than_s is not None:
        if ends or entry.for_s or entry.hysteresis:
            what = "`older_than` stands alone: it is the time after which it acts"
            yield Mistake(path, what, "Write a second interlock for the limits.")
        return
    if entry.quantity in YES_OR_NO:
        if ends or entry.hysteresis:
            what = f"'{entry.quantity}' is so or is not: it takes no limit and no hysteresis"
            yield Mistake(path, what, "Remove `low`, `high` and `hysteresis`.")
    elif entry.quantity in ONLY_AGE:
        what = f"'{entry.quantity}' is measured only while it is so: it takes no limit"
        yield Mistake(path, what, "Give `older_than:`, e.g. `older_than: 5 min`.")
    elif not ends:
        what = "it has no limit, so nothing ever breaks it"
        yield Mistake(path, what, "Give `low:`, `high:`, both, or `older_than:`.")
    elif len(ends) == 2 and ends[0] >= ends[1]:
        what = f"`low` is {ends[0]:g} and `high` is {ends[1]:g}: nothing lies between"
        yield Mistake(path, what, "Write the smaller as `low`.")
    elif len(ends) == 2 and ends[1] - ends[0] <= 2 * entry.hysteresis:
        what = (
            f"no value between {ends[0]:g} and {ends[1]:g} is inside by {entry.hysteresis:g}: "
            "it would never end"
        )
        yield Mistake(path, what, "Lower `hysteresis`, or move `low` and `high` apart.")


def _action(
    rig: Rig, path: KeyPath, entry: InterlockEntry, kinds: Mapping[str, str]
) -> Iterator[Mistake]:
    if (entry.action == "suspend") != bool(entry.suspends):
        what = "`action: suspend` and `suspends:` go together"
        yield Mistake(path, what, "Name what it suspends, e.g. `suspends: [stimulator]`.")
    for index, name in enumerate(entry.suspends):
        at = (*path, "suspends", index)
        if name == entry.instrument and kinds.get(name) == "pump":
            what = "while it is suspended it could not show that it is right again"
            yield Mistake(at, what, "Use `hold` or `alarm`; its worker tries it again.", name)
        if name not in rig.instruments:
            yield _none(at, "instrument", name, rig.instruments)
        elif kinds.get(name, SUSPENDED[0]) not in SUSPENDED:
            what = f"'{name}' is a {kinds[name]}: it does nothing that could be suspended"
            yield Mistake(at, what, f"Name a {', a '.join(SUSPENDED)}.", name)

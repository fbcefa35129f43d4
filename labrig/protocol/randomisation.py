"""Restricted, seeded allocation of arms to wells that share lines and stimulator channels.

A well cannot be given an arm by itself: the line that feeds it feeds others, and so does the
stimulator channel. So each *unit* (the wells of one line, of one channel) is given a *level* of
its *aspect* (what the line holds, which pattern the channel plays), and an arm is a
combination of levels. Many layouts are drawn, and the best balanced one is taken.

The draw rests on ``random.Random(seed).random()`` alone, the one method whose sequence Python
promises to keep for a seed, and on no hash order: the same seed gives the same layout anywhere.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from labrig.places import Place
from labrig.protocol.plates import Plate

T = TypeVar("T")

NOTHING = ""
"""The level of a well that no unit of an aspect reaches: an idle line, no electrode."""

_SHARE = 720_720
"""A well's weight in whole numbers: divisible by 1 to 16, so that shares add up exactly."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Wells that get one level together.

    Attributes:
        name: as a person calls it, e.g. ``line nerve_01``.
        allowed: the levels it can have; None for all.
    """

    name: str
    wells: tuple[str, ...]
    allowed: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing in which arms may differ, and the units that get it.

    Attributes:
        name: e.g. ``nerve``, ``impulses``.
    """

    name: str
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """All that a layout is drawn from.

    Attributes:
        blocks: donor -> its wells.
        arms: arm -> aspect -> level. Aspects left out are at :data:`NOTHING`.
    """

    plate: Plate
    blocks: Mapping[str, tuple[str, ...]]
    aspects: tuple[Aspect, ...]
    arms: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The answer: ``arms`` by well, and the level of every unit by its name."""

    arms: Mapping[str, str]
    levels: Mapping[str, str]


class CannotAllocate(Exception):
    """No layout gives every arm a well. The message says why, ``remedy`` what would help."""

    def __init__(self, why: str, remedy: str) -> None:
        self.why = why
        self.remedy = remedy
        super().__init__(f"{why}. {remedy}")


def draw_layout(question: Question, seed: int, candidates: int, balance_edges: bool) -> Layout:
    """The best balanced of ``candidates`` random layouts.

    Compared in this order: equal numbers of wells an arm; equal within each donor; equal on the
    rim of the plate (``balance_edges``); spread over rows and columns.

    Raises:
        CannotAllocate: no layout was found in which every arm has a well.
    """
    _check_units_suffice(question)
    drawing = _Drawing(question)
    rng = random.Random(seed)
    best: tuple[tuple[int, ...], Layout] | None = None
    for _ in range(candidates):
        layout = drawing.draw(rng)
        if layout is None or set(layout.arms.values()) != set(question.arms):
            continue
        score = _score(question, layout, balance_edges)
        if best is None or score < best[0]:
            best = (score, layout)
    if best is None:
        raise _why_none(question)
    return best[1]


def _shuffled(items: Sequence[T], rng: random.Random) -> list[T]:
    return [item for _, _, item in sorted((rng.random(), n, item) for n, item in enumerate(items))]


class _Drawing:
    """A question with its arms as bits of a number, which makes drawing hundreds cheap.

    A well's *open arms* are those it can still have; they shrink as its units get levels.
    """

    def __init__(self, question: Question) -> None:
        self._arms = list(question.arms)
        self._block_of = {
            well: index
            for index, members in enumerate(question.blocks.values())
            for well in members
        }
        self._blocks = len(question.blocks)
        # few large units first: what is coarse leaves the least choice to what is fine
        self._aspects = sorted(question.aspects, key=lambda a: (len(a.units), a.name))
        self._at: dict[str, dict[str, int]] = {a.name: {} for a in question.aspects}
        for bit, levels in enumerate(question.arms.values()):
            for name, at in self._at.items():
                level = levels.get(name, NOTHING)
                at[level] = at.get(level, 0) | 1 << bit
        self._start = {well: self._unreached(well) for well in self._block_of}
        self._shares: dict[int, tuple[tuple[int, ...], int]] = {}

    def draw(self, rng: random.Random) -> Layout | None:
        """One layout, or None at a dead end: greedy towards balance, ties by lot."""
        open_arms = dict(self._start)
        if not all(open_arms.values()):
            return None
        expected = [[0] * len(self._arms) for _ in range(self._blocks)]
        for well, arms in open_arms.items():
            self._weigh(expected, well, arms, +1)
        levels: dict[str, str] = {}
        for aspect in self._aspects:
            for unit in _shuffled(aspect.units, rng):
                level = self._settle_unit(aspect, unit, open_arms, expected, rng)
                if level is None:
                    return None
                levels[unit.name] = level
        return Layout(self._settle_wells(open_arms, rng), levels)

    def _unreached(self, well: str) -> int:
        """Arms open to a well at first: none that needs a unit which does not reach it."""
        arms = (1 << len(self._arms)) - 1
        for aspect in self._aspects:
            if not any(well in unit.wells for unit in aspect.units):
                arms &= self._at[aspect.name].get(NOTHING, 0)
        return arms

    def _settle_unit(
        self,
        aspect: Aspect,
        unit: Unit,
        open_arms: dict[str, int],
        expected: list[list[int]],
        rng: random.Random,
    ) -> str | None:
        """Give a unit the level that leaves arms most equal; None when none is possible."""
        wells = [well for well in unit.wells if well in self._block_of]
        for well in wells:
            self._weigh(expected, well, open_arms[well], -1)
        best: tuple[int, float, str, int] | None = None
        for level, arms_at in self._at[aspect.name].items():
            if unit.allowed is not None and level not in unit.allowed:
                continue
            left = [open_arms[well] & arms_at for well in wells]
            if all(left):
                cost = self._cost(expected, wells, left)
                choice = (cost, rng.random(), level, arms_at)
                best = choice if best is None else min(best, choice)
        if best is None:
            return None
        for well in wells:
            open_arms[well] &= best[3]
            self._weigh(expected, well, open_arms[well], +1)
        return best[2]

    def _share(self, arms: int) -> tuple[tuple[int, ...], int]:
        """The arms of a bit set, and the weight that a well gives to each."""
        known = self._shares.get(arms)
        if known is None:
            bits = tuple(bit for bit in range(len(self._arms)) if arms >> bit & 1)
            known = self._shares[arms] = (bits, _SHARE // len(bits))
        return known

    def _weigh(self, expected: list[list[int]], well: str, arms: int, sign: int) -> None:
        bits, share = self._share(arms)
        counts = expected[self._block_of[well]]
        for bit in bits:
            counts[bit] += sign * share

    def _cost(self, expected: list[list[int]], wells: list[str], left: list[int]) -> int:
        """How much the sum of squares of expected wells an arm and block would grow."""
        cost = 0
        for well, arms in zip(wells, left, strict=True):
            bits, share = self._share(arms)
            counts = expected[self._block_of[well]]
            for bit in bits:
                cost += share * (2 * counts[bit] + share)
            self._weigh(expected, well, arms, +1)
        for well, arms in zip(wells, left, strict=True):
            self._weigh(expected, well, arms, -1)
        return cost

    def _settle_wells(self, open_arms: Mapping[str, int], rng: random.Random) -> dict[str, str]:
        """Wells that several arms of equal treatment could have get the rarest, ties by lot."""
        settled: dict[str, str] = {}
        count = [0] * len(self._arms)
        for well in _shuffled(list(open_arms), rng):
            bits, _ = self._share(open_arms[well])
            bit = min(bits, key=lambda b: (count[b], rng.random()))
            settled[well] = self._arms[bit]
            count[bit] += 1
        return {well: settled[well] for well in open_arms}


def _score(question: Question, layout: Layout, balance_edges: bool) -> tuple[int, ...]:
    """Sums of squared counts an arm: least when equal."""
    wells = layout.arms.items()
    position = {well: Place.of(well) for well in layout.arms}
    in_block = Counter(
        (block, layout.arms[well]) for block, members in question.blocks.items() for well in members
    )
    on_edge = Counter(arm for well, arm in wells if balance_edges and question.plate.edge(well))
    in_row = Counter((arm, "row", position[well].row) for well, arm in wells)
    in_column = Counter((arm, "column", position[well].column) for well, arm in wells)
    return (
        _squares(Counter(layout.arms.values())),
        _squares(in_block),
        _squares(on_edge),
        _squares(in_row) + _squares(in_column),
    )


def _squares(counts: Counter[T]) -> int:
    return sum(count * count for count in counts.values())


def _check_units_suffice(question: Question) -> None:
    wells = {well for members in question.blocks.values() for well in members}
    if len(wells) < len(question.arms):
        raise CannotAllocate(
            f"{len(question.arms)} arms do not fit into {len(wells)} wells",
            "Use fewer arms or more wells",
        )
    for aspect in question.aspects:
        levels = list(
            dict.fromkeys(arm.get(aspect.name, NOTHING) for arm in question.arms.values())
        )
        units = [unit for unit in aspect.units if wells & set(unit.wells)]
        if units and len(levels) > len(units) and not wells - {w for u in units for w in u.wells}:
            shared = " and ".join(_said(level) for level in levels[:2])
            raise CannotAllocate(
                f"the arms need {len(levels)} kinds of {aspect.name}, but the rig has "
                f"{len(units)} unit(s) for it: {shared} would share {units[0].name} "
                f"({', '.join(units[0].wells)})",
                "Give the rig more separate lines or channels, or drop arms",
            )
        for level in levels:
            able = [u for u in units if u.allowed is None or level in u.allowed]
            if level != NOTHING and not able:
                raise CannotAllocate(
                    f"no unit of {aspect.name} can have {_said(level)}",
                    "Change what the rig's reservoirs hold (`holds: as planned` takes any stock), "
                    "or add a line or electrodes for it",
                )


def _why_none(question: Question) -> CannotAllocate:
    """Name a unit that crosses others in a way the arms do not allow for."""
    coarse_first = sorted(question.aspects, key=lambda aspect: len(aspect.units))
    for number, coarse in enumerate(coarse_first):
        for fine in coarse_first[number + 1 :]:
            found = _crossing(question, coarse, fine)
            if found is not None:
                return found
    sizes = ", ".join(f"{len(a.units)} of {a.name}" for a in question.aspects) or "none"
    return CannotAllocate(
        f"no layout gives every one of the {len(question.arms)} arms a well (units: {sizes})",
        "Use fewer arms, more separate lines and channels, or raise randomisation.candidates",
    )


def _crossing(question: Question, coarse: Aspect, fine: Aspect) -> CannotAllocate | None:
    pairs = {
        (arm.get(coarse.name, NOTHING), arm.get(fine.name, NOTHING))
        for arm in question.arms.values()
    }
    possible = len({level for level, _ in pairs}) * len({level for _, level in pairs})
    if len(pairs) == possible:
        return None
    for unit in fine.units:
        crossed = [u.name for u in coarse.units if set(u.wells) & set(unit.wells)]
        if len(crossed) > 1:
            return CannotAllocate(
                f"the arms combine {fine.name} with {coarse.name} in {len(pairs)} of {possible} "
                f"ways only, but {unit.name} ({', '.join(unit.wells)}) spans "
                f"{' and '.join(crossed)}",
                "Add arms for the missing combinations, or plumb and wire the rig so that such "
                "units do not cross",
            )
    return None


def _said(level: str) -> str:
    return f"'{level}'" if level != NOTHING else "nothing"

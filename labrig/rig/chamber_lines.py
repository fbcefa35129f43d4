"""Lines that take the effluent of one chamber to others: what they can be on a rig."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake

if TYPE_CHECKING:
    from labrig.rig.models import Line, Rig


def chamber_lines(rig: Rig) -> dict[str, Line]:
    """The lines that begin in a chamber, in the rig's order."""
    return {name: line for name, line in rig.lines.items() if line.from_chamber}


def chamber_line_mistakes(
    rig: Rig, wells: Callable[[KeyPath, Iterable[str]], Iterator[Mistake]]
) -> Iterator[Mistake]:
    """Every line begins in one place, and liquid never comes back to where it was."""
    drawn: dict[str, str] = {}
    for name, line in rig.lines.items():
        path: KeyPath = ("lines", name)
        if bool(line.reservoir) == bool(line.from_chamber):
            yield Mistake(
                path,
                f"line '{name}' begins in "
                + ("a reservoir and in a chamber" if line.reservoir else "no reservoir"),
                "Give it one of the two: `reservoir: NAME`, or `from_chamber: WELL` where it takes "
                "what leaves another well.",
            )
        if not line.from_chamber:
            continue
        yield from (
            Mistake((*path, "from_chamber"), m.what, m.remedy, m.value)
            for m in wells((*path, "from_chamber"), [line.from_chamber])
        )
        if line.carries == "medium":
            yield Mistake(
                (*path, "carries"),
                f"line '{name}' takes effluent of {line.from_chamber}, and is to be a medium line",
                "Leave out `carries`: a well lives on fresh medium, and gets effluent beside it.",
                line.carries,
            )
        if line.from_chamber in line.wells:
            yield Mistake(
                (*path, "wells"),
                f"line '{name}' goes from {line.from_chamber} to itself",
                "Name the wells that get its effluent, without the one it comes from.",
            )
        if (first := drawn.setdefault(line.from_chamber, name)) != name:
            yield Mistake(
                (*path, "from_chamber"),
                f"line '{first}' already takes the effluent of {line.from_chamber}",
                f"List all its wells under '{first}'.",
                line.from_chamber,
            )
    yield from _behind_valves(rig)
    yield from _loops(rig)


def _behind_valves(rig: Rig) -> Iterator[Mistake]:
    for name, selector in rig.selectors.items():
        for line in selector.lines:
            if line in rig.lines and rig.lines[line].from_chamber:
                yield Mistake(
                    ("selectors", name, "line"),
                    f"line '{line}' begins in chamber {rig.lines[line].from_chamber}, and a valve "
                    "selects reservoirs",
                    "Take it out: where an arm is not to get effluent, its pump stands still, and "
                    "a line of the same role brings the vehicle.",
                    line,
                )


def _loops(rig: Rig) -> Iterator[Mistake]:
    """Wells that get their own effluent back, by way of others; told once a loop."""
    feeds = {
        line.from_chamber: [(well, name) for well in line.wells if well != line.from_chamber]
        for name, line in chamber_lines(rig).items()
    }
    told: set[frozenset[str]] = set()
    for start in feeds:
        for way in _ways(feeds, [start], start):
            if (loop := frozenset(way)) in told:
                continue
            told.add(loop)
            last = next(name for well, name in feeds[way[-1]] if well == start)
            lines = [n for n, line in chamber_lines(rig).items() if line.from_chamber in loop]
            yield Mistake(
                ("lines", last),
                f"effluent goes round: {' -> '.join([*way, start])} (lines {', '.join(lines)})",
                "Take one of these lines away: what a chamber holds would depend on itself, and "
                "no exposure could be planned.",
            )


def _ways(
    feeds: dict[str, list[tuple[str, str]]], way: list[str], start: str
) -> Iterator[list[str]]:
    """Ways from the start back to it, each as the wells on it."""
    for well, _ in feeds.get(way[-1], ()):
        if well == start and len(way) > 1:
            yield way
        elif well not in way:
            yield from _ways(feeds, [*way, well], start)

"""The plate as a table of wells: whose arm, what is the matter, and a colour by one of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from labrig.display.legend import Legend
from labrig.plan.dose_model import Draw
from labrig.web.glance import Picture
from labrig.web.look import Look
from labrig.web.nights import Night

LOW, HIGH = 0.8, 1.2
"""[P] Of the dose that was due by now: outside, a well is shown as short or over."""


@dataclass(frozen=True, slots=True)
class WellCell:
    """One well.

    Attributes:
        letter: of its arm; "" while arms must not be told.
        flags: what is the matter, in words; empty: nothing.
        marks: the same as signs.
        dose: class of its dose so far: ``none``, ``short``, ``due`` or ``over``.
        dose_words: of factors; of pumps while arms must not be told.
        seen: class of its last picture's age: ``none``, ``new``, ``old``.
    """

    well: str
    planned: bool
    arm: str = ""
    letter: str = ""
    flags: tuple[str, ...] = ()
    marks: str = ""
    dose: str = "none"
    dose_words: str = ""
    seen: str = "none"
    seen_words: str = ""

    @property
    def said(self) -> str:
        """All of it in words, after what is seen of it."""
        parts = [self.arm, *self.flags, self.dose_words, self.seen_words]
        return ", ".join(part for part in parts if part)


def plate_rows(
    look: Look, night: Night, legend: Legend, pictures: Mapping[str, Picture]
) -> list[tuple[str, list[WellCell]]]:
    """Rows of the plate with their letters.

    Args:
        look: at the run.
        night: its plan.
        legend: names of its wells.
        pictures: the last of each well.
    """
    alarmed = _alarmed(look, legend)
    shares = _shares(look, night)
    every_s = night.round_s
    rows = []
    for row, wells in night.rows:
        cells = []
        for name in wells:
            if name not in night.wells:
                cells.append(WellCell(name, False))
                continue
            cells.append(_cell(name, look, night, legend, alarmed, shares, pictures, every_s))
        rows.append((row, cells))
    return rows


def _cell(
    name: str,
    look: Look,
    night: Night,
    legend: Legend,
    alarmed: Mapping[str, list[str]],
    shares: Mapping[str, float],
    pictures: Mapping[str, Picture],
    every_s: float,
) -> WellCell:
    arm = legend.arms.get(name, "")
    flags, marks = [], ""
    if name in alarmed:
        flags.append(f"alarm: {', '.join(alarmed[name])}")
        marks += "⚠"
    out_s = look.status.get("censored_from_s", {}).get(name)
    if out_s is not None:
        flags.append(f"left out of the analysis from {legend.clock(out_s)}")
        marks += "✕"
    dose, dose_words = _dose(name, night, legend, shares)
    picture = pictures.get(name)
    seen, seen_words = "none", ""
    if picture is not None and look.now_s is not None:
        age_s = look.now_s - picture.at_s
        seen = "new" if age_s <= 1.5 * every_s else "old"
        seen_words = f"last picture {legend.clock(picture.at_s)}"
    return WellCell(
        name, True, arm, night.arms.get(arm, ""), tuple(flags), marks, dose, dose_words, seen,
        seen_words,
    )  # fmt: skip


def _alarmed(look: Look, legend: Legend) -> dict[str, list[str]]:
    """By well, instruments of its own that an alarm is about."""
    found: dict[str, list[str]] = {}
    for alarm in look.status.get("alarms", ()):
        about = str(alarm["about"]).partition(" ")[0]
        for well in legend.wells.get(about, ()):
            if about not in found.setdefault(well, []):
                found[well].append(about)
    return found


def _shares(look: Look, night: Night) -> dict[str, float]:
    """By pump that has a reservoir to itself, how much of what was due by now it has moved."""
    if look.now_s is None:
        return {}
    left_ml = {r["reservoir"]: r["left_ml"] for r in look.status.get("reservoirs", ())}
    found = {}
    for draw in _alone(night.plan.draws):
        due_ul = night.planned_ul(draw.pump, look.now_s)
        available = next(
            (d.available_ml for d in night.plan.forecast.depletion
             if d.reservoir == draw.reservoir), None
        )  # fmt: skip
        if due_ul > 0 and available is not None and draw.reservoir in left_ml:
            moved_ul = (available - left_ml[draw.reservoir]) * 1000.0 / draw.lines
            found[draw.pump] = max(0.0, moved_ul / due_ul)
    return found


def _alone(draws: Iterable[Draw]) -> list[Draw]:
    by_reservoir: dict[str, list[Draw]] = {}
    for draw in draws:
        by_reservoir.setdefault(draw.reservoir, []).append(draw)
    return [own[0] for own in by_reservoir.values() if len(own) == 1 and not own[0].valve]


def _dose(name: str, night: Night, legend: Legend, shares: Mapping[str, float]) -> tuple[str, str]:
    """Class and words of what a well has had of its factors."""
    by_pump: dict[str, list[str]] = {}
    if legend.blind:
        # Every pump of the well, whatever it brings: a well without a factor must look no other.
        by_pump = {pump: [pump] for pump in night.pumps_by_well.get(name, ()) if pump in shares}
    else:
        for factor, pump in night.carriers_by_well.get(name, {}).items():
            if pump in shares:
                by_pump.setdefault(pump, []).append(factor)
    if not by_pump:
        return "none", ""
    worst = min((shares[pump] for pump in by_pump), key=lambda share: -abs(share - 1.0))
    due = "volume" if legend.blind else "dose"
    words = "; ".join(
        f"{', '.join(brought)}: {100 * shares[pump]:.0f} % of the {due} due by now"
        for pump, brought in by_pump.items()
    )
    return ("short" if worst < LOW else "over" if worst > HIGH else "due"), words

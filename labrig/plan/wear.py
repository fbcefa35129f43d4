"""What wears out or grows old during a run: tubes by their hours, calibrations by their dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from labrig.plan.consumables import Wear
from labrig.plan.dose_model import Draw
from labrig.rig.models import Rig


def wear(rig: Rig, draws: Sequence[Draw], today: date) -> tuple[Wear, ...]:
    """Tubes of pumps in use whose life the rig gives, and every dated calibration that holds.

    ``today`` is the day of the start; a calibration holds to the end of its last day.
    """
    pumps = {draw.pump for draw in draws}
    found = []
    tubes: dict[str, float] = {}
    for line in rig.lines.values():
        if line.tube_life_h is not None and line.pump in pumps:
            left_h = line.tube_life_h - line.tube_used_h
            tubes[line.pump] = min(left_h, tubes.get(line.pump, left_h))
    found += [Wear(pump, "tube", pump, left_h) for pump, left_h in tubes.items()]
    for of, until in valid_until(rig, today).items():
        days = (until - today).days + 1
        if days > 0:
            found.append(Wear(of, "calibration", "", days * 24.0))
    return tuple(found)


def valid_until(rig: Rig, today: date) -> Mapping[str, date]:
    """By what was calibrated, the last day on which its latest calibration holds."""
    latest: dict[str, tuple[date, date]] = {}
    for item in rig.calibrations:
        if item.on <= today and (item.of not in latest or item.on > latest[item.of][0]):
            latest[item.of] = (item.on, item.on + timedelta(days=item.valid_days))
    return {of: until for of, (_, until) in latest.items()}

"""Several runs side by side, arm by arm, from the tables of their reports."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from labrig.durable import read_json
from labrig.run_folder import RunFolder
from labrig.web.run_cards import told

MOST = 6
"""Runs that stand side by side on a screen."""


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """One arm of one run; None where its report says nothing.

    Attributes:
        label: the verdict on it; "" for the control.
        dose: worst share of what was planned, over its wells and factors.
        lost_wells: wells that are left out of the analysis from some time on.
        wells: of the arm, as far as the ledger names them.
        growth: mean diameter in the last round over that in the first.
    """

    label: str
    dose: float | None
    lost_wells: int
    wells: int
    growth: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """The runs, and by arm what is known of it in each, in the same order."""

    runs: tuple[str, ...]
    arms: tuple[tuple[str, tuple[ArmFigures | None, ...]], ...]
    lost_pictures: tuple[int | None, ...]
    without_report: tuple[str, ...]


def compared(folders: Iterable[RunFolder]) -> Compared:
    """Put them side by side.

    Raises:
        ValueError: a table is damaged.
    """
    chosen = list(folders)[:MOST]
    by_run: list[dict[str, ArmFigures]] = []
    lost: list[int | None] = []
    without = []
    for folder in chosen:
        if (folder.report / "verdict.json").exists():
            by_run.append(_arms(folder.report))
            lost.append(_lost_pictures(folder.report / "frames.csv"))
        else:
            by_run.append({})
            lost.append(None)
            without.append(folder.root.name)
    names = list(dict.fromkeys(arm for arms in by_run for arm in arms))
    return Compared(
        tuple(folder.root.name for folder in chosen),
        tuple((arm, tuple(arms.get(arm) for arms in by_run)) for arm in names),
        tuple(lost),
        tuple(without),
    )


def _arms(report: Path) -> dict[str, ArmFigures]:
    labels = {
        str(arm["arm"]): told(str(arm["label"]))
        for arm in read_json(report / "verdict.json").get("arms", [])
    }
    doses: dict[str, list[float]] = {}
    wells: dict[str, set[str]] = {}
    lost: dict[str, set[str]] = {}
    for row in _rows(report / "dose_ledger.csv"):
        wells.setdefault(row["arm"], set()).add(row["well"])
        if row["fidelity"]:
            doses.setdefault(row["arm"], []).append(float(row["fidelity"]))
        if row["well_censored_from_s"]:
            lost.setdefault(row["arm"], set()).add(row["well"])
    diameters: dict[str, dict[int, list[float]]] = {}
    for row in _rows(report / "units.csv"):
        if row["diameter_um"]:
            of_round = diameters.setdefault(row["arm"], {}).setdefault(int(row["round"]), [])
            of_round.append(float(row["diameter_um"]))
    return {
        arm: ArmFigures(
            labels.get(arm, ""),
            min(doses[arm]) if arm in doses else None,
            len(lost.get(arm, ())),
            len(wells.get(arm, ())),
            _growth(diameters.get(arm, {})),
        )
        for arm in dict.fromkeys([*wells, *diameters, *labels])
    }


def _growth(rounds: dict[int, list[float]]) -> float | None:
    if len(rounds) < 2:
        return None
    first, last = rounds[min(rounds)], rounds[max(rounds)]
    return (sum(last) / len(last)) / (sum(first) / len(first))


def _lost_pictures(path: Path) -> int:
    return sum(row["state"] != "confirmed" for row in _rows(path))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

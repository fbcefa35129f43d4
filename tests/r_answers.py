"""Data sets whose answers R gave (tests/analysis/statistics/data)."""

import functools
import json
from pathlib import Path
from typing import Any

import pandas as pd

FOLDER = Path(__file__).parent / "analysis" / "statistics" / "data"


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv")


@functools.cache
def answers_of_r() -> dict[str, Any]:
    return json.loads((FOLDER / "answers_of_r.json").read_text(encoding="utf-8"))

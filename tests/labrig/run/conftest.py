"""Rehearsals of scripted nights, each held against the truth when its test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rehearsal import Rehearsal
from scripted_nights import Script


@pytest.fixture
def script() -> type[Script]:
    return Script


@pytest.fixture
def rehearse(tmp_path: Path) -> Iterator[Callable[..., Rehearsal]]:
    """Makes rehearsals, and holds each of them against the truth when the test is over."""
    made: list[Rehearsal] = []

    def make(name: str = "run", **parts: Any) -> Rehearsal:
        made.append(Rehearsal(tmp_path / name, **parts))
        return made[-1]

    yield make
    untrue = [violation for night in made for violation in night.untrue()]
    assert untrue == []
    untold = [row for night in made for row in night.without_a_class()]
    assert untold == []

"""A protocol with its pictures cut down, so that a run to its report takes a minute or two.

What the cells get, and when, stays: a simulated week takes no time of its own, pictures do.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from labrig.protocol.models import Protocol
from labrig.protocol.series_moments import film_times_s

ROUNDS = 4
MIN_TUBES = 6
"""[P] One small field holds fewer tubes than the five of a real night."""
FILM = {"duration": "1.5 s", "frame_rate": "50 Hz", "exposure": "10 ms"}
"""[P] Two twitches at 2 Hz, at the least rate that shows one."""


def write_shortened(
    protocol: Protocol, source: Path, needed_s: Iterable[float], target: Path
) -> None:
    """Write the protocol with a few rounds of one field, and short films near the needed moments.

    Args:
        protocol: as it was read.
        source: its file.
        needed_s: moments that something is asked about, seconds from the start; the first film and
            the last stay in any case.
        target: where the short one goes.

    Raises:
        OSError: a file cannot be read or written.
    """
    yaml = YAML(typ="safe")
    document: dict[str, Any] = copy.deepcopy(yaml.load(source.read_text(encoding="utf-8")))
    imaging = document["imaging"]
    imaging["sites"] = 1
    imaging["interval"] = f"{protocol.duration_s / ROUNDS / 3600.0:.3f} h"
    document.setdefault("definition", {})["min_tubes"] = MIN_TUBES
    films = protocol.imaging.films
    if films is not None:
        imaging["films"] |= FILM
        kept = _kept(film_times_s(protocol), [*needed_s])
        imaging["films"]["at"] = [imaging["films"]["at"][index] for index in kept]
    with target.open("w", encoding="utf-8") as out:
        yaml.dump(document, out)


def _kept(films_s: Sequence[float], needed_s: Sequence[float]) -> list[int]:
    """Places of the films nearest to what is asked about, in the order of the list."""
    wanted = [min(films_s), max(films_s), *needed_s]
    nearest = {
        min(range(len(films_s)), key=lambda index: abs(films_s[index] - at_s)) for at_s in wanted
    }
    return sorted(nearest)

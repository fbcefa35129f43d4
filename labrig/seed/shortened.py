"""A protocol with its pictures cut down, so that a run to its report takes less than a minute.

What the cells get, and when, stays: a simulated week takes no time of its own, pictures do.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from labrig.protocol.models import Protocol
from labrig.protocol.series_moments import film_times_s

FEW_SITES = 3
"""[P] Fields of a well: by one alone a width scatters by a tenth from round to round."""
SITES = 5
"""[P] The same where little or nothing is expected of some arm."""
MIN_TUBES = 6
"""[P] Small fields hold fewer tubes than the five of a real night."""
LEAST_INTERVAL_H = 1.0
"""[P] Rounds are taken with the films; more of them would only be empty."""
SEEN_EVERY_H = 6.0
"""Between two looks where outcomes ask for more of them: the window in which a moment is seen."""
FILM = {"duration": "1.5 s", "frame_rate": "50 Hz", "exposure": "10 ms"}
"""[P] Two twitches at 2 Hz, at the least rate that shows one."""
FILM_OF_TIMES = {"duration": "1.5 s"}
"""[P] The same where the course of a twitch is asked about: at the rate that the protocol asks for.
At 50 frames per second a rise reads differently by where the pulses fall between two frames."""
JUNCTION_TEST = {"for": "4 s", "silent": "3 s"}
"""[P] Eight impulses at 2 Hz; a test of a junction is as long as forty films."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What stays of a protocol.

    Attributes:
        wells: those that the bench has.
        sites: fields of a well, at most.
        needed_s: moments that something is asked about, seconds from the start; the first film and
            the last stay in any case. None: all films stay, and unstained cells are seen between.
        film: what films become.
    """

    wells: Collection[str]
    sites: int = FEW_SITES
    needed_s: Sequence[float] | None = None
    film: Mapping[str, str] = field(default_factory=lambda: FILM)


def write_shortened(protocol: Protocol, source: Path, cut: Cut, target: Path) -> None:
    """Write the protocol with a few fields a well, and short films near the needed moments.

    Args:
        protocol: as it was read.
        source: its file.
        cut: what stays of it.
        target: where the short one goes.

    Raises:
        OSError: a file cannot be read or written.
    """
    yaml = YAML(typ="safe")
    document: dict[str, Any] = copy.deepcopy(yaml.load(source.read_text(encoding="utf-8")))
    imaging, films = document["imaging"], protocol.imaging.films
    imaging["sites"] = min(cut.sites, protocol.imaging.sites)
    least_h = LEAST_INTERVAL_H if cut.needed_s is not None else SEEN_EVERY_H
    imaging["interval"] = f"{max(least_h, protocol.imaging.interval_s / 3600.0):.3f} h"
    for name, channel in protocol.imaging.channels.items():
        if cut.needed_s is not None or channel.shows != "cells":
            imaging["channels"][name]["rounds"] = _rounds(channel.shows, channel.rounds, films)
    for name, assay in document.get("assays", {}).items():
        if protocol.assays[name].kind == "nmj" and "indirect" in assay:
            assay |= JUNCTION_TEST
            assay["indirect"] = list(dict.fromkeys((assay["indirect"][0], assay["indirect"][-1])))
    for series in imaging.get("series", []):
        series.pop(
            "wells", None
        )  # one of a few that does not count would leave its arm without any
    few = min(MIN_TUBES, protocol.definition.min_tubes)
    document.setdefault("definition", {})["min_tubes"] = few
    document["pilot"] = True  # what is cut down is no study, whoever committed the whole
    for donor in document["donors"]:
        if "wells" in donor:
            donor["wells"] = [well for well in donor["wells"] if well in cut.wells]
    if films is not None:
        imaging["films"] |= cut.film
    if films is not None and cut.needed_s is not None:
        kept = _kept(film_times_s(protocol), [*cut.needed_s])
        imaging["films"]["at"] = [imaging["films"]["at"][index] for index in kept]
    with target.open("w", encoding="utf-8") as out:
        yaml.dump(document, out)


def _rounds(shows: str, rounds: str, films: object) -> str:
    """Unstained cells once, stains with the films or twice."""
    if shows == "cells":
        return "last"
    if rounds == "all":
        return "with-films" if films is not None else "first-and-last"
    return rounds


def _kept(films_s: Sequence[float], needed_s: Sequence[float]) -> list[int]:
    """Places of the films nearest to what is asked about, in the order of the list."""
    wanted = [min(films_s), max(films_s), *needed_s]
    nearest = {
        min(range(len(films_s)), key=lambda index: abs(films_s[index] - at_s)) for at_s in wanted
    }
    return sorted(nearest)

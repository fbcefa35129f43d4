"""The protocols and benches that may be chosen: those of the lab's folder and of the catalogue.

A browser names one of these by its id, and never a path: what is not listed does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.protocol.commitment_file import commitment_path
from labrig.protocol.lab_log import LAB_LOG
from labrig.protocol.loading import load_protocol
from labrig.protocol.verification import Verification, verify
from labrig.rig.loading import load_rig
from labrig.web.site import Site

KEY = re.compile(
    r"^[\"']?(labrig|name|plate|arms|phases|instruments|lines)[\"']?\s*:", re.MULTILINE
)
"""One of them stands in every protocol and every rig."""


@dataclass(frozen=True, slots=True)
class ProtocolChoice:
    """One protocol file.

    Attributes:
        id: place and file name, as a browser says it.
        committed: when and by whom, or why not, in words.
        startable: whether its commitment lets a real run start.
        sha256: of what is committed; "" for nothing.
        problems: why it cannot be used; "" when it can.
    """

    id: str
    path: Path
    name: str = ""
    title: str = ""
    purpose: str = ""
    arms: tuple[str, ...] = ()
    duration_s: float = 0.0
    plate: str = ""
    pilot: bool = False
    committed: str = ""
    startable: bool = False
    sha256: str = ""
    problems: str = ""

    @property
    def place(self) -> str:
        """``lab`` or ``catalogue``."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True)
class BenchChoice:
    """One rig file; ``simulated``: all of its ports are on the simulated bench."""

    id: str
    path: Path
    name: str = ""
    description: str = ""
    plate: str = ""
    instruments: int = 0
    simulated: bool = False
    problems: str = ""

    @property
    def place(self) -> str:
        """``lab`` or ``catalogue``."""
        return self.id.partition("/")[0]


Choice = TypeVar("Choice", ProtocolChoice, BenchChoice)


class NotListed(Exception):
    """A browser named a protocol or bench that does not exist."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an address of the page says was chosen.

    Attributes:
        protocol, bench: ids; "" for none yet.
        simulate: on the bench's simulators.
        step: of the launch, from 1.
    """

    protocol: str = ""
    bench: str = ""
    simulate: bool = False
    step: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str], steps: int) -> Chosen:
        """From the fields of a query or a form; what makes no sense is as if it was not said."""
        step = given.get("step", "")
        return cls(
            given.get("protocol", ""),
            given.get("bench", ""),
            given.get("simulate", "") == "1",
            min(max(int(step), 1), steps) if re.fullmatch(r"[0-9]{1,2}", step) else 1,
        )

    def at(self, step: int) -> str:
        """The address of a step."""
        query = {
            "protocol": self.protocol,
            "bench": self.bench,
            "simulate": "1" if self.simulate else "",
            "step": str(step),
        }
        return f"/launch?{urlencode({name: value for name, value in query.items() if value})}"

    def protocol_of(self, site: Site) -> ProtocolChoice:
        """The protocol that is meant. Raises NotListed."""
        return _listed_as(self.protocol, protocol_choices(places_of(site)))

    def bench_of(self, site: Site) -> BenchChoice:
        """The bench that is meant. Raises NotListed."""
        return _listed_as(self.bench, bench_choices(places_of(site)))


def places_of(site: Site) -> dict[str, Path]:
    """Where protocols and benches may come from, the lab's own first."""
    return {"lab": site.lab, "catalogue": catalogue_folder()}


def _listed_as(id_: str, choices: tuple[Choice, ...]) -> Choice:
    for choice in choices:
        if choice.id == id_:
            return choice
    raise NotListed(f"there is no {id_!r} in the lab's folder or in the catalogue")


def protocol_choices(places: Mapping[str, Path]) -> tuple[ProtocolChoice, ...]:
    """Every protocol, place by place, each by name; those of ``seed`` after a folder's own.

    A YAML file that has not one key of a protocol is none, and is not listed.

    Args:
        places: folders by how they are called; two names of one folder are one place.
    """
    return _listed(
        places,
        ("*.yaml", "seed/*.yaml"),
        lambda id_, path: _protocol(
            id_, path, _stamp(path, commitment_path(path), path.with_name(LAB_LOG))
        ),
    )


def bench_choices(places: Mapping[str, Path]) -> tuple[BenchChoice, ...]:
    """Every rig, of the folder ``rigs`` of each place."""
    return _listed(places, ("rigs/*.yaml",), lambda id_, path: _bench(id_, path, _stamp(path)))


def _listed(
    places: Mapping[str, Path], patterns: tuple[str, ...], read: Callable[[str, Path], Choice]
) -> tuple[Choice, ...]:
    seen: set[Path] = set()
    found = []
    for place, folder in places.items():
        for path in (path for pattern in patterns for path in sorted(folder.glob(pattern))):
            if path.resolve() not in seen and path.is_file() and _is_meant(path, _stamp(path)):
                seen.add(path.resolve())
                found.append(read(f"{place}/{path.relative_to(folder).as_posix()}", path))
    return tuple(found)


@lru_cache(maxsize=512)
def _is_meant(path: Path, stamp: tuple[int, ...]) -> bool:
    """Whether a file is a protocol or a rig, if perhaps a broken one: lists of them are neither."""
    try:
        return KEY.search(path.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return True  # reading it again says what is wrong


def _stamp(*paths: Path) -> tuple[int, ...]:
    """Changes when one of the files does."""
    return tuple(
        number
        for path in paths
        if path.exists()
        for number in (path.stat().st_mtime_ns, path.stat().st_size)
    )


@lru_cache(maxsize=256)
def _protocol(id_: str, path: Path, stamp: tuple[int, ...]) -> ProtocolChoice:
    try:
        protocol = load_protocol(path).model
        # without a commitment there is nothing to compare, and reading takes its time
        there = commitment_path(path).exists()
        found = verify(path) if there else Verification("missing", None)
    except (FileProblems, OSError) as error:
        return ProtocolChoice(id_, path, name=path.stem, problems=str(error))
    entry = None if found.commitment is None else found.commitment.entries[-1]
    words = {
        "missing": "not committed",
        "changed": "changed after it was committed",
        "damaged": f"damaged: {found.detail}",
    }
    committed = words.get(found.state, "")
    if not committed and entry is not None:
        committed = f"{entry.utc[:10]}, {' and '.join(entry.names)}"
        if entry.number:
            committed += f" (number {entry.number})"
    return ProtocolChoice(
        id_,
        path,
        protocol.name,
        protocol.title,
        protocol.purpose,
        tuple(protocol.arms),
        protocol.duration_s,
        protocol.plate,
        protocol.pilot,
        committed,
        startable=found.state == "committed" or protocol.pilot,
        sha256="" if entry is None or found.state != "committed" else entry.sha256,
    )


@lru_cache(maxsize=64)
def _bench(id_: str, path: Path, stamp: tuple[int, ...]) -> BenchChoice:
    try:
        rig = load_rig(path).model
    except (FileProblems, OSError) as error:
        return BenchChoice(id_, path, name=path.stem, problems=str(error))
    return BenchChoice(
        id_, path, rig.name, rig.description, rig.plate, len(rig.instruments), rig.simulated
    )

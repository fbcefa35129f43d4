"""What the imaging process of a run hosts: ``camera.json`` in the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from labrig.typed_json import TypedJson


@dataclass(frozen=True, slots=True)
class HostedEntry:
    """One instrument of this process as the rig file names it."""

    name: str
    type: str
    address: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImagingSpec:
    """All that the imaging process needs; ``camera.json`` in the run folder.

    ``pixel_size_um``, ``shows`` and ``full_scale`` are by channel. A camera or stage at the address
    ``sim`` is a simulated one.
    """

    layout: dict[str, Any]
    cameras: tuple[HostedEntry, ...]
    pixel_size_um: dict[str, float]
    shows: dict[str, str]
    full_scale: dict[str, float] = field(default_factory=dict)
    stages: tuple[HostedEntry, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ImagingSpec:
        """The reverse of :meth:`to_json`.

        Raises:
            labrig.typed_json.NotAsTyped: it is none.
        """
        return _JSON.read(cls, dict(raw))


_JSON = TypedJson(may_lack={ImagingSpec: frozenset({"full_scale", "stages"})})

"""The shape of a plate's time-lapse; pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from labrig.typed_json import TypedJson

CHUNK_PX = 512
WIDEST = 65535


@dataclass(frozen=True, slots=True)
class PlateLayout:
    """The shape of a plate's time-lapse, known before the first frame.

    Attributes:
        wells: names such as ``B4``, in any order.
        fields: fields per well.
        channels: names in storage order.
        rounds: length of the t axis.
        height_px, width_px: of every frame.
        pixel_size_um: calibrated.
        interval_s: between rounds.
        full_scale: by channel the largest grey value of its camera, 4095 of 12 bits; empty: not
            known, as of plates of older versions.
        levels: of resolution, each of half the size of the one before.
    """

    name: str
    wells: tuple[str, ...]
    fields: int
    channels: tuple[str, ...]
    rounds: int
    height_px: int
    width_px: int
    pixel_size_um: float
    interval_s: float
    full_scale: tuple[int, ...] = ()
    levels: int = 1

    def full_scale_of(self, channel: int) -> int:
        """Largest grey value of a channel, by its index."""
        return self.full_scale[channel] if self.full_scale else WIDEST

    def size_at(self, level: int) -> tuple[int, int]:
        """(height, width) in px of a plane at a level."""
        return self.height_px // 2**level, self.width_px // 2**level

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> PlateLayout:
        """The reverse of :meth:`to_json`.

        Raises:
            labrig.typed_json.NotAsTyped: it is no layout.
        """
        return _JSON.read(cls, raw)


_JSON = TypedJson(may_lack={PlateLayout: frozenset({"full_scale", "levels"})})

"""What a rig file may set for an ASI stage."""

from __future__ import annotations

from dataclasses import dataclass

from labrig_drivers.kinds import StageLimits


@dataclass(frozen=True, slots=True)
class AsiStageSettings:
    """Settings of one ASI MS-2000 XY stage, in the rig's own coordinates.

    Attributes:
        x_min_um, x_max_um, y_min_um, y_max_um: travel allowed; a move outside is not sent.
        speed_um_s: slowest speed of an axis, for judging how long a move may take.
        x_sign, y_sign: −1 where the stage's axis runs against the rig's.
        reply_timeout_s: how long to wait for an answer.
    """

    x_min_um: float = -55_000.0
    x_max_um: float = 55_000.0
    y_min_um: float = -37_500.0
    y_max_um: float = 37_500.0
    speed_um_s: float = 5_000.0
    x_sign: int = 1
    y_sign: int = 1
    reply_timeout_s: float = 0.5

    def __post_init__(self) -> None:
        for axis, low, high in (
            ("x", self.x_min_um, self.x_max_um),
            ("y", self.y_min_um, self.y_max_um),
        ):
            if not low < high:
                raise ValueError(
                    f"{axis}_min_um is {low} and {axis}_max_um is {high}; the first must be less"
                )
        for axis, sign in (("x", self.x_sign), ("y", self.y_sign)):
            if sign not in (1, -1):
                raise ValueError(f"{axis}_sign is {sign}; give 1 or -1")
        if not self.speed_um_s > 0:
            raise ValueError(f"speed_um_s is {self.speed_um_s}; give µm/s above 0")
        if not 0 < self.reply_timeout_s <= 60:
            raise ValueError(
                f"reply_timeout_s is {self.reply_timeout_s}; give seconds above 0 and at most 60"
            )


def travel(settings: AsiStageSettings) -> StageLimits:
    """Where the stage may be sent."""
    return StageLimits(
        x_min_um=settings.x_min_um,
        x_max_um=settings.x_max_um,
        y_min_um=settings.y_min_um,
        y_max_um=settings.y_max_um,
    )

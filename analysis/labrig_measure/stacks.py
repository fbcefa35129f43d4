"""Which plane of a stack is measured: a projection along z or one plane, and at which time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labrig_measure.errors import MeasureError, UnreadableImage

FOCUS = "focus"
PROJECTIONS = ("max", "mean", "sum", FOCUS)
ALL_TIMES = "all"


@dataclass(frozen=True, slots=True)
class StackChoice:
    """What a person asked for.

    Attributes:
        z: one of `PROJECTIONS` or the number of a plane from 0; None: there are no stacks.
        time: a number from 0, or ``all``, which makes a field of each; None: there is one.
    """

    z: str | None = None
    time: str | None = None

    def __post_init__(self) -> None:
        """Refuses what is no choice.

        Raises:
            MeasureError: another word.
        """
        if self.z is not None and self.z not in PROJECTIONS and not self.z.isdecimal():
            raise MeasureError(f"--z {self.z} is none of {', '.join(PROJECTIONS)} or a number")
        if self.time is not None and self.time != ALL_TIMES and not self.time.isdecimal():
            raise MeasureError(f"--time {self.time} is neither a number nor {ALL_TIMES}")

    @property
    def time_index(self) -> int | None:
        """The one time point that is asked for; None for none and for all."""
        return None if self.time in (None, ALL_TIMES) else int(str(self.time))


def planes_along_z(name: str, count: int, z: str | None) -> list[int]:
    """Numbers of the planes that :func:`project` needs.

    Raises:
        UnreadableImage: a stack without a choice, or a plane that it has not; lists the choices.
    """
    if z in PROJECTIONS or (z is None and count == 1):
        return list(range(count))
    if z is not None and int(z) < count:
        return [int(z)]
    if count == 1:
        raise UnreadableImage(f"{name} is one plane, 0, and no stack: --z {z} is not in it")
    raise UnreadableImage(
        f"{name} is a stack of {count} z planes{_not_there(z)}: say --z max, mean, sum, focus (the "
        f"sharpest plane) or the number of a plane, 0 to {count - 1}"
    )


def time_point(name: str, count: int, time_index: int | None) -> int:
    """The number of the time point to read.

    Raises:
        UnreadableImage: several without a choice, or one that is not there; lists the choices.
    """
    if time_index is not None and time_index < count:
        return time_index
    if count == 1 and time_index is None:
        return 0
    raise UnreadableImage(
        f"{name} holds {count} time points{_not_there(time_index)}: say --time all (a field each) "
        f"or the number of one, 0 to {count - 1}"
    )


def _not_there(number: object) -> str:
    return "" if number is None else f", and {number} is none of them"


def project(planes: Sequence[NDArray[Any]], z: str | None) -> NDArray[Any]:
    """One plane of those along z.

    Args:
        planes: all alike, (y, x) or (y, x, c), in order.
        z: ``max`` keeps the type; ``mean`` and ``sum`` give float32; ``focus`` gives the plane with
            the largest variance of its Laplacian (Pech-Pacheco et al. 2000); anything else the
            first.
    """
    if len(planes) == 1 or z not in PROJECTIONS:
        return planes[0]
    if z == "max":
        highest: NDArray[Any] = np.maximum.reduce(planes)
        return highest
    if z == FOCUS:
        return max(planes, key=_sharpness)
    total = np.zeros(planes[0].shape, np.float64)
    for plane in planes:
        total += plane
    return (total if z == "sum" else total / len(planes)).astype(np.float32)


def _sharpness(plane: NDArray[Any]) -> float:
    import cv2

    # Calmed first, so that a hot pixel does not look sharp.
    calm = cv2.medianBlur(np.ascontiguousarray(plane, np.float32), 3)
    return float(cv2.Laplacian(calm, cv2.CV_32F).var())

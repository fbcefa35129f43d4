"""Whether a picture is one that nobody can use, told while the night can still be mended.

Compared with nothing but the first pictures of the same field and channel, and with the picture
before of the same camera. What a treatment may do must raise no doubt, so thresholds are those by
which frames are judged afterwards (`labrig_analysis.images.quality`); what is stained grows
brighter or vanishes by itself, and is held to what no culture can do.
"""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labrig_analysis.images.quality import FrameScores, judge_frame, score_frame

FIRST = 3
"""[P] So many pictures of a field are what its later ones are compared with."""
TORN_SHARE = 0.02
"""[P] So much of a picture's height at its lower or upper edge, every row of it one grey value
throughout: a part that was never transferred. Sensors give noise even in the dark."""
EMPTY, DARK, TORN, FROZEN, BLURRED = "empty", "dark", "torn", "frozen", "blurred"
UNSEEN = "unseen"
"""Said by whoever asks, where a picture could not be looked at."""
_OF_A_REASON = {"blank": EMPTY, "dark": DARK, "out of focus": BLURRED}


class Doubts:
    """Of one imaging process, which begins anew with its first pictures.

    Args:
        unstained: channels that show the cells themselves: only there light and focus are judged.
    """

    def __init__(self, unstained: frozenset[str]) -> None:
        self._unstained = unstained
        self._first: dict[Hashable, list[FrameScores]] = {}
        self._whole: set[Hashable] = set()
        self._before: dict[str, bytes] = {}

    def of_frame(
        self, camera: str, field: Hashable, channel: str, pixels: NDArray[Any], full_scale: float
    ) -> tuple[str, ...]:
        """What is doubtful about a picture.

        Args:
            camera: that took it.
            field: of which it is.
            channel: likewise.
            pixels: (y, x), unsigned integers.
            full_scale: the largest value that the camera gives.

        Returns:
            of ``empty``, ``dark``, ``torn``, ``frozen`` and ``blurred``, those that hold.
        """
        fingerprint = blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()
        frozen = self._before.get(camera) == fingerprint
        self._before[camera] = fingerprint
        if int(pixels.min()) == int(pixels.max()):
            # At the top of the scale it is over-exposed, and told as that.
            return () if int(pixels.max()) >= full_scale else (EMPTY,)
        key = (field, channel)
        found = [FROZEN] if frozen else []
        unstained = channel in self._unstained
        torn = torn_share(pixels, full_scale) >= TORN_SHARE
        # A stain may leave an edge of a picture truly empty: only one that was whole is torn.
        if torn and (unstained or key in self._whole):
            return (*found, TORN)
        if not torn:
            self._whole.add(key)
        if unstained:
            found += self._judged(key, pixels, full_scale, learn=not frozen)
        return tuple(found)

    def of_film(self, camera: str, stack: NDArray[Any]) -> tuple[str, ...]:
        """What is doubtful about a film, (t, y, x): that it shows nothing, or does not move on."""
        self._before.pop(camera, None)
        if int(stack.min()) == int(stack.max()):
            return (EMPTY,)
        still = len(stack) > 1 and all(np.array_equal(stack[0], frame) for frame in stack[1:])
        return (FROZEN,) if still else ()

    def _judged(
        self, key: Hashable, pixels: NDArray[Any], full_scale: float, *, learn: bool
    ) -> list[str]:
        scores = score_frame(pixels, full_scale)
        first = self._first.setdefault(key, [])
        reasons = judge_frame(scores, first).reasons
        found = [doubt for reason in reasons for begins, doubt in _OF_A_REASON.items()
                 if reason.startswith(begins)]  # fmt: skip
        if learn and not found and len(first) < FIRST:
            first.append(scores)
        return found


def torn_share(pixels: NDArray[Any], full_scale: float) -> float:
    """Of a picture's height, the rows at its lower or upper edge that each are one grey value.

    Rows at the top of the scale do not count: too much light does that.

    >>> import numpy as np
    >>> picture = np.random.default_rng(1).integers(1, 9, (10, 8), dtype=np.uint8)
    >>> picture[7:] = 0
    >>> torn_share(picture, 255.0)
    0.3
    """
    alike = (pixels == pixels[:, :1]).all(axis=1) & (pixels[:, 0] < full_scale)
    if alike.all():
        return 1.0
    upper, lower = int(np.argmin(alike)), int(np.argmin(alike[::-1]))
    return float(max(upper, lower)) / len(pixels)

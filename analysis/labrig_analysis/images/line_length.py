"""Length of lines one pixel wide."""

from __future__ import annotations

import numpy as np

from labrig_analysis.arrays import Mask

_STRAIGHT, _DIAGONAL, _CORNER = 0.980, 1.406, -0.091


def line_length_px(line: Mask) -> float:
    """Length of a skeleton in px, whichever way it runs.

    Steps of a digital line are 1 or sqrt 2 long only along its grid; on others their sum is up to
    8 % too long. Straight steps, diagonal steps and corners between the two are weighted instead:
    0.980, 1.406 and -0.091 (Vossepoel & Smeulders 1982, Comput Graph Image Process 20:347), right
    to 2.5 % for a straight line of any direction.

    Args:
        line: (y, x) bool, one pixel wide; several lines and forks are allowed.

    >>> round(line_length_px(np.eye(200, dtype=bool)) / (199 * 2**0.5), 3)
    0.994
    """
    on = np.pad(np.asarray(line, bool), 1)
    right, down = on[:, :-1] & on[:, 1:], on[:-1] & on[1:]
    # A diagonal pair that a third pixel joins in straight steps is no step of its own.
    falling = on[:-1, :-1] & on[1:, 1:] & ~on[:-1, 1:] & ~on[1:, :-1]
    rising = on[1:, :-1] & on[:-1, 1:] & ~on[:-1, :-1] & ~on[1:, 1:]
    straight, diagonal = np.zeros(on.shape, np.uint8), np.zeros(on.shape, np.uint8)
    for steps, ends in (
        (right, ((slice(None), slice(-1)), (slice(None), slice(1, None)))),
        (down, ((slice(-1), slice(None)), (slice(1, None), slice(None)))),
    ):
        for end in ends:
            straight[end] += steps
    for steps, ends in (
        (falling, ((slice(-1), slice(-1)), (slice(1, None), slice(1, None)))),
        (rising, ((slice(1, None), slice(-1)), (slice(-1), slice(1, None)))),
    ):
        for end in ends:
            diagonal[end] += steps
    corners = int(np.count_nonzero((straight == 1) & (diagonal == 1)))
    n_straight = int(np.count_nonzero(right)) + int(np.count_nonzero(down))
    n_diagonal = int(np.count_nonzero(falling)) + int(np.count_nonzero(rising))
    return _STRAIGHT * n_straight + _DIAGONAL * n_diagonal + _CORNER * corners

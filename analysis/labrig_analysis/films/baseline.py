"""How long a filmed culture must be left alone between pulses: known before anything is filmed."""

from __future__ import annotations

REST_AFTER_S = 0.4
"""So long after its pulse a twitch has relaxed to a few hundredths of its height [P]."""
LEAST_BASELINE_FRAMES = 3
"""Frames at rest that tell what rest looks like; with fewer, it is the state a film dwells in."""


def shortest_interval_s(frame_rate_hz: float) -> float:
    """Time between pulses that leaves a twitch its course and rest its frames, s.

    Args:
        frame_rate_hz: frames per second.
    """
    return REST_AFTER_S + LEAST_BASELINE_FRAMES / frame_rate_hz

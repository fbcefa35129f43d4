"""A synthetic field that contracts under pulses, with its displacement known.

The picture at rest is warped by one displacement field that scales with the activation: each
tube, held at its ends, slides along itself, most in its middle; what lies beside it is drawn
along and fades over some um. Nothing here is a force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.synthetic import camera
from labrig_analysis.synthetic.camera import Image32
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.render import View, fill, phase_image, tube_outlines
from labrig_analysis.synthetic.scene import THRESHOLD_LOG_SD, Floats, GrownTubes, Scene, grown_tubes

_REACH_UM = 5.0
"""The surroundings follow a tube over about this distance."""
_LEVELS = np.linspace(0.0, 1.0, 9)


@dataclass(frozen=True, slots=True)
class TwitchKinetics:
    """Shape of one twitch and of their sum.

    Attributes:
        time_to_peak_s: From the pulse to the peak.
        half_relaxation_s: From the peak to half of it.
        tetanus_ratio: Largest response to a fast train over that to one pulse.

    The defaults are plausible for cultured myotubes at 37 °C, not taken from a source [P].
    """

    time_to_peak_s: float = 0.08
    half_relaxation_s: float = 0.10
    tetanus_ratio: float = 3.0

    def __post_init__(self) -> None:
        if min(self.time_to_peak_s, self.half_relaxation_s) <= 0 or self.tetanus_ratio <= 1:
            raise ValueError(f"{self}: give times above 0 s and a tetanus_ratio above 1")

    def twitch(self, since_pulse_s: Floats) -> Floats:
        """Response to one pulse over its peak: sine-squared rise, smooth decay, 0 before."""
        rising = np.sin(0.5 * np.pi * (since_pulse_s / self.time_to_peak_s).clip(0, 1)) ** 2
        after = (since_pulse_s - self.time_to_peak_s).clip(0) / self.half_relaxation_s
        twitch: Floats = rising * np.exp(-np.log(2) * after**1.5)
        return twitch

    def summed(self, total: Floats) -> Floats:
        """Responses add up linearly to one twitch's height, then level off at the tetanus."""
        room = self.tetanus_ratio - 1
        over = (total - 1).clip(0)
        summed: Floats = np.minimum(total, 1) + room * (1 - np.exp(-over / room))
        return summed


@dataclass(frozen=True, slots=True, eq=False)
class FilmTruth:
    """What was made to happen in a film of n frames under p pulses.

    Attributes:
        displacement_um: (n,) 95th percentile over ``tube_mask`` of the displacement from rest.
        pulse_followed: (p,) whether the culture answered the pulse.
        pulse_response_um: (p,) peak of the twitch of that pulse alone, 0 if not followed.
        tube_mask: (y, x) the tubes at rest.
        tubes_following: Share of the tubes whose threshold the pulses reach; NaN without any.
    """

    displacement_um: Floats
    pulse_followed: npt.NDArray[np.bool_]
    pulse_response_um: Floats
    tube_mask: npt.NDArray[np.bool_]
    tubes_following: float


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """Frames (t, y, x), uint8, at constant rate, and the truth."""

    frames: npt.NDArray[np.uint8]
    frame_rate_hz: float
    truth: FilmTruth


def render_film(
    scene: Scene,
    state: CultureState,
    shape: tuple[int, int],
    pixel_size_um: float,
    *,
    pulses_s: Sequence[float] | Floats,
    frame_rate_hz: float,
    n_frames: int,
    rng_seed: int,
    pulse_amplitude_v: float | None = None,
    kinetics: TwitchKinetics | None = None,
) -> Film:
    """Film the field in phase contrast while pulses arrive.

    Args:
        scene: The field.
        state: Gives the contraction's size, thresholds, misses and fatigue, and the optics.
        shape: (height, width) in pixels.
        pixel_size_um: Side of a pixel in the culture.
        pulses_s: Times of the pulses from the first frame, ascending, s.
        frame_rate_hz: Frames a second.
        n_frames: Number of frames.
        rng_seed: Of noise and of missed pulses.
        pulse_amplitude_v: A tube follows if this reaches its threshold; None: all follow.
        kinetics: Shape of the twitch; None for the default.

    Returns:
        The film. The true displacement of an unfatigued twitch is ``state.contraction_um`` to
        about 3 %; the truth holds it exactly.

    Raises:
        ValueError: The frame rate or number is not positive, or the pulses are not ascending.
    """
    pulses = np.asarray(pulses_s, dtype=np.float64)
    if frame_rate_hz <= 0 or n_frames < 1:
        raise ValueError(f"a film of {n_frames} frames at {frame_rate_hz} Hz cannot be made")
    if pulses.ndim != 1 or np.any(np.diff(pulses) <= 0):
        raise ValueError("pulses_s must be a list of ascending times in seconds")
    kinetics = kinetics or TwitchKinetics()
    tubes = grown_tubes(scene, state)
    follows = tubes_that_follow(scene, state, tubes, pulse_amplitude_v)
    followed, strength = _pulses_that_work(state, len(pulses), rng_seed)
    if not follows.any():
        followed[:], strength[:] = False, 0.0

    view = View(shape, pixel_size_um, state.drift_px)
    mask = tube_mask(tubes, view)
    field = _displacement_px(scene, state, tubes, follows, view, mask)
    time_s = np.arange(n_frames) / frame_rate_hz
    total = np.zeros(n_frames)
    for pulse_s, size in zip(pulses, strength, strict=True):
        total += size * kinetics.twitch(time_s - pulse_s)
    activation = kinetics.summed(total)

    top = max(1.0, float(activation.max()))
    curve = np.array(
        [percentile_um(field * np.float32(top * a), mask, pixel_size_um) for a in _LEVELS]
    )
    frames = _warped(scene, state, view, field, activation, rng_seed)
    truth = FilmTruth(
        displacement_um=np.interp(activation, top * _LEVELS, curve),
        pulse_followed=followed,
        pulse_response_um=np.interp(strength, top * _LEVELS, curve),
        tube_mask=mask,
        tubes_following=float(follows.mean()) if len(follows) else float("nan"),
    )
    return Film(frames, frame_rate_hz, truth)


def tubes_that_follow(
    scene: Scene, state: CultureState, tubes: GrownTubes, amplitude_v: float | None
) -> npt.NDArray[np.bool_]:
    """(K,) the tubes whose threshold an amplitude reaches; None: all of them."""
    if amplitude_v is None:
        return np.ones(len(tubes.which), dtype=np.bool_)
    own = scene.tube_threshold[tubes.which]
    if state.capture_log_sd is not None:
        own = own ** (state.capture_log_sd / THRESHOLD_LOG_SD)
    needed = state.capture_threshold_v * own
    return np.asarray(needed <= amplitude_v)


def _pulses_that_work(
    state: CultureState, pulses: int, rng_seed: int
) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which pulses are followed, and how strong each response is over the first."""
    chance = np.random.default_rng([rng_seed, 1]).uniform(0, 1, pulses)
    followed = np.asarray(chance < state.capture_probability)
    before: Floats = np.cumsum(followed) - followed.astype(np.float64)
    before = np.asarray(before + state.tired_pulses)
    left = 1.0 - min(state.fatigue_per_pulse, 1.0)
    return followed, np.where(followed, left**before, 0.0)


def tube_mask(tubes: GrownTubes, view: View) -> npt.NDArray[np.bool_]:
    """(y, x) where the tubes are at rest."""
    canvas = view.canvas()
    for outline in tube_outlines(tubes, view):
        fill(canvas, outline, 255)
    return np.asarray(view.down(canvas) > 0.5)


def _displacement_px(
    scene: Scene,
    state: CultureState,
    tubes: GrownTubes,
    follows: npt.NDArray[np.bool_],
    view: View,
    mask: npt.NDArray[np.bool_],
) -> Image32:
    """(2, y, x) displacement (dx, dy) at an activation of 1, pixels."""
    if not mask.any() or state.contraction_um == 0:
        return np.zeros((2, *view.shape), np.float32)
    everyone = np.ones_like(follows)
    full = slide(scene, tubes, everyone, view)
    unit = percentile_um(full, mask, view.pixel_size_um)
    field = full if follows.all() else slide(scene, tubes, follows, view)
    return field * np.float32(state.contraction_um / unit)


def slide(scene: Scene, tubes: GrownTubes, follows: npt.NDArray[np.bool_], view: View) -> Image32:
    """Each following tube slides along itself, not at its ends; size about 1 px."""
    points = tubes.points_um.shape[1]
    along = (np.arange(points - 1) + 0.5) / (points - 1)
    size = np.sin(np.pi * along)
    outlines = tube_outlines(tubes, view, 1.8)
    parts = []
    for axis in (0, 1):
        canvas = np.zeros_like(view.canvas(), dtype=np.float32)
        for k in np.flatnonzero(follows).tolist():
            way = 1.0 if scene.tube_detach_rank[tubes.which[k]] < 0.5 else -1.0
            normal = tubes.normals[k]
            tangent = normal[:-1, 1] if axis == 0 else -normal[:-1, 0]
            values = way * size * tangent
            near, far = outlines[k, :points], outlines[k, points:][::-1]
            for i, value in enumerate(values.tolist()):
                quad = np.array([near[i], near[i + 1], far[i + 1], far[i]])
                fill(canvas, quad, value)
        small = cv2.resize(canvas, view.shape[::-1], interpolation=cv2.INTER_AREA)
        parts.append(camera.blur(np.asarray(small, np.float32), _REACH_UM / view.pixel_size_um))
    return np.stack(parts)


def percentile_um(field_px: Image32, mask: npt.NDArray[np.bool_], pixel_size_um: float) -> float:
    """95th percentile over the mask of how far its points have moved.

    The warp reads each new place from where it came, so a point's own movement u solves
    u(x) = d(x + u); three steps of that are exact to some thousandths of a pixel.
    """
    if not mask.any():
        return 0.0
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    right, down = field_px
    for _ in range(3):
        at = (x + right, y + down)
        right, down = (
            np.asarray(
                cv2.remap(part, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
                dtype=np.float32,
            )
            for part in field_px
        )
    return float(np.percentile(np.hypot(right, down)[mask], 95) * pixel_size_um)


def _warped(
    scene: Scene,
    state: CultureState,
    view: View,
    field: Image32,
    activation: Floats,
    rng_seed: int,
) -> npt.NDArray[np.uint8]:
    rest = phase_image(scene, state, view.shape, view.pixel_size_um)
    y, x = np.mgrid[: view.shape[0], : view.shape[1]].astype(np.float32)
    frames = np.empty((len(activation), *view.shape), np.uint8)
    seeds = np.random.default_rng([rng_seed, 2]).integers(0, 2**62, len(activation))
    for i, (level, seed) in enumerate(zip(activation.tolist(), seeds.tolist(), strict=True)):
        image = rest
        if level > 0:
            image = np.asarray(
                cv2.remap(
                    rest,
                    x - np.float32(level) * field[0],
                    y - np.float32(level) * field[1],
                    cv2.INTER_CUBIC,
                    borderMode=cv2.BORDER_REFLECT_101,
                ),
                dtype=np.float32,
            )
        frames[i] = camera.expose(image, state, rng_seed=seed, bit_depth=8)
    return frames

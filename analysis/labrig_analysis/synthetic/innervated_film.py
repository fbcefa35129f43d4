"""A synthetic muscle film in which regions answer each for itself, as innervation lets them.

Tubes belong to the region in which their middle lies; each region has its own impulses. What the
regions do adds up in the picture, so a tube that reaches into the next region moves that too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.labels.grid_regions import grid_regions
from labrig_analysis.synthetic import camera
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.film import (
    TwitchKinetics,
    percentile_um,
    slide,
    tube_mask,
    tubes_that_follow,
)
from labrig_analysis.synthetic.render import View, phase_image
from labrig_analysis.synthetic.scene import Floats, GrownTubes, Scene, grown_tubes


@dataclass(frozen=True, slots=True, eq=False)
class InnervatedFilm:
    """Frames (t, y, x), uint8, and the truth.

    Attributes:
        tube_mask: (y, x) the tubes at rest.
        tubes_in: By region, how many tubes belong to it.
    """

    frames: npt.NDArray[np.uint8]
    tube_mask: npt.NDArray[np.bool_]
    tubes_in: Mapping[int, int]


def render_innervated_film(
    scene: Scene,
    state: CultureState,
    shape: tuple[int, int],
    pixel_size_um: float,
    *,
    pulses_of_region: Mapping[int, Sequence[float]],
    grid: tuple[int, int],
    frame_rate_hz: float,
    n_frames: int,
    rng_seed: int,
    pulse_amplitude_v: float | None = None,
    kinetics: TwitchKinetics | None = None,
) -> InnervatedFilm:
    """Film the field in phase contrast while each region answers its own impulses.

    Args:
        scene: The field.
        state: Size of the contraction, thresholds, optics; misses and fatigue are in the impulses.
        shape: (height, width) in pixels.
        pixel_size_um: Side of a pixel.
        pulses_of_region: By label of `labels.grid_regions`, when its tubes are made to
            twitch, s from the first frame, ascending; a region left out stays at rest.
        grid: (rows, columns) of regions.
        frame_rate_hz: Frames a second.
        n_frames: Number of frames.
        rng_seed: Of noise.
        pulse_amplitude_v: A tube follows if this reaches its threshold; None: all do.
        kinetics: Shape of the twitch.
    """
    kinetics = kinetics or TwitchKinetics()
    tubes = grown_tubes(scene, state)
    view = View(shape, pixel_size_um, state.drift_px)
    mask = tube_mask(tubes, view)
    able = tubes_that_follow(scene, state, tubes, pulse_amplitude_v)
    owner = _regions_of_tubes(tubes, view, grid)
    time_s = np.arange(n_frames) / frame_rate_hz
    scale = _um_per_slide(scene, state, tubes, view, mask)
    fields: list[npt.NDArray[np.float32]] = []
    activations: list[Floats] = []
    for region, pulses in pulses_of_region.items():
        own = able & (owner == region)
        if not own.any() or not len(pulses):
            continue
        total = np.zeros(n_frames)
        for pulse_s in pulses:
            total += kinetics.twitch(time_s - pulse_s)
        fields.append(np.asarray(slide(scene, tubes, own, view) * np.float32(scale), np.float32))
        activations.append(kinetics.summed(total))
    frames = _warped(scene, state, view, fields, activations, n_frames, rng_seed)
    tubes_in = {int(r): int((owner == r).sum()) for r in np.unique(owner)}
    return InnervatedFilm(frames, mask, tubes_in)


def _regions_of_tubes(
    tubes: GrownTubes, view: View, grid: tuple[int, int]
) -> npt.NDArray[np.int32]:
    """(K,) the region in which each tube's middle lies; beyond the field, the nearest."""
    labels = grid_regions(view.shape, *grid)
    middle = tubes.points_um[:, tubes.points_um.shape[1] // 2] / view.pixel_size_um
    column = (middle[:, 0] + view.drift_px[1]).round().astype(np.intp).clip(0, view.shape[1] - 1)
    row = (middle[:, 1] + view.drift_px[0]).round().astype(np.intp).clip(0, view.shape[0] - 1)
    return np.asarray(labels[row, column], dtype=np.int32)


def _um_per_slide(
    scene: Scene,
    state: CultureState,
    tubes: GrownTubes,
    view: View,
    mask: npt.NDArray[np.bool_],
) -> float:
    """What makes a twitch of all tubes as large as the state says."""
    if not mask.any() or state.contraction_um == 0:
        return 0.0
    unit = percentile_um(
        slide(scene, tubes, np.ones(len(tubes.which), np.bool_), view), mask, view.pixel_size_um
    )
    return state.contraction_um / unit


def _warped(
    scene: Scene,
    state: CultureState,
    view: View,
    fields: Sequence[npt.NDArray[np.float32]],
    activations: Sequence[Floats],
    n_frames: int,
    rng_seed: int,
) -> npt.NDArray[np.uint8]:
    rest = phase_image(scene, state, view.shape, view.pixel_size_um)
    y, x = np.mgrid[: view.shape[0], : view.shape[1]].astype(np.float32)
    seeds = np.random.default_rng([rng_seed, 2]).integers(0, 2**62, n_frames).tolist()
    frames = np.empty((n_frames, *view.shape), np.uint8)
    for number, seed in enumerate(seeds):
        moved = np.zeros((2, *view.shape), np.float32)
        for field, activation in zip(fields, activations, strict=True):
            if activation[number] > 0:
                moved += np.float32(activation[number]) * field
        image = rest
        if moved.any():
            image = np.asarray(
                cv2.remap(rest, x - moved[0], y - moved[1], cv2.INTER_CUBIC,
                          borderMode=cv2.BORDER_REFLECT_101),
                dtype=np.float32,
            )  # fmt: skip
        frames[number] = camera.expose(image, state, rng_seed=seed, bit_depth=8)
    return frames

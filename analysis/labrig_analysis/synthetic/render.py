"""Pictures of a synthetic field: phase contrast, myosin heavy chain and nuclei.

Tubes are painted as polygons of exactly their width on a finer grid and averaged down, which
is right to about 0.15 px of width. For hundredths of a pixel use ``phantoms``.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.synthetic import camera
from labrig_analysis.synthetic.camera import Frame, Image32
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.scene import (
    Floats,
    GrownTubes,
    Nuclei,
    Scene,
    grown_tubes,
    present_nuclei,
)

_FINE = 2
_HAZY_FROM = 0.3
"""Share of fused nuclei from which the haze of a stained field is full [P]."""
_SHIFT = 4
# OpenCV fills every pixel that a polygon's edge touches; the measured excess, averaged over
# angles, is 0.8 fine pixels of width.
_EXCESS_PX = 0.4
_CIRCLE = np.exp(1j * np.linspace(0, 2 * np.pi, 18, endpoint=False))

Canvas = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class View:
    """Where the field falls on the fine grid that is painted on."""

    shape: tuple[int, int]
    pixel_size_um: float
    drift_px: tuple[float, float]

    def canvas(self) -> Canvas:
        """An empty fine grid."""
        return np.zeros((self.shape[0] * _FINE, self.shape[1] * _FINE), np.uint8)

    def fixed(self, points_um: Floats) -> npt.NDArray[np.int32]:
        """Points (x, y) in um as OpenCV's fixed-point fine pixels."""
        fine = (points_um / self.pixel_size_um + np.array(self.drift_px[::-1])) * _FINE - 0.5
        fixed: npt.NDArray[np.int32] = np.rint(fine * 2**_SHIFT).astype(np.int32)
        return fixed

    def shrunk_um(self, half_um: Floats) -> Floats:
        """Half widths less what the polygon filler adds."""
        less: Floats = np.maximum(half_um - _EXCESS_PX / _FINE * self.pixel_size_um, 0.0)
        return less

    def down(self, canvas: Canvas) -> Image32:
        """The fine grid averaged to the picture's pixels, 0..1."""
        size = (self.shape[1], self.shape[0])
        small = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
        return small.astype(np.float32) * np.float32(1 / 255)


def render_phase(
    scene: Scene,
    state: CultureState,
    shape: tuple[int, int],
    pixel_size_um: float,
    rng_seed: int,
    *,
    bit_depth: int = 8,
) -> Frame:
    """Positive phase contrast: grey background, darker bodies, bright halo.

    Args:
        scene: The field.
        state: The culture and the optics now.
        shape: (height, width) in pixels.
        pixel_size_um: Side of a pixel in the culture.
        rng_seed: Of this frame's noise.
        bit_depth: 8, 12 or 16.

    Returns:
        uint8 for 8 bits, else uint16, of the given shape.

    Known bias: thickness is a flat-topped profile, the halo one Gaussian of 9 um; there is no
    shade-off inside very wide tubes, and defocus blurs without reversing contrast.
    """
    ideal = phase_image(scene, state, shape, pixel_size_um)
    return camera.expose(ideal, state, rng_seed=rng_seed, bit_depth=bit_depth)


def phase_image(
    scene: Scene, state: CultureState, shape: tuple[int, int], pixel_size_um: float
) -> Image32:
    """The phase picture before the sensor: about 0..1, background at 0.5, no noise."""
    view = View(shape, pixel_size_um, state.drift_px)
    tubes = grown_tubes(scene, state)
    nuclei = present_nuclei(scene, state, tubes)
    canvas = view.canvas()
    free = nuclei.tube < 0
    _fill(canvas, _spindles(scene, nuclei, view), np.full(free.sum(), 34))
    thickness = 110 * (tubes.width_um.max(axis=1, initial=1.0) / 16.0).clip(0.3, 2.0) ** 0.5
    _paint_tubes(canvas, scene, tubes, view, thickness, [(1.0, 0.6), (0.75, 0.9), (0.45, 1.0)])
    grey = np.where(free, 46, 90)
    _fill(canvas, _ellipses(nuclei.centre_um, nuclei.axes_um, nuclei.angle, view), grey)
    # Nucleoli: two dark dots make a nucleus recognisable in phase.
    _fill(canvas, _ellipses(nuclei.centre_um, nuclei.axes_um / 4, nuclei.angle, view), grey + 70)
    _paint_litter(canvas, scene, state, nuclei, view)

    sigma = camera.defocus_sigma_px(state, pixel_size_um)
    delay = camera.blur(view.down(canvas), sigma)
    halo = camera.blur(delay, 9.0 / pixel_size_um)
    fringe = camera.blur(delay, 2.2 / pixel_size_um)
    at = scene.texture_um - np.array(state.drift_px[::-1]) * pixel_size_um
    grain, clouds = camera.texture(shape, pixel_size_um, (float(at[0]), float(at[1])))
    image: Image32 = 0.5 - 1.9 * delay + 0.75 * halo + 1.1 * fringe
    rough = np.float32(0.012 * state.coverage / (1 + 0.02 * state.defocus_um**2))
    image += grain * (rough + np.float32(0.07) * delay) + clouds * np.float32(0.012)
    if state.contamination > 0:
        image = 0.5 + (image - 0.5) * np.float32(1 - 0.8 * state.contamination)
        image += grain * np.float32(0.12 * state.contamination)
    if state.bubble_um > 0:
        _paint_bubble(image, state, view)
    return image


def render_tubes(
    scene: Scene,
    state: CultureState,
    shape: tuple[int, int],
    pixel_size_um: float,
    rng_seed: int,
    *,
    bit_depth: int = 8,
) -> Frame:
    """Fluorescence of myosin heavy chain. Arguments and result as `render_phase`.

    A tube's edge at half its height lies on its true edge to about 0.1 um: the profile is
    nearly flat across, with fibrils along. Brightness differs from tube to tube.
    """
    view = View(shape, pixel_size_um, state.drift_px)
    tubes = grown_tubes(scene, state)
    nuclei = present_nuclei(scene, state, tubes)
    canvas = view.canvas()
    bright = 110 * scene.tube_brightness[tubes.which]
    _paint_tubes(canvas, scene, tubes, view, bright, [(1.0, 0.9), (0.7, 1.0)])
    inside = nuclei.tube >= 0
    holes = _ellipses(nuclei.centre_um, nuclei.axes_um * 0.9, nuclei.angle, view)[inside]
    _fill(canvas, holes, 88 * scene.tube_brightness[nuclei.tube[inside]])
    specks = scene.debris_um[::5]
    no_angle = np.zeros(len(specks))
    _fill(canvas, _ellipses(specks[:, :2], specks[:, 2:], no_angle, view), no_angle + 200)
    light = camera.blur(view.down(canvas), camera.defocus_sigma_px(state, pixel_size_um))
    at = (float(scene.texture_um[0]), float(scene.texture_um[1]))
    grain, clouds = camera.texture(shape, pixel_size_um, at)
    light *= 1 + np.float32(0.08) * grain
    # Haze is light of tubes out of focus: where there are none it is not there either.
    light += 0.02 + np.float32(0.004 * min(1.0, state.fused_fraction / _HAZY_FROM)) * clouds
    light *= np.float32(1 - state.bleached_fraction)
    return camera.expose(light, state, rng_seed=rng_seed, bit_depth=bit_depth, full_well=2500.0)


def render_nuclei(
    scene: Scene,
    state: CultureState,
    shape: tuple[int, int],
    pixel_size_um: float,
    rng_seed: int,
    *,
    bit_depth: int = 8,
) -> Frame:
    """Fluorescence of DNA (DAPI, Hoechst). Arguments and result as `render_phase`.

    Condensed nuclei are small, round and about twice as bright.
    """
    view = View(shape, pixel_size_um, state.drift_px)
    tubes = grown_tubes(scene, state)
    nuclei = present_nuclei(scene, state, tubes)
    canvas = view.canvas()
    grey = 130 * scene.nucleus_brightness[nuclei.which]
    grey = np.where(nuclei.pyknotic, 245, grey)
    for fraction, level in ((1.0, 0.85), (0.7, 1.0)):
        outline = _ellipses(nuclei.centre_um, nuclei.axes_um * fraction, nuclei.angle, view)
        _fill(canvas, outline, grey * level)
    light = camera.blur(view.down(canvas), camera.defocus_sigma_px(state, pixel_size_um))
    at = (float(scene.texture_um[1]), float(scene.texture_um[0]))
    grain, clouds = camera.texture(shape, pixel_size_um, at)
    light *= 1 + np.float32(0.1) * grain
    light += 0.015 + np.float32(0.003) * clouds
    light *= np.float32(1 - state.bleached_fraction)
    return camera.expose(light, state, rng_seed=rng_seed, bit_depth=bit_depth, full_well=2500.0)


def tube_outlines(tubes: GrownTubes, view: View, fraction: float = 1.0) -> npt.NDArray[np.int32]:
    """(K, 2P, 2) polygons around the tubes, or around the inner ``fraction`` of each."""
    half = view.shrunk_um(tubes.width_um * fraction / 2)[..., None] * tubes.normals
    sides = np.concatenate([tubes.points_um + half, (tubes.points_um - half)[:, ::-1]], axis=1)
    return view.fixed(sides)


def nucleus_outlines(nuclei: Nuclei, view: View) -> npt.NDArray[np.int32]:
    """(M, 18, 2) polygons around the nuclei."""
    return _ellipses(nuclei.centre_um, nuclei.axes_um, nuclei.angle, view)


def fill(
    canvas: npt.NDArray[np.integer | np.float32], outline: npt.NDArray[np.int32], value: float
) -> None:
    """Fill one outline of a `View` in place."""
    cv2.fillPoly(canvas, [outline], float(value), cv2.LINE_8, _SHIFT)


def _fill(canvas: Canvas, outlines: npt.NDArray[np.int32], grey: npt.NDArray[np.generic]) -> None:
    for outline, value in zip(outlines, grey.tolist(), strict=True):
        fill(canvas, outline, min(value, 255.0))


def _paint_tubes(
    canvas: Canvas,
    scene: Scene,
    tubes: GrownTubes,
    view: View,
    grey: Floats,
    layers: list[tuple[float, float]],
) -> None:
    """Nested polygons (share of the width, share of the grey), then fibrils along the tube."""
    nested = [(tube_outlines(tubes, view, share), level) for share, level in layers]
    fibrils = scene.tube_fibrils[tubes.which]
    aside = fibrils[:, :, 0, None, None] * (tubes.width_um / 2)[:, None, :, None]
    threads = view.fixed(tubes.points_um[:, None] + aside * tubes.normals[:, None])
    for k in range(len(tubes.which)):
        for outlines, level in nested:
            fill(canvas, outlines[k], min(grey[k] * level, 255.0))
        for thread, strength in zip(threads[k], fibrils[k, :, 1].tolist(), strict=True):
            value = min(grey[k] * strength, 255.0)
            cv2.polylines(canvas, [thread[2:-2]], False, value, 1, cv2.LINE_AA, _SHIFT)


def _paint_litter(
    canvas: Canvas, scene: Scene, state: CultureState, nuclei: Nuclei, view: View
) -> None:
    """Debris, condensed cells, and the balls that detached tubes leave floating."""
    dots = scene.debris_um
    none = np.zeros(len(dots))
    _fill(canvas, _ellipses(dots[:, :2], dots[:, 2:], none, view), none + 150)
    dead = nuclei.centre_um[nuclei.pyknotic]
    none = np.zeros(len(dead))
    _fill(canvas, _ellipses(dead, np.full((len(dead), 1), 4.5), none, view), none + 210)
    loose = scene.tube_detach_rank < state.detached_fraction
    was_in = scene.nucleus_tube
    balls = scene.nucleus_free_um[(was_in >= 0) & np.append(loose, False)[was_in]][::2]
    none = np.zeros(len(balls))
    for radius_um, grey in ((9.0, 230), (6.0, 20)):
        ball = _ellipses(balls, np.full((len(balls), 1), radius_um), none, view)
        _fill(canvas, ball, none + grey)


def _paint_bubble(image: Image32, state: CultureState, view: View) -> None:
    centre = (view.shape[1] // 2, view.shape[0] // 2)
    radius = max(1, round(state.bubble_um / 2 / view.pixel_size_um))
    rim = max(2, radius // 8)
    cv2.circle(image, centre, radius, 0.85, -1, cv2.LINE_AA)
    cv2.circle(image, centre, radius, 0.05, rim, cv2.LINE_AA)
    cv2.circle(image, centre, radius + rim, 0.95, max(1, rim // 2), cv2.LINE_AA)


def _ellipses(
    centres_um: Floats, half_axes_um: Floats, angles: Floats, view: View
) -> npt.NDArray[np.int32]:
    axes = view.shrunk_um(np.broadcast_to(half_axes_um, centres_um.shape))
    turn = np.exp(1j * angles)[:, None]
    ring = turn * (axes[:, :1] * _CIRCLE.real + 1j * axes[:, 1:] * _CIRCLE.imag)
    return view.fixed(centres_um[:, None] + np.stack([ring.real, ring.imag], axis=2))


def _spindles(scene: Scene, nuclei: Nuclei, view: View) -> npt.NDArray[np.int32]:
    """Flat bodies of the mononucleated cells: pointed at both ends."""
    free = nuclei.tube < 0
    long_um = scene.cell_length_um[nuclei.which[free]] / 2
    wide_um = nuclei.axes_um[free, 1] * 1.4
    body = _CIRCLE.real + 1j * _CIRCLE.imag * np.abs(_CIRCLE.imag)
    ring = long_um[:, None] * body.real + 1j * wide_um[:, None] * body.imag
    ring = ring * np.exp(1j * nuclei.angle[free])[:, None]
    return view.fixed(nuclei.centre_um[free][:, None] + np.stack([ring.real, ring.imag], axis=2))

"""From an ideal picture to what a sensor gives: blur, uneven light, noise, stuck pixels, bits."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.synthetic.culture import CultureState

Image32 = npt.NDArray[np.float32]
Frame = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_TILE = 1024
_SENSOR_SEED = 20130601
"""The sensor's own faults are the same in every frame, whatever the frame's seed."""


def blur(image: Image32, sigma_px: float) -> Image32:
    """Gaussian blur; nothing is done below a tenth of a pixel."""
    if sigma_px < 0.1:
        return image
    if sigma_px < 6.0:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), dtype=np.float32)
    # A wide blur has nothing left to lose at a quarter of the resolution.
    height, width = image.shape
    small = cv2.resize(
        image, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / 4)
    return np.asarray(cv2.resize(small, (width, height)), dtype=np.float32)


def defocus_sigma_px(state: CultureState, pixel_size_um: float) -> float:
    """Blur of the point spread function and of defocus together, pixels (one sigma).

    In focus 0.35 um (a 10x/0.3 objective resolves about 1 um). Out of focus the cone of a
    numerical aperture of 0.3 has a radius of 0.31 um per um; sigma is taken as half of that.
    Geometric optics: fringes, and the reversal of contrast beyond focus, are not drawn.
    """
    return float(np.hypot(0.35, 0.155 * state.defocus_um) / pixel_size_um)


def texture(
    shape: tuple[int, int], pixel_size_um: float, at_um: tuple[float, float]
) -> tuple[Image32, Image32]:
    """Two parts of an endless carpet seen from ``at_um`` (x, y): fine grain and broad clouds.

    Each has a standard deviation of 1. The carpet repeats every 1024 pixels.
    """
    grain, clouds = _carpet(pixel_size_um)
    right, down = (at_um[0] / pixel_size_um, at_um[1] / pixel_size_um)
    wide = _crop(grain, int(np.floor(down)), int(np.floor(right)), (shape[0] + 1, shape[1] + 1))
    shift = np.array([[1.0, 0.0, right % 1], [0.0, 1.0, down % 1]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = cv2.warpAffine(wide, shift, (shape[1], shape[0]), flags=flags)
    # The clouds are so broad that a whole pixel is fine enough for them.
    return np.asarray(fine, dtype=np.float32), _crop(clouds, round(down), round(right), shape)


def expose(
    image: Image32,
    state: CultureState,
    *,
    rng_seed: int,
    bit_depth: int,
    dark: float = 0.02,
    shading: float = 0.12,
    full_well: float = 9000.0,
) -> Frame:
    """Light falls on the sensor: 1.0 in ``image`` fills a pixel at nominal light.

    Args:
        image: Ideal picture, (y, x), 0 to about 1.
        state: Gives the light and the hot pixels.
        rng_seed: Of this frame's noise.
        bit_depth: 8 gives uint8; 12 or 16 give uint16 with that many bits used.
        dark: Offset of the camera as a share of full scale.
        shading: How much darker the corners are than the brightest point.
        full_well: Electrons at full scale; sets the shot noise.

    Returns:
        The frame. A pixel that gets more than full scale stays at full scale: that is
        saturation, as on a real sensor.

    Raises:
        ValueError: ``bit_depth`` is not 8, 12 or 16.
    """
    if bit_depth not in (8, 12, 16):
        raise ValueError(f"bit_depth is {bit_depth}: the synthetic camera has 8, 12 or 16 bits")
    lit = image * (_shading(image.shape, shading) * np.float32(state.light))
    np.maximum(lit, 0, out=lit)
    noise = _noise(image.shape, rng_seed)
    noise *= np.sqrt(lit * np.float32(1 / full_well) + np.float32(0.002**2))
    lit += noise
    lit += np.float32(dark)
    if state.hot_pixels:
        sensor = np.random.default_rng([_SENSOR_SEED, *image.shape])
        places = sensor.integers(0, image.size, state.hot_pixels)
        lit.ravel()[places] = sensor.uniform(0.7, 1.2, state.hot_pixels)
    top = 2**bit_depth - 1
    lit *= top
    np.clip(lit, 0, top, out=lit)
    np.rint(lit, out=lit)
    return lit.astype(np.uint8) if bit_depth == 8 else lit.astype(np.uint16)


@lru_cache(maxsize=4)
def _carpet(pixel_size_um: float) -> tuple[Image32, Image32]:
    rng = np.random.default_rng(7)
    tiles = []
    for sigma_um in (1.1, 22.0):
        sigma = sigma_um / pixel_size_um
        pad = int(4 * sigma) + 1
        white = np.pad(rng.standard_normal((_TILE, _TILE)).astype(np.float32), pad, mode="wrap")
        smooth = cv2.GaussianBlur(white, (0, 0), sigma)[pad:-pad, pad:-pad]
        tiles.append(np.ascontiguousarray((smooth - smooth.mean()) / smooth.std()))
    return tiles[0], tiles[1]


@lru_cache(maxsize=4)
def _shading(shape: tuple[int, int], depth: float) -> Image32:
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    bright: Image32 = (1 - depth / 2 * ((x - 0.25) ** 2 + (y + 0.15) ** 2)).astype(np.float32)
    return bright


@lru_cache(maxsize=1)
def _noise_tile() -> Image32:
    return np.random.default_rng(11).standard_normal((_TILE, _TILE)).astype(np.float32)


def _noise(shape: tuple[int, ...], rng_seed: int) -> Image32:
    """Normal noise cut from one big tile at a place that the seed draws: fast, repeatable.

    Two frames share the tile at different offsets, so their noise is uncorrelated pixel by
    pixel; an image larger than the tile sees it repeated.
    """
    down, right = np.random.default_rng(rng_seed).integers(0, _TILE, 2)
    return _crop(_noise_tile(), int(down), int(right), (shape[0], shape[1]))


def _crop(tile: Image32, down: int, right: int, shape: tuple[int, int]) -> Image32:
    """A copy of part of the endless repetition of ``tile``."""
    rows = tile.take(np.arange(down, down + shape[0]), axis=0, mode="wrap")
    return rows.take(np.arange(right, right + shape[1]), axis=1, mode="wrap")

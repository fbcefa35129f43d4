"""Fragments of nuclei that touch, and what tells whether two of them are one nucleus.

Touching nuclei are first cut too finely, and then fragments are merged. All lengths and areas are
in units of the typical nucleus, all brightness is relative, so a judgement holds at any
magnification and exposure.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, LabelImage, Mask
from labrig_analysis.images.watershed import find_saddles

Values = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

FEATURES = (
    "depth of the saddle in the landscape",
    "brightness at the saddle / at the dimmer top",
    "length of the common border / root of the smaller area",
    "distance to the edge at the saddle / at the narrower fragment's widest place",
    "log smaller area / typical area",
    "log joint area / typical area",
    "joint area / area of the ellipse of its second moments",
    "the same of the less elliptic fragment",
    "log aspect of the two together",
    "log aspect of the longer fragment",
    "distance of the centres / root of the typical area",
    "log ratio of the mean brightnesses",
    "the landscape at the saddle",
    "cores together: area / area of the ellipse of their second moments",
    "the same of the less elliptic core",
    "log aspect of the cores together",
    "log area of the cores together / typical area",
)


@dataclass
class Fragments:
    """Fragments 1..n of one plane; row 0 is the background. Merging changes rows in place."""

    moments: Values
    """(n + 1, 6): area, sums of x, y, x², y², xy, in px."""
    core_moments: Values
    """The same of the cores: halos fill the notches that tell two nuclei apart."""
    tops: Values
    """Highest landscape."""
    brightest: Values
    widest: Values
    """Largest distance to the edge, in px."""
    brightness: Values
    """Mean."""

    def merge(self, kept: Indices, gone: Indices) -> None:
        """Make each of `gone` part of its `kept`; no fragment may be in two pairs."""
        areas = self.moments[:, 0]
        light = self.brightness[kept] * areas[kept] + self.brightness[gone] * areas[gone]
        self.brightness[kept] = light / (areas[kept] + areas[gone])
        for moments in (self.moments, self.core_moments):
            moments[kept] += moments[gone]
        for values in (self.tops, self.brightest, self.widest):
            values[kept] = np.maximum(values[kept], values[gone])


@dataclass(frozen=True)
class Borders:
    """Pairs of fragments that touch, `first < second`; all arrays have one row per pair."""

    first: Indices
    second: Indices
    crossings: Values
    """(pairs, 4): height of the saddle in the landscape, in brightness and in distance to the edge,
    and length of the border in pixel pairs."""

    def relabelled(self, now: npt.NDArray[np.int32]) -> Borders:
        """The borders after fragment k became `now[k]`; those between the same two become one."""
        one, other = now[self.first].astype(np.int64), now[self.second].astype(np.int64)
        apart = one != other
        base = len(now)
        keys = np.minimum(one, other)[apart] * base + np.maximum(one, other)[apart]
        pairs, row = np.unique(keys, return_inverse=True)
        crossings = np.zeros((len(pairs), 4))
        np.maximum.at(crossings[:, :3], row, self.crossings[apart, :3])
        np.add.at(crossings[:, 3], row, self.crossings[apart, 3])
        return Borders((pairs // base).astype(np.intp), (pairs % base).astype(np.intp), crossings)


def describe_fragments(
    labels: LabelImage, landscape: FloatImage, light: FloatImage, core: Mask
) -> tuple[Fragments, Borders]:
    """Everything about the fragments that merging needs to know.

    Args:
        labels: (y, x), fragments 1..n without gaps.
        landscape: (y, x), by which they were cut.
        light: (y, x), brightness above the background.
        core: (y, x), where nuclei are bright.
    """
    from_edge = cv2.distanceTransform(core.view(np.uint8), cv2.DIST_L2, 5)
    count = int(labels.max(initial=0))
    pixels = np.flatnonzero(labels)
    owner = labels.ravel()[pixels].astype(np.intp)
    in_core = core.ravel()[pixels]
    brightness = light.ravel()[pixels]

    def highest(values: FloatImage) -> Values:
        # Of the values' own type: NumPy is ten times slower when it has to convert each.
        best = np.full(count + 1, -np.inf, values.dtype)
        np.maximum.at(best, owner, values)
        return best.astype(np.float64)

    moments = _moments(owner, pixels, labels.shape[1], count)
    fragments = Fragments(
        moments=moments,
        core_moments=_moments(owner[in_core], pixels[in_core], labels.shape[1], count),
        tops=highest(landscape.ravel()[pixels]),
        brightest=highest(brightness),
        widest=highest(from_edge.ravel()[pixels]),
        brightness=np.bincount(owner, brightness, count + 1) / np.maximum(moments[:, 0], 1),
    )
    saddles = find_saddles(labels, landscape, light, from_edge)
    crossings = np.column_stack([saddles.heights, saddles.lengths]).astype(np.float64)
    borders = Borders(saddles.first.astype(np.intp), saddles.second.astype(np.intp), crossings)
    return fragments, borders


def _moments(owner: Indices, pixels: Indices, width: int, count: int) -> Values:
    y, x = (axis.astype(np.float64) for axis in np.divmod(pixels, width))
    sums = [np.bincount(owner, weights, count + 1) for weights in (x, y, x * x, y * y, x * y)]
    return np.stack([np.bincount(owner, minlength=count + 1), *sums], axis=1).astype(np.float64)


def pair_features(
    fragments: Fragments, first: Indices, second: Indices, crossings: Values, typical_area: float
) -> Values:
    """(pairs, 17), in the order of `FEATURES`.

    Args:
        fragments: as they are now.
        first: (pairs,) labels.
        second: (pairs,) labels.
        crossings: (pairs, 4), see `Borders`.
        typical_area: of a nucleus, in px.
    """
    one, other = _ellipses(fragments.moments[first]), _ellipses(fragments.moments[second])
    both = _ellipses(fragments.moments[first] + fragments.moments[second])
    one_core, other_core = (_ellipses(fragments.core_moments[part]) for part in (first, second))
    both_cores = _ellipses(fragments.core_moments[first] + fragments.core_moments[second])
    smaller = np.minimum(one.area, other.area)
    height, light, distance, length = crossings.T
    dimmer_top = np.minimum(fragments.brightest[first], fragments.brightest[second])
    narrower = np.minimum(fragments.widest[first], fragments.widest[second])
    bright, dim = (
        pick(fragments.brightness[first], fragments.brightness[second])
        for pick in (np.maximum, np.minimum)
    )
    apart = np.hypot(one.x - other.x, one.y - other.y)
    return np.stack(
        [
            np.minimum(fragments.tops[first], fragments.tops[second]) - height,
            light / np.maximum(dimmer_top, 1e-6),
            # Three pixel pairs (straight and two diagonal) cross each pixel of a border.
            length / 3 / np.sqrt(smaller),
            distance / np.maximum(narrower, 1),
            np.log(smaller / typical_area),
            np.log(both.area / typical_area),
            both.fill,
            np.minimum(one.fill, other.fill),
            both.log_aspect,
            np.maximum(one.log_aspect, other.log_aspect),
            apart / np.sqrt(typical_area),
            np.log(bright / np.maximum(dim, 1e-6)),
            height,
            both_cores.fill,
            np.minimum(one_core.fill, other_core.fill),
            both_cores.log_aspect,
            # One pixel more, as a fragment of a halo has no core.
            np.log((both_cores.area + 1) / typical_area),
        ],
        axis=1,
    )


@dataclass(frozen=True)
class _Ellipses:
    area: Values
    x: Values
    y: Values
    fill: Values
    """Area / area of the ellipse with the same second moments: 1 for an ellipse, less for a
    dumbbell or a crescent."""
    log_aspect: Values


def _ellipses(moments: Values) -> _Ellipses:
    area, sx, sy, sxx, syy, sxy = moments.T
    pixels = np.maximum(area, 1)
    x, y = sx / pixels, sy / pixels
    # A pixel is a square and no point: its own second moment is 1/12.
    var_x, var_y = sxx / pixels - x * x + 1 / 12, syy / pixels - y * y + 1 / 12
    cov = sxy / pixels - x * y
    mean, spread = (var_x + var_y) / 2, np.sqrt(((var_x - var_y) / 2) ** 2 + cov**2)
    long, short = np.maximum(mean + spread, 1 / 12), np.maximum(mean - spread, 1 / 12)
    fill = pixels / (4 * np.pi * np.sqrt(long * short))
    return _Ellipses(area, x, y, fill, 0.5 * np.log(long / short))

"""Pictures of stains beside tubes and nuclei, for a simulated bench."""

from __future__ import annotations

import numpy as np

from labrig_analysis.synthetic.camera import Frame
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.scene import Scene
from labrig_analysis.synthetic.stain_planes import StainLook, draw_marker, draw_neurites, draw_spots

DRAWN = ("clusters", "terminals", "neurites", "striations", "live", "dead", "marker")
_SPOTS_PER_MM2, _NEURITES_PER_MM2 = 250.0, 60.0
_MARKED = 0.2
_LOOK_BITS = 12


def render_stain(
    shows: str,
    scene: Scene,
    state: CultureState,
    shape: tuple[int, int],
    pixel_size_um: float,
    rng_seed: int,
    *,
    bit_depth: int = 8,
) -> Frame:
    """One stain of a field, as much of it as the culture's state says.

    Known bias: spots are placed anew when tubes change; tubes show no striations; a marker is in a
    fifth of the nuclei whatever is done.

    Args:
        shows: of `DRAWN`.
        scene: the field.
        state: the culture and the optics now; of the optics only light and drift count.
        shape: (height, width) in pixels.
        pixel_size_um: side of a pixel in the culture.
        rng_seed: of this frame's noise.
        bit_depth: 8, 12 or 16.

    Returns:
        uint8 for 8 bits, else uint16, of the given shape.
    """
    from labrig_analysis.synthetic.truth import truth  # pandas is slow to import

    drawn = truth(scene, state, shape, pixel_size_um)
    tubes = drawn.tube_labels
    # The same stain in every picture of a field; another field has another.
    place = int(abs(float(scene.texture_um.sum())) * 1000)
    look = StainLook(light=600.0 * state.light, diffuse=100.0 * state.light, seed=place)
    mm2 = tubes.size * (pixel_size_um / 1000) ** 2
    if shows in ("clusters", "terminals"):
        amount = state.clusters if shows == "clusters" else state.terminals
        # Half of a change of area is of the number, half of the size: what is lost breaks up.
        size, count = amount**0.25, round(_SPOTS_PER_MM2 * mm2 * amount**0.5)
        plane = draw_spots(tubes, pixel_size_um, count, look, scale=size).plane
    elif shows == "neurites":
        count = round(_NEURITES_PER_MM2 * mm2 * state.neurites)
        plane = draw_neurites(tubes, pixel_size_um, count, look).plane
    elif shows == "striations":
        whole = np.ones(int(tubes.max(initial=0)), bool)
        plane = draw_marker(tubes, whole, np.zeros_like(tubes), pixel_size_um, look)
    else:
        count = int(drawn.nucleus_labels.max(initial=0))
        share = {"live": 1.0 - state.dead_fraction, "dead": state.dead_fraction}
        positive = np.random.default_rng(place).random(count) < share.get(shows, _MARKED)
        plane = draw_marker(drawn.nucleus_labels, positive, tubes, pixel_size_um, look)
    noise = np.random.default_rng(rng_seed).normal(0, 2, shape)
    top = 2**bit_depth - 1
    scaled = np.clip(np.rint((plane + noise) * (top / (2**_LOOK_BITS - 1))), 0, top)
    if bit_depth == 8:
        return np.asarray(scaled, np.uint8)
    return np.asarray(scaled, np.uint16)

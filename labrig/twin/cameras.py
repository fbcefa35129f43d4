"""The simulated camera: renders what stands under the objective.

It runs in the imaging process of a simulated night, apart from the world: with each request
comes the scene, a small record that the runner passes on without looking into it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from labrig_analysis.synthetic.camera import Frame
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.render import render_nuclei, render_phase, render_tubes
from labrig_analysis.synthetic.render_stains import DRAWN, render_stain
from labrig_analysis.synthetic.scene import Scene, make_scene
from labrig_drivers.errors import NotNow
from labrig_drivers.kinds import Identity, Picture

RENDERERS: Mapping[str, Callable[..., Frame]] = {
    "cells": render_phase,
    "tubes": render_tubes,
    "nuclei": render_nuclei,
    **{shows: partial(render_stain, shows) for shows in DRAWN},
}
BIT_DEPTH = 12
# the share of nuclei in tubes of a culture whose tubes have all formed [P]
LARGEST_FUSION = 0.70
_MOST_FUSED, _MOST_NUCLEI = 0.8, 1.5
"""What a synthetic field has room for."""
_DEAD_UNSEEN = 0.03
"""[P] Nuclei that a stain of the dead shows and that are not condensed."""
# how far a standard mature culture moves in one twitch [P]; arms differ from it by
# log_contraction in responses.toml, apart from what they do to diameters
REFERENCE_CONTRACTION_UM = 2.0
FULL_EXPOSURE_MS = {
    "cells": 20.0, "tubes": 200.0, "nuclei": 100.0, **dict.fromkeys(DRAWN, 200.0)
}  # fmt: skip


def culture_state(scene: Mapping[str, Any], pixel_size_um: float, light: float) -> CultureState:
    """The renderer's state for a scene record of :meth:`labrig.twin.world.World.scene`."""
    return CultureState(
        diameter_factor=math.exp(scene["log_diameter"]),
        fused_fraction=min(_MOST_FUSED, LARGEST_FUSION * scene["fused"]),
        coverage=min(1.0, scene["coverage"]),
        nuclei_factor=min(_MOST_NUCLEI, scene["nuclei"]),
        nuclei_per_tube=scene["nuclei_per_tube"],
        pyknotic_fraction=min(1.0, scene["pyknotic"]),
        fast_log=scene["fast_log"],
        slow_log=scene["slow_log"],
        detached_fraction=scene["detached"],
        dead_fraction=min(1.0, scene["pyknotic"] + _DEAD_UNSEEN),
        clusters=scene["clusters"],
        terminals=scene["terminals"],
        neurites=scene["neurites"],
        contraction_um=REFERENCE_CONTRACTION_UM * math.exp(scene["log_contraction"]),
        capture_threshold_v=scene["threshold_v"],
        capture_log_sd=scene["threshold_log_sd"],
        capture_probability=scene["transmission"],
        fatigue_per_pulse=scene["fatigue_per_pulse"],
        tired_pulses=scene["tired_pulses"],
        light=light,
        defocus_um=scene["defocus_um"],
        drift_px=(-scene["dy_um"] / pixel_size_um, -scene["dx_um"] / pixel_size_um),
    )


@lru_cache(maxsize=256)
def scene_geometry(seed: int, well: str, field: int, height_um: float, width_um: float) -> Scene:
    """The fixed geometry of one field; drawing it anew costs as much as a picture."""
    return make_scene(seed, well, field, height_um=height_um, width_um=width_um)


class SceneCamera:
    """A camera of the simulated bench; satisfies ``labrig_drivers.kinds.Camera``.

    Args:
        name: as in the rig file.
        shape: (height, width) of a frame in pixels.
        pixel_size_um: by channel.
        shows: by channel, one of :data:`RENDERERS`.
        truth: file that a line of ground truth is appended to for every picture.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, int],
        pixel_size_um: Mapping[str, float],
        shows: Mapping[str, str],
        truth: Path,
    ) -> None:
        self._name = name
        self._shape = shape
        self._pixel_size_um = pixel_size_um
        self._shows = shows
        self._truth = truth
        self._request: Mapping[str, Any] | None = None

    def aim(self, request: Mapping[str, Any]) -> None:
        """Take the scene that came with the next request."""
        self._request = request

    def identify(self) -> Identity:
        """A simulated camera says so."""
        return Identity("labrig", "simulated camera", "1")

    def close(self) -> None:
        """Nothing is held."""

    def snap(self, exposure_ms: float) -> Picture:
        """Render the field under the objective.

        Raises:
            NotNow: no scene came with the request.
        """
        request, scene = self._aimed()
        channel = request["channel"]
        shows, pixel_um = self._shows[channel], self._pixel_size_um[channel]
        light = exposure_ms / FULL_EXPOSURE_MS[shows] * scene.get("lamp", 1.0)
        state = culture_state(scene, pixel_um, light)
        frame = RENDERERS[shows](
            self._geometry(scene, pixel_um),
            state,
            self._shape,
            pixel_um,
            _noise_seed(scene, channel),
            bit_depth=BIT_DEPTH,
        )
        if request.get("torn"):
            frame = frame.copy()
            frame[frame.shape[0] // 2 :] = 0
        self._keep_truth(request, scene)
        return Picture(frame, exposure_ms)

    def film(self, exposure_ms: float, frame_rate_hz: float, frames: int) -> list[Picture]:
        """Render a film of the field, twitching at the pulses of the train now running.

        Raises:
            NotNow: no scene came with the request.
        """
        from labrig_analysis.synthetic.film import TwitchKinetics, render_film

        request, scene = self._aimed()
        channel = request["channel"]
        pixel_um = self._pixel_size_um[channel]
        light = exposure_ms / FULL_EXPOSURE_MS["cells"] * scene.get("lamp", 1.0)
        state = culture_state(scene, pixel_um, light)
        film = render_film(
            self._geometry(scene, pixel_um),
            state,
            self._shape,
            pixel_um,
            pulses_s=np.array(scene["pulses_s"], dtype=float) + scene["latency_s"],
            pulse_amplitude_v=scene["amplitude_v"],
            kinetics=TwitchKinetics(scene["time_to_peak_s"], scene["half_relaxation_s"]),
            frame_rate_hz=frame_rate_hz,
            n_frames=frames,
            rng_seed=_noise_seed(scene, channel),
        )
        self._keep_truth(request, scene)
        return [Picture(frame, exposure_ms) for frame in film.frames]

    def _aimed(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        if self._request is None or self._request.get("attachment") is None:
            raise NotNow(
                self._name,
                "the simulated camera was given no scene to look at.",
                "It works only in a simulated night; use `labrig run --simulate`.",
            )
        return self._request, self._request["attachment"]

    def _geometry(self, scene: Mapping[str, Any], pixel_um: float) -> Scene:
        height, width = self._shape
        return scene_geometry(
            scene["seed"], scene["well"], scene["field"], height * pixel_um, width * pixel_um
        )

    def _keep_truth(self, request: Mapping[str, Any], scene: Mapping[str, Any]) -> None:
        with self._truth.open("a", encoding="utf-8") as lines:
            asked = {k: request.get(k) for k in ("well", "field", "round", "channel")}
            lines.write(json.dumps({"asked": asked, "true": scene}, sort_keys=True) + "\n")


def _noise_seed(scene: Mapping[str, Any], channel: str) -> int:
    """The noise of a frame: the same for the same moment of the same field."""
    moment = f"{scene['seed']}/{scene['well']}/{scene['field']}/{scene['now_s']}/{channel}"
    return int.from_bytes(hashlib.sha256(moment.encode()).digest()[:6], "big")

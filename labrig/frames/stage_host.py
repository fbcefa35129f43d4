"""Stages that live in the imaging process: where they are and where they go, as JSON.

::

    {"id": 8, "do": "move_to", "instrument": "stage", "x_um": 500.0, "y_um": -250.0, "now_s": 61.2}
    {"id": 8, "ok": true}

``do`` is one of identify_stage, position, move_to, moving, stop. ``now_s`` is the run's time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labrig_drivers.kinds import Stage


class TimeTold:
    """The run's time as the last request told it: no other clock shows a simulated night's."""

    def __init__(self) -> None:
        self.last_s = 0.0

    def now_s(self) -> float:
        """Seconds from t0."""
        return self.last_s


class StageHost:
    """Answers requests about the stages that it is given.

    Args:
        stages: by the rig's names.
        time_told: moved on by each request.
    """

    def __init__(self, stages: Mapping[str, Stage], time_told: TimeTold) -> None:
        self._stages = stages
        self._time_told = time_told

    def action(self, do: str) -> Callable[[Mapping[str, Any]], dict[str, Any]] | None:
        """How to answer a request of this kind; None where stages know none."""
        asked = {
            "identify_stage": _identify,
            "position": _position,
            "move_to": _move_to,
            "moving": _moving,
            "stop": _stop,
        }.get(do)
        if asked is None:
            return None

        def answer(request: Mapping[str, Any]) -> dict[str, Any]:
            self._time_told.last_s = request["now_s"]
            return asked(self._stages[request["instrument"]], request)

        return answer


def _identify(stage: Stage, request: Mapping[str, Any]) -> dict[str, Any]:
    identity = stage.identify()
    return {
        "vendor": identity.vendor,
        "model": identity.model,
        "firmware": identity.firmware,
        "serial_number": identity.serial_number,
    }


def _position(stage: Stage, request: Mapping[str, Any]) -> dict[str, Any]:
    x_um, y_um = stage.position_um()
    return {"x_um": x_um, "y_um": y_um}


def _move_to(stage: Stage, request: Mapping[str, Any]) -> dict[str, Any]:
    stage.move_to(request["x_um"], request["y_um"])
    return {}


def _moving(stage: Stage, request: Mapping[str, Any]) -> dict[str, Any]:
    return {"moving": stage.moving()}


def _stop(stage: Stage, request: Mapping[str, Any]) -> dict[str, Any]:
    stage.stop()
    return {}


def failure(request: Mapping[str, Any], what: str, remedy: str, error: str = "") -> dict[str, Any]:
    """The reply to a request that was not fulfilled; ``error``: the driver's error, by its name."""
    said = {"id": request.get("id"), "ok": False, "what": what, "remedy": remedy}
    return said | ({"error": error} if error else {})

"""Carries messages: one thread per route, so that a route that hangs keeps no other waiting."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from labrig.watch.causes import Severity
from labrig.watch.routes import Route
from labrig.watch.sending import send
from labrig.watch.texts import Text

OUT_FOR_S = 60.0
"""[P] A service that has not answered by then has failed, whatever becomes of it."""

Send = Callable[[str, str, str, Severity], str]


@dataclass(frozen=True, slots=True)
class Errand:
    """One message to be sent by one route."""

    number: int
    route: Route
    text: Text
    severity: Severity


@dataclass(frozen=True, slots=True)
class Back:
    """What came of an errand.

    Attributes:
        failure: empty: the service has taken it.
        unsure: it may arrive all the same.
    """

    number: int
    route: str
    failure: str
    unsure: bool = False


class Couriers:
    """Sends in the background; whoever asks gets what came of it.

    Args:
        send: sends one message and says why it could not.
    """

    def __init__(self, send: Send = send) -> None:
        self._send = send
        self._back: queue.SimpleQueue[Back] = queue.SimpleQueue()
        self._out: dict[tuple[int, str], float] = {}
        self._lanes: dict[str, queue.SimpleQueue[Errand]] = {}

    def go(self, errand: Errand, now_s: float) -> None:
        """Send it as soon as its route is free."""
        self._out[errand.number, errand.route.name] = now_s
        name = errand.route.name
        if name not in self._lanes:
            lane: queue.SimpleQueue[Errand] = queue.SimpleQueue()
            self._lanes[name] = lane
            threading.Thread(
                target=self._carry, args=(name, lane), name=f"route {name}", daemon=True
            ).start()
        self._lanes[name].put(errand)

    def back(self, now_s: float) -> list[Back]:
        """What has come back since, and what is out for too long."""
        found = []
        while True:
            try:
                came = self._back.get_nowait()
            except queue.Empty:
                break
            # One that was given up may still arrive: that it failed was acted on already.
            if self._out.pop((came.number, came.route), None) is not None:
                found.append(came)
        for (number, route), since_s in list(self._out.items()):
            if now_s - since_s >= OUT_FOR_S:
                del self._out[number, route]
                # A new thread for what comes next: the old one may never return.
                self._lanes.pop(route, None)
                found.append(Back(number, route, f"no answer for {OUT_FOR_S:.0f} s", True))
        return found

    @property
    def busy(self) -> bool:
        """Whether anything is out."""
        return bool(self._out)

    def _carry(self, name: str, lane: queue.SimpleQueue[Errand]) -> None:
        while True:
            errand = lane.get()
            if self._lanes.get(name) is not lane:
                return  # it hung for too long: others carry what waited here
            failure = self._send(
                errand.route.url, errand.text.subject, errand.text.body, errand.severity
            )
            self._back.put(Back(errand.number, name, failure))

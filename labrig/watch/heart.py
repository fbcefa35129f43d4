"""The outgoing sign of life: its absence is the alarm that no dead watch can raise itself.

It beats only while the watch does its work: one whose looks have stopped, or that has a call which
no route takes, falls silent, and whoever listens raises the alarm.
"""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass

from labrig.watch.routes import Heartbeat

_log = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Beat:
    """What it says.

    Attributes:
        host: this computer's name.
        every_s: how often it means to be heard.
        runs: what runs here, in a few words.
        away: nothing runs here and it goes: nobody need wait for the next.
    """

    host: str
    every_s: float
    runs: tuple[str, ...]
    away: bool = False


class Heart:
    """Beats from :meth:`start` to :meth:`stop`.

    Args:
        where: to whom, how often.
        sound: whether the watch does its work; called at every beat.
        runs: what runs here.
    """

    def __init__(
        self,
        where: Heartbeat,
        sound: Callable[[], bool],
        runs: Callable[[], tuple[str, ...]],
    ) -> None:
        self.where = where
        self._sound = sound
        self._runs = runs
        self._over = threading.Event()
        self._failing = False

    def start(self) -> None:
        """Beat at once, and then at the interval."""
        threading.Thread(target=self._run, name="heart", daemon=True).start()

    def stop(self, away: bool) -> None:
        """Beat no more; ``away``: and say that nobody need wait."""
        self._over.set()
        if away:
            self._send(Beat(socket.gethostname(), self.where.every_s, (), away=True))

    def _run(self) -> None:
        while True:
            if self._sound():
                self._send(Beat(socket.gethostname(), self.where.every_s, self._runs()))
            if self._over.wait(self.where.every_s):
                return

    def _send(self, beat: Beat) -> None:
        failure = send_beat(self.where, beat)
        if failure and not self._failing:
            _log.warning("the heartbeat does not arrive: %s", failure)
        self._failing = bool(failure)


def send_beat(where: Heartbeat, beat: Beat) -> str:
    """Send one; why it did not arrive, or empty. The address, a secret, is in no text."""
    headers = {"Content-Type": "application/json", "User-Agent": "labrig-watch"}
    if where.token:
        headers["Authorization"] = f"Bearer {where.token}"
    try:
        request = urllib.request.Request(where.url, json.dumps(asdict(beat)).encode(), headers)
        with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN_S) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        with error:
            return f"the receiver answered {error.code}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        return type(reason).__name__ if isinstance(reason, BaseException) else str(reason)
    return ""

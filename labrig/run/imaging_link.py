"""The runner's end of the imaging process: JSON lines, deadlines, and what hangs is killed.

Cameras, and stages that a vendor's library moves, have their drivers in a child process, because
one that hangs cannot be stopped from within, and must not stop the night.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

START_S = 60.0
"""Allowance for the first request of a process, which loads OpenCV and zarr."""


class ImagingFailed(Exception):
    """The request was not fulfilled.

    Attributes:
        remedy: what a person can do.
        error: which of :mod:`labrig_drivers.errors` the driver raised; empty where no driver spoke.
    """

    def __init__(self, what: str, remedy: str = "", error: str = "") -> None:
        self.what = what
        self.remedy = remedy
        self.error = error
        super().__init__(f"{what} {remedy}".strip())


class Imaging(Protocol):
    """Whoever takes pictures and moves hosted stages on request."""

    def request(self, extra_s: float, **what: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Ask, and wait for the answer. Raises ImagingFailed."""
        ...

    def close(self) -> None:
        """Let cameras and stages go; nothing on the bench changes. Safe to call twice."""
        ...


class ImagingLink:
    """Starts the imaging process when first needed, and again after it hung or died.

    Args:
        command: argument list of the process.
        deadline_s: wall time a request may take beyond exposure and film length.
        log: where its error output goes; None: to ours.
    """

    def __init__(
        self, command: Sequence[str], deadline_s: float = 20.0, log: Path | None = None
    ) -> None:
        self._command = list(command)
        self._deadline_s = deadline_s
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._requests: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._number = 0
        self.restarts = 0

    def request(self, extra_s: float, **what: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Ask, and wait for the answer.

        Args:
            extra_s: time the picture itself takes, added to the deadline.
            what: ``do`` and its arguments.

        Raises:
            ImagingFailed: it said no, said nothing in time, or died; a process that hangs is
                killed, and the next request starts a new one.
        """
        wait_s = self._deadline_s + extra_s
        if self._process is None:
            self._start()
            wait_s += START_S
        self._number += 1
        self._requests.put(json.dumps({"id": self._number, **what}) + "\n")
        reply = self._reply(self._number, time.monotonic() + wait_s, wait_s)
        if not reply.get("ok"):
            said = (reply.get("what", reply), reply.get("remedy", ""), reply.get("error", ""))
            raise ImagingFailed(*map(str, said))
        return reply

    def close(self) -> None:
        """End the process: its input ends, and it with it; killed when it does not."""
        process, self._process = self._process, None
        if process is None:
            return
        self._requests.put(None)
        try:
            process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> None:
        requests: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        replies: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        try:
            # Appending keeps what an earlier imaging process said before it was killed.
            errors = None if self._log is None else open(self._log, "a", encoding="utf-8")
            try:
                process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    encoding="utf-8",
                )
            finally:
                if errors is not None:
                    errors.close()
        except OSError as error:
            raise ImagingFailed(
                f"the imaging process does not start: {error}.",
                f"Check the command {self._command[0]!r}.",
            ) from error
        self._process, self._requests, self._replies = process, requests, replies
        # Both pipes have a thread of their own: a hung process fills one, and writing to it
        # would wait for ever.
        threading.Thread(target=_write, args=(process, requests), daemon=True).start()
        threading.Thread(target=_read, args=(process, replies), daemon=True).start()

    def _reply(self, number: int, until: float, wait_s: float) -> dict[str, Any]:
        while True:
            try:
                line = self._replies.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                self._kill()
                raise ImagingFailed(
                    f"no answer within {wait_s:.0f} s; the imaging process was killed and is "
                    "started again.",
                    "If it happens again, unplug the camera and plug it in.",
                ) from None
            if line is None:
                raise self._died()
            try:
                reply = json.loads(line)
            except json.JSONDecodeError:
                self._kill()
                raise ImagingFailed(f"the imaging process said {line[:200]!r}.") from None
            if isinstance(reply, dict) and reply.get("id") == number:
                return reply

    def _died(self) -> ImagingFailed:
        process = self._process
        code = None if process is None else process.wait()
        self._kill()
        return ImagingFailed(
            f"the imaging process ended by itself (exit status {code}); it is started again.",
            "Its own words are in the run's log.",
        )

    def _kill(self) -> None:
        process, self._process = self._process, None
        self.restarts += 1
        if process is not None:
            process.kill()
            process.wait()
            self._requests.put(None)


def _write(process: subprocess.Popen[str], requests: queue.SimpleQueue[str | None]) -> None:
    assert process.stdin is not None
    try:
        with process.stdin:
            while (line := requests.get()) is not None:
                process.stdin.write(line)
                process.stdin.flush()
    except OSError:
        # The process is gone; the reader of its replies finds that out and says so.
        return


def _read(process: subprocess.Popen[str], replies: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            replies.put(line)
    replies.put(None)

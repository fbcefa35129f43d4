"""The processes of ``labrig serve`` beside the keeper: a local Prefect server and a worker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from labrig.flows.environment import client_settings, server_settings, settle_environment
from labrig.flows.login import login_file, private_folder, settle_login

SERVER_READY_WITHIN_S = 180.0
STOP_WITHIN_S = 15.0
LOOK_EVERY_S = 1.0
RESTART_AFTER_S = (1.0, 5.0, 15.0, 60.0)
"""[P] How long after each death in a row a process is started again; the last one for ever."""
SOUND_AFTER_S = 600.0
"""[P] One that has lived so long begins anew with the shortest wait."""
HOST = "127.0.0.1"


class ServiceFailed(Exception):
    """The Prefect server did not come up; the message quotes its log."""


@dataclass(slots=True)
class _Kept:
    """One process that is started again when it dies."""

    name: str
    command: list[str]
    settings: dict[str, str]
    log: Path
    inherits: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    since_s: float = 0.0
    start_at_s: float = 0.0
    deaths: int = 0

    def start(self, now_s: float) -> None:
        """Raises OSError."""
        self.since_s = now_s
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.settings},
                start_new_session=True,
                pass_fds=self.inherits,
            )

    def death(self, now_s: float) -> str:
        """What to say of a process that has just been found dead; plans its next start."""
        if self.process is None or self.process.poll() is None:
            return ""
        status, self.process = self.process.returncode, None
        if now_s - self.since_s >= SOUND_AFTER_S:
            self.deaths = 0
        wait_s = RESTART_AFTER_S[min(self.deaths, len(RESTART_AFTER_S) - 1)]
        self.deaths += 1
        self.start_at_s = now_s + wait_s
        why = "" if status < 0 else f" The end of {self.log}:\n{self.log_tail()}"  # < 0: killed
        return (
            f"the Prefect {self.name} ended (exit status {status}); it is started again in "
            f"{wait_s:g} s. The night needs no Prefect: its runner is kept all the same.{why}"
        )

    def log_tail(self, lines: int = 8) -> str:
        if not self.log.exists():
            return ""
        text = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(text[-lines:])

    def end(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        # the whole group: both start helpers of their own
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class PrefectServices:
    """A Prefect server on this machine, for this user alone, and the worker of our deployments.

    Args:
        home: where the server keeps its database; login and logs lie there too.
        port: of the server, on 127.0.0.1; 0: any free one.
        worker: arguments of ``labrig.flows.worker``; None: no worker is wanted.
        worker_settings: further environment of the worker.

    Raises:
        ServiceFailed: the port is taken.
        NotPrivate: ``home`` is somebody else's.
        OSError: its login cannot be written.
    """

    def __init__(
        self,
        home: Path,
        port: int,
        worker: list[str] | None = None,
        worker_settings: dict[str, str] | None = None,
    ) -> None:
        self.login_file = login_file(private_folder(home))
        self._login = settle_login(home)
        # Ours from now until the end, whoever serves it: see labrig.flows.server.
        self._socket = _bound(port)
        number = self._socket.fileno()
        settle_environment(home)
        self._server = _Kept(
            "server",
            ["-m", "labrig.flows.server", str(os.getpid()), str(number)],
            server_settings(self.page, self._login),
            home / "server.log",
            (number,),
        )
        self._worker: _Kept | None = None
        if worker is not None:
            self._worker = _Kept(
                "worker",
                ["-m", "labrig.flows.worker", str(os.getpid()), *worker],
                self.client_settings | (worker_settings or {}),
                home / "worker.log",
            )
        self.answered = False
        """Whether the server has answered since it was last started."""
        self._look_at_s = 0.0

    @property
    def page(self) -> str:
        """The server's own origin."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    @property
    def client_settings(self) -> dict[str, str]:
        """What a process needs to use the server; for its environment, never a command line."""
        return client_settings(f"{self.page}/api", self._login)

    def tend(self, now_s: float) -> list[str]:
        """Start what is to run and does not; returns at once.

        Args:
            now_s: monotonic.

        Returns:
            what a person should know.

        Raises:
            OSError: a process cannot be started.
        """
        said = [self._server.death(now_s)]
        if said[0]:
            self.answered = False
        if self._server.process is None and now_s >= self._server.start_at_s:
            self._server.start(now_s)
        elif not self.answered and self._server.process and now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_EVERY_S
            self.answered = self._answers()
            if self.answered:
                said.append(f"Prefect: {self.page}")
        worker = self._worker
        if worker is not None:
            said.append(worker.death(now_s))
            if self.answered and worker.process is None and now_s >= worker.start_at_s:
                worker.start(now_s)
        return [line for line in said if line]

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            ServiceFailed: it does not come up.
        """
        deadline = time.monotonic() + SERVER_READY_WITHIN_S
        while not self.answered and not self._server.deaths and time.monotonic() < deadline:
            self.tend(time.monotonic())
            time.sleep(0.1)
        if not self.answered:
            raise ServiceFailed(
                f"the Prefect server did not come up.\nThe end of {self._server.log}:\n"
                f"{self._server.log_tail()}"
            )

    def stop(self) -> None:
        """Stop the worker, then the server; safe to call twice."""
        if self._worker is not None:
            self._worker.end()
        self._server.end()
        self._socket.close()

    def _answers(self) -> bool:
        health = urllib.request.Request(
            f"{self.page}/api/health", headers={"Authorization": self._login.header}
        )
        try:
            # no proxy of the environment between us and our own machine
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(health, timeout=0.5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise ServiceFailed(
            f"port {port} cannot be had ({error.strerror}): is `labrig serve` running already? "
            "Else name another with --port, or 0 for any."
        ) from error
    return bound

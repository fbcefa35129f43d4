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
from pathlib import Path

from labrig.flows.environment import settle_environment

SERVER_READY_WITHIN_S = 180.0
STOP_WITHIN_S = 15.0


class ServiceFailed(Exception):
    """The Prefect server or the worker did not come up, or died; the message quotes its log."""


def free_port() -> int:
    """A TCP port on the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PrefectServices:
    """A Prefect server on this machine alone, and the worker that serves our deployments.

    Args:
        home: where the server keeps its database; logs go there too.
        port: of the server, on 127.0.0.1.
        worker_spec: JSON file for ``labrig.flows.worker``.
    """

    def __init__(self, home: Path, port: int, worker_spec: Path) -> None:
        self._home = home
        self._port = port
        self._worker_spec = worker_spec
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def api_url(self) -> str:
        """Of the server's API."""
        return f"http://127.0.0.1:{self._port}/api"

    def start(self) -> None:
        """Start both and return when the server answers.

        Raises:
            ServiceFailed: one of them did not come up.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        settings = settle_environment(self._home, self.api_url)
        self._spawn(
            "server",
            ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self._port)],
            settings,
        )
        self._wait_for_server()
        self._spawn("worker", ["-m", "labrig.flows.worker", str(self._worker_spec)], settings)

    def check(self) -> None:
        """See that both live.

        Raises:
            ServiceFailed: one has died.
        """
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise ServiceFailed(
                    f"the Prefect {name} ended (exit status {process.returncode}).\n"
                    f"{self._log_tail(name)}"
                )

    def stop(self) -> None:
        """Stop the worker, then the server; safe to call twice."""
        for name in ("worker", "server"):
            process = self._processes.pop(name, None)
            if process is None or process.poll() is not None:
                continue
            # the whole group: both start helpers of their own
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _spawn(self, name: str, arguments: list[str], settings: dict[str, str]) -> None:
        with (self._home / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **settings},
                start_new_session=True,
            )

    def _wait_for_server(self) -> None:
        deadline = time.monotonic() + SERVER_READY_WITHIN_S
        while time.monotonic() < deadline:
            self.check()
            try:
                with urllib.request.urlopen(f"{self.api_url}/health", timeout=2.0) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise ServiceFailed(
            f"the Prefect server did not answer within {SERVER_READY_WITHIN_S:.0f} s.\n"
            f"{self._log_tail('server')}"
        )

    def _log_tail(self, name: str) -> str:
        path = self._home / f"{name}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        return "\n".join([f"The end of {path}:", *lines])

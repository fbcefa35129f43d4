"""``labrig watch --remote``: on a second computer, listens to heartbeats and misses them.

A computer that has lost its power, its network or its watch can call nobody. What listens here has
routes of its own, and tells by them when a heartbeat stays away.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from labrig.watch import texts
from labrig.watch.causes import Cause
from labrig.watch.couriers import Couriers
from labrig.watch.places import MEMORY, remote_folder
from labrig.watch.routes import Routes, RoutesFile
from labrig.watch.standing_alone import alone
from labrig.watch.store import HeardHost
from labrig.watch.voice import Voice

_log = logging.getLogger(__name__)

SILENT_AFTER_S = 75.0
"""[P] Two beats may be lost on the way; whoever waits for the third is told within two minutes."""
BEATS_MISSED = 2.5
LOOK_EVERY_S = 1.0
STOOD_STILL_S = 15.0
"""[P] A pause by which we ourselves did not listen."""
TOKEN = "token"
ACK = "labrig watch ack --remote"
_MOST_BYTES = 64 * 1024


class Listener:
    """Keeps the hosts that were heard, and tells of those that fall silent.

    Args:
        voice: tells people; its memory holds the hosts.
        routes: reads the routes.
    """

    def __init__(self, voice: Voice, routes: Callable[[], Routes]) -> None:
        self._voice = voice
        self._read = routes
        self._routes = Routes()
        self._lock = threading.Lock()
        self._hosts = {host.name: host for host in voice.memory.hosts}
        # Nobody was listening until now: each has its full time again.
        self._looked_s = self._since_s = voice.clock.now_s()

    def heard(self, beat: dict[str, Any]) -> None:
        """Take in one heartbeat.

        Raises:
            ValueError, KeyError, TypeError: it is none.
        """
        clock = self._voice.clock
        host = HeardHost(
            name=str(beat["host"])[:200],
            last_s=clock.now_s(),
            every_s=min(max(float(beat["every_s"]), 5.0), 3600.0),
            last_utc=clock.utc(),
            runs=tuple(str(run)[:200] for run in beat.get("runs", ()))[:20],
            away=bool(beat.get("away", False)),
        )
        with self._lock:
            self._hosts[host.name] = host

    def tick(self) -> None:
        """Look who is silent, and tell what is to be told."""
        self._routes = self._read()
        now_s = self._voice.clock.now_s()
        if now_s - self._looked_s > STOOD_STILL_S:
            self._since_s = now_s
        self._looked_s = now_s
        with self._lock:
            hosts = tuple(self._hosts.values())
        silent = [host for host in hosts if self._silent(host, now_s)]
        if hosts != self._voice.memory.hosts:
            self._voice.memory = replace(self._voice.memory, hosts=hosts)
        causes = [_cause(host) for host in silent]
        self._voice.hear(causes, [cause.key for cause in causes], self._routes)
        self._voice.tend(self._routes)

    def _silent(self, host: HeardHost, now_s: float) -> bool:
        patience_s = max(SILENT_AFTER_S, BEATS_MISSED * host.every_s)
        return not host.away and now_s - max(host.last_s, self._since_s) >= patience_s


def _cause(host: HeardHost) -> Cause:
    text = texts.no_heartbeat(host)
    return Cause(f"host|silent|{host.name}", "call", host.name, text.subject, text.body)


def listen(address: str, port: int, say: Callable[[str], None]) -> int:
    """Listen until a signal.

    Raises:
        WatchLives: another listens already.
        OSError: the port cannot be had.
    """
    folder = remote_folder()
    token_file = folder / TOKEN
    with alone(folder, "watch.lock"):
        token = _token(token_file)
        listener = Listener(Voice(folder, MEMORY, Couriers(), ack=ACK), RoutesFile().read)
        server = serve_beats(address, port, token, listener.heard)
        stopped = threading.Event()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, lambda *_: stopped.set())
        say(f"listening on {address}:{server.server_port}; the token stands in {token_file}")
        try:
            while True:
                try:
                    listener.tick()
                except Exception:
                    # Whatever it is: who listens must live.
                    _log.exception("a look failed")
                if stopped.wait(LOOK_EVERY_S):
                    return 0
        finally:
            server.shutdown()
            server.server_close()


def serve_beats(
    address: str, port: int, token: str, heard: Callable[[dict[str, Any]], None]
) -> ThreadingHTTPServer:
    """Take heartbeats in the background, from whoever knows the token. Raises OSError."""
    server = _Server((address, port), _Handler)
    server.token, server.heard = token, heard
    threading.Thread(target=server.serve_forever, args=(0.2,), name="beats", daemon=True).start()
    return server


def _token(path: Path) -> str:
    """The one that was made here, or a new one, readable by this user only."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    token = secrets.token_urlsafe(24)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(f"{token}\n")
    return token


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    token: str
    heard: Callable[[dict[str, Any]], None]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10.0

    def do_POST(self) -> None:
        given = self.headers.get("Authorization", "").encode()
        if not secrets.compare_digest(given, f"Bearer {self.server.token}".encode()):
            self._reply(401)
            return
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MOST_BYTES:
            self._reply(413)
            return
        try:
            self.server.heard(json.loads(self.rfile.read(int(length))))
        except (ValueError, KeyError, TypeError, RecursionError):
            self._reply(400)
            return
        self._reply(200)

    def _reply(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a line every half minute tells nobody anything."""

"""The runner's door: HTTP on this machine's loopback, with a token from ``control.json``.

``GET /status`` shows the runner; ``POST /NAME`` takes one of the commands
(`labrig.run.orders.CommandName`) as a JSON object with a ``command_id``. It works with Prefect, the
web page and the network gone.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from labrig.durable import write_json
from labrig.record.clock import boot_id
from labrig.record.writable import clean, json_text
from labrig.run.commands import BadCommand, BetweenRunners, IdTaken
from labrig.run.register import Door

HOST = "127.0.0.1"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_MOST_BYTES = 64 * 1024

Status = Callable[[], dict[str, Any]]
Take = Callable[[str, str, Mapping[str, Any]], dict[str, Any]]


class ControlServer:
    """Serves from :meth:`open` to :meth:`close`.

    Args:
        status: makes the answer to ``GET /status``.
        take: carries out ``(name, command_id, args)``.
        path: where ``control.json`` goes, readable by this user only.
    """

    def __init__(self, status: Status, take: Take, path: Path) -> None:
        self._status = status
        self._take = take
        self._path = path
        self._server: _Server | None = None

    def open(self) -> Door:
        """Listen on a free port, write ``control.json``, and say where."""
        token = secrets.token_urlsafe(32)
        server = _Server((HOST, 0), _Handler)
        server.status, server.take, server.token = self._status, self._take, token
        self._server = server
        # The interval is how long close() may take.
        threading.Thread(
            target=server.serve_forever, args=(0.1,), name="control", daemon=True
        ).start()
        door = Door(HOST, server.server_port, token)
        content = {"pid": os.getpid(), "boot_id": boot_id(), **asdict(door)}
        try:
            write_json(self._path, content, 0o600)
        except OSError:
            # On a full disk there may be room where the one before it stands.
            with open(os.open(self._path, os.O_WRONLY), "w") as file:
                json.dump(content, file)
                file.truncate()
        return door

    def close(self) -> None:
        """Stop listening and remove ``control.json``."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            self._path.unlink(missing_ok=True)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    status: Status
    take: Take
    token: str


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10.0
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self._allowed():
            if self.path == "/status":
                self._reply(200, self.server.status())
            else:
                self._reply(404, {"error": "there is GET /status"})

    def do_POST(self) -> None:
        if not self._allowed():
            return
        try:
            args = self._body()
            command_id = args.pop("command_id", None)
            self._reply(
                200,
                self.server.take(
                    self.path.lstrip("/"), "" if command_id is None else str(command_id), args
                ),
            )
        except IdTaken as error:
            self._reply(409, {"error": str(error)})
        except BetweenRunners as error:
            self._reply(503, {"error": str(error)})
        except BadCommand as error:
            self._reply(400, {"error": str(error)})

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MOST_BYTES:
            raise BadCommand(f"a body of {length} bytes; at most {_MOST_BYTES} are read")
        try:
            args = clean(json.loads(self.rfile.read(int(length)) or b"{}", parse_constant=_refuse))
        except (ValueError, RecursionError) as error:
            raise BadCommand(f"the body is not JSON that can be kept: {error}") from None
        if not isinstance(args, dict):
            raise BadCommand("the body must be a JSON object")
        return args

    def _allowed(self) -> bool:
        """Only this machine, by name too (a page elsewhere may point a name at us), with token."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        origin = self.headers.get("Origin")
        origin_host = None if origin is None else urlsplit(origin).hostname
        if host not in _LOOPBACK or (origin is not None and origin_host not in _LOOPBACK):
            self._refuse(403, "only this machine may ask")
            return False
        given = self.headers.get("Authorization", "").encode()
        if not secrets.compare_digest(given, f"Bearer {self.server.token}".encode()):
            self._refuse(401, "the token of control.json is missing or wrong")
            return False
        return True

    def _refuse(self, status: int, why: str) -> None:
        # The body was not read, so the connection cannot be used again.
        self.close_connection = True
        self._reply(status, {"error": why})

    def _reply(self, status: int, content: Mapping[str, Any]) -> None:
        body = json_text(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401 - its signature
        """Requests are in the journal as commands; nothing goes to the terminal."""

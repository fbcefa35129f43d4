"""Stand-ins for the services that take messages: a mail server and a webhook on this computer."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a sender of mails needs."""

    def handle(self):
        self._say("220 sink")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "DATA":
                self._say("354 go on")
                self._take()
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 well")

    def _take(self):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        body = mail.get_body(("plain", "html")).get_content()
        self.server.took(str(mail["subject"]), body)

    def _say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


class _Web(BaseHTTPRequestHandler):
    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.took(self.path, json.loads(raw))
        self.send_response(self.server.answers)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


class Sink:
    """A service on loopback that keeps what it gets, with the time of it.

    Attributes:
        messages: (monotonic seconds, subject or path, body) in the order in which they came.
    """

    def __init__(self, server):
        self.messages = []
        self._server = server
        server.took = self._took
        server.answers = 200
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def _took(self, subject, body):
        self.messages.append((time.monotonic(), subject, body))

    def answer(self, status):
        """From now on answer so."""
        self._server.answers = status

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def mail_sink():
    """A mail server."""
    return Sink(_Tcp(("127.0.0.1", 0), _Smtp))


def web_sink():
    """A webhook."""
    return Sink(ThreadingHTTPServer(("127.0.0.1", 0), _Web))

"""The Prefect server behind its guard: ``python -m labrig.flows.server PARENT SOCKET``.

SOCKET is the number of an inherited socket, bound to the loopback interface by whoever starts
this process: no other program can take the port, and be sent the login, while it restarts.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import cast

import uvicorn
from prefect.server.api.server import create_app

from labrig.flows.guard import App, Guard
from labrig.flows.login import Login
from labrig.flows.orphaned import end_with

LOGIN_VARIABLE = "PREFECT_SERVER_API_AUTH_STRING"
END_WITHIN_S = 5


def main(arguments: list[str]) -> int:
    """Serve until terminated."""
    os.umask(0o077)  # its database tells what is run when, and by whom
    end_with(int(arguments[0]))
    bound = socket.socket(fileno=int(arguments[1]))
    user, _, password = os.environ[LOGIN_VARIABLE].partition(":")
    # final: as `prefect server start` makes it
    app = cast(App, create_app(final=True))
    guard = Guard(app, bound.getsockname()[1], Login(user, password))
    config = uvicorn.Config(
        guard,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=END_WITHIN_S,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[bound])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

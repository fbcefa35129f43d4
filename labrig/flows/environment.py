"""The environment that Prefect is to find: nothing leaves this machine, nobody else gets in.

Must be in force before prefect is imported anywhere in the process.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from labrig.flows.login import Login

QUIET = {
    # the server and its page call home otherwise
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}
CLOSED = {
    # no port but the server's
    "PREFECT_RUNNER_SERVER_ENABLE": "false",
    "PREFECT_CLIENT_METRICS_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
}


def settle_environment(home: Path) -> None:
    """Put what holds for any use of Prefect into this process's environment.

    What a user has set of :data:`QUIET` stays.

    Args:
        home: where Prefect keeps its database, profiles and logs.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.update(CLOSED)
    os.environ["PREFECT_HOME"] = str(home.absolute())
    for name in ("PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_PROFILE"):
        os.environ.pop(name, None)


def client_settings(api_url: str, login: Login) -> dict[str, str]:
    """What worker and flow need to reach the server, and nobody else may read."""
    return {
        "PREFECT_API_URL": api_url,
        "PREFECT_API_AUTH_STRING": login.text,
        # Prefect signs its websockets in by a message; our guard wants it of the handshake
        "PREFECT_CLIENT_CUSTOM_HEADERS": json.dumps({"Authorization": login.header}),
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "true",
    }


def server_settings(page: str, login: Login) -> dict[str, str]:
    """What the server needs.

    Args:
        page: its own origin, e.g. ``http://127.0.0.1:4200``: the only one that may ask.
        login: whom it lets in.
    """
    return {
        "PREFECT_SERVER_API_AUTH_STRING": login.text,
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": page,
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_UI_API_URL": f"{page}/api",
    }

"""The environment that Prefect is to find: nothing leaves this machine, and enough patience.

Must be in force before prefect is imported anywhere in the process.
"""

from __future__ import annotations

import os
from pathlib import Path

QUIET = {
    # the server and its page call home otherwise
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # a loaded machine needs longer than the 20 s Prefect allows its temporary server (17 s measured
    # on two quiet cores)
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}


def settle_environment(home: Path, api_url: str | None) -> dict[str, str]:
    """Put Prefect's settings into this process's environment; what a user has set stays.

    Args:
        home: where Prefect keeps its database, profiles and logs.
        api_url: the server to use; None lets Prefect start a temporary one.

    Returns:
        the settings, to hand to child processes.

    Raises:
        OSError: ``home`` cannot be made.
    """
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    settings = {**QUIET, "PREFECT_HOME": str(home)}
    if api_url is None:
        settings["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "true"
        os.environ.pop("PREFECT_API_URL", None)
    else:
        settings["PREFECT_API_URL"] = api_url
        os.environ["PREFECT_API_URL"] = api_url
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    os.environ["PREFECT_HOME"] = str(home)
    return settings

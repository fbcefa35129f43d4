"""The ``labrig`` command. A stop goes first and alone: it waits for no other command's imports."""

from __future__ import annotations

import sys
from typing import Any


def main() -> None:
    """Entry point of the ``labrig`` script."""
    if sys.argv[1:2] == ["stop"]:
        from labrig.commands.stop import options_of, stop_from_command_line

        options = options_of(sys.argv[2:])
        if options is not None:
            sys.exit(stop_from_command_line(options))
    from labrig.commands import errors
    from labrig.commands.mounted import app

    try:
        app()
    except Exception as error:
        sys.exit(errors.explain(error))


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    """``app``, with all commands, for whoever imports it."""
    if name == "app":
        from labrig.commands.mounted import app

        return app
    raise AttributeError(name)

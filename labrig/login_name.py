"""Who sits at this computer, as its operating system calls them."""

from __future__ import annotations

import os


def login_name() -> str:
    """The name of this process's user; as good as there is where the system knows none."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        if os.environ.get(name):
            return os.environ[name]
    try:
        import pwd
    except ImportError:
        return "unknown"
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())

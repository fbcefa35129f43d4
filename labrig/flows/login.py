"""Who may use the Prefect server of a rig: whoever can read one file, its owner alone."""

from __future__ import annotations

import base64
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from labrig.durable import write_text_whole

USER = "labrig"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class NotPrivate(Exception):
    """A folder that must be ours alone is somebody else's; the message names it."""


@dataclass(frozen=True, slots=True)
class Login:
    """One user's name and password, for server, worker, flow and browser alike."""

    user: str
    password: str

    @property
    def text(self) -> str:
        """As Prefect's settings and its page want it."""
        return f"{self.user}:{self.password}"

    @property
    def header(self) -> str:
        """The value of ``Authorization`` (RFC 7617)."""
        return "Basic " + base64.b64encode(self.text.encode()).decode()


def login_file(home: Path) -> Path:
    """Where the login lies, below Prefect's home."""
    return home / "login"


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter, or close one that others could.

    Raises:
        NotPrivate: it is a link, or belongs to another user.
        OSError: it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "getuid") and found.st_uid != os.getuid()):
        raise NotPrivate(
            f"{path} is a link or belongs to another user: whoever owns it could start nights. "
            "Remove it, or choose another folder with --runs."
        )
    path.chmod(0o700)
    return path


def settle_login(home: Path) -> Login:
    """The login of this home: the one that lies there, else a new random one.

    One that others could have read is replaced.

    Args:
        home: a folder of :func:`private_folder`.

    Raises:
        OSError: the file cannot be read or written.
    """
    path = login_file(home)
    if path.is_file() and not path.is_symlink() and not path.stat().st_mode & _OTHERS:
        user, _, password = path.read_text(encoding="ascii").strip().partition(":")
        if user == USER and password:
            return Login(user, password)
    login = Login(USER, secrets.token_urlsafe(32))
    write_text_whole(path, login.text + "\n", 0o600)
    return login

"""Who may use the page from another computer: names, roles and passwords, in one private file."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from labrig.durable import read_json, write_json

Role = Literal["viewer", "technician", "scientist"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may do what those before it may."""
MAY: Mapping[Role, str] = {
    "viewer": "sees everything, changes nothing",
    "technician": "also stops, holds, goes on, answers, notes, and starts what is committed",
    "scientist": "also overrides findings, commits, configures, and looks after people",
}
LEAST_PASSWORD = 8
_COST = {"n": 2**14, "r": 8, "p": 1}
"""Of scrypt (RFC 7914): 16 MB and some 50 ms for each guess."""


class BadPerson(ValueError):
    """A name, role or password that cannot be kept; the message says which would."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person.

    Attributes:
        password: salt and scrypt of it, both base64, with a colon between them.
    """

    name: str
    role: Role
    password: str


class People:
    """The people of one state folder; read anew at every look, as another process may change it."""

    def __init__(self, state: Path) -> None:
        self.path = state / "people.json"

    def all(self) -> dict[str, Account]:
        """By name. Raises DamagedFile, OSError."""
        if not self.path.exists():
            return {}
        kept = read_json(self.path).get("people", {})
        return {
            name: Account(name, entry["role"], entry["password"])
            for name, entry in sorted(kept.items())
            if entry.get("role") in ROLES
        }

    def keep(self, name: str, role: str, password: str = "") -> None:
        """Add a person, or change their role and, where one is given, their password.

        Raises:
            BadPerson: the name is empty or too long, there is no such role, or the password is
                too short or missing.
            DamagedFile, OSError: the file cannot be read or written.
        """
        name = " ".join(name.split())
        if not 0 < len(name) <= 60 or not name.isprintable():
            raise BadPerson("a name has 1 to 60 letters: write it as it is to stand in the journal")
        if role not in ROLES:
            raise BadPerson(f"{role!r} is no role; there are {', '.join(ROLES)}")
        everybody = self.all()
        known = everybody.get(name)
        if password and len(password) < LEAST_PASSWORD:
            raise BadPerson(f"a password has at least {LEAST_PASSWORD} characters")
        if not password and known is None:
            raise BadPerson(f"{name} needs a password to begin with")
        kept = hashed(password) if password or known is None else known.password
        self._write(everybody | {name: Account(name, role, kept)})

    def remove(self, name: str) -> None:
        """Take somebody out; their sessions end with it. Raises DamagedFile, OSError."""
        everybody = self.all()
        everybody.pop(name, None)
        self._write(everybody)

    def with_password(self, name: str, password: str) -> Account | None:
        """The person of that name, if the password is theirs. Raises DamagedFile, OSError."""
        account = self.all().get(name)
        # As long for a name that nobody has: a guess must not learn who there is.
        kept = account.password if account is not None else _NOBODY
        return account if _is(password, kept) else None

    def _write(self, everybody: Mapping[str, Account]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        people = {a.name: {"role": a.role, "password": a.password} for a in everybody.values()}
        write_json(self.path, {"people": people}, 0o600)


def hashed(password: str) -> str:
    """What is kept of a password."""
    salt = os.urandom(16)
    return f"{_text(salt)}:{_text(_scrypt(password, salt))}"


def _is(password: str, kept: str) -> bool:
    salt, _, digest = kept.partition(":")
    found = _scrypt(password, base64.b64decode(salt))
    return hmac.compare_digest(_text(found), digest)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, maxmem=64 * 2**20, **_COST)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


_NOBODY = f"{_text(bytes(16))}:{_text(bytes(64))}"

"""The key of a blinded protocol: which code stands for which arm and which solution.

It is drawn when the protocol is committed, lies beside it readable by its owner alone, and its
SHA-256 stands in the commitment: so it can be shown afterwards that it was not chosen to fit, and
before that nobody can guess it, because 32 random bytes are part of what is hashed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from labrig.durable import write_text_whole
from labrig.protocol.blinding import is_coded
from labrig.protocol.models import Protocol
from labrig.protocol.people import same_person

FORMAT = 1
KEY_NAME = "blinding-key.json"
SEEN_NAME = "blinding-seen.jsonl"


class KeyDamaged(Exception):
    """The key is not there or not as it was written; the message ends with what to do."""


@dataclass(frozen=True, slots=True)
class BlindingKey:
    """Codes by name.

    Attributes:
        salt: 64 hex digits, from the operating system's random source.
        arms: e.g. ``{"nerve-sham": "code-2"}``.
        solutions: media and stocks, e.g. ``{"nerve-cocktail": "syringe-1"}``.
    """

    protocol: str
    salt: str
    arms: Mapping[str, str]
    solutions: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """What the commitment seals."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def draw_key(protocol: Protocol, salt: str | None = None) -> BlindingKey:
    """Shuffle codes over arms and solutions.

    Args:
        protocol: whose arms are coded.
        salt: None draws one; the same salt gives the same codes.
    """
    salt = salt or secrets.token_hex(32)
    return BlindingKey(
        protocol.name,
        salt,
        _codes("code", protocol.arms, salt),
        _codes("syringe", [*protocol.media, *protocol.stocks], salt),
    )


def key_path(protocol_path: Path) -> Path:
    """``night.yaml`` -> ``night.blinding-key.json`` in the same folder."""
    return protocol_path.with_suffix(f".{KEY_NAME}")


def seen_path(key: Path) -> Path:
    """Where it is written down who has seen this key."""
    return key.with_name(key.name.replace(KEY_NAME, SEEN_NAME))


def write_key(path: Path, key: BlindingKey) -> None:
    """Readable by its owner alone.

    Raises:
        OSError: the disk refuses.
    """
    write_text_whole(path, json.dumps({"format": FORMAT, **asdict(key)}, indent=1) + "\n")
    path.chmod(0o600)


def key_in_force(protocol: Protocol, path: Path) -> BlindingKey | None:
    """The key of a blinded protocol that is committed; None: names may be shown.

    Args:
        protocol: as it was read.
        path: of its file.

    Raises:
        KeyDamaged: there is one that cannot be read.
    """
    return read_key(key_path(path)) if is_coded(protocol) and key_path(path).exists() else None


def read_key(path: Path, sha256: str = "") -> BlindingKey:
    """The key as it was sealed.

    Args:
        path: of its file.
        sha256: as it was sealed; "" asks for no more than that it can be read.

    Raises:
        KeyDamaged: it is not there, cannot be read, or is another.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("format") != FORMAT:
            raise ValueError("it is of another format")
        key = BlindingKey(**raw)
        found = key.sha256
    except FileNotFoundError:
        raise KeyDamaged(
            f"{path} is not there: without it nobody can say which code is which arm. Put it back "
            "from a copy"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyDamaged(f"{path} cannot be read ({error}). Put it back from a copy") from None
    if sha256 and found != sha256:
        raise KeyDamaged(
            f"{path} is not the key that was sealed: its SHA-256 is {found[:12]}…, sealed was "
            f"{sha256[:12]}…. Put it back from a copy"
        )
    return key


def note_seen(key: Path, who: str, why: str, now: datetime | None = None) -> None:
    """Write down that somebody has seen which code is which.

    Raises:
        OSError: the disk refuses.
    """
    at = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
    with seen_path(key).open("a", encoding="utf-8", newline="") as stream:
        stream.write(json.dumps({"utc": at, "who": who, "why": why}, ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def who_has_seen(key: Path) -> tuple[tuple[str, str], ...]:
    """Name and reason of everybody who was shown the key; empty when nobody was."""
    path = seen_path(key)
    if not path.exists():
        return ()
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            said = json.loads(line)
            found.append((str(said["who"]), str(said["why"])))
        except (ValueError, KeyError, TypeError):
            found.append(("somebody", f"{path.name} holds a line that is none: {line[:60]}"))
    return tuple(found)


def how_it_is_known(person: str, known: Iterable[tuple[str, str]]) -> str:
    """How this person came to know the arms; "" if, by these names, not at all."""
    return next((why for who, why in known if same_person(person, who)), "")


def _codes(word: str, names: Iterable[str], salt: str) -> dict[str, str]:
    """Codes in an order that follows from the salt alone, so that it can be recomputed."""
    shuffled = sorted(
        dict.fromkeys(names),
        key=lambda name: hmac.digest(bytes.fromhex(salt), f"{word}/{name}".encode(), "sha256"),
    )
    return {name: f"{word}-{number}" for number, name in enumerate(shuffled, 1)}

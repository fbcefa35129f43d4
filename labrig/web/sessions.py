"""Who is logged in: a signed cookie, so that a page that was killed and comes back knows them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

from labrig.durable import write_text_whole
from labrig.web.people import Account, People

COOKIE = "labrig_session"
LASTS_S = 24 * 3600
"""[P] A night and the morning after it."""
TRIES, WITHIN_S = 5, 60.0
"""Wrong passwords from one address before it has to wait."""


class Sessions:
    """Signs and reads cookies.

    Args:
        people: by whom a cookie must still be known.
        secret: signs them; a new one ends every session.
        now_s: the time of day, s.
    """

    def __init__(
        self, people: People, secret: bytes, now_s: Callable[[], float] = time.time
    ) -> None:
        self._people = people
        self._secret = secret
        self._now_s = now_s

    def begin(self, account: Account) -> str:
        """The value of a cookie for somebody whose password was right."""
        until = f"{self._now_s() + LASTS_S:.0f}"
        return f"{quote(account.name, safe='')}.{until}.{self._signature(account, until)}"

    def account(self, cookie: str) -> Account | None:
        """Whose it is; None: nobody's, or it is over, or their password or role was changed."""
        parts = cookie.split(".")
        if len(parts) < 3 or not parts[-2].isdigit() or float(parts[-2]) < self._now_s():
            return None
        name, until, signature = ".".join(parts[:-2]), parts[-2], parts[-1]
        account = self._people.all().get(unquote(name))
        if account is None or not hmac.compare_digest(signature, self._signature(account, until)):
            return None
        return account

    def _signature(self, account: Account, until: str) -> str:
        said = "\n".join((account.name, account.role, account.password, until))
        return hmac.new(self._secret, said.encode(), hashlib.sha256).hexdigest()


class Guesses:
    """Counts wrong passwords by address."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._wrong: defaultdict[str, deque[float]] = defaultdict(deque)

    def wait_s(self, address: str) -> float:
        """How long this address has to wait before its next try; 0: it need not."""
        wrong, now_s = self._wrong[address], self._now_s()
        while wrong and now_s - wrong[0] >= WITHIN_S:
            wrong.popleft()
        if not wrong:
            del self._wrong[address]
        return WITHIN_S - (now_s - wrong[0]) if len(wrong) >= TRIES else 0.0

    def wrong(self, address: str) -> None:
        """It was wrong."""
        self._wrong[address].append(self._now_s())

    def right(self, address: str) -> None:
        """It was right: the last try does not count."""
        self._wrong[address].pop()


def settle_secret(state: Path) -> bytes:
    """The page's secret: the one that lies in the state folder, else a new one.

    Raises:
        OSError: it cannot be read or written.
    """
    path = state / "page-secret"
    if path.is_file() and not path.is_symlink() and not path.stat().st_mode & 0o077:
        kept = path.read_text(encoding="ascii").strip()
        if len(kept) >= 32:
            return kept.encode("ascii")
    made = secrets.token_hex(32)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_text_whole(path, made + "\n", 0o600)
    return made.encode("ascii")

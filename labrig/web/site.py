"""What one page serves, and to whom: settled when its process starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from fastapi.requests import HTTPConnection


@dataclass(frozen=True, slots=True)
class Site:
    """One page.

    Attributes:
        runs: folder of runs that have ended; those that live are found by the register.
        lab: folder with the lab's protocols and, in ``rigs``, its benches.
        state: the user's state folder: who may log in, and the page's secret.
        zone: in which times are told.
        host: address it listens on.
        port: it listens on; 0 where nobody does (tests).
        names: by which other computers may call this one; empty: it is for this one alone.
        secure: whether it speaks TLS.
    """

    runs: Path
    lab: Path
    state: Path
    zone: ZoneInfo
    host: str = "127.0.0.1"
    port: int = 0
    names: tuple[str, ...] = ()
    secure: bool = False

    @property
    def lan(self) -> bool:
        """Whether other computers may ask."""
        return bool(self.names)

    @property
    def address(self) -> str:
        """Where a browser on this computer finds it."""
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}"


def site_of(connection: HTTPConnection) -> Site:
    """The page that a request is for."""
    site: Site = connection.app.state.site
    return site

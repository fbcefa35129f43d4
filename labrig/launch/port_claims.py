"""One run at a time on a bench: a run claims its ports from every other labrig on this machine.

Serial ports are opened exclusively anyway; a port server on the network and a camera let two
programs in, and two runs in different folders know nothing of each other.

Each user writes claims into a folder of their own and looks into everybody's: nobody has to trust
a folder that another has made, and no file of another is ever opened for writing.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from labrig.locks import try_lock
from labrig.rig.bench import SIMULATED, BenchSpec
from labrig.run.register import state_folder
from labrig_drivers.errors import PortBusy

_log = logging.getLogger(__name__)

SHARED = Path("/tmp") if os.name != "nt" else None
"""The same for everybody on this machine, whatever TMPDIR says; where there is such a place."""
_PREFIX = "labrig-ports-"
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextmanager
def claimed_ports(bench: BenchSpec, run: Path, claims: Path | None = None) -> Iterator[None]:
    """Hold every real port of a bench; the operating system lets go when the process dies.

    Args:
        bench: its ports; simulated ones belong to nobody.
        run: the run folder, named to whoever comes second.
        claims: only this folder of claims; None: this user's, and everybody's to look into.

    Raises:
        PortBusy: another run has one of them, or somebody tampered with its claim.
        OSError: no claim can be written anywhere.
    """
    own = [_made(claims)] if claims is not None else _own_folders()
    others = [] if claims is not None else _folders_of_others()
    with ExitStack() as held:
        for port in bench.ports:
            if port.address == SIMULATED:
                continue
            name = hashlib.sha256(one_address(port.address).encode()).hexdigest()[:24]
            for folder in others:
                _see_that_free(folder / name, port.name, port.address)
            for folder in own:
                file = held.enter_context(_open_own(folder / name, port.name))
                if not try_lock(file):
                    raise _busy(port.name, port.address, file)
                _sign(file, run)
        yield


def one_address(address: str, platform: str = sys.platform) -> str:
    """The same text for all ways to write one port: links, names of this machine, case of COM."""
    if "://" in address:
        parts = urlsplit(address)
        try:
            where = f"{_one_host(parts.hostname or '')}:{parts.port}"
        except ValueError:
            where = parts.netloc.lower()
        # What follows a '?' is how it is spoken to, not who is spoken to.
        return f"{parts.scheme.lower()}://{where}{parts.path.rstrip('/')}"
    if com := re.fullmatch(r"(?:\\\\\.\\)?(com\d+)", address, re.IGNORECASE):
        return com[1].upper()
    if address.isdigit() and platform == "linux":
        # OpenCV counts cameras as the kernel does.
        address = f"/dev/video{address}"
    return os.path.realpath(address) if os.path.exists(address) else address


def _one_host(host: str) -> str:
    host = host.lower().rstrip(".")
    if host in ("localhost", "ip6-localhost", "localhost.localdomain"):
        return "localhost"
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return host
    number = getattr(number, "ipv4_mapped", None) or number
    return "localhost" if number.is_loopback else str(number)


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and not _is_of(folder, os.getuid()):
        raise PermissionError(
            f"{folder} was made by somebody else, or others may write in it: claims of ports in it "
            "cannot be trusted. Have it removed."
        )
    return folder


def _own_folders() -> list[Path]:
    """Where this user's claims go: first a place that nobody else can have made."""
    folders = [_made(_home() / "ports")]
    if SHARED is not None and hasattr(os, "getuid"):
        public = SHARED / f"{_PREFIX}{os.getuid()}"
        try:
            public.mkdir(mode=0o755, exist_ok=True)
        except OSError as error:
            _log.warning("other users do not see which ports are in use: %s", error)
            return folders
        if _is_of(public, os.getuid()):
            folders.append(public)
        else:
            _log.warning(
                "%s was made by somebody else and is not used: other users do not see which ports "
                "are in use. Have it removed.", public,
            )  # fmt: skip
    return folders


def _home() -> Path:
    """This user's state folder, not by HOME or XDG_STATE_HOME, which differ between shells."""
    if os.environ.get("LABRIG_STATE") or not hasattr(os, "getuid"):
        return state_folder()
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir) / ".local/state/labrig"
    except KeyError:
        return state_folder()


def _folders_of_others() -> list[Path]:
    """Folders of claims of other users, each made by the user whose number it bears."""
    if SHARED is None or not hasattr(os, "getuid"):
        return []
    found = []
    for folder in sorted(SHARED.glob(f"{_PREFIX}*")):
        number = folder.name.removeprefix(_PREFIX)
        if number.isdigit() and int(number) != os.getuid() and _is_of(folder, int(number)):
            found.append(folder)
    return found


def _is_of(folder: Path, user: int) -> bool:
    """Whether it is a real folder of this user, in which nobody else may write."""
    try:
        what = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(what.st_mode) and what.st_uid == user and not what.st_mode & 0o022


def _open_own(path: Path, port: str) -> IO[str]:
    """A claim of ours, to be locked and written.

    Raises:
        PortBusy: it is no plain file of its own; through a link we would write over another.
        OSError: it cannot be opened.
    """
    tampered = PortBusy(
        port, f"its claim {path} is no plain file, and was not touched.", "Remove it."
    )
    if path.is_symlink():
        raise tampered
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NOFOLLOW, 0o644)
    what = os.fstat(descriptor)
    if not stat.S_ISREG(what.st_mode) or what.st_nlink > 1:
        os.close(descriptor)
        raise tampered
    return open(descriptor, "r+", encoding="utf-8", errors="replace")


def _sign(file: IO[str], run: Path) -> None:
    """Say whose it is. On a full disk nobody reads that; the lock holds all the same."""
    text = str(run.absolute()).encode("utf-8", "replace")
    try:
        os.ftruncate(file.fileno(), 0)
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        os.write(file.fileno(), text)
    except OSError as error:
        _log.warning("the claim of a port does not say which run has it: %s", error)


def _see_that_free(path: Path, port: str, address: str) -> None:
    """Look at another user's claim; never write. Raises PortBusy."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _NOFOLLOW)
    except OSError:
        return
    with open(descriptor, encoding="utf-8", errors="replace") as file:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and not try_lock(file):
            raise _busy(port, address, file)


def _busy(port: str, address: str, file: IO[str]) -> PortBusy:
    file.seek(0)
    return PortBusy(
        port,
        f"{address} is in use by the run {file.read(4096).strip() or '(unknown)'}.",
        "One run at a time on a bench: look at it with `labrig status`, end it with `labrig stop`.",
    )

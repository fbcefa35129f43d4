"""The process behind the technician's page: one per folder of runs."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from labrig.commands.page_beside import page_entry
from labrig.locks import try_lock_patiently
from labrig.run.register import state_folder
from labrig.web.site import Site


class PageRefused(Exception):
    """The page cannot be served like this; the message says what would help."""


def site_for(
    runs: Path, lab: Path, port: int, *, lan: bool, names: tuple[str, ...], secure: bool
) -> Site:
    """The site that a command line asks for.

    Raises:
        PageRefused: nobody could log in from another computer.
    """
    from tzlocal import get_localzone

    from labrig.web.people import People

    state = state_folder()
    if lan and not People(state).all():
        raise PageRefused(
            "nobody could log in from another computer: start `labrig page` without --lan first, "
            "and add people under Set-up"
        )
    return Site(
        runs=runs.absolute(),
        lab=lab.absolute(),
        state=state,
        zone=get_localzone(),
        host="0.0.0.0" if lan else "127.0.0.1",
        port=port,
        names=tuple(dict.fromkeys((*names, *_own_names()))) if lan else (),
        secure=secure,
    )


def serve_page(
    site: Site,
    tls_cert: Path | None,
    tls_key: Path | None,
    say: Callable[[str], None],
    idle_s: float,
) -> None:
    """Serve until it is ended, or no run has lived and no tab been open for ``idle_s``.

    Raises:
        PageRefused: this folder of runs has a page already, or the port is taken.
    """
    import uvicorn

    from labrig.watch.standing_alone import kept_while_runs_live
    from labrig.web.app import create_app
    from labrig.web.idleness import ended_when_idle
    from labrig.web.live_runs import registered_runs

    with _only_one(site.runs) as tell, _listening(site) as listener:
        here = replace(site, port=listener.getsockname()[1])
        app = create_app(here)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            # Whoever sends it could claim any address, and so to sit at this computer.
            proxy_headers=False,
            server_header=False,
            ws="websockets-sansio",
            timeout_graceful_shutdown=2,
            ssl_certfile=None if tls_cert is None else str(tls_cert),
            ssl_keyfile=None if tls_key is None else str(tls_key),
        )
        tell(here.address)
        say(f"page: {here.address}   (process {os.getpid()}; ending it changes nothing)")
        for name in here.names:
            say(f"      {'https' if here.secure else 'http'}://{name}:{here.port}")
        if here.lan and not here.secure:
            say(
                "      Without TLS anybody on this network can read passwords: give --tls-cert "
                "and --tls-key."
            )
        server = uvicorn.Server(config)

        def is_needed() -> bool:
            return bool(app.state.hub.has_tabs or registered_runs())

        def end() -> None:
            server.should_exit = True

        with kept_while_runs_live(say), ended_when_idle(idle_s, is_needed, end):
            server.run([listener])


@contextmanager
def _only_one(runs: Path) -> Iterator[Callable[[str], None]]:
    """Be the page of this folder of runs; what is given tells its address to others."""
    path = page_entry(runs)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        if not try_lock_patiently(file):
            file.seek(0)
            raise PageRefused(f"{runs} has a page already: {file.read().strip() or 'just begun'}")

        def tell(address: str) -> None:
            file.seek(0)
            file.truncate()
            json.dump({"address": address, "pid": os.getpid(), "runs": str(runs)}, file)
            file.flush()

        yield tell


@contextmanager
def _listening(site: Site) -> Iterator[socket.socket]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((site.host, site.port))
        except OSError as error:
            raise PageRefused(
                f"port {site.port} cannot be had ({error.strerror}): give another with --port, or "
                "--port 0 for any free one"
            ) from None
        # From now on browsers wait instead of being refused.
        listener.listen(64)
        yield listener
    finally:
        listener.close()


def _own_names() -> tuple[str, ...]:
    """By which others may call this computer; its address on the network last."""
    names = [socket.gethostname(), socket.getfqdn()]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        # Sends nothing: it only has the system choose the address that it would send from.
        probe.connect(("192.0.2.1", 9))
        names.append(str(probe.getsockname()[0]))
    return tuple(n for n in dict.fromkeys(names) if n != "localhost" and not n.startswith("127."))

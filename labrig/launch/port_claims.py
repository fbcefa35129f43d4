"""One run at a time on a bench: a run claims its ports from every other labrig on this machine.

Serial ports are opened exclusively anyway; a port server on the network and a camera let two
programs in, and two runs in different folders know nothing of each other.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from labrig.locks import try_lock
from labrig.rig.bench import BenchSpec
from labrig_drivers.errors import PortBusy

CLAIMS = Path(tempfile.gettempdir()) / "labrig-ports"


@contextmanager
def claimed_ports(bench: BenchSpec, run: Path, claims: Path = CLAIMS) -> Iterator[None]:
    """Hold every real port of a bench; the operating system lets go when the process dies.

    Args:
        bench: its ports; simulated ones belong to nobody.
        run: the run folder, named to whoever comes second.
        claims: folder of the claims, one for all users of this machine.

    Raises:
        PortBusy: another run has one of them.
        OSError: a claim cannot be written.
    """
    if not claims.exists():
        claims.mkdir(exist_ok=True)
        claims.chmod(0o1777)  # as /tmp: the night shift may be another user
    with ExitStack() as held:
        for port in bench.ports:
            if port.address == "sim":
                continue
            address = (
                os.path.realpath(port.address) if Path(port.address).exists() else port.address
            )
            path = claims / hashlib.sha256(address.encode()).hexdigest()[:24]
            is_new = not path.exists()
            file = held.enter_context(open(path, "a+", encoding="utf-8"))
            if is_new:
                path.chmod(0o666)
            if not try_lock(file):
                file.seek(0)
                raise PortBusy(
                    port.name,
                    f"{port.address} is in use by the run {file.read().strip() or '(unknown)'}.",
                    "One run at a time on a bench: look at it with `labrig status`, end it with "
                    "`labrig stop`.",
                )
            file.seek(0)
            file.truncate()
            file.write(str(run.absolute()))
            file.flush()
        yield

"""One port and who must be on it: opening, identifying, never resetting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import asdict
from typing import Any

from labrig.rig.bench import OpenPort
from labrig.run.lease import StaleEpoch
from labrig.run.port_gate import drain
from labrig_drivers.errors import AlarmRaised, LinkError, WrongInstrument
from labrig_drivers.kinds import Identity

CLOSE_S = 10.0
"""[P] By the wall clock: a port is let go within a moment, and one that waits for bytes in vain
within some seconds."""

_log = logging.getLogger(__name__)


class PortLink:
    """Opens a port when needed, and attaches to the instruments on it.

    Args:
        opened: the open port; None when it could not be opened yet.
        just_identified: who has answered on ``opened`` a moment ago and need not be asked again.
        reopen: opens the port anew.
        identities: who answered when the run began, by instrument; filled at the first attaching.
        serial_numbers: as the rig file demands, by instrument; empty: any.
    """

    def __init__(
        self,
        opened: OpenPort | None,
        just_identified: Mapping[str, Identity],
        reopen: Callable[[], OpenPort],
        identities: MutableMapping[str, Mapping[str, Any]],
        serial_numbers: Mapping[str, str],
    ) -> None:
        self._opened = opened
        self._just_identified = dict(just_identified)
        self._reopen = reopen
        self._identities = identities
        self._serial_numbers = serial_numbers

    def close(self) -> bool:
        """Let go of the port; the next attaching opens it again.

        Returns:
            False: the port did not come back from it in time, and is left to itself. A port whose
            adapter has hung up may never; nobody is to wait for it.
        """
        self._just_identified.clear()
        opened, self._opened = self._opened, None
        if opened is None:
            return True
        failed: list[Exception] = []

        def let_go() -> None:
            try:
                opened.close()
            except Exception as error:
                failed.append(error)

        # In a thread that ends with the process at the latest: it may hang in the system.
        closing = threading.Thread(target=let_go, name=f"closing {opened.spec.name}", daemon=True)
        closing.start()
        closing.join(CLOSE_S)
        if failed:
            raise failed[0]
        return not closing.is_alive()

    def drain(self) -> None:
        """Throw away answers that nobody waited for; a port that is lost has none."""
        if self._opened is None:
            return
        try:
            drain(self._opened.transport)
        except (LinkError, StaleEpoch) as error:
            # Whoever uses the port next finds that it is lost, or that a newer stop has come.
            _log.info("%s was not drained: %s", self._opened.spec.name, error)

    def attach(self, name: str) -> tuple[Any, dict[str, Any]]:
        """The driver of an instrument, and who it says it is; changes nothing on it.

        Raises:
            LinkError: no port, or nobody answers.
            WrongInstrument: not the one of the rig file, or not the one of the run's start.
        """
        if self._opened is None:
            self._opened = self._reopen()
        driver = self._opened.drivers[name]
        seen = self._just_identified.pop(name) if name in self._just_identified else None
        identity = asdict(seen or identify(driver))
        wanted = self._serial_numbers.get(name, "")
        if wanted and identity["serial_number"] not in (None, wanted):
            raise WrongInstrument(
                name,
                f"its serial number is {identity['serial_number']}, the rig file says {wanted}.",
                "Plug the right one in, or correct the rig file.",
            )
        before = self._identities.setdefault(name, identity)
        if any(before[part] != identity[part] for part in ("model", "serial_number")):
            raise WrongInstrument(
                name,
                f"it was {dict(before)} when the run began and is {identity} now.",
                "Were cables or instruments exchanged? Put back what was there.",
            )
        return driver, identity


def identify(driver: Any) -> Identity:  # noqa: ANN401 - any kind's driver
    """Ask who it is; twice when it first reports an alarm, as one just switched on does.

    Raises:
        InstrumentError: nobody answers, or the wrong instrument.
    """
    try:
        first: Identity = driver.identify()
    except AlarmRaised:
        # The alarm stays in the pump's state, where the handler sees it.
        second: Identity = driver.identify()
        return second
    return first

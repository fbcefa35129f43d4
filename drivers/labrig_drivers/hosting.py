"""Put simulators on real ports: a pty or TCP, for ``labrig sim`` and for third-party clients."""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from labrig_drivers.simulation import Simulator

_LONGEST_WAIT_S = 0.05


class SharedBus:
    """Several simulators on one wire (a daisy chain, an RS-485 bus).

    Every byte reaches all of them; only the one addressed answers.
    """

    def __init__(self, simulators: Sequence[Simulator]) -> None:
        self._simulators = tuple(simulators)

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Hand the bytes to all; what they answer, in order."""
        return b"".join([s.receive(data, now_s) for s in self._simulators])

    def advance(self, now_s: float) -> bytes:
        """Let time pass for all."""
        return b"".join([s.advance(now_s) for s in self._simulators])

    def next_wake_s(self) -> float | None:
        """The earliest wake of any."""
        wakes = [w for s in self._simulators if (w := s.next_wake_s()) is not None]
        return min(wakes, default=None)


class HostedPort:
    """A simulator on a port, served by a thread of its own until closed.

    Attributes:
        address: what a rig file or another program opens.
    """

    def __init__(
        self,
        address: str,
        serve: Callable[[threading.Event], None],
        release: Callable[[], None],
    ) -> None:
        self.address = address
        self._stop = threading.Event()
        self._release = release
        self._thread = threading.Thread(
            target=serve, args=(self._stop,), name=f"simulator at {address}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port; safe to call twice."""
        self._stop.set()
        self._thread.join()
        self._release()

    def __enter__(self) -> HostedPort:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def host_on_pty(simulator: Simulator, clock: Callable[[], float] = time.monotonic) -> HostedPort:
    """Serve a simulator on a new pseudo-terminal (Linux, macOS).

    Args:
        simulator: one instrument, or a :class:`SharedBus` of several.
        clock: the one clock, handed to the simulator.

    Raises:
        OSError: this system has no ptys; use :func:`host_on_tcp`.
    """
    if sys.platform == "win32":
        raise OSError("Windows has no pseudo-terminals: host the simulator with host_on_tcp")
    import tty

    ours, theirs = os.openpty()
    tty.setraw(theirs)

    def serve(stop: threading.Event) -> None:
        while not stop.is_set():
            ready, _, _ = select.select([ours], [], [], _wait_s(simulator, clock))
            answer = simulator.advance(clock())
            if ready:
                answer += simulator.receive(os.read(ours, 4096), clock())
            if answer:
                os.write(ours, answer)

    def release() -> None:
        nonlocal ours, theirs
        if ours >= 0:
            os.close(ours)
            # Held open until now, so that a client that closes and opens again finds the pty.
            os.close(theirs)
            ours = theirs = -1

    return HostedPort(os.ttyname(theirs), serve, release)


def host_on_tcp(
    simulator: Simulator,
    port: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> HostedPort:
    """Serve a simulator on loopback TCP, one client at a time, as a serial gateway would.

    Args:
        simulator: one instrument, or a :class:`SharedBus` of several.
        port: 0 lets the system choose.
        clock: the one clock, handed to the simulator.

    Raises:
        OSError: the port is taken.
    """
    listener = socket.create_server(("127.0.0.1", port))

    def serve(stop: threading.Event) -> None:
        client: socket.socket | None = None
        while not stop.is_set():
            ready, _, _ = select.select([client or listener], [], [], _wait_s(simulator, clock))
            answer = simulator.advance(clock())
            if ready and client is None:
                client, _ = listener.accept()
                # A byte of acknowledgement must not wait for that of the packet before it.
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            elif ready and client is not None:
                answer, client = _serve_client(simulator, client, clock, answer)
            if answer and client is not None:
                client = _send(client, answer)
        if client is not None:
            client.close()

    return HostedPort(f"socket://127.0.0.1:{listener.getsockname()[1]}", serve, listener.close)


def _serve_client(
    simulator: Simulator, client: socket.socket, clock: Callable[[], float], answer: bytes
) -> tuple[bytes, socket.socket | None]:
    try:
        data = client.recv(4096)
    except ConnectionError:
        data = b""
    if not data:
        client.close()
        return b"", None
    return answer + simulator.receive(data, clock()), client


def _send(client: socket.socket, answer: bytes) -> socket.socket | None:
    try:
        client.sendall(answer)
    except ConnectionError:
        client.close()
        return None
    return client


def _wait_s(simulator: Simulator, clock: Callable[[], float]) -> float:
    wake = simulator.next_wake_s()
    if wake is None:
        return _LONGEST_WAIT_S
    return min(max(wake - clock(), 0.0), _LONGEST_WAIT_S)

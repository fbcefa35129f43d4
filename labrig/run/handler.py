"""What a worker needs of each instrument on its port."""

from __future__ import annotations

from typing import Any, Protocol

from labrig.run.orders import Decided, Order, Settle


class Handler(Protocol):
    """One instrument: its levels, its events, and what it does by itself in between."""

    name: str

    @property
    def busy(self) -> bool:
        """Whether something is under way that the end of the run should wait for."""
        ...

    @property
    def confirmed(self) -> bool:
        """Whether it said, when last brought to its level, that it holds it."""
        ...

    def attach(self, driver: Any) -> None:  # noqa: ANN401 - the kind of driver it handles
        """Take this driver from now on; read the state, change nothing."""
        ...

    def remember(self, what: Order | Settle) -> None:
        """Hold this order's level, or answer for this dose, from now on; sends nothing."""
        ...

    def take(self, order: Order) -> None:
        """Carry out an event."""
        ...

    def decide(self, decided: Decided) -> Order | None:
        """Heed the operator's answer; sends nothing. An order that comes back is to be given."""
        ...

    def assert_due(self) -> Order | None:
        """Bring the instrument to the level due now; safe to repeat."""
        ...

    def next_due_s(self) -> float | None:
        """When :meth:`tick` is due; None: never."""
        ...

    def tick(self) -> Order | None:
        """Do what is due."""
        ...

    def cut_off(self) -> None:
        """Write the bare command that ends what must not go on after a stop; ask nothing.

        Done for every instrument on a port before :meth:`halt` begins with the first.
        """
        ...

    def halt(self, epoch: int) -> None:
        """Safe state, now, and see that it is."""
        ...

    def hold(self) -> None:
        """Pause. What comes as an order is kept back by the worker."""
        ...

    def resume(self) -> None:
        """Go on after :meth:`hold`."""
        ...

    def finish(self) -> None:
        """Leave the instrument as the end of a run should find it; begin nothing from now on."""
        ...


def next_poll_s(now_s: float, poll_s: float) -> float:
    """The next multiple of ``poll_s`` that is really past ``now_s``.

    In floats, ``now_s`` may be a hair below the multiple that it stands for.
    """
    due_s = (now_s // poll_s + 1) * poll_s
    return due_s if due_s > now_s else due_s + poll_s

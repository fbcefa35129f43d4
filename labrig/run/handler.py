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

    def attach(self, driver: Any) -> None:  # noqa: ANN401 - the kind of driver it handles
        """Take this driver from now on; read the state, change nothing."""
        ...

    def remember(self, order: Order) -> None:
        """Hold this order's level from now on; sends nothing."""
        ...

    def take(self, what: Order | Settle | Decided) -> Order | None:
        """Carry out; an order that comes back is to be judged and given again."""
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

    def halt(self, epoch: int) -> None:
        """Safe state, now."""
        ...

    def hold(self) -> None:
        """Pause."""
        ...

    def resume(self) -> None:
        """Go on after :meth:`hold`."""
        ...

    def finish(self) -> None:
        """Leave the instrument as the end of a run should find it."""
        ...

    def conclude(self) -> None:
        """The last word: record what is still open, as nobody will ask again; sends nothing."""
        ...

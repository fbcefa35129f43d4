"""What a worker needs of each instrument on its port, and what only of one that holds a level."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from labrig.run.orders import Decided, Finish, InMode, Order, Settle

ForHandler = Order | Settle | Decided | InMode | Finish


class Handler(Protocol):
    """One instrument. What it has no use for it lets pass."""

    name: str

    def attach(self, driver: Any) -> None:  # noqa: ANN401 - the kind of driver it handles
        """Take this driver from now on; read the state, change nothing."""
        ...

    def heed(self, message: ForHandler) -> Order | None:
        """Take notice.

        An order for a level, a dose to settle and an answer are only remembered:
        :meth:`LevelHandler.assert_due` sees to them. An order for an event is carried out, a
        mode entered, an end made.

        Returns:
            an order that is to be given now.
        """
        ...


@runtime_checkable
class LevelHandler(Handler, Protocol):
    """One that holds a level, acts on the cells by it, and does things by itself."""

    @property
    def busy(self) -> bool:
        """Whether something is under way that the end of the run should wait for."""
        ...

    @property
    def has_more_to_do(self) -> bool:
        """Whether what was ordered waits here behind what is under way, to begin by itself."""
        ...

    @property
    def confirmed(self) -> bool:
        """Whether its last answer was that it holds its level."""
        ...

    def assert_due(self) -> Order | None:
        """Bring the instrument to the level due now, as its mode allows; safe to repeat."""
        ...

    def next_due_s(self) -> float | None:
        """When :meth:`tick` is due; None: never."""
        ...

    def tick(self) -> Order | None:
        """Do what is due."""
        ...

    def cut_off(self) -> None:
        """Write the bare command that ends what must not go on after a stop; ask nothing.

        Done for every instrument on a port before the first of them is brought to its safe state.
        """
        ...


@runtime_checkable
class Patient(Protocol):
    """One whose orders may wait for something that is measured elsewhere."""

    @property
    def patience_s(self) -> float:
        """For so long, by people's time; 0: it waits for nothing."""
        ...


def next_poll_s(now_s: float, poll_s: float) -> float:
    """The next multiple of ``poll_s`` that is really past ``now_s``.

    In floats, ``now_s`` may be a hair below the multiple that it stands for.
    """
    due_s = (now_s // poll_s + 1) * poll_s
    return due_s if due_s > now_s else due_s + poll_s

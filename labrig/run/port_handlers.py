"""The handlers of the instruments on one port, and what only some kinds of them can do."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from labrig.run.handler import ForHandler, Handler, LevelHandler, Patient
from labrig.run.orders import ForWorker, Order


class PortHandlers:
    """Of one port, by the names of their instruments."""

    def __init__(self) -> None:
        self._all: dict[str, Handler] = {}
        self._with_levels: dict[str, LevelHandler] = {}
        self._patient: dict[str, Patient] = {}

    def add(self, handler: Handler) -> None:
        """One more instrument."""
        self._all[handler.name] = handler
        if isinstance(handler, LevelHandler):
            self._with_levels[handler.name] = handler
        if isinstance(handler, Patient):
            self._patient[handler.name] = handler

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in the order in which a stop is to reach them."""
        return tuple(self._all)

    @property
    def with_levels(self) -> tuple[str, ...]:
        """Those that hold a level and do things by themselves."""
        return tuple(self._with_levels)

    def attach(self, name: str, driver: Any) -> None:  # noqa: ANN401 - of any kind
        """Take this driver from now on."""
        self._all[name].attach(driver)

    def heed(self, name: str, message: ForHandler) -> Order | None:
        """Take notice; an order that comes back is to be given now."""
        return self._all[name].heed(message)

    def assert_due(self, name: str) -> Order | None:
        """Bring it to the level due now; one that has none is left as it is."""
        handler = self._with_levels.get(name)
        return None if handler is None else handler.assert_due()

    def tick(self, name: str) -> Order | None:
        """Do what is due by itself."""
        return self._with_levels[name].tick()

    def cut_off(self, name: str) -> None:
        """Write the bare command that ends what must not go on after a stop."""
        self._with_levels[name].cut_off()

    def due(self, without: Container[str]) -> list[tuple[float, str]]:
        """When each but these is to be looked after."""
        return [
            (due_s, name)
            for name, handler in self._with_levels.items()
            if name not in without and (due_s := handler.next_due_s()) is not None
        ]

    def busy(self, without: Container[str]) -> bool:
        """Whether in one but these something is under way that the end should wait for."""
        return any(
            handler.busy for name, handler in self._with_levels.items() if name not in without
        )

    def has_more_to_do(self, without: Container[str]) -> bool:
        """Whether one but these is to begin by itself what was ordered before."""
        return any(
            handler.has_more_to_do
            for name, handler in self._with_levels.items()
            if name not in without
        )

    def confirmed(self, name: str) -> bool:
        """Whether it holds its level by its last answer, if it has one to hold."""
        handler = self._with_levels.get(name)
        return handler is None or handler.confirmed

    def patience_s(self, item: ForWorker | None) -> float:
        """For so long an order may wait for what is measured elsewhere."""
        patient = self._patient.get(item.instrument) if isinstance(item, Order) else None
        return 0.0 if patient is None else patient.patience_s

"""Pump, line, clock, mailbox and journal of one modelled life, in one thread."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dose_situations import NAME, PumpKind

from labrig.record.rows import JournalEntry, Row
from labrig_drivers.errors import AlarmRaised, LinkError, NotNow
from labrig_drivers.kinds import PumpState

if TYPE_CHECKING:
    from dose_model import Life


class ModelledPump:
    """A syringe pump with a program in it, as a Pump's driver shows it."""

    def __init__(self, life: Life, kind: PumpKind) -> None:
        self._life = life
        self._kind = kind
        self._lost = False
        self._alarm: str | None = None

    def identify(self) -> None:
        self._life.exchange()
        self._hear()

    def quantised(self, rate_ul_min: float) -> float:
        return rate_ul_min

    def state(self) -> PumpState:
        wrong_ul = self._life.exchange(garbled=True)
        self._hear()
        pump, kind = self._life.pump, self._kind
        counter_ul: float | None = pump.counter_ul + wrong_ul
        if kind.step_ul:
            counter_ul = int((pump.counter_ul + wrong_ul) / kind.step_ul + 1e-9) * kind.step_ul
        return PumpState(
            pump.task != "stands", pump.rate_ul_min, counter_ul if kind.counts else None,
            self._alarm, self._lost, True, kind.step_ul, kind.range_ul,
        )  # fmt: skip

    def dispense(self, volume_ul: float, rate_ul_min: float) -> None:
        with self._life.answering():
            self._refuse_if_just_on()
            if self._life.pump.task == "a dose":
                raise NotNow(NAME, "another dispense is under way.", "Wait.")
            self._lost, self._alarm = False, None
            self._life.set(task="a dose", left_ul=volume_ul, rate_ul_min=rate_ul_min)

    def set_rate(self, rate_ul_min: float) -> None:
        if rate_ul_min == 0:
            self.stop()
            return
        with self._life.answering():
            self._refuse_if_just_on()
            if self._life.pump.task == "a dose":
                raise NotNow(NAME, "a bounded dispense is under way.", "Wait.")
            self._lost, self._alarm = False, None
            self._life.set(task="its level", rate_ul_min=rate_ul_min)

    def stop(self) -> None:
        with self._life.answering():
            self._hear()
            self._life.set(task="stands", left_ul=0.0)

    def halt(self) -> None:
        with self._life.answering():
            self._life.set(task="stands", left_ul=0.0)

    def _hear(self) -> None:
        if self._life.pump.just_on:
            self._life.set(just_on=False)
            self._lost, self._alarm = True, "power"

    def _refuse_if_just_on(self) -> None:
        if self._life.pump.just_on:
            self._hear()
            raise AlarmRaised(NAME, "power", "it was switched on.")


class ModelledClock:
    """The time of one life; it goes on only in a wait."""

    def __init__(self, now_s: float) -> None:
        self.at_s = now_s

    def now_s(self) -> float:
        return self.at_s

    def utc(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.at_s)

    @property
    def early_s(self) -> float:
        return 0.0

    def lasting_s(self, people_s: float) -> float:
        return people_s


class ModelledBox:
    def __init__(self, wait: Callable[[float | None], Any]) -> None:
        self.items: deque[Any] = deque()
        self._wait = wait

    def put(self, item: Any, not_before_s: float = -math.inf) -> None:
        self.items.append(item)

    def put_before_undue(self, item: Any) -> None:
        self.put(item)

    def put_first(self, item: Any) -> None:
        self.items.appendleft(item)

    def get(self, until_s: float | None) -> Any:
        return self.items.popleft() if self.items else self._wait(until_s)


class ModelledJournal:
    """A journal whose file is a list. Readings are left out: nothing is decided by them."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self.epoch = 0
        self.dropped = 0

    def intend(self, *entries: JournalEntry) -> None:
        self._life.boundary("a row")
        for entry in entries:
            self._life.write(entry, self.epoch)

    note = intend

    def sample(self, key: str, detail: object) -> None:
        pass

    def rows(self, kind: str | None = None) -> Iterator[Row]:
        return (row for row in tuple(self._life.rows) if kind in (None, row.kind))


class ModelledLine:
    def __init__(self, life: Life, kind: PumpKind) -> None:
        self._life = life
        self._kind = kind
        self._driver: ModelledPump | None = None

    def close(self) -> None:
        self._driver = None

    def drain(self) -> None:
        pass

    def attach(self, name: str) -> tuple[Any, dict[str, Any]]:
        if self._driver is None:
            self._driver = ModelledPump(self._life, self._kind)
        self._driver.identify()
        return self._driver, {"vendor": "", "model": "", "firmware": "", "serial_number": None}


class NoReserve:
    def give_up(self) -> bool:
        return False

    def keep(self) -> bool:
        return True


class Answering:
    """An exchange that is carried out, and whose answer may be lost afterwards."""

    def __init__(self, lost: LinkError | None) -> None:
        self._lost = lost

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self._lost is not None:
            raise self._lost

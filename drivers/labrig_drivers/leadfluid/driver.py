"""A Lead Fluid / Golander BT-F or BT-L peristaltic flow pump over Modbus RTU.

The pump counts its own turns: it reports neither a stall nor worn tubing, so its volume is what
it believes to have moved, not a witness of flow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from labrig_drivers.errors import NotNow, OutOfRange, Refused, ReplyError, WrongInstrument
from labrig_drivers.kinds import Identity, PumpLimits, PumpState
from labrig_drivers.leadfluid import codec
from labrig_drivers.leadfluid.rates import LeadFluidRates
from labrig_drivers.leadfluid.settings import LeadFluidSettings
from labrig_drivers.transports.modbus import ModbusLink, WordOrder, float_from, registers_from

_DIRECTIONS = {"clockwise": codec.CLOCKWISE, "counterclockwise": codec.COUNTERCLOCKWISE}

_Parsed = TypeVar("_Parsed")


class LeadFluidPump:
    """Satisfies :class:`labrig_drivers.kinds.Pump`. Settings are written only when they differ.

    Args:
        link: the Modbus device.
        settings: the pump as it stands on the bench.
        name: as the rig file calls it.
    """

    def __init__(self, link: ModbusLink, settings: LeadFluidSettings, name: str) -> None:
        self._link = link
        self._settings = settings
        self._name = name
        self._rates = LeadFluidRates(settings, name)
        self._model: str | None = None
        self._known_order: WordOrder | None = None

    def identify(self) -> Identity:
        """Maker and model; also learns the pump's word order and checks it on the flow rate.

        Raises:
            WrongInstrument: not a BT-F or BT-L.
            ReplyError: the floats make no sense in the word order that the pump claims.
        """
        try:
            texts = self._link.read_input(codec.MAKER_AND_MODEL, 10)
        except Refused as refusal:
            raise WrongInstrument(
                self._name,
                "it has no name registers, so it is no Lead Fluid BT.",
                "Another instrument may be on this port or address: compare with the rig file.",
            ) from refusal
        maker, model = codec.parse_text(texts[:5]), codec.parse_text(texts[5:])
        if not codec.kind_of_model(model):
            raise WrongInstrument(
                self._name,
                f"{maker!r} {model!r} answers, not a BT-F or BT-L flow pump.",
                "Check the port and address in the rig file. The BT-S speed pumps have other "
                "registers and cannot be used.",
            )
        self._model = model
        self._panel()
        return Identity(maker, model, "")

    def limits(self) -> PumpLimits:
        """As the rig file gives them for this head and tubing."""
        return self._rates.limits()

    def quantised(self, rate_ul_min: float) -> float:
        """The pump's 32-bit float of this rate. Raises OutOfRange."""
        return self._rates.quantised(rate_ul_min)

    def state(self) -> PumpState:
        """Three exchanges: settings, running, volume; a fourth during a dispense."""
        panel = self._panel()
        running = self._running()
        volume = self._link.read_input(codec.CUMULATIVE_VOLUME, 3)
        delivered_ul = self._parsed(lambda: codec.parse_volume(volume, self._order()))
        rate_ul_min = panel.flow_ul_min
        if panel.dispensing:
            block = self._link.read_holding(codec.VOLUME_BLOCK, 8)
            rate_ul_min = self._parsed(lambda: codec.parse_block_rate(block, self._order()))
        return PumpState(running, rate_ul_min, delivered_ul)

    def set_rate(self, rate_ul_min: float) -> None:
        """Hold this rate; 0 stops. A change of unit or direction stops the pump for a moment.

        Raises:
            OutOfRange: before anything is sent.
            NotNow: a bounded dispense is under way, or the pump is under external control.
        """
        if rate_ul_min == 0:
            self.stop()
            return
        self._rates.check(rate_ul_min)
        panel = self._ready_panel()
        running = self._running()
        number, unit = codec.number_and_unit(rate_ul_min)
        differing = {
            register: wanted
            for register, present, wanted in (
                (codec.MODE, panel.mode, codec.MODE_FLOW),
                (codec.FLOW_UNIT, panel.flow_unit, unit),
                (codec.DIRECTION, panel.direction, _DIRECTIONS[self._settings.direction]),
                (codec.FULL_SPEED, int(panel.full_speed), 0),
            )
            if present != wanted
        }
        if differing and running:
            # Between two writes the old number would run in the new unit, a thousandfold off.
            self.stop()
            running = False
        for register, wanted in differing.items():
            self._link.write_register(register, wanted)
        words = registers_from(number, self._order())
        kept = panel.flow_ul_min / codec.UL_PER_UNIT[unit]
        if differing or not codec.same_number(kept, number):
            self._write_checked(codec.FLOW_RATE, words, floats=1)
        if not running:
            self._link.write_register(codec.RUNNING, 1)

    def dispense(self, volume_ul: float, rate_ul_min: float) -> None:
        """Deliver one volume, then stand (BT-F only). NOT safe to repeat.

        That register 4025 starts a prepared volume and falls back to 0 at its end is taken
        from one client's use, not from the manual.

        Raises:
            OutOfRange: before anything is sent.
            NotNow: another dispense is under way.
            Refused: a BT-L, which has no volume mode.
        """
        self._rates.check(rate_ul_min)
        most_ul = codec.MOST_NUMBER * codec.UL_PER_UNIT[codec.MILLILITRE]
        if not codec.LEAST_NUMBER <= volume_ul <= most_ul:
            raise OutOfRange(
                self._name,
                f"cannot dispense {volume_ul:g} µL.",
                f"It holds {codec.LEAST_NUMBER:g} to {most_ul:g} µL.",
            )
        if self._model is None:
            self.identify()
        if self._model is None or codec.kind_of_model(self._model) != "F":
            raise Refused(
                self._name,
                f"a {self._model} has no volume mode.",
                "Use a BT-F, or a rate for a time.",
            )
        panel = self._ready_panel()
        if self._running():
            self.stop()
        if panel.direction != (wanted := _DIRECTIONS[self._settings.direction]):
            self._link.write_register(codec.DIRECTION, wanted)
        if panel.mode != codec.MODE_VOLUME:
            self._link.write_register(codec.MODE, codec.MODE_VOLUME)
        self._link.write_register(codec.PRESET_GROUP, 0)
        self._write_checked(
            codec.VOLUME_BLOCK, codec.volume_block(volume_ul, rate_ul_min, self._order()), floats=2
        )
        self._link.write_register(codec.DISPENSING, 1)

    def stop(self) -> None:
        """Stop now, a dispense as well, and see that it stands."""
        self._link.write_register(codec.RUNNING, 0)
        # One register, not the panel: stopping must not fail because a float makes no sense.
        if self._link.read_holding(codec.DISPENSING, 1) != [0]:
            self._link.write_register(codec.DISPENSING, 0)
        if self._running():
            raise ReplyError(
                self._name, "told to stop, it says that it still runs.", "Switch it off by hand."
            )

    def halt(self) -> None:
        """Both registers that move it, unread. On RS-485 each answer has to be waited for."""
        self._link.write_register(codec.RUNNING, 0)
        self._link.write_register(codec.DISPENSING, 0)

    def close(self) -> None:
        """Let go of the bus; the pump keeps running as it is."""
        self._link.close()

    def _running(self) -> bool:
        return self._link.read_holding(codec.RUNNING, 1)[0] != 0

    def _ready_panel(self) -> codec.Panel:
        panel = self._panel()
        if panel.external_control:
            raise NotNow(
                self._name,
                "the pump is set to external control.",
                "Set its control source to internal on its panel.",
            )
        if panel.dispensing:
            raise NotNow(
                self._name,
                "a bounded dispense is under way.",
                "Wait until it is done, or stop the pump first.",
            )
        return panel

    def _panel(self) -> codec.Panel:
        order = self._order()
        registers = self._link.read_holding(codec.PANEL, codec.PANEL_SIZE)
        return self._parsed(lambda: codec.parse_panel(registers, order))

    def _order(self) -> WordOrder:
        if self._known_order is not None:
            return self._known_order
        (register,) = self._link.read_holding(codec.WORD_ORDER, 1)
        order = self._parsed(lambda: codec.word_order(register))
        self._known_order = order
        return order

    def _write_checked(self, address: int, words: list[int], floats: int) -> None:
        """Write and read back; of the first ``floats`` numbers it may keep four digits."""
        self._link.write_registers(address, words)
        kept = self._link.read_holding(address, len(words))
        order, end = self._order(), 2 * floats
        same = kept[end:] == words[end:] and all(
            codec.same_number(
                float_from(kept[n : n + 2], order), float_from(words[n : n + 2], order)
            )
            for n in range(0, end, 2)
        )
        if not same:
            raise ReplyError(
                self._name,
                f"wrote {words} from register {address}, it keeps {kept}.",
                "Check on its panel what it is set to before going on.",
            )

    def _parsed(self, parse: Callable[[], _Parsed]) -> _Parsed:
        try:
            return parse()
        except codec.BadRegisters as error:
            # Word order may have been changed on the panel: ask again before trusting a float.
            self._known_order = None
            raise ReplyError(
                self._name, f"{error}.", "Check the pump's MODBUS mode (Computer or PLC)."
            ) from error

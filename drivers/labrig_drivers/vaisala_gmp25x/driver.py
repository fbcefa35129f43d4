"""A Vaisala GMP251/GMP252 CO2 and temperature probe over Modbus RTU."""

from __future__ import annotations

import math

from labrig_drivers.errors import Refused, ReplyError, WrongInstrument
from labrig_drivers.kinds import CO2, TEMPERATURE, EnvironmentReading, Identity
from labrig_drivers.transports.modbus import ModbusLink, float_from
from labrig_drivers.vaisala_gmp25x import codec
from labrig_drivers.vaisala_gmp25x.settings import VaisalaSettings

_MOST_CO2_PERCENT = 100.0


class VaisalaProbe:
    """Satisfies :class:`labrig_drivers.kinds.EnvironmentProbe`. Reads, and never writes.

    Args:
        link: the Modbus device.
        settings: which model it is.
        name: as the rig file calls it.
    """

    def __init__(self, link: ModbusLink, settings: VaisalaSettings, name: str) -> None:
        self._link = link
        self._settings = settings
        self._name = name

    def identify(self) -> Identity:
        """Vendor, product, firmware and serial number; and whether its CO2 fits the model.

        Raises:
            WrongInstrument: not a Vaisala GMP25x, or the other model of the two, which both call
                themselves GMP25X: one gives percent, the other ppm.
        """
        self._in_step()
        try:
            objects = self._link.read_device_identification()
        except Refused as refusal:
            raise WrongInstrument(
                self._name, "it does not tell who it is, as a GMP25x would.", refusal.remedy
            ) from refusal
        vendor, product, firmware = (
            objects.get(number, b"").decode("ascii", errors="replace")
            for number in (codec.VENDOR_NAME, codec.PRODUCT_NAME, codec.REVISION)
        )
        if vendor != "Vaisala" or "GMP25" not in product:
            raise WrongInstrument(
                self._name,
                f"{vendor or 'nobody'} {product!r} answers, not a Vaisala GMP25x.",
                "Correct port and address in the rig file.",
            )
        serial_number = self._serial_number()
        co2 = float_from(self._link.read_holding(codec.CO2, 2), "low_first")
        self._refuse_ppm(co2)
        if self._settings.model == "GMP252" and 0 < co2 <= codec.MOST_PERCENT_OF_GMP251:
            raise WrongInstrument(
                self._name,
                f"{co2:g} ppm is less than any air holds: this is a GMP251, which gives percent.",
                "Write model: GMP251 in the rig file.",
            )
        return Identity(vendor, self._settings.model, firmware, serial_number)

    def read(self) -> EnvironmentReading:
        """CO2 in percent, temperature in °C, and whether to trust them.

        Raises:
            WrongInstrument: more CO2 than there can be: the other model of the two.
        """
        self._in_step()
        co2 = float_from(self._link.read_holding(codec.CO2, 2), "low_first")
        temperature_c = float_from(self._link.read_holding(codec.PROBE_TEMPERATURE, 2), "low_first")
        device_status, co2_status = self._link.read_holding(codec.STATUS, 2)
        trusted, note = codec.status_note(device_status, co2_status)
        # An unavailable value is a quiet NaN.
        if trusted and (math.isnan(co2) or math.isnan(temperature_c)):
            trusted, note = False, "no value"
        if trusted and self._settings.model == "GMP252" and co2 <= codec.MOST_PERCENT_OF_GMP251:
            trusted = False
            note = f"{co2:g} ppm is less than any air holds: is it percent, from a GMP251?"
        if trusted and not codec.plausible(co2, temperature_c):
            # Also what an answer to another question would be read as.
            trusted = False
            note = f"CO2 {co2:g} and {temperature_c:g} °C cannot be: no air is like that"
        self._refuse_ppm(co2)
        co2_percent = co2 * codec.PERCENT_PER_UNIT[self._settings.model]
        values = {CO2.key: co2_percent, TEMPERATURE.key: temperature_c}
        return EnvironmentReading(
            {key: None if math.isnan(value) else value for key, value in values.items()},
            trusted,
            note,
        )

    def close(self) -> None:
        """Let go of the bus."""
        self._link.close()

    def _in_step(self) -> None:
        """After a failure: CO2, temperature and status are all answered by two registers."""
        if not self._link.in_step:
            self._link.catch_up(codec.STATUS)

    def _refuse_ppm(self, co2: float) -> None:
        if co2 * codec.PERCENT_PER_UNIT[self._settings.model] > _MOST_CO2_PERCENT:
            raise WrongInstrument(
                self._name,
                f"{co2:g} cannot be percent CO2: this is a GMP252, which gives ppm.",
                "Write model: GMP252 in the rig file.",
            )

    def _serial_number(self) -> str | None:
        try:
            objects = self._link.read_device_identification(4, codec.SERIAL_NUMBER)
        except Refused:
            return None
        serial_number = objects.get(codec.SERIAL_NUMBER)
        if not serial_number:
            raise ReplyError(self._name, "asked for its serial number, it named something else.")
        return serial_number.decode("ascii", errors="replace")

"""What a rig file may set for a Pulse Pal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PulsePalSettings:
    """Settings of one Pulse Pal 2.

    Attributes:
        volts_per_volt: volts at the electrodes for each volt the Pulse Pal puts out. 1 when the
            electrodes hang on it directly; the gain of the stimulus isolator or amplifier
            between them otherwise. The Pulse Pal itself gives ±10 V.
        max_train_s: longest train that may be programmed. The instrument has no watchdog, so
            this is how long stimulation outlives a lost computer.
        min_firmware: oldest firmware accepted; 20 is the first of Pulse Pal 2.
        reply_timeout_s: how long to wait for an acknowledgement.
    """

    volts_per_volt: float = 1.0
    max_train_s: float = 10.0
    min_firmware: int = 20
    reply_timeout_s: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.volts_per_volt <= 100:
            raise ValueError(
                f"volts_per_volt is {self.volts_per_volt}; give the gain between Pulse Pal and "
                "electrodes, above 0 and at most 100 (1 without an isolator or amplifier)"
            )
        if not 0 < self.max_train_s <= 3600:
            raise ValueError(
                f"max_train_s is {self.max_train_s}; give seconds above 0 and at most 3600"
            )
        if self.min_firmware < 20:
            raise ValueError(
                f"min_firmware is {self.min_firmware}; firmware below 20 is a Pulse Pal 1, "
                "which speaks another dialect: give 20 or more"
            )
        if not 0 < self.reply_timeout_s <= 60:
            raise ValueError(
                f"reply_timeout_s is {self.reply_timeout_s}; give seconds above 0 and at most 60"
            )

"""Driver of the Pulse Pal 2: finite trains, and nothing armed behind one's back."""

from __future__ import annotations

from labrig_drivers.errors import (
    InstrumentError,
    NoReply,
    NotNow,
    OutOfRange,
    Refused,
    ReplyError,
    WrongInstrument,
)
from labrig_drivers.kinds import Identity, PulseTrain, StimulatorState
from labrig_drivers.pulse_pal import codec
from labrig_drivers.pulse_pal.settings import PulsePalSettings
from labrig_drivers.pulse_pal.trains import channel_program
from labrig_drivers.transports.base import Transport

_NEEDS_A_HAND = (
    "Look at its screen: after COMM. FAILURE it answers nobody, and its outputs stay as they "
    "are, perhaps at the voltage of a pulse, until someone clicks the joystick at the bench. "
    "Unplug the electrodes first: after the click a train that was interrupted goes on with the "
    "Pulse Pal's defaults. Otherwise check cable and power."
)
_HALF_A_CYCLE_S = 0.5 / codec.CYCLES_PER_S


class PulsePal:
    """One Pulse Pal 2 (:class:`labrig_drivers.kinds.Stimulator`).

    The instrument reports neither its state nor its programme, so which trains run is a model
    kept here: trigger time plus train length. What it holds in memory is never trusted: a Pulse
    Pal that lost power plays the file on its SD card, or a monophasic 5 V default. So
    :meth:`trigger` sends the whole programme first, every time, and a new object must
    :meth:`program` before it may trigger.

    Args:
        link: the open port, owned by this object alone.
        settings: see :class:`PulsePalSettings`.
        name: the rig file's name for it, used in errors.
    """

    def __init__(self, link: Transport, settings: PulsePalSettings, name: str) -> None:
        self._link = link
        self._settings = settings
        self._name = name
        self._wanted: dict[int, codec.ChannelProgram] = {}
        self._running_until_s: dict[int, float] = {}

    def identify(self) -> Identity:
        """Ask for the firmware number.

        Raises:
            NoReply: silence; the remedy tells what to do at the bench.
            WrongInstrument: something else answers, or a Pulse Pal 1.
        """
        firmware = self._handshake()
        if firmware < self._settings.min_firmware:
            raise WrongInstrument(
                self._name,
                f"firmware {firmware} answers, older than {self._settings.min_firmware}"
                + (" (a Pulse Pal 1, which speaks another dialect)." if firmware < 20 else "."),
                "Use a Pulse Pal 2, or update its firmware.",
            )
        return Identity(vendor="Sanworks", model="Pulse Pal 2", firmware=str(firmware))

    def close(self) -> None:
        """Let go of the port. A train under way plays to its end."""
        self._link.close()

    def channels(self) -> tuple[int, ...]:
        """Channels 1 to 4."""
        return codec.CHANNELS

    def program(self, trains: dict[int, PulseTrain]) -> None:
        """Set all four channels at once; channels left out are silenced. Trains under way end.

        Raises:
            OutOfRange: a train this instrument cannot make exactly; nothing was sent.
            NoReply: silence; what is programmed is then unknown, and trigger refuses.
        """
        for channel in trains:
            self._check_channel(channel)
        wanted = {
            channel: channel_program(train, self._settings, self._name)
            for channel, train in trains.items()
        }
        # Op 73 changes the values under a running train, so end it first.
        self._quiet()
        self._send_program(wanted)
        # Ends what a signal on a trigger input, unlinked only now, may have started meanwhile.
        self._send(codec.abort())
        self._wanted = wanted

    def trigger(self, channels: tuple[int, ...], now_s: float) -> None:
        """Start the programmed trains on these channels together. NOT safe to repeat.

        The programme goes before it, with the values that trains under way on other channels have
        already. The trigger itself is not acknowledged; a handshake after it shows that the
        instrument read it.

        Raises:
            NotNow: a channel has no train, or its train is still running (the instrument would
                keep the trigger and start a second train right after the first).
            Refused: the instrument did not take the programme; nothing was triggered.
            NoReply: silence; whether the trains started is unknown, they count as running.
        """
        for channel in channels:
            self._check_channel(channel)
            if channel not in self._wanted:
                raise NotNow(
                    self._name,
                    f"channel {channel} has no train programmed since this connection began or "
                    "stop was called.",
                    "Call program first.",
                )
            end_s = self._running_until_s.get(channel, now_s)
            if end_s - now_s > _HALF_A_CYCLE_S:
                raise NotNow(
                    self._name,
                    f"channel {channel} is still playing for {end_s - now_s:.4f} s.",
                    "Wait for its end, or call stop and programme it again.",
                )
        if not channels:
            return
        for channel in channels:
            length_s = self._wanted[channel].train_cycles / codec.CYCLES_PER_S
            self._running_until_s[channel] = now_s + length_s
        self._send_program(self._wanted)
        self._send(codec.trigger(channels))
        self._handshake()

    def state(self, now_s: float) -> StimulatorState:
        """Whether it answers a handshake, and the modelled trains."""
        try:
            self._handshake()
            reachable = True
        except NoReply:
            reachable = False
        running = {
            channel: end_s for channel, end_s in self._running_until_s.items() if end_s > now_s
        }
        return StimulatorState(reachable=reachable, running_until_s=running, modelled=True)

    def stop(self) -> None:
        """End every train, disarm loops and trigger inputs, outputs to 0 V; forget programmes.

        Every step is sent even when one before it fails.

        Raises:
            NoReply: an acknowledgement is missing: whether the outputs are at rest is unknown.
        """
        first_error: InstrumentError | None = None
        # A Pulse Pal that was just switched on links its trigger inputs to channels; the silent
        # programme unlinks them.
        for step in (self._quiet, lambda: self._send_program({})):
            try:
                step()
            except InstrumentError as error:
                first_error = first_error or error
        # Ends what such an input may have started between the two.
        self._send(codec.abort())
        if first_error is not None:
            raise first_error
        self._running_until_s = {}

    def halt(self) -> None:
        """Silence and 0 V in one write, whatever rest is stored; the answers are not waited for."""
        self._wanted = {}
        self._send(codec.rest_at_zero_and_abort())

    def _quiet(self) -> None:
        """Silence and 0 V at once, whatever rest is stored; then every continuous loop disarmed.

        The loops' flags survive ops 80 and 81. Disarming also puts the stored rest, 0 V by now, on
        each output, and its acknowledgement says so.
        """
        self._wanted = {}
        first_error: InstrumentError | None = None
        commands = [codec.continuous_off(channel) for channel in codec.CHANNELS]
        for command, answers in ((codec.rest_at_zero_and_abort(), 4), *((c, 1) for c in commands)):
            try:
                self._acknowledged(command, answers)
            except InstrumentError as error:
                first_error = first_error or error
        if first_error is not None:
            raise first_error
        self._running_until_s = {}

    def _send_program(self, wanted: dict[int, codec.ChannelProgram]) -> None:
        self._acknowledged(
            codec.program([wanted.get(channel, codec.SILENT) for channel in codec.CHANNELS])
        )

    def _check_channel(self, channel: int) -> None:
        if channel not in codec.CHANNELS:
            raise OutOfRange(
                self._name, f"there is no channel {channel}.", "A Pulse Pal has channels 1 to 4."
            )

    def _send(self, command: bytes) -> None:
        """Send whole commands in one write; a split one freezes the instrument after 500 ms."""
        # A stale byte would shift every acknowledgement that follows.
        self._link.discard_input()
        self._link.write(command)

    def _ask(self, command: bytes, size: int) -> bytes:
        self._send(command)
        reply = self._link.read(size, self._settings.reply_timeout_s)
        if not reply:
            raise NoReply(
                self._name,
                f"no answer to op {command[1]} within {self._settings.reply_timeout_s:g} s.",
                _NEEDS_A_HAND,
                ((">", command),),
            )
        return reply

    def _acknowledged(self, command: bytes, answers: int = 1) -> None:
        reply = self._ask(command, answers)
        if codec.REJECTED in reply:
            raise Refused(
                self._name,
                f"it refused op {command[1]} (firmware 22 and later check values).",
                "",
                ((">", command), ("<", reply)),
            )
        if reply != answers * codec.ACK:
            raise ReplyError(
                self._name,
                f"op {command[1]} was answered by {reply.hex(' ')} instead of "
                f"{(answers * codec.ACK).hex(' ')}.",
                "Check that no other program uses the port, then stop and programme again.",
                ((">", command), ("<", reply)),
            )

    def _handshake(self) -> int:
        command = codec.handshake()
        reply = self._ask(command, codec.HANDSHAKE_REPLY_SIZE)
        try:
            return codec.parse_handshake(reply)
        except ValueError as error:
            raise WrongInstrument(
                self._name,
                f"the handshake's answer is not a Pulse Pal's: {error}.",
                "Check the port in the rig file.",
                ((">", command), ("<", reply)),
            ) from error

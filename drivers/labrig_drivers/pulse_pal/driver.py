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
    "are, until someone clicks the joystick at the bench. Otherwise check cable and power."
)
_HALF_A_CYCLE_S = 0.5 / codec.CYCLES_PER_S


class PulsePal:
    """One Pulse Pal 2 (:class:`labrig_drivers.kinds.Stimulator`).

    The instrument reports neither its state nor its programme, so which trains run is a model
    kept here: trigger time plus train length. The programme is trusted only while this object
    lives: a new one must :meth:`program` before it may :meth:`trigger`, because a Pulse Pal
    that lost power plays a monophasic 5 V default when triggered.

    Args:
        link: the open port, owned by this object alone.
        settings: see :class:`PulsePalSettings`.
        name: the rig file's name for it, used in errors.
    """

    def __init__(self, link: Transport, settings: PulsePalSettings, name: str) -> None:
        self._link = link
        self._settings = settings
        self._name = name
        self._lengths_s: dict[int, float] = {}
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
        self._disarm()
        self._send_program(wanted)
        self._lengths_s = {
            channel: program.train_cycles / codec.CYCLES_PER_S
            for channel, program in wanted.items()
        }

    def trigger(self, channels: tuple[int, ...], now_s: float) -> None:
        """Start the programmed trains on these channels together. NOT safe to repeat.

        The trigger itself is not acknowledged; a handshake after it shows that the
        instrument read it.

        Raises:
            NotNow: a channel has no train, or its train is still running (the instrument would
                keep the trigger and start a second train right after the first).
            NoReply: silence; whether the trains started is unknown, they count as running.
        """
        for channel in channels:
            self._check_channel(channel)
            if channel not in self._lengths_s:
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
            self._running_until_s[channel] = now_s + self._lengths_s[channel]
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
        self._lengths_s = {}
        first_error: InstrumentError | None = None
        # Also puts the outputs to rest and unlinks the trigger inputs, which link to all
        # channels on a Pulse Pal that was just switched on.
        for step in (self._disarm, lambda: self._send_program({})):
            try:
                step()
            except InstrumentError as error:
                first_error = first_error or error
        if first_error is not None:
            raise first_error
        self._running_until_s = {}

    def _disarm(self) -> None:
        """Quiet at once, then clear the continuous-loop flags, which survive ops 80 and 81."""
        self._lengths_s = {}
        self._send(codec.abort())
        first_error: InstrumentError | None = None
        for channel in codec.CHANNELS:
            try:
                self._acknowledged(codec.continuous_off(channel))
            except InstrumentError as error:
                first_error = first_error or error
        # A trigger that the instrument kept during a train starts when that train is ended;
        # the second abort ends that one.
        self._send(codec.abort())
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
        """Send one command in one write; a split one freezes the instrument after 500 ms."""
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

    def _acknowledged(self, command: bytes) -> None:
        reply = self._ask(command, 1)
        if reply == codec.REJECTED:
            raise Refused(
                self._name,
                f"it refused op {command[1]} (firmware 22 and later check values).",
                "",
                ((">", command), ("<", reply)),
            )
        if reply != codec.ACK:
            raise ReplyError(
                self._name,
                f"op {command[1]} was answered by {reply.hex(' ')} instead of 01.",
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

"""Loopback, recording and faulty transports, and transcripts made and played."""

import pytest

from labrig_drivers.errors import PortLost
from labrig_drivers.transcript import (
    TranscriptMismatch,
    TranscriptTransport,
    parse_transcript,
    replay_against_simulator,
    transcript_text,
)
from labrig_drivers.transports.faulty import FaultyTransport, LinkFault
from labrig_drivers.transports.loopback import LoopbackTransport
from labrig_drivers.transports.recording import RecordingTransport


class Parrot:
    """Says what it hears, doubled; and what it was told to say later."""

    def __init__(self):
        self.later = {}

    def receive(self, data, now_s):
        return data + data

    def advance(self, now_s):
        return b"".join(self.later.pop(t) for t in sorted(self.later) if t <= now_s)

    def next_wake_s(self):
        return min(self.later, default=None)


def test_loopback_gives_what_has_been_said_by_now():
    parrot, now_s = Parrot(), 0.0
    parrot.later = {2.0: b"!"}
    link = LoopbackTransport(parrot, lambda: now_s)
    link.write(b"ab")
    assert (link.read(3, 1.0), link.read(9, 1.0), link.read(9, 1.0)) == (b"aba", b"b", b"")
    now_s = 2.0
    assert link.read(9, 0.0) == b"!"
    link.write(b"cd")
    assert (link.discard_input(), link.read(9, 0.0)) == (b"cdcd", b"")


@pytest.mark.parametrize(
    ("fault", "now", "stale"),
    [
        (LinkFault("drop_request"), b"", b""),
        (LinkFault("drop_reply"), b"", b""),
        (LinkFault("corrupt_reply", at=-1), b"abca" + b"b\x9c", b""),
        (LinkFault("truncate_reply", at=2), b"ab", b""),
        (LinkFault("delay_reply"), b"", b"abcabc"),
        (LinkFault("split_reply", at=4), b"abca", b"bc"),
    ],
)
def test_a_scripted_exchange_is_spoilt_and_no_other(fault, now, stale):
    link = FaultyTransport(LoopbackTransport(Parrot(), lambda: 0.0), {1: fault})
    for exchange, expected in enumerate((b"abcabc", now, b"abcabc")):
        assert link.discard_input() == (stale if exchange == 2 else b"")
        link.write(b"abc")
        assert b"".join(link.read(2, 1.0) for _ in range(4)) == expected


def test_late_bytes_pass_for_an_answer_when_nobody_discards_them():
    link = FaultyTransport(LoopbackTransport(Parrot(), lambda: 0.0), {0: LinkFault("delay_reply")})
    link.write(b"a")
    assert link.read(2, 1.0) == b""
    link.write(b"b")
    assert link.read(4, 1.0) == b"aabb"


def test_a_lost_port_stays_lost():
    link = FaultyTransport(LoopbackTransport(Parrot(), lambda: 0.0), {1: LinkFault("lost")}, "pump")
    link.write(b"a")
    for act in (
        lambda: link.write(b"a"),
        lambda: link.read(1, 1.0),
        link.discard_input,
        lambda: link.write(b"a"),
    ):
        with pytest.raises(PortLost, match="pump"):
            act()


def test_what_was_recorded_replays():
    records, now_s = [], 5.0
    link = RecordingTransport(
        LoopbackTransport(Parrot(), lambda: now_s),
        lambda *piece: records.append(piece),
        lambda: 5.0,
    )
    link.write(b"ab")
    assert link.read(1, 1.0) + link.read(9, 1.0) == b"abab"
    link.write(b"c")
    link.discard_input()
    link.write(b"d")
    link.read(9, 1.0)
    text = transcript_text(records, "a parrot")
    assert text.splitlines() == [
        "# a parrot",
        "> 61 62",
        "< 61 62 61 62",
        "> 63",
        "# discarded: 63 63",
        "> 64",
        "< 64 64",
    ]
    with pytest.raises(TranscriptMismatch, match="63 63"):
        replay_against_simulator(parse_transcript(text), Parrot())
    undisturbed = parse_transcript(text.replace("# discarded:", "<"))
    replay_against_simulator(undisturbed, Parrot())


STEPS = parse_transcript("> 01 02\n< 03 04\n~ 1.5\n> 05\n")


def play(*acts):
    link = TranscriptTransport(STEPS)
    for act in acts:
        if isinstance(act, bytes):
            link.write(act)
        else:
            link.read(act, 1.0)
    link.finish()


def test_a_transcript_played_in_full_passes_in_any_split():
    play(b"\x01\x02", 2, b"\x05")
    play(b"\x01", b"\x02", 1, 1, b"\x05")


@pytest.mark.parametrize(
    ("acts", "says"),
    [
        ((b"\x01\x02", 2), "never happened"),
        ((b"\x01\x02", 1, b"\x05"), "before reading 04"),
        ((b"\x01\x02", 2, b"\x05", b"\x06"), "does not expect 06"),
        ((b"\x01\x09",), "line 1 expects 01 02"),
        ((b"\x01",), "only the beginning"),
    ],
)
def test_every_byte_must_be_accounted_for(acts, says):
    with pytest.raises(TranscriptMismatch, match=says):
        play(*acts)


def test_a_simulator_that_says_otherwise_is_found_out():
    for text, says in (
        ("> 61\n< 61 62", "line 2"),
        ("> 61", "unasked"),
        ("> 61\n> 61", "before line 2"),
    ):
        with pytest.raises(TranscriptMismatch, match=says):
            replay_against_simulator(parse_transcript(text), Parrot())


@pytest.mark.parametrize("text", ["> 0", "? 01", "~ soon"])
def test_a_misspelt_transcript_names_the_line(text):
    with pytest.raises(ValueError, match="line 2"):
        parse_transcript(f"# heading\n{text}")

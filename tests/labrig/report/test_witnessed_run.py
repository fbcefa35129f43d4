"""The words about a commitment's time say no more than was witnessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from labrig.protocol.witness import Token, Witness, append_token
from labrig.report import witnessing
from labrig.report.integrity import CommitmentShown
from labrig.report.standing import standing
from labrig.report.witnessing import witness_of
from labrig.run_folder import RunFolder

CHAIN = "c" * 64
BEGAN = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
ROWS = [SimpleNamespace(kind="run", key="started", utc=BEGAN.isoformat())]


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Words for what tokens turn out to witness."""

    def of(*found, chain=CHAIN):
        folder = RunFolder(tmp_path)
        for _ in found:
            append_token(folder.witness, Token(chain, "http://tsa", ""))
        answers = iter(found)
        monkeypatch.setattr(witnessing, "check_token", lambda *_: next(answers))
        return witness_of(folder, {"commitment": CHAIN}, ROWS)

    return of


def test_a_stamp_from_before_the_run_witnesses_it(said):
    words = said(Witness(BEGAN - timedelta(hours=2), "Stamps Ltd", trusted=True))
    assert words == "witnessed at 2026-03-01 16:00 UTC by Stamps Ltd (RFC 3161)"


def test_a_stamp_from_after_its_beginning_does_not(said):
    words = said(Witness(BEGAN + timedelta(hours=2), "Stamps Ltd", trusted=True))
    assert words.endswith("its time before that is not witnessed")


def test_the_earliest_that_is_trusted_counts(said):
    words = said(
        Witness(BEGAN - timedelta(hours=9), "Nobody", trusted=False, fault="unknown"),
        Witness(BEGAN + timedelta(hours=2), "Late Ltd", trusted=True),
        Witness(BEGAN - timedelta(hours=1), "Stamps Ltd", trusted=True),
    )
    assert words.startswith("witnessed at 2026-03-01 17:00 UTC by Stamps Ltd")


def test_what_cannot_be_verified_is_not_witnessed(said):
    words = said(Witness(BEGAN, "Nobody", trusted=False, fault="unknown"))
    assert words.startswith("time not witnessed: a stamp names")


def test_a_stamp_of_another_commitment_counts_for_nothing(said):
    assert said(Witness(BEGAN, "Stamps Ltd", trusted=True), chain="d" * 64) == ""


def test_the_standing_of_a_run_says_it():
    entry = {"number": 0, "utc": "", "names": (), "reason": "", "sha256": "", "after_data": False}
    alone = standing(CommitmentShown((entry,), fits=True), pilot=False)
    assert "on this computer; time not witnessed" in alone.line
    seen = CommitmentShown((entry,), fits=True, witness="witnessed at 17:00 UTC by X (RFC 3161)")
    assert "on this computer; witnessed at 17:00 UTC by X" in standing(seen, pilot=False).line

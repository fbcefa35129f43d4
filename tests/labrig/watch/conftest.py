"""What the tests of the watch share."""

from __future__ import annotations

import pytest
from message_sinks import mail_sink, web_sink


@pytest.fixture
def own_state(tmp_path, monkeypatch):
    """A state folder of the test's own."""
    state = tmp_path / "state"
    monkeypatch.setenv("LABRIG_STATE", str(state))
    return state


@pytest.fixture
def mails():
    """A mail server of the test's own."""
    sink = mail_sink()
    yield sink
    sink.close()


@pytest.fixture
def hook():
    """A webhook of the test's own."""
    sink = web_sink()
    yield sink
    sink.close()

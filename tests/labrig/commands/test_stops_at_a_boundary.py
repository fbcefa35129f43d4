"""`labrig stop --at-boundary` and `hold --at-boundary`: accepted is accepted, whoever goes then."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from labrig.cli import app
from labrig.commands import doors, exit_codes
from labrig.run.control_client import NoRunner


class _JustGone:
    """A door that takes the command, and is closed before it is asked when that comes."""

    def stop_at_boundary(self, reason, by, grace_s):
        return {"accepted": True}

    def hold(self, reason, by, at_boundary):
        return {"accepted": True}

    def status(self):
        raise NoRunner("nobody answers at its door")


@pytest.mark.parametrize("what", ["stop", "hold"])
@pytest.mark.parametrize(("ended", "says"), [
    (True, "now: nothing was in progress"),
    (False, "by whoever takes it over"),
])  # fmt: skip
def test_it_is_told_as_accepted_when_its_runner_has_just_gone(
    tmp_path, monkeypatch, what, ended, says
):
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{}")
    if ended:
        (run / "outcome.json").write_text(json.dumps({"condition": "stopped", "counters": {}}))
    monkeypatch.setattr(doors, "answering", lambda chosen: _JustGone())
    said = CliRunner().invoke(app, [what, "--at-boundary", str(run)])
    assert (said.exit_code, said.exception) == (exit_codes.OK, None)
    assert says in said.output

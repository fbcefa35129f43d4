"""The other side of ``control``: how the CLI, the flows and the page speak to a runner."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class NoRunner(Exception):
    """No runner answers for this run folder."""


class CommandRefused(Exception):
    """The runner understood and said no; the message is its own."""


@dataclass(frozen=True, slots=True)
class RunnerClient:
    """Speaks to one live runner. Made by :func:`connect`.

    Attributes:
        via: through what people speak here; goes into the journal with every act.
    """

    host: str
    port: int
    token: str
    timeout_s: float = 5.0
    via: str = ""

    def status(self) -> dict[str, Any]:
        """What the runner shows of itself. Raises NoRunner."""
        return self._ask("GET", "/status", None)

    def stop(
        self,
        reason: str = "",
        command_id: str | None = None,
        by: str = "",
        asked_utc: str = "",
        grace_s: float = 0.0,
        abort: bool = False,
    ) -> dict[str, Any]:
        """Safe state now, and the end of the run when it can be taken back no longer.

        Within ``grace_s`` seconds of people's time :meth:`take_back` undoes it. After an
        ``abort`` pumps that feed the cells stand, if the rig says so.

        Raises:
            NoRunner: nobody answers.
        """
        args = {"reason": reason, "by": by, "asked_utc": asked_utc, "grace_s": repr(grace_s)}
        if abort:
            args["abort"] = "yes"
        return self._command("stop", command_id, **args)

    def stop_at_boundary(
        self, reason: str = "", command_id: str | None = None, by: str = "", grace_s: float = 0.0
    ) -> dict[str, Any]:
        """Stop once nothing is in progress; until then :meth:`take_back` withdraws it.

        Args:
            reason: why.
            command_id: of one that may be repeated.
            by: who.
            grace_s: for so many seconds of people's time after the stop it can be taken back.

        Raises:
            NoRunner, CommandRefused: it was not taken.
        """
        args = {"reason": reason, "by": by, "grace_s": repr(grace_s)}
        return self._command("stop-at-boundary", command_id, **args)

    def take_back(self, by: str = "", command_id: str | None = None) -> dict[str, Any]:
        """Undo a stop, or one that waits for its boundary. Raises NoRunner, CommandRefused."""
        return self._command("take-back", command_id, by=by)

    def hold(
        self,
        reason: str = "",
        command_id: str | None = None,
        by: str = "",
        at_boundary: bool = False,
    ) -> dict[str, Any]:
        """Pause events and stimulation; perfusion goes on.

        Args:
            reason: why.
            command_id: of one that may be repeated.
            by: who.
            at_boundary: once nothing is in progress, instead of now.

        Raises:
            NoRunner: none answers.
        """
        at = {"at": "boundary"} if at_boundary else {}
        return self._command("hold", command_id, reason=reason, by=by, **at)

    def resume(self, command_id: str | None = None, by: str = "") -> dict[str, Any]:
        """Go on after a hold. Raises NoRunner."""
        return self._command("resume", command_id, by=by)

    def withdraw_hold(self, by: str = "") -> dict[str, Any]:
        """Have no hold at the next boundary; one that has come by now stands.

        Raises:
            NoRunner, CommandRefused: none waits.
        """
        return self._command("resume", None, by=by, only="waiting")

    def answer(
        self,
        question: str,
        choice: str,
        command_id: str | None = None,
        by: str = "",
        reason: str = "",
    ) -> dict[str, Any]:
        """Answer a question that stands; a reason is kept with a step. Raises as :meth:`step`."""
        why = {"reason": reason} if reason else {}
        return self._command("answer", command_id, question=question, choice=choice, by=by, **why)

    def step(
        self,
        step: str,
        act: str,
        by: str,
        done_s: float | None = None,
        reason: str = "",
        command_id: str | None = None,
    ) -> dict[str, Any]:
        """Say that a step of people begins, was done, or is refused.

        Args:
            step: key of its question.
            act: begin, done or refuse.
            by: who signs.
            done_s: when it happened, on the run's clock; None: now.
            reason: why it is refused; of one that was done, a note.
            command_id: of an act that may be repeated.

        Raises:
            NoRunner, CommandRefused: it was not taken.
        """
        when = {} if done_s is None else {"done_s": repr(done_s)}
        return self._command("step", command_id, step=step, act=act, by=by, reason=reason, **when)

    def refill(
        self,
        supply: str,
        act: str,
        by: str,
        to_ml: float | None = None,
        done_s: float | None = None,
        reason: str = "",
        command_id: str | None = None,
    ) -> dict[str, Any]:
        """Say that a bottle is filled up, a syringe changed or the waste emptied, asked or not.

        Args:
            supply: name of the reservoir, or ``waste``.
            act: begin, done or refuse.
            by: who signs.
            to_ml: what it holds now, its unusable rest included; None: it is full.
            done_s: when it happened, on the run's clock; None: now.
            reason: why it is refused; of one that was done, a note.
            command_id: of an act that may be repeated.

        Raises:
            NoRunner, CommandRefused: it was not taken.
        """
        more = {} if done_s is None else {"done_s": repr(done_s)}
        if to_ml is not None:
            more["to_ml"] = repr(to_ml)
        return self._command(
            "refill", command_id, supply=supply, act=act, by=by, reason=reason, **more
        )

    def reading(
        self,
        meter: str,
        value: float,
        by: str,
        done_s: float | None = None,
        note: str = "",
        command_id: str | None = None,
    ) -> dict[str, Any]:
        """Enter what somebody measured by hand.

        Args:
            meter: as the rig's ``by_hand`` names it.
            value: in the unit of its quantity.
            by: who.
            done_s: when, on the run's clock; None: now.
            note: goes into the journal.
            command_id: of one that may be repeated.

        Raises:
            NoRunner, CommandRefused: it was not taken.
        """
        when = {} if done_s is None else {"done_s": repr(done_s)}
        return self._command(
            "reading", command_id, meter=meter, value=repr(value), by=by, reason=note, **when
        )

    def note(self, text: str, by: str = "", command_id: str | None = None) -> dict[str, Any]:
        """Write what a person did into the journal. Raises NoRunner."""
        return self._command("note", command_id, text=text, by=by)

    def weigh(
        self, reservoir: str, when: str, grams: float, by: str = "", command_id: str | None = None
    ) -> dict[str, Any]:
        """Write down a reservoir's weight before or after. Raises NoRunner, CommandRefused."""
        return self._command(
            "weigh", command_id, reservoir=reservoir, when=when, grams=repr(grams), by=by
        )

    def capture(self, assay: str, thresholds: Mapping[str, float | None]) -> dict[str, Any]:
        """Say what a staircase found on each channel; the first word on a channel counts.

        Raises:
            NoRunner, CommandRefused: it was not taken.
        """
        text = json.dumps(dict(sorted(thresholds.items())))
        return self._command("capture", f"capture:{assay}", assay=assay, thresholds=text)

    def amend(self, args: Mapping[str, str], command_id: str | None = None) -> dict[str, Any]:
        """Put a plan in force that lies in the run folder (`labrig.launch.amending`).

        Raises:
            NoRunner, CommandRefused: it was not taken.
        """
        return self._command("amend", command_id, **args)

    def phase(self, name: str, command_id: str | None = None) -> dict[str, Any]:
        """The conductor says which phase it is in. Raises NoRunner."""
        return self._command("phase", command_id, name=name)

    def unfollowed(self, command_id: str | None = None) -> dict[str, Any]:
        """Tell that nobody follows the run: an alarm until :meth:`followed`. Raises NoRunner."""
        return self._command("unfollowed", command_id)

    def followed(self, command_id: str | None = None) -> dict[str, Any]:
        """Tell that somebody follows the run again. Raises NoRunner."""
        return self._command("followed", command_id)

    def _command(self, verb: str, command_id: str | None, **args: str) -> dict[str, Any]:
        body = {"command_id": command_id or str(uuid.uuid4()), **args}
        if self.via:
            body["via"] = self.via
        return self._ask("POST", f"/{verb}", body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout_s)
        try:
            connection.request(
                method,
                path,
                None if body is None else json.dumps(body),
                {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            )
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoRunner(
                f"no runner answers at {self.host}:{self.port} ({error}). If it was killed, "
                "`labrig resume` goes on with its run, and `labrig stop` makes the bench safe."
            ) from error
        finally:
            connection.close()
        if response.status == 401:
            # Its port is another runner's by now.
            raise NoRunner(
                f"the runner that had {self.host}:{self.port} is gone: another program answers "
                "there. If it was killed, `labrig resume` goes on with its run."
            )
        if response.status == 503:
            # Whoever stops a run tries the next runner, or finds how the run has ended.
            raise NoRunner(str(answer.get("error", answer)))
        if response.status != 200:
            raise CommandRefused(str(answer.get("error", answer)))
        return answer


def connect(control: Path, timeout_s: float = 5.0) -> RunnerClient:
    """A client for the runner that wrote this ``control.json``. Sends nothing.

    Raises:
        NoRunner: there is no such file: no runner lives in that folder.
    """
    try:
        raw = json.loads(control.read_text(encoding="utf-8"))
        return RunnerClient(raw["host"], int(raw["port"]), raw["token"], timeout_s)
    except FileNotFoundError:
        raise NoRunner(
            f"no runner lives in {control.parent}: `labrig status {control.parent}` says how its "
            "run stands."
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise NoRunner(f"{control} cannot be read ({error}).") from error

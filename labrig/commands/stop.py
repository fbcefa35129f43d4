"""``labrig stop``: the way to safety, for a runner that lives, hangs or is dead.

Imports next to nothing, because somebody who stops a run is in a hurry.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labrig.commands import exit_codes
from labrig.commands.doors import doors_of
from labrig.commands.which_run import ChosenRun, NoSuchRun, SeveralRuns, chosen_run, told_of
from labrig.durable import read_json
from labrig.login_name import login_name
from labrig.pasted import pasted
from labrig.run.control_client import CommandRefused, NoRunner
from labrig.run.grace import GRACE_S
from labrig.run.stop_file import StopRequest, write_stop
from labrig.run_folder import NotARunFolder

Say = Callable[[str], None]
ANSWER_WITHIN_S = 3.0
"""[P] A runner that has not answered a stop by then is told as one that hangs."""
DISK_WITHIN_S = 1.0
"""[P] So long the door may wait for ``stop.json``: a slow disk must not hold up a stop."""
AGAIN_S = 0.1
SAFE_WITHIN_S = 180.0
"""[P] A bench whose instruments are all silent is given up by its worker before that."""


@dataclass(frozen=True, slots=True)
class Options:
    """As given on the command line."""

    run: Path | None = None
    runs: Path | None = None
    reason: str = ""
    by: str = ""
    as_json: bool = False
    grace_s: float = GRACE_S
    abort: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What is said, and how the command ends."""

    status: int
    state: str
    text: str


def options_of(arguments: list[str]) -> Options | None:
    """Read the command line; None when it is not plain, and typer is to explain it."""
    texts = {"--reason": "", "--by": "", "--runs": ""}
    run, as_json, grace_s = "", False, GRACE_S
    rest = iter(arguments)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in texts:
            given = value if equals else next(rest, None)
            if given is None:
                return None
            texts[name] = given
        elif word == "--json":
            as_json = True
        elif word == "--final":
            grace_s = 0.0
        elif word.startswith("-") or run:
            return None
        else:
            run = word
    return Options(
        Path(run) if run else None,
        Path(texts["--runs"]) if texts["--runs"] else None,
        texts["--reason"],
        texts["--by"],
        as_json,
        grace_s,
    )


def stop_from_command_line(options: Options) -> int:
    """Stop, say what came of it, and return the exit status."""
    try:
        chosen = chosen_run(options.run, options.runs)
    except (NoSuchRun, SeveralRuns, NotARunFolder, PermissionError) as error:
        print(f"Nothing was stopped: {error}", file=sys.stderr)
        return exit_codes.NO_RUNNER if isinstance(error, NoSuchRun) else exit_codes.REFUSED
    say: Say = _silent if options.as_json else _say
    by = options.by or login_name()
    request = StopRequest.now(options.reason, by, options.grace_s, options.abort)
    told = stop_run(chosen, request, say)
    if options.as_json:
        print(
            json.dumps(
                {
                    "run": str(chosen.folder.root),
                    "rig": chosen.rig,
                    "bench": chosen.bench,
                    "accepted": told.state in ("stopping", "safe", "ended"),
                    "state": told.state,
                    "said": told.text,
                }
            )
        )
    else:
        print(told.text)
        if chosen.beside:
            print(told_of(chosen.beside), file=sys.stderr)
    return told.status


def _say(text: str) -> None:
    print(text, flush=True)


def _silent(text: str) -> None:
    """A script reads the JSON at the end."""


def stop_run(chosen: ChosenRun, request: StopRequest, say: Say) -> Told:
    """Stop a run, whatever its runner is up to.

    Args:
        chosen: the run.
        request: who stops it, and why.
        say: told what is under way when it takes long.
    """
    ended = _ended(chosen)
    if ended is not None:
        return ended
    on_disk = _written(chosen, request)
    until = time.monotonic() + ANSWER_WITHIN_S
    while True:
        told = _at_the_door(chosen, request, until - time.monotonic())
        if told is not None:
            return told
        if not chosen.runner_lives:
            told = _ended(chosen) or _make_safe(chosen, on_disk, say)
            if told is not None:
                return told
        elif time.monotonic() > until:
            return _hangs(chosen, on_disk)
        time.sleep(AGAIN_S)


def _ended(chosen: ChosenRun) -> Told | None:
    """What is said of a run that has ended already; one that failed may have left much on."""
    if not chosen.folder.outcome.exists() or chosen.runner_lives:
        return None
    try:
        condition = str(read_json(chosen.folder.outcome)["condition"])
    except (OSError, ValueError, KeyError):
        return None
    if condition not in ("finished", "stopped"):
        return None
    return Told(
        exit_codes.OK, "ended", f"{chosen.named} has {condition} already: nothing is left to stop."
    )


def _written(chosen: ChosenRun, request: StopRequest) -> str:
    """Put ``stop.json`` on the disk; why that did not work, or empty."""
    problem = [f"its disk did not take it within {DISK_WITHIN_S:.0f} s"]

    def write() -> None:
        try:
            write_stop(chosen.folder.stop, request)
            problem[0] = ""
        except OSError as error:
            problem[0] = str(error)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    thread.join(DISK_WITHIN_S)
    return problem[0]


def _at_the_door(chosen: ChosenRun, request: StopRequest, within_s: float) -> Told | None:
    for door in doors_of(chosen, max(within_s, AGAIN_S)):
        try:
            door.stop(
                request.reason,
                request.command_id,
                request.by,
                request.asked_utc,
                request.grace_s,
                request.abort,
            )
        except NoRunner:
            continue
        except CommandRefused as error:
            return Told(exit_codes.REFUSED, "refused", f"{chosen.named} was NOT stopped: {error}")
        return Told(exit_codes.OK, "stopping", _stopping(chosen, request.grace_s))
    return None


def _stopping(chosen: ChosenRun, grace_s: float) -> str:
    text = f"{chosen.named} is being stopped"
    if not grace_s:
        return f"{text}."
    ends = time.strftime("%H:%M:%S", time.localtime(time.time() + grace_s))
    return (
        f"{text}: impulses and doses are off, medium goes on. The run ends at {ends}.\n"
        f"To take it back until then: labrig take-back {pasted(chosen.folder.root)}"
    )


def _hangs(chosen: ChosenRun, problem: str) -> Told:
    entry = chosen.registered
    pid = f" (process {entry.pid})" if entry is not None else ""
    waits = (
        "The stop lies in its folder (stop.json): it is carried out the moment the runner wakes, "
        "and by any runner that takes over."
        if not problem
        else f"The stop could not be put into its folder either ({problem})."
    )
    end_it = f"`kill -9 {entry.pid}`" if entry is not None else "end that process"
    return Told(
        exit_codes.NO_RUNNER,
        "hangs",
        f"{chosen.named} is NOT known to be stopped: its runner{pid} lives but does not answer.\n"
        f"{waits}\nUntil then pumps keep their last rates; impulses end by themselves within "
        f"10 s. To make the bench safe without it: {end_it}, then `labrig stop "
        f"{pasted(chosen.folder.root)}`.",
    )


def _make_safe(chosen: ChosenRun, problem: str, say: Say) -> Told | None:
    """Take a dead runner's bench over only to stop it; None: somebody else took it over."""
    from subprocess import TimeoutExpired

    from labrig.launch.concluding import conclude_if_ended
    from labrig.launch.runner_child import RunnerOptions, last_log_line, start_runner
    from labrig.record.glimpse import last_word
    from labrig.record.integrity import refuse_if_lost
    from labrig.record.rows import JournalError

    folder = chosen.folder
    if not folder.identity.exists():
        return Told(
            exit_codes.REFUSED, "refused", f"{chosen.named}: its folder and its runner are gone."
        )
    try:
        refuse_if_lost(folder.root)
        last = last_word(folder.journal)
    except JournalError as error:
        return _without_journal(chosen, error)
    if last in ("finished", "stopped"):
        conclude_if_ended(folder)
        return _ended(chosen)
    if not last:
        return Told(
            exit_codes.OK,
            "ended",
            f"{chosen.named} has not begun: nothing was sent to any instrument, and no runner "
            "will begin it now.",
        )
    if problem:
        return Told(
            exit_codes.REFUSED,
            "refused",
            f"{chosen.named} was NOT stopped: its runner is dead, and the stop could not be put "
            f"into its folder ({problem}), so that whoever takes over would go on with the run. "
            "Mend that and repeat; until then pumps keep their last rates.",
        )
    say(f"The runner of {chosen.named} is dead: its bench is taken over only to make it safe ...")
    child = start_runner(folder, RunnerOptions())
    try:
        child.wait(SAFE_WITHIN_S)
    except TimeoutExpired:
        return Told(
            exit_codes.NO_RUNNER,
            "hangs",
            f"{chosen.named}: the bench is not safe after {SAFE_WITHIN_S:.0f} s. Process "
            f"{child.pid} goes on trying; `labrig status {pasted(folder.root)}` says how it "
            "stands.",
        )
    if chosen.runner_lives:
        return None
    if not folder.outcome.exists():
        return Told(
            exit_codes.INSTRUMENT if child.returncode == exit_codes.INSTRUMENT
            else exit_codes.REFUSED,
            "refused",
            f"{chosen.named} was NOT made safe: {last_log_line(folder)}",
        )  # fmt: skip
    return _made_safe(chosen)


def _without_journal(chosen: ChosenRun, error: Exception) -> Told:
    """Nobody can say what was sent, and none takes such a run over: a person must go there."""
    return Told(
        exit_codes.REFUSED,
        "refused",
        f"{chosen.named} was NOT stopped: its runner is dead, and its journal is lost. Pumps keep "
        "their last rates where they can. Go to the bench and switch off by hand what may still "
        f"act: {', '.join(_acting(chosen.folder.bench)) or 'every pump and stimulator'}.\n{error}",
    )


def _acting(bench: Path) -> list[str]:
    """Names of all instruments; empty where that cannot be read either."""
    try:
        return [str(entry["name"]) for entry in read_json(bench)["instruments"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _made_safe(chosen: ChosenRun) -> Told:
    from labrig.record.glimpse import still_turning

    outcome = read_json(chosen.folder.outcome)
    unsafe = outcome.get("unsafe", [])
    if outcome["condition"] != "stopped":
        why = "; ".join([*outcome.get("failures", []), *outcome.get("shortfalls", [])])
        return Told(
            exit_codes.ENDED_EARLY,
            "failed",
            f"{chosen.named} ended as {outcome['condition']} while it was being made safe ({why}). "
            "Look at every instrument at the bench.",
        )
    text = (
        f"{chosen.named} is stopped: impulses are off, doses and additives are off, and no level "
        "was set."
    )
    turning = still_turning(chosen.folder.journal)
    if turning:
        text += f"\nStill turning, as they were found: {', '.join(turning)}."
    if unsafe:
        text += f"\nNOT confirmed safe: {', '.join(unsafe)}. Look at them at the bench."
    return Told(exit_codes.PARTLY if unsafe else exit_codes.OK, "safe", text)

"""Shows a running night in the terminal: how far, what phase, what stands against it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from labrig.commands.status_display import answer_lines
from labrig.display.alarms import alarm_from, alarm_words
from labrig.display.legend import Legend, zero_of
from labrig.display.questions import question_from, question_words
from labrig.display.times import length_words
from labrig.durable import DamagedFile, read_json
from labrig.night.telling import legend_of_run, who_and_why
from labrig.pasted import pasted
from labrig.plan.store import read_plan
from labrig.plan.timeline import Frame
from labrig.record.vocabulary import DIED
from labrig.run.register import bench_of

if TYPE_CHECKING:
    from labrig.night.conduct import NightResult
    from labrig.night.following import Glance
    from labrig.plan.plan import Plan
    from labrig.run_folder import RunFolder


class NightDisplay:
    """A progress line for the night and one for the measures; alarms are printed once.

    Args:
        folder: the run.
        plan: its plan.
        quiet: show nothing (a script reads the JSON at the end).
    """

    def __init__(self, folder: RunFolder, plan: Plan, *, quiet: bool) -> None:
        self._folder = folder
        self._plan = plan
        self._console = Console(stderr=True, highlight=False, quiet=quiet)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
        )
        self._plan_file = folder.plan_in_force
        self._night = self._progress.add_task("night", total=plan.forecast.duration_s, note="")
        self._rounds = self._progress.add_task("rounds measured", total=_rounds(plan), note="")
        self._said: set[tuple[str, str]] = set()
        self._ends = ""

    @cached_property
    def _names(self) -> Legend:
        return legend_of_run(self._folder)

    def __enter__(self) -> NightDisplay:
        self.open()
        return self

    def open(self) -> None:
        """Say what runs, and begin to draw."""
        pilot = " [yellow]pilot[/]" if self._plan.pilot else ""
        pictures = f"{self._plan.forecast.frames} pictures"
        if self._what() == "rehearsal":
            self._progress.update(self._rounds, visible=False)
            pictures = "[yellow]REHEARSAL: no picture is taken, nothing reaches an instrument[/]"
        self._console.print(
            f"[bold]{self._plan.protocol_name}[/] on {self._plan.rig_name}{pilot}: "
            f"{len(self._plan.wells)} wells, {length_words(self._plan.forecast.duration_s)}, "
            f"{pictures}"
        )
        self._console.print(f"run folder: {self._folder.root.absolute()}", soft_wrap=True)
        self._progress.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the last picture standing."""
        self._progress.stop()

    def show(self, seen: Glance, measured: int, in_work: int) -> None:
        """Draw one look at the run."""
        self._see_amendment(seen)
        total_s = self._plan.forecast.duration_s
        now_s = total_s if seen.condition == "finished" else seen.now_s
        standing = seen.condition if seen.condition not in ("running", "starting") else seen.phase
        note = " ".join(
            [standing or seen.condition]
            + [
                f"{name} {count}"
                for name, count in seen.counters.items()
                if name in ("missed", "skipped", "failed", "unknown", "deviations")
            ]
        )
        self._progress.update(self._night, completed=now_s, note=note)
        self._progress.update(
            self._rounds, completed=measured, note=f"{in_work} in work" if in_work else ""
        )
        if self._ends == "" and seen.utc and seen.now_s is not None:
            self._ends = self._legend(seen).clock(total_s)
            self._say(f"ends {self._ends}")
        self._show_phase(seen)
        for alarm in seen.alarms:
            about = (str(alarm["code"]), str(alarm["about"]))
            if about not in self._said:
                words = alarm_words(alarm_from(alarm), self._legend(seen))
                self._say_once(about, f"[bold red]ALARM[/] {escape(words.text)}")
        self._show_questions(seen)
        if seen.condition == "held" and ("held", "") not in self._said:
            who = who_and_why(self._folder, "held", self._legend(seen)) or "by nobody knows whom"
            self._say_once(
                ("held", ""),
                f"[bold]HELD[/] {escape(who)}. No event begins and no impulse is given; perfusion "
                f"goes on. Go on: labrig resume {escape(pasted(self._folder.root))}",
            )
        elif seen.condition == "running":
            self._said.discard(("held", ""))

    def _see_amendment(self, seen: Glance) -> None:
        """The protocol was amended: the run ends at another time, with other pictures."""
        if self._plan_file == self._folder.plan_in_force:
            return
        self._plan_file = self._folder.plan_in_force
        self._plan = read_plan(self._folder)
        self._progress.update(self._night, total=self._plan.forecast.duration_s)
        self._progress.update(self._rounds, total=_rounds(self._plan))
        self.__dict__.pop("_names", None)
        who = who_and_why(self._folder, "amended", self._legend(seen)) or "by nobody knows whom"
        self._say(f"[bold]AMENDED[/] {escape(who)}")
        self._ends = ""

    def _show_phase(self, seen: Glance) -> None:
        """A line for each phase where no bar can be drawn: in a file, or a log of a computer."""
        if self._console.is_terminal or seen.now_s is None or not seen.phase:
            return
        at = self._legend(seen).moment(seen.now_s)
        self._say_once(("phase", seen.phase), escape(f"{seen.phase}: {at}"))

    def _show_questions(self, seen: Glance) -> None:
        """Print each that stands; one that was answered may be asked again."""
        if seen.now_s is not None:
            standing = {str(question["id"]) for question in seen.questions}
            self._said -= {s for s in self._said if s[0] == "question" and s[1] not in standing}
        for question in seen.questions:
            if ("question", str(question["id"])) in self._said:
                continue
            words = question_words(question_from(question), self._legend(seen))
            self._say_once(
                ("question", words.id),
                f"[bold]QUESTION[/] {escape(words.text)}\n"
                + escape("\n".join(answer_lines(words, self._folder.root))),
            )

    def _legend(self, seen: Glance) -> Legend:
        """With the time of day as it is believed now: a clock that was set moves all times."""
        if not seen.utc or seen.now_s is None:
            return self._names
        return replace(self._names, zero=zero_of(seen.utc, seen.now_s))

    def _say_once(self, what: tuple[str, str], text: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._say(text)

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)

    def _what(self) -> str:
        """What came to its end: nobody must take a rehearsal for a night."""
        try:
            bench = bench_of(read_json(self._folder.identity))
        except (OSError, DamagedFile):
            return "night"
        return {"simulated": "simulated night", "rehearsal": "rehearsal"}.get(bench, "night")

    def conclude(self, result: NightResult) -> None:
        """Say how it ended and where to read on."""
        style = "green" if result.condition == "finished" else "bold red"
        if result.condition == DIED:
            self._console.print(
                "[bold red]The runner died before the night was over.[/] Stimulation has ended by "
                "itself; pumps keep their last rates where they can.\n"
                f"Go on with the night: labrig resume {escape(pasted(self._folder.root))}",
                soft_wrap=True,
            )
        else:
            self._console.print(f"The {self._what()} has [{style}]{result.condition}[/].")
        for why in result.why:
            self._console.print(f"[bold red]{escape(why)}[/]", soft_wrap=True)
        for name, why in result.failed:
            self._console.print(f"[red]{escape(name)} could not be done:[/] {escape(why)}")
        self._console.print("Report:", end=" ")
        Console(highlight=False, soft_wrap=True).print(str(result.report))


def _rounds(plan: Plan) -> int:
    return len({entry.round for entry in plan.timeline if isinstance(entry, Frame)})

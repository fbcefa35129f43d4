"""Mounts the commands: one function each, which imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from labrig.commands.amend import amend
from labrig.commands.check import check
from labrig.commands.commit import commit
from labrig.commands.control import abort, answer, follow, hold, resume, status, stop
from labrig.commands.demo import demo
from labrig.commands.doctor import doctor
from labrig.commands.done import done
from labrig.commands.drill import drill
from labrig.commands.experiment import app as experiment
from labrig.commands.export import export
from labrig.commands.film import film
from labrig.commands.help_text import help_text
from labrig.commands.init import init
from labrig.commands.measure import measure
from labrig.commands.note import note
from labrig.commands.page import page
from labrig.commands.power import power
from labrig.commands.reading import reading
from labrig.commands.ready import ready
from labrig.commands.refill import refill
from labrig.commands.report import report
from labrig.commands.results import results, samples
from labrig.commands.review import agree, review
from labrig.commands.run import run
from labrig.commands.runs import runs
from labrig.commands.seed import app as seed
from labrig.commands.serve import serve
from labrig.commands.service import app as service
from labrig.commands.sim import sim
from labrig.commands.soak import soak
from labrig.commands.study import study
from labrig.commands.take_back import take_back
from labrig.commands.unblind import unblind
from labrig.commands.verify import verify
from labrig.commands.watch import app as watch
from labrig.commands.weigh import weigh

app = typer.Typer(
    name="labrig",
    help="Run nerve-muscle culture experiments: from a protocol to a morning report.\n\n"
    "Start with `labrig demo`. Then `labrig init my-lab`, edit a protocol, `labrig check` it, "
    "`labrig commit` it, and `labrig run` it.",
    epilog="Exit status: 0 done; 1 refused (a file is wrong, a finding blocks); 2 wrong command "
    "line; 3 no runner answers; 4 the run ended early; 5 an instrument is missing or wrong; "
    "6 part of the work failed.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"labrig {version('labrig')}")
        raise typer.Exit


@app.callback()
def _options(
    asked: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_tell_version, help="Say the version and exit."
        ),
    ] = False,
) -> None:
    """Options of the command itself."""


BENCH, FILES = "At the bench", "Images and reports"
for command, panel in (
    (demo, None),
    (init, None),
    (check, None),
    (power, None),
    (commit, None),
    (run, BENCH),
    (status, BENCH),
    (runs, BENCH),
    (stop, BENCH),
    (abort, BENCH),
    (take_back, BENCH),
    (hold, BENCH),
    (resume, BENCH),
    (amend, BENCH),
    (answer, BENCH),
    (done, BENCH),
    (refill, BENCH),
    (reading, BENCH),
    (samples, BENCH),
    (note, BENCH),
    (follow, BENCH),
    (weigh, BENCH),
    (serve, BENCH),
    (page, BENCH),
    (ready, BENCH),
    (doctor, BENCH),
    (sim, BENCH),
    (drill, BENCH),
    (soak, BENCH),
    (measure, FILES),
    (review, FILES),
    (agree, FILES),
    (film, FILES),
    (results, FILES),
    (report, FILES),
    (unblind, FILES),
    (study, FILES),
    (export, FILES),
    (verify, FILES),
):
    told = help_text(command.__doc__)
    app.command(help=told, rich_help_panel=panel or "Preparing")(command)

app.add_typer(experiment, name="experiment", rich_help_panel="Preparing")
app.add_typer(seed, name="seed", rich_help_panel="Preparing")
app.add_typer(watch, name="watch", rich_help_panel=BENCH)
app.add_typer(service, name="service", rich_help_panel=BENCH)

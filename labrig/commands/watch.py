"""``labrig watch``: the process that tells people, its routes, and "I see to it"."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labrig.commands import exit_codes
from labrig.commands.control import ByOption
from labrig.login_name import login_name

if TYPE_CHECKING:
    from datetime import datetime

    from labrig.watch.book import Book, Entry

app = typer.Typer(rich_markup_mode="rich")

REMOTE_PORT = 8931
RemoteOption = Annotated[
    bool, typer.Option("--remote", help="Of the watch here that listens to other computers.")
]


class Takes(StrEnum):
    """Least severity of what goes by a route."""

    CALL = "call"
    TELL = "tell"
    NOTE = "note"


@app.callback(invoke_without_command=True)
def watch(
    context: typer.Context,
    remote: Annotated[
        bool,
        typer.Option(
            "--remote",
            help="On a second computer: listen to the heartbeats of others, and alarm when one "
            "falls silent.",
        ),
    ] = False,
    host: Annotated[
        str, typer.Option(help="With --remote: the address on which it listens.")
    ] = "0.0.0.0",
    port: Annotated[int, typer.Option(help="With --remote: of the heartbeats.")] = REMOTE_PORT,
) -> None:
    """Tell people when a run wants somebody: by mail, chat, telephone, whatever apprise knows.

    It looks at every run of yours on this computer, and outlives runner, page and Prefect. `labrig
    run` and `labrig serve` start one where routes are set up; `labrig service install` has the
    system keep it. It changes nothing of a run. Ctrl-C ends it.

    Begin with `labrig watch add` and `labrig watch test`; docs/watch.md has the whole of it.
    """
    if context.invoked_subcommand is not None:
        return
    if remote:
        from labrig.watch.remote import listen

        raise typer.Exit(listen(host, port, typer.echo))
    from labrig.watch.process import main
    from labrig.watch.routes import load_routes

    if not load_routes().routes:
        typer.echo("No alarm route is set up yet: `labrig watch add NAME` sets one up.", err=True)
    raise typer.Exit(main([]))


@app.command()
def routes() -> None:
    """List the alarm routes: who is told by which way, and when each was last tried out."""
    from labrig.watch.places import routes_file
    from labrig.watch.routes import load_routes
    from labrig.watch.sending import shown
    from labrig.watch.trials import last_trial

    lab = load_routes()
    typer.echo(f"{routes_file()}")
    if not lab.routes:
        typer.echo("No alarm route is set up: `labrig watch add NAME` sets one up.")
    for route in lab.routes:
        later = f", after {route.after_min:g} min without an answer" if route.after_min else ""
        trial = last_trial(route)
        if trial is None:
            tried = "never tried out"
        else:
            tried = f"tried out {_clock(trial.at)}: {trial.failure or 'sent'}"
        typer.echo(f"{route.name}: {route.takes}{later}, {tried}\n    {shown(route.url)}")
    if lab.quiet_hours:
        quiet = lab.quiet_hours
        typer.echo(f"quiet from {quiet.from_} to {quiet.to}: only calls are sent then")
    if lab.heartbeat:
        typer.echo(f"heartbeat every {lab.heartbeat.every_s:g} s")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Of the route, e.g. phone or lab-mail.")],
    url: Annotated[
        str, typer.Argument(help="As apprise reads it; asked for when missing.", show_default=False)
    ] = "",
    takes: Annotated[Takes, typer.Option(help="This and what is graver goes by it.")] = Takes.TELL,
    after: Annotated[
        float,
        typer.Option(help="A call that nobody acknowledged comes here after so many minutes."),
    ] = 0.0,
) -> None:
    """Set up an alarm route, or change the one of that name.

    A URL holds a password as a rule: leave it out here and it is asked for, so that it is in no
    shell's history. Examples of URLs: mailtos://USER:PASSWORD@example.org?to=WHOM,
    ntfy://ntfy.sh/TOPIC, slack://TOKENS, msteams://TOKENS.
    """
    from pydantic import ValidationError

    from labrig.watch.routes import Route, load_routes, save_routes
    from labrig.watch.sending import HOW_TO_WRITE, fault_of_url, shown

    url = url or typer.prompt("URL of the route", hide_input=True)
    if fault := fault_of_url(url):
        raise typer.BadParameter(f"{fault}. {HOW_TO_WRITE}", param_hint="URL")
    try:
        route = Route(name=name, url=url, takes=takes.value, after_min=after)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        raise typer.BadParameter(f"{wrong['loc'][0]}: {wrong['msg']}") from None
    lab = load_routes()
    others = tuple(other for other in lab.routes if other.name != name)
    save_routes(lab.model_copy(update={"routes": (*others, route)}))
    typer.echo(f"{name}: {shown(url)}\nTry it out: labrig watch test {name}")


@app.command()
def remove(name: Annotated[str, typer.Argument(help="Of the route.")]) -> None:
    """Remove an alarm route."""
    from labrig.watch.routes import load_routes, save_routes

    lab = load_routes()
    if lab.named(name) is None:
        raise typer.BadParameter(_no_such_route(name, [route.name for route in lab.routes]))
    others = tuple(other for other in lab.routes if other.name != name)
    save_routes(lab.model_copy(update={"routes": others}))
    typer.echo(f"{name} is removed.")


@app.command("test")
def try_routes(
    name: Annotated[
        str, typer.Argument(help="Of the route; without one, every route.", show_default=False)
    ] = "",
) -> None:
    """Send a test message by one route or by all, and remember when.

    Exit status 6 when one did not go out.
    """
    from labrig.watch.routes import load_routes
    from labrig.watch.trials import try_out

    lab = load_routes()
    chosen = [route for route in lab.routes if name in ("", route.name)]
    if not chosen:
        raise typer.BadParameter(_no_such_route(name, [route.name for route in lab.routes]))
    failed = False
    for route in chosen:
        trial = try_out(route)
        failed = failed or bool(trial.failure)
        said = f"it did not go out: {trial.failure}" if trial.failure else "sent. Has it come?"
        typer.echo(f"{route.name}: {said}")
    if failed:
        raise typer.Exit(exit_codes.PARTLY)


@app.command()
def ack(
    number: Annotated[
        int | None,
        typer.Argument(
            help="Of the message; without one, every call that stands.", show_default=False
        ),
    ] = None,
    by: ByOption = "",
    remote: RemoteOption = False,
) -> None:
    """Say that you see to a message: nobody else is called about it."""
    from labrig.watch.acks import leave_ack

    folder = _folder(remote)
    book = _book(folder)
    if number is not None and book.entry(number) is None:
        raise typer.BadParameter(f"there is no message {number}; `labrig watch told` lists them")
    wanted = [
        entry for entry in book.entries
        if (entry.wants_somebody if number is None else entry.number == number)
    ]  # fmt: skip
    if not wanted:
        typer.echo("No call stands that nobody has acknowledged.")
    for entry in wanted:
        if entry.acked_utc:
            typer.echo(f"Message {entry.number}: {entry.acked_by} sees to it already.")
            continue
        leave_ack(folder, entry.number, by or login_name())
        typer.echo(f"Message {entry.number} ({entry.cause.subject}): you see to it.")


@app.command()
def told(
    most: Annotated[int, typer.Option(help="So many, the newest last.", min=1)] = 20,
    remote: RemoteOption = False,
) -> None:
    """List what people were told: when, by which routes, and who sees to it."""
    entries = _book(_folder(remote)).entries[-most:]
    if not entries:
        typer.echo("Nobody has been told of anything yet.")
    for entry in entries:
        typer.echo(_told_line(entry))


def _folder(remote: bool) -> Path:
    from labrig.watch.places import remote_folder, watch_folder

    return remote_folder() if remote else watch_folder()


def _book(folder: Path) -> Book:
    from labrig.watch.places import MEMORY
    from labrig.watch.store import recalled

    return recalled(folder / MEMORY).book


def _told_line(entry: Entry) -> str:
    from datetime import datetime

    lines = [
        f"{entry.number}  {_clock(datetime.fromisoformat(entry.raised_utc))}  "
        f"{entry.cause.severity}  {entry.cause.run}: {entry.cause.subject}"
    ]
    for delivery in entry.deliveries:
        became = f"failed ({delivery.failure})" if delivery.failure else delivery.state
        lines.append(f"     {delivery.route}: {became} {_clock(_at(delivery.utc))}")
    if not entry.deliveries:
        lines.append("     told to nobody yet")
    if entry.acked_utc:
        lines.append(f"     {entry.acked_by} sees to it since {_clock(_at(entry.acked_utc))}")
    elif entry.over_utc:
        lines.append(f"     over since {_clock(_at(entry.over_utc))}")
    return "\n".join(lines)


def _at(utc: str) -> datetime:
    from datetime import datetime

    return datetime.fromisoformat(utc)


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%a %d %b %H:%M %Z}"


def _no_such_route(name: str, known: list[str]) -> str:
    if not known:
        return "no alarm route is set up: `labrig watch add NAME` sets one up"
    return f"no route {name!r}; there is {', '.join(known)}"

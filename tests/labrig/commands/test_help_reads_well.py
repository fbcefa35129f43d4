"""Help that is read in a terminal of any width, and terminals that are none."""

from __future__ import annotations

import typer

from labrig.commands.help_text import help_text
from labrig.commands.mounted import app


def test_lines_of_the_source_are_no_lines_of_the_help():
    told = help_text("""Do it.

        A sentence that is broken
        in the source.

        Examples:
          labrig one

          labrig two
        """)
    assert told == (
        "Do it.\n\nA sentence that is broken in the source.\n\n"
        "Examples:\n  labrig one\n\n  labrig two"
    )
    assert help_text(None) == ""


def test_no_command_has_half_lines_in_its_help():
    commands = typer.main.get_command(app).commands
    assert len(commands) > 20
    for name, command in commands.items():
        if hasattr(command, "commands"):
            continue
        for paragraph in command.help.split("\n\n"):
            for line in paragraph.splitlines()[1:]:
                assert line.startswith(" "), f"labrig {name}: {line!r}"

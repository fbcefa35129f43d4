"""Files by which a system keeps labrig going: systemd, launchd, Windows's task scheduler. Pure.

Each is for one user, starts with that user's session (on Linux with the computer, where lingering
is on), and starts the command again when it ends.
"""

from __future__ import annotations

import plistlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal
from xml.sax.saxutils import escape

System = Literal["systemd", "launchd", "windows"]
AGAIN_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class Kept:
    """A command that is to be kept going.

    Attributes:
        name: of the service, e.g. ``labrig-watch``.
        command: the program and its arguments, with whole paths.
        folder: in which it runs.
        environment: what it needs of the present one.
    """

    name: str
    command: tuple[str, ...]
    folder: str
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class UnitFile:
    """A file for one system.

    Attributes:
        path: where it belongs.
        content: as it is written.
        begin / end: commands of a shell by which a person has the system begin and end it.
    """

    path: PurePath
    content: str
    begin: tuple[str, ...]
    end: tuple[str, ...]


def unit_file(kept: Kept, system: System, home: Path) -> UnitFile:
    """The file that has this system keep a command going."""
    return {"systemd": _systemd, "launchd": _launchd, "windows": _windows}[system](kept, home)


def system_of(platform: str) -> System:
    """Which system keeps services, by :data:`sys.platform`."""
    if platform == "win32":
        return "windows"
    return "launchd" if platform == "darwin" else "systemd"


def _systemd(kept: Kept, home: Path) -> UnitFile:
    unit = f"{kept.name}.service"
    environment = "".join(
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in kept.environment
    )
    content = f"""\
[Unit]
Description=labrig: {" ".join(kept.command[3:]) or kept.name}
StartLimitIntervalSec=0

[Service]
ExecStart={" ".join(map(_quoted, kept.command))}
WorkingDirectory={_percent(kept.folder)}
{environment}Restart=always
RestartSec={AGAIN_AFTER_S}
# What it has started (runners, followers) lives on when it is ended: cells are on the bench.
KillMode=process

[Install]
WantedBy=default.target
"""
    return UnitFile(
        home / ".config/systemd/user" / unit,
        content,
        (
            "systemctl --user daemon-reload",
            f"systemctl --user enable --now {unit}",
            "loginctl enable-linger    # it begins with the computer, not with your login",
        ),
        (f"systemctl --user disable --now {unit}",),
    )


def _launchd(kept: Kept, home: Path) -> UnitFile:
    label = f"org.labrig.{kept.name.removeprefix('labrig-')}"
    path = home / "Library/LaunchAgents" / f"{label}.plist"
    log = str(home / "Library/Logs" / f"{kept.name}.log")
    content = plistlib.dumps(
        {
            "Label": label,
            "ProgramArguments": list(kept.command),
            "WorkingDirectory": kept.folder,
            "EnvironmentVariables": dict(kept.environment),
            "RunAtLoad": True,
            "KeepAlive": True,
            "ThrottleInterval": AGAIN_AFTER_S,
            # What it has started lives on when it is ended: cells are on the bench.
            "AbandonProcessGroup": True,
            "StandardOutPath": log,
            "StandardErrorPath": log,
        },
        sort_keys=False,
    ).decode()
    return UnitFile(
        path,
        content,
        (f"launchctl bootstrap gui/$(id -u) '{path}'",),
        (f"launchctl bootout gui/$(id -u)/{label}",),
    )


def _windows(kept: Kept, home: Path) -> UnitFile:
    path = home / "AppData/Local/labrig" / f"{kept.name}.xml"
    # A task has no environment of its own: a shell gives it one.
    program, arguments = kept.command[0], _windows_line(kept.command[1:])
    if kept.environment:
        sets = "".join(f'set "{name}={value}" && ' for name, value in kept.environment)
        program, arguments = "cmd.exe", f'/c "{sets}"{kept.command[0]}" {arguments}"'
    content = f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.3" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{escape(kept.name)}</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled></LogonTrigger></Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(program)}</Command>
      <Arguments>{escape(arguments)}</Arguments>
      <WorkingDirectory>{escape(kept.folder)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""
    return UnitFile(
        path,
        content,
        (
            f'schtasks /Create /TN {kept.name} /XML "{path}"',
            f"schtasks /Run /TN {kept.name}",
        ),
        (f"schtasks /End /TN {kept.name}", f"schtasks /Delete /F /TN {kept.name}"),
    )


def _windows_line(arguments: Sequence[str]) -> str:
    return subprocess.list2cmdline(arguments)


def _quoted(text: str) -> str:
    """One word of a unit file, by systemd.syntax(7) and systemd.service(5)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{_percent(escaped)}"'


def _percent(text: str) -> str:
    """Without specifiers: a path may hold a %."""
    return text.replace("%", "%%")

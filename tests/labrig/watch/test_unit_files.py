"""Files for systems that keep a command going: what they say, and that their readers take it."""

from __future__ import annotations

import plistlib
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labrig.commands.mounted import app
from labrig.watch.unit_files import Kept, system_of, unit_file

HOME = Path("/home/lab")
AWKWARD = Kept(
    "labrig-serve",
    ("/opt/my lab/bin/python", "-m", "labrig", "serve", "50 %.yaml", 'a "b" $HOME', "--rig", "r"),
    "/home/lab/50% runs",
    (("LABRIG_STATE", "/home/lab/my state"),),
)
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def test_systemd_reads_back_the_very_words_of_the_command():
    unit = unit_file(AWKWARD, "systemd", HOME)
    lines = dict(line.split("=", 1) for line in unit.content.splitlines() if "=" in line)
    words = shlex.split(lines["ExecStart"].replace("$$", "$").replace("%%", "%"))
    assert words == list(AWKWARD.command)
    assert lines["WorkingDirectory"] == "/home/lab/50%% runs"
    assert lines["Environment"] == '"LABRIG_STATE=/home/lab/my state"'
    assert (lines["Restart"], lines["KillMode"]) == ("always", "process")
    assert unit.path == HOME / ".config/systemd/user/labrig-serve.service"
    assert "systemctl --user enable --now labrig-serve.service" in unit.begin


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_itself_finds_nothing_wrong(tmp_path):
    kept = Kept("labrig-watch", (sys.executable, "-m", "labrig", "watch"), str(tmp_path))
    path = tmp_path / "labrig-watch.service"
    path.write_text(unit_file(kept, "systemd", HOME).content)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(path)], capture_output=True, text=True
    )
    assert str(path.name) not in done.stderr, done.stderr


def test_launchd_gets_the_very_words_of_the_command():
    unit = unit_file(AWKWARD, "launchd", HOME)
    said = plistlib.loads(unit.content.encode())
    assert said["ProgramArguments"] == list(AWKWARD.command)
    assert said["KeepAlive"] is True
    assert said["EnvironmentVariables"] == {"LABRIG_STATE": "/home/lab/my state"}
    assert str(unit.path).endswith("LaunchAgents/org.labrig.serve.plist")


def test_a_task_of_windows_names_program_and_arguments_apart():
    plain = Kept("labrig-watch", ("C:\\my lab\\python.exe", "-m", "labrig", "watch"), "C:\\lab")
    root = ET.fromstring(unit_file(plain, "windows", HOME).content.encode("utf-16"))
    exec_ = root.find(f"{TASK}Actions/{TASK}Exec")
    assert exec_.findtext(f"{TASK}Command") == "C:\\my lab\\python.exe"
    assert exec_.findtext(f"{TASK}Arguments") == "-m labrig watch"
    assert root.findtext(f"{TASK}Settings/{TASK}ExecutionTimeLimit") == "PT0S"
    kept = ET.fromstring(unit_file(AWKWARD, "windows", HOME).content.encode("utf-16"))
    arguments = kept.findtext(f"{TASK}Actions/{TASK}Exec/{TASK}Arguments")
    assert 'set "LABRIG_STATE=/home/lab/my state" && ' in arguments


def test_each_platform_has_its_system():
    assert [system_of(p) for p in ("linux", "darwin", "win32")] == ["systemd", "launchd", "windows"]


@pytest.mark.skipif(system_of(sys.platform) != "systemd", reason="writes a unit of systemd")
def test_a_service_is_shown_installed_and_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    cli = CliRunner()
    assert "ExecStart=" in cli.invoke(app, ["service", "show"]).output
    path = tmp_path / ".config/systemd/user/labrig-watch.service"
    assert not path.exists()
    done = cli.invoke(app, ["service", "install"])
    assert f"wrote {path}" in done.output
    assert "systemctl --user enable" in done.output
    assert '"watch"' in path.read_text()
    assert "Restart=always" in path.read_text()
    serve = ["service", "install", "--", "serve", "night.yaml", "--rig", "bench.yaml"]
    assert cli.invoke(app, serve).exit_code == 0
    written = path.with_name("labrig-serve.service").read_text()
    assert '"serve" "night.yaml" "--rig" "bench.yaml"' in written
    assert "removed" in cli.invoke(app, ["service", "remove"]).output
    assert not path.exists()
    assert cli.invoke(app, ["service", "remove"]).exit_code == 2
